//! Proposals.

use anteroom_protocol::candidacy::{ClientMark, Phase};
use anteroom_protocol::id::ProposalId;
use anteroom_protocol::proposal::{
    Offered, ProposalAnswer, ProposalArchive, ProposalDecline, ProposalSubmit, ProposalView, ProposalWithdraw,
};
use anteroom_protocol::user::Side;

use super::rule::{Rule, seen};
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::candidacy;
use crate::domain::message::Body;
use crate::domain::offer::Named;
use crate::domain::proposal::{self, Words};
use crate::domain::refusal::Refusal;
use crate::domain::terms::Asked;
use crate::store::{CaseKey, Page};

/// `proposal.submit`.
pub fn submit(actor: &Actor, command: ProposalSubmit) -> Result<Rule, Refusal> {
    let ProposalSubmit { job, cover_letter, terms, amounts } = command;
    let letter = Body::parse("cover_letter", cover_letter)?;
    let asked = Asked { terms, amounts };
    Rule::of(CaseKey::JobAndFreelancer(job, actor.user.clone()), move |case, context| {
        proposal::submit(case, context, &letter, asked.clone())
    })
}

/// `proposal.answer`.
pub fn answer(command: ProposalAnswer) -> Result<Rule, Refusal> {
    let ProposalAnswer { proposal, message, terms, expected_version, offer } = command;
    let message = message.map(|message| Body::parse("message", message)).transpose()?;
    let words = Words {
        message,
        terms: seen(terms, expected_version)?,
        offer: offer.map(|Offered { version, hash, expires_at }| Named { version, hash, expires_at }),
    };
    Rule::of(CaseKey::Proposal(proposal), move |case, context| proposal::answer(case, context, &words))
}

/// `proposal.decline`.
pub fn decline(command: &ProposalDecline) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Proposal(command.proposal), |case, context| proposal::end(case, context, Side::Client))
}

/// `proposal.archive`.
pub fn archive(command: &ProposalArchive) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Proposal(command.proposal), |case, context| {
        case.must_be(Side::Client, &context.actor)?;
        case.must_be_in(&[Phase::Submitted], Side::Client)?;
        candidacy::sort(case, context, Some(ClientMark::Archived))
    })
}

/// `proposal.withdraw`.
pub fn withdraw(command: &ProposalWithdraw) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Proposal(command.proposal), |case, context| {
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
