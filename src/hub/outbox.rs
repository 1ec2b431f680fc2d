//! What waits to be sent to one socket: bounded in bytes, and never awaited by a writer.
//!
//! At the bound, an entry is not queued and nobody is disconnected: the outbox only remembers that the log is behind, and the socket
//! reads the missing entries from the log when it has drained. So a slow reader costs a number per log, not memory per entry.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anteroom_protocol::close::CloseCode;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::server::ServerFrame;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::domain::log::Log;
use crate::wire::to_wire::EncodedEntry;

/// News of one kind of one room that wait at a time; the newest of each person stands for all of them.
const NEWS: usize = 256;

/// One socket's outbox.
pub struct Outbox {
    state: std::sync::Mutex<State>,
    wake: Notify,
    limit: usize,
    opened: Instant,
    heard: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The logs whose entries are queued, and for whom the socket's person is seen in each, if so.
    reads: HashMap<Log, Option<Arc<[UserId]>>>,
    waiting: Waiting,
    bytes: usize,
}

/// Everything that waits, taken at once.
#[derive(Default)]
pub struct Waiting {
    /// Entries, in the order of their commits.
    pub entries: VecDeque<Arc<EncodedEntry>>,
    /// Logs that have more than could be queued, and how far they reach.
    pub behind: HashMap<Log, u64>,
    /// Logs the socket does not read that have grown, and how far they reach.
    pub activity: HashMap<RoomRef, u64>,
    /// News, of which only the newest of each kind and person is kept.
    pub news: HashMap<(RoomRef, UserId, std::mem::Discriminant<ServerFrame>), ServerFrame>,
    /// Something about the person has changed: never dropped, and the same however often.
    pub person: bool,
    /// The socket is to be closed.
    pub close: Option<CloseCode>,
}

/// What is told and not kept: how far somebody is, who is writing, who is there.
#[derive(Debug, Clone)]
pub struct News {
    about: UserId,
    frame: ServerFrame,
}

impl News {
    /// News about somebody.
    pub fn new(about: UserId, frame: ServerFrame) -> Self {
        Self { about, frame }
    }

    /// About whom.
    pub fn about(&self) -> &UserId {
        &self.about
    }

    /// What is sent.
    pub fn frame(&self) -> &ServerFrame {
        &self.frame
    }
}

/// What became of an entry that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It waits in the queue.
    Queued,
    /// The queue is full: the socket will read it from the log.
    Behind,
    /// The socket does not read this log: it is told that the log has grown.
    Activity,
    /// News for which there is no room: it is not told.
    Shed,
}

impl Outbox {
    /// An empty one that holds at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: std::sync::Mutex::default(),
            wake: Notify::new(),
            limit,
            opened: Instant::now(),
            heard: AtomicU64::new(0),
        }
    }

    /// One that never falls behind.
    #[cfg(test)]
    pub(crate) fn unbounded() -> Self {
        Self::new(usize::MAX / 2)
    }

    /// From now on the entries of this log are queued.
    pub fn read(&self, log: Log) {
        self.lock().reads.entry(log).or_default();
    }

    /// The socket's person is seen in this log by these people from now on, if it is read.
    pub(super) fn show(&self, log: &Log, people: Arc<[UserId]>) {
        if let Some(seen) = self.lock().reads.get_mut(log) {
            *seen = Some(people);
        }
    }

    /// The logs in which the socket's person is seen, and by whom.
    pub(super) fn shown(&self) -> Vec<(Log, Arc<[UserId]>)> {
        let state = self.lock();
        let seen = state.reads.iter().filter_map(|(log, people)| Some((log.clone(), people.clone()?)));
        seen.collect()
    }

    /// Whether the socket's person is seen in this log by this socket.
    pub(super) fn shows(&self, log: &Log) -> bool {
        self.lock().reads.get(log).is_some_and(Option::is_some)
    }

    /// From now on they are not. What still waits becomes word that the log has grown.
    pub fn unread(&self, log: &Log) {
        let mut state = self.lock();
        let State { reads, waiting, bytes } = &mut *state;
        reads.remove(log);
        waiting.news.retain(|(room, ..), _| *room != log.reference());
        let mut head = None;
        waiting.entries.retain(|encoded| {
            let stays = encoded.entry().log != *log;
            if !stays {
                *bytes -= encoded.size();
                head = Some(encoded.entry().seq);
            }
            stays
        });
        if let Some(head) = waiting.behind.remove(log).or(head) {
            waiting.activity.insert(log.reference(), head);
        }
    }

    /// How many logs are read.
    pub fn reading(&self) -> usize {
        self.lock().reads.len()
    }

    /// Offers an entry. Never waits.
    pub(super) fn offer(&self, encoded: &Arc<EncodedEntry>) -> Offered {
        let entry = encoded.entry();
        let mut state = self.lock();
        let State { reads, waiting, bytes } = &mut *state;
        let offered = if !reads.contains_key(&entry.log) {
            waiting.activity.insert(entry.log.reference(), entry.seq);
            Offered::Activity
        } else if waiting.behind.contains_key(&entry.log) || *bytes + encoded.size() > self.limit {
            waiting.behind.insert(entry.log.clone(), entry.seq);
            Offered::Behind
        } else {
            *bytes += encoded.size();
            waiting.entries.push_back(encoded.clone());
            Offered::Queued
        };
        drop(state);
        self.wake.notify_one();
        offered
    }

    /// Offers news of a log. They are the first to go: when half the bound is taken, they are not told.
    pub(super) fn news(&self, log: &Log, news: &News) -> Offered {
        let mut state = self.lock();
        if !state.reads.contains_key(log) {
            return Offered::Activity;
        }
        let key = (log.reference(), news.about.clone(), std::mem::discriminant(&news.frame));
        let full = state.bytes * 2 > self.limit || state.waiting.news.len() >= NEWS;
        if full && !state.waiting.news.contains_key(&key) {
            return Offered::Shed;
        }
        state.waiting.news.insert(key, news.frame.clone());
        drop(state);
        self.wake.notify_one();
        Offered::Queued
    }

    /// Asks the socket to look again at who is on it.
    pub(super) fn person_changed(&self) {
        self.lock().waiting.person = true;
        self.wake.notify_one();
    }

    /// Whether the socket was asked to look again; it counts as looked.
    pub fn take_person(&self) -> bool {
        std::mem::take(&mut self.lock().waiting.person)
    }

    /// Asks for the socket to be closed.
    pub fn close(&self, code: CloseCode) {
        self.lock().waiting.close = Some(code);
        self.wake.notify_one();
    }

    /// Whether the socket is to be closed.
    pub fn closing(&self) -> Option<CloseCode> {
        self.lock().waiting.close
    }

    /// Returns when something waits.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }

    /// Takes everything that waits.
    pub fn take(&self) -> Waiting {
        let mut state = self.lock();
        state.bytes = 0;
        std::mem::take(&mut state.waiting)
    }

    /// Something came from the client.
    pub fn hear(&self) {
        let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(millis, Ordering::Relaxed);
    }

    /// When something last came from the client.
    pub fn last_heard(&self) -> Instant {
        self.opened + std::time::Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way through a change, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::id::RoomId;
    use anteroom_protocol::log::Hash;
    use anteroom_protocol::time::Time;
    use uuid::Uuid;

    use super::*;
    use crate::domain::log::{LogEntry, Part};

    fn entry(room: u128, seq: u64) -> Arc<EncodedEntry> {
        Arc::new(EncodedEntry::new(Arc::new(LogEntry {
            log: log(room),
            seq,
            kind: "message.posted".into(),
            at: Time::from_micros(0),
            by: None,
            client_id: None,
            hash: Hash::GENESIS,
            public: Part::Whole { salt: [0; 16], json: r#"{"body":"x"}"#.into() },
            private: None,
            policy: 1,
            amended_by: None,
        })))
    }

    fn log(room: u128) -> Log {
        Log::Room(RoomId(Uuid::from_u128(room)))
    }

    #[test]
    fn a_full_outbox_remembers_how_far_the_log_reaches_and_holds_no_more_entries() {
        let outbox = Outbox::new(entry(1, 1).size() * 2);
        outbox.read(log(1));
        let offered: Vec<_> = (1..=5).map(|seq| outbox.offer(&entry(1, seq))).collect();
        assert_eq!(
            offered,
            [Offered::Queued, Offered::Queued, Offered::Behind, Offered::Behind, Offered::Behind]
        );
        let waiting = outbox.take();
        let seqs: Vec<_> = waiting.entries.iter().map(|entry| entry.entry().seq).collect();
        assert_eq!(seqs, [1, 2]);
        assert_eq!(waiting.behind.get(&log(1)), Some(&5));
        assert_eq!(outbox.offer(&entry(1, 6)), Offered::Queued, "after it was emptied there is room again");
    }

    #[test]
    fn regression_what_waits_of_a_log_that_is_left_is_told_as_growth_and_not_forgotten() {
        let outbox = Outbox::new(entry(1, 1).size() * 3);
        outbox.read(log(1));
        outbox.read(log(2));
        for seq in 1..=2 {
            outbox.offer(&entry(1, seq));
        }
        outbox.offer(&entry(2, 1));
        outbox.unread(&log(1));
        assert_eq!(outbox.offer(&entry(2, 2)), Offered::Queued, "there is room again");
        let waiting = outbox.take();
        assert_eq!(waiting.entries.len(), 2);
        assert_eq!(waiting.activity.get(&log(1).reference()), Some(&2));

        outbox.read(log(1));
        for seq in 3..=9 {
            outbox.offer(&entry(1, seq));
        }
        outbox.unread(&log(1));
        let waiting = outbox.take();
        assert!(waiting.entries.is_empty() && waiting.behind.is_empty());
        assert_eq!(waiting.activity.get(&log(1).reference()), Some(&9), "also beyond the bound");
    }

    #[test]
    fn that_the_person_has_changed_is_told_once_however_full_the_outbox_is() {
        let outbox = Outbox::new(0);
        outbox.read(log(1));
        outbox.offer(&entry(1, 1));
        outbox.person_changed();
        outbox.person_changed();
        assert!(outbox.take().person && !outbox.take().person);
        outbox.person_changed();
        assert!(outbox.take_person() && !outbox.take_person() && !outbox.take().person);
    }

    #[test]
    fn a_log_that_is_not_read_is_told_once_with_its_newest_number() {
        let outbox = Outbox::new(1_000_000);
        for seq in 1..=3 {
            assert_eq!(outbox.offer(&entry(2, seq)), Offered::Activity);
        }
        let waiting = outbox.take();
        assert!(waiting.entries.is_empty());
        assert_eq!(waiting.activity.values().copied().collect::<Vec<_>>(), [3]);
    }
}
