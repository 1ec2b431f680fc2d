//! A cluster to try things on: a PostgreSQL and a Redis of its own, some nodes of the real server, and one address before them.

pub mod front;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use self::front::Front;
use crate::private::{PostgresOptions, PrivatePostgres, PrivateRedis, RedisOptions};
use crate::server::{Launcher, ServerProcess, binary};

/// Starts a PostgreSQL, a Redis and some nodes, prints links to the demo, and ends all of them with Ctrl-C
#[derive(Debug, Args)]
pub struct Options {
    /// The server to start [default: `anteroom` beside this program]
    #[arg(long)]
    server_bin: Option<PathBuf>,
    /// How many nodes
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// The address before them
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

impl Options {
    /// So many nodes of this binary behind a free port.
    pub fn new(server_bin: impl Into<PathBuf>, nodes: usize) -> Self {
        Self { server_bin: Some(server_bin.into()), nodes, listen: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }
}

/// A cluster that runs. Dropped, all of it ends.
#[derive(Debug)]
pub struct Cluster {
    front: Front,
    nodes: Vec<ServerProcess>,
    _postgres: PrivatePostgres,
    _redis: PrivateRedis,
    _data: tempfile::TempDir,
}

impl Cluster {
    /// Starts one.
    ///
    /// # Errors
    /// Something of it cannot be started.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        let binary = binary(options.server_bin.as_deref())?;
        let (postgres, redis) = (PostgresOptions::default(), RedisOptions::default());
        let (postgres, redis) =
            tokio::try_join!(PrivatePostgres::start(&postgres), PrivateRedis::start(&redis))?;
        let data = tempfile::tempdir()?;
        let mut nodes = Vec::new();
        // One after the other: the first makes the tables, the demo and the secret that all of them share.
        for _ in 0..options.nodes {
            let launcher = Launcher::new(&binary, data.path())
                .demo()
                .env("ANTEROOM_DATABASE__URL", postgres.url("postgres"))
                .env("ANTEROOM_REDIS__URL", redis.url());
            nodes.push(launcher.start().await.context("a node does not start")?);
        }
        let addresses = nodes.iter().map(|node| address(node.base_url())).collect::<anyhow::Result<_>>()?;
        let front = Front::start(options.listen, addresses)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        Ok(Self { front, nodes, _postgres: postgres, _redis: redis, _data: data })
    }

    /// `http://127.0.0.1:PORT`, before the nodes.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.front.address())
    }

    /// The nodes.
    pub fn nodes(&self) -> &[ServerProcess] {
        &self.nodes
    }

    /// Where it is, and the links of the demo.
    pub fn announcement(&self) -> String {
        let front = self.base_url();
        let mut text = format!("one address before {} nodes: {front}\n", self.nodes.len());
        for node in &self.nodes {
            text += &format!("  a node: {} (process {})\n", node.base_url(), node.pid());
        }
        if let Some(first) = self.nodes.first() {
            let log = first.log();
            let links = log.lines().filter(|line| line.contains("/#token="));
            text.extend(links.map(|link| format!("{}\n", link.replace(first.base_url(), &front))));
        }
        text + "Ctrl-C ends all of it.\n"
    }

    /// Ends the nodes one after the other, each as its operator would.
    ///
    /// # Errors
    /// One of them did not end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            node.terminate().await?;
        }
        Ok(())
    }
}

/// Runs one until somebody ends it.
///
/// # Errors
/// As [`Cluster::start`].
pub async fn run(options: &Options, say: impl Fn(&str)) -> anyhow::Result<()> {
    let cluster = Cluster::start(options).await?;
    say(&cluster.announcement());
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    // A Ctrl-C comes from the terminal, which tells the nodes by itself.
    drop(cluster);
    Ok(())
}

fn address(base: &str) -> anyhow::Result<SocketAddr> {
    Ok(base.trim_start_matches("http://").parse()?)
}
