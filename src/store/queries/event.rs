//! The entries of all logs, in the order of all commits.
//!
//! A place names an entry and where it stands, with a hash of both and of the adapter: a place of another database, or of this one before it
//! was restored or moved, is none here, whatever numbers it has.

use anteroom_protocol::event::EventCase;
use anteroom_protocol::id::CandidacyId;
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::{Adapter, Pool, placed, settled};
use super::log::{entry_columns, named};
use crate::store::sql::code;
use crate::store::sql::entry::EntryRow;
use crate::store::{Events, Feed, LogKey, LogPlace, PageSize, Position, StoreError, Told};

/// The place before the first entry.
const BEGINNING: Position = Position::new(&[0; 32]);

/// Where an entry stands in the order of all commits, before log and number.
pub(super) type Placed = (i64, i64, i64);
/// Before everything.
const BEFORE_ALL: Placed = (-1, 0, 0);

/// An entry with what is told beside it.
#[derive(FromRow)]
pub(super) struct ToldRow {
    log: i64,
    placed: i64,
    number: i64,
    room: Option<Uuid>,
    owner: Option<String>,
    candidacy: Option<Uuid>,
    job: Option<String>,
    client: Option<String>,
    freelancer: Option<String>,
    #[sqlx(flatten)]
    entry: EntryRow,
}

impl ToldRow {
    pub(super) fn size(&self) -> usize {
        self.entry.size()
    }

    fn placed(&self) -> Placed {
        (self.placed, self.log, self.number)
    }

    pub(super) fn decode(self) -> sqlx::Result<Told> {
        let log = named(self.room, self.owner.as_deref())?;
        let at = LogPlace { log: LogKey(self.log), seq: code::count(self.number)? };
        let case = match (self.candidacy, self.job, self.client, self.freelancer) {
            (Some(candidacy), Some(job), Some(client), Some(freelancer)) => Some(EventCase {
                candidacy: CandidacyId(candidacy),
                job: job.parse().map_err(|_| code::damaged("a job id"))?,
                client: code::user(&client)?,
                freelancer: code::user(&freelancer)?,
            }),
            _ => None,
        };
        Ok(Told { entry: self.entry.decode(&log)?, case, at })
    }
}

/// The columns of [`ToldRow`].
macro_rules! told_columns {
    () => {
        concat!(
            "e.log, e.",
            placed!(),
            " AS placed, e.seq AS number, l.room, l.owner, c.id AS candidacy, c.job, c.client, c.freelancer, ",
            entry_columns!()
        )
    };
}
pub(super) use told_columns;

/// Entries with what is told beside them.
macro_rules! told_select {
    ($rest:expr) => {
        concat!(
            "SELECT ",
            told_columns!(),
            " FROM entries e JOIN logs l ON l.id = e.log LEFT JOIN candidacies c ON c.id = l.candidacy ",
            $rest
        )
    };
}
pub(super) use told_select;

#[async_trait]
impl Feed for Adapter {
    async fn events(&self, after: Option<Position>, size: PageSize) -> Result<Events, StoreError> {
        let known = match after {
            None => Some(BEFORE_ALL),
            Some(position) => known(&self.readers, position).await?,
        };
        let (rows, has_more) = page(&self.readers, known.unwrap_or(BEFORE_ALL), size).await?;
        let position = match rows.last() {
            Some(row) => position(row.placed(), row.entry.hash()),
            None => after.filter(|_| known.is_some()).unwrap_or(BEGINNING),
        };
        let items = rows.into_iter().map(ToldRow::decode).collect::<sqlx::Result<_>>()?;
        Ok(Events { items, position, has_more, reset: known.is_none() })
    }
}

/// Entries behind a place, up to whichever bound of a page comes first, and whether there are more.
pub(super) async fn page(
    pool: &Pool,
    (placed, log, seq): Placed,
    size: PageSize,
) -> sqlx::Result<(Vec<ToldRow>, bool)> {
    let sql = told_select!(concat!(
        "WHERE (e.",
        placed!(),
        ", e.log, e.seq) > ($1, $2, $3) AND ",
        settled!(),
        " ORDER BY e.",
        placed!(),
        ", e.log, e.seq LIMIT $4"
    ));
    let rows =
        sqlx::query_as(sql).bind(placed).bind(log).bind(seq).bind(i64::from(size.entries) + 1).fetch(pool);
    bounded(rows, size).await
}

/// What of these rows a page takes, and whether it leaves any.
pub(super) async fn bounded(
    mut rows: impl futures_util::Stream<Item = sqlx::Result<ToldRow>> + Unpin,
    size: PageSize,
) -> sqlx::Result<(Vec<ToldRow>, bool)> {
    let (mut taken, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        bytes += row.size();
        if taken.len() >= size.entries as usize || (bytes > size.bytes && !taken.is_empty()) {
            return Ok((taken, true));
        }
        taken.push(row);
    }
    Ok((taken, false))
}

/// Where an entry stands; one that is not there stands before everything.
pub(super) async fn placed_at(pool: &Pool, log: i64, seq: i64) -> sqlx::Result<Placed> {
    let sql = concat!("SELECT ", placed!(), " FROM entries WHERE log = $1 AND seq = $2");
    let placed: Option<i64> = sqlx::query_scalar(sql).bind(log).bind(seq).fetch_optional(pool).await?;
    Ok(placed.map_or(BEFORE_ALL, |placed| (placed, log, seq)))
}

/// The entry that this place is behind, if it is one of this database.
pub(super) async fn known(pool: &Pool, asked: Position) -> sqlx::Result<Option<Placed>> {
    if asked == BEGINNING {
        return Ok(Some(BEFORE_ALL));
    }
    let (numbers, []) = asked.bytes().as_chunks::<8>() else { return Ok(None) };
    let [placed, log, seq, _] = *numbers else { return Ok(None) };
    let placed: Placed = (i64::from_be_bytes(placed), i64::from_be_bytes(log), i64::from_be_bytes(seq));
    let sql = concat!("SELECT hash FROM entries WHERE log = $2 AND seq = $3 AND ", placed!(), " = $1");
    let hash: Option<Vec<u8>> =
        sqlx::query_scalar(sql).bind(placed.0).bind(placed.1).bind(placed.2).fetch_optional(pool).await?;
    Ok(hash.filter(|hash| position(placed, hash) == asked).map(|_| placed))
}

/// The place behind an entry of this hash.
fn position((placed, log, seq): Placed, hash: &[u8]) -> Position {
    let mut bytes = [0; Position::MAX];
    let (numbers, check) = bytes.split_at_mut(24);
    for (number, at) in [placed, log, seq].into_iter().zip(numbers.chunks_mut(8)) {
        at.copy_from_slice(&number.to_be_bytes());
    }
    let digest = Sha256::new().chain_update(placed!()).chain_update(&numbers).chain_update(hash).finalize();
    check.copy_from_slice(&digest[..8]);
    Position::new(&bytes)
}
