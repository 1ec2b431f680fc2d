//! Several nodes as real processes, on a PostgreSQL and a Redis of their own, each behind a proxy of its own to either: so any one of
//! these lines can be cut while people write. What they were told and given is judged by the history checker, and the figures of the
//! nodes have to show that the fault has hit.
//!
//! Here is the fleet; who writes in it is in [`desk`], a run of all of them in [`play`]. The tests stand by what is broken.

mod boundary;
mod database;
mod desk;
mod device;
mod disk;
mod gone;
mod neighbour;
mod node;
mod play;
mod restart;
mod restore;
mod rumour;
mod together;
mod webhook;

use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anteroom_load_tests::client::Http;
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::private::{PostgresOptions, PrivatePostgres, PrivateRedis, RedisOptions};
use anteroom_load_tests::proxy::Proxy;
use anteroom_load_tests::server::{Launcher, ServerProcess};
use anteroom_load_tests::token::TokenMint;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{SECRET, hasty};

/// Longer than anything here takes on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often something is looked at that is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// Shards, channels for what is not kept, and the ticks'.
const CHANNELS: usize = 256 + 16 + 1;

/// Nodes on one database.
struct Fleet {
    nodes: Vec<Node>,
    postgres: PrivatePostgres,
    redis: PrivateRedis,
    directory: TempDir,
    /// What each node is told beside what all tests tell it.
    settings: Vec<(&'static str, String)>,
}

/// A node, and its lines to what it shares with the others.
struct Node {
    server: ServerProcess,
    launcher: Launcher,
    marketplace: Marketplace,
    postgres: Proxy,
    redis: Proxy,
    figures: Http,
    failpoints: PathBuf,
}

impl Fleet {
    /// So many nodes, which all hear each other.
    async fn start(nodes: usize) -> Self {
        Self::start_with(nodes, &[]).await
    }

    /// The same, with other settings.
    async fn start_with(nodes: usize, settings: &[(&'static str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let (postgres, redis) = (PostgresOptions::default().fsync(true), RedisOptions::default());
        let (postgres, redis) =
            tokio::try_join!(PrivatePostgres::start(&postgres), PrivateRedis::start(&redis))
                .expect("a database and a redis");
        let directory = tempfile::tempdir().expect("a directory");
        let mut fleet = Self { nodes: Vec::new(), postgres, redis, directory, settings };
        for _ in 0..nodes {
            fleet.join().await;
        }
        fleet.until_together().await;
        fleet
    }

    /// One more node.
    async fn join(&mut self) {
        let database = line(self.postgres.port()).await;
        let redis = line(self.redis.port()).await;
        let (listen, figures) = doors();
        let data = self.directory.path().join(self.nodes.len().to_string());
        let failpoints = data.with_extension("failpoints");
        std::fs::create_dir(&failpoints).expect("a directory");
        // As somebody has it who tries it out: a node that may post to this machine.
        std::fs::create_dir(&data).expect("a directory");
        std::fs::write(data.join("dev-secret"), SECRET).expect("written");
        let mut launcher = hasty(Launcher::new(env!("CARGO_BIN_EXE_anteroom"), data))
            .listen(listen.to_string())
            .env("ANTEROOM_METRICS_LISTEN", figures.to_string())
            .env("ANTEROOM_DATABASE__URL", database.url(&self.postgres.url("postgres")))
            .env("ANTEROOM_REDIS__URL", redis.url(&self.redis.url()))
            .env("ANTEROOM_DRAIN_SECONDS", "0")
            .env("FAILPOINTS", failpoints.to_string_lossy());
        for (name, value) in &self.settings {
            launcher = launcher.env(*name, value);
        }
        let server = launcher.start().await.expect("a node");
        let marketplace = Marketplace::new(server.base_url(), &TokenMint::new(SECRET));
        let figures = Http::anonymous(&format!("http://{figures}"));
        let node = Node { server, launcher, marketplace, postgres: database, redis, figures, failpoints };
        self.nodes.push(node);
    }

    /// How many nodes listen on each channel there is, at least.
    async fn subscribed(&self) -> Option<usize> {
        let client = redis::Client::open(self.redis.url()).ok()?;
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let mut all = redis::cmd("PUBSUB");
        let channels: Vec<String> =
            all.arg("CHANNELS").arg("anteroom:*").query_async(&mut connection).await.ok()?;
        let mut each = redis::cmd("PUBSUB");
        let counts: Vec<(String, usize)> =
            each.arg("NUMSUB").arg(&channels).query_async(&mut connection).await.ok()?;
        let least = counts.iter().map(|(_, count)| *count).min()?;
        (counts.len() == CHANNELS).then_some(least)
    }

    /// All nodes listen on all channels.
    async fn until_subscribed(&self) {
        let here = self.nodes.len();
        until("all nodes on all channels", async || self.subscribed().await == Some(here)).await;
    }

    /// All nodes hear each other.
    async fn until_together(&self) {
        self.until_subscribed().await;
        for node in &self.nodes {
            node.until_degraded(false).await;
        }
    }

    /// What one statement gives.
    async fn query(&self, sql: &str) -> String {
        self.postgres.query("postgres", sql).await.expect("rows")
    }

    /// In every log the entries are numbered 1, 2, 3 … up to its head.
    async fn is_dense(&self) {
        let sql = "SELECT count(*) FROM (SELECT l.id FROM logs l LEFT JOIN entries e ON e.log = l.id GROUP BY l.id, l.seq
                   HAVING count(e.seq) <> l.seq OR coalesce(max(e.seq), 0) <> l.seq) AS wrong";
        assert_eq!(self.query(sql).await, "0", "logs with holes, or with another head");
    }
}

impl Node {
    /// A figure, by its name and labels; over all labels, if it is told with none.
    async fn figure(&self, name: &str) -> u64 {
        let text = self.figures.raw("GET", "/metrics", &[], None).await.expect("figures").text;
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?;
            let is_it = rest.starts_with(' ') || (rest.starts_with('{') && !name.ends_with('}'));
            is_it.then(|| rest.rsplit(' ').next()?.parse::<u64>().ok())?
        };
        text.lines().filter_map(value).sum()
    }

    /// Entries that this layer has found missing.
    async fn repairs(&self, layer: &str) -> u64 {
        self.figure(&format!("anteroom_repairs_total{{layer=\"{layer}\"}}")).await
    }

    /// From now on it fails there so many times out of a hundred.
    fn fails(&self, place: &str, percent: u32) {
        let file = self.failpoints.join(place);
        // Read by the node at any moment: there as a whole, or not.
        let draft = file.with_extension("draft");
        std::fs::write(&draft, percent.to_string()).expect("written");
        std::fs::rename(draft, file).expect("named");
    }

    /// Whether it hears the others; the figure and the answer for operators say the same.
    async fn is_degraded(&self) -> bool {
        let answer = self.figures.raw("GET", "/delivery", &[], None).await.expect("an answer");
        let figure = self.figure("anteroom_bus_degraded").await == 1;
        figure && answer.status == 503 && answer.text.contains("not heard")
    }

    async fn until_degraded(&self, degraded: bool) {
        until("word whether it hears", async || self.is_degraded().await == degraded).await;
    }

    /// It does not look back any more, as it does for a moment after it has heard nobody.
    async fn until_calm(&self) {
        let mut looks = (0, Instant::now());
        until("no more looking back", async || {
            let now = self.figure("anteroom_look_backs_total").await;
            if now != looks.0 {
                looks = (now, Instant::now());
            }
            looks.1.elapsed() > Duration::from_secs(2)
        })
        .await;
    }

    async fn is_ready(&self) -> bool {
        let answer = self.marketplace.service().raw("GET", "/readyz", &[], None).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }
}

/// A proxy in front of a server on this machine.
async fn line(port: u16) -> Proxy {
    Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.expect("a proxy")
}

/// Where a node is found, also after it was started again, and where its figures are. Not of the ports that clients get by accident.
fn doors() -> (SocketAddr, SocketAddr) {
    let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let port = std::iter::repeat_with(|| rand::random_range(10_000..20_000u16) & !1)
        .find(|port| free(*port) && free(*port + 1))
        .expect("two ports");
    [port, port + 1].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).into()
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            sleep(LOOK).await;
        }
    };
    assert!(timeout(PATIENCE, looking).await.is_ok(), "{what}: not within {PATIENCE:?}");
}

/// A number that the night has time for, or this one.
fn asked<T: FromStr<Err: Debug>>(variable: &str, number: T) -> T {
    std::env::var(variable).map_or(number, |text| text.parse().expect("a number"))
}

/// Seconds that a fault lasts.
fn lasting(variable: &str, seconds: u64) -> Duration {
    Duration::from_secs(asked(variable, seconds))
}
