//! What is done within one transaction, as the adapters pass it around: what came of it, or why nothing did, before anybody says what that
//! means for a client.

use crate::domain::log::Log;
use crate::domain::refusal::Refusal;
use crate::store::{Appended, CommitError, StoreError};

/// What a transaction did, and which logs are not any more what somebody may remember of them.
pub(in crate::store) struct Done<T> {
    /// What came of it.
    pub(in crate::store) value: T,
    /// What is to be forgotten.
    pub(in crate::store) forget: Forget,
}

/// Logs that a transaction has changed beside the commit path.
pub(in crate::store) enum Forget {
    /// These.
    Logs(Vec<Log>),
    /// Perhaps all: somebody's standing has changed.
    All,
}

impl<T> Done<T> {
    /// No log has changed.
    pub(in crate::store) fn plain(value: T) -> Self {
        Self { value, forget: Forget::Logs(Vec::new()) }
    }

    /// The logs of these entries have.
    pub(in crate::store) fn appended(value: T, appended: &[Appended]) -> Self {
        let logs = appended.iter().map(|appended| appended.entry.log.clone()).collect();
        Self { value, forget: Forget::Logs(logs) }
    }
}

/// Why a transaction did nothing: it is rolled back.
#[derive(Debug)]
pub(in crate::store) enum Failed {
    /// The rules refuse it.
    Refused(Refusal),
    /// Its client id stands for another command.
    Reused,
    /// What it was decided on has changed meanwhile: the same again may work.
    Stale(&'static str),
    /// The database failed.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// An error of the port, as it is made from a failed transaction.
pub(in crate::store) trait Outcome: From<Failed> {
    /// The commit was sent, and nobody knows what became of it.
    fn unknown(error: sqlx::Error) -> Self;
}

impl From<Failed> for CommitError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refusal) => Self::Refused(refusal),
            Failed::Reused => Self::Reused,
            Failed::Stale(what) => Self::Busy(what.to_owned()),
            // The transaction had not been committed.
            Failed::Database(error) => Self::Busy(error.to_string()),
        }
    }
}

impl Outcome for CommitError {
    fn unknown(error: sqlx::Error) -> Self {
        Self::Unknown(error.to_string())
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refusal) => Self::Refused(refusal),
            Failed::Reused => Self::Database("an id stands for something else".to_owned()),
            Failed::Stale(what) => Self::Database(what.to_owned()),
            Failed::Database(error) => error.into(),
        }
    }
}

impl Outcome for StoreError {
    fn unknown(error: sqlx::Error) -> Self {
        error.into()
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}
