//! Invitations to interview: the commands around them and how a reader sees one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CandidacyId, InvitationId, JobId, RoomRef, UserId};
use crate::job::JobSummary;
use crate::limits;
use crate::terms::{Amounts, Terms, TermsView};
use crate::time::Time;
use crate::user::{Side, UserSummary};

/// `invitation.send`: the job's client asks one freelancer to discuss the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationSend {
    /// The job to discuss.
    pub job: JobId,
    /// Who is asked.
    pub freelancer: UserId,
    /// The client's words.
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub message: String,
    /// Terms the client suggests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
}

/// `invitation.accept`: always with a message; with terms of one's own or as suggested. Opens the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationAccept {
    /// Which invitation.
    pub invitation: InvitationId,
    /// The freelancer's words to the client.
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub message: String,
    /// New terms; absent: as suggested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// With `terms`: what their amounts are.
    #[serde(default, skip_serializing_if = "Amounts::are_charged")]
    pub amounts: Amounts,
}

/// `invitation.decline`: with one reason of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationDecline {
    /// Which invitation.
    pub invitation: InvitationId,
    /// Why.
    pub reason: DeclineReason,
    /// The reason in words: required with `other`, refused with any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub reason_text: Option<String>,
    /// Words to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub message: Option<String>,
}

/// `invitation.archive`: put it out of the way. Not a response; it can still be accepted or declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationArchive {
    /// Which invitation.
    pub invitation: InvitationId,
}

/// `invitation.withdraw`: the client takes it back before it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationWithdraw {
    /// Which invitation.
    pub invitation: InvitationId,
}

/// `invitation.remove`: the marketplace takes an invitation out of the way. Its text is shown to nobody any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationRemove {
    /// Which invitation.
    pub invitation: InvitationId,
}

/// Why a freelancer declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the wire's own words")]
pub enum DeclineReason {
    NotInterested,
    OutsideMySkills,
    TooBusy,
    BudgetTooLow,
    TimelineUnworkable,
    DescriptionUnclear,
    ClientConcern,
    LooksLikeSpam,
    Other,
}

/// Where an invitation stands. The client never sees `archived`: ignoring is the freelancer's own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the wire's own words")]
pub enum InvitationStatus {
    Pending,
    Archived,
    Accepted,
    Declined,
    Withdrawn,
    Expired,
    Closed,
    Removed,
}

/// One invitation as one of its two people sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationView {
    /// Its id.
    pub id: InvitationId,
    /// The candidacy it began.
    pub candidacy: CandidacyId,
    /// Where it stands, in the reader's eyes.
    pub status: InvitationStatus,
    /// Which side the reader is on.
    pub role: Side,
    /// The job to discuss.
    pub job: JobSummary,
    /// Who invites.
    pub client: UserSummary,
    /// Who is invited.
    pub freelancer: UserSummary,
    /// The client's words; empty when the marketplace has removed them.
    pub message: String,
    /// The terms suggested with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermsView>,
    /// When it was sent.
    pub sent_at: Time,
    /// From when on it can no longer be answered.
    pub expires_at: Time,
    /// When it was accepted, declined or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Time>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeclineReason>,
    /// The reason in words, when it is `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// The freelancer's words with a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_message: Option<String>,
    /// The candidacy's room, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
}
