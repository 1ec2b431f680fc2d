//! The command line: runs one scenario, prints its report, and says by its exit code whether the server kept its promises.

use std::process::ExitCode;

use anteroom_load_tests::scenario::steady_rooms;
use clap::{Parser, Subcommand};

/// Loads for Anteroom that check correctness before speed. Everything goes over the wire, on this machine only.
#[derive(Debug, Parser)]
#[command(name = "anteroom-load-tests", version)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    SteadyRooms(steady_rooms::Options),
}

/// One thread: client and server share a small machine, and the client is to take as little of it as it can.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Scenario::SteadyRooms(options) = Cli::parse().scenario;
    match steady_rooms(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn steady_rooms(options: &steady_rooms::Options) -> anyhow::Result<bool> {
    let report = steady_rooms::run(options).await?;
    print(&if options.json { report.json()? } else { report.text() });
    Ok(report.failures().is_empty())
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn print(text: &str) {
    println!("{}", text.trim_end());
}
