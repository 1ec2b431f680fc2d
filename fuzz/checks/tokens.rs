//! Tokens: as they come, made with any head and claims, and good ones that were changed.
//!
//! The first byte of an input says which, the second the key. What follows is the token; or its head and its claims, with a line end
//! between them; or what is changed, three bytes each.

use std::sync::Arc;
use std::time::Duration;

use anteroom::app::identity::issuer::Issuer;
use anteroom::app::identity::jwks::{KeyAlgorithm, Keys};
use anteroom::app::identity::ring::KeyRing;
use anteroom::app::identity::{Identity, LEEWAY_SECONDS, Verified, parse_scope};
use anteroom_protocol::time::Time;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const NOW: i64 = 1_800_000_000;
const SECRET: &[u8] = b"the secret of a marketplace that only the fuzzer knows";
const PUBLISHED: &[u8] = include_bytes!("../../tests/fixtures/keys/ed-a.pem");
const STRANGE: &[u8] = include_bytes!("../../tests/fixtures/keys/ed-b.pem");

/// Which issuer believes which algorithm: this is all that is believed.
const BELIEVED: [(&str, &str); 2] = [("secret", "HS256"), ("keys", "EdDSA")];
const AUDIENCE: &str = "anteroom";

thread_local! {
    static WORLD: World = World::new();
}

/// What counts of a head and of claims. The rest is not looked at, and need not even be text.
#[derive(Deserialize)]
struct Head {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Value,
    sub: String,
    scope: String,
    exp: f64,
    nbf: Option<f64>,
}

struct World {
    runtime: Runtime,
    /// The key set, and its one key as others may take it for a secret.
    jwks: String,
    public: String,
    secret: EncodingKey,
    published: EncodingKey,
    strange: EncodingKey,
}

/// Nobody is believed who does not have the issuer's key, and who is believed is who the token says.
pub(crate) fn check(data: &[u8]) {
    let [how, key, rest @ ..] = data else { return };
    WORLD.with(|world| match how % 3 {
        0 => world.as_it_comes(&String::from_utf8_lossy(rest)),
        1 => world.made(*key, rest),
        _ => world.changed(*key, rest),
    });
}

impl World {
    fn new() -> Self {
        let pem = |pem: &[u8]| EncodingKey::from_ed_pem(pem).expect("a key");
        let published = pem(PUBLISHED);
        let jwk = Jwk::from_encoding_key(&published, Algorithm::EdDSA).expect("a public key");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = "a".into();
        let public = jwk["x"].as_str().expect("a public key").to_owned();
        Self {
            runtime: Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("a runtime"),
            jwks: json!({ "keys": [jwk] }).to_string(),
            public,
            secret: EncodingKey::from_secret(SECRET),
            published,
            strange: pem(STRANGE),
        }
    }

    /// Whose token it is. A new one each time: what a token causes must not change what the next is told.
    fn verify(&self, token: &str) -> Option<Verified> {
        self.runtime.block_on(async {
            let url = "http://127.0.0.1:1/".to_owned();
            let ring = Arc::new(KeyRing::new(url, KeyAlgorithm::EdDsa, Duration::from_secs(3_600)));
            let keys = Keys::parse(self.jwks.as_bytes(), KeyAlgorithm::EdDsa).expect("a key set");
            ring.answered(keys, Duration::from_secs(3_600));
            let identity = Identity::new(vec![
                Issuer::with_secret("secret", AUDIENCE, SECRET),
                Issuer::with_keys("keys", AUDIENCE, ring),
            ]);
            identity.verify(token, Time::from_micros(NOW * 1_000_000)).await.ok()
        })
    }

    fn as_it_comes(&self, token: &str) {
        if self.verify(token).is_none() {
            return;
        }
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let good = [(&self.secret, Algorithm::HS256), (&self.published, Algorithm::EdDSA)];
        let good =
            good.map(|(key, algorithm)| crypto::sign(signed.as_bytes(), key, algorithm).expect("signed"));
        assert!(good.iter().any(|good| good == signature), "believed: {token}");
    }

    fn made(&self, key: u8, parts: &[u8]) {
        let confused = EncodingKey::from_secret(self.public.as_bytes());
        let (key, algorithm, good) = match key % 4 {
            0 => (&self.secret, Algorithm::HS256, true),
            1 => (&self.published, Algorithm::EdDSA, true),
            2 => (&self.strange, Algorithm::EdDSA, false),
            // The published key, taken for a secret.
            _ => (&confused, Algorithm::HS256, false),
        };
        let end = parts.iter().position(|byte| *byte == b'\n').unwrap_or(parts.len());
        let (head, claims) = parts.split_at(end);
        let claims = claims.get(1..).unwrap_or_default();
        let signed = format!("{}.{}", base64url(head), base64url(claims));
        let signature = crypto::sign(signed.as_bytes(), key, algorithm).expect("signed");
        let Some(verified) = self.verify(&format!("{signed}.{signature}")) else { return };
        assert!(good, "believed under another's key: {signed}");
        let head: Head = serde_json::from_slice(head).expect("a head");
        let said: Claims = serde_json::from_slice(claims).expect("claims");
        assert!(BELIEVED.contains(&(&said.iss, &head.alg)), "believed: {signed}");
        assert!(
            said.aud == AUDIENCE || said.aud.as_array().is_some_and(|all| all.contains(&json!(AUDIENCE)))
        );
        assert_eq!(verified.actor.user.as_str(), said.sub);
        assert_eq!(Some(verified.actor.scope), parse_scope(&said.scope));
        assert!(said.exp > (NOW - LEEWAY_SECONDS - 1) as f64, "it has ended: {signed}");
        assert!(verified.expires_at.as_seconds() > NOW - LEEWAY_SECONDS);
        assert!(said.nbf.is_none_or(|nbf| nbf < (NOW + LEEWAY_SECONDS + 1) as f64), "too early: {signed}");
        assert!(verified.issued_at.is_none_or(|issued| issued.as_seconds() <= NOW + LEEWAY_SECONDS));
    }

    fn changed(&self, key: u8, changes: &[u8]) {
        let (key, algorithm, (iss, alg)) = match key % 2 {
            0 => (&self.secret, Algorithm::HS256, BELIEVED[0]),
            _ => (&self.published, Algorithm::EdDSA, BELIEVED[1]),
        };
        let head = json!({ "alg": alg, "typ": "JWT", "kid": "a" });
        let claims = json!({ "iss": iss, "aud": AUDIENCE, "sub": "clara", "scope": "user", "iat": NOW, "exp": NOW + 60 });
        let signed = format!(
            "{}.{}",
            base64url(head.to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let token = format!("{signed}.{}", crypto::sign(signed.as_bytes(), key, algorithm).expect("signed"));
        assert!(self.verify(&token).is_some(), "{token}");
        let mut bytes = token.clone().into_bytes();
        for change in changes.chunks_exact(3) {
            let at = usize::from(u16::from_be_bytes([change[0], change[1]]));
            let (how, at) = (at % 3, at / 3 % (bytes.len() + 1));
            match how {
                0 => bytes.insert(at, change[2]),
                1 if at < bytes.len() => bytes[at] = change[2],
                _ => bytes.truncate(at),
            }
        }
        let changed = String::from_utf8_lossy(&bytes);
        assert!(changed == token || self.verify(&changed).is_none(), "believed: {changed}");
    }
}

/// Without padding (RFC 4648, 5).
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |group: &[u8]| {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let digit = move |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
        (0..=group.len()).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
