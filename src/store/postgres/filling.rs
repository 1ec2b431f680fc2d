//! The half of a move that writes: an empty database, filled in one transaction, so that it holds everything or nothing.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{chain, open};
use crate::store::StoreError;
use crate::store::moving::{Chains, Column, Kind, MoveError, Rows, TABLES, Table};
use crate::store::postgres::{OpenError, Settings};
use crate::store::sql::code;

/// A database that is being filled. What was written is there once it is kept, and not before.
pub struct Target(PgConnection);

impl Target {
    /// This database, brought up to date.
    ///
    /// # Errors
    /// It cannot be reached or brought up to date.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        open::migrate(settings).await?;
        open::connect(settings).await.map(Self)
    }

    /// Begins to fill it. Whoever else would write waits until this has ended, and so would a second copy.
    ///
    /// # Errors
    /// There is something in it.
    pub async fn begin(&mut self) -> Result<(), MoveError> {
        let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", names.join(", "));
        for sql in [
            "BEGIN",
            // It waits for whoever reads the other database, for as long as that takes.
            "SET LOCAL idle_in_transaction_session_timeout = 0",
            "SET LOCAL statement_timeout = 0",
            "SET LOCAL lock_timeout = '10s'",
            &lock,
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut self.0).await.map_err(StoreError::from)?;
        }
        for table in TABLES {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
            let used: bool = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut self.0)
                .await
                .map_err(StoreError::from)?;
            if used {
                return Err(MoveError::NotEmpty(table.name));
            }
        }
        Ok(())
    }

    /// Writes rows of a table.
    ///
    /// # Errors
    /// The database does not take them.
    pub async fn write(&mut self, table: &Table, rows: Rows) -> Result<(), MoveError> {
        let places: Vec<String> =
            (1..).zip(table.columns).map(|(at, (_, kind))| format!("${at}::{}[]", word(*kind))).collect();
        let sql = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({})",
            table.name,
            table.names(),
            places.join(", ")
        );
        let query =
            rows.columns.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, column| match column {
                Column::Text(values) => query.bind(values),
                Column::Number(values) => query.bind(values),
                Column::Bytes(values) => query.bind(values),
                Column::Id(values) => query.bind(values),
                Column::Flag(values) => query.bind(values),
            });
        query.execute(&mut self.0).await.map_err(StoreError::from)?;
        Ok(())
    }

    /// How many rows a table must have by now.
    ///
    /// # Errors
    /// It has others.
    pub async fn must_have(&mut self, table: &Table, expected: u64) -> Result<(), MoveError> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let found: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.0).await.map_err(StoreError::from)?;
        let found = code::count(found).map_err(StoreError::from)?;
        if found == expected {
            Ok(())
        } else {
            Err(MoveError::Differs { table: table.name, found, expected })
        }
    }

    /// Computes every chain anew, from what was written.
    ///
    /// # Errors
    /// One does not hold, or the database cannot be read.
    pub async fn chains(&mut self) -> Result<Chains, MoveError> {
        chain::chains(&mut self.0).await
    }

    /// Keeps what was written: from now on it is there.
    ///
    /// # Errors
    /// It could not be kept, or nobody knows: the next copy finds the database empty, or not.
    pub async fn keep(mut self) -> Result<(), MoveError> {
        // New logs get numbers behind those that were copied.
        sqlx::query(
            "SELECT setval(pg_get_serial_sequence('logs', 'id'), max(id)) FROM logs HAVING count(*) > 0",
        )
        .execute(&mut self.0)
        .await
        .map_err(StoreError::from)?;
        // What was there before is on nobody's screen for the first time.
        sqlx::query(
            "UPDATE push_place SET log = e.log, seq = e.seq FROM (SELECT log, seq FROM entries ORDER BY log DESC, seq DESC LIMIT 1) e",
        )
        .execute(&mut self.0)
        .await
        .map_err(StoreError::from)?;
        let committed = sqlx::query("COMMIT").execute(&mut self.0).await;
        committed.map_err(|error| MoveError::Unanswered(error.into()))?;
        let mut connection = self.0;
        // The next to read it plans well from the beginning. Whatever comes of this, the copy is kept.
        let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        let analyze = format!("ANALYZE {}", names.join(", "));
        let _ = sqlx::query(AssertSqlSafe(analyze)).execute(&mut connection).await;
        let _ = connection.close().await;
        Ok(())
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "bigint",
        Kind::Bytes => "bytea",
        Kind::Id => "uuid",
        Kind::Flag => "boolean",
    }
}
