//! Sets of rows: what a commit looks up and writes. A set travels as one JSON array, so that a statement has the same text whatever
//! the number of rows, and a whole batch is four ways to SQLite's thread and back: look up, begin, write, commit. Row by row, nearly all
//! of an entry's cost was that way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anteroom_protocol::id::ClientId;
use anteroom_protocol::log::to_hex;
use serde::Serialize;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::code;
use crate::domain::log::{Head, LogEntry, Part, Sealing};
use crate::store::{CommitError, Intent, Moment};

/// What a transaction writes.
#[derive(Default)]
pub(super) struct Rows<'a> {
    /// Entries, in the order of their logs.
    pub(super) entries: Vec<Pending>,
    /// The commands behind them.
    pub(super) commands: Vec<NewCommand<'a>>,
    /// The heads of their logs.
    pub(super) heads: Vec<HeadMove>,
}

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

/// A log's head before and after, and its counts after.
pub(super) struct HeadMove {
    pub(super) log: i64,
    pub(super) from: u64,
    pub(super) to: Head,
    pub(super) counts: Counts,
}

/// How many entries that count as unread each author has written; the server's name is empty.
pub(super) type Counts = BTreeMap<String, u64>;

/// Counts an entry in.
pub(super) fn count_in(counts: &mut Counts, entry: &LogEntry) {
    if entry.counts() {
        let author = entry.by.as_ref().map_or_else(String::new, ToString::to_string);
        *counts.entry(author).or_default() += 1;
    }
}

/// What an entry is sealed with at this moment.
pub(super) fn sealing(moment: Moment) -> Sealing {
    let (public_salt, private_salt) = rand::random();
    Sealing { at: moment.now, public_salt, private_salt, policy: moment.policy }
}

/// A command that was done before.
#[derive(Clone)]
pub(super) struct Known {
    mac: Vec<u8>,
    pub(super) place: Option<(i64, u64)>,
    pub(super) answer: Option<String>,
}

impl Known {
    /// Whether this is that command again. What a redacted command said is not known any more, so whatever comes under its id is it.
    pub(super) fn is(&self, intent: &Intent) -> bool {
        self.mac.is_empty() || self.mac == intent.mac
    }
}

/// Nothing was written: the transaction had not been committed.
#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
pub(super) fn busy(error: sqlx::Error) -> CommitError {
    CommitError::Busy(error.to_string())
}

/// Which of these intents were done before.
pub(super) async fn known(
    connection: &mut SqliteConnection,
    intents: impl Iterator<Item = &Intent>,
) -> sqlx::Result<HashMap<(String, ClientId), Known>> {
    let sql = "SELECT c.actor, c.client_id, c.mac, c.log, c.seq, c.answer FROM jsonb_each($1) AS asked
               CROSS JOIN commands c ON c.actor = asked.value ->> 0 AND c.client_id = unhex(asked.value ->> 1)";
    let asked = json(intents.map(|intent| (&intent.actor, to_hex(code::id(&intent.client_id.0)))))?;
    let mut known = HashMap::new();
    for row in sqlx::query(sql).bind(asked).fetch_all(connection).await? {
        let client_id = ClientId(code::uuid(row.try_get(1)?)?);
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
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(busy)?;
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
pub(super) async fn write_rows(
    connection: &mut SqliteConnection,
    rows: &Rows<'_>,
) -> Result<(), CommitError> {
    let written = sqlx::query(WRITE)
        .bind(json(rows.entries.iter().map(entry_row)).map_err(busy)?)
        .bind(json(rows.commands.iter().map(command_row)).map_err(busy)?)
        .bind(json(rows.heads.iter().map(head_row)).map_err(busy)?)
        .execute(connection)
        .await
        .map_err(busy)?;
    let expected = rows.entries.len() + rows.commands.len() + rows.heads.len();
    if written.rows_affected() == expected as u64 {
        Ok(())
    } else {
        Err(CommitError::Busy("a log's head moved under a write".into()))
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
        entry.client_id.map(|id| to_hex(code::id(&id.0))),
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
        to_hex(code::id(&intent.client_id.0)),
        to_hex(&intent.mac),
        log,
        seq,
        command.answer.as_ref(),
    )
}

fn head_row(head: &HeadMove) -> impl Serialize {
    (head.log, head.from, head.to.seq, to_hex(&head.to.hash.0), &head.counts)
}

/// Rows as a JSON array.
fn json(rows: impl Iterator<Item = impl Serialize>) -> sqlx::Result<String> {
    let rows: Vec<_> = rows.collect();
    serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))
}
