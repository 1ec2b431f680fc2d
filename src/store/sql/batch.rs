//! A batch of writes, decided in memory on the logs as they are thought to be, and the rows that come of it. Whether they still were so is
//! for the statement that writes them to say.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::message::MessageAnswer;

use crate::domain::log::{Head, Log, LogEntry, Sealing, seal};
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;
use crate::store::{Answer, Appended, CommitError, DecideEntry, Intent, Moment, Write};

/// A log as the next write will find it.
pub(in crate::store) struct CachedLog {
    /// Its row's id.
    pub(in crate::store) row: i64,
    /// What a write is decided on.
    pub(in crate::store) room: Room,
    /// Its people.
    pub(in crate::store) readers: Arc<[UserId]>,
    /// What counts as unread.
    pub(in crate::store) counts: Counts,
    /// Counts the changes of all that a write is decided on beside the head; where one process alone writes, it is always 0.
    pub(in crate::store) version: i64,
}

/// How many entries that count as unread each author has written; the server's name is empty.
pub(in crate::store) type Counts = BTreeMap<String, u64>;

/// Counts an entry in.
pub(in crate::store) fn count_in(counts: &mut Counts, entry: &LogEntry) {
    if entry.counts() {
        let author = entry.by.as_ref().map_or_else(String::new, ToString::to_string);
        *counts.entry(author).or_default() += 1;
    }
}

/// What an entry is sealed with at this moment.
pub(in crate::store) fn sealing(moment: Moment) -> Sealing {
    let (public_salt, private_salt) = rand::random();
    Sealing { at: moment.now, public_salt, private_salt, policy: moment.policy }
}

/// What a transaction writes.
#[derive(Default)]
pub(in crate::store) struct Rows<'a> {
    /// Entries, in the order of their logs.
    pub(in crate::store) entries: Vec<Pending>,
    /// The commands behind them.
    pub(in crate::store) commands: Vec<NewCommand<'a>>,
    /// The heads of their logs.
    pub(in crate::store) heads: Vec<HeadMove>,
}

/// An entry that is decided and not yet written.
pub(in crate::store) struct Pending {
    pub(in crate::store) log: i64,
    pub(in crate::store) entry: Arc<LogEntry>,
}

/// A command that is decided and not yet written.
pub(in crate::store) struct NewCommand<'a> {
    pub(in crate::store) intent: &'a Intent,
    pub(in crate::store) at: Option<(i64, u64)>,
    pub(in crate::store) answer: Option<String>,
}

/// A log's head before and after, and its counts after.
pub(in crate::store) struct HeadMove {
    pub(in crate::store) log: i64,
    pub(in crate::store) from: Head,
    pub(in crate::store) version: i64,
    pub(in crate::store) to: Head,
    pub(in crate::store) counts: Counts,
}

/// A command that was done before.
#[derive(Clone)]
pub(in crate::store) struct Known {
    pub(in crate::store) mac: Vec<u8>,
    pub(in crate::store) place: Option<(i64, u64)>,
    pub(in crate::store) answer: Option<String>,
}

impl Known {
    /// Whether this is that command again. What a redacted command said is not known any more, so whatever comes under its id is it.
    pub(in crate::store) fn is(&self, intent: &Intent) -> bool {
        self.mac.is_empty() || self.mac == intent.mac
    }
}

/// Commands that were done before, by their author and the author's id.
pub(in crate::store) type KnownCommands = HashMap<(String, ClientId), Known>;

/// What becomes of one write of a batch.
pub(in crate::store) enum Outcome {
    /// It is written, if its log still is what it was decided on.
    New(Appended),
    /// The batch has it twice.
    Repeat(Arc<LogEntry>),
    /// It was done before.
    Known(Known),
    /// Its id stands for another command of this batch, into this log.
    Reused(Log),
    /// It is not done.
    Failed(CommitError),
}

/// A batch that is being decided.
pub(in crate::store) struct Plan<'a> {
    /// The writes, each with its place in what the caller asked for.
    pub(in crate::store) batch: &'a [(usize, &'a Write)],
    /// What of it was done before, as far as that was looked up.
    pub(in crate::store) known: &'a KnownCommands,
    /// The logs, those that exist; after the decisions, as they will be.
    pub(in crate::store) logs: HashMap<Log, CachedLog>,
    moment: Moment,
    decide: DecideEntry<'a>,
    /// What this batch itself does under which id.
    done: HashMap<(&'a str, ClientId), (&'a Intent, Arc<LogEntry>)>,
    /// The heads of the logs before this batch.
    before: HashMap<&'a Log, Head>,
}

impl<'a> Plan<'a> {
    pub(in crate::store) fn new(
        batch: &'a [(usize, &'a Write)],
        known: &'a KnownCommands,
        logs: HashMap<Log, CachedLog>,
        moment: Moment,
        decide: DecideEntry<'a>,
    ) -> Self {
        Self { batch, known, logs, moment, decide, done: HashMap::new(), before: HashMap::new() }
    }

    /// Decides all of it, in turn.
    pub(in crate::store) fn decide_all(&mut self) -> Vec<Outcome> {
        self.batch.iter().map(|(index, write)| self.decide(*index, write)).collect()
    }

    fn decide(&mut self, index: usize, write: &'a Write) -> Outcome {
        let intent = &write.intent;
        if let Some(known) = self.known.get(&(intent.actor.clone(), intent.client_id)) {
            return if known.is(intent) {
                Outcome::Known(known.clone())
            } else {
                Outcome::Failed(CommitError::Reused)
            };
        }
        if let Some((first, entry)) = self.done.get(&(intent.actor.as_str(), intent.client_id)) {
            let same = first.mac == intent.mac;
            return if same { Outcome::Repeat(entry.clone()) } else { Outcome::Reused(entry.log.clone()) };
        }
        let Some(cached) = self.logs.get_mut(&write.log) else {
            return Outcome::Failed(Refusal::NotFound.into());
        };
        match (self.decide)(index, &cached.room) {
            Err(refusal) => Outcome::Failed(refusal.into()),
            Ok(event) => {
                let entry = Arc::new(seal(&write.log, cached.room.head, event, sealing(self.moment)));
                self.before.entry(&write.log).or_insert(cached.room.head);
                cached.room.head = entry.head();
                count_in(&mut cached.counts, &entry);
                self.done.insert((&intent.actor, intent.client_id), (intent, entry.clone()));
                Outcome::New(Appended { entry, readers: cached.readers.clone() })
            }
        }
    }

    /// The rows that these outcomes are.
    pub(in crate::store) fn rows(&self, outcomes: &[Outcome]) -> Rows<'a> {
        let mut rows = Rows::default();
        for ((_, write), outcome) in self.batch.iter().zip(outcomes) {
            if let Outcome::New(appended) = outcome {
                let log = self.logs.get(&write.log).map_or(0, |cached| cached.row);
                rows.entries.push(Pending { log, entry: appended.entry.clone() });
                let at = Some((log, appended.entry.seq));
                rows.commands.push(NewCommand { intent: &write.intent, at, answer: None });
            }
        }
        rows.heads.extend(self.before.iter().filter_map(|(log, before)| {
            let cached = self.logs.get(*log)?;
            Some(HeadMove {
                log: cached.row,
                from: *before,
                version: cached.version,
                to: cached.room.head,
                counts: cached.counts.clone(),
            })
        }));
        rows
    }
}

/// What the author of an entry is told.
pub(in crate::store) fn message_answer(entry: &LogEntry) -> Answer {
    Answer::Message(MessageAnswer {
        room: entry.log.reference(),
        seq: entry.seq,
        at: entry.at,
        hash: entry.hash,
    })
}
