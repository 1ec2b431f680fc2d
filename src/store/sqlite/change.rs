//! Which of a reader's logs have grown since a cursor.
//!
//! The rowid of an entry is its place in the order of all commits, because one connection writes. A cursor is such a place and the
//! beginning of the hash of the entry there, so that a database that was restored does not pass for the one the cursor is of.

use anteroom_protocol::id::{RoomId, RoomRef, UserId};
use anteroom_protocol::log::to_hex;
use anteroom_protocol::room::{Changes, RoomChange};
use sqlx::{FromRow, SqlitePool};

use super::code;
use super::marker::unread_of;
use crate::store::StoreError;

/// Bytes of the hash in a cursor.
const HASH_BYTES: usize = 8;
/// The cursor before the first commit.
const BEGINNING: &str = "0.";

#[derive(FromRow)]
struct Row {
    room: Option<Vec<u8>>,
    seq: i64,
    counts: String,
    marker: Option<String>,
    id: i64,
    hash: Vec<u8>,
}

/// See [`crate::store::Store::changes`].
pub(super) async fn changes(
    pool: &SqlitePool,
    reader: &UserId,
    after: Option<&str>,
    limit: u32,
) -> Result<Changes, StoreError> {
    // Before the logs are read: what is committed in between is told now and once more the next time.
    let end = end(pool).await?;
    let (place, reset) = match after {
        None => (0, false),
        Some(cursor) => place(pool, cursor).await?.map_or((0, true), |place| (place, false)),
    };
    let sql = r#"WITH mine AS (SELECT log FROM members WHERE "user" = $1 UNION ALL SELECT id FROM logs WHERE owner = $1)
        SELECT l.room, l.seq, l.counts, k.counts AS marker, e.id, e.hash FROM mine
        JOIN logs l ON l.id = mine.log
        JOIN entries e ON e.log = l.id AND e.seq = l.seq
        LEFT JOIN markers k ON k.log = l.id AND k."user" = $1
        WHERE e.id > $2 ORDER BY e.id LIMIT $3"#;
    let mut rows: Vec<Row> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(place)
        .bind(i64::from(limit) + 1)
        .fetch_all(pool)
        .await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let last = rows.last().filter(|_| has_more);
    let cursor = last.map_or(end, |row| cursor(row.id, &row.hash));
    let items = rows.iter().map(|row| change(row, reader)).collect::<sqlx::Result<_>>()?;
    Ok(Changes { items, cursor, has_more, reset })
}

/// The cursor behind everything that is committed.
pub(super) async fn end(pool: &SqlitePool) -> sqlx::Result<String> {
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT id, hash FROM entries ORDER BY id DESC LIMIT 1").fetch_optional(pool).await?;
    Ok(last.map_or_else(|| BEGINNING.to_owned(), |(id, hash)| cursor(id, &hash)))
}

fn change(row: &Row, reader: &UserId) -> sqlx::Result<RoomChange> {
    let room = match &row.room {
        Some(id) => RoomRef::Room(RoomId(code::uuid(id)?)),
        None => RoomRef::Inbox,
    };
    let unread = unread_of(&row.counts, row.marker.as_deref(), reader)?;
    Ok(RoomChange { room, head: code::count(row.seq)?, unread })
}

fn cursor(id: i64, hash: &[u8]) -> String {
    format!("{id:x}.{}", to_hex(hash.get(..HASH_BYTES).unwrap_or(hash)))
}

/// The place of a cursor, if it is one of this database.
async fn place(pool: &SqlitePool, text: &str) -> sqlx::Result<Option<i64>> {
    if text == BEGINNING {
        return Ok(Some(0));
    }
    let Some(id) = text.split_once('.').and_then(|(id, _)| i64::from_str_radix(id, 16).ok()) else {
        return Ok(None);
    };
    let there: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM entries WHERE id = $1").bind(id).fetch_optional(pool).await?;
    Ok(there.filter(|hash| cursor(id, hash) == text).map(|_| id))
}
