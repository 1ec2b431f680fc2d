//! The ways to misbehave.

use std::time::Duration;

use anteroom_protocol::id::RoomRef;
use clap::ValueEnum;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};

use super::raw::{EMPTY_PIECE, PING, Raw, TEXT, TEXT_BEGINS, frame};
use super::slow;
use crate::marketplace::OpenRoom;
use crate::scenario::target::Target;

/// One way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Attack {
    /// Joins the busy room and never reads.
    NeverReads,
    /// Joins the busy room and reads a kilobyte a second.
    ReadsAKilobyte,
    /// Sends as fast as it can and reads nothing.
    SendsWithoutReading,
    /// One message in pieces without a byte in them, without end.
    EmptyPieces,
    /// Two hundred thousand pings.
    Pings,
    /// Half a request's head, and no more.
    HalfAHead,
}

/// Where it is done.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    base: String,
    token: String,
    room: RoomRef,
}

impl Ground {
    /// As one of the two people of the busy room.
    pub(super) async fn new(target: &Target, busy: &OpenRoom) -> anyhow::Result<Self> {
        let token = target.marketplace().token(&busy.freelancer);
        Ok(Self { base: target.base().to_owned(), token, room: busy.room })
    }

    fn hello(&self) -> String {
        json!({"type": "hello", "token": self.token, "rooms": [{"room": self.room}]}).to_string()
    }
}

impl Attack {
    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NeverReads => "never read",
            Self::ReadsAKilobyte => "read 1 KiB/s",
            Self::SendsWithoutReading => "send without reading",
            Self::EmptyPieces => "send empty pieces without end",
            Self::Pings => "send 200,000 pings",
            Self::HalfAHead => "send half a request's head",
        }
    }

    /// Does it for this long at most, and tells how it ended.
    pub(super) async fn run(self, ground: Ground, span: Duration) -> String {
        let began = Instant::now();
        match self.attack(&ground, began + span).await {
            Ok(end) => end,
            Err(error) => format!("no connection: {}", error.kind()),
        }
    }

    async fn attack(self, ground: &Ground, until: Instant) -> std::io::Result<String> {
        let hello = ground.hello();
        let raw = match self {
            Self::NeverReads => {
                let raw = Raw::greeted(&ground.base, &hello).await?;
                tokio::time::sleep_until(until).await;
                raw
            }
            Self::ReadsAKilobyte => {
                let mut raw = Raw::greeted(&ground.base, &hello).await?;
                let read = slow::read(&mut raw, until).await;
                return Ok(read.end(ground.room).await);
            }
            Self::SendsWithoutReading => {
                let raw = Raw::greeted(&ground.base, &hello).await?;
                let ask =
                    json!({"type": "message.edit", "id": "x".repeat(64), "room": ground.room}).to_string();
                flood(raw, &frame(TEXT, ask.as_bytes()).repeat(16), until).await
            }
            Self::EmptyPieces => {
                let mut raw = Raw::greeted(&ground.base, &hello).await?;
                raw.0.write_all(&frame(TEXT_BEGINS, b"{")).await?;
                flood(raw, &frame(EMPTY_PIECE, b"").repeat(64), until).await
            }
            Self::Pings => {
                let raw = Raw::greeted(&ground.base, &hello).await?;
                let pings = frame(PING, b"").repeat(1_000);
                flood(raw, &pings.repeat(200), until).await
            }
            Self::HalfAHead => {
                let mut raw = Raw::connect(&ground.base).await?;
                raw.0.write_all(b"GET /v1/ws HTTP/1.1\r\nHost: ser").await?;
                raw
            }
        };
        Ok(raw.end().await)
    }
}

/// Sends this again and again until the server takes no more of it.
async fn flood(mut raw: Raw, bytes: &[u8], until: Instant) -> Raw {
    while Instant::now() < until {
        match timeout(until.duration_since(Instant::now()), raw.0.write_all(bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    raw
}
