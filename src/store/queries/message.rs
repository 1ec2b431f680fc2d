//! Messages: what becomes of one that is edited or redacted. Posting is the commit path's.

use anteroom_protocol::entry::EntryData;
use anteroom_protocol::id::{ClientId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

use super::candidacy::append_to;
use super::command::repeat;
use super::dialect::{Connection, edited};
use super::rows::write_rows;
use super::{log as sql_log, search};
use crate::domain::log::{Event, LogEntry, Part, What};
use crate::domain::refusal::Refusal;
use crate::store::sql::batch::{NewCommand, Rows, message_answer};
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Committed, DecideAmendment, Moment, Write};

/// See [`crate::store::Store::amend`]. Tells whether something was deleted, too.
pub(super) async fn amend(
    connection: &mut Connection,
    write: &Write,
    target: u64,
    moment: Moment,
    decide: DecideAmendment<'_>,
) -> Result<Done<(Committed, bool)>, Failed> {
    if let Some(done_before) = repeat(connection, &write.intent).await? {
        return Ok(Done::plain((done_before, false)));
    }
    let loaded = sql_log::load_locked(connection, &write.log).await?.ok_or(Refusal::NotFound)?;
    let entry = sql_log::find(connection, &write.log, loaded.row, target).await?;
    let event = decide(&loaded.room, entry.as_ref())?;
    let redacts = matches!(&event, Event { what: What::Room(EntryData::MessageRedacted(_)), .. });
    let mut appended = Vec::new();
    append_to(connection, write.log.clone(), vec![event], moment, &mut appended).await?;
    let last = appended.last().ok_or(Failed::Stale("nothing was appended"))?;
    let (seq, answer) = (last.entry.seq, message_answer(&last.entry));
    let command = NewCommand { intent: &write.intent, at: Some((loaded.row, seq)), answer: None };
    write_rows(connection, &Rows { commands: vec![command], ..Rows::default() }).await?;
    name_amendment(connection, loaded.row, target, seq).await?;
    if let Some(entry) = entry.filter(|_| redacts) {
        delete_texts(connection, loaded.row, &entry).await?;
    }
    let forget = appended.clone();
    Ok(Done::appended((Committed { answer, duplicate: false, appended }, redacts), &forget))
}

async fn name_amendment(connection: &mut Connection, log: i64, target: u64, by: u64) -> sqlx::Result<()> {
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
async fn delete_texts(connection: &mut Connection, log: i64, message: &LogEntry) -> sqlx::Result<()> {
    #[derive(FromRow)]
    struct Row {
        seq: i64,
        public_salt: Option<Vec<u8>>,
        public: Option<String>,
        by: Option<String>,
        client_id: Option<Uuid>,
    }
    search::wait_for_the_index(connection).await?;
    let edits: Vec<Row> = sqlx::query_as(concat!(
        "SELECT seq, public_salt, public, by, client_id FROM entries
         WHERE log = $1 AND (seq = $2 OR (seq > $2 AND kind = 'message.edited' AND ",
        edited!("public"),
        " = $2))"
    ))
    .bind(log)
    .bind(code::number(message.seq))
    .fetch_all(&mut *connection)
    .await?;
    for row in edits {
        let (Some(salt), Some(json)) = (row.public_salt, row.public) else { continue };
        let digest = Part::Whole { salt: code::salt(&salt)?, json: json.into() }.digest();
        search::forget(connection, log, row.seq).await?;
        sqlx::query(
            "UPDATE entries SET public = NULL, public_salt = NULL, public_digest = $3
             WHERE log = $1 AND seq = $2 AND private IS NULL",
        )
        .bind(log)
        .bind(row.seq)
        .bind(digest.0.as_slice())
        .execute(&mut *connection)
        .await?;
        if let (Some(author), Some(client_id)) = (row.by, row.client_id) {
            forget_content(connection, &code::user(&author)?, ClientId(client_id)).await?;
        }
    }
    Ok(())
}

/// A command whose content is not known any more: whatever comes under its id is that command again.
async fn forget_content(
    connection: &mut Connection,
    author: &UserId,
    client_id: ClientId,
) -> sqlx::Result<()> {
    let nothing: &[u8] = &[];
    sqlx::query("UPDATE commands SET mac = $3 WHERE actor = $1 AND client_id = $2")
        .bind(author.as_str())
        .bind(client_id.0)
        .bind(nothing)
        .execute(connection)
        .await
        .map(drop)
}
