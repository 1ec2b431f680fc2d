//! One who reads a kilobyte a second, and what became of it.

use std::time::Duration;

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::room::JoinResult;
use anteroom_protocol::server::{ServerFrame, Welcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::raw::{CLOSE, PONG, Raw, TEXT, frame, next_frame};

/// What the end of somebody who missed entries begins with.
pub(super) const HOLE: &str = "entries missing";
/// In the end it takes what it is given, for so long: a server that has meanwhile judged it says so now.
const CATCHES_UP: Duration = Duration::from_secs(2);

/// What was read, and whether the server ended it.
#[derive(Default)]
pub(super) struct Read {
    bytes: Vec<u8>,
    has_ended: bool,
}

/// Reads a kilobyte a second at most, until then or until the server ends it, with a sign of life each second. Then takes what more comes.
pub(super) async fn read(raw: &mut Raw, until: Instant) -> Read {
    let mut read = Read::default();
    while read.some(raw, until, 1_024).await {
        if raw.0.write_all(&frame(PONG, b"")).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let until = Instant::now() + CATCHES_UP;
    while read.some(raw, until, 64 * 1_024).await {}
    read
}

impl Read {
    /// Reads so much at most, and no longer than until then. Whether there may be more.
    async fn some(&mut self, raw: &mut Raw, until: Instant, most: usize) -> bool {
        let mut bytes = vec![0; most];
        match timeout_at(until, raw.0.read(&mut bytes)).await {
            Ok(Ok(some @ 1..)) => {
                self.bytes.extend(&bytes[..some]);
                Instant::now() < until
            }
            Ok(_) => {
                self.has_ended = true;
                false
            }
            Err(_) => false,
        }
    }

    /// Whether each entry of the room was read once and in order, and how the server ended it, if it did.
    pub(super) async fn end(&self, room: RoomRef) -> String {
        let (mut last, mut bytes) = (None, self.bytes.as_slice());
        while let Some((first, payload)) = next_frame(&mut bytes).await {
            if first == CLOSE {
                let code = payload.first_chunk().copied().map_or(0, u16::from_be_bytes);
                return format!("closed {code}");
            }
            let (from, to) = match serde_json::from_slice(&payload) {
                _ if first != TEXT => continue,
                Ok(ServerFrame::Welcome(welcome)) => {
                    last = head(&welcome, room);
                    continue;
                }
                Ok(ServerFrame::Entry(entry)) if entry.room == room => (entry.seq, entry.seq),
                Ok(ServerFrame::Gap { room: of, from, to }) if of == room => (from, to),
                Ok(ServerFrame::Reset { .. } | ServerFrame::Error { .. }) | Err(_) => {
                    return String::from_utf8_lossy(&payload).into_owned();
                }
                Ok(_) => continue,
            };
            if last.is_none_or(|last| last + 1 != from) {
                return format!("{HOLE} before {from}");
            }
            last = Some(to);
        }
        match last {
            None => "told nothing".to_owned(),
            Some(_) if self.has_ended => "cut off".to_owned(),
            Some(_) => "served to the end, in order".to_owned(),
        }
    }
}

/// How far this room reached when it was joined.
fn head(welcome: &Welcome, room: RoomRef) -> Option<u64> {
    welcome.rooms.iter().find_map(|joined| match joined {
        JoinResult::Joined(joined) if joined.room == room => Some(joined.head),
        JoinResult::Joined(_) | JoinResult::Refused { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "01890000-0000-7000-8000-000000000001";

    fn said(texts: &[String]) -> Vec<u8> {
        let frame = |text: &String| {
            let length = u16::try_from(text.len()).expect("short").to_be_bytes();
            [&[TEXT, 126], length.as_slice(), text.as_bytes()].concat()
        };
        texts.iter().flat_map(frame).collect()
    }

    fn entry(seq: u64) -> String {
        let hash = "0".repeat(64);
        format!(
            r#"{{"type":"entry","room":"{ROOM}","seq":{seq},"kind":"message.posted","at":"2026-01-01T00:00:00Z","by":"ben","hash":"{hash}","data":{{"body":"hi"}}}}"#
        )
    }

    fn gap(from: u64, to: u64) -> String {
        format!(r#"{{"type":"gap","room":"{ROOM}","from":{from},"to":{to}}}"#)
    }

    fn welcome(head: u64) -> String {
        format!(
            r#"{{"type":"welcome","connection":"{ROOM}","user":"ana","heartbeat_ms":1,"token_expires_at":"2026-01-01T00:00:00Z","server_time":"2026-01-01T00:00:00Z","limits":{{"frame_bytes":1,"body_bytes":1,"joined_rooms":1,"commands_in_flight":1,"page_items":1}},"changes":[],"rooms":[{{"room":"{ROOM}","head":{head},"mode":"live"}}]}}"#
        )
    }

    async fn ended(texts: &[String], has_ended: bool) -> String {
        // The last frame was read in part.
        let bytes = [said(texts), vec![TEXT, 126, 0]].concat();
        Read { bytes, has_ended }.end(ROOM.parse().expect("a room")).await
    }

    #[tokio::test]
    async fn entries_without_a_hole_between_them_are_in_order_and_a_gap_that_is_told_of_is_no_hole() {
        let whole = [welcome(2), entry(3), entry(4), gap(5, 9), entry(10)];
        assert_eq!(ended(&whole, false).await, "served to the end, in order");
        assert_eq!(ended(&whole, true).await, "cut off");
        assert_eq!(ended(&[welcome(2), entry(4)], false).await, "entries missing before 4");
        assert_eq!(ended(&[welcome(2), entry(3), entry(5)], false).await, "entries missing before 5");
        assert_eq!(ended(&[welcome(2), entry(3), entry(3)], false).await, "entries missing before 3");
        assert_eq!(ended(&[welcome(2), entry(3), gap(5, 9)], false).await, "entries missing before 5");
        assert_eq!(ended(&[entry(3)], false).await, "entries missing before 3");
        assert_eq!(ended(&[], false).await, "told nothing");
        assert_eq!(ended(&["{}".to_owned()], false).await, "{}");
    }

    #[tokio::test]
    async fn the_code_of_a_close_is_told() {
        let close = [&[CLOSE, 2], 4_029_u16.to_be_bytes().as_slice()].concat();
        let read = Read { bytes: [said(&[welcome(2), entry(3)]), close].concat(), has_ended: true };
        assert_eq!(read.end(ROOM.parse().expect("a room")).await, "closed 4029");
    }
}
