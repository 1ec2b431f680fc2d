//! The commit path: a batch of writes, decided in memory on what this server last knew of their logs, and written by one statement that
//! commits by itself. It locks the logs in the order of their ids, compares, and writes only into those that still are what the decision
//! saw. The others are locked, read, decided again, and written: whoever only compares loses every race to a node that writes into the same
//! log without end, and all that queues behind the attempt would wait with it.
//!
//! So numbers and hashes are known before the write, only a lost race holds a lock across round trips, and whoever was removed or suspended
//! meanwhile does not slip through: phase, people and standing count up the row's version. Which commands were done before is found out by the
//! same statement, because that is rare: their logs are left alone, and the answer comes from what was done.

use std::collections::{HashMap, HashSet};

use anteroom_protocol::id::ClientId;
use sqlx::{Executor as _, FromRow, PgConnection};
use tokio::time::timeout;
use uuid::Uuid;

use super::PostgresStore;
use super::cache::{load, names};
use super::command::repeated;
use super::failure::{self, Failure};
use super::rows::{CommandColumns, EntryColumns, HeadColumns, known, placed_behind};
use super::writing::{DEADLINE, Turn, Writing, late};
use crate::domain::log::Log;
use crate::store::sql::batch::{CachedLog, Known, KnownCommands, Outcome, Plan, Rows, message_answer};
use crate::store::sql::code;
use crate::store::{CommitError, Committed, DecideEntry, Moment, Write};

/// Writes that are not settled yet, each with its place in the batch.
type Items<'a> = Vec<(usize, &'a Write)>;

/// What is known by now of a batch.
struct Batch<'a> {
    store: &'a PostgresStore,
    moment: Moment,
    decide: DecideEntry<'a>,
    known: KnownCommands,
    outcomes: HashMap<usize, Result<Committed, CommitError>>,
}

/// See [`crate::store::Store::commit`].
pub(super) async fn commit(
    store: &PostgresStore,
    batch: &[Write],
    moment: Moment,
    decide: DecideEntry<'_>,
) -> Vec<Result<Committed, CommitError>> {
    let items: Items<'_> = batch.iter().enumerate().collect();
    let mut state = Batch { store, moment, decide, known: KnownCommands::new(), outcomes: HashMap::new() };
    if let Err((left, error)) = state.settle(items).await {
        // One that cannot be written must not be its neighbours' loss.
        state.alone(left, error).await;
    }
    let missing = || Err(CommitError::Busy("nobody settled it".to_owned()));
    (0..batch.len()).map(|index| state.outcomes.remove(&index).unwrap_or_else(missing)).collect()
}

/// How it is made sure that a log is what the decision saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By comparing, in the statement that writes.
    Compare,
    /// By locking it first, in a transaction. Who waits for the lock gets it in turn.
    Lock,
}

/// What one attempt came to.
struct Attempt<'a> {
    /// What has to be decided again.
    left: Items<'a>,
    /// Whether that is because it was done before, which is known now.
    learned: bool,
}

/// What was decided, and what of it is written.
struct Decided {
    logs: HashMap<Log, CachedLog>,
    outcomes: Vec<Outcome>,
    /// The logs that were to be moved.
    asked: HashSet<i64>,
    written: Written,
}

/// Why an attempt wrote nothing that is known of.
struct Missed {
    failure: Failure,
    why: String,
    /// The database has said so, and its session is what it was.
    is_told: bool,
}

impl Missed {
    /// It failed before anything could have been written.
    #[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
    fn before(error: sqlx::Error) -> Self {
        Self { failure: Failure::Nothing, why: error.to_string(), is_told: false }
    }

    /// It failed at a statement that waits for others, writes or commits.
    #[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
    fn at(error: sqlx::Error) -> Self {
        let failure = failure::of(&error);
        Self { failure, why: error.to_string(), is_told: failure != Failure::Unknown }
    }
}

impl<'a> Batch<'a> {
    /// Tries until everything is settled. What is left when something in it cannot be written, and why.
    async fn settle(&mut self, mut items: Items<'a>) -> Result<(), (Items<'a>, CommitError)> {
        let (mut turn, mut way) = (Turn::first(), Way::Compare);
        loop {
            match self.attempt(&items, way).await {
                Ok(Attempt { left, .. }) if left.is_empty() => return Ok(()),
                Ok(Attempt { left, learned }) => {
                    items = left;
                    if learned || std::mem::replace(&mut way, Way::Lock) == Way::Compare {
                        continue;
                    }
                }
                Err(Missed { failure, why, .. }) => match failure {
                    Failure::Lost => {}
                    Failure::Refused => return Err((items, CommitError::Busy(why))),
                    Failure::Nothing => return self.give_up(&items, &CommitError::Busy(why)),
                    Failure::Unknown => return self.give_up(&items, &CommitError::Unknown(why)),
                },
            }
            if !turn.next() {
                let busy = CommitError::Busy("somebody holds the same logs all the time".to_owned());
                return self.give_up(&items, &busy);
            }
            turn.pause().await;
        }
    }

    /// All that is left fails like this.
    fn give_up(&mut self, items: &Items<'a>, error: &CommitError) -> Result<(), (Items<'a>, CommitError)> {
        self.outcomes.extend(items.iter().map(|(index, _)| (*index, Err(error.clone()))));
        Ok(())
    }

    /// Each by itself. What its own author wrote after one that fails into the same log fails with it: written now, it would stand before
    /// its predecessor.
    async fn alone(&mut self, items: Items<'a>, error: CommitError) {
        if let [(index, _)] = items.as_slice() {
            self.outcomes.insert(*index, Err(error));
            return;
        }
        let mut failed: HashMap<(&Log, &str), CommitError> = HashMap::new();
        for (index, write) in items {
            let lane = (&write.log, write.intent.actor.as_str());
            if let Some(error) = failed.get(&lane) {
                self.outcomes.insert(index, Err(error.clone()));
                continue;
            }
            if let Err((_, error)) = self.settle(vec![(index, write)]).await {
                self.outcomes.insert(index, Err(error));
            }
            if let Some(Err(error @ (CommitError::Busy(_) | CommitError::Unknown(_)))) =
                self.outcomes.get(&index)
            {
                failed.insert(lane, error.clone());
            }
        }
    }

    /// Decides and writes once.
    async fn attempt(&mut self, items: &Items<'a>, way: Way) -> Result<Attempt<'a>, Missed> {
        let begun = match way {
            Way::Compare => self.store.writing().await,
            Way::Lock => self.store.begin().await,
        };
        let mut writing = begun.map_err(Missed::before)?;
        let decided = match self.decide_and_write(writing.connection(), items, way).await {
            Ok(decided) => decided,
            Err(missed) => {
                if missed.is_told {
                    match way {
                        Way::Compare => writing.give_back(),
                        Way::Lock => writing.roll_back().await,
                    }
                }
                return Err(missed);
            }
        };
        if way == Way::Lock {
            in_time(writing.connection().execute("COMMIT")).await.map_err(Missed::at)?;
        }
        let Decided { mut logs, outcomes, asked, written } = decided;
        let stands = |log: &Log| logs.get(log).is_some_and(|log| written.moved.contains(&log.row));
        let (mut left, mut repeats) = (Items::new(), Vec::new());
        for ((index, item), outcome) in items.iter().zip(outcomes) {
            match settled(outcome, |log| stands(log.unwrap_or(&item.log))) {
                Settled::Done(outcome) => drop(self.outcomes.insert(*index, outcome)),
                Settled::Before(known) => repeats.push((*index, known)),
                Settled::Again => left.push((*index, item)),
            }
        }
        // What was to be moved and was not, is not what was thought.
        logs.retain(|_, log| !asked.contains(&log.row) || written.moved.contains(&log.row));
        self.store.keep(logs);
        let learned = !written.known.is_empty();
        self.known.extend(written.known);
        self.answer_repeats(writing, repeats).await;
        Ok(Attempt { left, learned })
    }

    /// Decides and writes on this connection.
    async fn decide_and_write(
        &mut self,
        connection: &mut PgConnection,
        items: &Items<'a>,
        way: Way,
    ) -> Result<Decided, Missed> {
        let wanted: HashSet<&Log> = items.iter().map(|(_, write)| &write.log).collect();
        let logs = match way {
            Way::Compare => in_time(self.store.take(connection, &wanted)).await.map_err(Missed::before)?,
            Way::Lock => {
                in_time(lock(connection, &wanted)).await.map_err(Missed::at)?;
                in_time(load(connection, &wanted)).await.map_err(Missed::before)?
            }
        };
        let mut plan = Plan::new(items, &self.known, logs, self.moment, self.decide);
        let mut outcomes = plan.decide_all();
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(CommitError::Refused(_)))) {
            // A refusal is compared with nothing, so it must not rest on what was only remembered, nor be of what was done before.
            let intents = items.iter().map(|(_, write)| &write.intent);
            let done = in_time(known(connection, intents)).await.map_err(Missed::before)?;
            let logs = in_time(load(connection, &wanted)).await.map_err(Missed::before)?;
            self.known.extend(done);
            plan = Plan::new(items, &self.known, logs, self.moment, self.decide);
            outcomes = plan.decide_all();
        }
        let rows = plan.rows(&outcomes);
        let written = in_time(write(connection, &rows, way)).await.map_err(Missed::at)?;
        let asked = rows.heads.iter().map(|head| head.log).collect();
        Ok(Decided { logs: plan.logs, outcomes, asked, written })
    }

    /// Answers what was done before by what it did.
    async fn answer_repeats(&mut self, mut writing: Writing, repeats: Vec<(usize, Known)>) {
        for (index, known) in repeats {
            match in_time(repeated(writing.connection(), &known)).await {
                Ok(committed) => drop(self.outcomes.insert(index, Ok(committed))),
                // The connection is dropped with the rest: what is left is told by `commit` to be tried again.
                Err(_) => return,
            }
        }
        writing.give_back();
    }
}

/// What an outcome means to its author.
enum Settled {
    /// This.
    Done(Result<Committed, CommitError>),
    /// What this did, long ago.
    Before(Known),
    /// It is to be decided again.
    Again,
}

/// `stands`: whether the log of the outcome, or this other one, was what the decision saw.
fn settled(outcome: Outcome, stands: impl Fn(Option<&Log>) -> bool) -> Settled {
    match outcome {
        Outcome::New(appended) if stands(None) => Settled::Done(Ok(Committed {
            answer: message_answer(&appended.entry),
            duplicate: false,
            appended: vec![appended],
        })),
        Outcome::Repeat(entry) if stands(None) => {
            let answer = message_answer(&entry);
            Settled::Done(Ok(Committed { answer, duplicate: true, appended: Vec::new() }))
        }
        Outcome::Reused(log) if stands(Some(&log)) => Settled::Done(Err(CommitError::Reused)),
        Outcome::Failed(error) => Settled::Done(Err(error)),
        Outcome::Known(known) => Settled::Before(known),
        Outcome::New(_) | Outcome::Repeat(_) | Outcome::Reused(_) => Settled::Again,
    }
}

/// Does something on a connection within the time that it may take.
async fn in_time<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(DEADLINE, work).await.unwrap_or_else(|_| Err(late()))
}

/// Locks the rows of these logs, in the order of their ids, until the transaction ends.
async fn lock(connection: &mut PgConnection, wanted: &HashSet<&Log>) -> sqlx::Result<()> {
    let (rooms, owners) = names(wanted);
    let sql = "SELECT 1 FROM logs WHERE room = ANY($1) OR owner = ANY($2) ORDER BY id FOR NO KEY UPDATE";
    sqlx::query(sql).bind(rooms).bind(owners).execute(connection).await.map(drop)
}

/// What the statement found and did.
#[derive(Default)]
struct Written {
    /// The logs that were what the decision saw, and hold its entries now.
    moved: HashSet<i64>,
    /// Commands that were done before.
    known: KnownCommands,
}

/// A log that was written into, or a command that was done before.
#[derive(FromRow)]
struct Row {
    moved: Option<i64>,
    actor: Option<String>,
    client_id: Option<Uuid>,
    mac: Option<Vec<u8>>,
    log: Option<i64>,
    seq: Option<i64>,
    answer: Option<String>,
}

/// The statement that writes, with a column more of each entry, and what stands in it.
///
/// The row locks are taken by `locked`, in the order of the ids. Where one has to be waited for, its conditions are looked at again on the row
/// as it is by then, and all of them are about that row alone.
macro_rules! write_sql {
    ($column:literal, $value:expr) => {
        concat!("
    WITH head AS (
        SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[])
            AS h (log, was, version, seq, hash, counts)),
    command AS (
        SELECT * FROM unnest($7::text[], $8::uuid[], $9::bytea[], $10::bigint[], $11::bigint[], $12::text[])
            AS c (actor, client_id, mac, log, seq, answer)),
    known AS MATERIALIZED (
        SELECT k.actor, k.client_id, k.mac, k.log, k.seq, k.answer, c.log AS meant
        FROM command c JOIN commands k ON k.actor = c.actor AND k.client_id = c.client_id),
    locked AS MATERIALIZED (
        SELECT l.id FROM logs l JOIN head h ON h.log = l.id
        WHERE l.hash = h.was AND l.version = h.version AND l.id NOT IN (SELECT meant FROM known)
        ORDER BY l.id FOR NO KEY UPDATE OF l),
    moved AS (
        UPDATE logs l SET seq = h.seq, hash = h.hash, counts = h.counts FROM head h
        WHERE l.id = h.log AND l.id IN (SELECT id FROM locked) RETURNING l.id),
    written AS (
        INSERT INTO entries (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy", $column, ")
        SELECT e.*", $value, " FROM unnest($13::bigint[], $14::bigint[], $15::text[], $16::bigint[], $17::text[], $18::uuid[], $19::bytea[],
                             $20::bytea[], $21::text[], $22::bytea[], $23::text[], $24::bigint[])
            AS e (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy)
        WHERE e.log IN (SELECT id FROM moved)),
    kept AS (
        INSERT INTO commands (actor, client_id, mac, log, seq, answer)
        SELECT actor, client_id, mac, log, seq, answer FROM command c WHERE c.log IN (SELECT id FROM moved))
    SELECT id AS moved, NULL::text AS actor, NULL::uuid AS client_id, NULL::bytea AS mac, NULL::bigint AS log, NULL::bigint AS seq,
           NULL::text AS answer FROM moved
    UNION ALL SELECT NULL, actor, client_id, mac, log, seq, answer FROM known")
    };
}

impl Way {
    /// How is written. Who compares decided on what was committed before the statement began, so every transaction that wrote into these logs
    /// has a lower number; who locked and waited may have a lower one than the transaction that was waited for ([`placed_behind`]).
    fn sql(self) -> &'static str {
        match self {
            Self::Compare => write_sql!("", ""),
            Self::Lock => write_sql!(", tx", concat!(", ", placed_behind!())),
        }
    }
}

/// Writes rows, and finds which of their commands were done before.
async fn write(connection: &mut PgConnection, rows: &Rows<'_>, way: Way) -> sqlx::Result<Written> {
    let mut written = Written::default();
    if rows.heads.is_empty() {
        return Ok(written);
    }
    let heads = HeadColumns::of(&rows.heads)?;
    let commands = CommandColumns::of(&rows.commands);
    let entries = EntryColumns::of(&rows.entries);
    let found: Vec<Row> = sqlx::query_as(way.sql())
        .bind(heads.log)
        .bind(heads.was)
        .bind(heads.version)
        .bind(heads.seq)
        .bind(heads.hash)
        .bind(heads.counts)
        .bind(commands.actor)
        .bind(commands.client_id)
        .bind(commands.mac)
        .bind(commands.log)
        .bind(commands.seq)
        .bind(commands.answer)
        .bind(entries.log)
        .bind(entries.seq)
        .bind(entries.kind)
        .bind(entries.at)
        .bind(entries.by)
        .bind(entries.client_id)
        .bind(entries.hash)
        .bind(entries.public_salt)
        .bind(entries.public)
        .bind(entries.private_salt)
        .bind(entries.private)
        .bind(entries.policy)
        .fetch_all(connection)
        .await?;
    for row in found {
        written.moved.extend(row.moved);
        if let (Some(actor), Some(client_id), Some(mac)) = (row.actor, row.client_id, row.mac) {
            let place = row.log.zip(row.seq.map(code::count).transpose()?);
            written.known.insert((actor, ClientId(client_id)), Known { mac, place, answer: row.answer });
        }
    }
    Ok(written)
}
