//! What one socket may do, without the socket: pure, so that it can be tested without one.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::app::lane::Lanes;
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
    /// The logs of which entries have to be read from the database, each once, in the order of their turns.
    owed: VecDeque<Log>,
    /// In which order it writes.
    pub(super) lanes: Lanes,
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
    /// The number up to which entries have to be read from the database; below `next`: nothing is owed.
    owed_to: u64,
    /// When `typing` was last passed on.
    typed: Option<Instant>,
}

impl Cursor {
    fn is_owed(&self) -> bool {
        self.owed_to >= self.next
    }
}

/// Entries of a log that have to be read from the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Of which log.
    pub(super) log: Log,
    /// Behind this number.
    pub(super) after: u64,
    /// How many at most.
    pub(super) count: u64,
}

/// What to do with an entry that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Send it: it is the next one.
    Next(Audience),
    /// Forget it: it was sent, or the log is not read.
    Old,
    /// What is before it must be read from the log first, and it with that.
    Owed,
}

impl Session {
    /// Reads a log from this number on.
    pub(super) fn join(&mut self, log: Log, next: u64, audience: Audience) {
        self.cursors.insert(log, Cursor { next, audience, owed_to: 0, typed: None });
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
    pub(super) fn arrival(&mut self, log: &Log, seq: u64) -> Arrival {
        match self.cursors.get(log) {
            None => Arrival::Old,
            Some(cursor) if seq < cursor.next => Arrival::Old,
            Some(cursor) if seq == cursor.next && !cursor.is_owed() => Arrival::Next(cursor.audience),
            Some(_) => {
                self.owe(log, seq);
                Arrival::Owed
            }
        }
    }

    /// Entries up to this number have to be read from the database. A log that is not read is owed nothing.
    pub(super) fn owe(&mut self, log: &Log, up_to: u64) {
        let Some(cursor) = self.cursors.get_mut(log) else { return };
        let waits_already = cursor.is_owed();
        cursor.owed_to = cursor.owed_to.max(up_to);
        // A log that was joined anew may still have its place in the row.
        if cursor.is_owed() && !waits_already && !self.owed.contains(log) {
            self.owed.push_back(log.clone());
        }
    }

    /// What has to be read next. The logs take turns, so that a long one keeps no other waiting.
    pub(super) fn next_owed(&mut self) -> Option<Stretch> {
        while let Some(log) = self.owed.pop_front() {
            if let Some(cursor) = self.cursors.get(&log).filter(|cursor| cursor.is_owed()) {
                let (after, count) = (cursor.next - 1, cursor.owed_to - cursor.next + 1);
                return Some(Stretch { log, after, count });
            }
        }
        None
    }

    /// Some of a stretch was read. Tells what its reader may see, unless the log was left or joined anew meanwhile: then what was read
    /// is of no use. Once it was sent, [`Session::rest_owed`] has to be called.
    pub(super) fn read(&self, stretch: &Stretch) -> Option<Audience> {
        let cursor = self.cursors.get(&stretch.log)?;
        (cursor.next == stretch.after + 1).then_some(cursor.audience)
    }

    /// What is still owed of a log that had its turn waits for the next one.
    pub(super) fn rest_owed(&mut self, log: Log) {
        let is_owed = self.cursors.get(&log).is_some_and(Cursor::is_owed);
        if is_owed && !self.owed.contains(&log) {
            self.owed.push_back(log);
        }
    }

    /// Whether `typing` is to be passed on: in a room that is read, and not too often.
    pub(super) fn may_type(&mut self, log: &Log, now: Instant) -> bool {
        let every = Duration::from_millis(anteroom_protocol::limits::TYPING_EVERY_MS);
        let Some(cursor) = self.cursors.get_mut(log) else { return false };
        let may = cursor.typed.is_none_or(|last| now.duration_since(last) >= every);
        if may {
            cursor.typed = Some(now);
        }
        may
    }

    /// The entry of this number was sent.
    pub(super) fn sent(&mut self, log: &Log, seq: u64) {
        if let Some(cursor) = self.cursors.get_mut(log) {
            cursor.next = seq + 1;
        }
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

    /// What was asked for the last time comes back, and the next page is asked for.
    fn page(session: &mut Session, reading: &mut Option<Stretch>, sent: &mut Vec<u64>) {
        if let Some(stretch) = reading.take() {
            if session.read(&stretch).is_some() {
                for seq in stretch.after + 1..=stretch.after + stretch.count.min(2) {
                    sent.push(seq);
                    session.sent(&stretch.log, seq);
                }
            }
            session.rest_owed(stretch.log);
        }
        *reading = session.next_owed();
    }

    #[test]
    fn logs_that_are_owed_entries_take_turns() {
        let mut session = Session::default();
        let logs = [1, 2].map(|id| Log::Room(RoomId(Uuid::from_u128(id))));
        for log in &logs {
            session.join(log.clone(), 1, Audience::Client);
            session.owe(log, 4);
        }
        let (mut reading, mut turns) = (session.next_owed(), Vec::new());
        while let Some(stretch) = reading {
            turns.push(stretch.log.clone());
            session.sent(&stretch.log, stretch.after + 1);
            session.sent(&stretch.log, stretch.after + 2);
            session.rest_owed(stretch.log);
            reading = session.next_owed();
        }
        assert_eq!(turns, [&logs[0], &logs[1], &logs[0], &logs[1]].map(Clone::clone));
    }

    #[test]
    fn what_was_read_of_a_log_that_was_left_or_joined_anew_is_of_no_use() {
        let mut session = Session::default();
        session.join(log(), 1, Audience::Client);
        session.owe(&log(), 5);
        let stretch = session.next_owed().expect("owed");
        session.join(log(), 9, Audience::Client);
        assert_eq!(session.read(&stretch), None);
        session.leave(&log());
        assert_eq!(session.read(&stretch), None);
        session.owe(&log(), 12);
        assert_eq!(session.next_owed(), None, "a log that is not read is owed nothing");
    }

    #[test]
    fn a_log_that_is_joined_again_and_again_stands_in_the_row_once() {
        let mut session = Session::default();
        for _ in 0..1_000 {
            session.join(log(), 1, Audience::Client);
            session.owe(&log(), 5);
        }
        assert_eq!(session.owed.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn typing_is_passed_on_in_rooms_that_are_read_and_not_too_often() {
        let mut session = Session::default();
        assert!(!session.may_type(&log(), Instant::now()));
        session.join(log(), 1, Audience::Client);
        assert!(session.may_type(&log(), Instant::now()));
        tokio::time::advance(Duration::from_millis(2_900)).await;
        assert!(!session.may_type(&log(), Instant::now()));
        tokio::time::advance(Duration::from_millis(200)).await;
        assert!(session.may_type(&log(), Instant::now()));
    }

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
            let (mut reading, mut furthest) = (None, 0);
            for (at, seq) in arrivals.into_iter().enumerate() {
                furthest = furthest.max(seq);
                match session.arrival(&log(), seq) {
                    Arrival::Old | Arrival::Owed => {}
                    Arrival::Next(_) => { sent.push(seq); session.sent(&log(), seq); }
                }
                // Now and then a page comes back from the database, of two entries at most.
                if at % 3 == 0 {
                    page(&mut session, &mut reading, &mut sent);
                }
            }
            for _ in 0..=furthest {
                page(&mut session, &mut reading, &mut sent);
            }
            let expected: Vec<u64> = (1..=furthest).collect();
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
