//! The answers of commands, flat as they come: the protocol's own answers and `duplicate`.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::id::{CandidacyId, ContractId, InvitationId, OfferId, ProposalId, RoomRef};
use anteroom_protocol::log::Hash;
use anteroom_protocol::time::Time;
use serde::{Deserialize, Serialize};

/// What `message.post` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// The room it stands in.
    pub room: RoomRef,
    /// Its number there.
    pub seq: u64,
    /// When it was committed.
    pub at: Time,
    /// The hash of its entry.
    pub hash: Hash,
    /// Whether this is the answer to a repeat.
    pub duplicate: bool,
}

/// What every command on an invitation, a proposal or a candidacy answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
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
    /// The newest version of its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_version: Option<u32>,
    /// The content hash of that version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_hash: Option<Hash>,
    /// Its latest offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// Its contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractId>,
    /// Whether this is the answer to a repeat.
    pub duplicate: bool,
}
