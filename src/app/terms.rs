//! Terms.

use anteroom_protocol::id::CandidacyId;
use anteroom_protocol::terms::{
    TermsAccept, TermsAcknowledge, TermsDecline, TermsPropose, TermsView, TermsWithdraw,
};

use super::rule::Rule;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::refusal::Refusal;
use crate::domain::terms::{self, Asked};
use crate::store::CaseKey;

/// `terms.propose`.
pub fn propose(command: TermsPropose) -> Result<Rule, Refusal> {
    let TermsPropose { candidacy, expected_version, terms, amounts, cover_letter } = command;
    if cover_letter.is_some() {
        return Err(Refusal::CoverLetterFixed);
    }
    let asked = Asked { terms, amounts };
    Rule::of(CaseKey::Candidacy(candidacy), move |case, context| {
        terms::propose(case, context, asked.clone(), expected_version)
    })
}

/// `terms.accept`.
pub fn accept(command: &TermsAccept) -> Result<Rule, Refusal> {
    let (version, hash) = (command.version, command.hash);
    Rule::of(CaseKey::Candidacy(command.candidacy), move |case, context| {
        terms::accept(case, context, version, hash)
    })
}

/// `terms.decline`.
pub fn decline(command: &TermsDecline) -> Result<Rule, Refusal> {
    let version = command.version;
    Rule::of(CaseKey::Candidacy(command.candidacy), move |case, context| {
        terms::decline(case, context, version)
    })
}

/// `terms.withdraw`.
pub fn withdraw(command: &TermsWithdraw) -> Result<Rule, Refusal> {
    let version = command.version;
    Rule::of(CaseKey::Candidacy(command.candidacy), move |case, context| {
        terms::withdraw(case, context, version)
    })
}

/// `terms.acknowledge`.
pub fn acknowledge(command: &TermsAcknowledge) -> Result<Rule, Refusal> {
    let version = command.version;
    Rule::of(CaseKey::Candidacy(command.candidacy), move |case, context| {
        terms::acknowledge(case, context, version)
    })
}

/// Every version of the terms of one of the reader's candidacies, newest first.
pub async fn list(app: &App, actor: &Actor, candidacy: CandidacyId) -> Result<Vec<TermsView>, AppError> {
    app.store.terms(&actor.user, candidacy).await?.ok_or(AppError::Refused(Refusal::NotFound))
}
