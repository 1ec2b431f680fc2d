//! Who is believed: the issuers, what a token must say, and when it ends.
//!
//! The token's `iss`, unverified, selects the issuer, and nothing else: the algorithm, the keys, the audience are the issuer's.

pub mod issuer;
pub mod jwks;
pub mod ring;

use std::sync::Arc;

use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::time::Time;
use jsonwebtoken::{Algorithm, Header};
use serde::{Deserialize, Serialize};

use self::issuer::{Claims, Issuer};
use self::ring::KeyRing;
use crate::domain::actor::{Actor, Scope};

/// How far the marketplace's clock may be off, in seconds. A token, and a socket opened with it, ends this much after its `exp`.
pub const LEEWAY_SECONDS: i64 = 60;
/// The last second the calendar library can show, in seconds since the epoch.
const LAST_SECOND: i64 = 253_402_207_199;
/// A token longer than this is not looked at.
const TOKEN_BYTES: usize = 4 * 1024;

/// Why a token is not believed. More than this is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbelieved {
    /// It has ended.
    Expired,
    /// There is none, or it is not one of ours.
    Invalid,
    /// It is good, and the marketplace has not told of its owner.
    UnknownUser,
    /// It is good, and was taken back.
    Revoked,
    /// Whether it is good cannot be known: its issuer's keys could not be fetched.
    KeysUnavailable,
}

impl Unbelieved {
    /// The code a client is told.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Expired => ErrorCode::TokenExpired,
            Self::Invalid => ErrorCode::Unauthenticated,
            Self::UnknownUser => ErrorCode::UnknownUser,
            Self::Revoked => ErrorCode::TokenRevoked,
            Self::KeysUnavailable => ErrorCode::Busy,
        }
    }
}

/// Verifies and, for those who share a secret, makes tokens.
pub struct Identity {
    issuers: Vec<Issuer>,
}

/// A token that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whose it is.
    pub actor: Actor,
    /// When it ends.
    pub expires_at: Time,
    /// When it was issued, if it says so.
    pub issued_at: Option<Time>,
}

/// Why a token cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No issuer shares a secret with the server.
    #[error("no secret is configured: with auth.jwks_url, tokens come from the marketplace alone")]
    NoSecret,
    /// The signing library's, which with a secret does not happen.
    #[error(transparent)]
    Signing(#[from] jsonwebtoken::errors::Error),
}

impl Identity {
    /// Believes the tokens of these issuers, whose names differ.
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self { issuers }
    }

    /// The key rings that have to be kept, with the names of their issuers.
    pub fn rings(&self) -> impl Iterator<Item = (&str, &Arc<KeyRing>)> {
        self.issuers.iter().filter_map(|issuer| Some((issuer.name(), issuer.ring()?)))
    }

    /// Whose token this is. Waits, at most [`ring::ASK_PATIENCE`], when its key is one that has to be fetched.
    ///
    /// # Errors
    /// It has ended, or it is invalid, for whatever reason, or its issuer's keys are not there.
    pub async fn verify(&self, token: &str, now: Time) -> Result<Verified, Unbelieved> {
        #[derive(Deserialize)]
        struct Unverified {
            iss: String,
        }
        if token.len() > TOKEN_BYTES {
            return Err(Unbelieved::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Unbelieved::Invalid)?;
        let Unverified { iss } =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| Unbelieved::Invalid)?;
        let issuer = self.issuers.iter().find(|issuer| issuer.name() == iss).ok_or(Unbelieved::Invalid)?;
        holds(issuer.read(token, &header).await?, now)
    }

    /// Makes a token of the first issuer that shares a secret.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(&self, actor: &Actor, now: Time, seconds: u32) -> Result<String, IssueError> {
        #[derive(Serialize)]
        struct Made<'a> {
            iss: &'a str,
            aud: &'a str,
            sub: &'a str,
            scope: &'a str,
            iat: i64,
            exp: i64,
        }
        let makes = self.issuers.iter().find_map(|issuer| Some((issuer, issuer.encoding()?)));
        let (issuer, key) = makes.ok_or(IssueError::NoSecret)?;
        let claims = Made {
            iss: issuer.name(),
            aud: issuer.audience(),
            sub: actor.user.as_str(),
            scope: scope_word(actor.scope),
            iat: now.as_seconds(),
            exp: now.as_seconds() + i64::from(seconds),
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, key)?)
    }
}

/// Whether what a true token says holds now.
fn holds(claims: Claims, now: Time) -> Result<Verified, Unbelieved> {
    let exp = seconds(&claims.exp);
    if exp + LEEWAY_SECONDS <= now.as_seconds() {
        return Err(Unbelieved::Expired);
    }
    if claims.nbf.is_some_and(|nbf| seconds(&nbf) > now.as_seconds() + LEEWAY_SECONDS) {
        return Err(Unbelieved::Invalid);
    }
    let user = claims.sub.parse().map_err(|_| Unbelieved::Invalid)?;
    let scope = parse_scope(&claims.scope).ok_or(Unbelieved::Invalid)?;
    let latest = now.plus_seconds(LEEWAY_SECONDS);
    let issued_at = claims.iat.map(|iat| Time::from_micros(seconds(&iat) * 1_000_000));
    Ok(Verified {
        actor: Actor { user, scope },
        expires_at: Time::from_micros(exp * 1_000_000),
        // A date that is still to come (in milliseconds, say) would outlast every revocation: it is as good as none.
        issued_at: issued_at.filter(|issued| *issued <= latest),
    })
}

/// The token of an `Authorization` header, if its scheme is `Bearer`.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whole seconds of a date in a token, which may have a fraction (RFC 7519 §2), within what the calendar can show.
fn seconds(date: &serde_json::Number) -> i64 {
    let whole = date.as_i64().or_else(|| date.as_f64().map(|seconds| seconds as i64));
    whole.unwrap_or(0).clamp(0, LAST_SECOND)
}

/// The scope of this name.
pub fn parse_scope(word: &str) -> Option<Scope> {
    match word {
        "user" => Some(Scope::User),
        "service" => Some(Scope::Service),
        "staff" => Some(Scope::Staff),
        _ => None,
    }
}

fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::User => "user",
        Scope::Service => "service",
        Scope::Staff => "staff",
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::EncodingKey;

    use super::*;

    const SECRET: &[u8] = b"a secret of more than thirty-two bytes";
    const NOW: i64 = 1_800_000_000;

    fn identity() -> Identity {
        of(SECRET, "market", "anteroom")
    }

    fn of(secret: &[u8], issuer: &str, audience: &str) -> Identity {
        Identity::new(vec![Issuer::with_secret(issuer, audience, secret)])
    }

    fn now() -> Time {
        Time::from_micros(NOW * 1_000_000)
    }

    fn clara() -> Actor {
        Actor { user: "clara".parse().expect("a user id"), scope: Scope::User }
    }

    #[tokio::test]
    async fn a_token_holds_until_its_end_and_a_minute_of_leeway() {
        let token = identity().issue(&clara(), now(), 100).expect("a token");
        let verified = identity().verify(&token, now()).await.expect("it holds");
        assert_eq!(verified.actor, clara());
        assert!(identity().verify(&token, now().plus_seconds(159)).await.is_ok());
        assert_eq!(identity().verify(&token, now().plus_seconds(160)).await, Err(Unbelieved::Expired));
    }

    fn signed(claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(SECRET);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("a token")
    }

    /// An end in milliseconds, an ordinary mistake, once ended the socket right after its welcome: the leeway behind the last day
    /// of the calendar was taken for its first.
    #[tokio::test]
    async fn regression_an_end_beyond_the_calendar_is_its_last_day() {
        for exp in [253_402_207_199_i64, 1_800_000_000_000, i64::MAX] {
            let claims = serde_json::json!(
                {"iss": "market", "aud": "anteroom", "sub": "clara", "scope": "user", "exp": exp}
            );
            let verified = identity().verify(&signed(&claims), now()).await.expect("it holds");
            assert!(
                verified.expires_at.plus_seconds(LEEWAY_SECONDS) > now().plus_seconds(1_000_000),
                "{exp}"
            );
        }
    }

    #[tokio::test]
    async fn a_date_with_a_fraction_is_read_and_a_token_of_tomorrow_does_not_hold_today() {
        let claims = |nbf: i64| {
            serde_json::json!(
                {"iss": "market", "aud": "anteroom", "sub": "clara", "scope": "user", "exp": NOW as f64 + 99.5, "nbf": nbf}
            )
        };
        assert!(identity().verify(&signed(&claims(NOW)), now()).await.is_ok());
        let tomorrow = identity().verify(&signed(&claims(NOW + 86_400)), now()).await;
        assert_eq!(tomorrow, Err(Unbelieved::Invalid));
    }

    #[tokio::test]
    async fn each_of_several_issuers_is_believed_for_its_own_tokens_alone() {
        let other: &[u8] = b"another secret of more than thirty-two bytes";
        let both = Identity::new(vec![
            Issuer::with_secret("market", "anteroom", SECRET),
            Issuer::with_secret("billing", "rooms", other),
        ]);
        for (secret, issuer, audience, good) in [
            (SECRET, "market", "anteroom", true),
            (other, "billing", "rooms", true),
            (other, "market", "anteroom", false),
            (SECRET, "billing", "rooms", false),
            (other, "billing", "anteroom", false),
            (SECRET, "mallory", "anteroom", false),
        ] {
            let token = of(secret, issuer, audience).issue(&clara(), now(), 100).expect("a token");
            assert_eq!(both.verify(&token, now()).await.is_ok(), good, "{issuer} for {audience}");
        }
    }

    #[tokio::test]
    async fn the_date_of_issue_is_told_unless_it_is_still_to_come() {
        for (iat, told) in [
            (serde_json::json!(NOW - 5), Some(NOW - 5)),
            (serde_json::json!(NOW as f64 - 4.5), Some(NOW - 5)),
            (serde_json::json!(NOW + 60), Some(NOW + 60)),
            (serde_json::json!(NOW + 61), None),
            (serde_json::json!(NOW * 1_000), None),
            (serde_json::json!(null), None),
        ] {
            let claims = serde_json::json!(
                {"iss": "market", "aud": "anteroom", "sub": "clara", "scope": "user", "exp": NOW + 99, "iat": iat}
            );
            let verified = identity().verify(&signed(&claims), now()).await.expect("it holds");
            assert_eq!(verified.issued_at.map(Time::as_seconds), told, "{iat}");
        }
    }

    #[tokio::test]
    async fn a_token_of_another_issuer_audience_secret_or_algorithm_is_refused() {
        let other = [
            of(b"another secret of more than thirty-two bytes", "market", "anteroom"),
            of(SECRET, "mallory", "anteroom"),
            of(SECRET, "market", "elsewhere"),
        ];
        for identity_of_other in other {
            let token = identity_of_other.issue(&clara(), now(), 100).expect("a token");
            assert_eq!(identity().verify(&token, now()).await, Err(Unbelieved::Invalid));
        }
        let token = identity().issue(&clara(), now(), 100).expect("a token");
        let body = token.split('.').nth(1).expect("three parts");
        // {"alg":"none","typ":"JWT"}
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.");
        assert_eq!(identity().verify(&none, now()).await, Err(Unbelieved::Invalid));
        let long = format!("{token}{}", "a".repeat(5_000));
        assert_eq!(identity().verify(&long, now()).await, Err(Unbelieved::Invalid));
    }
}
