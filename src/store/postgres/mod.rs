//! The store on PostgreSQL: any number of servers on one database, each with some writing connections and some reading ones.
//!
//! A commit is one statement that decides by comparison whether what it was decided on still stands (`commit`). Rarer work runs in
//! transactions of a few statements, in which rows are locked in one order: the job, the candidacy, the room, the inboxes. Nothing ever
//! cancels a statement that may be committing: a connection that takes too long is dropped, and what came of it is unknown.

mod cache;
mod change;
mod commit;
mod dialect;
mod failure;
mod filling;
mod lookback;
mod open;
mod renumber;
mod rows;
mod search;
mod statement;
mod writing;

#[path = "../queries/archive.rs"]
mod archive;
#[path = "../queries/candidacy.rs"]
mod candidacy;
#[path = "../queries/case.rs"]
mod case;
#[path = "../queries/case_room.rs"]
mod case_room;
#[path = "../queries/chain.rs"]
mod chain;
#[path = "../queries/command.rs"]
mod command;
#[path = "../queries/contract.rs"]
mod contract;
#[path = "../queries/event.rs"]
mod event;
#[path = "../queries/fee.rs"]
mod fee;
#[path = "../queries/invitation.rs"]
mod invitation;
#[path = "../queries/job.rs"]
mod job;
#[path = "../queries/ledger.rs"]
mod ledger;
#[path = "../queries/log.rs"]
mod log;
#[path = "../queries/marker.rs"]
mod marker;
#[path = "../queries/marketplace.rs"]
mod marketplace;
#[path = "../queries/message.rs"]
mod message;
#[path = "../queries/offer.rs"]
mod offer;
#[path = "../queries/proposal.rs"]
mod proposal;
#[path = "../queries/push.rs"]
mod push;
#[path = "../queries/push_finding.rs"]
mod push_finding;
#[path = "../queries/report.rs"]
mod report;
#[path = "../queries/room.rs"]
mod room;
#[path = "../queries/terms.rs"]
mod terms;
#[path = "../queries/timer.rs"]
mod timer;
#[path = "../queries/transcript.rs"]
mod transcript;
#[path = "../queries/user.rs"]
mod user;
#[path = "../queries/views.rs"]
mod views;
#[path = "../queries/webhook.rs"]
mod webhook;
#[path = "../queries/webhook_round.rs"]
mod webhook_round;
#[path = "../queries/webhook_settle.rs"]
mod webhook_settle;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use anteroom_protocol::id::{CandidacyId, RoomId, UserId};
use async_trait::async_trait;
use lru::LruCache;
use sqlx::{PgPool, Row as _};
use tokio::sync::{Notify, Semaphore};

use self::candidacy::Task;
use self::dialect::transact;
pub use self::filling::Target;
pub use self::open::{OpenError, Settings, Version, migrate, version};
use super::{
    Appended, Archive, CaseKey, CommitError, Committed, DecideAmendment, DecideCase, DecideEach, DecideEntry,
    Found, Growth, Intent, LookBack, Mark, Marked, Moment, Page, Position, Store, StoreError, Write,
};
use crate::domain::log::Log;
use crate::store::sql::batch::CachedLog;

/// Logs whose head and members stay in memory.
const CACHED_LOGS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// The database, to be read alone, beside the servers that write it.
///
/// # Errors
/// It cannot be reached, or its tables are not those this server knows.
pub async fn archive(settings: &Settings) -> Result<impl Archive + use<>, OpenError> {
    open::must_be_known(settings).await?;
    let (_, readers) = open::pools(&Settings { writers: 1, readers: 1, ..settings.clone() }).await?;
    Ok(archive::Readers(readers))
}

/// The store on one PostgreSQL database.
pub struct PostgresStore {
    writers: PgPool,
    readers: PgPool,
    /// Logs as this process last knew them. Any of them may have changed since: a write into it is compared with what it is by then.
    logs: Mutex<LruCache<Log, CachedLog>>,
    searches: Semaphore,
    /// Woken when a connection was given up of which nobody knows what it did last.
    doubt: Arc<Notify>,
}

impl PostgresStore {
    /// Opens the database, and brings its tables up to date.
    ///
    /// # Errors
    /// It cannot be reached or used, or was written by a newer version that this one cannot work beside.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        open::migrate(settings).await?;
        open::renumber(settings).await?;
        let (writers, readers) = open::pools(settings).await?;
        // A search can be long, and hellos and pages need the same readers.
        let searches = Semaphore::new((settings.readers as usize / 2).max(1));
        let logs = Mutex::new(LruCache::new(CACHED_LOGS));
        Ok(Self { writers, readers, logs, searches, doubt: Arc::default() })
    }

    fn logs(&self) -> std::sync::MutexGuard<'_, LruCache<Log, CachedLog>> {
        // Nothing under this lock can panic half-way through a change, so what is poisoned is still whole.
        self.logs.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn commit(
        &self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Vec<Result<Committed, CommitError>> {
        commit::commit(self, batch, moment, decide).await
    }

    async fn change(
        &self,
        intent: Option<&Intent>,
        key: &CaseKey,
        moment: Moment,
        decide: DecideCase<'_>,
    ) -> Result<Committed, CommitError> {
        let task = Task::One(key, decide);
        transact!(self, connection => candidacy::change(connection, intent, moment, &task))
    }

    async fn change_each(
        &self,
        intent: Option<&Intent>,
        candidacies: &[CandidacyId],
        moment: Moment,
        decide: DecideEach<'_>,
    ) -> Result<Committed, CommitError> {
        let task = Task::Each(candidacies, decide);
        transact!(self, connection => candidacy::change(connection, intent, moment, &task))
    }

    async fn amend(
        &self,
        write: &Write,
        target: u64,
        moment: Moment,
        decide: DecideAmendment<'_>,
    ) -> Result<Committed, CommitError> {
        let done: Result<_, CommitError> =
            transact!(self, connection => message::amend(connection, write, target, moment, decide));
        done.map(|(committed, _)| committed)
    }

    async fn mark(&self, marks: &[Mark]) -> Vec<Result<Marked, CommitError>> {
        let done = transact!(self, connection => marker::mark(connection, marks));
        done.unwrap_or_else(|error: CommitError| marks.iter().map(|_| Err(error.clone())).collect())
    }

    async fn changes(
        &self,
        reader: &UserId,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Growth, StoreError> {
        change::changes(&self.readers, reader, after, limit).await
    }

    async fn changes_end(&self) -> Result<Position, StoreError> {
        Ok(change::end(&self.readers).await?.position())
    }

    fn heard(&self, entries: &[Appended]) {
        self.hear(entries);
    }

    async fn until_doubt(&self) {
        self.doubt.notified().await;
    }

    async fn look_back(&self, after: Option<Position>, people: &[UserId]) -> Result<LookBack, StoreError> {
        Ok(lookback::look_back(&self.readers, after, people).await?)
    }

    async fn search(
        &self,
        reader: &UserId,
        room: Option<RoomId>,
        words: &[String],
        page: Page<Position>,
    ) -> Result<Found, StoreError> {
        let _turn = self.searches.acquire().await;
        search::search(&self.readers, reader, room, words, page).await
    }

    async fn index(&self, limit: u32) -> Result<bool, StoreError> {
        transact!(self, connection => search::index(connection, limit))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let sql = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'";
        let row = sqlx::query(sql).fetch_one(&self.writers).await?;
        if row.try_get(0)? {
            return Err(StoreError::Database("the database takes no writes".to_owned()));
        }
        Ok(())
    }
}
