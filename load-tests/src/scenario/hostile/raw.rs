//! A WebSocket by hand, for those who do not keep to it.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

pub(super) const TEXT: u8 = 0x81;
pub(super) const TEXT_BEGINS: u8 = 0x01;
pub(super) const EMPTY_PIECE: u8 = 0x00;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8a;

/// How long the last word of the server is waited for.
const LAST_WORD: Duration = Duration::from_secs(20);

/// A connection.
pub(super) struct Raw(pub(super) TcpStream);

impl Raw {
    /// Connects, with a small receive buffer: what is not read stays with the server.
    pub(super) async fn connect(base: &str) -> std::io::Result<Self> {
        let address = base.trim_start_matches("http://").parse().map_err(std::io::Error::other)?;
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4_096)?;
        Ok(Self(socket.connect(address).await?))
    }

    /// Connects and upgrades.
    pub(super) async fn upgraded(base: &str) -> std::io::Result<Self> {
        let mut raw = Self::connect(base).await?;
        let head = "GET /v1/ws HTTP/1.1\r\nHost: server\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        raw.0.write_all(head.as_bytes()).await?;
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n\r\n") {
            said.push(raw.0.read_u8().await?);
        }
        Ok(raw)
    }

    /// Connects and says this hello.
    pub(super) async fn greeted(base: &str, hello: &str) -> std::io::Result<Self> {
        let mut raw = Self::upgraded(base).await?;
        raw.0.write_all(&frame(TEXT, hello.as_bytes())).await?;
        Ok(raw)
    }

    /// Reads what the server still has to say, and tells how it ended.
    pub(super) async fn end(self) -> String {
        match timeout(LAST_WORD, self.last_word()).await {
            Ok(Some(code)) => format!("closed {code}"),
            Ok(None) => "cut off".to_owned(),
            Err(_) => "still open".to_owned(),
        }
    }

    /// The code of the close frame, if one comes before the connection ends.
    async fn last_word(mut self) -> Option<u16> {
        loop {
            if let (CLOSE, payload) = next_frame(&mut self.0).await? {
                return payload.first_chunk().copied().map(u16::from_be_bytes);
            }
        }
    }
}

/// The first byte and the payload of the server's next frame, if there is a whole one.
pub(super) async fn next_frame(stream: &mut (impl AsyncRead + Unpin)) -> Option<(u8, Vec<u8>)> {
    let first = stream.read_u8().await.ok()?;
    let length = match stream.read_u8().await.ok()? {
        126 => u64::from(stream.read_u16().await.ok()?),
        127 => stream.read_u64().await.ok()?,
        short => u64::from(short),
    };
    let mut payload = Vec::new();
    let read = stream.take(length).read_to_end(&mut payload).await.ok()?;
    (read as u64 == length).then_some((first, payload))
}

/// A frame with a mask of zeros.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => bytes.push(0x80 | short),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
