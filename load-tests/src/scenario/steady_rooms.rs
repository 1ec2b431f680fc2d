//! `steady-rooms`: rooms that talk, then sockets that are silent. The options, and the order of things.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use anteroom_protocol::limits;
use anyhow::{Context as _, ensure};
use clap::{Args, value_parser};

use super::target::{Choice, Target, raised};
use super::{idle, rooms};
use crate::machine::Machine;
use crate::report::Report;
use crate::server;
use crate::token::{SECRET_VARIABLE, TokenMint};

/// Open files beside the sockets: a runtime, a database, requests over HTTP.
const OTHER_FILES: u64 = 200;

/// Rooms of two that talk, every message stored, acknowledged, received and checked; then idle sockets and what they cost.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Rooms of two that talk; 0: leave this part out
    #[arg(long, default_value_t = 500, value_parser = limited(0, 10_000))]
    rooms: u64,
    /// How long they talk
    #[arg(long, default_value_t = 15, value_parser = limited(1, 600))]
    seconds: u64,
    /// Posts on their way at a time, over all rooms (closed loop) [default: one in each room]
    #[arg(long, value_parser = limited(1, 4_096))]
    in_flight: Option<u64>,
    /// Bytes of each message
    #[arg(long, default_value_t = 200, value_parser = limited(16, limits::BODY_BYTES as u64))]
    body_bytes: u64,
    /// Idle sockets, each of a person of its own; 0: leave this part out
    #[arg(long, default_value_t = 5_000, value_parser = limited(0, 50_000))]
    idle_sockets: u64,
    /// The server to start on a new data directory [default: `anteroom` beside this program]
    #[arg(long, conflicts_with = "url")]
    server_bin: Option<PathBuf>,
    /// A server that runs on this machine, instead of starting one
    #[arg(long)]
    url: Option<String>,
    /// The file with that server's secret [default: the environment's ANTEROOM_AUTH__SECRET]
    #[arg(long, requires = "url")]
    secret_file: Option<PathBuf>,
    /// That server's process, to measure it
    #[arg(long, requires = "url")]
    server_pid: Option<u32>,
    /// A limit of the started server to raise: passed to it as ANTEROOM_LIMITS__NAME, and reported
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "url", value_parser = parse_raise)]
    raise: Vec<(String, String)>,
    /// Makes the bodies and keys
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the history of the rooms there, as `check` reads it
    #[arg(long, value_name = "DIR")]
    keep_logs: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs both parts, each on a server of its own if one is started for it.
///
/// # Errors
/// A part could not be run to its end. What a part found is in the report.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let machine = Machine::look()?;
    check_open_files(&machine, options)?;
    let choice = options.choice()?;
    let raised = if options.url.is_some() { Vec::new() } else { raised(&options.raise) };
    let mut report = Report::new(machine, raised, options.url.clone(), options.seed);
    if options.rooms > 0 {
        let target = Target::open(&choice).await?;
        report.rooms = Some(rooms::run(&target, &options.plan()?, options.keep_logs.as_deref()).await?);
        target.end().await?;
    }
    if options.idle_sockets > 0 {
        let mut target = Target::open(&choice).await?;
        report.idle = Some(idle::run(&mut target, usize::try_from(options.idle_sockets)?).await?);
        target.end().await?;
    }
    ensure!(report.rooms.is_some() || report.idle.is_some(), "nothing to do: no rooms and no idle sockets");
    Ok(report)
}

impl Options {
    fn choice(&self) -> anyhow::Result<Choice> {
        if let Some(url) = &self.url {
            let mint = match (&self.secret_file, env::var(SECRET_VARIABLE)) {
                (Some(path), _) => TokenMint::from_file(path).with_context(|| path.display().to_string())?,
                (None, Ok(secret)) => TokenMint::new(&secret),
                (None, Err(_)) => anyhow::bail!("--url needs --secret-file or {SECRET_VARIABLE}"),
            };
            return Ok(Choice::Running { url: url.clone(), mint, pid: self.server_pid });
        }
        let binary = server::binary(self.server_bin.as_deref())?;
        Ok(Choice::Start { binary, raise: raised(&self.raise) })
    }

    fn plan(&self) -> anyhow::Result<rooms::Plan> {
        Ok(rooms::Plan {
            rooms: usize::try_from(self.rooms)?,
            duration: Duration::from_secs(self.seconds),
            in_flight: usize::try_from(self.in_flight.unwrap_or(self.rooms.clamp(1, 4_096)))?,
            body_bytes: usize::try_from(self.body_bytes)?,
            seed: self.seed,
        })
    }
}

fn check_open_files(machine: &Machine, options: &Options) -> anyhow::Result<()> {
    let needed = (options.rooms * 2).max(options.idle_sockets) + OTHER_FILES;
    ensure!(
        machine.open_files >= needed,
        "this process and the server may each have {} open files, and this run needs {needed}: \
         raise it (`ulimit -n {needed}`), or ask for fewer --rooms and --idle-sockets",
        machine.open_files
    );
    Ok(())
}

fn limited(least: u64, most: u64) -> clap::builder::RangedU64ValueParser {
    value_parser!(u64).range(least..=most)
}

fn parse_raise(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("say NAME=VALUE")?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("a limit's name has letters, digits and underscores".to_owned());
    }
    Ok((name.to_lowercase(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_limit_has_a_name_and_a_value() {
        assert_eq!(parse_raise("POSTS_PER_MINUTE=9"), Ok(("posts_per_minute".into(), "9".into())));
        for bad in ["x", "=1", "a b=1", "A-B=1"] {
            assert!(parse_raise(bad).is_err(), "{bad}");
        }
    }
}
