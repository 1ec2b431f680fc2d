//! The half of a move that reads: the whole database, as it is at one moment, table by table.

use std::fs::File;
use std::path::Path;

use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::{chain, open};
use crate::store::StoreError;
use crate::store::moving::{Chains, Column, MoveError, Rows, Table};
use crate::store::sqlite::{OpenError, Version};

/// Rows that are handed over at once, unless they are large.
const ROWS: u64 = 1_000;
/// Bytes after which no row is added.
const BYTES: u64 = 1 << 20;

/// A database that nobody else has open, to be read from its beginning to its end.
pub struct Source {
    connection: SqliteConnection,
    _lock: File,
}

impl Source {
    /// The database in this file, which no server may have.
    ///
    /// # Errors
    /// There is none, a server has it, it cannot be used, or its tables are not those this version knows.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let lock = open::lock(path)?;
        let options = open::options(path).create_if_missing(false);
        let (connection, Version { found, known }) = open::connect(path, &options).await?;
        if found != Some(known) {
            return Err(OpenError::Older { path: path.to_owned(), found, known });
        }
        let mut source = Self { connection, _lock: lock };
        source.place_webhooks().await.map_err(|error| open::broken(path, error))?;
        Ok(source)
    }

    /// Says how far each webhook was told in words that another database understands. There, all that is copied is one commit, and stands by log
    /// and number; so every webhook is behind all of it, and what it was not told of yet is held up, log by log.
    async fn place_webhooks(&mut self) -> sqlx::Result<()> {
        // Views of this connection alone, under the names of the tables: they are read in their place.
        sqlx::raw_sql(
            "CREATE TEMP VIEW webhook_lanes AS
                SELECT webhook, log, seq, attempts, next_at FROM main.webhook_lanes UNION ALL
                SELECT w.id, e.log, min(e.seq), 0, 0 FROM main.webhooks w JOIN main.entries e ON e.id > coalesce(
                    (SELECT t.id FROM main.entries t WHERE t.log = w.log AND t.seq = w.seq), 0)
                WHERE NOT EXISTS (SELECT 1 FROM main.webhook_lanes h WHERE h.webhook = w.id AND h.log = e.log)
                GROUP BY w.id, e.log;
             CREATE TEMP VIEW webhooks AS
                SELECT id, url, audience, types, description, notify, state, made_at, coalesce(l.log, 0) AS log,
                    coalesce(l.seq, 0) AS seq, secret, former_until, attempts, next_at, failing_since, because, counted
                FROM main.webhooks LEFT JOIN (SELECT log, seq FROM main.entries ORDER BY log DESC, seq DESC LIMIT 1) l",
        )
        .execute(&mut self.connection)
        .await
        .map(drop)
    }

    /// Computes every chain anew.
    ///
    /// # Errors
    /// One does not hold, or the database cannot be read.
    pub async fn chains(&mut self) -> Result<Chains, MoveError> {
        chain::chains(&mut self.connection).await
    }

    /// Reads a table.
    pub fn read(&mut self, table: &'static Table) -> Reading<'_> {
        let sql = format!("SELECT {} FROM {}", table.names(), table.name);
        Reading { table, rows: sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.connection) }
    }
}

/// A table that is being read.
pub struct Reading<'a> {
    table: &'static Table,
    rows: BoxStream<'a, sqlx::Result<SqliteRow>>,
}

impl Reading<'_> {
    /// The next rows; `None`: there are no more.
    ///
    /// # Errors
    /// The database cannot be read, or holds what no server writes.
    pub async fn next(&mut self) -> Result<Option<Rows>, StoreError> {
        let mut rows = Rows::none(self.table);
        while rows.count < ROWS
            && rows.bytes < BYTES
            && let Some(row) = self.rows.try_next().await?
        {
            for (at, column) in rows.columns.iter_mut().enumerate() {
                rows.bytes += add(column, &row, at)?;
            }
            rows.count += 1;
        }
        Ok((rows.count > 0).then_some(rows))
    }
}

/// Adds a row's value to its column. How many bytes it holds.
fn add(column: &mut Column, row: &SqliteRow, at: usize) -> sqlx::Result<u64> {
    let bytes = match column {
        Column::Text(values) => {
            values.push(row.try_get(at)?);
            values.last().and_then(Option::as_ref).map_or(0, String::len)
        }
        Column::Bytes(values) => {
            values.push(row.try_get(at)?);
            values.last().and_then(Option::as_ref).map_or(0, Vec::len)
        }
        Column::Number(values) => {
            values.push(row.try_get(at)?);
            size_of::<i64>()
        }
        Column::Id(values) => {
            values.push(row.try_get(at)?);
            size_of::<uuid::Uuid>()
        }
        Column::Flag(values) => {
            values.push(row.try_get(at)?);
            size_of::<bool>()
        }
    };
    Ok(bytes as u64)
}
