//! The whole database in one file beside it, taken while a server writes, and put back where none runs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::NamedTempFile;

use super::{chain, open};
use crate::store::moving::{Chains, MoveError};
use crate::store::sqlite::OpenError;

/// Why a database was not kept or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name already, and it stays.
    #[error("there is {0} already")]
    Taken(PathBuf),
    /// What was to be restored is no database of a server.
    #[error("{0} holds no tables of an anteroom server")]
    Foreign(PathBuf),
    /// A file or a database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What stands in it is not what was written.
    #[error("{0}: {1}")]
    Content(PathBuf, MoveError),
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What stands in it.
    pub chains: Chains,
    /// Where the database is that was there before.
    pub before: Option<PathBuf>,
}

/// Writes the database as it is at this moment into a file of this name, beside a server that writes on. The file is there when it is whole,
/// checked, and on the disk.
///
/// # Errors
/// There is such a file, the database cannot be read, or what stands in it is not what was written.
pub async fn backup(database: &Path, output: &Path) -> Result<Chains, BackupError> {
    if !database.exists() {
        return Err(OpenError::Missing(database.to_owned()).into());
    }
    open::must_be_of_this_version(database, &plain(database)).await?;
    if output.exists() {
        return Err(BackupError::Taken(output.to_owned()));
    }
    let part = beside(output)?;
    snapshot(database, part.path()).await?;
    let chains = checked(output, read(part.path()).await?).await?;
    part.as_file().sync_all().map_err(|error| cannot(output, error))?;
    match part.persist_noclobber(output) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Taken(output.to_owned()));
        }
        Err(error) => return Err(cannot(output, error.error)),
    }
    sync_folder(output)?;
    Ok(chains)
}

/// Makes a file the database, if it is a whole one whose chains hold, and brings it up to date. A database that is there stays, or is kept under
/// another name. The file is left as it is.
///
/// # Errors
/// A server has the database, there is one and it is not to be replaced, or the file is not what a server wrote.
pub async fn restore(file: &Path, database: &Path, replace: bool) -> Result<Restored, BackupError> {
    let _lock = open::lock(database)?;
    if database.exists() && !replace {
        return Err(BackupError::Taken(database.to_owned()));
    }
    whole(file).await?;
    let part = beside(database)?;
    snapshot(file, part.path()).await?;
    if open::found(part.path(), &plain(part.path())).await?.is_none() {
        return Err(BackupError::Foreign(file.to_owned()));
    }
    let (connection, _) = open::connect_up_to_date(part.path(), &open::options(part.path())).await?;
    let chains = checked(file, connection).await?;
    part.as_file().sync_all().map_err(|error| cannot(database, error))?;
    let before = if database.exists() { Some(put_aside(database).await?) } else { None };
    // What is left of a database that is not there any more must not be taken for a part of this one.
    for rest in ["-wal", "-shm"].map(|end| beside_of(database, end)) {
        remove(&rest)?;
    }
    part.persist(database).map_err(|error| cannot(database, error.error))?;
    sync_folder(database)?;
    Ok(Restored { chains, before })
}

/// One more name for the database that is there, so that at every moment there is one under its own. The first number that is free.
async fn put_aside(database: &Path) -> Result<PathBuf, BackupError> {
    // Whatever still stands beside it is moved into it. A database that is too damaged for that keeps its companion.
    if let Ok(connection) = open::options(database).connect().await {
        let _ = connection.close().await;
    }
    let mut number = 1;
    let aside = loop {
        let aside = beside_of(database, &format!(".before-{number}"));
        match fs::hard_link(database, &aside) {
            Ok(()) => break aside,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(cannot(&aside, error)),
        }
    };
    let log = beside_of(database, "-wal");
    if log.exists() {
        let kept = beside_of(&aside, "-wal");
        fs::copy(&log, &kept).map_err(|error| cannot(&kept, error))?;
    }
    Ok(aside)
}

/// Whether the file is a database whose pages and indexes agree.
async fn whole(file: &Path) -> Result<(), BackupError> {
    let mut connection = read(file).await?;
    let said: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| open::broken(file, error))?;
    close(file, connection).await?;
    if said == "ok" {
        return Ok(());
    }
    Err(OpenError::Damaged { path: file.to_owned(), error: said.into() }.into())
}

/// Computes every chain anew and closes the database, which moves all of it into its one file.
async fn checked(name: &Path, mut connection: SqliteConnection) -> Result<Chains, BackupError> {
    let chains = chain::chains(&mut connection).await;
    close(name, connection).await?;
    chains.map_err(|error| BackupError::Content(name.to_owned(), error))
}

/// All that is committed at this moment, in a file that is there and empty.
async fn snapshot(from: &Path, into: &Path) -> Result<(), BackupError> {
    let mut connection = read(from).await?;
    sqlx::query("VACUUM INTO $1")
        .bind(into.to_string_lossy())
        .execute(&mut connection)
        .await
        .map_err(|error| open::broken(into, error))?;
    close(from, connection).await
}

/// A database that is only read, in whichever way it is kept.
fn plain(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(open::BUSY_TIMEOUT)
        .log_statements(tracing::log::LevelFilter::Off)
}

async fn read(path: &Path) -> Result<SqliteConnection, BackupError> {
    Ok(plain(path).connect().await.map_err(|error| open::broken(path, error))?)
}

async fn close(path: &Path, connection: SqliteConnection) -> Result<(), BackupError> {
    Ok(connection.close().await.map_err(|error| open::broken(path, error))?)
}

/// A file in the same folder, which nobody else reads.
fn beside(path: &Path) -> Result<NamedTempFile, BackupError> {
    NamedTempFile::new_in(folder(path)).map_err(|error| cannot(path, error))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The same name with something behind it.
fn beside_of(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A name is on the disk once its folder is.
fn sync_folder(path: &Path) -> Result<(), BackupError> {
    let folder = folder(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| cannot(folder, error))
}

fn cannot(path: &Path, error: io::Error) -> BackupError {
    OpenError::File { path: path.to_owned(), error }.into()
}
