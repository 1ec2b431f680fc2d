//! One who reads a kilobyte a second, and what became of it.

use std::time::Duration;

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::server::ServerFrame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep};

use super::raw::{CLOSE, PONG, Raw, TEXT, frame, next_frame};

/// What the end of somebody who missed entries begins with.
pub(super) const HOLE: &str = "entries missing";

/// Reads until then, or until the server ends it, with a sign of life each second. What was read.
pub(super) async fn read(raw: &mut Raw, until: Instant) -> Vec<u8> {
    let (mut read, mut kilobyte) = (Vec::new(), [0; 1_024]);
    while Instant::now() < until && raw.0.read_exact(&mut kilobyte).await.is_ok() {
        read.extend(kilobyte);
        if raw.0.write_all(&frame(PONG, b"")).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    read
}

/// Whether it read each entry of the room once and in order, and whether it was served until its time was over.
pub(super) async fn end(mut read: &[u8], room: RoomRef, its_time_was_over: bool) -> String {
    let mut last = None;
    while let Some((first, payload)) = next_frame(&mut read).await {
        let (from, to) = match serde_json::from_slice(&payload) {
            _ if first == CLOSE => return "closed".to_owned(),
            Ok(ServerFrame::Entry(entry)) if first == TEXT && entry.room == room => (entry.seq, entry.seq),
            Ok(ServerFrame::Gap { room: of, from, to }) if of == room => (from, to),
            _ => continue,
        };
        if last.is_some_and(|last| last + 1 != from) {
            return format!("{HOLE} before {from}");
        }
        last = Some(to);
    }
    match last {
        None => "told nothing".to_owned(),
        Some(_) if its_time_was_over => "served to the end, in order".to_owned(),
        Some(_) => "ended by the server".to_owned(),
    }
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

    async fn ended(texts: &[String], its_time_was_over: bool) -> String {
        // The last frame was read in part.
        let read = [said(texts), vec![TEXT, 126, 0]].concat();
        end(&read, ROOM.parse().expect("a room"), its_time_was_over).await
    }

    #[tokio::test]
    async fn entries_without_a_hole_between_them_are_in_order_and_a_gap_that_is_told_of_is_no_hole() {
        let whole = [entry(3), entry(4), gap(5, 9), entry(10)];
        assert_eq!(ended(&whole, true).await, "served to the end, in order");
        assert_eq!(ended(&whole, false).await, "ended by the server");
        assert_eq!(ended(&[entry(3), entry(5)], true).await, "entries missing before 5");
        assert_eq!(ended(&[entry(3), entry(3)], true).await, "entries missing before 3");
        assert_eq!(ended(&[entry(3), gap(5, 9)], true).await, "entries missing before 5");
        assert_eq!(ended(&[], true).await, "told nothing");
    }
}
