//! Tokens of the marketplace: JSON Web Tokens signed with the secret that it shares with the server (HS256).

use std::path::Path;
use std::{fmt, fs, io};

use anteroom_protocol::id::UserId;
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde::{Deserialize, Serialize};

/// The environment variable that holds the secret, for the server and for us.
pub const SECRET_VARIABLE: &str = "ANTEROOM_AUTH__SECRET";

/// The file in a data directory into which a server without a configured secret writes one.
pub const SECRET_FILE: &str = "dev-secret";

/// How far a token reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One person.
    User,
    /// The marketplace's back end.
    Service,
    /// The marketplace's staff.
    Staff,
}

/// What a token says. Public, so that a test can say something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom.
    pub aud: String,
    /// Who it speaks for.
    pub sub: String,
    /// How far it reaches.
    pub scope: Scope,
    /// When it was issued, in seconds since 1970.
    pub iat: u64,
    /// When it ends, in seconds since 1970.
    pub exp: u64,
}

/// Makes tokens. `iss` and `aud` are `anteroom`, as the server expects unless configured otherwise.
#[derive(Clone)]
pub struct TokenMint {
    key: EncodingKey,
    lifetime: u64,
}

impl TokenMint {
    /// A mint with this secret: the bytes of its text are the key. Tokens last an hour.
    pub fn new(secret: &str) -> Self {
        Self { key: EncodingKey::from_secret(secret.trim().as_bytes()), lifetime: 3_600 }
    }

    /// A mint with the secret in this file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        fs::read_to_string(path).map(|secret| Self::new(&secret))
    }

    /// The same mint, with tokens that last this many seconds.
    #[must_use]
    pub fn lasting(&self, seconds: u64) -> Self {
        Self { lifetime: seconds, ..self.clone() }
    }

    /// A token of one person.
    pub fn user(&self, user: &UserId) -> String {
        self.sign(&self.claims(user.as_str(), Scope::User))
    }

    /// A token of the marketplace's back end.
    pub fn service(&self) -> String {
        self.sign(&self.claims("marketplace", Scope::Service))
    }

    /// A token of one of the marketplace's staff.
    pub fn staff(&self, who: &str) -> String {
        self.sign(&self.claims(who, Scope::Staff))
    }

    /// What a token of this mint would say now.
    pub fn claims(&self, sub: &str, scope: Scope) -> Claims {
        let iat = get_current_timestamp();
        let name = "anteroom".to_owned();
        Claims { iss: name.clone(), aud: name, sub: sub.to_owned(), scope, iat, exp: iat + self.lifetime }
    }

    /// Signs any claims.
    pub fn sign(&self, claims: &(impl Serialize + ?Sized)) -> String {
        encode(&Header::default(), &claims, &self.key).expect("strings and numbers can be signed with HS256")
    }
}

impl fmt::Debug for TokenMint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMint").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

    fn read(token: &str, secret: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["anteroom"]);
        validation.set_issuer(&["anteroom"]);
        decode(token, &DecodingKey::from_secret(secret.as_bytes()), &validation).ok().map(|data| data.claims)
    }

    #[test]
    fn a_token_is_valid_under_the_trimmed_secret_only() {
        let mint = TokenMint::new("  a secret of some length\n");
        let token = mint.user(&"ana".parse().expect("an id"));
        let claims = read(&token, "a secret of some length").expect("a valid token");
        assert_eq!((claims.sub.as_str(), claims.scope, claims.exp - claims.iat), ("ana", Scope::User, 3_600));
        assert_eq!(read(&token, "another secret"), None);
    }

    #[test]
    fn a_mint_does_not_print_its_secret() {
        assert!(!format!("{:?}", TokenMint::new("hunter2")).contains("hunter2"));
    }
}
