//! The server a load is put on: one that is started for it and thrown away, or one that runs already.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::machine;
use crate::marketplace::Marketplace;
use crate::server::{Launcher, ServerProcess};
use crate::token::TokenMint;

/// What a server that is started here is raised to: the load comes from one address, and its people post as fast as they are answered.
const RAISED: [(&str, &str); 7] = [
    ("sockets_per_address", "1000000"),
    ("greeting_per_address", "1000000"),
    ("socket_frames", "1000000"),
    ("commands_per_second", "1000000"),
    ("commands_burst", "1000000"),
    ("requests_per_second", "1000000"),
    ("requests_burst", "1000000"),
];

/// What a server that is started here is raised to, and what else was asked for.
pub fn raised(asked: &[(String, String)]) -> Vec<(String, String)> {
    let always = RAISED.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let asked_for = |name: &str| asked.iter().any(|(asked, _)| asked == name);
    always.filter(|(name, _)| !asked_for(name)).chain(asked.iter().cloned()).collect()
}

/// Which server.
#[derive(Debug, Clone)]
pub enum Choice {
    /// Start this binary on a new data directory, with these limits raised (`NAME=VALUE`).
    Start {
        /// The binary.
        binary: PathBuf,
        /// The limits.
        raise: Vec<(String, String)>,
    },
    /// Use the one that listens there.
    Running {
        /// Its address.
        url: String,
        /// Makes its tokens.
        mint: TokenMint,
        /// Its process, to measure it.
        pid: Option<u32>,
    },
}

/// A server that is ready: one node or several, and what they stand on.
#[derive(Debug)]
pub struct Target {
    /// Before the directory, which is removed when this is dropped.
    nodes: Vec<Node>,
    mint: TokenMint,
    beside: Option<Beside>,
    _data_dir: Option<TempDir>,
}

#[derive(Debug)]
struct Node {
    base: String,
    pid: Option<u32>,
    started: Option<(Launcher, ServerProcess)>,
}

impl Node {
    async fn start(launcher: Launcher) -> anyhow::Result<Self> {
        let process = launcher.start().await?;
        let (base, pid) = (process.base_url().to_owned(), Some(process.pid()));
        Ok(Self { base, pid, started: Some((launcher, process)) })
    }
}

/// A PostgreSQL and a Redis, to measure them: their first processes.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    /// PostgreSQL's, whose children are its sessions.
    pub postgres: u32,
    /// Redis'.
    pub redis: u32,
}

/// Processor time in seconds, of those whose processes are known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Of all nodes.
    pub server: Option<f64>,
    /// Of PostgreSQL.
    pub postgres: Option<f64>,
    /// Of Redis.
    pub redis: Option<f64>,
}

impl Spent {
    /// What was spent since `start`.
    #[must_use]
    pub fn since(&self, start: &Self) -> Self {
        let between = |end: Option<f64>, start: Option<f64>| Some(end? - start?);
        Self {
            server: between(self.server, start.server),
            postgres: between(self.postgres, start.postgres),
            redis: between(self.redis, start.redis),
        }
    }
}

impl Beside {
    /// What they have spent so far, beside a server that has spent this.
    pub fn spent(self, server: Option<f64>) -> Spent {
        let postgres = machine::family_cpu_seconds(self.postgres).ok();
        Spent { server, postgres, redis: machine::cpu_seconds(self.redis).ok() }
    }
}

impl Target {
    /// Starts or takes the server of this choice.
    ///
    /// # Errors
    /// It does not start, or is not on this machine.
    pub async fn open(choice: &Choice) -> anyhow::Result<Self> {
        match choice {
            Choice::Start { binary, raise } => Self::start(binary, raise, &[], 1, None).await,
            Choice::Running { url, mint, pid } => {
                ensure!(
                    is_loopback(url),
                    "{url} is not on the loopback interface: this load is for this machine only"
                );
                let node = Node { base: url.clone(), pid: *pid, started: None };
                Ok(Self { nodes: vec![node], mint: mint.clone(), beside: None, _data_dir: None })
            }
        }
    }

    /// Starts nodes with these limits raised and these variables set, one after the other: the first makes the tables and the secret.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start(
        binary: &Path,
        raise: &[(String, String)],
        variables: &[(&str, String)],
        nodes: usize,
        beside: Option<Beside>,
    ) -> anyhow::Result<Self> {
        let data_dir = tempfile::Builder::new().prefix("anteroom-load-").tempdir()?;
        // Whoever loads a server has no use for being told when to come back.
        let plain = Launcher::new(binary, data_dir.path()).env("ANTEROOM_DRAIN_SECONDS", "0");
        let limited = raise.iter().fold(plain, |launcher, (name, value)| {
            launcher.env(format!("ANTEROOM_LIMITS__{}", name.to_uppercase()), value)
        });
        let launcher = variables.iter().fold(limited, |launcher, (name, value)| launcher.env(*name, value));
        let mut started = Vec::new();
        for _ in 0..nodes {
            started.push(Node::start(launcher.clone()).await?);
        }
        let first = started.first().and_then(|node| node.started.as_ref()).context("no nodes")?;
        let mint = first.1.mint()?;
        Ok(Self { nodes: started, mint, beside, _data_dir: Some(data_dir) })
    }

    /// Ends a server that was started here and starts it again on the same data, so that its memory is that of a fresh
    /// process. Says whether it did.
    ///
    /// # Errors
    /// It does not end or does not start.
    pub async fn restart(&mut self) -> anyhow::Result<bool> {
        let mut restarted = false;
        for node in &mut self.nodes {
            if let Some((launcher, mut process)) = node.started.take() {
                process.terminate().await?;
                *node = Node::start(launcher).await.context("the second start on the same data")?;
                restarted = true;
            }
        }
        Ok(restarted)
    }

    /// Ends a server that was started here.
    ///
    /// # Errors
    /// It does not end.
    pub async fn end(self) -> anyhow::Result<()> {
        for (_, mut process) in self.nodes.into_iter().filter_map(|node| node.started) {
            let status = process.terminate().await?;
            ensure!(status.success(), "the server ended with {status}:\n{}", process.log());
        }
        Ok(())
    }

    /// `http://127.0.0.1:PORT`, of the first node.
    pub fn base(&self) -> &str {
        self.nodes.first().map_or("", |node| &node.base)
    }

    /// The marketplace of this server.
    pub fn marketplace(&self) -> Marketplace {
        Marketplace::new(self.base(), &self.mint)
    }

    /// The same at each node.
    pub fn marketplaces(&self) -> Vec<Marketplace> {
        self.nodes.iter().map(|node| Marketplace::new(&node.base, &self.mint)).collect()
    }

    /// The processes of the nodes, as far as they are known.
    pub fn pids(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(|node| node.pid).collect()
    }

    /// The server's processor time in seconds, if its processes are known.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.nodes.iter().map(|node| machine::cpu_seconds(node.pid?).ok()).sum()
    }

    /// The same, and of what the server stands on.
    pub fn spent(&self) -> Spent {
        let server = self.cpu_seconds();
        self.beside.map_or(Spent { server, ..Spent::default() }, |beside| beside.spent(server))
    }

    /// The server's resident memory in bytes, if its processes are known.
    pub fn rss_bytes(&self) -> Option<u64> {
        self.nodes.iter().map(|node| machine::rss_bytes(node.pid?).ok()).sum()
    }
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    url.scheme() == "http" && is_loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_wins() {
        let all =
            raised(&[("socket_frames".to_owned(), "7".to_owned()), ("batch".to_owned(), "8".to_owned())]);
        let value = |name: &str| -> Vec<&str> {
            let named = all.iter().filter(|(raised, _)| raised == name);
            named.map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(value("socket_frames"), ["7"]);
        assert_eq!(value("batch"), ["8"]);
        assert_eq!(value("commands_burst"), ["1000000"]);
    }

    #[test]
    fn only_the_loopback_interface_is_loaded() {
        for good in ["http://127.0.0.1:80", "http://localhost:8080", "http://[::1]:9", "http://127.9.9.9"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "http://10.0.0.1:80",
            "http://example.org",
            "https://127.0.0.1",
            "127.0.0.1:80",
            "http://127.0.0.1.nip.io",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
