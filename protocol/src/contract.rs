//! Contracts: what an accepted offer becomes, and the seal that says what the two agreed on, and after which words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CandidacyId, ContractId, JobId, OfferId, RoomId, RoomRef, UserId};
use crate::job::JobSummary;
use crate::limits;
use crate::log::Hash;
use crate::signature::{PublicKey, Purpose, Signature, SigningKey};
use crate::terms::{Terms, TermsView};
use crate::time::Time;
use crate::user::{Side, UserSummary};

/// `contract.form`: the marketplace formed the contract in a system of its own, on a version of the terms or on terms of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractForm {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// The marketplace's own id of the contract.
    pub contract: ContractId,
    /// The version of the terms that was agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The content hash of that version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
    /// Instead of a version: the terms that were agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
}

/// `contract.end`: the marketplace says that the contract has ended. Its room can be read for ever and written no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractEnd {
    /// Which contract.
    pub contract: ContractId,
    /// Why, for both to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub reason: Option<String>,
}

/// `contract.formed`: the marketplace formed the contract elsewhere. The last entry that its seal covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractFormed {
    /// The contract.
    pub contract: ContractId,
    /// The version of the terms that was agreed on.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
}

/// What a seal says. It covers the entries 1 to `position` of the room, the last of which is the acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seal {
    /// The contract.
    pub contract: ContractId,
    /// The offer that was accepted; absent: the contract was formed elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// The job.
    pub job: JobId,
    /// Who gives the work.
    pub client: UserId,
    /// Who does it.
    pub freelancer: UserId,
    /// The room.
    pub room: RoomId,
    /// The version of the terms that was agreed on.
    pub version: u32,
    /// Its content hash.
    pub terms: Hash,
    /// The number of the last entry that is sealed.
    pub position: u64,
    /// The hash of that entry, which covers everything before it too.
    pub head: Hash,
    /// When.
    pub sealed_at: Time,
    /// The fingerprint of the key that signs this.
    pub key: Hash,
}

/// `contract.sealed`: the entry behind the acceptance. `signature` is over `anteroom.seal.v1`, a line end, and the seal in canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractSealed {
    /// What is sealed.
    pub seal: Box<Seal>,
    /// The server's signature of it.
    pub signature: Signature,
}

impl ContractSealed {
    /// Signs a seal.
    pub fn new(seal: Seal, key: &SigningKey) -> Self {
        let signature = key.sign(Purpose::Seal, &seal);
        Self { seal: Box::new(seal), signature }
    }

    /// Whether the seal is of this key.
    pub fn is_of(&self, key: &PublicKey) -> bool {
        self.seal.key == key.fingerprint() && key.verifies(Purpose::Seal, &self.seal, &self.signature)
    }
}

/// `contract.ended`: the work is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractEnded {
    /// The contract.
    pub contract: ContractId,
    /// Why, if somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One contract as one of its two sides sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractView {
    /// Its id.
    pub id: ContractId,
    /// The candidacy it came of.
    pub candidacy: CandidacyId,
    /// Its room.
    pub room: RoomRef,
    /// Which side the reader is on.
    pub role: Side,
    /// The job.
    pub job: JobSummary,
    /// Who gives the work.
    pub client: UserSummary,
    /// Who does it.
    pub freelancer: UserSummary,
    /// The terms that were agreed on.
    pub terms: TermsView,
    /// The seal.
    pub sealed: ContractSealed,
    /// When the contract ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}
