//! Which of a reader's logs have grown since a place in the order of all commits.
//!
//! Transactions are numbered when they first write, and commit in another order. What is below the oldest one that is still under way is
//! settled: nothing new comes into it. A place is therefore such a horizon, and everything below it has been told; what is told from above it
//! is told once more the next time. Within a reading of several pages, a place is the last log that was told, and carries the horizon that the
//! first page was read at.
//!
//! A place names an entry that was there, and holds a hash of it and of the place, so that a database that was restored does not pass for the
//! one the place is of.

use anteroom_protocol::id::{RoomId, RoomRef, UserId};
use anteroom_protocol::room::RoomChange;
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::marker::unread_of;
use crate::store::sql::code;
use crate::store::{Growth, Position, StoreError};

/// What is below is settled: the oldest transaction that is under way, or the next one.
macro_rules! horizon {
    () => {
        "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)"
    };
}
pub(super) use horizon;

/// A place, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Everything below has been told, once the reading has ended.
    horizon: i64,
    /// More pages of the same reading follow, from the entry on that is named.
    within: bool,
    /// The transaction and the log of an entry that was there; none in an empty database.
    tx: i64,
    log: i64,
    check: [u8; 8],
}

impl Place {
    fn new(horizon: i64, within: bool, (tx, log): (i64, i64), hash: &[u8]) -> Self {
        let mut place = Self { horizon, within, tx, log, check: [0; 8] };
        place.check = place.checked(hash);
        place
    }

    /// What stands in the place if this is the hash of its entry.
    fn checked(&self, hash: &[u8]) -> [u8; 8] {
        let digest = Sha256::new().chain_update(hash).chain_update(self.named()).finalize();
        std::array::from_fn(|at| digest[at])
    }

    fn named(&self) -> [u8; 24] {
        let horizon = if self.within { -self.horizon } else { self.horizon };
        let numbers = [horizon, self.tx, self.log].map(i64::to_be_bytes);
        std::array::from_fn(|at| numbers[at / 8][at % 8])
    }

    /// As it is given away.
    pub(super) fn position(&self) -> Position {
        let mut bytes = [0; Position::MAX];
        let (named, check) = bytes.split_at_mut(24);
        named.copy_from_slice(&self.named());
        check.copy_from_slice(&self.check);
        Position::new(&bytes)
    }

    /// From what was given away.
    fn read(position: Position) -> Option<Self> {
        let (numbers, []) = position.bytes().as_chunks::<8>() else { return None };
        let [horizon, tx, log, check] = numbers else { return None };
        let horizon = i64::from_be_bytes(*horizon);
        let within = horizon < 0;
        let (tx, log) = (i64::from_be_bytes(*tx), i64::from_be_bytes(*log));
        Some(Self { horizon: horizon.checked_abs()?, within, tx, log, check: *check })
    }

    /// The entry that everything to be told stands behind.
    fn after(&self) -> (i64, i64) {
        if self.within { (self.tx, self.log) } else { (self.horizon.saturating_sub(1), i64::MAX) }
    }
}

#[derive(FromRow)]
struct Row {
    room: Option<Uuid>,
    seq: i64,
    counts: String,
    marker: Option<String>,
    tx: i64,
    log: i64,
    hash: Vec<u8>,
}

/// See [`crate::store::Store::changes`].
pub(super) async fn changes(
    pool: &PgPool,
    reader: &UserId,
    after: Option<Position>,
    limit: u32,
) -> Result<Growth, StoreError> {
    // Before the logs are read: what is committed in between is told now and once more the next time.
    let end = end(pool).await?;
    let asked = match after {
        None => None,
        Some(position) => known(pool, position).await?,
    };
    let reset = after.is_some() && asked.is_none();
    let (tx, log) = asked.map_or((-1, 0), |place| place.after());
    let sql = r#"WITH mine AS (SELECT log FROM members WHERE "user" = $1 UNION ALL SELECT id FROM logs WHERE owner = $1)
        SELECT l.room, l.seq, l.counts, k.counts AS marker, e.tx, e.log, e.hash FROM mine
        JOIN logs l ON l.id = mine.log
        JOIN entries e ON e.log = l.id AND e.seq = l.seq
        LEFT JOIN markers k ON k.log = l.id AND k."user" = $1
        WHERE (e.tx, e.log) > ($2, $3) ORDER BY e.tx, e.log LIMIT $4"#;
    let mut rows: Vec<Row> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(tx)
        .bind(log)
        .bind(i64::from(limit) + 1)
        .fetch_all(pool)
        .await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let horizon = asked.filter(|place| place.within).map_or(end.horizon, |place| place.horizon);
    let place = match rows.last().filter(|_| has_more) {
        Some(row) => Place::new(horizon, true, (row.tx, row.log), &row.hash),
        None if horizon == end.horizon => end,
        None => end_at(pool, horizon).await?,
    };
    let items = rows.iter().map(|row| change(row, reader)).collect::<sqlx::Result<_>>()?;
    Ok(Growth { items, position: place.position(), has_more, reset })
}

/// The place behind everything that is settled.
pub(super) async fn end(pool: &PgPool) -> sqlx::Result<Place> {
    let sql = concat!("SELECT ", horizon!());
    let horizon: i64 = sqlx::query_scalar(sql).fetch_one(pool).await?;
    end_at(pool, horizon).await
}

/// The place of a horizon.
async fn end_at(pool: &PgPool, horizon: i64) -> sqlx::Result<Place> {
    let last: Option<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT tx, log, hash FROM entries WHERE tx < $1 ORDER BY tx DESC, log DESC, seq DESC LIMIT 1",
    )
    .bind(horizon)
    .fetch_optional(pool)
    .await?;
    Ok(match last {
        // Between it and the horizon there is nothing of ours, and nothing will be.
        Some((tx, log, hash)) => Place::new(tx + 1, false, (tx, log), &hash),
        // Nothing is settled: whoever comes back is told everything.
        None => Place { horizon: 0, within: false, tx: 0, log: 0, check: [0; 8] },
    })
}

/// The place that this stands for, if it is one of this database.
async fn known(pool: &PgPool, position: Position) -> sqlx::Result<Option<Place>> {
    let Some(place) = Place::read(position) else { return Ok(None) };
    if place == (Place { horizon: 0, within: false, tx: 0, log: 0, check: [0; 8] }) {
        return Ok(Some(place));
    }
    let hash: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM entries WHERE tx = $1 AND log = $2 ORDER BY seq DESC LIMIT 1")
            .bind(place.tx)
            .bind(place.log)
            .fetch_optional(pool)
            .await?;
    Ok(hash.filter(|hash| place.checked(hash) == place.check).map(|_| place))
}

fn change(row: &Row, reader: &UserId) -> sqlx::Result<RoomChange> {
    let room = row.room.map_or(RoomRef::Inbox, |id| RoomRef::Room(RoomId(id)));
    let unread = unread_of(&row.counts, row.marker.as_deref(), reader)?;
    Ok(RoomChange { room, head: code::count(row.seq)?, unread })
}
