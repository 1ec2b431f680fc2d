//! A PostgreSQL of one's own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tokio::process::Command;

use super::PrivateError;
use super::keeper::{Keeper, Kind};
use super::programs::{self, RunAs};

/// Immediate shutdown by SIGQUIT and not SIGKILL: the server then gives its shared memory back. SIGINT is the fast shutdown, which
/// does not wait for clients.
const KIND: Kind =
    Kind { program: "postgres", port_option: "-p", last_signal: "QUIT", stop_signal: Signal::INT, is_ready };

/// How a PostgreSQL is set up.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    fsync: bool,
    max_connections: u32,
    settings: Vec<(String, String)>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { fsync: false, max_connections: 200, settings: Vec::new() }
    }
}

impl PostgresOptions {
    /// Whether it waits for the disk; it does not unless told. What it has committed survives a killed server in either case, and only
    /// a real loss of power shows the difference.
    #[must_use]
    pub fn fsync(mut self, fsync: bool) -> Self {
        self.fsync = fsync;
        self
    }

    /// How many may be connected at once; 200 unless set.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// Any other setting, as in `postgresql.conf`.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }
}

/// A running PostgreSQL, or one that was killed or stopped and can be started again. The superuser is `postgres`, and nobody is asked for
/// a password. Dropped, it ends at once and its directory is removed.
#[derive(Debug)]
pub struct PrivatePostgres {
    keeper: Keeper,
    programs: PathBuf,
    run_as: RunAs,
}

impl PrivatePostgres {
    /// Makes a new cluster of databases and starts a server on it.
    ///
    /// # Errors
    /// [`PrivateError::Missing`] where PostgreSQL is not installed, or what else went wrong.
    pub async fn start(options: &PostgresOptions) -> Result<Self, PrivateError> {
        let programs = programs::postgres()?;
        let run_as = RunAs::not_root().await?;
        let directory = programs::directory("postgres")?;
        let command = run_as.command(&programs.join("postgres"), &arguments(directory.path(), options));
        // The keeper first: from here on the directory goes when we go.
        let keeper = Keeper::new(&KIND, directory, &command)?;
        run_as.own(keeper.directory()).await?;
        let mut server = Self { keeper, programs, run_as };
        server.initialise().await?;
        server.keeper.start().await?;
        Ok(server)
    }

    /// Where a client finds this database of it: `postgres://postgres@127.0.0.1:PORT/DATABASE`. The database `postgres` is there from the
    /// beginning.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port())
    }

    /// Its port, which stays the same when it is started again.
    pub fn port(&self) -> u16 {
        self.keeper.port()
    }

    /// Its first process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.keeper.pid()
    }

    /// The directory of the cluster. While the server is stopped a test may put another in its place; whom the files belong to is put right
    /// when the server is started.
    pub fn data_directory(&self) -> PathBuf {
        data_directory(self.keeper.directory())
    }

    /// The last lines it wrote.
    pub fn log(&self) -> String {
        self.keeper.log()
    }

    /// Makes an empty database.
    ///
    /// # Errors
    /// [`PrivateError::Failed`]: there is one of this name, or the server is not there.
    pub async fn create_database(&self, name: &str) -> Result<(), PrivateError> {
        self.query("postgres", &format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""))).await.map(drop)
    }

    /// Carries out one statement and gives what it returns: a line for each row, with `|` between the columns.
    ///
    /// # Errors
    /// [`PrivateError::Failed`] with what the server said.
    pub async fn query(&self, database: &str, statement: &str) -> Result<String, PrivateError> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-c", statement, "-d"]);
        psql.arg(self.url(database)).current_dir("/");
        Ok(programs::run(&mut psql).await?.trim_end().to_owned())
    }

    /// Kills all its processes (SIGKILL) at one moment, as a loss of power would but for the disk, and waits until the port refuses.
    ///
    /// # Errors
    /// [`PrivateError::NotRunning`] or [`PrivateError::StillRunning`].
    pub async fn kill(&mut self) -> Result<(), PrivateError> {
        self.keeper.kill().await
    }

    /// Stops all its processes where they are (SIGSTOP): the operating system still accepts connections, and nobody answers.
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

    /// Ends it properly (a fast shutdown, which waits for no client).
    ///
    /// # Errors
    /// [`PrivateError::NotRunning`] or [`PrivateError::StillRunning`].
    pub async fn stop(&mut self) -> Result<(), PrivateError> {
        self.keeper.stop().await
    }

    /// Starts it on what is in its directory, on the same port, and waits until it accepts; one that runs is stopped before.
    ///
    /// # Errors
    /// [`PrivateError::NotReady`], or what else went wrong.
    pub async fn restart(&mut self) -> Result<(), PrivateError> {
        if self.pid().is_some() {
            self.stop().await?;
        }
        self.run_as.own(&self.data_directory()).await?;
        self.keeper.start_again().await
    }

    async fn initialise(&self) -> Result<(), PrivateError> {
        let data = self.data_directory();
        let mut args: Vec<OsString> =
            ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
                .map(OsString::from)
                .to_vec();
        args.extend(["-D".into(), data.into_os_string()]);
        let words = self.run_as.command(&self.programs.join("initdb"), &args);
        let mut initdb = Command::new(words.first().map_or("initdb".as_ref(), OsString::as_os_str));
        initdb.args(words.iter().skip(1)).current_dir(self.keeper.directory());
        programs::run(&mut initdb).await.map(drop)
    }
}

fn data_directory(directory: &Path) -> PathBuf {
    directory.join("data")
}

fn arguments(directory: &Path, options: &PostgresOptions) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["-D".into(), data_directory(directory).into()];
    let mut socket = OsString::from("unix_socket_directories=");
    socket.push(directory);
    let own = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("fsync={}", if options.fsync { "on" } else { "off" }),
        format!("max_connections={}", options.max_connections),
        // In the data directory, and not in the machine's shared memory, where a killed server would leave it.
        "dynamic_shared_memory_type=mmap".to_owned(),
    ];
    let settings = options.settings.iter().map(|(name, value)| format!("{name}={value}"));
    for setting in [socket].into_iter().chain(own.into_iter().chain(settings).map(OsString::from)) {
        args.extend(["-c".into(), setting]);
    }
    args
}

/// The server says so itself: the file that names its process has a line for its state.
fn is_ready(directory: &Path, _: u16, pid: u32) -> bool {
    let lock = data_directory(directory).join("postmaster.pid");
    let Ok(lock) = fs::read_to_string(lock) else { return false };
    let mut lines = lock.lines();
    let of_this_server = lines.next().is_some_and(|line| line.trim() == pid.to_string());
    of_this_server && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}
