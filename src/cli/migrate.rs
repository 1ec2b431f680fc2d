//! `anteroom migrate`: the database's tables, brought up to date apart from a start.

use std::process::ExitCode;

use anteroom::config::Config;
use anteroom::server::{Keeping, make_data_dir};
use anteroom::start::StartError;
use anteroom::store::{postgres, sqlite};
use clap::Args;

use super::{block_on, say};

#[derive(Args)]
pub(super) struct Migrate {
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode, StartError> {
        let (place, found, known) = match Keeping::of(config) {
            Keeping::Embedded(path) => {
                let version = if self.dry_run {
                    block_on(async { Ok(sqlite::version(&path).await?) })?
                } else {
                    make_data_dir(config)?;
                    block_on(async { Ok(sqlite::migrate(&path).await?) })?
                };
                (path.display().to_string(), version.found, version.known)
            }
            Keeping::Shared(settings) => {
                let version = if self.dry_run {
                    block_on(async { Ok(postgres::version(&settings).await?) })?
                } else {
                    block_on(async { Ok(postgres::migrate(&settings).await?) })?
                };
                ("the database".to_owned(), version.found, version.known)
            }
        };
        say(&match (found, self.dry_run) {
            (Some(found), _) if found == known => format!("{place}: version {known}, nothing to do\n"),
            (Some(found), _) if found > known => {
                format!("{place}: version {found}, of a newer server; this one knows {known}\n")
            }
            (Some(found), false) => format!("{place}: brought from version {found} to {known}\n"),
            (Some(found), true) => format!("{place}: would be brought from version {found} to {known}\n"),
            (None, false) => format!("{place}: made, with version {known}\n"),
            (None, true) => format!("{place}: would be made, with version {known}\n"),
        })
    }
}
