//! Opening the file: who may have it, how a connection is set up, and which version its tables have. Nothing here reads a row of ours.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Pages the writer keeps, in KiB (negative, as SQLite has it): the ends of the logs that are written into.
const WRITER_CACHE: &str = "-65536";
/// Pages in the write-ahead log (64 MiB) before they are moved into the database. The ends of busy logs are written again with
/// nearly every commit, and moving them each time would write everything twice.
const CHECKPOINT_PAGES: &str = "16384";
/// How long a connection waits for another one's lock before it gives up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the store could not be opened: what is wrong. What to do about it is said where it is shown.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is in use by another anteroom process")]
    InUse(PathBuf),
    /// The file or its directory cannot be used.
    #[error("cannot use {path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A newer server wrote it.
    #[error("{path} has tables of version {found}, and this server knows them up to {known}")]
    Newer {
        /// Which.
        path: PathBuf,
        /// The version it has.
        found: i64,
        /// The newest this server knows.
        known: i64,
    },
    /// A server that reads it has to bring it up to date first.
    #[error("{path} has tables of version {}, and this version knows {known}", found.unwrap_or(0))]
    Older {
        /// Which.
        path: PathBuf,
        /// The version it has, if any.
        found: Option<i64>,
        /// The version that is known.
        known: i64,
    },
    /// There is no such file, and it is not to be made.
    #[error("there is no database {0}")]
    Missing(PathBuf),
    /// It is no database, or its content is broken.
    #[error("{path} is damaged: {error}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no room for it on the disk.
    #[error("there is no room on the disk of {0}")]
    Full(PathBuf),
    /// SQLite cannot open it or bring it up to date, for another reason.
    #[error("cannot open the database {path}: {error}")]
    Database {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// How a database stands to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The version its tables have; `None`: it is not there yet, or has none.
    pub found: Option<i64>,
    /// The version this server brings it to.
    pub known: i64,
}

/// What the database in this file would be brought from and to. Makes no database and changes none.
///
/// # Errors
/// As opening it.
pub async fn version(path: &Path) -> Result<Version, OpenError> {
    if !path.exists() {
        return Ok(Version { found: None, known: known() });
    }
    let _lock = lock(path)?;
    let (connection, version) = connect(path, &options(path).create_if_missing(false)).await?;
    connection.close().await.map_err(|error| broken(path, error))?;
    Ok(version)
}

/// Makes the database if it is missing, brings its tables up to date, and closes it again.
///
/// # Errors
/// As opening it.
pub async fn migrate(path: &Path) -> Result<Version, OpenError> {
    let _lock = lock(path)?;
    make_private(path)?;
    let (connection, version) = connect_up_to_date(path, &options(path)).await?;
    connection.close().await.map_err(|error| broken(path, error))?;
    Ok(version)
}

/// Whether the tables of a database that is only read are those this server knows. Takes no lock and changes nothing.
pub(super) async fn must_be_known(path: &Path) -> Result<(), OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing(path.to_owned()));
    }
    must_be_of_this_version(path, &options(path).read_only(true).create_if_missing(false)).await
}

/// The same, of a file that is there.
pub(super) async fn must_be_of_this_version(
    path: &Path,
    options: &SqliteConnectOptions,
) -> Result<(), OpenError> {
    let (found, known) = (found(path, options).await?, known());
    if found == Some(known) { Ok(()) } else { Err(OpenError::Older { path: path.to_owned(), found, known }) }
}

/// A connection to the database, whose tables are those this server knows.
pub(super) async fn connect_up_to_date(
    path: &Path,
    options: &SqliteConnectOptions,
) -> Result<(SqliteConnection, Version), OpenError> {
    let (mut connection, version) = connect(path, options).await?;
    if let Err(error) = MIGRATIONS.run(&mut connection).await {
        return Err(if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
            broken(path, error)
        } else {
            OpenError::Database { path: path.to_owned(), error: error.into() }
        });
    }
    Ok((connection, version))
}

/// The version of the tables of a database that is only looked at.
pub(super) async fn found(path: &Path, options: &SqliteConnectOptions) -> Result<Option<i64>, OpenError> {
    let (connection, version) = connect(path, options).await?;
    connection.close().await.map_err(|error| broken(path, error))?;
    Ok(version.found)
}

/// A connection to the database as it is, unless a newer server wrote it.
pub(super) async fn connect(
    path: &Path,
    options: &SqliteConnectOptions,
) -> Result<(SqliteConnection, Version), OpenError> {
    let mut connection = options.connect().await.map_err(|error| broken(path, error))?;
    let found = applied(&mut connection).await.map_err(|error| broken(path, error))?;
    let known = known();
    match found {
        Some(found) if found > known => Err(OpenError::Newer { path: path.to_owned(), found, known }),
        _ => Ok((connection, Version { found, known })),
    }
}

/// The newest version whose tables this server makes.
fn known() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The version of the tables that are there.
async fn applied(connection: &mut SqliteConnection) -> sqlx::Result<Option<i64>> {
    let recorded: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await?;
    if recorded == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await
}

/// Why SQLite failed, as far as an operator can do something about it.
pub(super) fn broken(path: &Path, error: sqlx::Error) -> OpenError {
    /// <https://sqlite.org/rescode.html>: these stand in the low byte of every extended code.
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const NOT_A_DATABASE: i32 = 26;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    let path = path.to_owned();
    match code.map(|code| code & 0xff) {
        Some(CORRUPT | NOT_A_DATABASE) => OpenError::Damaged { path, error: error.into() },
        Some(FULL) => OpenError::Full(path),
        _ => OpenError::Database { path, error: error.into() },
    }
}

/// How every connection is set up.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // What was deleted is overwritten, and not only forgotten.
        .pragma("secure_delete", "on")
        .pragma("temp_store", "memory")
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256)
        .log_statements(tracing::log::LevelFilter::Off)
}

/// Makes the database file for its owner alone, before SQLite would make it for everybody; its companions take its mode.
pub(super) fn make_private(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    made.map(drop).map_err(|error| OpenError::File { path: path.to_owned(), error })
}

/// Takes the lock that keeps a second process out. It ends with the file handle, so also when the process is killed.
pub(super) fn lock(database: &Path) -> Result<File, OpenError> {
    let path = database.with_extension("lock");
    let failed = |error| OpenError::File { path: path.clone(), error };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
