//! What stands in a log: the kinds of entries, their data, and the frame that carries one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::candidacy::Phase;
use crate::contract::{ContractEnded, ContractFormed, ContractSealed};
use crate::id::{ClientId, InvitationId, ProposalId, RoomRef, UserId};
use crate::log::{Hash, canonical};
use crate::member::MemberNamed;
pub use crate::notice::{Notice, NoticeKind};
use crate::offer::{OfferAccepted, OfferChangeRequested, OfferEnded, OfferMade};
pub use crate::terms::{TermsNamed, TermsProposed};
use crate::time::Time;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident($data:ident) = $kind:literal,)*) => {
        /// What happened, in the past tense: the public part of an entry.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", content = "data")]
        pub enum EntryData {
            $($(#[doc = $doc])* #[serde(rename = $kind)] $variant($data),)*
        }

        impl EntryData {
            /// The `kind` of the entry and its data in canonical JSON.
            pub fn canonical(&self) -> (&'static str, Vec<u8>) {
                match self {
                    $(Self::$variant(data) => ($kind, canonical(data)),)*
                }
            }
        }
    };
}

kinds! {
    /// Somebody wrote.
    MessagePosted(MessagePosted) = "message.posted",
    /// Somebody gave a message of their own another text.
    MessageEdited(MessageEdited) = "message.edited",
    /// The text of a message was deleted.
    MessageRedacted(MessageRedacted) = "message.redacted",
    /// In a room: how it began.
    InvitationSent(InvitationSent) = "invitation.sent",
    /// In a room: the freelancer's yes.
    InvitationAccepted(InvitationAccepted) = "invitation.accepted",
    /// In a room: the letter it began with.
    ProposalSubmitted(ProposalSubmitted) = "proposal.submitted",
    /// In a room: a version of the terms.
    TermsProposed(TermsProposed) = "terms.proposed",
    /// The freelancer took the client's counter-proposal: it stands.
    TermsAccepted(TermsNamed) = "terms.accepted",
    /// The freelancer did not take the client's counter-proposal.
    TermsDeclined(TermsNamed) = "terms.declined",
    /// The client took a counter-proposal back.
    TermsWithdrawn(TermsNamed) = "terms.withdrawn",
    /// The time of a counter-proposal is over.
    TermsExpired(TermsNamed) = "terms.expired",
    /// Somebody has taken note of the other side's terms.
    TermsAcknowledged(TermsNamed) = "terms.acknowledged",
    /// The client offers a version of the terms.
    OfferMade(OfferMade) = "offer.made",
    /// The client offers something else instead.
    OfferChanged(OfferMade) = "offer.changed",
    /// The freelancer asks for another offer.
    OfferChangeRequested(OfferChangeRequested) = "offer.change_requested",
    /// The client took the offer back.
    OfferWithdrawn(OfferEnded) = "offer.withdrawn",
    /// The freelancer did not take the offer.
    OfferDeclined(OfferEnded) = "offer.declined",
    /// The time of the offer is over.
    OfferExpired(OfferEnded) = "offer.expired",
    /// The freelancer took the offer.
    OfferAccepted(OfferAccepted) = "offer.accepted",
    /// The marketplace formed the contract elsewhere.
    ContractFormed(ContractFormed) = "contract.formed",
    /// The seal of what was agreed on.
    ContractSealed(ContractSealed) = "contract.sealed",
    /// The contract has ended.
    ContractEnded(ContractEnded) = "contract.ended",
    /// Somebody else reads and writes from here on.
    MemberAdded(MemberNamed) = "member.added",
    /// Somebody reads and writes no more.
    MemberRemoved(MemberNamed) = "member.removed",
    /// In a room: the candidacy moved on.
    PhaseChanged(PhaseChanged) = "phase.changed",
}

/// `message.posted`: somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessagePosted {
    /// The text.
    pub body: String,
}

/// `message.edited`: somebody gave a message of their own another text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageEdited {
    /// The number of the message.
    pub seq: u64,
    /// Its text from now on.
    pub body: String,
}

/// `message.redacted`: the text of a message was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRedacted {
    /// The number of the message.
    pub seq: u64,
    /// Why.
    pub reason: String,
    /// On whose behalf.
    pub on_behalf: RedactedFor,
}

/// On whose behalf a text was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedactedFor {
    /// Its author deleted it.
    Author,
    /// The marketplace deleted it.
    Marketplace,
}

/// `invitation.sent` in a room: how it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationSent {
    /// The invitation.
    pub invitation: InvitationId,
    /// The client's words.
    pub message: String,
    /// When it was sent.
    pub sent_at: Time,
}

/// `invitation.accepted` in a room: the freelancer's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationAccepted {
    /// The invitation.
    pub invitation: InvitationId,
    /// On which terms.
    pub terms: AcceptedTerms,
}

/// On which terms an invitation was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedTerms {
    /// On those the client suggested.
    AsSuggested,
    /// On the freelancer's own, which follow.
    New,
    /// On none so far.
    None,
}

/// `proposal.submitted` in a room: the letter it began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalSubmitted {
    /// The proposal.
    pub proposal: ProposalId,
    /// The letter.
    pub cover_letter: String,
    /// When it was submitted.
    pub submitted_at: Time,
}

/// `phase.changed` in a room: the candidacy moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseChanged {
    /// The new phase.
    pub phase: Phase,
}

/// One entry as a reader gets it, in an `entry` frame and in a page.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Entry")]
pub struct EntryFrame {
    /// Which log.
    pub room: RoomRef,
    /// Its number: 1, 2, 3 … without a hole.
    #[schemars(range(min = 1))]
    pub seq: u64,
    /// What happened. A reader skips kinds it does not know.
    pub kind: String,
    /// When it was committed.
    pub at: Time,
    /// Who did it; absent: the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// The command it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Its hash, which covers everything before it too.
    pub hash: Hash,
    /// The public part, in the form of its kind; `null` when it was deleted, and `amended_by` tells where it is said by whom and why.
    pub data: Box<RawValue>,
    /// The number of the last entry that edited or redacted this one, when there was one as this was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amended_by: Option<u64>,
    /// The part that only the freelancer's side reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<Box<RawValue>>,
    /// With `?proof=true`: what it takes to compute the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

impl PartialEq for EntryFrame {
    fn eq(&self, other: &Self) -> bool {
        serde_json::to_value(self).ok() == serde_json::to_value(other).ok()
    }
}

impl EntryFrame {
    /// The public part as a value.
    pub fn data(&self) -> Value {
        serde_json::from_str(self.data.get()).unwrap_or(Value::Null)
    }
}

/// What a reader needs, beside the entry, to compute the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// The salt of the public part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_salt: Option<String>,
    /// The digest of a public part that was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_digest: Option<Hash>,
    /// The digest of a private part that was deleted, or that this reader may not see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_digest: Option<Hash>,
    /// The salt of a private part this reader may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_salt: Option<String>,
}

/// One page of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryPage {
    /// Entries by rising number.
    pub items: Vec<EntryFrame>,
    /// The number of the log's last entry.
    pub head: u64,
    /// Whether there are more in the direction that was asked for.
    pub has_more: bool,
}
