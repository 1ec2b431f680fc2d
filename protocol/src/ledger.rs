//! The ledger of response speed: its rows, the figure they make, and what of it others see on a profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CandidacyId, InvitationId, ProposalId, UserId};
use crate::job::JobSummary;
use crate::time::Time;
use crate::user::Side;

/// `invitation.retract`: the client takes an answered invitation out of the ledger, within 24 hours of its sending. It ends nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationRetract {
    /// Which invitation.
    pub invitation: InvitationId,
}

/// Whether a row counts, and for or against its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LedgerVerdict {
    /// Its clock runs: it does not count yet.
    Waiting,
    /// It counts, with the time its answer took.
    Answered,
    /// It counts as one that was never answered.
    Unanswered,
    /// It does not count.
    Void,
}

/// Why a row counts or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LedgerReason {
    /// Its clock runs.
    Waiting,
    /// The invitation was accepted, also by a proposal.
    Accepted,
    /// The invitation or the proposal was declined.
    Declined,
    /// The invitation was reported.
    Reported,
    /// The proposal was answered.
    Answered,
    /// The invitation's time ended without an answer.
    Expired,
    /// The proposal's time ended without an answer.
    Overdue,
    /// The other side took it back within 24 hours.
    WithdrawnEarly,
    /// The other side took it back later, and there was no answer.
    Withdrawn,
    /// The job took nobody any more, and there was no answer: void for a freelancer, who could not prevent it.
    JobClosed,
    /// The marketplace removed it, and there was no answer.
    Removed,
    /// The client took it out of the ledger in time.
    Retracted,
}

/// One row of the ledger, as its owner reads it: who was asked for an answer, since when, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerRow {
    /// As what its owner was asked: as a freelancer by an invitation, as a client by a proposal.
    pub side: Side,
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// Counts the times it was asked: what was reopened is asked anew.
    pub round: u32,
    /// The invitation that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// The proposal that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// Its job.
    pub job: JobSummary,
    /// When the clock started.
    pub started_at: Time,
    /// From when on it counts as unanswered.
    pub until: Time,
    /// When the clock stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Time>,
    /// How long the answer took, in whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_seconds: Option<u64>,
    /// Whether it counts, and how.
    pub verdict: LedgerVerdict,
    /// Why.
    pub reason: LedgerReason,
    /// Whether it counts.
    pub counts: bool,
    /// Whether it is young enough to be part of the figure.
    pub in_window: bool,
    /// From when on the other side can no longer take it out of the ledger.
    pub final_at: Time,
}

/// What the rows of the trailing window make, as their owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerFigure {
    /// Rows whose clock started after this moment are part of it.
    pub since: Time,
    /// How many of them count.
    pub counted: u32,
    /// How many of those were answered within 24 hours.
    pub answered_within_24h: u32,
    /// The median response time in whole seconds; absent when nothing counts, or when it is that of an unanswered one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_seconds: Option<u64>,
    /// What of it the profile shows; absent while too few count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Responsiveness>,
}

/// One page of one's ledger, with the figure of that side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerPage {
    /// Whose rows these are: as a freelancer or as a client.
    pub side: Side,
    /// What the rows of the window make.
    pub figure: LedgerFigure,
    /// The rows, newest first; also those that are older than the window.
    pub items: Vec<LedgerRow>,
    /// What the next page is asked for with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How long somebody takes to answer, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ResponseTime {
    /// The median is below 24 hours.
    #[serde(rename = "<24h")]
    WithinADay,
    /// The median is below three days.
    #[serde(rename = "<3d")]
    WithinThreeDays,
    /// The median is three days or more.
    #[serde(rename = "3d+")]
    Longer,
}

/// What others see of somebody's response speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Responsiveness {
    /// The median response time.
    pub response_time: ResponseTime,
    /// Of a hundred that count, how many were answered within 24 hours.
    #[schemars(range(max = 100))]
    pub answered_within_24h: u8,
}

/// The answer of `GET /v1/users/{user}/profile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileView {
    /// The person's id.
    pub user: UserId,
    /// The name others see.
    pub name: String,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// The person's page on the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
    /// How fast this person answers invitations; absent while there is too little to tell by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_freelancer: Option<Responsiveness>,
    /// How fast this person answers proposals; absent while there is too little to tell by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_client: Option<Responsiveness>,
}

/// `responsiveness.changed` in an inbox: what its owner's profile shows from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponsivenessChanged {
    /// As a freelancer or as a client.
    pub side: Side,
    /// What is shown; absent: nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsiveness: Option<Responsiveness>,
}
