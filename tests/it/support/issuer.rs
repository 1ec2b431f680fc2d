//! An issuer that publishes keys: an HTTP server that counts how often it is asked, and tokens signed with keys of all kinds. The private keys in
//! `fixtures/keys` were made for these tests (`openssl genpkey`) and guard nothing.

use std::sync::{Arc, Mutex};

use anteroom::config::{Algorithm as Pinned, Config, Issuer};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::soon;

/// The `iss` of its tokens.
pub(crate) const MARKET: &str = "market";
/// The `aud` of its tokens.
pub(crate) const ROOMS: &str = "rooms";

/// One of the keys for tests.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) kid: &'static str,
    pub(crate) algorithm: Algorithm,
    pub(crate) encoding: EncodingKey,
}

impl Key {
    /// Ed25519.
    pub(crate) fn ed_a() -> Self {
        let pem = include_bytes!("../../fixtures/keys/ed-a.pem");
        Self::of("ed-a", Algorithm::EdDSA, EncodingKey::from_ed_pem(pem))
    }

    /// Another one.
    pub(crate) fn ed_b() -> Self {
        let pem = include_bytes!("../../fixtures/keys/ed-b.pem");
        Self::of("ed-b", Algorithm::EdDSA, EncodingKey::from_ed_pem(pem))
    }

    /// P-256.
    pub(crate) fn ec() -> Self {
        let pem = include_bytes!("../../fixtures/keys/ec.pem");
        Self::of("ec", Algorithm::ES256, EncodingKey::from_ec_pem(pem))
    }

    /// RSA.
    pub(crate) fn rsa() -> Self {
        let pem = include_bytes!("../../fixtures/keys/rsa.pem");
        Self::of("rsa", Algorithm::RS256, EncodingKey::from_rsa_pem(pem))
    }

    fn of(
        kid: &'static str,
        algorithm: Algorithm,
        key: Result<EncodingKey, jsonwebtoken::errors::Error>,
    ) -> Self {
        Self { kid, algorithm, encoding: key.expect("a key") }
    }

    /// The public half, as it is published.
    pub(crate) fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.encoding, self.algorithm).expect("a public key");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The head of its tokens.
    pub(crate) fn header(&self) -> Header {
        Header { kid: Some(self.kid.into()), ..Header::new(self.algorithm) }
    }

    /// Signs any claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_under(&self.header(), claims)
    }

    /// The same under any head.
    pub(crate) fn sign_under(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.encoding).expect("signed")
    }

    /// A good token of this person.
    pub(crate) fn token(&self, user: &str) -> String {
        self.sign(&claims(user))
    }
}

/// What a good token of this person says.
pub(crate) fn claims(user: &str) -> Value {
    let now = jsonwebtoken::get_current_timestamp();
    json!({"iss": MARKET, "aud": ROOMS, "sub": user, "scope": "user", "iat": now, "exp": now + 3_600})
}

struct State {
    /// Status line and headers, and the body.
    answer: Mutex<(String, String)>,
    asked: watch::Sender<usize>,
}

/// Where keys are published.
pub(crate) struct KeyServer {
    pub(crate) url: String,
    state: Arc<State>,
}

impl KeyServer {
    /// Publishes these keys.
    pub(crate) async fn with(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/jwks.json", listener.local_addr().expect("an address"));
        let state = Arc::new(State { answer: Mutex::default(), asked: watch::Sender::new(0) });
        tokio::spawn(serve(listener, state.clone()));
        let server = Self { url, state };
        server.publish(keys);
        server
    }

    /// From now on, these and no others.
    pub(crate) fn publish(&self, keys: &[&Key]) {
        self.say("200 OK", &document(keys));
    }

    /// From now on, an error.
    pub(crate) fn fail(&self) {
        self.say("500 Internal Server Error", "<html>");
    }

    /// From now on, this: the status, further headers behind it, and the body.
    pub(crate) fn say(&self, head: &str, body: &str) {
        *self.state.answer.lock().expect("unbroken") = (head.to_owned(), body.to_owned());
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        *self.state.asked.borrow()
    }

    /// Waits until it was asked this often.
    pub(crate) async fn was_asked(&self, times: usize) {
        let mut asked = self.state.asked.subscribe();
        soon("a fetch", asked.wait_for(|asked| *asked >= times)).await.expect("a server");
    }

    /// Makes a server believe the issuer, beside the one it shares a secret with.
    pub(crate) fn believed(&self, config: &mut Config, algorithm: Pinned) {
        config.auth.issuers.push(Issuer {
            issuer: MARKET.into(),
            audience: ROOMS.into(),
            algorithm: Some(algorithm),
            secret: None,
            jwks_url: Some(self.url.clone()),
        });
    }
}

/// The key set of these keys.
pub(crate) fn document(keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Counted with what is answered: whoever sees the count after publishing sees an answer of the new keys.
        let (said, body) = state.answer.lock().expect("unbroken").clone();
        state.asked.send_modify(|asked| *asked += 1);
        // A client that has gone needs no answer.
        let _ = answer(stream, &said, &body).await;
    }
}

async fn answer(mut stream: TcpStream, said: &str, body: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let length = body.len();
    let text = format!("HTTP/1.1 {said}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}
