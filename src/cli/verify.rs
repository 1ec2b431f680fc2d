//! `anteroom verify`: whether a transcript is what was signed. Needs the file and the keys, and neither a server nor a database.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anteroom::start::{StartCode, StartError};
use anteroom_protocol::log::Hash;
use anteroom_protocol::signature::{Keys, PublicKey};
use anteroom_protocol::transcript::{Trusted, verify};
use clap::{ArgGroup, Args};

use super::say;

/// What it ends with when the file is not what was signed.
const AT_FAULT: u8 = 1;

#[derive(Args)]
#[command(group = ArgGroup::new("trusted").required(true).multiple(true))]
pub(super) struct Verify {
    /// The transcript; `-`: standard input.
    file: PathBuf,
    /// A public key that is trusted, 64 hexadecimal digits. Can be given several times.
    #[arg(long, group = "trusted", value_name = "HEX")]
    key: Vec<PublicKey>,
    /// The fingerprint of a public key that is trusted, 64 hexadecimal digits. Can be given several times.
    #[arg(long, group = "trusted", value_name = "HEX", value_parser = fingerprint)]
    fingerprint: Vec<Hash>,
    /// A file with public keys that are trusted: the answer of `/v1/keys`.
    #[arg(long, group = "trusted", value_name = "FILE")]
    keys: Option<PathBuf>,
}

fn fingerprint(text: &str) -> Result<Hash, &'static str> {
    text.parse().map_err(|_| "must be 64 lower-case hexadecimal digits")
}

impl Verify {
    pub(super) fn run(&self) -> Result<ExitCode, StartError> {
        let trusted = self.trusted()?;
        match verify(BufReader::new(open(&self.file)?), trusted) {
            Ok(report) => say(&format!("{report}\n")),
            Err(fault) => say(&format!("{fault}\n")).map(|_| AT_FAULT.into()),
        }
    }

    fn trusted(&self) -> Result<Trusted, StartError> {
        let mut trusted: Trusted = self.key.iter().copied().collect();
        if let Some(path) = &self.keys {
            let mut text = String::new();
            open(path)?.read_to_string(&mut text).map_err(|error| unreadable(path, &error))?;
            let keys: Keys = serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
            trusted = keys.items.into_iter().map(|key| key.public_key).fold(trusted, Trusted::key);
        }
        Ok(self.fingerprint.iter().copied().fold(trusted, Trusted::fingerprint))
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, StartError> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(Box::new(file))
}

/// Says nothing of the transcript: the arguments are to be changed.
fn unreadable(path: &Path, error: &impl std::fmt::Display) -> StartError {
    StartError::new(
        StartCode::ConfigurationInvalid,
        format!("cannot read {}: {error}", path.display()),
        "name a transcript in JSON Lines, and with `--keys` the answer of `/v1/keys`",
    )
}
