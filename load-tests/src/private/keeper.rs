//! One server process: started, signalled, killed with its children, started again. A small shell of its own stands between it and us,
//! and ends it when we are gone (`keeper.sh`).

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::sleep;

use super::{PrivateError, port};
use crate::machine;

/// How long a server may take to answer, and to end. Generous: a slow machine is no fault of the server's.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a process may take to be where a signal puts it.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at a process or a port.
const PAUSE: Duration = Duration::from_millis(10);

/// How often another port is tried when somebody else was quicker.
const PORTS_TRIED: usize = 5;

/// Lines of the server's output that are shown when something goes wrong.
const LOG_LINES: usize = 40;

/// What kind of server is kept.
#[derive(Debug)]
pub(super) struct Kind {
    /// What it is called when something goes wrong.
    pub(super) program: &'static str,
    /// The option that takes its port.
    pub(super) port_option: &'static str,
    /// Ends it at once, without leaving anything in the operating system.
    pub(super) last_signal: &'static str,
    /// Asks it to end properly, now.
    pub(super) stop_signal: Signal,
    /// Whether the server with this directory, port and process id answers. A short look, which does not wait for it.
    pub(super) is_ready: fn(&Path, u16, u32) -> bool,
}

/// A server, or the place of one that was killed or stopped. Dropped, it ends the server and removes the directory.
#[derive(Debug)]
pub(super) struct Keeper {
    kind: &'static Kind,
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    server: Option<u32>,
    port: u16,
    directory: TempDir,
}

impl Keeper {
    /// Keeps a server with this command and this directory. It is not started yet.
    pub(super) fn new(
        kind: &'static Kind,
        directory: TempDir,
        command: &[OsString],
    ) -> Result<Self, PrivateError> {
        let failed = |source| PrivateError::system("sh", source);
        let mut keeper = Command::new("sh");
        keeper.args(["-c", include_str!("keeper.sh"), "keeper"]).arg(directory.path()).arg(kind.last_signal);
        // A group of its own: a Ctrl-C is for us, and the keeper sees that we are gone.
        keeper.args(command).current_dir(directory.path()).process_group(0);
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A PGPORT or a PGDATA of somebody else's must not lead the server astray.
        env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")).for_each(
            |(name, _)| {
                keeper.env_remove(name);
            },
        );
        let mut shell = keeper.spawn().map_err(failed)?;
        let orders = shell.stdin.take();
        let answers = shell.stdout.take().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let answers = BufReader::new(answers);
        Ok(Self { kind, shell, orders, answers, server: None, port: 0, directory })
    }

    /// Starts the server on a free port and waits until it answers there.
    pub(super) async fn start(&mut self) -> Result<(), PrivateError> {
        let mut tried = 0;
        loop {
            self.port = port::free().map_err(|source| PrivateError::system("a free port", source))?;
            tried += 1;
            match self.start_again().await {
                Err(PrivateError::NotReady { log, .. })
                    if tried < PORTS_TRIED && log.contains("already in use") => {}
                other => return other,
            }
        }
    }

    /// The same on the port that it had.
    pub(super) async fn start_again(&mut self) -> Result<(), PrivateError> {
        let answer = self.order(&format!("start {} {}", self.kind.port_option, self.port))?;
        let odd = PrivateError::Failed { program: "sh".to_owned(), output: answer.clone() };
        let pid = answer.trim().parse().map_err(|_| odd)?;
        self.server = Some(pid);
        let began = Instant::now();
        let problem = loop {
            if !machine::is_alive(pid) {
                self.reap()?;
                break "ended";
            }
            if (self.kind.is_ready)(self.directory(), self.port, pid) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                break "does not answer";
            }
            sleep(PAUSE).await;
        };
        Err(PrivateError::NotReady { program: self.kind.program, port: self.port, problem, log: self.log() })
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Its process, while it runs.
    pub(super) fn pid(&self) -> Option<u32> {
        self.server.filter(|pid| machine::is_alive(*pid))
    }

    /// Its directory.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The last lines it wrote.
    pub(super) fn log(&self) -> String {
        let log = fs::read(self.directory().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(LOG_LINES)).fold(String::new(), |mut text, line| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {line}");
            text
        })
    }

    /// Stops it and its children where they are (SIGSTOP): connections stay, and nothing answers.
    pub(super) async fn pause(&self) -> Result<(), PrivateError> {
        let pid = self.running()?;
        self.signal(pid, Signal::STOP)?;
        // From here on no child is born.
        self.wait_until(pid, machine::is_stopped).await?;
        for child in machine::children(pid) {
            self.signal(child, Signal::STOP)?;
            self.wait_until(child, |child| machine::is_stopped(child) || !machine::is_alive(child)).await?;
        }
        Ok(())
    }

    /// Lets it and its children go on (SIGCONT).
    pub(super) fn resume(&self) -> Result<(), PrivateError> {
        let pid = self.running()?;
        machine::children(pid).into_iter().chain([pid]).try_for_each(|pid| self.signal(pid, Signal::CONT))
    }

    /// Kills it and its children (SIGKILL), all at one moment as a loss of power would, and waits until the port refuses.
    pub(super) async fn kill(&mut self) -> Result<(), PrivateError> {
        let pid = self.running()?;
        self.pause().await?;
        let children = machine::children(pid);
        for process in children.iter().copied().chain([pid]) {
            self.signal(process, Signal::KILL)?;
        }
        self.reap_in_time(pid).await?;
        for child in children {
            self.wait_until(child, |child| !machine::is_alive(child)).await?;
        }
        self.wait_until(pid, |_| self.refuses()).await
    }

    /// Asks it to end properly and waits until it has.
    pub(super) async fn stop(&mut self) -> Result<(), PrivateError> {
        let pid = self.running()?;
        self.resume()?;
        self.signal(pid, self.kind.stop_signal)?;
        self.reap_in_time(pid).await
    }

    fn running(&self) -> Result<u32, PrivateError> {
        self.pid().ok_or(PrivateError::NotRunning { program: self.kind.program })
    }

    /// A process that is gone needs no signal any more.
    fn signal(&self, pid: u32, signal: Signal) -> Result<(), PrivateError> {
        let Some(process) = Pid::from_raw(pid.cast_signed()) else { return Ok(()) };
        match kill_process(process, signal) {
            Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
            Err(error) => Err(PrivateError::system(self.kind.program, error.into())),
        }
    }

    async fn wait_until(&self, pid: u32, there: impl Fn(u32) -> bool) -> Result<(), PrivateError> {
        self.wait_for(pid, SIGNAL_PATIENCE, there).await
    }

    async fn wait_for(
        &self,
        pid: u32,
        patience: Duration,
        there: impl Fn(u32) -> bool,
    ) -> Result<(), PrivateError> {
        let began = Instant::now();
        while !there(pid) {
            if began.elapsed() > patience {
                return Err(PrivateError::StillRunning { program: self.kind.program, pid });
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn refuses(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err()
    }

    async fn reap_in_time(&mut self, pid: u32) -> Result<(), PrivateError> {
        self.wait_for(pid, PATIENCE, |pid| !machine::is_alive(pid)).await?;
        self.reap()
    }

    /// A dead process keeps its number until its parent has asked for it, and PostgreSQL would find that number in use.
    fn reap(&mut self) -> Result<(), PrivateError> {
        self.order("reap")?;
        self.server = None;
        Ok(())
    }

    fn order(&mut self, order: &str) -> Result<String, PrivateError> {
        let mut answer = String::new();
        let told = match &mut self.orders {
            Some(orders) => writeln!(orders, "{order}"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        told.and_then(|()| self.answers.read_line(&mut answer))
            .map_err(|source| PrivateError::system("sh", source))?;
        Ok(answer)
    }
}

impl Drop for Keeper {
    /// The same way as when we are killed, so that it is well trodden; but we wait until it is done.
    fn drop(&mut self) {
        // Children that are paused would hold it up.
        let _ = self.resume();
        drop(self.orders.take());
        let began = Instant::now();
        while began.elapsed() < PATIENCE && self.shell.try_wait().is_ok_and(|ended| ended.is_none()) {
            thread::sleep(PAUSE);
        }
    }
}
