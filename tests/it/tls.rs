//! TLS on the listener, and what is refused without it.

use std::net::SocketAddr;
use std::time::Duration;

use anteroom::config::Config;
use anteroom_load_tests::token::TokenMint;
use anteroom_protocol::SUBPROTOCOL;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::SupportedProtocolVersion;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::certificate::Certificate;
use crate::support::raw::{PING, PONG, Raw, UPGRADE};
use crate::support::{SECRET, TestServer, id, soon, time_goes_by};

/// A server that speaks TLS.
struct Secure {
    certificate: Certificate,
    server: TestServer,
    address: SocketAddr,
}

impl Secure {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let certificate = Certificate::new();
        let server = TestServer::start_with(|config| {
            certificate.of(config);
            change(config);
        })
        .await;
        let address = id(server.base.strip_prefix("http://").expect("an address"));
        Self { certificate, server, address }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_with(&[&TLS13], &[]).await.expect("a handshake")
    }

    async fn connect_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_trusting(&self.certificate, versions, alpn).await
    }

    async fn connect_trusting(
        &self,
        certificate: &Certificate,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let name = ServerName::try_from("localhost").expect("a name");
        soon("a handshake", certificate.connector(versions, alpn).connect(name, stream)).await
    }

    /// Whether whoever comes now is shown this certificate.
    async fn shows(&self, certificate: &Certificate) -> bool {
        self.connect_trusting(certificate, &[&TLS13], &[]).await.is_ok()
    }

    /// One request over a connection of its own: status and body.
    async fn request(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let mut stream = self.connect().await;
        let length = body.len();
        let lines = format!("Host: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}");
        let request =
            format!("{method} {path} HTTP/1.1\r\n{lines}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        soon("an answer", stream.read_to_string(&mut answer)).await.expect("an answer and a proper end");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head[9..12].parse().expect("a status"), body.to_owned())
    }
}

#[tokio::test]
async fn requests_and_sockets_work_over_tls_as_they_do_without() {
    let secure = Secure::start().await;
    let mint = TokenMint::new(SECRET);
    assert_eq!(secure.request("GET", "/livez", "", "").await, (200, "ok\n".to_owned()));
    let (status, _) = secure.request("PUT", "/v1/users/ana", &mint.service(), r#"{"name":"Ana"}"#).await;
    assert_eq!(status, 200);

    let mut request = "wss://localhost/v1/ws".into_client_request().expect("a request");
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", SUBPROTOCOL.parse().expect("text"));
    headers.insert("origin", "https://localhost".parse().expect("text"));
    let (mut socket, _) =
        tokio_tungstenite::client_async(request, secure.connect().await).await.expect("an upgrade");
    let hello = json!({"type": "hello", "id": "h", "token": mint.user(&id("ana"))});
    socket.send(Message::text(hello.to_string())).await.expect("sent");
    let welcome = soon("a welcome", socket.next()).await.expect("a frame").expect("a frame");
    let welcome: Value = serde_json::from_str(welcome.to_text().expect("text")).expect("JSON");
    assert_eq!((&welcome["type"], &welcome["user"]), (&json!("welcome"), &json!("ana")));
    // More than one record of TLS.
    for number in 0..20 {
        let ping = format!(r#"{{"type":"ping","id":"{number}"{}}}"#, " ".repeat(16_000));
        socket.send(Message::text(ping)).await.expect("sent");
    }
    for number in 0..20 {
        let pong = soon("a pong", socket.next()).await.expect("a frame").expect("a frame");
        let pong: Value = serde_json::from_str(pong.to_text().expect("text")).expect("JSON");
        assert_eq!((&pong["type"], &pong["id"]), (&json!("pong"), &json!(number.to_string())));
    }
    let listen = async {
        let frame = soon("a close", socket.next()).await.expect("a frame").expect("a frame");
        assert!(matches!(frame, Message::Close(Some(close)) if u16::from(close.code) == 1012));
        assert!(soon("the end", socket.next()).await.is_none());
    };
    tokio::join!(secure.server.stop(), listen);
}

#[tokio::test]
async fn http_1_1_is_what_is_agreed_on_over_tls_1_2_and_1_3() {
    let secure = Secure::start().await;
    for version in [&TLS12, &TLS13] {
        let stream = secure.connect_with(&[version], &["h2", "http/1.1"]).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    assert!(secure.connect_with(&[&TLS13], &["h2"]).await.is_err(), "what is not spoken is refused");
}

#[tokio::test]
async fn a_certificate_replaced_in_its_files_is_shown_from_then_on_and_one_without_its_key_is_not() {
    let secure = Secure::start().await;
    let renewed = Certificate::new();
    secure.certificate.take(&renewed, "cert.pem");
    for _ in 0..10 {
        time_goes_by(Duration::from_secs(5), 1).await;
        assert!(secure.shows(&secure.certificate).await, "there is no key for the new one yet");
    }
    secure.certificate.take(&renewed, "key.pem");
    // A look takes as long as the disk does, which knows nothing of the test's time.
    for _ in 0..1_000 {
        time_goes_by(Duration::from_secs(5), 1).await;
        if secure.shows(&renewed).await {
            assert!(!secure.shows(&secure.certificate).await, "the one before is gone");
            return;
        }
    }
    panic!("the new certificate is never shown");
}

#[tokio::test]
async fn plain_bytes_and_silence_on_a_tls_listener_end_soon_and_take_no_place_for_long() {
    let secure = Secure::start_with(|config| config.limits.greeting_per_address = 2).await;
    let mut plain = Raw::connect(&secure.server.base).await;
    plain.send(b"GET /livez HTTP/1.1\r\nHost: server\r\n\r\n").await;
    plain.end().await;
    let mut silent = Raw::connect(&secure.server.base).await;
    let mut silent_too = Raw::connect(&secure.server.base).await;
    let full = async {
        // The two have to be seen first.
        while let Ok(stream) = secure.connect_with(&[&TLS13], &[]).await {
            drop(stream);
        }
    };
    soon("a refusal", full).await;
    assert_eq!((silent.end().await, silent_too.end().await), (0, 0));
    assert_eq!(secure.request("GET", "/livez", "", "").await.0, 200, "there is room again");
}

#[tokio::test]
async fn behind_a_proxy_a_socket_needs_the_proxys_word_that_nobody_reads_along() {
    let server = TestServer::start_with(|config| config.trusted_proxies = vec![id("127.0.0.0/8")]).await;
    let ask = async |headers: &[(&str, &str)]| Raw::ask(&server.base, &[&UPGRADE, headers].concat()).await;
    for headers in [&[][..], &[("X-Forwarded-Proto", "http")], &[("X-Forwarded-Proto", "https,http")]] {
        let (mut raw, head) = ask(headers).await;
        assert_eq!(
            (head.status, &raw.body(&head).await["code"]),
            (403, &json!("tls_required")),
            "{headers:?}"
        );
    }
    let (mut raw, head) = ask(&[("X-Forwarded-Proto", "https")]).await;
    assert_eq!(head.status, 101);
    raw.frame(PING, b"here").await;
    assert_eq!(raw.read_until(PONG).await, b"here");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_at_start_with_the_key_to_set() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    let nothing = other.file("nothing.pem").expect("a path");
    std::fs::write(&nothing, "no certificate").expect("written");
    let missing = other.file("missing.pem");
    for (cert, key, word) in [
        (missing.clone(), certificate.file("key.pem"), "tls.certificate"),
        (Some(nothing.clone()), certificate.file("key.pem"), "tls.certificate"),
        (certificate.file("cert.pem"), missing, "tls.key"),
        (certificate.file("cert.pem"), Some(nothing), "tls.key"),
        (certificate.file("cert.pem"), other.file("key.pem"), "tls.key"),
    ] {
        let error = TestServer::refused(|config| {
            config.tls.certificate = cert.clone();
            config.tls.key = key.clone();
        })
        .await;
        assert!(error.contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_others_can_reach_does_not_start_without_tls_or_a_proxy() {
    let error = TestServer::refused(|config| config.listen = id("0.0.0.0:0")).await;
    for word in ["tls.certificate", "trusted_proxies", "loopback"] {
        assert!(error.contains(word), "says what to do: {error}");
    }
}
