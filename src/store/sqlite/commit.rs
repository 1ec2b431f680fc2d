//! The commit path: a batch of writes, decided in memory on the heads of their logs, written set by set in one transaction.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::message::MessageAnswer;
use lru::LruCache;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::rows::{
    Counts, HeadMove, Known, NewCommand, Pending, Rows, busy, count_in, known, sealing, write_all,
};
use super::{code, log as sql_log};
use crate::domain::log::{Head, Log, LogEntry, seal};
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;
use crate::store::{
    Answer, Appended, CommitError, Committed, DecideEntry, Intent, Moment, StoreError, Write,
};

/// Logs whose head and members stay in memory.
const CACHED_LOGS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// The one connection that writes, and what it remembers.
pub(super) struct Writer {
    pub(super) connection: SqliteConnection,
    options: SqliteConnectOptions,
    logs: LruCache<Log, CachedLog>,
    /// Something failed on the connection. After a failed COMMIT nobody knows what state it is in (SQLite may have rolled back by
    /// itself, and the library then counts a transaction that is gone), so it is not used again.
    suspect: bool,
    /// Something that was deleted may still stand in the write-ahead log; so it may after a start.
    pub(super) leftovers: bool,
}

/// A log as the next write will find it.
pub(super) struct CachedLog {
    pub(super) row: i64,
    pub(super) room: Room,
    pub(super) readers: Arc<[UserId]>,
    pub(super) counts: Counts,
}

/// An error that knows whose failure it is.
pub(super) trait Failure {
    /// The database failed. Otherwise it worked, and something was refused.
    fn is_the_databases(&self) -> bool;
}

impl Failure for StoreError {
    fn is_the_databases(&self) -> bool {
        matches!(self, Self::Database(_))
    }
}

impl Failure for CommitError {
    fn is_the_databases(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Unknown(_))
    }
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        Self { connection, options, logs: LruCache::new(CACHED_LOGS), suspect: false, leftovers: true }
    }

    /// Puts a new connection in the place of a suspect one. What was remembered is forgotten with it.
    pub(super) async fn heal(&mut self) -> sqlx::Result<()> {
        if self.suspect {
            let fresh = self.options.connect().await?;
            let failed = std::mem::replace(&mut self.connection, fresh);
            self.forget_all();
            self.suspect = false;
            tracing::warn!("the writing connection failed and was replaced");
            // What it still had open ends with it, whatever it answers.
            drop(failed.close_hard().await);
        }
        Ok(())
    }

    /// Lets an outcome pass, and distrusts the connection when it was the database that failed. Whatever is done on the connection ends
    /// here.
    pub(super) fn judge<T, E: Failure>(&mut self, done: Result<T, E>) -> Result<T, E> {
        self.suspect |= done.as_ref().is_err_and(|error| error.is_the_databases());
        done
    }

    /// Forgets a log, because something outside the commit path changed it.
    pub(super) fn forget(&mut self, log: &Log) {
        self.logs.pop(log);
    }

    /// Forgets every log, because a person's standing changed.
    pub(super) fn forget_all(&mut self) {
        self.logs.clear();
    }

    /// See [`crate::store::Store::commit`].
    pub(super) async fn commit(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Vec<Result<Committed, CommitError>> {
        match self.attempt(batch, moment, decide).await {
            Ok(outcomes) => outcomes,
            // Certainly not written: decided again, each for itself, on what is in the database now.
            Err(CommitError::Busy(_)) => self.alone(batch, moment, decide).await,
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Each of a batch that failed by itself, so that whatever is wrong with one is not its neighbours' loss. What its own author wrote
    /// after it into the same log fails with it: written now, it would stand before its predecessor.
    async fn alone(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Vec<Result<Committed, CommitError>> {
        let mut failed: HashMap<(&Log, &str), CommitError> = HashMap::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for (index, write) in batch.iter().enumerate() {
            let lane = (&write.log, write.intent.actor.as_str());
            if let Some(error) = failed.get(&lane) {
                outcomes.push(Err(error.clone()));
                continue;
            }
            let decide_one = |_: usize, room: &Room| decide(index, room);
            let outcome = match self.attempt(std::slice::from_ref(write), moment, &decide_one).await {
                Ok(mut outcome) => outcome.remove(0),
                Err(error) => Err(error),
            };
            if let Err(error @ (CommitError::Busy(_) | CommitError::Unknown(_))) = &outcome {
                failed.insert(lane, error.clone());
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn attempt(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Result<Vec<Result<Committed, CommitError>>, CommitError> {
        self.heal().await.map_err(busy)?;
        let written = self.write(batch, moment, decide).await;
        let outcomes = self.judge(written)?;
        let mut answers = Vec::with_capacity(batch.len());
        for outcome in outcomes {
            let answer = self.answer(outcome).await;
            answers.push(self.judge(answer));
        }
        Ok(answers)
    }

    /// Decides a batch, and writes what comes of it.
    async fn write(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Result<Vec<Outcome>, CommitError> {
        let known =
            known(&mut self.connection, batch.iter().map(|write| &write.intent)).await.map_err(busy)?;
        for write in batch {
            self.remember(&write.log).await.map_err(busy)?;
        }
        let mut plan = Plan { known, batch, moment, decide, done: HashMap::new(), before: HashMap::new() };
        let outcomes: Vec<_> = (0..batch.len()).map(|index| plan.decide(index, &mut self.logs)).collect();
        let rows = plan.rows(&outcomes, &self.logs);
        if !rows.entries.is_empty() {
            // When this fails, the logs in memory are ahead of the database; they are forgotten with the connection.
            write_all(&mut self.connection, &rows).await?;
        }
        Ok(outcomes)
    }

    async fn answer(&mut self, outcome: Outcome) -> Result<Committed, CommitError> {
        match outcome {
            Outcome::New(appended) => Ok(Committed {
                answer: message_answer(&appended.entry),
                duplicate: false,
                appended: vec![appended],
            }),
            Outcome::Repeat(entry) => {
                Ok(Committed { answer: message_answer(&entry), duplicate: true, appended: Vec::new() })
            }
            Outcome::Known(known) => repeated(&mut self.connection, &known).await.map_err(busy),
            Outcome::Failed(error) => Err(error),
        }
    }

    /// Makes sure that a log which exists is in memory, and as the one used last: the next log of the same batch must not push it out.
    async fn remember(&mut self, log: &Log) -> sqlx::Result<()> {
        if self.logs.get(log).is_some() {
            return Ok(());
        }
        if let Some(loaded) = sql_log::load(&mut self.connection, log).await? {
            self.logs.put(log.clone(), loaded);
        }
        Ok(())
    }
}

/// What becomes of one write of a batch.
enum Outcome {
    New(Appended),
    Repeat(Arc<LogEntry>),
    Known(Known),
    Failed(CommitError),
}

struct Plan<'a> {
    known: HashMap<(String, ClientId), Known>,
    batch: &'a [Write],
    moment: Moment,
    decide: DecideEntry<'a>,
    /// What this batch itself does under which id.
    done: HashMap<(&'a str, ClientId), (usize, Arc<LogEntry>)>,
    /// The heads of the logs before this batch.
    before: HashMap<&'a Log, Head>,
}

impl<'a> Plan<'a> {
    fn decide(&mut self, index: usize, logs: &mut LruCache<Log, CachedLog>) -> Outcome {
        let batch: &'a [Write] = self.batch;
        let write = &batch[index];
        let intent = &write.intent;
        if let Some(known) = self.known.get(&(intent.actor.clone(), intent.client_id)) {
            return if known.is(intent) {
                Outcome::Known(known.clone())
            } else {
                Outcome::Failed(CommitError::Reused)
            };
        }
        if let Some((first, entry)) = self.done.get(&(intent.actor.as_str(), intent.client_id)) {
            let same = self.batch[*first].intent.mac == intent.mac;
            return if same { Outcome::Repeat(entry.clone()) } else { Outcome::Failed(CommitError::Reused) };
        }
        let Some(cached) = logs.get_mut(&write.log) else {
            return Outcome::Failed(Refusal::NotFound.into());
        };
        match (self.decide)(index, &cached.room) {
            Err(refusal) => Outcome::Failed(refusal.into()),
            Ok(event) => {
                let entry = Arc::new(seal(&write.log, cached.room.head, event, sealing(self.moment)));
                self.before.entry(&write.log).or_insert(cached.room.head);
                cached.room.head = entry.head();
                count_in(&mut cached.counts, &entry);
                self.done.insert((&intent.actor, intent.client_id), (index, entry.clone()));
                Outcome::New(Appended { entry, readers: cached.readers.clone() })
            }
        }
    }

    /// The rows that these outcomes are.
    fn rows(&self, outcomes: &[Outcome], logs: &LruCache<Log, CachedLog>) -> Rows<'a> {
        let mut rows = Rows::default();
        for (write, outcome) in self.batch.iter().zip(outcomes) {
            if let Outcome::New(appended) = outcome {
                let log = logs.peek(&write.log).map_or(0, |cached| cached.row);
                rows.entries.push(Pending { log, entry: appended.entry.clone() });
                let at = Some((log, appended.entry.seq));
                rows.commands.push(NewCommand { intent: &write.intent, at, answer: None });
            }
        }
        rows.heads.extend(self.before.iter().filter_map(|(log, before)| {
            let cached = logs.peek(*log)?;
            let (from, to) = (before.seq, cached.room.head);
            Some(HeadMove { log: cached.row, from, to, counts: cached.counts.clone() })
        }));
        rows
    }
}

pub(super) fn message_answer(entry: &LogEntry) -> Answer {
    Answer::Message(MessageAnswer {
        room: entry.log.reference(),
        seq: entry.seq,
        at: entry.at,
        hash: entry.hash,
    })
}

/// The answer of a command that was done before; refuses when the id stands for another command.
pub(super) async fn repeat(
    connection: &mut SqliteConnection,
    intent: &Intent,
) -> Result<Option<Committed>, CommitError> {
    let mut known = known(connection, std::iter::once(intent)).await.map_err(busy)?;
    match known.remove(&(intent.actor.clone(), intent.client_id)) {
        None => Ok(None),
        Some(known) if !known.is(intent) => Err(CommitError::Reused),
        Some(known) => repeated(connection, &known).await.map(Some).map_err(busy),
    }
}

async fn repeated(connection: &mut SqliteConnection, known: &Known) -> sqlx::Result<Committed> {
    let answer = match (&known.answer, known.place) {
        (Some(answer), _) => code::json::<Answer>(answer)?,
        (None, Some((log, seq))) => message_answer(&sql_log::entry(connection, log, seq).await?),
        (None, None) => return Err(code::damaged("a command without an answer")),
    };
    Ok(Committed { answer, duplicate: true, appended: Vec::new() })
}
