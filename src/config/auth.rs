//! Who is believed, as an operator says it.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// Who is believed. Without a secret, an address of keys and further issuers, the server makes a development secret and serves loopback
/// only.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// The secret shared with the marketplace, at least 32 bytes: tokens are signed with it (HS256).
    #[serde(serialize_with = "hidden")]
    pub secret: Option<SecretString>,
    /// The `iss` of every token.
    pub issuer: String,
    /// The `aud` of every token.
    pub audience: String,
    /// The one algorithm tokens are signed with: HS256 with a secret, one of the others with `jwks_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// Where the marketplace publishes its keys (a JSON Web Key Set), instead of a secret: https, or http on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// How long keys go on counting after they should have been fetched again and could not be, in seconds. Then nobody is believed.
    pub jwks_stale_seconds: u64,
    /// Further issuers; in the file only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Issuer>,
}

/// One of several issuers whose tokens are believed: as the keys of the same names in [`Auth`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens.
    pub audience: String,
    /// The one algorithm its tokens are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// The secret it shares with the server.
    #[serde(default, serialize_with = "hidden")]
    pub secret: Option<SecretString>,
    /// Where it publishes its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
}

/// What a token can be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// A secret that both sides have.
    #[serde(rename = "HS256")]
    Hs256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            secret: None,
            issuer: "anteroom".into(),
            audience: "anteroom".into(),
            algorithm: None,
            jwks_url: None,
            jwks_stale_seconds: 24 * 60 * 60,
            issuers: Vec::new(),
        }
    }
}

impl Auth {
    /// Whether nobody is configured, so that the server makes a secret of its own, for this machine only.
    pub fn is_development(&self) -> bool {
        self.secret.is_none() && self.jwks_url.is_none() && self.issuers.is_empty()
    }

    /// Everybody who is configured: the one of the flat keys first.
    pub fn configured(&self) -> Vec<Issuer> {
        let flat = Issuer {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            algorithm: self.algorithm,
            secret: self.secret.clone(),
            jwks_url: self.jwks_url.clone(),
        };
        let flat = (flat.secret.is_some() || flat.jwks_url.is_some()).then_some(flat);
        flat.into_iter().chain(self.issuers.iter().cloned()).collect()
    }
}

impl Issuer {
    /// The secret's bytes, if one is configured.
    pub fn secret(&self) -> Option<&[u8]> {
        self.secret.as_ref().map(|secret| secret.expose_secret().as_bytes())
    }
}

fn hidden<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some("(set)"),
        None => serializer.serialize_none(),
    }
}
