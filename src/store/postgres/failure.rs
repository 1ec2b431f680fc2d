//! What a failure of the database says about what it was doing.

/// What is known of a statement that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Somebody else was faster, and nothing was written: the same again may work.
    Lost,
    /// Nothing was written, because of something in it.
    Refused,
    /// Nothing was written, whatever was in it.
    Nothing,
    /// Perhaps it was done, perhaps not.
    Unknown,
}

/// What is known of a statement that commits by itself and failed like this. The codes are those of
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
pub(super) fn of(error: &sqlx::Error) -> Failure {
    let sqlx::Error::Database(error) = error else {
        return if matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) {
            Failure::Nothing
        } else {
            Failure::Unknown
        };
    };
    match error.code().as_deref() {
        // A serialization failure, a deadlock, a lock that was waited for too long, a row that another one has made.
        Some("40001" | "40P01" | "55P03" | "23505") => Failure::Lost,
        // The session or the server is ended. A commit that waits for a standby has been written by then.
        Some(code) if code.starts_with("57P") || code.starts_with("08") => Failure::Unknown,
        // No room, too many connections, no writes: classes 53, 25 and 57.
        Some(code) if ["53", "25", "57"].iter().any(|class| code.starts_with(class)) => Failure::Nothing,
        Some(_) => Failure::Refused,
        None => Failure::Unknown,
    }
}
