//! Messages by their words, with PostgreSQL's text index.
//!
//! The index is filled behind the commits, in their order, so that nobody who writes waits for it; of many servers, one fills it at a time. Words
//! are told apart here and not by the database, so that they are the same words on every server and in every locale. Each entry's words stand
//! beside the word of its log: a search asks for the words within some logs, and never sees those of others.

use anteroom_protocol::id::{RoomId, UserId};
use anteroom_protocol::user::Side;
use serde::Deserialize;
use sqlx::{FromRow, PgConnection, PgPool};
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

use super::change::horizon;
use super::log::entry_columns;
use crate::domain::log::Log;
use crate::store::sql::code;
use crate::store::sql::entry::EntryRow;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Found, Page, Position, StoreError};

/// Letters of a word that are told apart; what is behind them is not. The database has a bound, too, and it is higher.
const LETTERS: usize = 100;
/// Accents that stand behind their letter, once a letter with an accent is taken apart.
const ACCENTS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// The words of a text, as they stand in the index: without accents, in small letters.
fn words(text: &str) -> impl Iterator<Item = String> {
    let plain: String =
        text.nfd().filter(|c| !ACCENTS.contains(c)).flat_map(char::to_lowercase).nfc().collect();
    let words: Vec<String> = plain
        .split(|c: char| !c.is_alphanumeric() && !is_mark(c))
        .filter(|word| word.contains(char::is_alphanumeric))
        .map(|word| word.chars().take(LETTERS).collect())
        .collect();
    words.into_iter()
}

/// Signs that stand within words and are no letters by themselves: the virama of the scripts of India, and joiners.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{200c}'
            | '\u{200d}'
    )
}

/// The word of a log. No text has it: it begins with what is no letter.
fn scope(log: i64) -> String {
    format!("#{log}")
}

#[derive(FromRow)]
struct Fresh {
    log: i64,
    seq: i64,
    tx: i64,
    is_text: bool,
    public: Option<String>,
}

/// See [`crate::store::Store::index`].
pub(super) async fn index(connection: &mut PgConnection, limit: u32) -> Result<Done<bool>, Failed> {
    let upto: Option<(i64, i64, i64)> =
        sqlx::query_as("SELECT tx, log, seq FROM indexed FOR UPDATE SKIP LOCKED")
            .fetch_optional(&mut *connection)
            .await?;
    // Another server is at it.
    let Some((tx, log, seq)) = upto else { return Ok(Done::plain(false)) };
    let fresh: Vec<Fresh> = sqlx::query_as(concat!(
        "SELECT log, seq, tx, kind IN ('message.posted', 'message.edited') AS is_text, public FROM entries
         WHERE (tx, log, seq) > ($1, $2, $3) AND tx < ",
        horizon!(),
        " ORDER BY tx, log, seq LIMIT $4"
    ))
    .bind(tx)
    .bind(log)
    .bind(seq)
    .bind(i64::from(limit) + 1)
    .fetch_all(&mut *connection)
    .await?;
    let done = &fresh[..fresh.len().min(limit as usize)];
    let Some(last) = done.last() else { return Ok(Done::plain(false)) };
    keep(connection, done).await?;
    sqlx::query("UPDATE indexed SET tx = $1, log = $2, seq = $3")
        .bind(last.tx)
        .bind(last.log)
        .bind(last.seq)
        .execute(connection)
        .await?;
    Ok(Done::plain(fresh.len() > done.len()))
}

async fn keep(connection: &mut PgConnection, entries: &[Fresh]) -> Result<(), Failed> {
    #[derive(Deserialize)]
    struct Text {
        body: String,
    }
    let (mut logs, mut seqs, mut txs, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| entry.is_text) {
        let Some(public) = &entry.public else { continue };
        let body = code::json::<Text>(public)?.body;
        let all: Vec<String> = words(&body).chain([scope(entry.log)]).collect();
        logs.push(entry.log);
        seqs.push(entry.seq);
        txs.push(entry.tx);
        texts.push(all.join(" "));
    }
    sqlx::query(
        "INSERT INTO search (log, seq, tx, words)
         SELECT log, seq, tx, array_to_tsvector(string_to_array(words, ' '))
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS fresh (log, seq, tx, words)
         ON CONFLICT DO NOTHING",
    )
    .bind(logs)
    .bind(seqs)
    .bind(txs)
    .bind(texts)
    .execute(connection)
    .await?;
    Ok(())
}

/// Waits until nobody makes entries ready that are about to be deleted: their words would be kept behind the deletion.
pub(super) async fn wait_for_the_index(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT 1 FROM indexed FOR UPDATE").execute(connection).await.map(drop)
}

/// Takes the words of an entry out of the index, if they are in it.
pub(super) async fn forget(connection: &mut PgConnection, log: i64, seq: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM search WHERE log = $1 AND seq = $2")
        .bind(log)
        .bind(seq)
        .execute(connection)
        .await
        .map(drop)
}

#[derive(FromRow)]
struct FoundRow {
    tx: i64,
    log: i64,
    room: Uuid,
    side: String,
    place: i64,
    #[sqlx(flatten)]
    entry: EntryRow,
}

/// See [`crate::store::Store::search`].
pub(super) async fn search(
    pool: &PgPool,
    reader: &UserId,
    room: Option<RoomId>,
    asked: &[String],
    page: Page<Position>,
) -> Result<Found, StoreError> {
    let logs: Vec<i64> = sqlx::query_scalar(
        r#"SELECT m.log FROM members m JOIN logs l ON l.id = m.log WHERE m."user" = $1 AND ($2 IS NULL OR l.room = $2)"#,
    )
    .bind(reader.as_str())
    .bind(room.map(|room| room.0))
    .fetch_all(pool)
    .await?;
    let Some(question) = question(&logs, asked) else { return Ok(Found { entries: Vec::new(), next: None }) };
    let (tx, log, seq) = page.before.map_or((i64::MAX, 0, 0), place_of);
    let sql = concat!(
        "SELECT f.tx, f.log, f.seq AS place, l.room, m.side, ",
        entry_columns!(),
        " FROM search f JOIN entries e ON e.log = f.log AND e.seq = f.seq JOIN logs l ON l.id = f.log ",
        r#"JOIN members m ON m.log = f.log AND m."user" = $2 "#,
        "WHERE f.words @@ CAST($1 AS tsquery) AND (f.tx, f.log, f.seq) < ($3, $4, $5) ",
        "ORDER BY f.tx DESC, f.log DESC, f.seq DESC LIMIT $6"
    );
    let rows: Vec<FoundRow> = sqlx::query_as(sql)
        .bind(question)
        .bind(reader.as_str())
        .bind(tx)
        .bind(log)
        .bind(seq)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(pool)
        .await?;
    found(rows, page.limit as usize)
}

fn found(mut rows: Vec<FoundRow>, limit: usize) -> Result<Found, StoreError> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|row| position((row.tx, row.log, row.place)));
    let mut entries = Vec::with_capacity(rows.len());
    for FoundRow { room, side, entry, .. } in rows {
        let log = Log::Room(RoomId(room));
        entries.push((Some(code::parse::<Side>(&side)?), entry.decode(&log)?));
    }
    Ok(Found { entries, next })
}

/// The place of what was found last.
fn position((tx, log, seq): (i64, i64, i64)) -> Position {
    Position::new(&[tx, log, seq].map(i64::to_be_bytes).concat())
}

/// What such a place says; one that says nothing is before everything.
fn place_of(position: Position) -> (i64, i64, i64) {
    match position.bytes().as_chunks::<8>() {
        ([tx, log, seq], []) => (i64::from_be_bytes(*tx), i64::from_be_bytes(*log), i64::from_be_bytes(*seq)),
        _ => (i64::MIN, 0, 0),
    }
}

/// The question as the database takes it; `None`: nothing can be found. The last word may be a beginning, unless it is so short that there are
/// too many words that begin with it, in all logs together.
fn question(logs: &[i64], asked: &[String]) -> Option<String> {
    let last = asked.last()?;
    let open_end = !(last.is_ascii() && last.len() < 3);
    let words: Vec<String> = asked.iter().flat_map(|word| words(word)).collect();
    if words.is_empty() || logs.is_empty() {
        return None;
    }
    let scopes: Vec<String> = logs.iter().map(|log| format!("'{}'", scope(*log))).collect();
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let ends = if open_end { ":*" } else { "" };
    Some(format!("({}) & {}{ends}", scopes.join(" | "), words.join(" & ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_large_and_small_letters_with_accents_and_without() {
        let of = |text: &str| words(text).collect::<Vec<_>>();
        assert_eq!(of("Grüße aus ÅNGSTRÖM"), ["gruße", "aus", "angstrom"]);
        assert_eq!(of("cafe\u{301}"), of("CAFÉ"));
        assert_eq!(of("it's a 'quoted' \\ #7 | word"), ["it", "s", "a", "quoted", "7", "word"]);
        assert_eq!(of("\u{301} & ! 🙂"), Vec::<String>::new());
        assert_eq!(of(&"ä".repeat(5_000)), ["a".repeat(LETTERS)]);
    }

    #[test]
    fn no_word_can_name_a_room_or_end_the_question() {
        let asked = ["#9".to_owned(), "') | ('#9".to_owned(), "xyz*".to_owned()];
        assert_eq!(question(&[7, 8], &asked).as_deref(), Some("('#7' | '#8') & '9' & '9' & 'xyz':*"));
        assert_eq!(question(&[7], &["ab".to_owned()]).as_deref(), Some("('#7') & 'ab'"));
        assert_eq!(question(&[7], &["*".to_owned()]), None);
        assert_eq!(question(&[], &["word".to_owned()]), None);
    }
}
