//! A server in this process, on a port, a database and a clock of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anteroom::app::App;
use anteroom::clock::{Clock as _, ManualClock, SystemClock};
use anteroom::config::{Auth, Config, Database, Limits, Redis};
use anteroom::server::Server;
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::token::TokenMint;
use anteroom_protocol::id::UserId;
use tempfile::TempDir;

use super::postgres::Schema;

/// The secret that the marketplace and every test server share.
pub(crate) const SECRET: &str = "the secret of a marketplace that only tests know";

/// Tokens outlive every invitation and a year of them, so that a test may turn the clock.
const TOKEN_SECONDS: u64 = 400 * 24 * 60 * 60;

/// What the servers of these tests are, as whoever runs the tests says in `ANTEROOM_TEST_FLEET`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fleet {
    /// Nothing said: one, with the embedded database.
    Embedded,
    /// `postgres`: one, on PostgreSQL.
    Postgres,
    /// `two`: two on one PostgreSQL and one Redis. People are spread over them, so that the two of a room sit on different nodes.
    Two,
}

impl Fleet {
    fn of_this_run() -> Self {
        match std::env::var("ANTEROOM_TEST_FLEET").as_deref() {
            Err(_) => Self::Embedded,
            Ok("postgres") => Self::Postgres,
            Ok("two") => Self::Two,
            Ok(other) => panic!("ANTEROOM_TEST_FLEET is {other:?}: say postgres or two"),
        }
    }

    fn nodes(self) -> usize {
        if self == Self::Two { 2 } else { 1 }
    }
}

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

    async fn start_as(fleet: Fleet, change: impl FnOnce(&mut Config)) -> Self {
        let (directory, config) = prepared(fleet, change);
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        Self::on(directory, config, clock).await
    }

    async fn on(directory: Home, config: Config, clock: Arc<ManualClock>) -> Self {
        super::documents::watch();
        let mut running = Vec::new();
        for _ in 0..directory.fleet.nodes() {
            running.push(Server::start_with(&config, clock.clone()).await.expect("the server starts"));
        }
        if running.len() > 1 {
            super::soon("nodes that hear each other", all_hear(&running)).await;
        }
        let base = format!("http://{}", running[0].address);
        let mint = TokenMint::new(SECRET).lasting(TOKEN_SECONDS);
        let marketplace = Marketplace::new(&base, &mint);
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

    /// The node that this person comes to.
    pub(crate) fn base_of(&self, user: &UserId) -> String {
        let number: usize = user.as_str().bytes().map(usize::from).sum();
        format!("http://{}", self.running[number % self.running.len()].address)
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

    /// `http://127.0.0.1:PORT` of the figures.
    pub(crate) fn figures(&self) -> String {
        format!("http://{}", self.running[0].metrics_address)
    }
}

/// Until each node hears itself over the bus, and so the others.
async fn all_hear(nodes: &[Server]) {
    let hears = |text: String| {
        !text.contains("anteroom_bus_subscriptions_total 0") && text.contains("anteroom_bus_degraded 0")
    };
    for node in nodes {
        while !hears(node.app.metrics.text()) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

async fn stop_all(nodes: Vec<Server>) {
    for node in nodes {
        node.stop().await;
    }
}

/// What a test server's data lives in.
struct Home {
    fleet: Fleet,
    files: TempDir,
    schema: Option<Schema>,
}

fn id_address() -> std::net::SocketAddr {
    super::id("127.0.0.1:0")
}

/// A directory, and a configuration on it.
fn prepared(fleet: Fleet, change: impl FnOnce(&mut Config)) -> (Home, Config) {
    let home = Home {
        files: tempfile::tempdir().expect("a directory"),
        schema: (fleet != Fleet::Embedded).then(Schema::fresh),
        fleet,
    };
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
    if let Some(schema) = &home.schema {
        config.database = Database { url: Some(schema.url().into()), writers: 3, readers: 3 };
    }
    if fleet == Fleet::Two {
        let redis = std::env::var("ANTEROOM_TEST_REDIS").expect("the Redis that the tests share");
        config.redis = Redis { url: Some(redis.into()), tick_ms: 300, ..Redis::default() };
    }
    change(&mut config);
    (home, config)
}
