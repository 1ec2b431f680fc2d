//! The command line: runs one scenario, prints its report, and says by its exit code whether the server kept its promises.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anteroom_load_tests::history::check::{Options, check};
use anteroom_load_tests::history::files::Files;
use anteroom_load_tests::private::shelter;
use anteroom_load_tests::scenario::{hostile, scale, steady_rooms};
use anteroom_load_tests::{cluster, floor};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

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
    Hostile(hostile::Options),
    Scale(scale::Options),
    Floor(floor::Options),
    Check(Check),
    Servers(Servers),
    Cluster(cluster::Options),
}

/// Judges the logs of a run that is over. Exit code: 0 valid, 1 invalid, 2 unknown (3: the logs cannot be read)
#[derive(Debug, Args)]
struct Check {
    /// A directory with *.jsonl, or one such file
    log_dir: PathBuf,
    /// A restored database may lack what was acknowledged: list it, and do not hold it against the server
    #[arg(long)]
    allow_epoch_loss: bool,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

/// Runs a command with a PostgreSQL and a Redis of its own, which it finds in `ANTEROOM_TEST_POSTGRES` and `ANTEROOM_TEST_REDIS` and which
/// end with it. Exit code: the command's
#[derive(Debug, Args)]
struct Servers {
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// The logs could not be read: a verdict of its own would be a lie.
const UNREADABLE: u8 = 3;

/// One thread: client and server share a small machine, and the client is to take as little of it as it can.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (result, failure) = match Cli::parse().scenario {
        Scenario::SteadyRooms(options) => (steady_rooms(&options).await, ExitCode::FAILURE),
        Scenario::Hostile(options) => (hostile(&options).await, ExitCode::FAILURE),
        Scenario::Scale(options) => (scale(&options).await, ExitCode::FAILURE),
        Scenario::Floor(options) => (floor(options), ExitCode::FAILURE),
        Scenario::Check(options) => (judge(&options), ExitCode::from(UNREADABLE)),
        Scenario::Servers(options) => (servers(&options).await, ExitCode::FAILURE),
        Scenario::Cluster(options) => {
            (cluster::run(&options, print).await.map(|()| ExitCode::SUCCESS), ExitCode::FAILURE)
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        failure
    })
}

async fn steady_rooms(options: &steady_rooms::Options) -> anyhow::Result<ExitCode> {
    let report = steady_rooms::run(options).await?;
    print(&if options.json { report.json()? } else { report.text() });
    Ok(if report.failures().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn hostile(options: &hostile::Options) -> anyhow::Result<ExitCode> {
    let report = hostile::run(options).await?;
    print(&if options.json { report.json()? } else { report.text() });
    let failures = report.failures();
    failures.iter().for_each(|failure| eprintln!("{failure}"));
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn scale(options: &scale::Options) -> anyhow::Result<ExitCode> {
    let comparison = scale::run(options, |progress| eprintln!("{progress}")).await?;
    print(&if options.json { comparison.json()? } else { comparison.text() });
    Ok(ExitCode::SUCCESS)
}

/// On as many threads as the server: what is compared has to run alike.
fn floor(options: floor::Options) -> anyhow::Result<ExitCode> {
    let serving = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(floor::serve(options, print))
    });
    serving.join().map_err(|_| anyhow::anyhow!("the floor panicked"))??;
    Ok(ExitCode::SUCCESS)
}

fn judge(options: &Check) -> anyhow::Result<ExitCode> {
    let path = &options.log_dir;
    let files = Files::find(path).with_context(|| path.display().to_string())?;
    let verdict = check(&files, Options { allow_epoch_loss: options.allow_epoch_loss });
    print(&if options.json { verdict.json()? } else { verdict.text() });
    Ok(ExitCode::from(verdict.valid.exit_code()))
}

async fn servers(options: &Servers) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::from(shelter::run(&options.command).await?))
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn print(text: &str) {
    println!("{}", text.trim_end());
}
