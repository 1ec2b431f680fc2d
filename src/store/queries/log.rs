//! Logs: their heads, their people, their entries.

use std::sync::Arc;

use anteroom_protocol::id::{CandidacyId, RoomId, UserId};
use anteroom_protocol::user::Side;
use futures_util::TryStreamExt as _;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::dialect::{Connection, Pool, array, each, group, id_of, lock, version};
use crate::domain::log::{Head, Log, LogEntry};
use crate::domain::room::{Member, Room};
use crate::domain::user::Party;
use crate::store::sql::batch::CachedLog;
use crate::store::sql::code;
use crate::store::sql::entry::EntryRow;
use crate::store::sql::standing::StandingRow;
use crate::store::{Access, PageSize, Range, Reach, StoreError};

/// A log, as a write into it finds it.
#[derive(FromRow)]
pub(super) struct LogRow {
    pub(super) id: i64,
    candidacy: Option<Uuid>,
    phase: Option<String>,
    seq: i64,
    hash: Vec<u8>,
    counts: String,
    version: i64,
}

/// A log with what a write into it is decided on. Whoever else would write into it waits until the transaction ends.
pub(super) async fn load_locked(connection: &mut Connection, log: &Log) -> sqlx::Result<Option<CachedLog>> {
    let sql = concat!(
        "SELECT id, candidacy, phase, seq, hash, counts, ",
        version!(),
        " AS version FROM logs WHERE room = $1 OR owner = $2",
        lock!("NO KEY UPDATE")
    );
    read(connection, log, sql).await
}

async fn read(connection: &mut Connection, log: &Log, sql: &'static str) -> sqlx::Result<Option<CachedLog>> {
    let (room, owner) = keys(log);
    let row: Option<LogRow> =
        sqlx::query_as(sql).bind(room).bind(owner).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let members = members(connection, row.id).await?;
    cached(log, row, members).map(Some)
}

/// A log that was read, with its people.
pub(super) fn cached(log: &Log, row: LogRow, members: Vec<Member>) -> sqlx::Result<CachedLog> {
    let candidacy = match (row.candidacy, row.phase) {
        (Some(candidacy), Some(phase)) => Some((CandidacyId(candidacy), code::parse(&phase)?)),
        _ => None,
    };
    let head = Head { seq: code::count(row.seq)?, hash: code::hash(&row.hash)? };
    let counts = code::json(&row.counts)?;
    let readers: Arc<[UserId]> = match log {
        Log::Inbox(owner) => Arc::from([owner.clone()]),
        Log::Room(_) => members.iter().map(|member| member.party.user.clone()).collect(),
    };
    let room = Room { log: log.clone(), candidacy, members, head };
    Ok(CachedLog { row: row.id, room, readers, counts, version: row.version })
}

/// One of a log's people, and what the person may do.
#[derive(FromRow)]
pub(super) struct MemberRow {
    user: String,
    side: String,
    #[sqlx(flatten)]
    standing: StandingRow,
}

impl MemberRow {
    pub(super) fn member(self) -> sqlx::Result<Member> {
        let party = Party { user: code::user(&self.user)?, standing: self.standing.decode()? };
        Ok(Member { party, side: code::parse(&self.side)? })
    }
}

async fn members(connection: &mut Connection, log: i64) -> sqlx::Result<Vec<Member>> {
    let sql = r#"SELECT m."user", m.side, u.status, u.status_reason, u.status_reversible, u.status_next_step
                 FROM members m JOIN users u ON u.id = m."user" WHERE m.log = $1 ORDER BY m.side"#;
    let rows: Vec<MemberRow> = sqlx::query_as(sql).bind(log).fetch_all(connection).await?;
    rows.into_iter().map(MemberRow::member).collect()
}

/// The people of a log as they are now.
pub(super) async fn readers(pool: &Pool, log: &Log) -> sqlx::Result<Vec<UserId>> {
    let room = match log {
        Log::Inbox(owner) => return Ok(vec![owner.clone()]),
        Log::Room(room) => room.0,
    };
    let people: Vec<String> =
        sqlx::query_scalar(r#"SELECT m."user" FROM logs l JOIN members m ON m.log = l.id WHERE l.room = $1"#)
            .bind(room)
            .fetch_all(pool)
            .await?;
    people.iter().map(|user| code::user(user)).collect()
}

/// A log by the two columns that name it.
pub(super) fn named(room: Option<Uuid>, owner: Option<&str>) -> sqlx::Result<Log> {
    match (room, owner) {
        (Some(room), _) => Ok(Log::Room(RoomId(room))),
        (None, Some(owner)) => Ok(Log::Inbox(code::user(owner)?)),
        (None, None) => Err(code::damaged("a log without a name")),
    }
}

/// The two columns that name a log: exactly one is not null.
pub(super) fn keys(log: &Log) -> (Option<Uuid>, Option<&str>) {
    match log {
        Log::Room(id) => (Some(id.0), None),
        Log::Inbox(owner) => (None, Some(owner.as_str())),
    }
}

/// See [`crate::store::Views::access`].
pub(super) async fn access(
    pool: &Pool,
    reader: &UserId,
    logs: &[(Log, u64)],
) -> Result<Vec<Option<Access>>, StoreError> {
    let sql = concat!(
        "SELECT CAST(value ->> 0 AS BIGINT), m.side, l.seq, l.hash, e.hash, (SELECT coalesce(CAST(",
        group!(),
        "(",
        array!(),
        r#"(p."user", COALESCE(k.delivered, 0), COALESCE(k.read, 0))) AS TEXT), '[]')
            FROM members p LEFT JOIN markers k ON k.log = p.log AND k."user" = p."user" WHERE p.log = l.id)
        FROM "#,
        each!("$1"),
        " JOIN logs l ON l.room = ",
        id_of!("value ->> 1"),
        r#" OR l.owner = value ->> 2
        LEFT JOIN members m ON m.log = l.id AND m."user" = $2
        LEFT JOIN entries e ON e.log = l.id AND e.seq = CAST(value ->> 3 AS BIGINT)
        WHERE m.side IS NOT NULL OR l.owner = $2"#
    );
    let asked: Vec<(usize, Option<String>, Option<&str>, i64)> = logs
        .iter()
        .enumerate()
        .map(|(place, (log, at))| {
            let (room, owner) = keys(log);
            (place, room.map(|room| room.simple().to_string()), owner, code::number(*at))
        })
        .collect();
    let mut found = vec![None; logs.len()];
    for row in sqlx::query(sql).bind(code::to_json(&asked)?).bind(reader.as_str()).fetch_all(pool).await? {
        let place = row.try_get::<i64, _>(0)?;
        let side: Option<Side> = row.try_get::<Option<&str>, _>(1)?.map(code::parse).transpose()?;
        let head = Head { seq: code::count(row.try_get(2)?)?, hash: code::hash(row.try_get(3)?)? };
        let hash_at = row.try_get::<Option<&[u8]>, _>(4)?.map(code::hash).transpose()?;
        if let Some(slot) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            *slot = Some(Access { side, head, hash_at, people: people(row.try_get(5)?)? });
        }
    }
    Ok(found)
}

/// The people of a log from their JSON.
fn people(json: &str) -> sqlx::Result<Vec<Reach>> {
    let people: Vec<(String, u64, u64)> = code::json(json)?;
    people
        .into_iter()
        .map(|(user, delivered, read)| Ok(Reach { user: code::user(&user)?, delivered, read }))
        .collect()
}

/// The columns of [`EntryRow`].
macro_rules! entry_columns {
    () => {
        "e.seq, e.kind, e.at, e.by, e.client_id, e.hash, e.public_salt, e.public, e.public_digest, \
         e.private_salt, e.private, e.private_digest, e.policy, e.amended_by"
    };
}
pub(super) use entry_columns;

macro_rules! entry_select {
    ($rest:literal) => {
        concat!("SELECT ", entry_columns!(), " FROM entries e ", $rest)
    };
}

/// See [`crate::store::Archive::entries`].
pub(super) async fn entries(
    pool: &Pool,
    log: &Log,
    range: Range,
    size: PageSize,
) -> Result<Vec<LogEntry>, StoreError> {
    let (room, owner) = keys(log);
    let rising = entry_select!(
        "WHERE e.log = (SELECT id FROM logs WHERE room = $1 OR owner = $2) AND e.seq > $3 ORDER BY e.seq LIMIT $4"
    );
    let falling = entry_select!(
        "WHERE e.log = (SELECT id FROM logs WHERE room = $1 OR owner = $2) AND e.seq < $3 ORDER BY e.seq DESC LIMIT $4"
    );
    let (sql, bound) = match range {
        Range::After(bound) => (rising, bound),
        Range::Before(bound) => (falling, bound),
    };
    let mut rows = sqlx::query_as::<_, EntryRow>(sql)
        .bind(room)
        .bind(owner)
        .bind(code::number(bound))
        .bind(i64::from(size.entries))
        .fetch(pool);
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        bytes += row.size();
        if bytes > size.bytes && !entries.is_empty() {
            break;
        }
        entries.push(row.decode(log)?);
    }
    entries.sort_by_key(|entry| entry.seq);
    Ok(entries)
}

/// One entry by its log's row and its number.
pub(super) async fn entry(connection: &mut Connection, log: i64, seq: u64) -> sqlx::Result<LogEntry> {
    let (room, owner): (Option<Uuid>, Option<String>) =
        sqlx::query_as("SELECT room, owner FROM logs WHERE id = $1")
            .bind(log)
            .fetch_one(&mut *connection)
            .await?;
    let name = named(room, owner.as_deref())?;
    let sql = entry_select!("WHERE e.log = $1 AND e.seq = $2");
    let row: EntryRow = sqlx::query_as(sql).bind(log).bind(code::number(seq)).fetch_one(connection).await?;
    row.decode(&name)
}

/// One entry of a log, if there is one of this number.
pub(super) async fn find(
    connection: &mut Connection,
    log: &Log,
    row: i64,
    seq: u64,
) -> sqlx::Result<Option<LogEntry>> {
    let sql = entry_select!("WHERE e.log = $1 AND e.seq = $2");
    let found: Option<EntryRow> =
        sqlx::query_as(sql).bind(row).bind(code::number(seq)).fetch_optional(connection).await?;
    found.map(|entry| entry.decode(log)).transpose()
}

/// See [`crate::store::Views::measure`].
pub(super) async fn measure(pool: &Pool, log: &Log, after: u64, up_to: u64) -> Result<u64, StoreError> {
    let (room, owner) = keys(log);
    let sql =
        "SELECT CAST(COALESCE(SUM(octet_length(public) + COALESCE(octet_length(private), 0)), 0) AS BIGINT) FROM entries
        WHERE log = (SELECT id FROM logs WHERE room = $1 OR owner = $2) AND seq > $3 AND seq <= $4";
    let bytes: i64 = sqlx::query_scalar(sql)
        .bind(room)
        .bind(owner)
        .bind(code::number(after))
        .bind(code::number(up_to))
        .fetch_one(pool)
        .await?;
    Ok(code::count(bytes)?)
}
