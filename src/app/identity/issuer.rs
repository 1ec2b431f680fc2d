//! One issuer: its name, its audience, the one algorithm its tokens are signed with, and where its keys come from. Nothing that a
//! token says changes any of these.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::Number;

use super::Unbelieved;
use super::ring::KeyRing;

/// Somebody whose tokens are believed.
pub struct Issuer {
    name: String,
    audience: String,
    validation: Validation,
    keys: Keys,
}

enum Keys {
    /// One secret, which both sides have (HS256).
    Secret { decoding: Box<DecodingKey>, encoding: Box<EncodingKey> },
    /// Public keys, fetched from the issuer.
    Ring(Arc<KeyRing>),
}

/// What is read of a token. Everything in it is as the issuer said, and nothing is checked against the time.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    pub(super) scope: String,
    pub(super) exp: Number,
    pub(super) nbf: Option<Number>,
    pub(super) iat: Option<Number>,
}

impl Issuer {
    /// One who shares a secret with the server, at least 32 bytes: tokens are signed with it (HS256, nothing else).
    pub fn with_secret(name: &str, audience: &str, secret: &[u8]) -> Self {
        let keys = Keys::Secret {
            decoding: Box::new(DecodingKey::from_secret(secret)),
            encoding: Box::new(EncodingKey::from_secret(secret)),
        };
        Self::new(name, audience, Algorithm::HS256, keys)
    }

    /// One who publishes keys: tokens are signed with one of them, by the ring's algorithm, nothing else.
    pub fn with_keys(name: &str, audience: &str, ring: Arc<KeyRing>) -> Self {
        Self::new(name, audience, ring.algorithm.algorithm(), Keys::Ring(ring))
    }

    fn new(name: &str, audience: &str, algorithm: Algorithm, keys: Keys) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[name]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        // The end is compared with the server's own clock, which tests can move.
        validation.validate_exp = false;
        Self { name: name.to_owned(), audience: audience.to_owned(), validation, keys }
    }

    /// The `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The `aud` of its tokens.
    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    /// What its tokens can be made with, when it shares a secret.
    pub(super) fn encoding(&self) -> Option<&EncodingKey> {
        match &self.keys {
            Keys::Secret { encoding, .. } => Some(encoding),
            Keys::Ring(_) => None,
        }
    }

    /// The keys that have to be fetched.
    pub(super) fn ring(&self) -> Option<&Arc<KeyRing>> {
        match &self.keys {
            Keys::Secret { .. } => None,
            Keys::Ring(ring) => Some(ring),
        }
    }

    /// Reads a token whose signature, issuer and audience are right. Of its header, the name of the key is used to look the key up; keys,
    /// certificates and addresses in it are never looked at.
    pub(super) async fn read(&self, token: &str, header: &Header) -> Result<Claims, Unbelieved> {
        if !self.validation.algorithms.contains(&header.alg) || !is_token(header) {
            return Err(Unbelieved::Invalid);
        }
        let decoded = match &self.keys {
            Keys::Secret { decoding, .. } => jsonwebtoken::decode(token, decoding, &self.validation),
            Keys::Ring(ring) => {
                jsonwebtoken::decode(token, &*ring.key(header.kid.as_deref()).await?, &self.validation)
            }
        };
        decoded.map(|data| data.claims).map_err(|_| Unbelieved::Invalid)
    }
}

/// Whether the header is that of a token for us (RFC 9068 §2.1), and asks for nothing that is not understood here (RFC 7515 §4.1.11).
fn is_token(header: &Header) -> bool {
    let known = |typ: &str| ["jwt", "at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known));
    header.typ.as_deref().is_none_or(known) && header.crit.is_none()
}
