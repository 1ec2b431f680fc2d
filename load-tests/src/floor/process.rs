//! A floor in a process of its own, so that its processor time is its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// One that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct FloorProcess {
    _child: Child,
    pid: u32,
    url: String,
}

impl FloorProcess {
    /// Starts this program as a floor on this database and this Redis.
    ///
    /// # Errors
    /// It does not listen.
    pub async fn start(program: &Path, postgres: &str, redis: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(["floor", "--postgres", postgres, "--redis", redis]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let pid = child.id().context("it has ended")?;
        let mut lines = BufReader::new(child.stdout.take().context("it says nothing")?).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.context("it does not listen")??;
        let line = line.context("it ended without listening")?;
        let address = line.strip_prefix("listening on http://").with_context(|| line.clone())?;
        Ok(Self { url: format!("ws://{address}"), _child: child, pid })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where its sockets are.
    pub fn url(&self) -> &str {
        &self.url
    }
}
