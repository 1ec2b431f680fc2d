//! What transcripts are made of, in SQLite: of the store, and of a database that is only read, perhaps beside the server that writes it.

use std::path::Path;

use anteroom_protocol::id::{CandidacyId, RoomId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::user::UserSummary;
use async_trait::async_trait;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{FromRow, SqlitePool};

use super::open::{self, OpenError};
use super::{READER_CACHE, SqliteStore, code, contract, log};
use crate::domain::log::{Head, Log, LogEntry};
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
        Ok(code::kept_key(&mut *self.readers.acquire().await?, name).await?)
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
        subject(&self.readers, room).await
    }

    async fn entries(&self, log: &Log, range: Range, size: PageSize) -> Result<Vec<LogEntry>, StoreError> {
        log::entries(&self.readers, log, range, size).await
    }
}

#[async_trait]
impl Archive for SqliteStore {
    async fn subject(&self, room: RoomId) -> Result<Option<Subject>, StoreError> {
        subject(&self.readers, room).await
    }

    async fn entries(&self, log: &Log, range: Range, size: PageSize) -> Result<Vec<LogEntry>, StoreError> {
        log::entries(&self.readers, log, range, size).await
    }
}

#[derive(FromRow)]
struct SubjectRow {
    candidacy: Vec<u8>,
    seq: i64,
    hash: Vec<u8>,
    job: String,
    title: String,
    url: Option<String>,
    client: String,
    client_name: String,
    client_avatar: Option<String>,
    freelancer: String,
    freelancer_name: String,
    freelancer_avatar: Option<String>,
}

impl SubjectRow {
    fn decode(self) -> sqlx::Result<Subject> {
        let person =
            |id: String, name, avatar_url| code::user(&id).map(|id| UserSummary { id, name, avatar_url });
        Ok(Subject {
            candidacy: CandidacyId(code::uuid(&self.candidacy)?),
            job: JobSummary {
                id: self.job.parse().map_err(|_| code::damaged("a job id"))?,
                title: self.title,
                url: self.url,
            },
            client: person(self.client, self.client_name, self.client_avatar)?,
            freelancer: person(self.freelancer, self.freelancer_name, self.freelancer_avatar)?,
            head: Head { seq: code::count(self.seq)?, hash: code::hash(&self.hash)? },
        })
    }
}

/// See [`Archive::subject`].
async fn subject(pool: &SqlitePool, room: RoomId) -> Result<Option<Subject>, StoreError> {
    let row: Option<SubjectRow> = sqlx::query_as(
        "SELECT l.candidacy, l.seq, l.hash, j.id AS job, j.title, j.url,
            cu.id AS client, cu.name AS client_name, cu.avatar_url AS client_avatar,
            fu.id AS freelancer, fu.name AS freelancer_name, fu.avatar_url AS freelancer_avatar
         FROM logs l JOIN candidacies c ON c.id = l.candidacy JOIN jobs j ON j.id = c.job
         JOIN users cu ON cu.id = c.client JOIN users fu ON fu.id = c.freelancer WHERE l.room = $1",
    )
    .bind(code::id(&room.0))
    .fetch_optional(pool)
    .await?;
    Ok(row.map(SubjectRow::decode).transpose()?)
}
