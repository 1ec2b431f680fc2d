//! SQLite's words, where the two databases have different ones for the same: the statements in `queries` are made of them.

/// A database, and what leads to it.
pub(super) type Database = sqlx::Sqlite;
pub(super) type Connection = sqlx::SqliteConnection;
pub(super) type Pool = sqlx::SqlitePool;
/// What is read from and written to it here.
pub(super) type Adapter = super::SqliteStore;

/// What locks the rows that a statement reads: nothing, since one connection writes.
macro_rules! lock {
    ($rows:literal) => {
        ""
    };
}
/// Makes a JSON array of values.
macro_rules! array {
    () => {
        "json_array"
    };
}
/// Makes a JSON array of rows.
macro_rules! group {
    () => {
        "json_group_array"
    };
}
/// Text that is JSON, as a part of other JSON.
macro_rules! json {
    ($text:literal) => {
        concat!("json(", $text, ")")
    };
}
/// Bytes as hexadecimal text.
macro_rules! hex {
    ($bytes:literal) => {
        concat!("lower(hex(", $bytes, "))")
    };
}
/// An id as text.
macro_rules! id_text {
    ($id:literal) => {
        concat!("lower(hex(", $id, "))")
    };
}
/// An id from its hexadecimal text.
macro_rules! id_of {
    ($text:literal) => {
        concat!("unhex(", $text, ")")
    };
}
/// The items of a JSON array, as rows of one column, `value`.
macro_rules! each {
    ($array:literal) => {
        concat!("json_each(", $array, ")")
    };
}
/// The smaller one of two values.
macro_rules! least {
    () => {
        "min"
    };
}
/// The larger one of two values.
macro_rules! greatest {
    () => {
        "max"
    };
}
/// What counts the changes of all that a write is decided on beside the head: one process alone changes it, and knows.
macro_rules! version {
    () => {
        "0"
    };
}
/// What is counted when a room's phase or people change: nothing, as above.
macro_rules! room_changed {
    () => {
        ""
    };
}
/// What is noted when something is told of a person.
macro_rules! person_changed {
    () => {
        ""
    };
}
/// The number of the entry that an edit is of, from its public part.
macro_rules! edited {
    ($public:literal) => {
        concat!($public, " ->> '$.seq'")
    };
}
/// The column that orders all entries by their commits, before log and number.
macro_rules! placed {
    () => {
        "id"
    };
}
/// What of the entries `e` nothing can come before any more: all, because one connection writes.
macro_rules! settled {
    () => {
        "true"
    };
}
/// What leaves out rows that somebody else is about to take: nobody else is there.
macro_rules! skip_taken {
    ($rows:literal) => {
        ""
    };
}
/// Whether this worker may take the row `w`: nobody has it. Whoever had it before a restart has it no more.
macro_rules! free_for {
    ($worker:literal) => {
        concat!("(w.lease_by IS NULL OR w.lease_by = ", $worker, ")")
    };
}
/// When a lease of so many microseconds ends that begins now: not before a restart, so the number says nothing.
macro_rules! lease_end {
    ($micros:literal) => {
        $micros
    };
}
/// Does some work on the writing connection, in a transaction of its own: `transact!(store, connection => work)`.
macro_rules! transact {
    ($store:expr, $connection:ident => $work:expr) => {{
        let mut writer = $store.writer.lock().await;
        let ended = match writer.begin().await {
            Err(error) => $crate::store::sqlite::writer::Ended::Not(error.into()),
            Ok(mut transaction) => {
                let done = {
                    let $connection: &mut $crate::store::sqlite::dialect::Connection = &mut transaction;
                    $work.await
                };
                $crate::store::sqlite::writer::end(transaction, done).await
            }
        };
        writer.settle(ended)
    }};
}
pub(super) use {
    array, each, edited, free_for, greatest, group, hex, id_of, id_text, json, lease_end, least, lock,
    person_changed, placed, room_changed, settled, skip_taken, transact, version,
};
