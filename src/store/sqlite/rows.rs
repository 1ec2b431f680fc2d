//! Sets of rows: what a commit looks up and writes. A set travels as one JSON array, so that a statement has the same text whatever
//! the number of rows, and a whole batch is four ways to SQLite's thread and back: look up, begin, write, commit. Row by row, nearly all
//! of an entry's cost was that way.

use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::log::to_hex;
use serde::Serialize;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use uuid::Uuid;

use crate::domain::log::Part;
use crate::store::sql::batch::{HeadMove, Known, KnownCommands, NewCommand, Pending, Rows};
use crate::store::sql::code;
use crate::store::sql::work::Failed;
use crate::store::{CommitError, Intent};

/// Which of these intents were done before.
pub(super) async fn known(
    connection: &mut SqliteConnection,
    intents: impl Iterator<Item = &Intent>,
) -> sqlx::Result<KnownCommands> {
    let sql = "SELECT c.actor, c.client_id, c.mac, c.log, c.seq, c.answer FROM jsonb_each($1) AS asked
               CROSS JOIN commands c ON c.actor = asked.value ->> 0 AND c.client_id = unhex(asked.value ->> 1)";
    let asked = json(intents.map(|intent| (&intent.actor, intent.client_id.0.simple().to_string())))?;
    let mut known = KnownCommands::new();
    for row in sqlx::query(sql).bind(asked).fetch_all(connection).await? {
        let client_id = ClientId(row.try_get::<Uuid, _>(1)?);
        let place: (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
        let place = match place {
            (Some(log), Some(seq)) => Some((log, code::count(seq)?)),
            _ => None,
        };
        let found = Known { mac: row.try_get(2)?, place, answer: row.try_get(5)? };
        known.insert((row.try_get(0)?, client_id), found);
    }
    Ok(known)
}

/// Writes rows as one commit.
pub(super) async fn write_all(connection: &mut SqliteConnection, rows: &Rows<'_>) -> Result<(), CommitError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(Failed::from)?;
    write_rows(&mut transaction, rows).await?;
    transaction.commit().await.map_err(|error| CommitError::Unknown(error.to_string()))
}

/// The three statements of a write, sent as one. A head moves only where it still is what the decision saw.
const WRITE: &str = "
    INSERT INTO entries (log, seq, kind, at, by, client_id, hash, public_salt, public, private_salt, private, policy)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, unhex(value ->> 5), unhex(value ->> 6),
           unhex(value ->> 7), value ->> 8, unhex(value ->> 9), value ->> 10, value ->> 11 FROM jsonb_each(?);
    INSERT INTO commands (actor, client_id, mac, log, seq, answer)
    SELECT value ->> 0, unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5 FROM jsonb_each(?);
    UPDATE logs SET seq = new.value ->> 2, hash = unhex(new.value ->> 3), counts = new.value ->> 4 FROM jsonb_each(?) AS new
    WHERE logs.id = new.value ->> 0 AND logs.seq = new.value ->> 1;";

/// Writes rows inside a transaction. A head that moved since the decision fails all of it.
pub(super) async fn write_rows(connection: &mut SqliteConnection, rows: &Rows<'_>) -> Result<(), Failed> {
    let written = sqlx::query(WRITE)
        .bind(json(rows.entries.iter().map(entry_row))?)
        .bind(json(rows.commands.iter().map(command_row))?)
        .bind(json(rows.heads.iter().map(head_row))?)
        .execute(connection)
        .await?;
    let expected = rows.entries.len() + rows.commands.len() + rows.heads.len();
    if written.rows_affected() == expected as u64 {
        Ok(())
    } else {
        Err(Failed::Stale("a log's head moved under a write"))
    }
}

fn entry_row(Pending { log, entry }: &Pending) -> impl Serialize {
    let private = entry.private.as_ref();
    (
        *log,
        entry.seq,
        &entry.kind,
        entry.at.as_micros(),
        entry.by.as_ref(),
        entry.client_id.map(|id| id.0.simple().to_string()),
        to_hex(&entry.hash.0),
        entry.public.salt().map(|salt| to_hex(salt)),
        entry.public.json(),
        private.and_then(Part::salt).map(|salt| to_hex(salt)),
        private.map(Part::json),
        entry.policy,
    )
}

fn command_row(command: &NewCommand<'_>) -> impl Serialize {
    let intent = command.intent;
    let (log, seq) = command.at.unzip();
    (
        &intent.actor,
        intent.client_id.0.simple().to_string(),
        to_hex(&intent.mac),
        log,
        seq,
        command.answer.as_ref(),
    )
}

fn head_row(head: &HeadMove) -> impl Serialize {
    (head.log, head.from.seq, head.to.seq, to_hex(&head.to.hash.0), &head.counts)
}

/// Rows as a JSON array.
fn json(rows: impl Iterator<Item = impl Serialize>) -> sqlx::Result<String> {
    let rows: Vec<_> = rows.collect();
    serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// What this person may do is decided anew from now on: nobody but this process remembers it.
pub(super) async fn standing_changed(_: &mut SqliteConnection, _: &UserId) -> sqlx::Result<()> {
    Ok(())
}
