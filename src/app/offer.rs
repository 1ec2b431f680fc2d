//! Offers.

use anteroom_protocol::id::OfferId;
use anteroom_protocol::offer::{
    OfferAccept, OfferChange, OfferDecline, OfferMake, OfferRequestChange, OfferView, OfferWithdraw,
};
use anteroom_protocol::user::Side;

use super::rule::{Rule, seen};
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::message::Body;
use crate::domain::offer::{self, Named};
use crate::domain::refusal::Refusal;
use crate::domain::terms::Asked;
use crate::store::CaseKey;

/// `offer.make`.
pub fn make(command: &OfferMake) -> Result<Rule, Refusal> {
    let OfferMake { candidacy, version, hash, expires_at } = *command;
    let named = Named { version, hash, expires_at };
    Rule::of(CaseKey::Candidacy(candidacy), move |case, context| offer::make(case, context, named))
}

/// `offer.change`.
pub fn change(command: &OfferChange) -> Result<Rule, Refusal> {
    let OfferChange { offer: id, version, hash, expires_at } = *command;
    let named = Named { version, hash, expires_at };
    Rule::of(CaseKey::Offer(id), move |case, context| offer::change(case, context, id, named))
}

/// `offer.request_change`.
pub fn request_change(command: OfferRequestChange) -> Result<Rule, Refusal> {
    let OfferRequestChange { offer: id, message, terms, expected_version, amounts } = command;
    let message = Body::parse("message", message)?;
    let asked = seen(terms, expected_version)?.map(|(terms, expected)| (Asked { terms, amounts }, expected));
    Rule::of(CaseKey::Offer(id), move |case, context| {
        offer::request_change(case, context, (id, &message), asked.clone())
    })
}

/// `offer.withdraw`.
pub fn withdraw(command: OfferWithdraw) -> Result<Rule, Refusal> {
    end(command.offer, Side::Client, command.reason)
}

/// `offer.decline`.
pub fn decline(command: OfferDecline) -> Result<Rule, Refusal> {
    end(command.offer, Side::Freelancer, command.reason)
}

fn end(id: OfferId, side: Side, reason: Option<String>) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Offer(id), move |case, context| offer::end(case, context, (id, side), reason.clone()))
}

/// `offer.accept`.
pub fn accept(command: &OfferAccept) -> Result<Rule, Refusal> {
    let OfferAccept { offer: id, version, hash } = *command;
    Rule::of(CaseKey::Offer(id), move |case, context| offer::accept(case, context, id, (version, hash)))
}

/// One of the reader's offers.
pub async fn get(app: &App, actor: &Actor, id: OfferId) -> Result<OfferView, AppError> {
    app.store.offer(&actor.user, id).await?.ok_or(AppError::Refused(Refusal::NotFound))
}
