//! The commit path: a batch of writes, decided in memory on what this server last knew of their logs, and written by one statement that
//! commits by itself. It locks the logs in the order of their ids, compares, and writes only into those that still are what the decision
//! saw. The others are locked, read, decided again, and written: whoever only compares loses every race to a node that writes into the same
//! log without end, and all that queues behind the attempt would wait with it.
//!
//! So numbers and hashes are known before the write, only a lost race holds a lock across round trips, and whoever was removed or suspended
//! meanwhile does not slip through: phase, people and standing count up the row's version. Which commands were done before is found out by the
//! same statement, because that is rare: their logs are left alone, and the answer comes from what was done.

use std::collections::{HashMap, HashSet};

use sqlx::{Executor as _, PgConnection};
use tokio::time::timeout;

use super::PostgresStore;
use super::cache::{load, names};
use super::command::repeated;
use super::failure::{self, Failure};
use super::rows::known;
use super::statement::{Way, Written, write};
use super::writing::{DEADLINE, Turn, Writing, late};
use crate::domain::log::Log;
use crate::store::sql::batch::{CachedLog, Known, KnownCommands, Outcome, Plan, message_answer};
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
