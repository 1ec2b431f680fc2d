//! Where everything is kept, as the configuration says: in an embedded database, or in one that many nodes share.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Config;
use crate::start::StartError;
use crate::store::postgres::{self, PostgresStore};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::{Archive, Store};

/// The database of a configuration.
pub enum Keeping {
    /// This file.
    Embedded(PathBuf),
    /// This server's.
    Shared(postgres::Settings),
}

impl Keeping {
    /// As the configuration says.
    pub fn of(config: &Config) -> Self {
        let database = &config.database;
        match &database.url {
            None => Self::Embedded(config.data_dir.join("anteroom.db")),
            Some(url) => Self::Shared(postgres::Settings {
                url: url.clone(),
                writers: database.writers,
                readers: database.readers,
            }),
        }
    }

    /// Opens it for a server.
    ///
    /// # Errors
    /// It cannot be used.
    pub async fn open(&self) -> Result<Arc<dyn Store>, StartError> {
        Ok(match self {
            Self::Embedded(path) => Arc::new(SqliteStore::open(path).await?),
            Self::Shared(settings) => Arc::new(PostgresStore::open(settings).await?),
        })
    }

    /// Opens it to be read alone.
    ///
    /// # Errors
    /// It cannot be used, or a server of this version has to bring it up to date first.
    pub async fn archive(&self) -> Result<Arc<dyn Archive>, StartError> {
        Ok(match self {
            Self::Embedded(path) => Arc::new(sqlite::archive(path).await?),
            Self::Shared(settings) => Arc::new(postgres::archive(settings).await?),
        })
    }
}
