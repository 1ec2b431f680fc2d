//! Rooms in SQLite.

use anteroom_protocol::id::{CandidacyId, RoomId, RoomRef, UserId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::room::{MemberView, RoomView};
use anteroom_protocol::user::Side;
use sqlx::{FromRow, SqliteConnection, SqlitePool};

use super::code;
use super::marker::unread_of;
use crate::domain::candidacy::{Candidacy, Case};
use crate::domain::log::Head;
use crate::store::{Page, StoreError};

/// Makes the room of a case with its two people, or gives it the candidacy's phase.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    case: &Case,
    candidacy: &Candidacy,
    room: RoomId,
) -> sqlx::Result<()> {
    let log: i64 = sqlx::query_scalar(
        "INSERT INTO logs (room, candidacy, phase, seq, hash) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (room) DO UPDATE SET phase = excluded.phase RETURNING id",
    )
    .bind(code::id(&room.0))
    .bind(code::id(&candidacy.id.0))
    .bind(candidacy.phase.as_str())
    .bind(code::number(Head::EMPTY.seq))
    .bind(Head::EMPTY.hash.0.as_slice())
    .fetch_one(&mut *connection)
    .await?;
    for side in [Side::Client, Side::Freelancer] {
        sqlx::query(r#"INSERT INTO members (log, "user", side) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"#)
            .bind(log)
            .bind(case.party(side).user.as_str())
            .bind(side.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct RoomRow {
    log: i64,
    room: Vec<u8>,
    candidacy: Vec<u8>,
    phase: String,
    seq: i64,
    counts: String,
    read: Option<i64>,
    marker: Option<i64>,
    marker_counts: Option<String>,
    job: String,
    title: String,
    url: Option<String>,
}

macro_rules! room_select {
    ($rest:literal) => {
        concat!(
            "SELECT l.id AS log, l.room, l.candidacy, l.phase, l.seq, l.counts, k.read, k.marker, k.counts AS marker_counts, ",
            "j.id AS job, j.title, j.url FROM members m JOIN logs l ON l.id = m.log ",
            r#"LEFT JOIN markers k ON k.log = m.log AND k."user" = m."user" JOIN candidacies c ON c.id = l.candidacy JOIN jobs j ON j.id = c.job "#,
            $rest
        )
    };
}

/// A room of the reader's.
pub(super) async fn load(
    pool: &SqlitePool,
    reader: &UserId,
    room: RoomId,
) -> Result<Option<RoomView>, StoreError> {
    let sql = room_select!(r#"WHERE l.room = $1 AND m."user" = $2"#);
    let row: Option<RoomRow> =
        sqlx::query_as(sql).bind(code::id(&room.0)).bind(reader.as_str()).fetch_optional(pool).await?;
    match row {
        Some(row) => Ok(Some(view(pool, reader, row).await?)),
        None => Ok(None),
    }
}

/// The reader's rooms, newest first.
pub(super) async fn list(
    pool: &SqlitePool,
    reader: &UserId,
    page: Page<RoomId>,
) -> Result<Vec<RoomView>, StoreError> {
    let sql = room_select!(r#"WHERE m."user" = $1 AND l.room < $2 ORDER BY l.room DESC LIMIT $3"#);
    let rows: Vec<RoomRow> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(code::before(page.before.as_ref().map(|id| code::id(&id.0))))
        .bind(page.limit)
        .fetch_all(pool)
        .await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        views.push(view(pool, reader, row).await?);
    }
    Ok(views)
}

async fn view(pool: &SqlitePool, reader: &UserId, row: RoomRow) -> sqlx::Result<RoomView> {
    type Person = (String, String, String, i64, i64);
    let sql = r#"SELECT u.id, u.name, m.side, COALESCE(k.read, 0), COALESCE(k.delivered, 0) FROM members m
                 JOIN users u ON u.id = m."user" LEFT JOIN markers k ON k.log = m.log AND k."user" = m."user"
                 WHERE m.log = $1 ORDER BY m.side"#;
    let people: Vec<Person> = sqlx::query_as(sql).bind(row.log).fetch_all(pool).await?;
    let members = people.into_iter().map(|(user, name, side, read, delivered)| {
        let (read, delivered) = (code::count(read)?, code::count(delivered)?);
        Ok(MemberView { user: code::user(&user)?, name, side: code::parse(&side)?, read, delivered })
    });
    let head = code::count(row.seq)?;
    Ok(RoomView {
        read: row.read.map_or(Ok(0), code::count)?,
        marker: row.marker.map_or(Ok(0), code::count)?,
        unread: unread_of(&row.counts, row.marker_counts.as_deref(), reader)?,
        room: RoomRef::Room(RoomId(code::uuid(&row.room)?)),
        candidacy: CandidacyId(code::uuid(&row.candidacy)?),
        phase: code::parse(&row.phase)?,
        job: JobSummary {
            id: row.job.parse().map_err(|_| code::damaged("a job id"))?,
            title: row.title,
            url: row.url,
        },
        members: members.collect::<sqlx::Result<_>>()?,
        head,
        as_of: head,
    })
}
