//! What a scenario writes its history with while it runs: into memory, because client and server share a machine and its disk.
//!
//! A [`ClientLog`] is one client's. Writing takes a clock reading and an uncontended lock; names are looked up once, beforehand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::{ClientId, RoomRef, UserId};
use anteroom_protocol::log::chain_name;
use anteroom_protocol::room::{Cursor, Joined};
use serde::Deserialize;

use super::Logs;
use super::record::{Cid, Digest, Join, Names, Nanos, Record, Recv, Role, Room, User, Via, What, Word};
use crate::client::Posted;

/// The logs of a run while they are written. Clones are the same recorder.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    names: Mutex<Names>,
    logs: Mutex<Vec<Arc<Mutex<Vec<Record>>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Records are pushed whole: what a panicking writer left is still a log.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// Starts the clock of a run.
    pub fn new() -> Self {
        let (names, logs) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { began: Instant::now(), names, logs }))
    }

    /// The time of the run.
    pub fn now(&self) -> Nanos {
        u64::try_from(self.0.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The name of a log, as this reader calls it.
    pub fn room(&self, room: RoomRef, reader: &UserId) -> Room {
        lock(&self.0.names).room(&chain_name(room, reader))
    }

    /// The name of a person.
    pub fn user(&self, user: &UserId) -> User {
        lock(&self.0.names).user(user.as_str())
    }

    /// A kind, an error code, the name of a client.
    pub fn word(&self, text: &str) -> Word {
        lock(&self.0.names).word(text)
    }

    /// A log for what belongs to no client: the plan, faults, memberships.
    pub fn loose(&self) -> ClientLog {
        let records = Arc::default();
        lock(&self.0.logs).push(Arc::clone(&records));
        ClientLog { recorder: self.clone(), records }
    }

    /// A log of this client.
    pub fn client(&self, name: &str, user: Option<&UserId>, role: Role) -> ClientLog {
        let log = self.loose();
        let user = user.map(|user| self.user(user));
        log.note(0, What::Start { client: self.word(name), user, role });
        log
    }

    /// Everything that was written so far.
    pub fn logs(&self) -> Logs {
        let open = lock(&self.0.logs);
        let logs = open.iter().map(|records| std::mem::take(&mut *lock(records)));
        Logs { logs: logs.filter(|log| !log.is_empty()).collect(), names: lock(&self.0.names).clone() }
    }
}

/// The log of one client. Clones write into the same log.
#[derive(Debug, Clone)]
pub struct ClientLog {
    recorder: Recorder,
    records: Arc<Mutex<Vec<Record>>>,
}

impl ClientLog {
    /// The run it belongs to.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Writes down what happened just now, on this connection (0: the latest).
    pub fn note(&self, n: u32, what: What) {
        let mut records = lock(&self.records);
        let i = u32::try_from(records.len()).unwrap_or(u32::MAX);
        // Under the lock, so that times rise with places.
        let t = self.recorder.now();
        records.push(Record { t, i, n, what });
    }

    /// Writes down that a log was joined at this cursor, which was asked for at `began`.
    pub fn joined(&self, n: u32, room: Room, cursor: &Cursor, answer: &Joined, began: Nanos) {
        let (after, mode, head) = (cursor.after, answer.mode, answer.head);
        self.note(n, What::Join(Join { room, after, mode, head, began }));
    }

    /// Writes down that a message is about to be posted, for the first time or again.
    pub fn posting(&self, n: u32, room: Room, client_id: ClientId, body: &str) {
        let (kind, digest) = (self.recorder.word("message.post"), Digest::of_body(body));
        self.note(n, What::Invoke { room, cid: client_id.into(), kind, digest });
    }

    /// Writes down that it was acknowledged.
    pub fn posted(&self, n: u32, room: Room, client_id: ClientId, answer: &Posted) {
        let (seq, hash, dup) = (answer.seq, answer.hash.into(), answer.duplicate);
        self.note(n, What::Ok { room, cid: client_id.into(), seq, hash, dup });
    }

    /// Writes down an entry that came.
    pub fn entry(&self, n: u32, room: Room, via: Via, entry: &EntryFrame) {
        let by = entry.by.as_ref().map(|by| self.recorder.user(by));
        let part = Part::read(entry.data.get());
        let recv = Recv {
            room,
            seq: entry.seq,
            hash: entry.hash.into(),
            cid: entry.client_id.map(Into::into),
            by,
            kind: self.recorder.word(&entry.kind),
            digest: part.digest(),
            version: part.version,
            via,
        };
        self.note(n, What::Recv(recv));
    }

    /// Writes down that a command was refused.
    pub fn refused(&self, n: u32, cid: Cid, error: &ErrorBody) {
        let code = self.recorder.word(error.code.as_str());
        self.note(n, What::Nack { cid, code, retry: error.retryable });
    }

    /// Closes the log: nothing is missing from it.
    pub fn end(self) {
        self.note(0, What::End);
    }
}

/// Whether an error answer leaves open if the command was carried out.
pub(super) fn leaves_open(code: &str) -> bool {
    [ErrorCode::Unknown, ErrorCode::Internal].iter().any(|open| open.as_str() == code)
}

/// As much of an entry's public part as is compared.
#[derive(Debug, Default, Deserialize)]
pub struct Part<'a> {
    #[serde(borrow, default)]
    body: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    version: u32,
    #[serde(borrow, default)]
    hash: Option<std::borrow::Cow<'a, str>>,
}

impl<'a> Part<'a> {
    /// Reads it; what has neither body nor version is as good as empty.
    pub fn read(data: &'a str) -> Self {
        serde_json::from_str(data).unwrap_or_default()
    }

    /// The digest of a message's body, or the hash of terms.
    pub fn digest(&self) -> Digest {
        match (&self.body, &self.hash) {
            (Some(body), _) => Digest::of_body(body),
            (None, Some(hash)) => {
                hash.parse().map_or(Digest::NONE, |hash: anteroom_protocol::log::Hash| hash.into())
            }
            (None, None) => Digest::NONE,
        }
    }

    /// The version of the terms; 0: none.
    pub fn version(&self) -> u32 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_several_threads_write_has_no_hole_and_its_times_rise() {
        let recorder = Recorder::new();
        let log = recorder.client("a", None, Role::Client);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let log = log.clone();
                scope.spawn(move || (0..500).for_each(|_| log.note(1, What::Conn)));
            }
        });
        log.end();
        let logs = recorder.logs();
        let [records] = logs.logs.as_slice() else { panic!("one log, not {}", logs.logs.len()) };
        assert_eq!(records.len(), 2_002);
        assert!(records.iter().zip(0..).all(|(record, i)| record.i == i));
        assert!(records.is_sorted_by_key(|record| record.t));
        assert_eq!(records.last().map(|record| &record.what), Some(&What::End));
    }

    #[test]
    fn of_an_entry_the_body_is_kept_as_a_digest_and_the_terms_as_their_hash() {
        let digest = Part::read(r#"{"body":"caf\u00e9"}"#).digest();
        assert_eq!(digest, Digest::of_body("café"));
        assert_ne!(digest, Digest::of_body("cafe"));
        let hash = "ab".repeat(32);
        let terms = format!(r#"{{"version":3,"hash":"{hash}","terms":{{}}}}"#);
        let terms = Part::read(&terms);
        assert_eq!((terms.version(), terms.digest()), (3, Digest([0xAB; 16])));
        assert_eq!(Part::read(r#"{"phase":"active"}"#).digest(), Digest::NONE);
    }
}
