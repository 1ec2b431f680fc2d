//! The commands of a negotiation: terms, offers, contracts.

use anteroom_protocol::command::Command;
use anteroom_protocol::contract::{ContractEnd, ContractForm};
use anteroom_protocol::id::{CandidacyId, ContractId, OfferId};
use anteroom_protocol::offer::{
    OfferAccept, OfferChange, OfferDecline, OfferMake, OfferRequestChange, OfferWithdraw,
};
use anteroom_protocol::proposal::Offered;
use anteroom_protocol::terms::{
    Amounts, TermsAccept, TermsAcknowledge, TermsDecline, TermsPropose, TermsWithdraw,
};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::client::terms;
use super::{hash, name, time, uuid};

pub(super) fn amounts() -> impl Strategy<Value = Amounts> {
    select(vec![Amounts::Charged, Amounts::TakeHome])
}

pub(super) fn offered() -> impl Strategy<Value = Offered> {
    (any::<u32>(), hash(), of(time())).prop_map(|(version, hash, expires_at)| Offered {
        version,
        hash,
        expires_at,
    })
}

fn candidacy() -> impl Strategy<Value = CandidacyId> {
    uuid().prop_map(CandidacyId)
}

fn offer() -> impl Strategy<Value = OfferId> {
    uuid().prop_map(OfferId)
}

fn contract() -> impl Strategy<Value = ContractId> {
    name().prop_map(|id| id.parse().expect("an id"))
}

/// Every command about terms.
pub(super) fn of_terms() -> impl Strategy<Value = Command> {
    let version = any::<u32>;
    let propose = (candidacy(), version(), terms(), amounts(), of(any::<String>()));
    prop_oneof![
        propose.prop_map(|(candidacy, expected_version, terms, amounts, cover_letter)| {
            Command::TermsPropose(TermsPropose { candidacy, expected_version, terms, amounts, cover_letter })
        }),
        (candidacy(), version(), hash()).prop_map(|(candidacy, version, hash)| {
            Command::TermsAccept(TermsAccept { candidacy, version, hash })
        }),
        (candidacy(), version())
            .prop_map(|(candidacy, version)| Command::TermsDecline(TermsDecline { candidacy, version })),
        (candidacy(), version())
            .prop_map(|(candidacy, version)| Command::TermsWithdraw(TermsWithdraw { candidacy, version })),
        (candidacy(), version()).prop_map(|(candidacy, version)| {
            Command::TermsAcknowledge(TermsAcknowledge { candidacy, version })
        }),
    ]
}

/// Every command about offers.
pub(super) fn of_offers() -> impl Strategy<Value = Command> {
    let request = (offer(), any::<String>(), of(terms()), of(any::<u32>()), amounts());
    prop_oneof![
        (candidacy(), offered()).prop_map(|(candidacy, Offered { version, hash, expires_at })| {
            Command::OfferMake(OfferMake { candidacy, version, hash, expires_at })
        }),
        (offer(), offered()).prop_map(|(offer, Offered { version, hash, expires_at })| {
            Command::OfferChange(OfferChange { offer, version, hash, expires_at })
        }),
        request.prop_map(|(offer, message, terms, expected_version, amounts)| {
            Command::OfferRequestChange(OfferRequestChange {
                offer,
                message,
                terms,
                expected_version,
                amounts,
            })
        }),
        (offer(), of(any::<String>()))
            .prop_map(|(offer, reason)| Command::OfferWithdraw(OfferWithdraw { offer, reason })),
        (offer(), of(any::<String>()))
            .prop_map(|(offer, reason)| Command::OfferDecline(OfferDecline { offer, reason })),
        (offer(), any::<u32>(), hash())
            .prop_map(|(offer, version, hash)| Command::OfferAccept(OfferAccept { offer, version, hash })),
    ]
}

/// Every command about contracts.
pub(super) fn of_contracts() -> impl Strategy<Value = Command> {
    let form = (candidacy(), contract(), of(any::<u32>()), of(hash()), of(terms()));
    prop_oneof![
        form.prop_map(|(candidacy, contract, version, hash, terms)| {
            Command::ContractForm(ContractForm { candidacy, contract, version, hash, terms })
        }),
        (contract(), of(any::<String>()))
            .prop_map(|(contract, reason)| Command::ContractEnd(ContractEnd { contract, reason })),
    ]
}
