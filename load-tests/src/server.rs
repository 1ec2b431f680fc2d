//! A server binary as a process of its own, on a data directory and a port of its own.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, io};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::client::Http;
use crate::machine;
use crate::token::{SECRET_FILE, SECRET_VARIABLE, TokenMint};

/// What the server says on standard output when it listens; the address follows.
const LISTENING: &str = "listening on ";

/// Lines of the server's output that are kept, to be shown when something goes wrong.
const LOG_LINES: usize = 200;

/// The server's binary: the one that was asked for, or the one beside this program, where one build puts both.
///
/// # Errors
/// There is none.
pub fn binary(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    let binary = match asked {
        Some(binary) => binary.to_owned(),
        None => env::current_exe()?.with_file_name("anteroom"),
    };
    anyhow::ensure!(binary.exists(), "no server at {}: build it, or say --server-bin", binary.display());
    Ok(binary)
}

/// Why a server could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The process could not be started, asked or waited for.
    #[error("the server {binary}: {source}")]
    Process {
        /// Which binary.
        binary: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It ended, or did not listen and become ready in time.
    #[error("the server was not ready ({problem}); its last words:\n{log}")]
    NotReady {
        /// What is missing.
        problem: String,
        /// The last lines of its output.
        log: String,
    },
    /// It did not end in time after SIGTERM. It has been killed.
    #[error("the server did not end within {0:?} of SIGTERM")]
    StillRunning(Duration),
    /// Its secret cannot be read.
    #[error("the secret of the server in {path}: {source}")]
    Secret {
        /// The file it should be in.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// How to start a server. It can be started again on the same data directory.
#[derive(Debug, Clone)]
pub struct Launcher {
    binary: PathBuf,
    data_dir: PathBuf,
    listen: String,
    env: Vec<(String, String)>,
    args: Vec<String>,
    patience: Duration,
    demo: bool,
}

impl Launcher {
    /// This binary on this data directory, on a free port of the loopback interface, without demo data.
    pub fn new(binary: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            data_dir: data_dir.into(),
            listen: "127.0.0.1:0".to_owned(),
            env: Vec::new(),
            args: Vec::new(),
            patience: Duration::from_secs(20),
            demo: false,
        }
    }

    /// Sets a variable of its environment. No other variable beginning with `ANTEROOM_` is handed down.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With demo data, whose links it prints.
    #[must_use]
    pub fn demo(mut self) -> Self {
        self.demo = true;
        self
    }

    /// Listens here instead of on a free port.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// How long it may take to become ready, and to end; 20 s unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// [`ServerError::Process`] or [`ServerError::NotReady`].
    pub async fn start(&self) -> Result<ServerProcess, ServerError> {
        let failed = |source| ServerError::Process { binary: self.binary.clone(), source };
        let mut child = self.command().spawn().map_err(failed)?;
        let pid = child.id().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let log = Log::default();
        let (found, mut address) = mpsc::channel(1);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(log.clone().follow(stdout, Some(found)));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log.clone().follow(stderr, None));
        }
        let mut server = ServerProcess { child, pid, base_url: String::new(), log, launcher: self.clone() };
        let ready = async {
            // The sender is gone when the output ended: the process died.
            server.base_url = address.recv().await.ok_or("it ended without listening")?;
            await_ready(&Http::anonymous(&server.base_url)).await;
            Ok::<(), &str>(())
        };
        let problem = match timeout(self.patience, ready).await {
            Ok(Ok(())) => return Ok(server),
            Ok(Err(problem)) => problem.to_owned(),
            Err(_) => format!("{:?} have passed", self.patience),
        };
        // Its last words come through pipes: give them a moment.
        sleep(Duration::from_millis(50)).await;
        Err(ServerError::NotReady { problem, log: server.log.text() })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--listen", &self.listen, "--data-dir"]).arg(&self.data_dir);
        command.args((!self.demo).then_some("--no-demo"));
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ANTEROOM_"))
        {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        command
    }
}

async fn await_ready(http: &Http) {
    loop {
        if http.raw("GET", "/readyz", &[], None).await.is_ok_and(|answer| answer.status == 200) {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    pid: u32,
    base_url: String,
    log: Log,
    launcher: Launcher,
}

impl ServerProcess {
    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        &self.launcher.data_dir
    }

    /// A mint with its secret: the one it was started with, or else the one it wrote into its data directory.
    ///
    /// # Errors
    /// [`ServerError::Secret`].
    pub fn mint(&self) -> Result<TokenMint, ServerError> {
        if let Some((_, secret)) = self.launcher.env.iter().rev().find(|(name, _)| name == SECRET_VARIABLE) {
            return Ok(TokenMint::new(secret));
        }
        let path = self.data_dir().join(SECRET_FILE);
        TokenMint::from_file(&path).map_err(|source| ServerError::Secret { path, source })
    }

    /// The last lines of its output.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    /// It has ended.
    pub fn rss_bytes(&self) -> io::Result<u64> {
        machine::rss_bytes(self.pid)
    }

    /// Its processor time so far, in seconds.
    ///
    /// # Errors
    /// It has ended.
    pub fn cpu_seconds(&self) -> io::Result<f64> {
        machine::cpu_seconds(self.pid)
    }

    /// Kills it (SIGKILL), as a loss of power would, and waits until it is gone.
    ///
    /// # Errors
    /// [`ServerError::Process`].
    pub async fn kill(&mut self) -> Result<ExitStatus, ServerError> {
        // An error here says that it has ended already.
        let _ = self.child.start_kill();
        self.child.wait().await.map_err(|source| self.failed(source))
    }

    /// Asks it to end (SIGTERM) and waits until it has; kills it when that takes too long.
    ///
    /// # Errors
    /// [`ServerError::Process`] or [`ServerError::StillRunning`].
    pub async fn terminate(&mut self) -> Result<ExitStatus, ServerError> {
        self.ask_to_end()?;
        self.wait().await
    }

    /// Stops it where it is (SIGSTOP): its connections stay, and it does nothing.
    ///
    /// # Errors
    /// [`ServerError::Process`].
    pub fn pause(&self) -> Result<(), ServerError> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on after [`Self::pause`] (SIGCONT).
    ///
    /// # Errors
    /// [`ServerError::Process`].
    pub fn resume(&self) -> Result<(), ServerError> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end (SIGTERM) and does not wait: to see what it tells its sockets.
    ///
    /// # Errors
    /// [`ServerError::Process`].
    pub fn ask_to_end(&self) -> Result<(), ServerError> {
        self.signal(Signal::TERM)
    }

    /// Waits until it has ended; kills it when that takes too long.
    ///
    /// # Errors
    /// [`ServerError::Process`] or [`ServerError::StillRunning`].
    pub async fn wait(&mut self) -> Result<ExitStatus, ServerError> {
        if let Ok(status) = timeout(self.launcher.patience, self.child.wait()).await {
            return status.map_err(|source| self.failed(source));
        }
        self.kill().await?;
        Err(ServerError::StillRunning(self.launcher.patience))
    }

    fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        let running = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let Some(pid) = running else { return Ok(()) };
        kill_process(pid, signal).map_err(|source| self.failed(source.into()))
    }

    fn failed(&self, source: io::Error) -> ServerError {
        ServerError::Process { binary: self.launcher.binary.clone(), source }
    }
}

/// The last lines a process wrote. Its pipes are read to their end, so that it never waits for us.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    async fn follow(self, output: impl AsyncRead + Unpin, mut found: Option<mpsc::Sender<String>>) {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if found.is_some()
                && let Some(address) = address_in(&line)
                && let Some(found) = found.take()
            {
                // Nobody waits for it any more when the start was given up.
                let _ = found.try_send(address);
            }
            self.push(line);
        }
    }

    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("  {line}\n")).collect()
    }
}

fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(LISTENING)?;
    let end = rest.find(|sign: char| sign.is_whitespace() || sign == '"').unwrap_or(rest.len());
    let address = rest.get(..end)?;
    address.starts_with("http://").then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_plain_and_in_structured_output() {
        let address = Some("http://127.0.0.1:4711".to_owned());
        assert_eq!(address_in("listening on http://127.0.0.1:4711"), address);
        assert_eq!(address_in(r#"{"message":"listening on http://127.0.0.1:4711"}"#), address);
        assert_eq!(address_in("listening on tomorrow"), None);
    }

    #[tokio::test]
    async fn a_server_that_dies_at_once_is_reported_with_its_status() {
        let missing = Launcher::new("/nonexistent/anteroom", "/tmp").start().await;
        assert!(matches!(missing, Err(ServerError::Process { .. })));
        let silent = Launcher::new("/bin/false", "/tmp").start().await;
        assert!(matches!(silent, Err(ServerError::NotReady { .. })), "{silent:?}");
    }
}
