//! The one statement of the commit path: it locks, compares, and writes.

use std::collections::HashSet;

use anteroom_protocol::id::ClientId;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::rows::{CommandColumns, EntryColumns, HeadColumns, placed_behind};
use crate::store::sql::batch::{Known, KnownCommands, Rows};
use crate::store::sql::code;

/// How it is made sure that a log is what the decision saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By comparing, in the statement that writes.
    Compare,
    /// By locking it first, in a transaction. Who waits for the lock gets it in turn.
    Lock,
}

/// What the statement found and did.
#[derive(Default)]
pub(super) struct Written {
    /// The logs that were what the decision saw, and hold its entries now.
    pub(super) moved: HashSet<i64>,
    /// Commands that were done before.
    pub(super) known: KnownCommands,
}

/// A log that was written into, or a command that was done before.
#[derive(FromRow)]
struct Row {
    moved: Option<i64>,
    actor: Option<String>,
    client_id: Option<Uuid>,
    mac: Option<Vec<u8>>,
    log: Option<i64>,
    seq: Option<i64>,
    answer: Option<String>,
}

/// The statement that writes, with a column more of each entry, and what stands in it.
///
/// The row locks are taken by `locked`, in the order of the ids. Where one has to be waited for, its conditions are looked at again on the row
/// as it is by then, and all of them are about that row alone.
macro_rules! write_sql {
    ($column:literal, $value:expr) => {
        concat!("
    WITH head AS (
        SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[])
            AS h (log, was, version, seq, hash, counts)),
    command AS (
        SELECT * FROM unnest($7::text[], $8::uuid[], $9::bytea[], $10::bigint[], $11::bigint[], $12::text[])
            AS c (actor, client_id, mac, log, seq, answer)),
    known AS MATERIALIZED (
        SELECT k.actor, k.client_id, k.mac, k.log, k.seq, k.answer, c.log AS meant
        FROM command c JOIN commands k ON k.actor = c.actor AND k.client_id = c.client_id),
    locked AS MATERIALIZED (
        SELECT l.id FROM logs l JOIN head h ON h.log = l.id
        WHERE l.hash = h.was AND l.version = h.version AND l.id NOT IN (SELECT meant FROM known)
        ORDER BY l.id FOR NO KEY UPDATE OF l),
    moved AS (
        UPDATE logs l SET seq = h.seq, hash = h.hash, counts = h.counts FROM head h
        WHERE l.id = h.log AND l.id IN (SELECT id FROM locked) RETURNING l.id),
    written AS (
        INSERT INTO entries (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy", $column, ")
        SELECT e.*", $value, " FROM unnest($13::bigint[], $14::bigint[], $15::text[], $16::bigint[], $17::text[], $18::uuid[], $19::bytea[],
                             $20::bytea[], $21::text[], $22::bytea[], $23::text[], $24::bigint[])
            AS e (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy)
        WHERE e.log IN (SELECT id FROM moved)),
    kept AS (
        INSERT INTO commands (actor, client_id, mac, log, seq, answer)
        SELECT actor, client_id, mac, log, seq, answer FROM command c WHERE c.log IN (SELECT id FROM moved))
    SELECT id AS moved, NULL::text AS actor, NULL::uuid AS client_id, NULL::bytea AS mac, NULL::bigint AS log, NULL::bigint AS seq,
           NULL::text AS answer FROM moved
    UNION ALL SELECT NULL, actor, client_id, mac, log, seq, answer FROM known")
    };
}

impl Way {
    /// How is written. Who compares decided on what was committed before the statement began, so every transaction that wrote into these logs
    /// has a lower number; who locked and waited may have a lower one than the transaction that was waited for ([`placed_behind`]).
    fn sql(self) -> &'static str {
        match self {
            Self::Compare => write_sql!("", ""),
            Self::Lock => write_sql!(", tx", concat!(", ", placed_behind!())),
        }
    }
}

/// Writes rows, and finds which of their commands were done before.
pub(super) async fn write(connection: &mut PgConnection, rows: &Rows<'_>, way: Way) -> sqlx::Result<Written> {
    let mut written = Written::default();
    if rows.heads.is_empty() {
        return Ok(written);
    }
    let heads = HeadColumns::of(&rows.heads)?;
    let commands = CommandColumns::of(&rows.commands);
    let entries = EntryColumns::of(&rows.entries);
    let found: Vec<Row> = sqlx::query_as(way.sql())
        .bind(heads.log)
        .bind(heads.was)
        .bind(heads.version)
        .bind(heads.seq)
        .bind(heads.hash)
        .bind(heads.counts)
        .bind(commands.actor)
        .bind(commands.client_id)
        .bind(commands.mac)
        .bind(commands.log)
        .bind(commands.seq)
        .bind(commands.answer)
        .bind(entries.log)
        .bind(entries.seq)
        .bind(entries.kind)
        .bind(entries.at)
        .bind(entries.by)
        .bind(entries.client_id)
        .bind(entries.hash)
        .bind(entries.public_salt)
        .bind(entries.public)
        .bind(entries.private_salt)
        .bind(entries.private)
        .bind(entries.policy)
        .fetch_all(connection)
        .await?;
    for row in found {
        written.moved.extend(row.moved);
        if let (Some(actor), Some(client_id), Some(mac)) = (row.actor, row.client_id, row.mac) {
            let place = row.log.zip(row.seq.map(code::count).transpose()?);
            written.known.insert((actor, ClientId(client_id)), Known { mac, place, answer: row.answer });
        }
    }
    Ok(written)
}
