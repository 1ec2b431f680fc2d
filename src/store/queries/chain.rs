//! Every log of a database, read from its first entry to its last, and its chain computed anew.

use anteroom_protocol::log::Hash;
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::Connection;
use super::log::named;
use crate::domain::log::{Head, Log};
use crate::store::StoreError;
use crate::store::moving::{Chains, MoveError};
use crate::store::sql::code;
use crate::store::sql::entry::EntryRow;

#[derive(FromRow)]
struct Row {
    row: i64,
    room: Option<Uuid>,
    owner: Option<String>,
    last: i64,
    last_hash: Vec<u8>,
    #[sqlx(flatten)]
    entry: EntryRow,
}

#[derive(FromRow)]
struct Empty {
    room: Option<Uuid>,
    owner: Option<String>,
    seq: i64,
    hash: Vec<u8>,
}

/// A log whose entries are being read.
struct Reading {
    row: i64,
    log: Log,
    /// The entry that was read last.
    at: Head,
    /// What the log's row says that its last entry is.
    last: Head,
}

impl Reading {
    fn begin(row: &Row) -> sqlx::Result<Self> {
        let log = named(row.room, row.owner.as_deref())?;
        let last = Head { seq: code::count(row.last)?, hash: code::hash(&row.last_hash)? };
        Ok(Self { row: row.row, log, at: Head::EMPTY, last })
    }

    /// The log has no more entries: it must end here.
    fn end(&self, heads: &mut Sha256) -> Result<(), MoveError> {
        if self.at != self.last {
            return Err(broken(&self.log, self.at.seq + 1));
        }
        heads.update(format!("{} {} {}\n", self.log, self.at.seq, self.at.hash));
        Ok(())
    }
}

/// Computes every chain anew. Takes as long as reading all entries takes, and no more memory for more of them.
///
/// # Errors
/// The first entry that is not what was written, or is missing.
pub(super) async fn chains(connection: &mut Connection) -> Result<Chains, MoveError> {
    let mut heads = Sha256::new();
    let mut chains = Chains { logs: 0, entries: 0, newest: None, heads: Hash::GENESIS };
    let mut reading: Option<Reading> = None;
    {
        let mut rows = sqlx::query_as::<_, Row>(
            "SELECT l.id AS row, l.room, l.owner, l.seq AS last, l.hash AS last_hash, e.seq, e.kind, e.at, e.by, e.client_id, e.hash,
                e.public_salt, e.public, e.public_digest, e.private_salt, e.private, e.private_digest, e.policy, e.amended_by
             FROM logs l JOIN entries e ON e.log = l.id ORDER BY l.id, e.seq",
        )
        .fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
            let mut log = match reading.take() {
                Some(log) if log.row == row.row => log,
                before => {
                    before.map_or(Ok(()), |log| log.end(&mut heads))?;
                    chains.logs += 1;
                    Reading::begin(&row).map_err(StoreError::from)?
                }
            };
            let entry = row.entry.decode(&log.log).map_err(StoreError::from)?;
            if !entry.follows(log.at) {
                return Err(broken(&log.log, log.at.seq + 1));
            }
            log.at = entry.head();
            chains.entries += 1;
            chains.newest = chains.newest.max(Some(entry.at));
            reading = Some(log);
        }
    }
    reading.map_or(Ok(()), |log| log.end(&mut heads))?;
    chains.heads = Hash(heads.finalize().into());
    nothing_beside(connection, &mut chains).await?;
    Ok(chains)
}

/// What no entry leads to: logs that are empty, which must say so, and entries of no log.
async fn nothing_beside(connection: &mut Connection, chains: &mut Chains) -> Result<(), MoveError> {
    let empty: Vec<Empty> = sqlx::query_as(
        "SELECT room, owner, seq, hash FROM logs l WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.log = l.id)",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(StoreError::from)?;
    for Empty { room, owner, seq, hash } in empty {
        if (seq, &hash[..]) != (0, &Head::EMPTY.hash.0[..]) {
            return Err(broken(&named(room, owner.as_deref()).map_err(StoreError::from)?, 1));
        }
        chains.logs += 1;
    }
    let homeless: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM entries e WHERE NOT EXISTS (SELECT 1 FROM logs l WHERE l.id = e.log)",
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::from)?;
    match code::count(homeless).map_err(StoreError::from)? {
        0 => Ok(()),
        some => Err(MoveError::Homeless(some)),
    }
}

fn broken(log: &Log, seq: u64) -> MoveError {
    MoveError::Broken { log: log.to_string(), seq }
}
