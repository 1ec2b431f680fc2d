//! Sets of rows: what a commit looks up and writes, many rows a statement, in sizes of powers of two, which keeps the number of
//! prepared statements small. Row by row, an entry cost three times as much, nearly all of it the way to SQLite's thread and back.

use std::collections::HashMap;
use std::sync::Arc;

use anteroom_protocol::id::{ClientId, UserId};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

use super::code;
use crate::domain::log::{Head, LogEntry};
use crate::store::{CommitError, Intent};

/// An entry that is decided and not yet written.
pub(super) struct Pending {
    pub(super) log: i64,
    pub(super) entry: Arc<LogEntry>,
}

/// A command that is decided and not yet written.
pub(super) struct NewCommand<'a> {
    pub(super) intent: &'a Intent,
    pub(super) at: Option<(i64, u64)>,
    pub(super) answer: Option<String>,
}

/// A log's head before and after.
pub(super) struct HeadMove {
    pub(super) log: i64,
    pub(super) from: u64,
    pub(super) to: Head,
}

/// A command that was done before.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) mac: Vec<u8>,
    pub(super) place: Option<(i64, u64)>,
    pub(super) answer: Option<String>,
}

/// Nothing was written: the transaction had not been committed.
#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
pub(super) fn busy(error: sqlx::Error) -> CommitError {
    CommitError::Busy(error.to_string())
}

/// Sizes in which sets of rows are written and looked up.
const SET_SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// Cuts rows into sets of those sizes.
fn sets<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SET_SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (set, rest) = rows.split_at(size);
        rows = rest;
        Some(set)
    })
}

/// `(?, ?), (?, ?)`: so many rows of so many columns.
fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// Which of these intents were done before.
pub(super) async fn known(
    connection: &mut SqliteConnection,
    intents: impl Iterator<Item = &Intent>,
) -> sqlx::Result<HashMap<(String, ClientId), Known>> {
    let intents: Vec<&Intent> = intents.collect();
    let mut known = HashMap::new();
    for set in sets(&intents) {
        let sql = format!(
            "SELECT c.actor, c.client_id, c.mac, c.log, c.seq, c.answer FROM (VALUES {}) AS asked \
             CROSS JOIN commands c ON c.actor = asked.column1 AND c.client_id = asked.column2",
            places(set.len(), 2)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for intent in set {
            query = query.bind(&intent.actor).bind(code::id(&intent.client_id.0));
        }
        for row in query.fetch_all(&mut *connection).await? {
            let client_id = ClientId(code::uuid(row.try_get(1)?)?);
            let place: (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
            let place = match place {
                (Some(log), Some(seq)) => Some((log, code::count(seq)?)),
                _ => None,
            };
            let found = Known { mac: row.try_get(2)?, place, answer: row.try_get(5)? };
            known.insert((row.try_get(0)?, client_id), found);
        }
    }
    Ok(known)
}

/// Writes entries and commands and moves the heads, as one commit.
pub(super) async fn write_all(
    connection: &mut SqliteConnection,
    entries: &[Pending],
    commands: &[NewCommand<'_>],
    heads: &[HeadMove],
) -> Result<(), CommitError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(busy)?;
    write_rows(&mut transaction, entries, commands, heads).await?;
    transaction.commit().await.map_err(|error| CommitError::Unknown(error.to_string()))
}

/// Writes entries and commands and moves the heads, inside a transaction.
pub(super) async fn write_rows(
    connection: &mut SqliteConnection,
    entries: &[Pending],
    commands: &[NewCommand<'_>],
    heads: &[HeadMove],
) -> Result<(), CommitError> {
    for set in sets(entries) {
        insert_entries(connection, set).await.map_err(busy)?;
    }
    for set in sets(commands) {
        insert_commands(connection, set).await.map_err(busy)?;
    }
    for set in sets(heads) {
        move_heads(connection, set).await?;
    }
    Ok(())
}

async fn insert_entries(connection: &mut SqliteConnection, set: &[Pending]) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO entries (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy) \
         VALUES {}",
        places(set.len(), 12)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for Pending { log, entry } in set {
        query = query
            .bind(*log)
            .bind(code::number(entry.seq))
            .bind(entry.kind.as_ref())
            .bind(entry.at.as_micros())
            .bind(entry.by.as_ref().map(UserId::as_str))
            .bind(entry.client_id.as_ref().map(|client_id| code::id(&client_id.0)))
            .bind(entry.hash.0.as_slice())
            .bind(entry.public.salt.as_slice())
            .bind(entry.public.json.as_ref())
            .bind(entry.private.as_ref().map(|part| part.salt.as_slice()))
            .bind(entry.private.as_ref().map(|part| part.json.as_ref()))
            .bind(entry.policy);
    }
    query.execute(connection).await.map(drop)
}

async fn insert_commands(connection: &mut SqliteConnection, set: &[NewCommand<'_>]) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO commands (actor, client_id, mac, log, seq, answer) VALUES {}",
        places(set.len(), 6)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for command in set {
        query = query
            .bind(&command.intent.actor)
            .bind(code::id(&command.intent.client_id.0))
            .bind(command.intent.mac.as_slice())
            .bind(command.at.map(|(log, _)| log))
            .bind(command.at.map(|(_, seq)| code::number(seq)))
            .bind(command.answer.as_deref());
    }
    query.execute(connection).await.map(drop)
}

/// Moves heads that are still where the decision saw them; one that is not fails the whole transaction.
async fn move_heads(connection: &mut SqliteConnection, set: &[HeadMove]) -> Result<(), CommitError> {
    let sql = format!(
        "UPDATE logs SET seq = new.column2, hash = new.column3 FROM (VALUES {}) AS new \
         WHERE logs.id = new.column1 AND logs.seq = new.column4",
        places(set.len(), 4)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for head in set {
        query = query
            .bind(head.log)
            .bind(code::number(head.to.seq))
            .bind(head.to.hash.0.as_slice())
            .bind(code::number(head.from));
    }
    let moved = query.execute(connection).await.map_err(busy)?.rows_affected();
    if moved == set.len() as u64 {
        Ok(())
    } else {
        Err(CommitError::Busy("a log's head moved under a write".into()))
    }
}
