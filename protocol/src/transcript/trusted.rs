//! Whom the reader of a transcript trusts. It comes from outside of the file: a file that says whom to trust proves nothing.

use crate::log::Hash;
use crate::signature::PublicKey;

/// Keys that are trusted: those of `GET /v1/keys`, or fingerprints that were written down. Keys change, so there can be several. By
/// default there is none, and nothing verifies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trusted(Vec<(Hash, Option<PublicKey>)>);

impl Trusted {
    /// Also this key.
    #[must_use]
    pub fn key(mut self, key: PublicKey) -> Self {
        self.add(key.fingerprint(), Some(key));
        self
    }

    /// Also the key with this fingerprint, wherever it comes from.
    #[must_use]
    pub fn fingerprint(mut self, fingerprint: Hash) -> Self {
        self.add(fingerprint, None);
        self
    }

    /// Learns the keys of which only the fingerprint was known. A key that is not trusted stays so.
    pub(super) fn learn(&mut self, keys: &[PublicKey]) {
        for key in keys {
            let fingerprint = key.fingerprint();
            if self.has(&fingerprint) {
                self.add(fingerprint, Some(*key));
            }
        }
    }

    /// Whether the key with this fingerprint is trusted.
    pub(super) fn has(&self, fingerprint: &Hash) -> bool {
        self.0.iter().any(|(trusted, _)| trusted == fingerprint)
    }

    /// The trusted key with this fingerprint, if it was given or learned.
    pub(super) fn get(&self, fingerprint: &Hash) -> Option<PublicKey> {
        self.0.iter().find(|(trusted, _)| trusted == fingerprint).and_then(|(_, key)| *key)
    }

    fn add(&mut self, fingerprint: Hash, key: Option<PublicKey>) {
        match self.0.iter_mut().find(|(trusted, _)| *trusted == fingerprint) {
            Some((_, known)) => *known = known.or(key),
            None => self.0.push((fingerprint, key)),
        }
    }
}

impl FromIterator<PublicKey> for Trusted {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        keys.into_iter().fold(Self::default(), Self::key)
    }
}
