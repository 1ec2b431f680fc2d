//! A PostgreSQL database of one's own: a schema of the server that the tests share, gone with the test.

use std::sync::atomic::{AtomicU64, Ordering};

use anteroom::store::postgres::Settings;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A schema, empty at first.
pub(crate) struct Schema {
    server: String,
    name: String,
}

/// The server that the tests share, as whoever runs them tells it.
fn server() -> String {
    std::env::var("ANTEROOM_TEST_POSTGRES").expect(
        "ANTEROOM_TEST_POSTGRES names no server; run the tests with `make test`, or as CONTRIBUTING.md says",
    )
}

impl Schema {
    /// One that nobody else has.
    pub(crate) fn fresh() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}_{:x}", std::process::id(), rand::random::<u32>());
        let schema = Self { server: server(), name };
        run(&schema.server, format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("{}?options[search_path]={}", self.server, self.name)
    }

    /// The address of the server it is on.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Its name there.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How a server uses it.
    pub(crate) fn settings(&self) -> Settings {
        Settings { url: self.url().into(), writers: 3, readers: 3 }
    }

    /// A connection to it, beside the server's.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.expect("connected")
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        run(&self.server, format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

/// Runs a statement, from wherever.
fn run(server: &str, sql: String) {
    let work = async {
        let mut connection = PgConnection::connect(server).await.expect("connected");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("done");
        connection.close().await.expect("closed");
    };
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        scope.spawn(move || runtime.block_on(work)).join().expect("it ran");
    });
}
