//! Proposals.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::id::ProposalId;
use anteroom_protocol::proposal::{
    ProposalAnswer, ProposalDecline, ProposalSubmit, ProposalView, ProposalWithdraw,
};
use anteroom_protocol::user::Side;

use super::{App, AppError, Pending};
use crate::domain::actor::Actor;
use crate::domain::message::Body;
use crate::domain::proposal;
use crate::domain::refusal::Refusal;
use crate::store::{CaseKey, Intent, Page};

/// `proposal.submit`.
pub fn submit(app: &App, actor: &Actor, intent: Intent, command: ProposalSubmit) -> Pending {
    let ProposalSubmit { job, cover_letter, terms } = command;
    let letter = match Body::parse("cover_letter", cover_letter) {
        Ok(letter) => letter,
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    let key = CaseKey::JobAndFreelancer(job, actor.user.clone());
    app.change(actor, intent, key, move |case, context| {
        proposal::submit(case, context, &letter, terms.clone())
    })
}

/// `proposal.answer`.
pub fn answer(app: &App, actor: &Actor, intent: Intent, command: ProposalAnswer) -> Pending {
    let message = match Body::parse("message", command.message) {
        Ok(message) => message,
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    app.change(actor, intent, CaseKey::Proposal(command.proposal), move |case, context| {
        proposal::answer(case, context, &message)
    })
}

/// `proposal.decline`.
pub fn decline(app: &App, actor: &Actor, intent: Intent, command: &ProposalDecline) -> Pending {
    app.change(actor, intent, CaseKey::Proposal(command.proposal), |case, context| {
        proposal::end(case, context, Side::Client)
    })
}

/// `proposal.withdraw`.
pub fn withdraw(app: &App, actor: &Actor, intent: Intent, command: &ProposalWithdraw) -> Pending {
    app.change(actor, intent, CaseKey::Proposal(command.proposal), |case, context| {
        proposal::end(case, context, Side::Freelancer)
    })
}

/// One of the reader's proposals.
pub async fn get(app: &App, actor: &Actor, id: ProposalId) -> Result<ProposalView, AppError> {
    app.store.proposal(&actor.user, id).await?.ok_or(AppError::Refused(Refusal::NotFound))
}

/// The reader's proposals on either side.
pub async fn list(
    app: &App,
    actor: &Actor,
    phase: Option<Phase>,
    page: Page<ProposalId>,
) -> Result<Vec<ProposalView>, AppError> {
    Ok(app.store.proposals(&actor.user, phase, page).await?)
}
