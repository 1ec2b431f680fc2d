//! A server in this process, on a port, a database and a clock of its own.

use std::path::PathBuf;
use std::sync::Arc;

use anteroom::clock::{Clock as _, ManualClock, SystemClock};
use anteroom::config::{Auth, Config, Limits};
use anteroom::server::Server;
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::token::TokenMint;
use anteroom_protocol::id::UserId;
use tempfile::TempDir;

/// The secret that the marketplace and every test server share.
pub(crate) const SECRET: &str = "the secret of a marketplace that only tests know";

/// Tokens outlive every invitation, so that a test may turn the clock.
const TOKEN_SECONDS: u64 = 60 * 24 * 60 * 60;

/// A server that runs.
pub(crate) struct TestServer {
    running: Server,
    config: Config,
    directory: TempDir,
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

    /// Starts one with a changed configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut config = Config {
            listen: id_address(),
            data_dir: directory.path().to_owned(),
            demo: false,
            auth: Auth { secret: Some(SECRET.into()), ..Auth::default() },
            ..Config::default()
        };
        // Tests are hastier than people.
        let Limits { commands_per_second, commands_burst, requests_per_second, requests_burst, .. } =
            &mut config.limits;
        for rate in [commands_per_second, commands_burst, requests_per_second, requests_burst] {
            *rate = 1_000_000;
        }
        change(&mut config);
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        Self::on(directory, config, clock).await
    }

    async fn on(directory: TempDir, config: Config, clock: Arc<ManualClock>) -> Self {
        let running = Server::start_with(&config, clock.clone()).await.expect("the server starts");
        let base = format!("http://{}", running.address);
        let mint = TokenMint::new(SECRET).lasting(TOKEN_SECONDS);
        let marketplace = Marketplace::new(&base, &mint);
        Self { running, config, directory, clock, mint, marketplace, base }
    }

    /// Stops it and starts another one on the same database, elsewhere.
    pub(crate) async fn restart(self) -> Self {
        let Self { running, config, directory, clock, .. } = self;
        running.stop().await;
        Self::on(directory, config, clock).await
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }

    /// The file of its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.config.data_dir.join("anteroom.db")
    }

    /// A token of this person.
    pub(crate) fn token(&self, user: &UserId) -> String {
        self.mint.user(user)
    }

    /// `http://127.0.0.1:PORT` of the figures.
    pub(crate) fn figures(&self) -> String {
        format!("http://{}", self.running.metrics_address)
    }
}

fn id_address() -> std::net::SocketAddr {
    super::id("127.0.0.1:0")
}
