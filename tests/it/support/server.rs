//! A server in this process, on a port, a database and a clock of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anteroom::app::App;
use anteroom::clock::{Clock as _, ManualClock, SystemClock};
use anteroom::config::{Auth, Config, Limits};
use anteroom::server::Server;
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::token::TokenMint;
use anteroom_protocol::id::UserId;
use tempfile::TempDir;

use super::fleet::{Fleet, Ground};

/// The secret that the marketplace and every test server share.
pub(crate) const SECRET: &str = "the secret of a marketplace that only tests know";

/// Tokens outlive every invitation and a year of them, so that a test may turn the clock.
const TOKEN_SECONDS: u64 = 400 * 24 * 60 * 60;

/// A server that runs.
pub(crate) struct TestServer {
    running: Vec<Server>,
    config: Config,
    directory: Home,
    /// It stands until a test moves it.
    pub(crate) clock: Arc<ManualClock>,
    /// Makes tokens it believes.
    pub(crate) mint: TokenMint,
    /// Tells it of people and jobs.
    pub(crate) marketplace: Marketplace,
    /// `http://127.0.0.1:PORT`, of the first node.
    pub(crate) base: String,
}

impl TestServer {
    /// Starts one as it comes.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts one as somebody does who tries it out: without a configured secret, and so it posts to this machine, too.
    pub(crate) async fn in_development() -> Self {
        Self::start_with(try_out).await
    }

    /// Why one with a changed configuration does not start.
    pub(crate) async fn refused(change: impl FnOnce(&mut Config)) -> String {
        let (_directory, config) = prepared(Fleet::of_this_run(), change);
        match Server::start(&config).await {
            Ok(_) => panic!("it started"),
            Err(error) => error.text(),
        }
    }

    /// Starts one with a changed configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_as(Fleet::of_this_run(), change).await
    }

    /// One with the embedded database whatever this run is of: its test does something to the file.
    pub(crate) async fn embedded(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_as(Fleet::Embedded, change).await
    }

    /// One node on this run's database, however many the run has: its test is about what each node has for itself.
    pub(crate) async fn alone(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_as(Fleet::of_this_run().alone(), change).await
    }

    async fn start_as(fleet: Fleet, change: impl FnOnce(&mut Config)) -> Self {
        let (directory, config) = prepared(fleet, change);
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        Self::on(directory, config, clock).await
    }

    async fn on(directory: Home, config: Config, clock: Arc<ManualClock>) -> Self {
        super::documents::watch();
        let mut running = Vec::new();
        for _ in 0..directory.ground.fleet.nodes() {
            running.push(Server::start_with(&config, clock.clone()).await.expect("the server starts"));
        }
        super::soon("nodes that hear each other", directory.ground.meet(&running)).await;
        let base = format!("http://{}", running[0].address);
        let mint = TokenMint::new(SECRET).lasting(TOKEN_SECONDS);
        // Not at the node that most people are at who come alone: what it tells of them is to reach another one.
        let last = running.last().expect("a node").address;
        let marketplace = Marketplace::new(&format!("http://{last}"), &mint);
        Self { running, config, directory, clock, mint, marketplace, base }
    }

    /// Stops it and starts another one on the same database, elsewhere.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(|_| {}).await
    }

    /// The same, and meanwhile something is done to its data.
    pub(crate) async fn restart_after(self, change: impl FnOnce(&Path)) -> Self {
        let Self { running, config, directory, clock, .. } = self;
        stop_all(running).await;
        change(directory.files.path());
        Self::on(directory, config, clock).await
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        stop_all(self.running).await;
    }

    /// Something was committed: see [`Ground::repaired`].
    pub(crate) async fn repaired(&self) {
        self.directory.ground.repaired().await;
    }

    /// The node that this person comes to.
    pub(crate) fn base_of(&self, user: &UserId) -> String {
        format!("http://{}", self.node_of(user).address)
    }

    fn node_of(&self, user: &UserId) -> &Server {
        let number: usize = user.as_str().bytes().map(usize::from).sum();
        &self.running[number % self.running.len()]
    }

    /// A token of this person.
    pub(crate) fn token(&self, user: &UserId) -> String {
        self.mint.user(user)
    }

    /// What the server works with, to do what no wire can.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.running[0].app
    }

    /// Its database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.config.data_dir.join("anteroom.db")
    }

    /// `http://127.0.0.1:PORT` of the figures, of the first node.
    pub(crate) fn figures(&self) -> String {
        format!("http://{}", self.running[0].metrics_address)
    }

    /// The same of the node that this person comes to.
    pub(crate) fn figures_of(&self, user: &UserId) -> String {
        format!("http://{}", self.node_of(user).metrics_address)
    }
}

async fn stop_all(nodes: Vec<Server>) {
    for node in nodes {
        node.stop().await;
    }
}

/// What a test server's data lives in.
struct Home {
    files: TempDir,
    ground: Ground,
}

/// With the development secret, which tests know.
fn try_out(config: &mut Config) {
    std::fs::write(config.data_dir.join("dev-secret"), SECRET).expect("written");
    config.auth = Auth::default();
}

fn id_address() -> std::net::SocketAddr {
    super::id("127.0.0.1:0")
}

/// A directory, and a configuration on it.
fn prepared(fleet: Fleet, change: impl FnOnce(&mut Config)) -> (Home, Config) {
    let home = Home { files: tempfile::tempdir().expect("a directory"), ground: Ground::of(fleet) };
    let mut config = Config {
        listen: id_address(),
        data_dir: home.files.path().to_owned(),
        demo: false,
        // A test that stops a server does not want to wait for its sockets; those of going down set their own.
        drain_seconds: 0,
        auth: Auth { secret: Some(SECRET.into()), ..Auth::default() },
        ..Config::default()
    };
    // Tests are hastier than people, and all come from one address.
    (config.limits.sockets_per_address, config.limits.greeting_per_address) = (10_000, 10_000);
    config.limits.socket_frames = 1_000_000;
    let Limits { commands_per_second, commands_burst, requests_per_second, requests_burst, .. } =
        &mut config.limits;
    for rate in [commands_per_second, commands_burst, requests_per_second, requests_burst] {
        *rate = 1_000_000;
    }
    home.ground.carry(&mut config);
    change(&mut config);
    (home, config)
}
