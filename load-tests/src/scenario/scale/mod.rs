//! `scale`: what a delivery costs on one, two and four nodes, beside the bare floor, in one run.
//!
//! Processor time is measured and not wall clock, so that whatever else the machine does matters little; the subjects take turns, so that what
//! does matter meets all of them. Each turn has a PostgreSQL and a Redis of its own, which wait for the disk as in production.

mod profile;
mod subject;
mod table;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};

use self::subject::Subject;
pub use self::table::Comparison;
use super::rooms::Plan;
use crate::machine::Machine;
use crate::server;

/// What a delivery costs on 1, 2 and 4 nodes: server, PostgreSQL and Redis apart, beside a bare floor
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Rooms of two that talk, the two at different nodes where there are several
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u64).range(1..=2_000))]
    rooms: u64,
    /// Messages on their way at a time, over all rooms
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u64).range(1..=1_000))]
    in_flight: u64,
    /// How long each turn talks
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Turns of each subject; the middle one counts
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..=9))]
    repeats: u64,
    /// Bytes of each message
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u64).range(16..=8_000))]
    body_bytes: u64,
    /// The server to start [default: `anteroom` beside this program]
    #[arg(long)]
    server_bin: Option<PathBuf>,
    /// Leave the profile of the difference out
    #[arg(long)]
    no_profile: bool,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

/// Lets every subject take its turns.
///
/// # Errors
/// One could not be run to its end, or what it did is not valid: then there is nothing to compare.
pub async fn run(options: &Options, tell: impl Fn(&str)) -> anyhow::Result<Comparison> {
    let own = env::current_exe()?;
    let server = server::binary(options.server_bin.as_deref())?;
    let plan = Plan {
        rooms: usize::try_from(options.rooms)?,
        duration: Duration::from_secs(options.seconds),
        in_flight: usize::try_from(options.in_flight.min(options.rooms))?,
        body_bytes: usize::try_from(options.body_bytes)?,
        seed: 1,
    };
    let subjects = [
        Subject::Floor { nodes: 1 },
        Subject::Server { nodes: 1 },
        Subject::Floor { nodes: 2 },
        Subject::Server { nodes: 2 },
        Subject::Floor { nodes: 4 },
        Subject::Server { nodes: 4 },
    ];
    let mut comparison = Comparison::new(Machine::look()?, plan, options.repeats);
    for round in 1..=options.repeats {
        for subject in subjects {
            tell(&format!("round {round} of {}: {subject}", options.repeats));
            let turn = subject.take(&own, &server, &plan, None).await?;
            comparison.add(subject, turn);
        }
    }
    if !options.no_profile {
        tell("the profile of the difference");
        comparison.profile = profile::difference(&own, &server, &plan).await?;
    }
    Ok(comparison)
}
