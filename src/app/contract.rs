//! Contracts, and the keys that their seals are verified with.

use anteroom_protocol::contract::{ContractEnd, ContractForm, ContractView};
use anteroom_protocol::id::ContractId;
use anteroom_protocol::signature::{KeyView, Keys};

use super::rule::Rule;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::contract::{self, Agreed};
use crate::domain::refusal::Refusal;
use crate::store::{CaseKey, Page};

/// `contract.form`.
pub fn form(command: ContractForm) -> Result<Rule, Refusal> {
    let ContractForm { candidacy, contract: id, version, hash, terms } = command;
    let agreed = match (version, hash, terms) {
        (Some(version), Some(hash), None) => Agreed::Version(version, hash),
        (None, None, Some(terms)) => Agreed::Terms(terms),
        _ => return Err(Refusal::Invalid("version: either a version and its hash, or terms".into())),
    };
    Rule::of(CaseKey::Candidacy(candidacy), move |case, context| {
        contract::form(case, context, id.clone(), &agreed)
    })
}

/// `contract.end`.
pub fn end(command: ContractEnd) -> Result<Rule, Refusal> {
    let ContractEnd { contract: id, reason } = command;
    Rule::of(CaseKey::Contract(id), move |case, context| contract::end(case, context, reason.clone()))
}

/// One of the reader's contracts.
pub async fn get(app: &App, actor: &Actor, id: &ContractId) -> Result<ContractView, AppError> {
    app.store.contract(&actor.user, id).await?.ok_or(AppError::Refused(Refusal::NotFound))
}

/// All contracts, the one that was formed last first: for the marketplace, as their clients see them.
pub async fn list(app: &App, page: Page<ContractId>) -> Result<Vec<ContractView>, AppError> {
    Ok(app.store.contracts(page).await?)
}

/// The keys that sign, and those that have signed.
pub fn keys(app: &App) -> Keys {
    Keys { items: app.public_keys.iter().copied().map(KeyView::from).collect() }
}
