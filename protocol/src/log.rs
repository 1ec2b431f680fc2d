//! The log entry in canonical form and the hash chain over a log.
//!
//! `hash = SHA-256(prev ‖ JCS{room, seq, kind, at, by, client_id, public, private})`, where `public` and `private` are the digests
//! `SHA-256(salt ‖ JCS(part))`, or null. Salts make a price-sized secret unguessable, and digests let a part be erased while the
//! chain still verifies. This form is frozen: changing it would break every chain there is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::entry::{EntryFrame, Proof};
use crate::id::{ClientId, RoomRef, UserId};
use crate::time::Time;

/// Canonical JSON (RFC 8785).
pub fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("the wire's types have string keys and finite numbers")
}

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash before the first entry of a log.
    pub const GENESIS: Self = Self([0; 32]);
}

/// A random salt of one part of one entry.
pub type Salt = [u8; 16];

/// The digest of a part: `SHA-256(salt ‖ canonical JSON)`.
pub fn part_digest(salt: &Salt, canonical_json: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update(salt).chain_update(canonical_json).finalize().into())
}

/// The fields of an entry that the chain covers. The order of fields is that of RFC 8785: by name.
#[derive(Debug, Serialize)]
pub struct ChainFields<'a> {
    /// When it was committed.
    pub at: Time,
    /// Who did it.
    pub by: Option<&'a UserId>,
    /// The command it stands for.
    pub client_id: Option<ClientId>,
    /// What happened.
    pub kind: &'a str,
    /// The digest of the private part.
    pub private: Option<Hash>,
    /// The digest of the public part.
    pub public: Option<Hash>,
    /// The log's own name: a room's id, or `inbox:` and a user's id.
    pub room: &'a str,
    /// The number of the entry.
    pub seq: u64,
}

impl ChainFields<'_> {
    /// The hash of this entry after `prev`.
    pub fn hash(&self, prev: &Hash) -> Hash {
        Hash(Sha256::new().chain_update(prev.0).chain_update(canonical(self)).finalize().into())
    }
}

/// The name of a log inside its hashes, as a reader of it can tell it.
pub fn chain_name(room: RoomRef, reader: &UserId) -> String {
    match room {
        RoomRef::Room(id) => id.to_string(),
        RoomRef::Inbox => format!("inbox:{reader}"),
    }
}

/// Why a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Numbers must run on by one.
    #[error("entry {found} stands where entry {expected} belongs")]
    Number {
        /// The number that belongs there.
        expected: u64,
        /// The number that is there.
        found: u64,
    },
    /// The entry was fetched without `?proof=true`, or its proof cannot be read.
    #[error("entry {0} has no usable proof")]
    Proof(u64),
    /// The entry, or something before it, is not what was written.
    #[error("entry {0} does not have the hash its content and its predecessor give")]
    Mismatch(u64),
}

/// Checks that these entries follow each other and the entry `after` with hash `prev`, and that each is what was written.
/// Returns the position and hash of the last one.
///
/// # Errors
/// The first entry at which the chain breaks.
pub fn verify_chain(
    name: &str,
    (mut after, mut prev): (u64, Hash),
    entries: &[EntryFrame],
) -> Result<(u64, Hash), ChainError> {
    for entry in entries {
        let expected = after.wrapping_add(1);
        if entry.seq != expected {
            return Err(ChainError::Number { expected, found: entry.seq });
        }
        let proof = entry.proof.as_ref().ok_or(ChainError::Proof(entry.seq))?;
        let fields = ChainFields {
            at: entry.at,
            by: entry.by.as_ref(),
            client_id: entry.client_id,
            kind: &entry.kind,
            private: private_digest(entry, proof)?,
            public: Some(public_digest(entry, proof)?),
            room: name,
            seq: entry.seq,
        };
        if fields.hash(&prev) != entry.hash || !is_named(entry.room, name) {
            return Err(ChainError::Mismatch(entry.seq));
        }
        (after, prev) = (entry.seq, entry.hash);
    }
    Ok((after, prev))
}

/// Whether the log an entry says it is of can have this name in its hashes.
fn is_named(room: RoomRef, name: &str) -> bool {
    match room {
        RoomRef::Room(id) => id.to_string() == name,
        RoomRef::Inbox => name.starts_with("inbox:"),
    }
}

/// A part that was deleted has left its digest; one that is shown is always computed.
fn public_digest(entry: &EntryFrame, proof: &Proof) -> Result<Hash, ChainError> {
    match (&proof.public_salt, proof.public_digest) {
        (Some(salt), None) => reader_digest(entry, salt, entry.data.get()),
        (None, Some(digest)) if entry.data.get() == "null" => Ok(digest),
        (Some(_) | None, Some(_)) | (None, None) => Err(ChainError::Proof(entry.seq)),
    }
}

/// A private part that is shown is always computed: a digest beside it proves nothing about it.
fn private_digest(entry: &EntryFrame, proof: &Proof) -> Result<Option<Hash>, ChainError> {
    match (&entry.private, &proof.private_salt, proof.private_digest) {
        (None, None, digest) => Ok(digest),
        (Some(part), Some(salt), None) => reader_digest(entry, salt, part.get()).map(Some),
        (Some(part), Some(salt), Some(digest)) => {
            let computed = reader_digest(entry, salt, part.get())?;
            if computed == digest { Ok(Some(digest)) } else { Err(ChainError::Mismatch(entry.seq)) }
        }
        (Some(_), None, _) | (None, Some(_), _) => Err(ChainError::Proof(entry.seq)),
    }
}

fn reader_digest(entry: &EntryFrame, salt: &str, part: &str) -> Result<Hash, ChainError> {
    let salt: Salt = from_hex(salt).ok_or(ChainError::Proof(entry.seq))?;
    let part: serde_json::Value = serde_json::from_str(part).map_err(|_| ChainError::Proof(entry.seq))?;
    Ok(part_digest(&salt, &canonical(&part)))
}

/// Lower-case hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

/// Exactly `N` bytes from lower-case hexadecimal digits.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes();
    if pairs.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(pairs.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self).ok_or("a hash is 64 lower-case hexadecimal digits")
    }
}

impl JsonSchema for Hash {
    fn schema_name() -> Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A SHA-256, written as 64 lower-case hexadecimal digits.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
        })
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(seq: u64) -> String {
        let fields = ChainFields {
            at: Time::from_micros(0),
            by: None,
            client_id: None,
            kind: "phase.changed",
            private: None,
            public: None,
            room: "inbox:ana",
            seq,
        };
        String::from_utf8(canonical(&fields)).expect("UTF-8")
    }

    #[test]
    fn a_field_that_an_entry_lacks_is_null_in_its_canonical_form() {
        let expected = concat!(
            r#"{"at":"1970-01-01T00:00:00.000000Z","by":null,"client_id":null,"kind":"phase.changed","#,
            r#""private":null,"public":null,"room":"inbox:ana","seq":1}"#,
        );
        assert_eq!(bare(1), expected);
    }

    #[test]
    fn a_number_is_exact_to_two_to_the_53_and_above_it_what_rfc_8785_makes_of_it() {
        for (seq, text) in [
            ((1 << 53) - 1, "9007199254740991"),
            ((1 << 53) + 1, "9007199254740992"),
            (u64::MAX, "18446744073709552000"),
        ] {
            assert!(bare(seq).ends_with(&format!(r#""seq":{text}}}"#)), "{}", bare(seq));
        }
    }

    #[test]
    fn a_log_has_one_name_for_everybody_who_reads_it() {
        let ana: UserId = "ana".parse().expect("an id");
        let room = RoomRef::Room(crate::id::RoomId(uuid::Uuid::from_u128(7)));
        assert_eq!(chain_name(RoomRef::Inbox, &ana), "inbox:ana");
        assert_eq!(chain_name(room, &ana), "00000000-0000-0000-0000-000000000007");
        assert!(is_named(RoomRef::Inbox, "inbox:ana") && is_named(room, &chain_name(room, &ana)));
        assert!(!is_named(RoomRef::Inbox, &room.to_string()) && !is_named(room, "inbox:ana"));
    }

    #[test]
    fn a_hash_has_one_text() {
        let hash = Hash(std::array::from_fn(|at| u8::try_from(at * 7 % 256).expect("a byte")));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for bad in ["", "00", &"0".repeat(63), &"0".repeat(65), &"A".repeat(64), &"é".repeat(32)] {
            assert!(bad.parse::<Hash>().is_err(), "{bad}");
        }
    }
}
