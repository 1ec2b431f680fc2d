//! Sets of rows: what a transaction looks up and writes. A set travels as one array a column, so that a statement has the same text, and the
//! same plan, whatever the number of rows.

use anteroom_protocol::id::{ClientId, UserId};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::domain::log::Part;
use crate::store::Intent;
use crate::store::sql::batch::{HeadMove, Known, KnownCommands, NewCommand, Pending, Rows};
use crate::store::sql::code;
use crate::store::sql::work::Failed;

/// The number under which an entry `e` stands in the order of all commits, when its log was waited for: that of its own transaction, or that
/// of the entry before it, if it is higher. A transaction gets its number before it waits for a log, so it may write behind one that has a
/// higher number; and who reads by these numbers is to find each log in its order. What is settled stays so: the transaction that has written
/// is never above the number that is given here.
macro_rules! placed_behind {
    () => {
        "greatest(CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), (
            SELECT b.tx FROM entries b WHERE b.log = e.log AND b.seq < e.seq ORDER BY b.seq DESC LIMIT 1))"
    };
}
pub(super) use placed_behind;

/// Entries, a column an array.
#[derive(Default)]
pub(super) struct EntryColumns {
    pub(super) log: Vec<i64>,
    pub(super) seq: Vec<i64>,
    pub(super) kind: Vec<String>,
    pub(super) at: Vec<i64>,
    pub(super) by: Vec<Option<String>>,
    pub(super) client_id: Vec<Option<Uuid>>,
    pub(super) hash: Vec<Vec<u8>>,
    pub(super) public_salt: Vec<Option<Vec<u8>>>,
    pub(super) public: Vec<Option<String>>,
    pub(super) private_salt: Vec<Option<Vec<u8>>>,
    pub(super) private: Vec<Option<String>>,
    pub(super) policy: Vec<i64>,
}

impl EntryColumns {
    pub(super) fn of(entries: &[Pending]) -> Self {
        let mut columns = Self::default();
        for Pending { log, entry } in entries {
            let private = entry.private.as_ref();
            columns.log.push(*log);
            columns.seq.push(code::number(entry.seq));
            columns.kind.push(entry.kind.to_string());
            columns.at.push(entry.at.as_micros());
            columns.by.push(entry.by.as_ref().map(ToString::to_string));
            columns.client_id.push(entry.client_id.map(|id| id.0));
            columns.hash.push(entry.hash.0.to_vec());
            columns.public_salt.push(entry.public.salt().map(|salt| salt.to_vec()));
            columns.public.push(Some(entry.public.json().to_owned()));
            columns.private_salt.push(private.and_then(Part::salt).map(|salt| salt.to_vec()));
            columns.private.push(private.map(|part| part.json().to_owned()));
            columns.policy.push(i64::from(entry.policy));
        }
        columns
    }
}

/// Commands, likewise.
#[derive(Default)]
pub(super) struct CommandColumns {
    pub(super) actor: Vec<String>,
    pub(super) client_id: Vec<Uuid>,
    pub(super) mac: Vec<Vec<u8>>,
    pub(super) log: Vec<Option<i64>>,
    pub(super) seq: Vec<Option<i64>>,
    pub(super) answer: Vec<Option<String>>,
}

impl CommandColumns {
    pub(super) fn of(commands: &[NewCommand<'_>]) -> Self {
        let mut columns = Self::default();
        for command in commands {
            let (log, seq) = command.at.unzip();
            columns.actor.push(command.intent.actor.clone());
            columns.client_id.push(command.intent.client_id.0);
            columns.mac.push(command.intent.mac.to_vec());
            columns.log.push(log);
            columns.seq.push(seq.map(code::number));
            columns.answer.push(command.answer.clone());
        }
        columns
    }
}

/// Heads, likewise.
#[derive(Default)]
pub(super) struct HeadColumns {
    pub(super) log: Vec<i64>,
    /// The hash it had: it says all that was before, also where a database was restored and has gone another way to the same number.
    pub(super) was: Vec<Vec<u8>>,
    pub(super) version: Vec<i64>,
    pub(super) seq: Vec<i64>,
    pub(super) hash: Vec<Vec<u8>>,
    pub(super) counts: Vec<String>,
}

impl HeadColumns {
    pub(super) fn of(heads: &[HeadMove]) -> sqlx::Result<Self> {
        let mut columns = Self::default();
        for head in heads {
            columns.log.push(head.log);
            columns.was.push(head.from.hash.0.to_vec());
            columns.version.push(head.version);
            columns.seq.push(code::number(head.to.seq));
            columns.hash.push(head.to.hash.0.to_vec());
            columns.counts.push(code::to_json(&head.counts)?);
        }
        Ok(columns)
    }
}

/// Which of these intents were done before.
pub(super) async fn known(
    connection: &mut PgConnection,
    intents: impl Iterator<Item = &Intent>,
) -> sqlx::Result<KnownCommands> {
    let (actors, ids): (Vec<String>, Vec<Uuid>) =
        intents.map(|intent| (intent.actor.clone(), intent.client_id.0)).unzip();
    let sql = "SELECT c.actor, c.client_id, c.mac, c.log, c.seq, c.answer FROM unnest($1::text[], $2::uuid[]) AS asked (actor, id)
               JOIN commands c ON c.actor = asked.actor AND c.client_id = asked.id";
    let mut known = KnownCommands::new();
    for row in sqlx::query(sql).bind(actors).bind(ids).fetch_all(connection).await? {
        let place: (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
        let place = place.0.zip(place.1.map(code::count).transpose()?);
        let found = Known { mac: row.try_get(2)?, place, answer: row.try_get(5)? };
        known.insert((row.try_get(0)?, ClientId(row.try_get(1)?)), found);
    }
    Ok(known)
}

/// Writes rows inside a transaction that has locked their logs.
pub(super) async fn write_rows(connection: &mut PgConnection, rows: &Rows<'_>) -> Result<(), Failed> {
    if !rows.entries.is_empty() {
        insert_entries(connection, &EntryColumns::of(&rows.entries)).await?;
    }
    if !rows.commands.is_empty() {
        insert_commands(connection, &CommandColumns::of(&rows.commands)).await?;
    }
    if !rows.heads.is_empty() {
        move_heads(connection, &rows.heads).await?;
    }
    Ok(())
}

async fn insert_entries(connection: &mut PgConnection, entries: &EntryColumns) -> sqlx::Result<()> {
    sqlx::query(concat!(
        "INSERT INTO entries (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy, tx)
         SELECT e.*, ",
        placed_behind!(),
        " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::uuid[], $7::bytea[],
                      $8::bytea[], $9::text[], $10::bytea[], $11::text[], $12::bigint[])
            AS e (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy)"
    ))
    .bind(&entries.log)
    .bind(&entries.seq)
    .bind(&entries.kind)
    .bind(&entries.at)
    .bind(&entries.by)
    .bind(&entries.client_id)
    .bind(&entries.hash)
    .bind(&entries.public_salt)
    .bind(&entries.public)
    .bind(&entries.private_salt)
    .bind(&entries.private)
    .bind(&entries.policy)
    .execute(connection)
    .await
    .map(drop)
}

async fn insert_commands(connection: &mut PgConnection, commands: &CommandColumns) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO commands (actor, client_id, mac, log, seq, answer)
         SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::bigint[], $5::bigint[], $6::text[])",
    )
    .bind(&commands.actor)
    .bind(&commands.client_id)
    .bind(&commands.mac)
    .bind(&commands.log)
    .bind(&commands.seq)
    .bind(&commands.answer)
    .execute(connection)
    .await
    .map(drop)
}

/// A head that moved since the decision fails all of it. The logs are locked, so nobody else moved it: this finds our own mistakes.
async fn move_heads(connection: &mut PgConnection, heads: &[HeadMove]) -> Result<(), Failed> {
    let columns = HeadColumns::of(heads)?;
    let moved = sqlx::query(
        "UPDATE logs l SET seq = h.seq, hash = h.hash, counts = h.counts
         FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bytea[], $5::text[]) AS h (log, was, seq, hash, counts)
         WHERE l.id = h.log AND l.hash = h.was",
    )
    .bind(&columns.log)
    .bind(&columns.was)
    .bind(&columns.seq)
    .bind(&columns.hash)
    .bind(&columns.counts)
    .execute(connection)
    .await?;
    let all = moved.rows_affected() == heads.len() as u64;
    if all { Ok(()) } else { Err(Failed::Stale("a log's head moved under a write")) }
}

/// What this person may do is decided anew from now on, in every log of theirs and on every server.
pub(super) async fn standing_changed(connection: &mut PgConnection, user: &UserId) -> sqlx::Result<()> {
    sqlx::query(
        r#"WITH theirs AS MATERIALIZED (
               SELECT id FROM logs WHERE id IN (SELECT log FROM members WHERE "user" = $1) ORDER BY id FOR NO KEY UPDATE)
           UPDATE logs SET version = version + 1 WHERE id IN (SELECT id FROM theirs)"#,
    )
    .bind(user.as_str())
    .execute(connection)
    .await
    .map(drop)
}
