//! Candidacies: one freelancer's case on one job, and the phases of its life.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::id::{CandidacyId, ContractId, InvitationId, OfferId, ProposalId, RoomRef};
use crate::job::JobSummary;
use crate::limits;
use crate::log::Hash;
use crate::offer::OfferView;
use crate::terms::TermsView;
use crate::time::Time;
use crate::user::{Side, UserSummary};

/// `candidacy.decline`: the client ends an active candidacy. The room can be read for ever and written no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidacyDecline {
    /// Which candidacy.
    pub candidacy: CandidacyId,
}

/// `candidacy.withdraw`: the freelancer ends an active candidacy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidacyWithdraw {
    /// Which candidacy.
    pub candidacy: CandidacyId,
}

/// `candidacy.reopen`: the side that ended it takes that back while the job is open; what time or the job's end has ended, the
/// marketplace. An offer that stood does not come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidacyReopen {
    /// Which candidacy.
    pub candidacy: CandidacyId,
}

/// `candidacies.decline`: the client turns several down at once, proposals and active candidacies; each for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidaciesDecline {
    /// Which candidacies.
    #[schemars(length(min = 1, max = limits::CANDIDACIES))]
    pub candidacies: Vec<CandidacyId>,
}

/// `candidacies.mark`: the client sorts several at once. Nobody else learns of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidaciesMark {
    /// Which candidacies.
    #[schemars(length(min = 1, max = limits::CANDIDACIES))]
    pub candidacies: Vec<CandidacyId>,
    /// As what; absent: as nothing in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<ClientMark>,
}

/// How a client has sorted a candidacy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientMark {
    /// One of the best.
    Shortlisted,
    /// Out of the way.
    Archived,
}

/// What every command on several candidacies answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasesAnswer {
    /// One for each that was named, in that order.
    pub items: Vec<CasesItem>,
}

/// What became of one of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasesItem {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// Its phase by now; absent when it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why it was refused; absent when it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
}

/// The phases of a candidacy. Who may do what in which is the table in `docs/domain.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the wire's own words")]
pub enum Phase {
    Invited,
    Archived,
    Submitted,
    Active,
    Offered,
    Hired,
    Declined,
    Withdrawn,
    Expired,
    Closed,
}

impl Phase {
    /// Every phase, in the order of a life.
    pub const ALL: [Self; 10] = [
        Self::Invited,
        Self::Archived,
        Self::Submitted,
        Self::Active,
        Self::Offered,
        Self::Hired,
        Self::Declined,
        Self::Withdrawn,
        Self::Expired,
        Self::Closed,
    ];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Archived => "archived",
            Self::Submitted => "submitted",
            Self::Active => "active",
            Self::Offered => "offered",
            Self::Hired => "hired",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

/// What every command on an invitation, a proposal or a candidacy answers: where the case stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseAnswer {
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// Its phase after the command.
    pub phase: Phase,
    /// Its invitation, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// Its proposal, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// Its room, if it is or was active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// The newest version of its terms, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_version: Option<u32>,
    /// The content hash of that version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_hash: Option<Hash>,
    /// Its latest offer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// Its contract, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractId>,
}

/// Whose turn it is, as far as the rules can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// Who is to answer.
    pub side: Side,
    /// Until when, if something runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// One candidacy as one of its two people sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidacyView {
    /// Its id.
    pub id: CandidacyId,
    /// Its phase, in the reader's eyes.
    pub phase: Phase,
    /// Which side the reader is on.
    pub role: Side,
    /// The job.
    pub job: JobSummary,
    /// Whose job it is.
    pub client: UserSummary,
    /// The candidate.
    pub freelancer: UserSummary,
    /// Its invitation, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// Its proposal, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// The terms as they stand; before any stand, those that were suggested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermsView>,
    /// The client's counter-proposal that waits for its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<TermsView>,
    /// The newest version of the terms: what `expected_version` is compared with. 0: none.
    #[serde(default)]
    pub terms_version: u32,
    /// Its latest offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferView>,
    /// Its contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractId>,
    /// Whose turn it is; absent: nobody's in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// How its client has sorted it, which nobody else sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<ClientMark>,
    /// Its room, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// The number of the room's last entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
    /// When its phase last changed.
    pub updated_at: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_has_the_same_word_in_json_and_in_the_database() {
        for phase in Phase::ALL {
            assert_eq!(serde_json::to_value(phase).expect("a word"), phase.as_str());
        }
    }
}
