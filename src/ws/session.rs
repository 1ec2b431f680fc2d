//! What one socket may do, without the socket: pure, so that it can be tested without one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::id::RoomRef;
use tokio::time::Instant;

use crate::app::writer::Lane;
use crate::domain::log::Log;
use crate::wire::to_wire::Audience;

/// Broken frames in this time …
const BROKEN_WINDOW: Duration = Duration::from_secs(60);
/// … and this many of them end the socket.
const BROKEN_FRAMES: usize = 10;

/// Commands refused for their rate within this time …
const HASTY_WINDOW: Duration = Duration::from_secs(60);
/// … and more than this many of them end the socket.
const HASTY_COMMANDS: u32 = 200;

/// Where this socket is in the logs it reads, and in which order it writes.
#[derive(Default)]
pub(super) struct Session {
    cursors: HashMap<Log, Cursor>,
    lanes: HashMap<RoomRef, Arc<Lane>>,
    broken: VecDeque<Instant>,
    /// When the first of the refused commands came that are counted, and how many have since.
    hasty: Option<(Instant, u32)>,
}

/// Where this socket is in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The number of the entry to send next.
    pub(super) next: u64,
    /// What its reader may see.
    pub(super) audience: Audience,
}

/// What to do with an entry that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Send it: it is the next one.
    Next(Audience),
    /// Forget it: it was sent, or the log is not read.
    Old,
    /// It is ahead: what is between must be read from the log first.
    Ahead(Cursor),
}

impl Session {
    /// Reads a log from this number on.
    pub(super) fn join(&mut self, log: Log, next: u64, audience: Audience) {
        self.cursors.insert(log, Cursor { next, audience });
    }

    /// Reads it no more.
    pub(super) fn leave(&mut self, log: &Log) {
        self.cursors.remove(log);
    }

    /// Where this socket is in a log.
    pub(super) fn cursor(&self, log: &Log) -> Option<Cursor> {
        self.cursors.get(log).copied()
    }

    /// What to do with this entry of this log.
    pub(super) fn arrival(&self, log: &Log, seq: u64) -> Arrival {
        match self.cursors.get(log) {
            None => Arrival::Old,
            Some(cursor) if seq < cursor.next => Arrival::Old,
            Some(cursor) if seq == cursor.next => Arrival::Next(cursor.audience),
            Some(cursor) => Arrival::Ahead(*cursor),
        }
    }

    /// The entry of this number was sent.
    pub(super) fn sent(&mut self, log: &Log, seq: u64) {
        if let Some(cursor) = self.cursors.get_mut(log) {
            cursor.next = seq + 1;
        }
    }

    /// The lane of posts to this room. At the bound, lanes in which nothing failed and nothing is on its way are forgotten: they
    /// are as good as new.
    pub(super) fn lane(&mut self, room: RoomRef) -> Arc<Lane> {
        if self.lanes.len() >= anteroom_protocol::limits::JOINED_ROOMS && !self.lanes.contains_key(&room) {
            self.lanes.retain(|_, lane| lane.is_held() || Arc::strong_count(lane) > 1);
        }
        self.lanes.entry(room).or_default().clone()
    }

    /// A frame was broken. True: that was one too many.
    pub(super) fn broke(&mut self, now: Instant) -> bool {
        self.broken.push_back(now);
        while self.broken.front().is_some_and(|first| now.duration_since(*first) > BROKEN_WINDOW) {
            self.broken.pop_front();
        }
        self.broken.len() >= BROKEN_FRAMES
    }
}

impl Session {
    /// A command was refused for its rate. True: that was one too many.
    pub(super) fn hurried(&mut self, now: Instant) -> bool {
        let (since, count) = match self.hasty {
            Some((since, count)) if now.duration_since(since) < HASTY_WINDOW => (since, count + 1),
            _ => (now, 1),
        };
        self.hasty = Some((since, count));
        count > HASTY_COMMANDS
    }
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::id::RoomId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn log() -> Log {
        Log::Room(RoomId(Uuid::from_u128(1)))
    }

    proptest! {
        /// Entries may arrive late, twice, early or not at all: what is sent is 1, 2, 3 … all the same.
        #[test]
        fn whatever_arrives_in_whatever_order_is_sent_once_and_in_order(
            arrivals in proptest::collection::vec(1_u64..20, 0..200)
        ) {
            let mut session = Session::default();
            session.join(log(), 1, Audience::Client);
            let mut sent = Vec::new();
            for seq in arrivals {
                match session.arrival(&log(), seq) {
                    Arrival::Old => {}
                    Arrival::Next(_) => { sent.push(seq); session.sent(&log(), seq); }
                    Arrival::Ahead(cursor) => {
                        sent.extend(cursor.next..=seq);
                        session.sent(&log(), seq);
                    }
                }
            }
            let expected: Vec<u64> = (1..=sent.len() as u64).collect();
            prop_assert_eq!(sent, expected);
        }
    }

    #[test]
    fn an_entry_of_a_log_that_is_not_read_is_forgotten() {
        let mut session = Session::default();
        assert_eq!(session.arrival(&log(), 1), Arrival::Old);
        session.join(log(), 1, Audience::Client);
        session.leave(&log());
        assert_eq!(session.arrival(&log(), 1), Arrival::Old);
    }

    #[tokio::test(start_paused = true)]
    async fn ten_broken_frames_within_a_minute_are_too_many_and_ten_in_an_hour_are_not() {
        let (mut fast, mut slow) = (Session::default(), Session::default());
        let verdicts: Vec<bool> = (0..10).map(|_| fast.broke(Instant::now())).collect();
        assert_eq!(verdicts.iter().position(|ended| *ended), Some(9));
        for _ in 0..10 {
            assert!(!slow.broke(Instant::now()));
            tokio::time::advance(Duration::from_secs(360)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn two_hundred_refused_commands_within_a_minute_are_borne_and_one_more_is_not() {
        let mut session = Session::default();
        for _ in 0..3 {
            assert!(!(0..200).any(|_| session.hurried(Instant::now())));
            tokio::time::advance(HASTY_WINDOW).await;
        }
        assert!((0..201).any(|_| session.hurried(Instant::now())));
    }
}
