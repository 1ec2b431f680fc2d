//! Messages in SQLite: what becomes of one that is edited or redacted. Posting is the commit path's.

use anteroom_protocol::entry::EntryData;
use anteroom_protocol::id::{ClientId, UserId};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

use super::candidacy::append_to;
use super::commit::{Writer, message_answer, repeat};
use super::open::BUSY_TIMEOUT;
use super::rows::{NewCommand, Rows, busy, write_rows};
use super::{code, log as sql_log, search};
use crate::domain::log::{Event, LogEntry, Part, What};
use crate::domain::refusal::Refusal;
use crate::store::{CommitError, Committed, DecideAmendment, Moment, Write};

/// See [`crate::store::Store::amend`].
pub(super) async fn amend(
    writer: &mut Writer,
    write: &Write,
    target: u64,
    moment: Moment,
    decide: DecideAmendment<'_>,
) -> Result<Committed, CommitError> {
    writer.heal().await.map_err(busy)?;
    let done = attempt(writer, write, target, moment, decide).await;
    writer.judge(done)
}

async fn attempt(
    writer: &mut Writer,
    write: &Write,
    target: u64,
    moment: Moment,
    decide: DecideAmendment<'_>,
) -> Result<Committed, CommitError> {
    let mut transaction = writer.connection.begin_with("BEGIN IMMEDIATE").await.map_err(busy)?;
    if let Some(done_before) = repeat(&mut transaction, &write.intent).await? {
        return Ok(done_before);
    }
    let loaded = sql_log::load(&mut transaction, &write.log).await.map_err(busy)?.ok_or(Refusal::NotFound)?;
    let entry = sql_log::find(&mut transaction, &write.log, loaded.row, target).await.map_err(busy)?;
    let event = decide(&loaded.room, entry.as_ref())?;
    let redacts = matches!(&event, Event { what: What::Room(EntryData::MessageRedacted(_)), .. });
    let mut appended = Vec::new();
    append_to(&mut transaction, write.log.clone(), vec![event], moment, &mut appended).await?;
    let appended = appended.pop().ok_or_else(|| CommitError::Busy("nothing was appended".into()))?;
    let seq = appended.entry.seq;
    let command = NewCommand { intent: &write.intent, at: Some((loaded.row, seq)), answer: None };
    write_rows(&mut transaction, &Rows { commands: vec![command], ..Rows::default() }).await?;
    name_amendment(&mut transaction, loaded.row, target, seq).await.map_err(busy)?;
    if let Some(entry) = entry.filter(|_| redacts) {
        delete_texts(&mut transaction, loaded.row, &entry).await.map_err(busy)?;
    }
    let committed = transaction.commit().await;
    // Also when the outcome is unknown: then nobody knows where this log ends.
    writer.forget(&write.log);
    committed.map_err(|error| CommitError::Unknown(error.to_string()))?;
    writer.leftovers |= redacts;
    let answer = message_answer(&appended.entry);
    Ok(Committed { answer, duplicate: false, appended: vec![appended] })
}

/// What was deleted stands in the write-ahead log until that is written over: it is moved into the database, and the file is cut off. Whether
/// that was done; a reader may be in the way, and is not waited for.
pub(super) async fn empty_the_log_ahead(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    sqlx::query("PRAGMA busy_timeout = 0").execute(&mut *connection).await?;
    let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
    let patience = AssertSqlSafe(format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis()));
    sqlx::query(patience).execute(&mut *connection).await?;
    Ok(emptied?.try_get::<i64, _>(0)? == 0)
}

async fn name_amendment(
    connection: &mut SqliteConnection,
    log: i64,
    target: u64,
    by: u64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE entries SET amended_by = $3 WHERE log = $1 AND seq = $2")
        .bind(log)
        .bind(code::number(target))
        .bind(code::number(by))
        .execute(connection)
        .await
        .map(drop)
}

/// Deletes the text of a message and of its edits, their salts, their words in the index, and what a repeat would be compared with: none of
/// it may be guessed from what stays.
async fn delete_texts(connection: &mut SqliteConnection, log: i64, message: &LogEntry) -> sqlx::Result<()> {
    let edits = sqlx::query(
        "SELECT id, public_salt, public, by, client_id FROM entries
         WHERE log = $1 AND (seq = $2 OR (seq > $2 AND kind = 'message.edited' AND public ->> '$.seq' = $2))",
    )
    .bind(log)
    .bind(code::number(message.seq))
    .fetch_all(&mut *connection)
    .await?;
    for row in edits {
        let id: i64 = row.try_get(0)?;
        let (salt, json): (Option<Vec<u8>>, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
        let (Some(salt), Some(json)) = (salt, json) else { continue };
        let digest = Part::Whole { salt: code::salt(&salt)?, json: json.into() }.digest();
        search::forget(&mut *connection, id).await?;
        sqlx::query(
            "UPDATE entries SET public = NULL, public_salt = NULL, public_digest = $2 WHERE id = $1 AND private IS NULL",
        )
        .bind(id)
        .bind(digest.0.as_slice())
        .execute(&mut *connection)
        .await?;
        let author = row.try_get::<Option<&str>, _>(3)?.map(code::user).transpose()?;
        let client_id = row.try_get::<Option<&[u8]>, _>(4)?.map(code::uuid).transpose()?.map(ClientId);
        if let (Some(author), Some(client_id)) = (author, client_id) {
            forget_content(connection, &author, client_id).await?;
        }
    }
    Ok(())
}

/// A command whose content is not known any more: whatever comes under its id is that command again.
async fn forget_content(
    connection: &mut SqliteConnection,
    author: &UserId,
    client_id: ClientId,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE commands SET mac = x'' WHERE actor = $1 AND client_id = $2")
        .bind(author.as_str())
        .bind(code::id(&client_id.0))
        .execute(connection)
        .await
        .map(drop)
}
