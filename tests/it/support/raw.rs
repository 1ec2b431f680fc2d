//! WebSocket by hand, for what no client library sends.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Person, TestServer, soon};

/// A text frame.
pub(crate) const TEXT: u8 = 0x1;
/// A binary frame.
pub(crate) const BINARY: u8 = 0x2;
/// A close frame.
pub(crate) const CLOSE: u8 = 0x8;
/// A ping.
pub(crate) const PING: u8 = 0x9;
/// A pong.
pub(crate) const PONG: u8 = 0xa;

/// A TCP connection to a server.
pub(crate) struct Raw(TcpStream);

/// The head of an HTTP answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// As it came, in small letters.
    pub(crate) text: String,
}

impl Head {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim)
    }
}

impl Raw {
    /// Connects and says nothing.
    pub(crate) async fn connect(base: &str) -> Self {
        let address = base.strip_prefix("http://").expect("a base");
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Connects and asks for an upgrade with these headers.
    pub(crate) async fn ask(base: &str, headers: &[(&str, &str)]) -> (Self, Head) {
        Self::request(base, "GET", "/v1/ws", headers).await
    }

    /// Connects and asks for something else, without a body.
    pub(crate) async fn request(
        base: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (Self, Head) {
        let mut raw = Self::connect(base).await;
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        raw.send(format!("{method} {path} HTTP/1.1\r\nHost: server\r\n{lines}\r\n").as_bytes()).await;
        let head = raw.head().await;
        (raw, head)
    }

    /// Reads the body that belongs to this head, which is JSON.
    pub(crate) async fn body(&mut self, head: &Head) -> serde_json::Value {
        let length = head.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
        let mut body = vec![0; length];
        soon("a body", self.0.read_exact(&mut body)).await.expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Asks for a page on this connection and leaves it open: the status and the body.
    pub(crate) async fn get(&mut self, path: &str) -> (u16, String) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: server\r\n\r\n").as_bytes()).await;
        let head = self.head().await;
        let length = head.header("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.expect("a length")];
        soon("a body", self.0.read_exact(&mut body)).await.expect("a body");
        (head.status, String::from_utf8(body).expect("text"))
    }

    /// Asks for an upgrade on this connection.
    pub(crate) async fn upgrade(&mut self) -> Head {
        let lines: String = UPGRADE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.send(format!("GET /v1/ws HTTP/1.1\r\nHost: server\r\n{lines}\r\n").as_bytes()).await;
        self.head().await
    }

    /// Connects and upgrades.
    pub(crate) async fn upgraded(base: &str) -> Self {
        let (raw, head) = Self::ask(base, &UPGRADE).await;
        assert_eq!(head.status, 101, "{head:?}");
        raw
    }

    /// Connects, upgrades and says hello for this person.
    pub(crate) async fn greeted(server: &TestServer, person: &Person) -> Self {
        let mut raw = Self::upgraded(&server.base).await;
        let hello = format!(r#"{{"type":"hello","token":"{}"}}"#, server.token(&person.user));
        raw.frame(TEXT, hello.as_bytes()).await;
        let welcome = String::from_utf8(raw.read_until(TEXT).await).expect("text");
        assert!(welcome.contains(r#""type":"welcome""#), "{welcome}");
        raw
    }

    /// The head of a good handshake.
    pub(crate) fn upgrade_request() -> String {
        let lines: String = UPGRADE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("GET /v1/ws HTTP/1.1\r\nHost: server\r\n{lines}\r\n")
    }

    /// Sends bytes, if the other side still takes them.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        soon("a write", self.0.write_all(bytes)).await.is_ok()
    }

    /// Sends bytes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        soon("a write", self.0.write_all(bytes)).await.expect("sent");
    }

    /// Sends one whole frame, masked as a client must.
    pub(crate) async fn frame(&mut self, opcode: u8, payload: &[u8]) {
        self.send(&frame(opcode, payload, true)).await;
    }

    /// Reads the head of an answer.
    pub(crate) async fn head(&mut self) -> Head {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            text.push(self.byte().await.expect("a head"));
        }
        let text = String::from_utf8(text).expect("text").to_lowercase();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Head { status, text }
    }

    /// Reads one frame; `None`: the connection has ended.
    pub(crate) async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.byte().await?;
        assert_eq!(first & 0x70, 0, "no extension was agreed on");
        let length = match self.byte().await? {
            126 => u16::from_be_bytes([self.byte().await?, self.byte().await?]),
            short => u16::from(short),
        };
        let mut payload = vec![0; length.into()];
        soon("a frame", self.0.read_exact(&mut payload)).await.expect("a payload");
        Some((first & 0x0f, payload))
    }

    /// Reads up to a frame of this kind.
    pub(crate) async fn read_until(&mut self, opcode: u8) -> Vec<u8> {
        loop {
            let (kind, payload) = self.read().await.expect("a frame");
            if kind == opcode {
                return payload;
            }
        }
    }

    /// Reads up to the close frame: its code.
    pub(crate) async fn closed(&mut self) -> u16 {
        let payload = self.read_until(CLOSE).await;
        u16::from_be_bytes([payload[0], payload[1]])
    }

    /// Waits until the other side ends the connection, and says how many bytes came before that.
    pub(crate) async fn end(&mut self) -> usize {
        let mut rest = Vec::new();
        match soon("the end", self.0.read_to_end(&mut rest)).await {
            Ok(read) => read,
            Err(_) => rest.len(),
        }
    }

    async fn byte(&mut self) -> Option<u8> {
        soon("a byte", self.0.read_u8()).await.ok()
    }
}

/// The headers of a good handshake, without a subprotocol.
pub(crate) const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// The bytes of one whole frame.
pub(crate) fn frame(opcode: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    const MASK: [u8; 4] = [1, 2, 3, 4];
    let bit = if masked { 0x80 } else { 0 };
    let mut bytes = vec![0x80 | opcode];
    match u16::try_from(payload.len()).expect("a short frame") {
        short @ 0..=125 => bytes.push(bit | u8::try_from(short).expect("short")),
        long => {
            bytes.push(bit | 126);
            bytes.extend(long.to_be_bytes());
        }
    }
    if masked {
        bytes.extend(MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    } else {
        bytes.extend(payload);
    }
    bytes
}
