//! What the entries of a transcript must be: one chain, of one room, for one reader; and what its seals say must stand in it.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Cause, Header, Sealed, Trusted};
use crate::contract::{ContractFormed, ContractSealed, Seal};
use crate::entry::EntryFrame;
use crate::id::RoomRef;
use crate::log::{Hash, canonical, verify_chain};
use crate::offer::OfferAccepted;

/// The entries so far. What it keeps grows with the versions of the terms and the seals, not with the log.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    pub(super) header: Header,
    /// The room's name in its hashes.
    name: String,
    pub(super) head: u64,
    pub(super) hash: Hash,
    pub(super) redacted: u64,
    pub(super) seals: Vec<Sealed>,
    /// The hash of each version of the terms, computed.
    terms: HashMap<u32, Hash>,
    /// What the last entry accepted, if it did.
    accepted: Option<Accepted>,
}

/// What a seal can stand behind.
#[derive(Debug, Clone)]
enum Accepted {
    Offer(OfferAccepted),
    Contract(ContractFormed),
}

/// As much of `terms.proposed` as is checked. The terms are taken as they stand: a field of a later version is in their hash too.
#[derive(Deserialize)]
struct Proposed {
    version: u32,
    hash: Hash,
    terms: Value,
}

impl Entries {
    pub(super) fn new(header: Header) -> Self {
        Self {
            name: header.room.to_string(),
            header,
            head: 0,
            hash: Hash::GENESIS,
            redacted: 0,
            seals: Vec::new(),
            terms: HashMap::new(),
            accepted: None,
        }
    }

    /// Takes the next entry, if it is the next one and says nothing that is not so.
    pub(super) fn take(&mut self, entry: &EntryFrame, trusted: &Trusted) -> Result<(), Cause> {
        if entry.room != RoomRef::Room(self.header.room) {
            return Err(Cause::OtherRoom(entry.seq));
        }
        let salted = entry.proof.as_ref().is_some_and(|proof| proof.private_salt.is_some());
        if !self.header.audience.reads_private() && (entry.private.is_some() || salted) {
            return Err(Cause::Private(entry.seq));
        }
        let end = verify_chain(&self.name, (self.head, self.hash), std::slice::from_ref(entry))?;
        let before = self.accepted.take();
        let deleted = entry.proof.as_ref().is_some_and(|proof| proof.public_digest.is_some());
        match entry.kind.as_str() {
            "contract.sealed" => self.seal(&data(entry)?, before.as_ref(), trusted)?,
            _ if deleted => {}
            "terms.proposed" => self.propose(data(entry)?)?,
            "offer.accepted" => self.accepted = Some(Accepted::Offer(data(entry)?)),
            "contract.formed" => self.accepted = Some(Accepted::Contract(data(entry)?)),
            _ => {}
        }
        self.redacted += u64::from(deleted);
        (self.head, self.hash) = end;
        Ok(())
    }

    fn propose(&mut self, Proposed { version, hash, terms }: Proposed) -> Result<(), Cause> {
        if hash != Hash(Sha256::digest(canonical(&terms)).into()) {
            return Err(Cause::TermsHash(version));
        }
        match self.terms.insert(version, hash) {
            Some(other) if other != hash => Err(Cause::TermsTwice(version)),
            Some(_) | None => Ok(()),
        }
    }

    /// The last entry is the one before the seal.
    fn seal(
        &mut self,
        sealed: &ContractSealed,
        before: Option<&Accepted>,
        trusted: &Trusted,
    ) -> Result<(), Cause> {
        let seal = &sealed.seal;
        if seal.position != self.head {
            return Err(Cause::SealPosition { said: seal.position, before: self.head });
        }
        if seal.head != self.hash {
            return Err(Cause::SealHead);
        }
        if !is_between(seal, &self.header) {
            return Err(Cause::SealParties);
        }
        if !before.is_some_and(|accepted| accepted.is_named_by(seal)) {
            return Err(Cause::SealAcceptance { offer: seal.offer, version: seal.version });
        }
        if self.terms.get(&seal.version) != Some(&seal.terms) {
            return Err(Cause::SealTerms(seal.version));
        }
        if !trusted.has(&seal.key) {
            return Err(Cause::UntrustedKey(seal.key));
        }
        if !sealed.is_of(&trusted.get(&seal.key).ok_or(Cause::UnknownKey(seal.key))?) {
            return Err(Cause::SealSignature);
        }
        let Seal { contract, position, version, .. } = Seal::clone(seal);
        self.seals.push(Sealed { contract, position, version });
        Ok(())
    }
}

impl Accepted {
    fn is_named_by(&self, seal: &Seal) -> bool {
        match self {
            Self::Offer(accepted) => {
                seal.offer == Some(accepted.offer)
                    && (seal.version, seal.terms) == (accepted.version, accepted.hash)
            }
            Self::Contract(formed) => {
                seal.offer.is_none()
                    && seal.contract == formed.contract
                    && (seal.version, seal.terms) == (formed.version, formed.hash)
            }
        }
    }
}

/// Whether the seal is of the case that the header names.
fn is_between(seal: &Seal, header: &Header) -> bool {
    (seal.room, seal.candidacy) == (header.room, header.candidacy)
        && seal.job == header.job.id
        && seal.client == header.client.id
        && seal.freelancer == header.freelancer.id
}

fn data<T: DeserializeOwned>(entry: &EntryFrame) -> Result<T, Cause> {
    serde_json::from_str(entry.data.get()).map_err(|error| Cause::Data {
        seq: entry.seq,
        kind: entry.kind.clone(),
        why: error.to_string(),
    })
}
