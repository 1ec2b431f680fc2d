//! `anteroom export`: a room's transcript for an operator, from the database of a server that may be running.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anteroom::app::transcript::{Signer, Transcript, TranscriptError};
use anteroom::clock::{Clock, SystemClock};
use anteroom::config::Config;
use anteroom::server::{Keeping, signing_key};
use anteroom::start::{StartCode, StartError};
use anteroom::store::Archive;
use anteroom_protocol::id::RoomId;
use anteroom_protocol::transcript::{Audience, Format};
use clap::Args;
use tempfile::NamedTempFile;

use super::block_on;

#[derive(Args)]
pub(super) struct Export {
    /// The id of the room.
    room: RoomId,
    /// For whose eyes: client, freelancer or staff. What the freelancer takes home is in the latter two.
    #[arg(long, value_parser = audience)]
    audience: Audience,
    /// jsonl, which can be verified, or html, which can be read and printed.
    #[arg(long, default_value = "jsonl", value_parser = format)]
    format: Format,
    /// Where to write it; absent: standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn audience(word: &str) -> Result<Audience, &'static str> {
    Audience::ALL.into_iter().find(|one| one.as_str() == word).ok_or("client, freelancer or staff")
}

fn format(word: &str) -> Result<Format, &'static str> {
    Format::ALL.into_iter().find(|one| one.as_str() == word).ok_or("jsonl or html")
}

impl Export {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode, StartError> {
        block_on(async {
            let transcript = self.begin(config).await?;
            match &self.output {
                Some(path) => to_file(transcript, path).await,
                None => write(transcript, io::stdout().lock(), "standard output").await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }

    async fn begin(&self, config: &Config) -> Result<Transcript, StartError> {
        let archive = Keeping::of(config).archive().await?;
        let subject = archive.subject(self.room).await.map_err(StartError::other)?;
        let Some(subject) = subject else {
            let what = format!("there is no room {}", self.room);
            return Err(StartError::new(StartCode::Other, what, "name the id of a room of this database"));
        };
        let signer = signer(config, &*archive).await?;
        let room = (self.room, subject);
        Transcript::new(archive, signer, room, self.audience, self.format).map_err(unwritten)
    }
}

/// Signs as the server on this database does, with a key that `/v1/keys` tells of.
async fn signer(config: &Config, archive: &dyn Archive) -> Result<Signer, StartError> {
    let kept = archive.kept_key("signing").await.map_err(StartError::other)?;
    let key = kept.map(|kept| signing_key(config, &kept));
    let public_keys = archive.kept_public_keys().await.map_err(StartError::other)?;
    match key {
        Some(key) if public_keys.contains(&key.public()) => {
            Ok(Signer { key, public_keys, now: SystemClock.now() })
        }
        Some(_) | None => Err(StartError::new(
            StartCode::ConfigurationInvalid,
            "no server on this database has signed with this configuration's key yet",
            "set `signing.secret` as the server has it, or start the server on this configuration once",
        )),
    }
}

/// Writes into a file of its own beside it first, which nobody else reads: what stands under the name is whole.
async fn to_file(transcript: Transcript, path: &Path) -> Result<(), StartError> {
    let place = path.display().to_string();
    let failed = |error: &io::Error| cannot_write(&place, error);
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut part = NamedTempFile::new_in(beside).map_err(|error| failed(&error))?;
    write(transcript, &mut part, &place).await?;
    part.as_file().sync_all().map_err(|error| failed(&error))?;
    part.persist(path).map(drop).map_err(|error| failed(&error.error))
}

async fn write(mut transcript: Transcript, mut out: impl Write, place: &str) -> Result<(), StartError> {
    let failed = |error| cannot_write(place, &error);
    while let Some(piece) = transcript.next().await.map_err(unwritten)? {
        out.write_all(&piece).map_err(failed)?;
    }
    out.flush().map_err(failed)
}

fn cannot_write(place: &str, error: &io::Error) -> StartError {
    StartError::new(
        StartCode::Other,
        format!("cannot write to {place}: {error}"),
        "what was written is not whole and verifies nowhere; name another place with `--output`",
    )
}

fn unwritten(error: TranscriptError) -> StartError {
    match error {
        TranscriptError::Store(error) => StartError::other(format!("the log cannot be read: {error}")),
        damaged @ (TranscriptError::Write(_) | TranscriptError::End { .. }) => StartError::new(
            StartCode::DatabaseDamaged,
            format!("the log of this room is damaged: {damaged}"),
            "keep the file, and export from a copy of the data directory that was made before; what was written verifies nowhere",
        ),
    }
}
