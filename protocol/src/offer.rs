//! Offers: one version of the terms, made binding by the client until it expires.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CandidacyId, OfferId, RoomRef};
use crate::limits;
use crate::log::Hash;
use crate::terms::{Amounts, Terms, TermsView};
use crate::time::Time;
use crate::user::Side;

/// `offer.make`: the client offers one version of the terms, the standing one or a counter-proposal of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferMake {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// Which version of the terms.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
    /// Until when it can be accepted; absent: as long as the marketplace's policy has it, which is also the longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// `offer.change`: the client puts another version of the terms, or another end, in the place of the offered one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferChange {
    /// Which offer.
    pub offer: OfferId,
    /// Which version of the terms.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
    /// Until when it can be accepted; absent: as with `offer.make`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// `offer.request_change`: the freelancer asks for another offer, in words and perhaps with terms. The offer stands on meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferRequestChange {
    /// Which offer.
    pub offer: OfferId,
    /// What is asked for.
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub message: String,
    /// The terms asked for: they become the standing ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// With `terms`: the newest version the author has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u32>,
    /// With `terms`: what its amounts are.
    #[serde(default, skip_serializing_if = "Amounts::are_charged")]
    pub amounts: Amounts,
}

/// `offer.withdraw`: the client takes the offer back before it is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferWithdraw {
    /// Which offer.
    pub offer: OfferId,
    /// Why, for both to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub reason: Option<String>,
}

/// `offer.decline`: the freelancer does not take it. The talk goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferDecline {
    /// Which offer.
    pub offer: OfferId,
    /// Why, for both to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub reason: Option<String>,
}

/// `offer.accept`: the freelancer takes it, by version and hash, so that nobody accepts anything but what they saw. Forms the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferAccept {
    /// Which offer.
    pub offer: OfferId,
    /// The version of the terms that it names.
    pub version: u32,
    /// The content hash of that version.
    pub hash: Hash,
}

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferStatus {
    /// It can be accepted.
    Standing,
    /// It became a contract.
    Accepted,
    /// The freelancer did not take it.
    Declined,
    /// The client took it back, or the candidacy ended.
    Withdrawn,
    /// Its time is over.
    Expired,
}

/// `offer.made` and `offer.changed`: a version of the terms can be accepted from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferMade {
    /// The offer.
    pub offer: OfferId,
    /// The version of the terms.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
    /// From when on it can no longer be accepted.
    pub expires_at: Time,
}

/// `offer.change_requested`: the freelancer asks for another offer; this one stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferChangeRequested {
    /// The offer.
    pub offer: OfferId,
    /// What is asked for.
    pub message: String,
    /// The version of the terms asked for, which stands before this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// `offer.withdrawn`, `offer.declined`, `offer.expired`: it can be accepted no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferEnded {
    /// The offer.
    pub offer: OfferId,
    /// Why, if somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `offer.accepted`: the last entry that a seal covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferAccepted {
    /// The offer.
    pub offer: OfferId,
    /// The version of the terms that was accepted.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
}

/// One offer as one of its two sides sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferView {
    /// Its id.
    pub id: OfferId,
    /// The candidacy it belongs to.
    pub candidacy: CandidacyId,
    /// Its room.
    pub room: RoomRef,
    /// Where it stands.
    pub status: OfferStatus,
    /// Which side the reader is on.
    pub role: Side,
    /// The terms it names.
    pub terms: TermsView,
    /// When it was made.
    pub made_at: Time,
    /// From when on it can no longer be accepted.
    pub expires_at: Time,
}
