//! Proposals: a freelancer's answer to a job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::candidacy::Phase;
use crate::id::{CandidacyId, JobId, ProposalId, RoomRef};
use crate::job::JobSummary;
use crate::limits;
use crate::log::Hash;
use crate::terms::{Amounts, Terms, TermsView};
use crate::time::Time;
use crate::user::{Side, UserSummary};

/// `proposal.submit`: a freelancer answers an open job. To a job one is invited to, this is the acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalSubmit {
    /// The job.
    pub job: JobId,
    /// The letter to the client; it can never be changed.
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub cover_letter: String,
    /// The terms asked for.
    pub terms: Terms,
    /// What the amounts in them are.
    #[serde(default, skip_serializing_if = "Amounts::are_charged")]
    pub amounts: Amounts,
}

/// `proposal.answer`: the client's first word, which opens the room: a message, other terms, an offer, or a message and one of these. A
/// freelancer is refused `client_first`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalAnswer {
    /// Which proposal.
    pub proposal: ProposalId,
    /// The client's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub message: Option<String>,
    /// A counter-proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// With `terms`: the newest version the author has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u32>,
    /// An offer of the terms as they stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offered>,
}

/// An offer inside an answer: as with `offer.make`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offered {
    /// Which version of the terms.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
    /// Until when it can be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// `proposal.decline`: the client does not want it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalDecline {
    /// Which proposal.
    pub proposal: ProposalId,
}

/// `proposal.archive`: the client puts it out of the way. No answer, and nobody else learns of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalArchive {
    /// Which proposal.
    pub proposal: ProposalId,
}

/// `proposal.withdraw`: the freelancer takes it back before the client answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalWithdraw {
    /// Which proposal.
    pub proposal: ProposalId,
}

/// One proposal as one of its two people sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalView {
    /// Its id.
    pub id: ProposalId,
    /// The candidacy it belongs to.
    pub candidacy: CandidacyId,
    /// The candidacy's phase, in the reader's eyes.
    pub phase: Phase,
    /// Which side the reader is on.
    pub role: Side,
    /// The job.
    pub job: JobSummary,
    /// Whose job it is.
    pub client: UserSummary,
    /// Who proposes.
    pub freelancer: UserSummary,
    /// The letter; an accepted invitation has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover_letter: Option<String>,
    /// The terms as they stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermsView>,
    /// When it was submitted.
    pub submitted_at: Time,
    /// The candidacy's room, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
}
