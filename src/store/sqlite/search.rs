//! Messages by their words, with SQLite's FTS5.
//!
//! The index is filled behind the commits, in the order of the commits, so that nobody who writes waits for it. Each entry's words stand in
//! it beside the word of its log: a search asks for the words within some logs, and never sees those of others.

use anteroom_protocol::id::{RoomId, UserId};
use anteroom_protocol::user::Side;
use sqlx::{FromRow, Row as _, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::change;
use crate::domain::log::Log;
use crate::store::sql::code;
use crate::store::sql::entry::EntryRow;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Found, Page, Position, StoreError};

/// The kinds that are found by their words.
const KINDS: [&str; 2] = ["message.posted", "message.edited"];

/// See [`crate::store::Store::index`].
pub(super) async fn index(connection: &mut SqliteConnection, limit: u32) -> Result<Done<bool>, Failed> {
    let (from, end): (i64, Option<i64>) = sqlx::query_as(
        "SELECT upto, (SELECT MAX(id) FROM (SELECT id FROM entries WHERE id > upto ORDER BY id LIMIT $1)) FROM indexed",
    )
    .bind(i64::from(limit))
    .fetch_one(&mut *connection)
    .await?;
    let Some(end) = end else { return Ok(Done::plain(false)) };
    sqlx::query(
        "INSERT INTO search (rowid, scope, body)
         SELECT id, 'log' || log, public ->> '$.body' FROM entries
         WHERE id > $1 AND id <= $2 AND public IS NOT NULL AND kind IN (SELECT value FROM json_each($3))",
    )
    .bind(from)
    .bind(end)
    .bind(code::to_json(&KINDS)?)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE indexed SET upto = $1").bind(end).execute(&mut *connection).await?;
    let more: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM entries WHERE id > $1)")
        .bind(end)
        .fetch_one(&mut *connection)
        .await?;
    Ok(Done::plain(more))
}

/// Takes the words of an entry out of the index, if they are in it. The entry must still have its text: it is by the words that the
/// places are found.
pub(super) async fn forget(connection: &mut SqliteConnection, log: i64, seq: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO search (search, rowid, scope, body)
         SELECT 'delete', id, 'log' || log, public ->> '$.body' FROM entries
         WHERE log = $1 AND seq = $3 AND id <= (SELECT upto FROM indexed) AND public IS NOT NULL
           AND kind IN (SELECT value FROM json_each($2))",
    )
    .bind(log)
    .bind(code::to_json(&KINDS)?)
    .bind(seq)
    .execute(connection)
    .await
    .map(drop)
}

/// Waits until nobody makes entries ready that are about to be deleted: one connection writes, so nobody does.
pub(super) async fn wait_for_the_index(_: &mut SqliteConnection) -> sqlx::Result<()> {
    Ok(())
}

#[derive(FromRow)]
struct FoundRow {
    id: i64,
    room: Uuid,
    side: String,
    #[sqlx(flatten)]
    entry: EntryRow,
}

/// See [`crate::store::Store::search`].
pub(super) async fn search(
    pool: &SqlitePool,
    reader: &UserId,
    room: Option<RoomId>,
    words: &[String],
    page: Page<Position>,
) -> Result<Found, StoreError> {
    let logs = sqlx::query(
        r#"SELECT m.log FROM members m JOIN logs l ON l.id = m.log WHERE m."user" = $1 AND ($2 IS NULL OR l.room = $2)"#,
    )
    .bind(reader.as_str())
    .bind(room.map(|room| room.0))
    .fetch_all(pool)
    .await?;
    let scopes: Vec<String> = logs
        .iter()
        .map(|row| Ok(format!("log{}", row.try_get::<i64, _>(0)?)))
        .collect::<sqlx::Result<_>>()?;
    if scopes.is_empty() || words.is_empty() {
        return Ok(Found { entries: Vec::new(), next: None });
    }
    let sql = concat!(
        "SELECT f.rowid AS id, l.room, m.side, e.seq, e.kind, e.at, e.by, e.client_id, e.hash, e.public_salt, e.public, ",
        "e.public_digest, e.private_salt, e.private, e.private_digest, e.policy, e.amended_by ",
        "FROM search f JOIN entries e ON e.id = f.rowid JOIN logs l ON l.id = e.log ",
        r#"JOIN members m ON m.log = e.log AND m."user" = $2 "#,
        "WHERE search MATCH $1 AND f.rowid < $3 ORDER BY f.rowid DESC LIMIT $4"
    );
    let rows: Vec<FoundRow> = sqlx::query_as(sql)
        .bind(question(&scopes, words))
        .bind(reader.as_str())
        .bind(page.before.map_or(i64::MAX, change::id))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(pool)
        .await?;
    found(rows, page.limit as usize)
}

fn found(mut rows: Vec<FoundRow>, limit: usize) -> Result<Found, StoreError> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|row| row.id);
    let mut entries = Vec::with_capacity(rows.len());
    for FoundRow { room, side, entry, .. } in rows {
        let log = Log::Room(RoomId(room));
        entries.push((Some(code::parse::<Side>(&side)?), entry.decode(&log)?));
    }
    let next = next.zip(entries.last()).map(|(id, (_, entry))| change::position(id, &entry.hash.0));
    Ok(Found { entries, next })
}

/// The words as FTS5 asks for them: each as a string, in which nothing has a meaning; the last one may be a beginning. Only a NUL would
/// end the question, whatever stands around it.
fn question(scopes: &[String], words: &[String]) -> String {
    // Of one or two letters there are too many words that begin with them, in all logs together.
    let is_short = words.last().is_none_or(|last| last.is_ascii() && last.len() < 3);
    let open_end = if is_short { "" } else { " *" };
    let quoted = |word: &String| format!("\"{}\"", word.replace('"', "\"\"").replace('\0', " "));
    let words: Vec<String> = words.iter().map(quoted).collect();
    format!("scope : ({}) AND body : ({}{})", scopes.join(" OR "), words.join(" AND "), open_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_no_meaning_but_their_own() {
        let words = ["NEAR(a", "say \"hi\"", "xyz*"].map(str::to_owned);
        let asked = question(&["log7".to_owned()], &words);
        assert_eq!(asked, r#"scope : (log7) AND body : ("NEAR(a" AND "say ""hi""" AND "xyz*" *)"#);
    }

    /// A word with a NUL in it was an error of the database. Nobody can bring one there today: the use case takes letters and digits
    /// alone. But what a word may be is not for the adapter to know.
    #[test]
    fn regression_a_nul_does_not_end_the_question() {
        let asked = question(&["log7".to_owned()], &["a\0b".to_owned(), "cat".to_owned()]);
        assert_eq!(asked, r#"scope : (log7) AND body : ("a b" AND "cat" *)"#);
    }
}
