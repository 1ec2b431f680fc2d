//! Servers of other authors to test against: a PostgreSQL and a Redis of one's own, on a free port of the loopback interface, with their
//! files below a temporary directory. They share nothing with a server that is installed on the machine, can be killed, paused
//! and started again in the middle of a test, and are gone when whoever started them is gone, `kill -9` included.
//!
//! - [`PrivatePostgres`], [`PrivateRedis`]: one server each.
//! - [`shelter`]: both at once around a command, which finds them by two variables of its environment.
//!
//! What never lives here: anything that reaches a server which this crate did not start.

mod keeper;
mod port;
mod postgres;
mod programs;
mod redis;
pub mod shelter;

use std::ffi::OsStr;
use std::io;

pub use postgres::{PostgresOptions, PrivatePostgres};
pub use redis::{PrivateRedis, RedisOptions};

/// Why a private server could not be started, asked or ended.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// A program is not on this machine.
    #[error("{program} is not on this machine: install it (Debian, as root: apt-get install {package})")]
    Missing {
        /// Which program.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A program could not be run, or a file of it not be made.
    #[error("{what}: {source}")]
    System {
        /// The program or the file.
        what: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A program that prepares or asks a server did not succeed.
    #[error("{program} did not succeed:\n{output}")]
    Failed {
        /// Which program.
        program: String,
        /// What it wrote.
        output: String,
    },
    /// The server ended, or did not answer in time.
    #[error("{program} on port {port} {problem}; its last words:\n{log}")]
    NotReady {
        /// Which server.
        program: &'static str,
        /// Where it should listen.
        port: u16,
        /// What is missing.
        problem: &'static str,
        /// The last lines of its output.
        log: String,
    },
    /// The server did not end in time. Dropping its handle ends it all the same.
    #[error("{program} with the process id {pid} does not end")]
    StillRunning {
        /// Which server.
        program: &'static str,
        /// Its process.
        pid: u32,
    },
    /// There is nothing to signal: the server was killed or stopped before.
    #[error("{program} is not running")]
    NotRunning {
        /// Which server.
        program: &'static str,
    },
}

impl PrivateError {
    fn system(what: impl AsRef<OsStr>, source: io::Error) -> Self {
        Self::System { what: what.as_ref().to_string_lossy().into_owned(), source }
    }
}
