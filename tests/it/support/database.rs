//! A server's database from beside the server: what makes a write wait, and what makes it fail.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

/// Does something to the file that the server does not offer.
pub(crate) async fn tamper(path: &Path, sql: &str) {
    let mut connection = open(path).await;
    execute(&mut connection, sql).await;
    connection.close().await.expect("closed");
}

/// The right to write, taken from the server: until this is given back its commits wait, for some seconds before they fail.
pub(crate) struct WriteLock(SqliteConnection);

impl WriteLock {
    pub(crate) async fn take(path: &Path) -> Self {
        let mut connection = open(path).await;
        execute(&mut connection, "BEGIN IMMEDIATE").await;
        Self(connection)
    }

    pub(crate) async fn give_back(mut self) {
        execute(&mut self.0, "ROLLBACK").await;
        self.0.close().await.expect("closed");
    }
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(false).connect().await.expect("opened")
}

async fn execute(connection: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.expect("done");
}
