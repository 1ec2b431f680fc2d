//! The one connection that writes, and what it remembers of the logs it wrote last.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use lru::LruCache;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, Sqlite, SqliteConnection, Transaction,
};

use super::open::BUSY_TIMEOUT;
use crate::domain::log::Log;
use crate::store::sql::batch::CachedLog;
use crate::store::sql::work::{Done, Failed, Forget, Outcome};
use crate::store::{CommitError, StoreError};

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

/// How a transaction ended.
pub(super) enum Ended<T> {
    /// Its commit was sent: what came of it, and what is not any more as it was remembered.
    Sent(Result<T, sqlx::Error>, Forget),
    /// It was given up.
    Not(Failed),
}

/// Commits what was done, or gives it up.
pub(super) async fn end<T>(transaction: Transaction<'_, Sqlite>, done: Result<Done<T>, Failed>) -> Ended<T> {
    match done {
        Err(failed) => Ended::Not(failed),
        Ok(Done { value, forget }) => Ended::Sent(transaction.commit().await.map(|()| value), forget),
    }
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        Self { connection, options, logs: LruCache::new(CACHED_LOGS), suspect: false, leftovers: true }
    }

    /// Begins a transaction, on a connection that can be trusted.
    pub(super) async fn begin(&mut self) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
        self.heal().await?;
        self.connection.begin_with("BEGIN IMMEDIATE").await
    }

    /// What the transaction that has ended means to who asked for it.
    pub(super) fn settle<T, E: Outcome + Failure>(&mut self, ended: Ended<T>) -> Result<T, E> {
        let outcome = match ended {
            Ended::Not(failed) => Err(E::from(failed)),
            Ended::Sent(committed, forget) => {
                // Also when the outcome is unknown: then nobody knows where these logs end.
                match forget {
                    Forget::Logs(logs) => logs.iter().for_each(|log| drop(self.logs.pop(log))),
                    Forget::All => self.logs.clear(),
                }
                committed.map_err(E::unknown)
            }
        };
        self.judge(outcome)
    }

    /// Puts a new connection in the place of a suspect one. What was remembered is forgotten with it.
    pub(super) async fn heal(&mut self) -> sqlx::Result<()> {
        if self.suspect {
            let fresh = self.options.connect().await?;
            let failed = std::mem::replace(&mut self.connection, fresh);
            self.logs.clear();
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

    /// Takes these logs, those that exist, out of memory or from the database. They are given back with [`Writer::keep`].
    pub(super) async fn take<'a>(
        &mut self,
        logs: impl Iterator<Item = &'a Log>,
    ) -> sqlx::Result<HashMap<Log, CachedLog>> {
        let mut taken = HashMap::new();
        for log in logs {
            if taken.contains_key(log) {
                continue;
            }
            let cached = match self.logs.pop(log) {
                Some(cached) => Some(cached),
                None => super::log::load_locked(&mut self.connection, log).await?,
            };
            if let Some(cached) = cached {
                taken.insert(log.clone(), cached);
            }
        }
        Ok(taken)
    }

    /// Remembers logs as they are from now on.
    pub(super) fn keep(&mut self, logs: HashMap<Log, CachedLog>) {
        for (log, cached) in logs {
            self.logs.put(log, cached);
        }
    }

    /// What was deleted stands in the write-ahead log until that is written over: it is moved into the database, and the file is cut off. A
    /// reader may be in the way, and is not waited for: then it is done another time.
    pub(super) async fn wipe(&mut self) -> Result<(), StoreError> {
        self.heal().await?;
        if self.leftovers {
            let emptied = empty_the_log_ahead(&mut self.connection).await.map_err(StoreError::from);
            self.leftovers = !self.judge(emptied)?;
        }
        Ok(())
    }
}

async fn empty_the_log_ahead(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    sqlx::query("PRAGMA busy_timeout = 0").execute(&mut *connection).await?;
    let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
    let patience = AssertSqlSafe(format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis()));
    sqlx::query(patience).execute(&mut *connection).await?;
    Ok(emptied?.try_get::<i64, _>(0)? == 0)
}
