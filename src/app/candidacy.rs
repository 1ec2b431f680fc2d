//! Candidacies.

use anteroom_protocol::candidacy::{
    CandidaciesDecline, CandidaciesMark, CandidacyDecline, CandidacyReopen, CandidacyView, CandidacyWithdraw,
    ClientMark, Phase,
};
use anteroom_protocol::id::CandidacyId;
use anteroom_protocol::user::Side;

use super::rule::Rule;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::candidacy;
use crate::domain::refusal::Refusal;
use crate::store::{CaseKey, Page};

/// `candidacy.decline`.
pub fn decline(command: &CandidacyDecline) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Candidacy(command.candidacy), |case, context| {
        candidacy::end(case, context, Side::Client)
    })
}

/// `candidacy.withdraw`.
pub fn withdraw(command: &CandidacyWithdraw) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Candidacy(command.candidacy), |case, context| {
        candidacy::end(case, context, Side::Freelancer)
    })
}

/// `candidacy.reopen`.
pub fn reopen(command: &CandidacyReopen) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Candidacy(command.candidacy), candidacy::reopen)
}

/// `candidacies.decline`.
pub fn decline_each(command: CandidaciesDecline) -> Result<Rule, Refusal> {
    Rule::of_each(command.candidacies, candidacy::turn_down)
}

/// `candidacies.mark`.
pub fn mark_each(command: CandidaciesMark) -> Result<Rule, Refusal> {
    let mark = command.mark;
    Rule::of_each(command.candidacies, move |case, context| candidacy::sort(case, context, mark))
}

/// One of the reader's candidacies.
pub async fn get(app: &App, actor: &Actor, id: CandidacyId) -> Result<CandidacyView, AppError> {
    app.store.candidacy(&actor.user, id).await?.ok_or(AppError::Refused(Refusal::NotFound))
}

/// The reader's candidacies on either side.
pub async fn list(
    app: &App,
    actor: &Actor,
    (phase, mark): (Option<Phase>, Option<ClientMark>),
    page: Page<CandidacyId>,
) -> Result<Vec<CandidacyView>, AppError> {
    Ok(app.store.candidacies(&actor.user, phase, mark, page).await?)
}
