//! Which of a reader's logs have grown since a place in the order of all commits.
//!
//! The rowid of an entry is its place in that order, because one connection writes. A position is it and the beginning of the hash of the
//! entry there, so that a database that was restored does not pass for the one the position is of.

use anteroom_protocol::id::{RoomId, RoomRef, UserId};
use anteroom_protocol::room::RoomChange;
use sqlx::{FromRow, SqlitePool};
use uuid::Uuid;

use super::log::named;
use super::marker::unread_of;
use crate::store::sql::code;
use crate::store::{Grown, Growth, LookBack, Position, StoreError};

/// The position before the first commit.
const BEGINNING: Position = Position::new(&[0; 16]);

#[derive(FromRow)]
struct Row {
    room: Option<Uuid>,
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
    after: Option<Position>,
    limit: u32,
) -> Result<Growth, StoreError> {
    // Before the logs are read: what is committed in between is told now and once more the next time.
    let end = end(pool).await?;
    let (place, reset) = match after {
        None => (0, false),
        Some(after) => place(pool, after).await?.map_or((0, true), |place| (place, false)),
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
    let position = last.map_or(end, |row| position(row.id, &row.hash));
    let items = rows.iter().map(|row| change(row, reader)).collect::<sqlx::Result<_>>()?;
    Ok(Growth { items, position, has_more, reset })
}

/// The position behind everything that is committed.
pub(super) async fn end(pool: &SqlitePool) -> sqlx::Result<Position> {
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT id, hash FROM entries ORDER BY id DESC LIMIT 1").fetch_optional(pool).await?;
    Ok(last.map_or(BEGINNING, |(id, hash)| position(id, &hash)))
}

fn change(row: &Row, reader: &UserId) -> sqlx::Result<RoomChange> {
    let room = match row.room {
        Some(id) => RoomRef::Room(RoomId(id)),
        None => RoomRef::Inbox,
    };
    let unread = unread_of(&row.counts, row.marker.as_deref(), reader)?;
    Ok(RoomChange { room, head: code::count(row.seq)?, unread })
}

/// The position of an entry.
pub(super) fn position(id: i64, hash: &[u8]) -> Position {
    let mut bytes = [0; 16];
    let (place, beginning) = bytes.split_at_mut(8);
    place.copy_from_slice(&id.to_be_bytes());
    for (byte, of_hash) in beginning.iter_mut().zip(hash) {
        *byte = *of_hash;
    }
    Position::new(&bytes)
}

/// The rowid in a position, whatever entry is there now.
pub(super) fn id(position: Position) -> i64 {
    position.bytes().first_chunk().map_or(0, |place| i64::from_be_bytes(*place))
}

/// The place of a position, if it is one of this database.
async fn place(pool: &SqlitePool, asked: Position) -> sqlx::Result<Option<i64>> {
    if asked == BEGINNING {
        return Ok(Some(0));
    }
    let id = id(asked);
    let there: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM entries WHERE id = $1").bind(id).fetch_optional(pool).await?;
    Ok(there.filter(|hash| position(id, hash) == asked).map(|_| id))
}

#[derive(FromRow)]
struct GrownRow {
    room: Option<Uuid>,
    owner: Option<String>,
    first: i64,
    last: i64,
}

/// See [`crate::store::Store::look_back`]. People are told of by this process, which alone writes: nothing of them can be missed.
pub(super) async fn look_back(
    pool: &SqlitePool,
    after: Option<Position>,
    people: &[UserId],
) -> sqlx::Result<LookBack> {
    let position = end(pool).await?;
    let Some(after) = after else {
        return Ok(LookBack { logs: Vec::new(), people: Vec::new(), position });
    };
    let sql = r#"SELECT l.room, l.owner, min(e.seq) AS first, max(e.seq) AS last FROM entries e JOIN logs l ON l.id = e.log
        WHERE e.id > $1 GROUP BY e.log HAVING l.owner IN (SELECT value FROM json_each($2)) OR max(e.kind = 'member.removed')
            OR EXISTS (SELECT 1 FROM members m WHERE m.log = e.log AND m."user" IN (SELECT value FROM json_each($2)))"#;
    let rows: Vec<GrownRow> =
        sqlx::query_as(sql).bind(id(after)).bind(code::to_json(people)?).fetch_all(pool).await?;
    let grown = |row: GrownRow| {
        let log = named(row.room, row.owner.as_deref())?;
        Ok(Grown { log, from: code::count(row.first)?, to: code::count(row.last)? })
    };
    let logs = rows.into_iter().map(grown).collect::<sqlx::Result<_>>()?;
    Ok(LookBack { logs, people: Vec::new(), position })
}
