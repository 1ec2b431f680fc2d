//! `anteroom config`: what the configuration comes to, and whether it can be used.

use std::process::ExitCode;

use anteroom::config::Config;
use anteroom::start::{StartError, check_machine, check_values};
use clap::Subcommand;

use super::{complain, say};

/// What `config check` ends with when something is wrong, whatever that is.
const WRONG: u8 = 2;

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Print it as TOML, without secrets.
    Show,
    /// Look for everything that would keep a server from starting, without starting one: ends with 0 if nothing is wrong and with 2
    /// if something is.
    Check,
}

impl ConfigCommand {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode, StartError> {
        match self {
            Self::Show => say(&config.show()),
            Self::Check => {
                let wrong = [check_values(config), check_machine(config)].concat();
                wrong.iter().for_each(complain);
                if wrong.is_empty() { say("the configuration can be used\n") } else { Ok(WRONG.into()) }
            }
        }
    }
}
