//! A Redis of one's own, which keeps nothing on the disk.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::PrivateError;
use super::keeper::{Keeper, Kind};
use super::programs;

/// How long one look at it may take.
const LOOK: Duration = Duration::from_millis(200);

const KIND: Kind = Kind {
    program: "redis-server",
    port_option: "--port",
    last_signal: "KILL",
    stop_signal: Signal::TERM,
    is_ready,
};

/// How a Redis is set up.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    password: Option<String>,
    arguments: Vec<String>,
}

impl RedisOptions {
    /// Asks every client for this password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Any other setting, as in `redis.conf`: `setting("maxmemory", "10mb")`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.arguments.extend([format!("--{name}"), value.into()]);
        self
    }
}

/// A running Redis, or one that was killed or stopped and can be started again. Dropped, it ends and its directory is removed.
#[derive(Debug)]
pub struct PrivateRedis {
    keeper: Keeper,
    password: Option<String>,
}

impl PrivateRedis {
    /// Starts a server that is empty and saves nothing.
    ///
    /// # Errors
    /// [`PrivateError::Missing`] where Redis is not installed, or what else went wrong.
    pub async fn start(options: &RedisOptions) -> Result<Self, PrivateError> {
        let program = programs::redis()?;
        let directory = programs::directory("redis")?;
        let mut command = vec![program.into_os_string()];
        command
            .extend(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"].map(OsString::from));
        command.push(directory.path().into());
        if let Some(password) = &options.password {
            command.extend(["--requirepass".into(), password.into()]);
        }
        command.extend(options.arguments.iter().map(OsString::from));
        let mut keeper = Keeper::new(&KIND, directory, &command)?;
        keeper.start().await?;
        Ok(Self { keeper, password: options.password.clone() })
    }

    /// Where a client finds it: `redis://127.0.0.1:PORT/`, with the password if there is one.
    pub fn url(&self) -> String {
        let password = self.password.as_ref().map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{password}127.0.0.1:{}/", self.port())
    }

    /// Its port, which stays the same when it is started again.
    pub fn port(&self) -> u16 {
        self.keeper.port()
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.keeper.pid()
    }

    /// The last lines it wrote.
    pub fn log(&self) -> String {
        self.keeper.log()
    }

    /// Kills it (SIGKILL) and waits until the port refuses. All that it knew is gone.
    ///
    /// # Errors
    /// [`PrivateError::NotRunning`] or [`PrivateError::StillRunning`].
    pub async fn kill(&mut self) -> Result<(), PrivateError> {
        self.keeper.kill().await
    }

    /// Stops it where it is (SIGSTOP): the operating system still accepts connections, and nobody answers.
    ///
    /// # Errors
    /// [`PrivateError::NotRunning`] or [`PrivateError::StillRunning`].
    pub async fn pause(&self) -> Result<(), PrivateError> {
        self.keeper.pause().await
    }

    /// Lets it go on after [`Self::pause`] (SIGCONT).
    ///
    /// # Errors
    /// [`PrivateError::NotRunning`].
    pub fn resume(&self) -> Result<(), PrivateError> {
        self.keeper.resume()
    }

    /// Ends it properly (SIGTERM).
    ///
    /// # Errors
    /// [`PrivateError::NotRunning`] or [`PrivateError::StillRunning`].
    pub async fn stop(&mut self) -> Result<(), PrivateError> {
        self.keeper.stop().await
    }

    /// Starts it empty on the same port; one that runs is stopped before.
    ///
    /// # Errors
    /// [`PrivateError::NotReady`], or what else went wrong.
    pub async fn restart(&mut self) -> Result<(), PrivateError> {
        if self.pid().is_some() {
            self.stop().await?;
        }
        self.keeper.start_again().await
    }
}

/// It answers, if only by asking for the password.
fn is_ready(_: &Path, port: u16, _: u32) -> bool {
    let answer = || -> io::Result<[u8; 7]> {
        let mut redis = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        redis.set_read_timeout(Some(LOOK))?;
        redis.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        redis.read_exact(&mut answer)?;
        Ok(answer)
    };
    answer().is_ok_and(|answer| answer == *b"+PONG\r\n" || answer == *b"-NOAUTH")
}
