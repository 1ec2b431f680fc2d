//! Reaching the database: how a connection is set up, how many there are, and which version the tables have. Nothing here reads a row of ours.

use std::str::FromStr as _;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};

static MIGRATIONS: Migrator = {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    // A newer server may have made tables that this one does not know: the two work side by side while a fleet is brought up to date.
    migrator.ignore_missing = true;
    migrator
};

/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it still lives before it is used.
const IDLE: Duration = Duration::from_secs(1);
/// Statements that each connection keeps prepared: more than there are.
const STATEMENTS: usize = 256;

/// Where the database is, and how much of it one server uses.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `postgres://user:password@host/database`; TLS and its certificates by the parameters of libpq (`sslmode`, `sslrootcert`, …).
    pub url: SecretString,
    /// Connections that write.
    pub writers: u32,
    /// Connections that read.
    pub readers: u32,
}

/// Why the store could not be opened: what is wrong. What to do about it is said where it is shown.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address of the database is none.
    #[error("database.url is not the address of a PostgreSQL database: {0}")]
    Address(String),
    /// It does not answer, or does not let this server in.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// It answers and takes no writes: a standby, or set to read only.
    #[error("the database takes no writes: {0}")]
    ReadOnly(String),
    /// A server that reads it has to bring it up to date first.
    #[error("the database has tables of version {}, and this version knows {known}", found.unwrap_or(0))]
    Older {
        /// The version it has, if any.
        found: Option<i64>,
        /// The version that is known.
        known: i64,
    },
    /// Its tables cannot be brought up to date.
    #[error("cannot bring the database up to date: {0}")]
    Migration(String),
}

/// How a database stands to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The version its tables have; `None`: it has none yet.
    pub found: Option<i64>,
    /// The version this server brings it to.
    pub known: i64,
}

/// What the database would be brought from and to. Changes nothing.
///
/// # Errors
/// As opening it.
pub async fn version(settings: &Settings) -> Result<Version, OpenError> {
    let mut connection = connect(settings).await?;
    let version = applied(&mut connection).await.map_err(unreachable)?;
    connection.close().await.map_err(unreachable)?;
    Ok(version)
}

/// Brings the tables up to date. Of many servers that do this at once, one does, and the others wait for it.
///
/// # Errors
/// As opening it.
pub async fn migrate(settings: &Settings) -> Result<Version, OpenError> {
    let mut connection = connect(settings).await?;
    let version = applied(&mut connection).await.map_err(unreachable)?;
    MIGRATIONS.run(&mut connection).await.map_err(|error| {
        let read_only = matches!(&error, MigrateError::Execute(sqlx::Error::Database(error))
            if error.code().as_deref() == Some("25006"));
        if read_only {
            OpenError::ReadOnly(error.to_string())
        } else {
            OpenError::Migration(error.to_string())
        }
    })?;
    connection.close().await.map_err(unreachable)?;
    Ok(version)
}

/// Puts what another cluster numbered into an order of this one's.
pub(super) async fn renumber(settings: &Settings) -> Result<(), OpenError> {
    let mut connection = connect(settings).await?;
    super::renumber::renumber(&mut connection)
        .await
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    connection.close().await.map_err(unreachable)
}

/// Whether the tables of a database that is only read are at least those this server knows.
pub(super) async fn must_be_known(settings: &Settings) -> Result<(), OpenError> {
    let Version { found, known } = version(settings).await?;
    if found >= Some(known) { Ok(()) } else { Err(OpenError::Older { found, known }) }
}

/// The connections that write, and those that read.
pub(super) async fn pools(settings: &Settings) -> Result<(PgPool, PgPool), OpenError> {
    let options = options(settings)?;
    // Everything that is written is found by its key. A plan that was made once is kept, and one that was made while the tables were small would
    // read them from end to end when they are not.
    let writing = options.clone().options([
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        // A table without a key to find things by looks so expensive then that its statements would be compiled.
        ("jit", "off"),
        ("lock_timeout", "500ms"),
        ("idle_in_transaction_session_timeout", "2s"),
    ]);
    let reading = options.options([("default_transaction_read_only", "on"), ("statement_timeout", "5s")]);
    let writers = pool(settings.writers).connect_with(writing).await.map_err(unreachable)?;
    let readers = pool(settings.readers).connect_with(reading).await.map_err(unreachable)?;
    Ok((writers, readers))
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(connections.min(2))
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > IDLE {
                    tokio::time::timeout(IDLE, connection.ping())
                        .await
                        .map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
                Ok(true)
            })
        })
}

pub(super) async fn connect(settings: &Settings) -> Result<PgConnection, OpenError> {
    let connecting = options(settings)?;
    match tokio::time::timeout(PATIENCE, connecting.connect()).await {
        Ok(connected) => connected.map_err(unreachable),
        Err(_) => Err(OpenError::Unreachable(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

fn options(settings: &Settings) -> Result<PgConnectOptions, OpenError> {
    let options = PgConnectOptions::from_str(settings.url.expose_secret())
        .map_err(|error| OpenError::Address(error.to_string()))?;
    Ok(options
        .application_name("anteroom")
        .statement_cache_capacity(STATEMENTS)
        .log_statements(tracing::log::LevelFilter::Off))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn unreachable(error: sqlx::Error) -> OpenError {
    OpenError::Unreachable(error.to_string())
}

/// The version of the tables that are there.
async fn applied(connection: &mut PgConnection) -> sqlx::Result<Version> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    let recorded: Option<String> = sqlx::query_scalar("SELECT CAST(to_regclass('_sqlx_migrations') AS TEXT)")
        .fetch_one(&mut *connection)
        .await?;
    let found = match recorded {
        None => None,
        Some(_) => {
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
                .fetch_one(&mut *connection)
                .await?
        }
    };
    Ok(Version { found, known })
}
