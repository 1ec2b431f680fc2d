//! How values stand in SQLite: ids as 16 bytes, words as text, times as microseconds. And the two small questions about the
//! database itself.

use anteroom_protocol::id::UserId;
use anteroom_protocol::log::{Hash, Salt};
use anteroom_protocol::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::store::StoreError;

/// Something in the database that no version of this server writes.
pub(super) fn damaged(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("the database holds {what} that this version cannot read").into())
}

/// The bytes of an id.
pub(super) fn id(id: &Uuid) -> &[u8] {
    id.as_bytes().as_slice()
}

/// An id from its bytes.
pub(super) fn uuid(bytes: &[u8]) -> sqlx::Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|_| damaged("an id"))
}

/// A hash from its bytes.
pub(super) fn hash(bytes: &[u8]) -> sqlx::Result<Hash> {
    bytes.try_into().map(Hash).map_err(|_| damaged("a hash"))
}

/// A salt from its bytes.
pub(super) fn salt(bytes: &[u8]) -> sqlx::Result<Salt> {
    bytes.try_into().map_err(|_| damaged("a salt"))
}

/// A number that counts something.
pub(super) fn count(number: i64) -> sqlx::Result<u64> {
    number.try_into().map_err(|_| damaged("a negative number"))
}

/// A number as SQLite keeps it.
pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A user's id from its text.
pub(super) fn user(text: &str) -> sqlx::Result<UserId> {
    text.parse().map_err(|_| damaged("a user id"))
}

/// A moment from its microseconds.
pub(super) fn time(micros: i64) -> Time {
    Time::from_micros(micros)
}

/// The upper end of a page of things ordered by id; without one, above every id.
pub(super) fn before(id: Option<&[u8]>) -> Vec<u8> {
    id.map_or_else(|| vec![0xff; 17], <[u8]>::to_vec)
}

/// A word of the wire, as text.
pub(super) fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A word of the wire from its text.
pub(super) fn parse<T: DeserializeOwned>(word: &str) -> sqlx::Result<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| damaged("a word"))
}

/// A structure of the wire from its JSON.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|_| damaged("JSON"))
}

/// A set as JSON, for a statement that reads it row by row.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Inserts a key or reads the one that is there.
pub(super) async fn key(
    connection: &mut SqliteConnection,
    name: &str,
    fresh: [u8; 32],
) -> Result<[u8; 32], StoreError> {
    sqlx::query("INSERT INTO keys (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(fresh.as_slice())
        .execute(&mut *connection)
        .await?;
    Ok(kept_key(connection, name).await?.ok_or_else(|| damaged("no key"))?)
}

/// The key of this name, if one was ever kept.
pub(super) async fn kept_key(
    connection: &mut SqliteConnection,
    name: &str,
) -> sqlx::Result<Option<[u8; 32]>> {
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM keys WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    kept.map(|kept| kept.as_slice().try_into().map_err(|_| damaged("a key"))).transpose()
}

/// Begins and ends a writing transaction: fails when the file cannot be written.
pub(super) async fn ready(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let transaction = sqlx::Connection::begin_with(connection, "BEGIN IMMEDIATE").await?;
    transaction.rollback().await?;
    Ok(())
}
