//! A server in this process, on a port, a database and a clock of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anteroom::app::App;
use anteroom::clock::{Clock as _, ManualClock, SystemClock};
use anteroom::config::{Auth, Config, Database, Limits};
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

/// Where the servers of these tests keep things: embedded, unless whoever runs the tests says `postgres`.
fn is_on_postgres() -> bool {
    std::env::var("ANTEROOM_TEST_STORE").is_ok_and(|store| store == "postgres")
}

/// A server that runs.
pub(crate) struct TestServer {
    running: Server,
    config: Config,
    directory: Home,
    /// It stands until a test moves it.
    pub(crate) clock: Arc<ManualClock>,
    /// Makes tokens it believes.
    pub(crate) mint: TokenMint,
    /// Tells it of people and jobs.
    pub(crate) marketplace: Marketplace,
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
}

impl TestServer {
    /// Starts one as it comes.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Why one with a changed configuration does not start.
    pub(crate) async fn refused(change: impl FnOnce(&mut Config)) -> String {
        let (_directory, config) = prepared(change);
        match Server::start(&config).await {
            Ok(_) => panic!("it started"),
            Err(error) => error.text(),
        }
    }

    /// Starts one with a changed configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let (directory, config) = prepared(change);
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        Self::on(directory, config, clock).await
    }

    async fn on(directory: Home, config: Config, clock: Arc<ManualClock>) -> Self {
        super::documents::watch();
        let running = Server::start_with(&config, clock.clone()).await.expect("the server starts");
        let base = format!("http://{}", running.address);
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
        running.stop().await;
        change(directory.files.path());
        Self::on(directory, config, clock).await
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }

    /// A token of this person.
    pub(crate) fn token(&self, user: &UserId) -> String {
        self.mint.user(user)
    }

    /// What the server works with, to do what no wire can.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.running.app
    }

    /// Its database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.config.data_dir.join("anteroom.db")
    }

    /// `http://127.0.0.1:PORT` of the figures.
    pub(crate) fn figures(&self) -> String {
        format!("http://{}", self.running.metrics_address)
    }
}

/// What a test server's data lives in.
struct Home {
    files: TempDir,
    schema: Option<Schema>,
}

fn id_address() -> std::net::SocketAddr {
    super::id("127.0.0.1:0")
}

/// A directory, and a configuration on it.
fn prepared(change: impl FnOnce(&mut Config)) -> (Home, Config) {
    let home = Home {
        files: tempfile::tempdir().expect("a directory"),
        schema: is_on_postgres().then(Schema::fresh),
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
    change(&mut config);
    (home, config)
}
