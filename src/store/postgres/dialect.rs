//! PostgreSQL's words, where the two databases have different ones for the same: the statements in `queries` are made of them.

/// A database, and what leads to it.
pub(super) type Database = sqlx::Postgres;
pub(super) type Connection = sqlx::PgConnection;
pub(super) type Pool = sqlx::PgPool;
/// What is read from and written to it here.
pub(super) type Adapter = super::PostgresStore;

/// What locks the rows that a statement reads, until its transaction ends.
macro_rules! lock {
    ($rows:literal) => {
        concat!(" FOR ", $rows)
    };
}
/// Makes a JSON array of values.
macro_rules! array {
    () => {
        "json_build_array"
    };
}
/// Makes a JSON array of rows.
macro_rules! group {
    () => {
        "json_agg"
    };
}
/// Text that is JSON, as a part of other JSON.
macro_rules! json {
    ($text:literal) => {
        concat!("CAST(", $text, " AS json)")
    };
}
/// Bytes as hexadecimal text.
macro_rules! hex {
    ($bytes:literal) => {
        concat!("encode(", $bytes, ", 'hex')")
    };
}
/// An id as text.
macro_rules! id_text {
    ($id:literal) => {
        concat!("CAST(", $id, " AS text)")
    };
}
/// An id from its hexadecimal text.
macro_rules! id_of {
    ($text:literal) => {
        concat!("CAST(", $text, " AS uuid)")
    };
}
/// The items of a JSON array, as rows of one column, `value`.
macro_rules! each {
    ($array:literal) => {
        concat!("jsonb_array_elements(CAST(", $array, " AS jsonb)) AS item(value)")
    };
}
/// The smaller one of two values.
macro_rules! least {
    () => {
        "least"
    };
}
/// The larger one of two values.
macro_rules! greatest {
    () => {
        "greatest"
    };
}
/// What counts the changes of all that a write is decided on beside the head.
macro_rules! version {
    () => {
        "version"
    };
}
/// What is counted when a room's phase or people change.
macro_rules! room_changed {
    () => {
        ", version = logs.version + 1"
    };
}
/// What is noted when something is told of a person.
macro_rules! person_changed {
    () => {
        ", tx = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"
    };
}
/// The number of the entry that an edit is of, from its public part.
macro_rules! edited {
    ($public:literal) => {
        concat!("CAST(CAST(", $public, " AS json) ->> 'seq' AS BIGINT)")
    };
}
/// The column that orders all entries by their commits, before log and number.
macro_rules! placed {
    () => {
        "tx"
    };
}
/// What of the entries `e` nothing can come before any more.
macro_rules! settled {
    () => {
        concat!("e.tx < ", $crate::store::postgres::change::horizon!())
    };
}
/// What leaves out rows that somebody else is about to take.
macro_rules! skip_taken {
    ($rows:literal) => {
        concat!(" FOR UPDATE OF ", $rows, " SKIP LOCKED")
    };
}
/// Whether this worker may take the row `w`: nobody has it, by the clock that all servers share.
macro_rules! free_for {
    ($worker:literal) => {
        concat!(
            "(w.lease_until <= CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) OR w.lease_by = ",
            $worker,
            ")"
        )
    };
}
/// When a lease of so many microseconds ends that begins now, by the same clock.
macro_rules! lease_end {
    ($micros:literal) => {
        concat!("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + ", $micros)
    };
}
/// Does some work on a writing connection, in a transaction of its own: `transact!(store, connection => work)`. What loses a race is done again.
macro_rules! transact {
    ($store:expr, $connection:ident => $work:expr) => {{
        let mut turn = $crate::store::postgres::writing::Turn::first();
        loop {
            let mut writing = match $store.begin().await {
                Err(error) => break Err($crate::store::sql::work::Failed::from(error).into()),
                Ok(writing) => writing,
            };
            let done = {
                let $connection: &mut $crate::store::postgres::dialect::Connection = writing.connection();
                $crate::store::postgres::writing::in_time($work).await
            };
            match $store.end(writing, done, &mut turn).await {
                Some(outcome) => break outcome,
                None => turn.pause().await,
            }
        }
    }};
}
pub(super) use {
    array, each, edited, free_for, greatest, group, hex, id_of, id_text, json, lease_end, least, lock,
    person_changed, placed, room_changed, settled, skip_taken, transact, version,
};
