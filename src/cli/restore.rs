//! `anteroom restore`: a backup made the embedded database again, where no server runs.

use std::path::PathBuf;
use std::process::ExitCode;

use anteroom::config::Config;
use anteroom::server::make_data_dir;
use anteroom::start::{StartCode, StartError};
use anteroom::store::sqlite;
use clap::Args;

use super::backup::{embedded, holds, wrong};
use super::{block_on, say};

#[derive(Args)]
pub(super) struct Restore {
    /// The backup.
    file: PathBuf,
    /// There may be a database: it is kept beside the restored one, under another name.
    #[arg(long)]
    replace: bool,
}

impl Restore {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode, StartError> {
        let database =
            embedded(config, "restore it with `pg_restore` into an empty database; see docs/keeping.md")?;
        if !self.file.is_file() {
            return Err(StartError::new(
                StartCode::ConfigurationInvalid,
                format!("there is no file {}", self.file.display()),
                "name a file that `anteroom backup` wrote",
            ));
        }
        make_data_dir(config)?;
        let done =
            block_on(async { sqlite::restore(&self.file, &database, self.replace).await.map_err(wrong) })?;
        let before = done
            .before
            .map_or(String::new(), |path| format!("; the database that was there is {} now", path.display()));
        say(&format!("{}: restored, {}{before}\n", database.display(), holds(&done.chains)))
    }
}
