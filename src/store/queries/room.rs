//! Rooms.

use anteroom_protocol::id::{CandidacyId, RoomId, RoomRef, UserId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::room::{MemberView, RoomView};
use anteroom_protocol::user::Side;
use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::{Connection, Pool, array, each, group, room_changed};
use super::marker::unread_of;
use crate::domain::candidacy::{Candidacy, Case};
use crate::domain::log::Head;
use crate::store::sql::code;
use crate::store::{Page, StoreError};

/// Makes the room of a case with its people, or gives it the candidacy's phase and the people it has now.
pub(super) async fn save(
    connection: &mut Connection,
    case: &Case,
    candidacy: &Candidacy,
    room: RoomId,
) -> sqlx::Result<()> {
    let log: i64 = sqlx::query_scalar(concat!(
        "INSERT INTO logs (room, candidacy, phase, seq, hash) VALUES ($1, $2, $3, $4, $5) ",
        "ON CONFLICT (room) DO UPDATE SET phase = excluded.phase",
        room_changed!(),
        " RETURNING id"
    ))
    .bind(room.0)
    .bind(candidacy.id.0)
    .bind(candidacy.phase.as_str())
    .bind(code::number(Head::EMPTY.seq))
    .bind(Head::EMPTY.hash.0.as_slice())
    .fetch_one(&mut *connection)
    .await?;
    let two = [Side::Client, Side::Freelancer].map(|side| (case.party(side).user.as_str(), side.as_str()));
    let others = case.members.iter().map(|member| (member.party.user.as_str(), member.side.as_str()));
    let people = code::to_json(&two.into_iter().chain(others).collect::<Vec<_>>())?;
    sqlx::query(concat!(
        r#"DELETE FROM members WHERE log = $1 AND "user" NOT IN (SELECT value ->> 0 FROM "#,
        each!("$2"),
        ")"
    ))
    .bind(log)
    .bind(&people)
    .execute(&mut *connection)
    .await?;
    sqlx::query(concat!(
        r#"INSERT INTO members (log, "user", side) SELECT $1, value ->> 0, value ->> 1 FROM "#,
        each!("$2"),
        " WHERE true ON CONFLICT DO NOTHING"
    ))
    .bind(log)
    .bind(&people)
    .execute(connection)
    .await
    .map(drop)
}

#[derive(FromRow)]
struct RoomRow {
    room: Uuid,
    candidacy: Uuid,
    phase: String,
    seq: i64,
    counts: String,
    read: Option<i64>,
    marker: Option<i64>,
    marker_counts: Option<String>,
    job: String,
    title: String,
    url: Option<String>,
    members: String,
}

/// A person of a room: who, by which name, on which side, how far read and delivered.
type Person = (UserId, String, Side, u64, u64);

/// Everything about a room that is one row, its people among it, so that a page is one statement however long it is, and of one moment.
/// `$rest` says which rooms.
macro_rules! room_select {
    ($rest:literal) => {
        concat!(
            "SELECT l.room, l.candidacy, l.phase, l.seq, l.counts, k.read, k.marker, k.counts AS marker_counts, ",
            "j.id AS job, j.title, j.url, ",
            "(SELECT CAST(", group!(), "(", array!(), "(u.id, u.name, p.side, COALESCE(r.read, 0), COALESCE(r.delivered, 0)) ",
            r#"ORDER BY p.side, u.id) AS TEXT) FROM members p JOIN users u ON u.id = p."user" "#,
            r#"LEFT JOIN markers r ON r.log = p.log AND r."user" = p."user" "#,
            "WHERE p.log = l.id) AS members FROM members m JOIN logs l ON l.id = m.log ",
            r#"LEFT JOIN markers k ON k.log = m.log AND k."user" = m."user" JOIN candidacies c ON c.id = l.candidacy JOIN jobs j ON j.id = c.job "#,
            $rest
        )
    };
}

/// A room of the reader's.
pub(super) async fn load(pool: &Pool, reader: &UserId, room: RoomId) -> Result<Option<RoomView>, StoreError> {
    let sql = room_select!(r#"WHERE l.room = $1 AND m."user" = $2"#);
    let row: Option<RoomRow> =
        sqlx::query_as(sql).bind(room.0).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(row.map(|row| view(reader, row)).transpose()?)
}

/// The reader's rooms, newest first.
pub(super) async fn list(
    pool: &Pool,
    reader: &UserId,
    page: Page<RoomId>,
) -> Result<Vec<RoomView>, StoreError> {
    // The page first: sorted whole, every room of the reader's would have its people looked up for it.
    let sql = room_select!(
        r#"WHERE m."user" = $1 AND l.room IN (
            SELECT own.room FROM members mine JOIN logs own ON own.id = mine.log
            WHERE mine."user" = $1 AND own.room < $2 ORDER BY own.room DESC LIMIT $3)
         ORDER BY l.room DESC"#
    );
    let rows: Vec<RoomRow> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(code::before(page.before.map(|id| id.0)))
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(|row| view(reader, row)).collect::<sqlx::Result<_>>()?)
}

fn view(reader: &UserId, row: RoomRow) -> sqlx::Result<RoomView> {
    let people: Vec<Person> = code::json(&row.members)?;
    let member = |(user, name, side, read, delivered)| MemberView { user, name, side, read, delivered };
    let head = code::count(row.seq)?;
    Ok(RoomView {
        read: row.read.map_or(Ok(0), code::count)?,
        marker: row.marker.map_or(Ok(0), code::count)?,
        unread: unread_of(&row.counts, row.marker_counts.as_deref(), reader)?,
        room: RoomRef::Room(RoomId(row.room)),
        candidacy: CandidacyId(row.candidacy),
        phase: code::parse(&row.phase)?,
        job: JobSummary {
            id: row.job.parse().map_err(|_| code::damaged("a job id"))?,
            title: row.title,
            url: row.url,
        },
        members: people.into_iter().map(member).collect(),
        head,
        as_of: head,
    })
}
