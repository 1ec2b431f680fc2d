//! The command line: reads the arguments and the configuration, and hands over to one file per command. What goes wrong is said here,
//! in one way for all of them.

mod backup;
mod config;
mod copy;
mod export;
mod guard;
mod health;
mod migrate;
mod restore;
mod serve;
mod token;
mod verify;

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anteroom::clock::{Clock as _, SystemClock};
use anteroom::config::Config;
use anteroom::start::StartError;
use clap::{Parser, Subcommand};

/// How long a line may take to be written when nothing may wait for it for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the process ends with.
const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 not ready (health), not as it was signed (verify), or a failure without a code of its own; 2 the arguments or the configuration are to be changed; \
3 something around the process is: the data directory, the disk, an address, the database; 130 or 143 a second signal (serve).";

/// Real-time message rooms for the interview-and-negotiate stage of a freelance marketplace.
#[derive(Parser)]
#[command(name = "anteroom", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where the configuration comes from, for every command.
#[derive(clap::Args)]
struct Place {
    /// A TOML file with the configuration.
    #[arg(long, global = true, env = "ANTEROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database and the development secret are kept.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server (the default).
    Serve(serve::Serve),
    /// Ask a running server whether it is ready: ends with 0 if it is and with 1 if not.
    Health(health::Health),
    /// Bring the database up to date and end. A start does the same; this does it beforehand, and says what it did.
    Migrate(migrate::Migrate),
    /// Move the embedded database into a PostgreSQL database, and verify the copy.
    Copy(copy::Copy),
    /// Write the embedded database into one file, also beside the server that has it.
    Backup(backup::Backup),
    /// Make such a file the embedded database again.
    Restore(restore::Restore),
    /// Print a token made with the configured or the development secret.
    Token(token::Token),
    /// Write the transcript of a room. Reads the database alone, also beside the server that has it.
    Export(export::Export),
    /// Verify a transcript in JSON Lines, without a server: ends with 0 if it is as it was signed and with 1 if not.
    Verify(verify::Verify),
    /// Measure and explain the contact guard.
    Guard {
        #[command(subcommand)]
        command: guard::GuardCommand,
    },
    /// What the configuration comes to.
    Config {
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
}

/// Does what the arguments ask for.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.place, cli.command.unwrap_or(Command::Serve(serve::Serve::default()))) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::from(error.code.exit_code())
        }
    }
}

fn run(place: &Place, command: Command) -> Result<ExitCode, StartError> {
    match command {
        Command::Serve(serve) => serve.run(&place.load(serve.flags())?),
        // Its exit codes are its own: a container's health check knows no others.
        Command::Health(health) => Ok(health.run(|| place.load(Vec::new()))),
        Command::Migrate(migrate) => migrate.run(&place.load(Vec::new())?),
        Command::Copy(copy) => copy.run(&place.load(Vec::new())?),
        Command::Backup(backup) => backup.run(&place.load(Vec::new())?),
        Command::Restore(restore) => restore.run(&place.load(Vec::new())?),
        Command::Token(token) => token.run(&place.load(Vec::new())?),
        Command::Export(export) => export.run(&place.load(Vec::new())?),
        // Needs nothing but the file and the keys.
        Command::Verify(verify) => verify.run(),
        Command::Guard { command } => command.run(),
        Command::Config { command } => command.run(&place.load(Vec::new())?),
    }
}

impl Place {
    /// The configuration, with these flags beside the ones that every command has.
    fn load(&self, mut flags: Vec<(&str, String)>) -> Result<Config, StartError> {
        flags.extend(self.data_dir.clone().map(|dir| ("data_dir", dir)));
        Ok(Config::load(self.config.as_deref(), |name| std::env::var(name).ok(), &flags)?)
    }
}

/// Runs a future to its end. What it leaves running ends with the process.
fn block_on<T>(future: impl Future<Output = Result<T, StartError>>) -> Result<T, StartError> {
    let runtime = tokio::runtime::Runtime::new().map_err(StartError::other)?;
    let done = runtime.block_on(future);
    runtime.shutdown_background();
    done
}

/// Writes to standard output, at once.
fn say(text: &str) -> Result<ExitCode, StartError> {
    let mut out = io::stdout().lock();
    let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match said {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(StartError::other(format!("cannot write to standard output: {error}"))),
    }
}

/// Writes on a thread of its own, which may stand still for ever without anybody waiting longer than this.
fn write_within(patience: Duration, mut output: impl Write + Send + 'static, text: String) {
    let (tell, told) = sync_channel(1);
    std::thread::spawn(move || {
        // Whoever started it may have closed the other end; there is nobody to tell then.
        let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        let _ = tell.send(());
    });
    let _ = told.recv_timeout(patience);
}

/// Says what is wrong: two lines at a terminal, one line of the log's form elsewhere.
fn complain(error: &StartError) {
    let text =
        if io::stderr().is_terminal() { error.text() } else { error.json(&SystemClock.now().to_string()) };
    write_within(PATIENCE, io::stderr(), text);
}
