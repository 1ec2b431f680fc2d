//! Reports: somebody tells the marketplace of what should not have been written. Nobody else learns of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CandidacyId, InvitationId, ReportId, RoomRef, UserId};
use crate::limits;
use crate::time::Time;

/// `invitation.report`: the freelancer tells the marketplace of an invitation. It can still be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationReport {
    /// Which invitation.
    pub invitation: InvitationId,
    /// What is wrong with it.
    pub reason: ReportReason,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub text: Option<String>,
}

/// `message.report`: a member tells the marketplace of somebody else's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageReport {
    /// Which room.
    pub room: RoomRef,
    /// The number of the message.
    pub seq: u64,
    /// What is wrong with it.
    pub reason: ReportReason,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub text: Option<String>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the wire's own words")]
pub enum ReportReason {
    Spam,
    Fraud,
    Harassment,
    OutsideContact,
    Other,
}

/// One report, as the marketplace reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportView {
    /// Its id.
    pub id: ReportId,
    /// Who reports.
    pub by: UserId,
    /// Who wrote what is reported.
    pub about: UserId,
    /// The candidacy it belongs to.
    pub candidacy: CandidacyId,
    /// The invitation, if that is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// The room, if a message is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// The number of that message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What is wrong.
    pub reason: ReportReason,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When.
    pub at: Time,
}
