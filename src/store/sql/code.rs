//! How values stand in the tables of either database: words as text, times as microseconds, hashes as bytes.

use anteroom_protocol::id::UserId;
use anteroom_protocol::log::{Hash, Salt};
use anteroom_protocol::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Something in the database that no version of this server writes.
pub(in crate::store) fn damaged(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("the database holds {what} that this version cannot read").into())
}

/// A hash from its bytes.
pub(in crate::store) fn hash(bytes: &[u8]) -> sqlx::Result<Hash> {
    bytes.try_into().map(Hash).map_err(|_| damaged("a hash"))
}

/// A salt from its bytes.
pub(in crate::store) fn salt(bytes: &[u8]) -> sqlx::Result<Salt> {
    bytes.try_into().map_err(|_| damaged("a salt"))
}

/// A number that counts something.
pub(in crate::store) fn count(number: i64) -> sqlx::Result<u64> {
    number.try_into().map_err(|_| damaged("a negative number"))
}

/// A number as a table keeps it.
pub(in crate::store) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A small number: a version, a round, a share.
pub(in crate::store) fn small<T: TryFrom<i64>>(number: i64) -> sqlx::Result<T> {
    number.try_into().map_err(|_| damaged("a number that is out of its bounds"))
}

/// A user's id from its text.
pub(in crate::store) fn user(text: &str) -> sqlx::Result<UserId> {
    text.parse().map_err(|_| damaged("a user id"))
}

/// A moment from its microseconds.
pub(in crate::store) fn time(micros: i64) -> Time {
    Time::from_micros(micros)
}

/// The upper end of a page of things ordered by id; without one, above every id that is ever made.
pub(in crate::store) fn before(id: Option<Uuid>) -> Uuid {
    id.unwrap_or(Uuid::max())
}

/// A word of the wire, as text.
pub(in crate::store) fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A word of the wire from its text.
pub(in crate::store) fn parse<T: DeserializeOwned>(word: &str) -> sqlx::Result<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| damaged("a word"))
}

/// A structure of the wire from its JSON.
pub(in crate::store) fn json<T: DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|_| damaged("JSON"))
}

/// A set as JSON, for a statement that reads it row by row.
pub(in crate::store) fn to_json<T: Serialize + ?Sized>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
