//! The conformance suite on PostgreSQL, on two nodes that are asked in turn, and what only PostgreSQL can do or suffer.

use std::sync::Arc;

use anteroom::store::Store;
use anteroom::store::postgres::PostgresStore;
use async_trait::async_trait;
use sqlx::Connection as _;

use super::world::Database;
use crate::support::postgres::Schema;

/// A database that has no tables yet.
pub(super) fn database() -> Box<Schema> {
    Box::new(Schema::fresh())
}

#[async_trait(?Send)]
impl Database for Schema {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.settings()).await.expect("opened"))
    }

    fn nodes(&self) -> usize {
        2
    }

    fn another(&self) -> Box<dyn Database> {
        database()
    }

    async fn settled(&self) {
        let mut connection = self.connect().await;
        loop {
            let sql = "SELECT coalesce((SELECT max(tx) FROM entries), 0) < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)";
            if sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("an answer") {
                break;
            }
            tokio::task::yield_now().await;
        }
        connection.close().await.expect("closed");
    }
}
