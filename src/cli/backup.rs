//! `anteroom backup`: the embedded database in one file, taken beside the server that has it.

use std::path::PathBuf;
use std::process::ExitCode;

use anteroom::config::Config;
use anteroom::server::Keeping;
use anteroom::start::{StartCode, StartError};
use anteroom::store::moving::Chains;
use anteroom::store::sqlite::{self, BackupError};
use clap::Args;

use super::copy::failed;
use super::{block_on, say};

#[derive(Args)]
pub(super) struct Backup {
    /// Where to write it. What is there is never overwritten.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

impl Backup {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode, StartError> {
        let database = embedded(
            config,
            "take its backups with `pg_dump --format=custom`, or with base backups and an archive of its log; see docs/keeping.md",
        )?;
        let done = block_on(async { sqlite::backup(&database, &self.output).await.map_err(wrong) })?;
        say(&format!("{}: {}\n", self.output.display(), holds(&done)))
    }
}

/// The embedded database's file; where the database is another one, this is what to do instead.
pub(super) fn embedded(config: &Config, instead: &str) -> Result<PathBuf, StartError> {
    match Keeping::of(config) {
        Keeping::Embedded(path) => Ok(path),
        Keeping::Shared(_) => Err(StartError::new(
            StartCode::ConfigurationInvalid,
            "`database.url` names a PostgreSQL database, and this command is for the embedded one",
            instead,
        )),
    }
}

/// What a database holds, in a line.
pub(super) fn holds(chains: &Chains) -> String {
    let newest = chains.newest.map_or("none yet".to_owned(), |time| time.to_string());
    format!("{} logs, {} entries, the newest of {newest}; every chain holds", chains.logs, chains.entries)
}

/// Why a backup was not made or restored.
pub(super) fn wrong(error: BackupError) -> StartError {
    let what = error.to_string();
    match error {
        BackupError::Taken(_) => StartError::new(
            StartCode::ConfigurationInvalid,
            what,
            "for a backup, name a file that is not there; for a restore, keep the database under another name with `--replace`",
        ),
        BackupError::Foreign(_) => {
            StartError::new(StartCode::DatabaseDamaged, what, "name a file that `anteroom backup` wrote")
        }
        BackupError::Open(error) => error.into(),
        BackupError::Content(path, error) => failed(&path.display().to_string(), &error),
    }
}
