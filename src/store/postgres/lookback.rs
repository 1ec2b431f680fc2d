//! What was written since a moment, by whichever server.
//!
//! The moment is a horizon of transactions ([`super::change`]): whatever was not settled then is looked at again, so nothing is ever left out,
//! whatever the clocks say. What is read is as much as was written since, and not as much as there is.

use anteroom_protocol::id::UserId;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::change::horizon;
use super::log::named;
use crate::store::sql::code;
use crate::store::{Grown, LookBack, Position};

#[derive(FromRow)]
struct Row {
    room: Option<Uuid>,
    owner: Option<String>,
    first: i64,
    last: i64,
}

/// See [`crate::store::Store::look_back`].
pub(super) async fn look_back(
    pool: &PgPool,
    after: Option<Position>,
    people: &[UserId],
) -> sqlx::Result<LookBack> {
    // Before anything is read: what is committed in between is read now and once more the next time.
    let horizon: i64 = sqlx::query_scalar(concat!("SELECT ", horizon!())).fetch_one(pool).await?;
    let position = Position::new(&horizon.to_be_bytes());
    let Some(after) = after else {
        return Ok(LookBack { logs: Vec::new(), people: Vec::new(), position });
    };
    let after = after.bytes().first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    let people: Vec<&str> = people.iter().map(UserId::as_str).collect();
    Ok(LookBack {
        logs: logs(pool, after, &people).await?,
        people: changed(pool, after, &people).await?,
        position,
    })
}

async fn logs(pool: &PgPool, after: i64, people: &[&str]) -> sqlx::Result<Vec<Grown>> {
    let rows: Vec<Row> = sqlx::query_as(
        r#"WITH fresh AS (SELECT log, min(seq) AS first, max(seq) AS last FROM entries WHERE tx >= $1 GROUP BY log)
        SELECT l.room, l.owner, f.first, f.last FROM fresh f JOIN logs l ON l.id = f.log
        WHERE l.owner = ANY($2)
            OR EXISTS (SELECT 1 FROM members m WHERE m.log = f.log AND m."user" = ANY($2))
            OR EXISTS (SELECT 1 FROM entries e WHERE e.tx >= $1 AND e.log = f.log AND e.kind = 'member.removed')"#,
    )
    .bind(after)
    .bind(people)
    .fetch_all(pool)
    .await?;
    let grown = |row: Row| {
        let log = named(row.room, row.owner.as_deref())?;
        Ok(Grown { log, from: code::count(row.first)?, to: code::count(row.last)? })
    };
    rows.into_iter().map(grown).collect()
}

async fn changed(pool: &PgPool, after: i64, people: &[&str]) -> sqlx::Result<Vec<UserId>> {
    let people: Vec<String> = sqlx::query_scalar("SELECT id FROM users WHERE tx >= $1 AND id = ANY($2)")
        .bind(after)
        .bind(people)
        .fetch_all(pool)
        .await?;
    people.iter().map(|user| code::user(user)).collect()
}
