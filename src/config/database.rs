//! Where everything is kept.

use config::ConfigError;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The database: an embedded one in the data directory, or a PostgreSQL server that many nodes share.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user:password@host/database`, with libpq's parameters for TLS (`sslmode=verify-full&sslrootcert=…`). Absent: an embedded
    /// database in `data_dir`.
    #[serde(skip_serializing)]
    pub url: Option<SecretString>,
    /// Connections of one node that write.
    pub writers: u32,
    /// Connections of one node that read.
    pub readers: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: None, writers: 6, readers: 8 }
    }
}

impl Database {
    /// Refuses what nobody could be served with.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, connections) in [("writers", self.writers), ("readers", self.readers)] {
            if !(1..=1_000).contains(&connections) {
                return Err(ConfigError::Message(format!(
                    "database.{key} is {connections}: must be 1 to 1000"
                )));
            }
        }
        Ok(())
    }
}
