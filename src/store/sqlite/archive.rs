//! A database that is only read, perhaps beside the server that writes it.

use std::path::Path;

use anteroom_protocol::id::RoomId;
use anteroom_protocol::signature::PublicKey;
use async_trait::async_trait;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

use super::open::{self, OpenError};
use super::{READER_CACHE, contract, log, transcript};
use crate::domain::log::{Log, LogEntry};
use crate::store::{Archive, PageSize, Range, StoreError, Subject};

/// A database that is only read. The lock file is left alone: a reader and the one writer are in nobody's way (WAL).
pub struct SqliteArchive {
    readers: SqlitePool,
}

impl SqliteArchive {
    /// Opens the database in this file as it is.
    ///
    /// # Errors
    /// There is none, it cannot be used, or its tables are not those this server knows.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        open::must_be_known(path).await?;
        let options = open::options(path).read_only(true).create_if_missing(false);
        let readers = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.pragma("cache_size", READER_CACHE))
            .await
            .map_err(|error| open::broken(path, error))?;
        Ok(Self { readers })
    }

    /// The key of this name, if a server has kept one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn key(&self, name: &str) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(contract::kept_key(&mut *self.readers.acquire().await?, name).await?)
    }

    /// All public keys that servers have kept, the first one first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn public_keys(&self) -> Result<Vec<PublicKey>, StoreError> {
        Ok(contract::kept_keys(&mut *self.readers.acquire().await?).await?)
    }
}

#[async_trait]
impl Archive for SqliteArchive {
    async fn subject(&self, room: RoomId) -> Result<Option<Subject>, StoreError> {
        transcript::subject(&self.readers, room).await
    }

    async fn entries(&self, log: &Log, range: Range, size: PageSize) -> Result<Vec<LogEntry>, StoreError> {
        log::entries(&self.readers, log, range, size).await
    }
}
