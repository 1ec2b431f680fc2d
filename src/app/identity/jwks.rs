//! An issuer's key set as data (RFC 7517): which of its keys count, and which one a token names. Nothing is fetched here.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The algorithms whose keys are public. An issuer is pinned to one of them; a key of another kind does not count, whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA (PKCS #1 v1.5) of at least 2,048 bits with SHA-256.
    Rs256,
}

impl KeyAlgorithm {
    /// The word in a token's header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// The same for the library that verifies.
    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
        }
    }
}

/// A key set that cannot be read. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a key set: {0}")]
pub struct Unreadable(String);

/// The keys of one answer that count.
#[derive(Default)]
pub struct Keys {
    named: HashMap<String, Arc<DecodingKey>>,
    /// Those without a name.
    nameless: Vec<Arc<DecodingKey>>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// What of a key is looked at. Certificates and addresses in it are not.
#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// Characters of 32 bytes in base64url.
const OF_32_BYTES: usize = 43;
/// Characters of an RSA modulus in base64url: of 2,048 to 8,192 bits.
const OF_A_MODULUS: std::ops::RangeInclusive<usize> = 342..=1_366;

impl Keys {
    /// Reads a key set. Keys of another kind, for another use, or that cannot be read, are passed over: an issuer may publish them for
    /// others. Of two with one name, the first counts.
    ///
    /// # Errors
    /// It is not a JSON object with a list of `keys`.
    pub fn parse(document: &[u8], algorithm: KeyAlgorithm) -> Result<Self, Unreadable> {
        let Document { keys } =
            serde_json::from_slice(document).map_err(|error| Unreadable(error.to_string()))?;
        let mut parsed = Self::default();
        for key in keys.into_iter().filter_map(|key| serde_json::from_value::<Key>(key).ok()) {
            let Some(usable) = key.usable(algorithm).map(Arc::new) else { continue };
            match key.kid {
                Some(name) => drop(parsed.named.entry(name).or_insert(usable)),
                None => parsed.nameless.push(usable),
            }
        }
        Ok(parsed)
    }

    /// The key that a token names. One that names none means the only key there is.
    pub fn pick(&self, kid: Option<&str>) -> Option<Arc<DecodingKey>> {
        match kid {
            Some(kid) => self.named.get(kid).cloned(),
            None if self.len() == 1 => self.named.values().chain(&self.nameless).next().cloned(),
            None => None,
        }
    }

    /// How many keys count.
    pub fn len(&self) -> usize {
        self.named.len() + self.nameless.len()
    }

    /// Whether none does: then nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Key {
    /// The key, if it is of the pinned kind and meant for signatures.
    fn usable(&self, algorithm: KeyAlgorithm) -> Option<DecodingKey> {
        let meant = self.alg.as_deref().is_none_or(|alg| alg == algorithm.as_str())
            && self.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !meant {
            return None;
        }
        let coordinate = |value: &Option<String>| value.clone().filter(|value| value.len() == OF_32_BYTES);
        let key = match (algorithm, self.kty.as_str(), self.crv.as_deref()) {
            (KeyAlgorithm::EdDsa, "OKP", Some("Ed25519")) => {
                DecodingKey::from_ed_components(&coordinate(&self.x)?)
            }
            (KeyAlgorithm::Es256, "EC", Some("P-256")) => {
                DecodingKey::from_ec_components(&coordinate(&self.x)?, &coordinate(&self.y)?)
            }
            (KeyAlgorithm::Rs256, "RSA", _) => {
                let modulus = self.n.as_deref().filter(|n| OF_A_MODULUS.contains(&n.len()))?;
                DecodingKey::from_rsa_components(modulus, self.e.as_deref()?)
            }
            (KeyAlgorithm::EdDsa | KeyAlgorithm::Es256 | KeyAlgorithm::Rs256, _, _) => return None,
        };
        key.ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ed(kid: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "A".repeat(43)})
    }

    fn ec() -> Value {
        json!({"kty": "EC", "crv": "P-256", "kid": "ec", "x": "A".repeat(43), "y": "A".repeat(43)})
    }

    fn rsa(characters: usize) -> Value {
        json!({"kty": "RSA", "kid": "rsa", "n": "A".repeat(characters), "e": "AQAB"})
    }

    fn parse(keys: &[Value], algorithm: KeyAlgorithm) -> Keys {
        Keys::parse(json!({ "keys": keys }).to_string().as_bytes(), algorithm).expect("a key set")
    }

    #[test]
    fn only_keys_of_the_pinned_kind_count() {
        let all = [ed("ed"), ec(), rsa(342), json!({"kty": "oct", "kid": "oct", "k": "AAAA"})];
        for (algorithm, kid) in
            [(KeyAlgorithm::EdDsa, "ed"), (KeyAlgorithm::Es256, "ec"), (KeyAlgorithm::Rs256, "rsa")]
        {
            let keys = parse(&all, algorithm);
            assert_eq!(keys.len(), 1, "{algorithm:?}");
            assert!(keys.pick(Some(kid)).is_some() && keys.pick(Some("oct")).is_none(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_key_for_another_use_or_of_another_size_is_passed_over_and_hides_no_other() {
        let with = |field: &str, value: Value| {
            let mut key = ed("odd");
            key[field] = value;
            key
        };
        for odd in [
            with("use", json!("enc")),
            with("key_ops", json!(["sign"])),
            with("alg", json!("ES256")),
            with("alg", json!(7)),
            with("crv", json!("Ed448")),
            with("x", json!("A".repeat(42))),
            with("x", json!("?".repeat(43))),
            json!("no key at all"),
            json!(null),
        ] {
            let keys = parse(&[odd.clone(), ed("good")], KeyAlgorithm::EdDsa);
            assert!(keys.pick(Some("odd")).is_none() && keys.pick(Some("good")).is_some(), "{odd}");
        }
        assert!(parse(&[rsa(171)], KeyAlgorithm::Rs256).is_empty(), "1,024 bits");
    }

    #[test]
    fn a_token_that_names_no_key_means_the_only_one() {
        assert!(parse(&[ed("a")], KeyAlgorithm::EdDsa).pick(None).is_some());
        assert!(parse(&[ed("a"), ed("b")], KeyAlgorithm::EdDsa).pick(None).is_none());
        assert!(parse(&[], KeyAlgorithm::EdDsa).pick(None).is_none());
        let mut nameless = ed("a");
        nameless.as_object_mut().expect("a key").remove("kid");
        let keys = parse(&[nameless], KeyAlgorithm::EdDsa);
        assert!(keys.pick(None).is_some() && keys.pick(Some("a")).is_none());
    }

    #[test]
    fn what_is_no_key_set_is_an_error_and_an_empty_one_is_not() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"error":"down for maintenance"}"#, "<html>"] {
            assert!(Keys::parse(text.as_bytes(), KeyAlgorithm::EdDsa).is_err(), "{text}");
        }
        assert!(Keys::parse(br#"{"keys":[]}"#, KeyAlgorithm::EdDsa).expect("a key set").is_empty());
    }
}
