//! Logs in SQLite: their heads, their people, their entries.

use std::sync::Arc;

use anteroom_protocol::id::{CandidacyId, ClientId, UserId};
use anteroom_protocol::user::Side;
use futures_util::TryStreamExt as _;
use sqlx::{FromRow, Row as _, SqliteConnection, SqlitePool};

use super::code;
use super::commit::CachedLog;
use super::user::StandingRow;
use crate::domain::log::{Head, Log, LogEntry, Part};
use crate::domain::room::{Member, Room};
use crate::domain::user::Party;
use crate::store::{Access, PageSize, Range, Reach, StoreError};

/// A log with what a write into it is decided on.
pub(super) async fn load(connection: &mut SqliteConnection, log: &Log) -> sqlx::Result<Option<CachedLog>> {
    let (room, owner) = keys(log);
    let sql = "SELECT id, candidacy, phase, seq, hash, counts FROM logs WHERE room = $1 OR owner = $2";
    let row = sqlx::query(sql).bind(room).bind(owner).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let id: i64 = row.try_get(0)?;
    let candidacy = match (row.try_get::<Option<&[u8]>, _>(1)?, row.try_get::<Option<&str>, _>(2)?) {
        (Some(candidacy), Some(phase)) => Some((CandidacyId(code::uuid(candidacy)?), code::parse(phase)?)),
        _ => None,
    };
    let head = Head { seq: code::count(row.try_get(3)?)?, hash: code::hash(row.try_get(4)?)? };
    let counts = code::json(row.try_get(5)?)?;
    let members = members(connection, id).await?;
    let readers: Arc<[UserId]> = match log {
        Log::Inbox(owner) => Arc::from([owner.clone()]),
        Log::Room(_) => members.iter().map(|member| member.party.user.clone()).collect(),
    };
    let room = Room { log: log.clone(), candidacy, members, head };
    Ok(Some(CachedLog { row: id, room, readers, counts }))
}

async fn members(connection: &mut SqliteConnection, log: i64) -> sqlx::Result<Vec<Member>> {
    #[derive(FromRow)]
    struct Row {
        user: String,
        side: String,
        #[sqlx(flatten)]
        standing: StandingRow,
    }
    let sql = r#"SELECT m."user", m.side, u.status, u.status_reason, u.status_reversible, u.status_next_step
                 FROM members m JOIN users u ON u.id = m."user" WHERE m.log = $1 ORDER BY m.side"#;
    let rows: Vec<Row> = sqlx::query_as(sql).bind(log).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let party = Party { user: code::user(&row.user)?, standing: row.standing.decode()? };
            Ok(Member { party, side: code::parse(&row.side)? })
        })
        .collect()
}

/// The two columns that name a log: exactly one is not null.
pub(super) fn keys(log: &Log) -> (Option<&[u8]>, Option<&str>) {
    match log {
        Log::Room(id) => (Some(code::id(&id.0)), None),
        Log::Inbox(owner) => (None, Some(owner.as_str())),
    }
}

/// See [`crate::store::Store::access`].
pub(super) async fn access(
    pool: &SqlitePool,
    reader: &UserId,
    logs: &[(Log, u64)],
) -> Result<Vec<Option<Access>>, StoreError> {
    let sql = r#"SELECT asked.key, m.side, l.seq, l.hash, e.hash,
            (SELECT json_group_array(json_array(p."user", COALESCE(k.delivered, 0), COALESCE(k.read, 0)))
             FROM members p LEFT JOIN markers k ON k.log = p.log AND k."user" = p."user" WHERE p.log = l.id)
        FROM json_each($1) AS asked
        JOIN logs l ON l.room = unhex(asked.value ->> 0) OR l.owner = asked.value ->> 1
        LEFT JOIN members m ON m.log = l.id AND m."user" = $2
        LEFT JOIN entries e ON e.log = l.id AND e.seq = asked.value ->> 2
        WHERE m.side IS NOT NULL OR l.owner = $2"#;
    let asked: Vec<(Option<String>, Option<&str>, i64)> = logs
        .iter()
        .map(|(log, at)| {
            let (room, owner) = keys(log);
            (room.map(anteroom_protocol::log::to_hex), owner, code::number(*at))
        })
        .collect();
    let asked = serde_json::to_string(&asked).map_err(|error| StoreError::Database(error.to_string()))?;
    let mut found = vec![None; logs.len()];
    for row in sqlx::query(sql).bind(asked).bind(reader.as_str()).fetch_all(pool).await? {
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

/// An entry as it stands in its table.
#[derive(FromRow)]
pub(super) struct EntryRow {
    seq: i64,
    kind: String,
    at: i64,
    by: Option<String>,
    client_id: Option<Vec<u8>>,
    hash: Vec<u8>,
    public_salt: Option<Vec<u8>>,
    public: Option<String>,
    public_digest: Option<Vec<u8>>,
    private_salt: Option<Vec<u8>>,
    private: Option<String>,
    private_digest: Option<Vec<u8>>,
    policy: u32,
    amended_by: Option<i64>,
}

impl EntryRow {
    pub(super) fn decode(self, log: &Log) -> sqlx::Result<LogEntry> {
        let private = part(self.private_salt, self.private, self.private_digest)?;
        let public = part(self.public_salt, self.public, self.public_digest)?;
        Ok(LogEntry {
            log: log.clone(),
            seq: code::count(self.seq)?,
            kind: self.kind.into(),
            at: code::time(self.at),
            by: self.by.as_deref().map(code::user).transpose()?,
            client_id: self.client_id.as_deref().map(code::uuid).transpose()?.map(ClientId),
            hash: code::hash(&self.hash)?,
            public: public.ok_or_else(|| code::damaged("an entry without a public part"))?,
            private,
            policy: self.policy,
            amended_by: self.amended_by.map(code::count).transpose()?,
        })
    }

    /// About how many bytes it holds.
    fn size(&self) -> usize {
        self.public.as_ref().map_or(0, String::len) + self.private.as_ref().map_or(0, String::len)
    }
}

fn part(salt: Option<Vec<u8>>, json: Option<String>, digest: Option<Vec<u8>>) -> sqlx::Result<Option<Part>> {
    Ok(match (salt, json, digest) {
        (Some(salt), Some(json), _) => Some(Part::Whole { salt: code::salt(&salt)?, json: json.into() }),
        (_, _, Some(digest)) => Some(Part::Deleted(code::hash(&digest)?)),
        (_, _, None) => None,
    })
}

macro_rules! entry_select {
    ($rest:literal) => {
        concat!(
            "SELECT e.seq, e.kind, e.at, e.by, e.client_id, e.hash, e.public_salt, e.public, e.public_digest, ",
            "e.private_salt, e.private, e.private_digest, e.policy, e.amended_by FROM entries e ",
            $rest
        )
    };
}

/// See [`crate::store::Archive::entries`].
pub(super) async fn entries(
    pool: &SqlitePool,
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
        .bind(size.entries)
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
pub(super) async fn entry(connection: &mut SqliteConnection, log: i64, seq: u64) -> sqlx::Result<LogEntry> {
    let name = sqlx::query("SELECT room, owner FROM logs WHERE id = $1")
        .bind(log)
        .fetch_one(&mut *connection)
        .await?;
    let name = match (name.try_get::<Option<&[u8]>, _>(0)?, name.try_get::<Option<&str>, _>(1)?) {
        (Some(room), _) => Log::Room(anteroom_protocol::id::RoomId(code::uuid(room)?)),
        (None, Some(owner)) => Log::Inbox(code::user(owner)?),
        (None, None) => return Err(code::damaged("a log without a name")),
    };
    let sql = entry_select!("WHERE e.log = $1 AND e.seq = $2");
    let row: EntryRow = sqlx::query_as(sql).bind(log).bind(code::number(seq)).fetch_one(connection).await?;
    row.decode(&name)
}

/// One entry of a log, if there is one of this number.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    log: &Log,
    row: i64,
    seq: u64,
) -> sqlx::Result<Option<LogEntry>> {
    let sql = entry_select!("WHERE e.log = $1 AND e.seq = $2");
    let found: Option<EntryRow> =
        sqlx::query_as(sql).bind(row).bind(code::number(seq)).fetch_optional(connection).await?;
    found.map(|entry| entry.decode(log)).transpose()
}

/// See [`crate::store::Store::measure`].
pub(super) async fn measure(pool: &SqlitePool, log: &Log, after: u64, up_to: u64) -> Result<u64, StoreError> {
    let (room, owner) = keys(log);
    let sql =
        "SELECT COALESCE(SUM(octet_length(public) + COALESCE(octet_length(private), 0)), 0) FROM entries
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
