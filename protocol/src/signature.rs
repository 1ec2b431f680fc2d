//! Signatures of the server: Ed25519 (RFC 8032) over canonical JSON, so that what it once said can be proven without it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer as _, VerifyingKey};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::log::{Hash, canonical, from_hex, to_hex};

/// What a signature is about. It stands before what is signed, so that no signature of one thing is ever one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The seal of a contract.
    Seal,
    /// The end of a transcript.
    Transcript,
}

impl Purpose {
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::Seal => b"anteroom.seal.v1\n",
            Self::Transcript => b"anteroom.transcript.v1\n",
        }
    }

    /// The bytes that are signed: which purpose, a line end, and the value in canonical JSON.
    pub fn message<T: Serialize>(self, value: &T) -> Vec<u8> {
        [self.prefix(), &canonical(value)].concat()
    }
}

macro_rules! hex_bytes {
    ($(#[doc = $doc:literal])* $name:ident of $bytes:literal as $digits:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                from_hex(text).map(Self).ok_or(concat!("must be ", $digits, " lower-case hexadecimal digits"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!($($doc,)*).trim_ascii(),
                    "type": "string",
                    "pattern": concat!("^[0-9a-f]{", $digits, "}$"),
                })
            }
        }
    };
}

hex_bytes! {
    /// An Ed25519 signature, written as 128 lower-case hexadecimal digits.
    Signature of 64 as "128"
}
hex_bytes! {
    /// An Ed25519 public key, written as 64 lower-case hexadecimal digits.
    PublicKey of 32 as "64"
}

impl PublicKey {
    /// What stands for the key where it is named: the SHA-256 of its 32 bytes.
    pub fn fingerprint(&self) -> Hash {
        Hash(Sha256::digest(self.0).into())
    }

    /// Whether this signature is this key's, over this value for this purpose. Strict: of every signature there is one form.
    pub fn verifies<T: Serialize>(&self, purpose: Purpose, value: &T, signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(&purpose.message(value), &signature).is_ok())
    }
}

/// A key that signs. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of these 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// What its signatures are verified with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The signature of this value for this purpose: always the same.
    pub fn sign<T: Serialize>(&self, purpose: Purpose, value: &T) -> Signature {
        Signature(self.0.sign(&purpose.message(value)).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().fingerprint())
    }
}

/// One of the server's public keys, in the answer of `GET /v1/keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyView {
    /// Its fingerprint: the SHA-256 of its 32 bytes. Seals and transcripts name it.
    pub id: Hash,
    /// What it is for.
    pub algorithm: Algorithm,
    /// The key.
    pub public_key: PublicKey,
}

/// How something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// RFC 8032.
    Ed25519,
}

impl From<PublicKey> for KeyView {
    fn from(public_key: PublicKey) -> Self {
        Self { id: public_key.fingerprint(), algorithm: Algorithm::Ed25519, public_key }
    }
}

/// The answer of `GET /v1/keys`: those that sign, and those that have signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keys {
    /// The keys.
    pub items: Vec<KeyView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 1 gives the key of this seed.
    #[test]
    fn a_known_seed_gives_its_known_key() {
        let seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").expect("hex");
        assert_eq!(
            SigningKey::from_seed(&seed).public().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }

    #[test]
    fn a_signature_is_of_one_value_for_one_purpose_by_one_key() {
        let (key, other) = (SigningKey::from_seed(&[7; 32]), SigningKey::from_seed(&[8; 32]));
        let signature = key.sign(Purpose::Seal, &"value");
        assert!(key.public().verifies(Purpose::Seal, &"value", &signature));
        assert!(!key.public().verifies(Purpose::Transcript, &"value", &signature));
        assert!(!key.public().verifies(Purpose::Seal, &"another", &signature));
        assert!(!other.public().verifies(Purpose::Seal, &"value", &signature));
    }

    #[test]
    fn every_bit_of_a_signature_counts() {
        let key = SigningKey::from_seed(&[7; 32]);
        let signature = key.sign(Purpose::Seal, &"value");
        for bit in 0..512 {
            let mut forged = signature;
            forged.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.public().verifies(Purpose::Seal, &"value", &forged), "bit {bit}");
        }
    }

    #[test]
    fn a_signing_key_is_never_shown() {
        let shown = format!("{:?}", SigningKey::from_seed(&[7; 32]));
        assert!(!shown.contains("07070707"), "{shown}");
    }
}
