//! Who is believed: JSON Web Tokens signed with the secret shared with the marketplace (HS256, nothing else).

use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::time::Time;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

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
}

impl Unbelieved {
    /// The code a client is told.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Expired => ErrorCode::TokenExpired,
            Self::Invalid => ErrorCode::Unauthenticated,
            Self::UnknownUser => ErrorCode::UnknownUser,
        }
    }
}

/// Verifies and, for those who hold the secret, makes tokens.
pub struct Identity {
    decoding: DecodingKey,
    encoding: EncodingKey,
    validation: Validation,
    issuer: String,
    audience: String,
}

/// A token that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whose it is.
    pub actor: Actor,
    /// When it ends.
    pub expires_at: Time,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    scope: String,
    iat: i64,
    exp: i64,
}

impl Identity {
    /// Believes tokens of this issuer for this audience, signed with this secret.
    pub fn new(secret: &[u8], issuer: &str, audience: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        // The end is compared with the server's own clock, which tests can move.
        validation.validate_exp = false;
        Self {
            decoding: DecodingKey::from_secret(secret),
            encoding: EncodingKey::from_secret(secret),
            validation,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        }
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// It has ended, or it is invalid, for whatever reason.
    pub fn verify(&self, token: &str, now: Time) -> Result<Verified, Unbelieved> {
        #[derive(Deserialize)]
        struct Read {
            sub: String,
            scope: String,
            exp: serde_json::Number,
            nbf: Option<serde_json::Number>,
        }
        if token.len() > TOKEN_BYTES {
            return Err(Unbelieved::Invalid);
        }
        let read = jsonwebtoken::decode::<Read>(token, &self.decoding, &self.validation)
            .map_err(|_| Unbelieved::Invalid)?
            .claims;
        let exp = seconds(&read.exp);
        if exp + LEEWAY_SECONDS <= now.as_seconds() {
            return Err(Unbelieved::Expired);
        }
        if read.nbf.is_some_and(|nbf| seconds(&nbf) > now.as_seconds() + LEEWAY_SECONDS) {
            return Err(Unbelieved::Invalid);
        }
        let user = read.sub.parse().map_err(|_| Unbelieved::Invalid)?;
        let scope = parse_scope(&read.scope).ok_or(Unbelieved::Invalid)?;
        let expires_at = Time::from_micros(exp * 1_000_000);
        Ok(Verified { actor: Actor { user, scope }, expires_at })
    }

    /// Makes a token.
    ///
    /// # Errors
    /// The signing library's, which with a secret does not happen.
    pub fn issue(
        &self,
        actor: &Actor,
        now: Time,
        seconds: u32,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: actor.user.to_string(),
            scope: scope_word(actor.scope).to_owned(),
            iat: now.as_seconds(),
            exp: now.as_seconds() + i64::from(seconds),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }
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
    use super::*;

    const SECRET: &[u8] = b"a secret of more than thirty-two bytes";
    const NOW: i64 = 1_800_000_000;

    fn identity() -> Identity {
        Identity::new(SECRET, "market", "anteroom")
    }

    fn now() -> Time {
        Time::from_micros(NOW * 1_000_000)
    }

    fn clara() -> Actor {
        Actor { user: "clara".parse().expect("a user id"), scope: Scope::User }
    }

    #[test]
    fn a_token_holds_until_its_end_and_a_minute_of_leeway() {
        let token = identity().issue(&clara(), now(), 100).expect("a token");
        let verified = identity().verify(&token, now()).expect("it holds");
        assert_eq!(verified.actor, clara());
        assert!(identity().verify(&token, now().plus_seconds(159)).is_ok());
        assert_eq!(identity().verify(&token, now().plus_seconds(160)), Err(Unbelieved::Expired));
    }

    fn signed(claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(SECRET);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("a token")
    }

    /// An end in milliseconds, an ordinary mistake, once ended the socket right after its welcome: the leeway behind the last day
    /// of the calendar was taken for its first.
    #[test]
    fn regression_an_end_beyond_the_calendar_is_its_last_day() {
        for exp in [253_402_207_199_i64, 1_800_000_000_000, i64::MAX] {
            let claims = serde_json::json!(
                {"iss": "market", "aud": "anteroom", "sub": "clara", "scope": "user", "exp": exp}
            );
            let verified = identity().verify(&signed(&claims), now()).expect("it holds");
            assert!(
                verified.expires_at.plus_seconds(LEEWAY_SECONDS) > now().plus_seconds(1_000_000),
                "{exp}"
            );
        }
    }

    #[test]
    fn a_date_with_a_fraction_is_read_and_a_token_of_tomorrow_does_not_hold_today() {
        let claims = |nbf: i64| {
            serde_json::json!(
                {"iss": "market", "aud": "anteroom", "sub": "clara", "scope": "user", "exp": NOW as f64 + 99.5, "nbf": nbf}
            )
        };
        assert!(identity().verify(&signed(&claims(NOW)), now()).is_ok());
        let tomorrow = identity().verify(&signed(&claims(NOW + 86_400)), now());
        assert_eq!(tomorrow, Err(Unbelieved::Invalid));
    }

    #[test]
    fn a_token_of_another_issuer_audience_secret_or_algorithm_is_refused() {
        let other = [
            Identity::new(b"another secret of more than thirty-two bytes", "market", "anteroom"),
            Identity::new(SECRET, "mallory", "anteroom"),
            Identity::new(SECRET, "market", "elsewhere"),
        ];
        for identity_of_other in other {
            let token = identity_of_other.issue(&clara(), now(), 100).expect("a token");
            assert_eq!(identity().verify(&token, now()), Err(Unbelieved::Invalid));
        }
        let token = identity().issue(&clara(), now(), 100).expect("a token");
        let body = token.split('.').nth(1).expect("three parts");
        // {"alg":"none","typ":"JWT"}
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.");
        assert_eq!(identity().verify(&none, now()), Err(Unbelieved::Invalid));
        let long = format!("{token}{}", "a".repeat(5_000));
        assert_eq!(identity().verify(&long, now()), Err(Unbelieved::Invalid));
    }
}
