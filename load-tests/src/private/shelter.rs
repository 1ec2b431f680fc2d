//! Both servers around a command, so that all its processes share one PostgreSQL and one Redis.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::timeout;

use super::{PostgresOptions, PrivateError, PrivatePostgres, PrivateRedis, RedisOptions};

/// The variable that names the PostgreSQL: the URL of its database `postgres`, as its superuser.
pub const POSTGRES_VARIABLE: &str = "ANTEROOM_TEST_POSTGRES";

/// The variable that names the Redis.
pub const REDIS_VARIABLE: &str = "ANTEROOM_TEST_REDIS";

/// How long the command may take to end when it was told to. Longer than a test runner gives its own tests.
const PATIENCE: Duration = Duration::from_secs(15);

/// Starts both, runs a command that finds them in its environment, ends both, and gives the command's exit code (128 and the signal's number
/// when it ended by one, as a shell has it).
///
/// # Errors
/// A server could not be started, or the command could not be run.
pub async fn run(command: &[OsString]) -> Result<u8, PrivateError> {
    let Some((program, args)) = command.split_first() else { return Ok(0) };
    let mut interrupts = Interrupts::listen().map_err(|source| PrivateError::system("signals", source))?;
    // Fair: whichever comes first. Dropped halfway, a start leaves nothing behind.
    let (postgres, redis) = tokio::select! {
        servers = start() => servers?,
        signal = interrupts.next() => return Ok(code_of(signal)),
    };
    let mut child = Command::new(program)
        .args(args)
        .env(POSTGRES_VARIABLE, postgres.url("postgres"))
        .env(REDIS_VARIABLE, redis.url())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| PrivateError::system(program, source))?;
    // Fair: a command that ends while it is told to has ended.
    let status = tokio::select! {
        status = child.wait() => status,
        signal = interrupts.next() => end(&mut child, signal, &mut interrupts).await,
    };
    status.map(exit_code).map_err(|source| PrivateError::system(program, source))
}

async fn start() -> Result<(PrivatePostgres, PrivateRedis), PrivateError> {
    let postgres = PostgresOptions::default();
    let redis = RedisOptions::default();
    tokio::try_join!(PrivatePostgres::start(&postgres), PrivateRedis::start(&redis))
}

/// Tells the command to end, waits, and kills it when that takes too long or somebody asks again.
async fn end(child: &mut Child, signal: Signal, interrupts: &mut Interrupts) -> std::io::Result<ExitStatus> {
    // A Ctrl-C comes from the terminal, which tells the command by itself; some end abruptly when they are told twice.
    let running = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    if signal != Signal::INT
        && let Some(pid) = running
    {
        kill_process(pid, signal)?;
    }
    // Fair: see above.
    let ended = tokio::select! {
        ended = timeout(PATIENCE, child.wait()) => ended.ok(),
        _ = interrupts.next() => None,
    };
    if let Some(status) = ended {
        return status;
    }
    // An error here says that it has ended already.
    let _ = child.start_kill();
    child.wait().await
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn code_of(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX)
}

/// The ways in which somebody outside asks for an end.
struct Interrupts {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: unix::Signal,
}

impl Interrupts {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hang_up: unix::signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        // Fair: one is as good as another.
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hang_up.recv() => Signal::HUP,
        }
    }
}
