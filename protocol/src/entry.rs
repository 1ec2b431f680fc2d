//! What stands in a log: the kinds of entries, their data, and the frame that carries one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::candidacy::Phase;
use crate::id::{CandidacyId, ClientId, InvitationId, ProposalId, RoomRef, UserId};
use crate::invitation::DeclineReason;
use crate::job::JobSummary;
use crate::log::{Hash, canonical};
use crate::terms::Terms;
use crate::time::Time;

/// What happened, in the past tense: the public part of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "data")]
pub enum EntryData {
    /// Somebody wrote.
    #[serde(rename = "message.posted")]
    MessagePosted(MessagePosted),
    /// Somebody gave a message of their own another text.
    #[serde(rename = "message.edited")]
    MessageEdited(MessageEdited),
    /// The text of a message was deleted.
    #[serde(rename = "message.redacted")]
    MessageRedacted(MessageRedacted),
    /// In a room: how it began.
    #[serde(rename = "invitation.sent")]
    InvitationSent(InvitationSent),
    /// In a room: the freelancer's yes.
    #[serde(rename = "invitation.accepted")]
    InvitationAccepted(InvitationAccepted),
    /// In a room: the letter it began with.
    #[serde(rename = "proposal.submitted")]
    ProposalSubmitted(ProposalSubmitted),
    /// In a room: a version of the terms.
    #[serde(rename = "terms.proposed")]
    TermsProposed(TermsProposed),
    /// In a room: the candidacy moved on.
    #[serde(rename = "phase.changed")]
    PhaseChanged(PhaseChanged),
}

impl EntryData {
    /// The `kind` of the entry and its data in canonical JSON.
    pub fn canonical(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self::MessagePosted(data) => ("message.posted", canonical(data)),
            Self::MessageEdited(data) => ("message.edited", canonical(data)),
            Self::MessageRedacted(data) => ("message.redacted", canonical(data)),
            Self::InvitationSent(data) => ("invitation.sent", canonical(data)),
            Self::InvitationAccepted(data) => ("invitation.accepted", canonical(data)),
            Self::ProposalSubmitted(data) => ("proposal.submitted", canonical(data)),
            Self::TermsProposed(data) => ("terms.proposed", canonical(data)),
            Self::PhaseChanged(data) => ("phase.changed", canonical(data)),
        }
    }
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

/// `terms.proposed`: a version of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsProposed {
    /// 1, 2, 3 …
    pub version: u32,
    /// The content hash.
    pub hash: Hash,
    /// The terms themselves.
    pub terms: Terms,
}

/// `phase.changed` in a room: the candidacy moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseChanged {
    /// The new phase.
    pub phase: Phase,
}

/// What happened to a candidacy, as its two people's inboxes tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the wire's own words")]
pub enum NoticeKind {
    #[serde(rename = "invitation.sent")]
    InvitationSent,
    #[serde(rename = "invitation.accepted")]
    InvitationAccepted,
    #[serde(rename = "invitation.declined")]
    InvitationDeclined,
    #[serde(rename = "invitation.archived")]
    InvitationArchived,
    #[serde(rename = "invitation.withdrawn")]
    InvitationWithdrawn,
    #[serde(rename = "proposal.submitted")]
    ProposalSubmitted,
    #[serde(rename = "proposal.answered")]
    ProposalAnswered,
    #[serde(rename = "proposal.declined")]
    ProposalDeclined,
    #[serde(rename = "proposal.withdrawn")]
    ProposalWithdrawn,
    #[serde(rename = "phase.changed")]
    PhaseChanged,
}

impl NoticeKind {
    /// The `kind` of the entry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvitationSent => "invitation.sent",
            Self::InvitationAccepted => "invitation.accepted",
            Self::InvitationDeclined => "invitation.declined",
            Self::InvitationArchived => "invitation.archived",
            Self::InvitationWithdrawn => "invitation.withdrawn",
            Self::ProposalSubmitted => "proposal.submitted",
            Self::ProposalAnswered => "proposal.answered",
            Self::ProposalDeclined => "proposal.declined",
            Self::ProposalWithdrawn => "proposal.withdrawn",
            Self::PhaseChanged => "phase.changed",
        }
    }
}

/// The data of an inbox entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// Its phase now.
    pub phase: Phase,
    /// Its job.
    pub job: JobSummary,
    /// Whose job it is.
    pub client: UserId,
    /// The candidate.
    pub freelancer: UserId,
    /// Its invitation, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// Its proposal, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// Its room, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// Why an invitation was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeclineReason>,
    /// The reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
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
