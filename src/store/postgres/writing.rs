//! A writing connection that is lent for one transaction. However the work ends, in time or not, or because nobody waits for it any more, a
//! connection whose state is not known never goes back to the others: it is closed, and the database rolls back what was not committed.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Executor as _, PgConnection, Postgres};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::PostgresStore;
use super::failure::{self, Failure};
use crate::store::sql::work::{Done, Failed, Forget, Outcome};

/// How long a transaction or a statement may take. It is not cancelled then: the connection is dropped.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// How often something is tried that loses races.
const TURNS: u32 = 6;

/// A connection that is lent.
pub(super) struct Writing {
    connection: Option<PoolConnection<Postgres>>,
    doubt: Arc<Notify>,
}

impl Writing {
    /// The connection.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("it is lent until it is given back")
    }

    /// Gives a transaction up, and the connection back, if the database says so.
    pub(super) async fn roll_back(mut self) {
        if matches!(timeout(DEADLINE, self.connection().execute("ROLLBACK")).await, Ok(Ok(_))) {
            self.give_back();
        }
    }

    /// Gives it back to the others: it is known to be in no transaction.
    pub(super) fn give_back(mut self) {
        drop(self.connection.take());
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // What is not given back is closed with its socket, without a word that would have to be waited for.
            drop(connection.detach());
            self.doubt.notify_one();
        }
    }
}

/// Which attempt this is.
pub(super) struct Turn(u32);

impl Turn {
    /// The first one.
    pub(super) fn first() -> Self {
        Self(1)
    }

    /// Whether there may be another one; then it is that one.
    pub(super) fn next(&mut self) -> bool {
        self.0 += 1;
        self.0 <= TURNS
    }

    /// Lets whoever was faster finish: a moment at random, so that two who lost to each other do not meet again.
    pub(super) async fn pause(&self) {
        sleep(Duration::from_millis(rand::random_range(1..=10 * u64::from(self.0)))).await;
    }
}

/// Does something within the time that a transaction may take.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    timeout(DEADLINE, work).await.unwrap_or_else(|_| Err(Failed::Database(late())))
}

/// The error of what took too long.
pub(super) fn late() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database did not answer in time"))
}

impl PostgresStore {
    /// Borrows a connection.
    pub(super) async fn writing(&self) -> Result<Writing, sqlx::Error> {
        let connection = Some(self.writers.acquire().await?);
        Ok(Writing { connection, doubt: self.doubt.clone() })
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<Writing, sqlx::Error> {
        let mut writing = self.writing().await?;
        timeout(DEADLINE, writing.connection().execute("BEGIN")).await.map_err(|_| late())??;
        Ok(writing)
    }

    /// Ends a transaction. `None`: it lost a race, and is to be done again.
    pub(super) async fn end<T, E: Outcome>(
        &self,
        mut writing: Writing,
        done: Result<Done<T>, Failed>,
        turn: &mut Turn,
    ) -> Option<Result<T, E>> {
        let Done { value, forget } = match done {
            Ok(done) => done,
            Err(failed) => {
                let is_broken =
                    matches!(&failed, Failed::Database(error) if !matches!(error, sqlx::Error::Database(_)));
                if !is_broken {
                    writing.roll_back().await;
                }
                let again = match &failed {
                    Failed::Stale(_) => true,
                    Failed::Database(error) => failure::of(error) == Failure::Lost,
                    Failed::Refused(_) | Failed::Reused => false,
                };
                return if again && turn.next() { None } else { Some(Err(failed.into())) };
            }
        };
        let committed =
            timeout(DEADLINE, writing.connection().execute("COMMIT")).await.unwrap_or_else(|_| Err(late()));
        // Also when the outcome is unknown: then nobody knows where these logs end.
        match forget {
            Forget::Logs(logs) => {
                let mut cached = self.logs();
                logs.iter().for_each(|log| drop(cached.pop(log)));
            }
            Forget::All => self.logs().clear(),
        }
        Some(match committed {
            Ok(_) => {
                writing.give_back();
                Ok(value)
            }
            Err(error) => Err(E::unknown(error)),
        })
    }
}
