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
    array, each, edited, greatest, group, hex, id_of, id_text, json, least, lock, person_changed,
    room_changed, transact, version,
};
