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

/// A server that is ready.
#[derive(Debug)]
pub struct Target {
    base: String,
    mint: TokenMint,
    pid: Option<u32>,
    started: Option<Started>,
}

#[derive(Debug)]
struct Started {
    launcher: Launcher,
    process: ServerProcess,
    /// Removed when this is dropped, so it is dropped last.
    _data_dir: TempDir,
}

impl Target {
    /// Starts or takes the server of this choice.
    ///
    /// # Errors
    /// It does not start, or is not on this machine.
    pub async fn open(choice: &Choice) -> anyhow::Result<Self> {
        match choice {
            Choice::Start { binary, raise } => Self::start(binary, raise).await,
            Choice::Running { url, mint, pid } => {
                ensure!(
                    is_loopback(url),
                    "{url} is not on the loopback interface: this load is for this machine only"
                );
                Ok(Self { base: url.clone(), mint: mint.clone(), pid: *pid, started: None })
            }
        }
    }

    async fn start(binary: &Path, raise: &[(String, String)]) -> anyhow::Result<Self> {
        let data_dir = tempfile::Builder::new().prefix("anteroom-load-").tempdir()?;
        // Whoever loads a server has no use for being told when to come back.
        let plain = Launcher::new(binary, data_dir.path()).env("ANTEROOM_DRAIN_SECONDS", "0");
        let launcher = raise.iter().fold(plain, |launcher, (name, value)| {
            launcher.env(format!("ANTEROOM_LIMITS__{}", name.to_uppercase()), value)
        });
        let process = launcher.start().await?;
        let (base, mint, pid) = (process.base_url().to_owned(), process.mint()?, Some(process.pid()));
        Ok(Self { base, mint, pid, started: Some(Started { launcher, process, _data_dir: data_dir }) })
    }

    /// Ends a server that was started here and starts it again on the same data, so that its memory is that of a fresh
    /// process. Says whether it did.
    ///
    /// # Errors
    /// It does not end or does not start.
    pub async fn restart(&mut self) -> anyhow::Result<bool> {
        let Some(started) = &mut self.started else {
            return Ok(false);
        };
        started.process.terminate().await?;
        started.process = started.launcher.start().await.context("the second start on the same data")?;
        self.base = started.process.base_url().to_owned();
        self.pid = Some(started.process.pid());
        Ok(true)
    }

    /// Ends a server that was started here.
    ///
    /// # Errors
    /// It does not end.
    pub async fn end(self) -> anyhow::Result<()> {
        if let Some(mut started) = self.started {
            let status = started.process.terminate().await?;
            ensure!(status.success(), "the server ended with {status}:\n{}", started.process.log());
        }
        Ok(())
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The marketplace of this server.
    pub fn marketplace(&self) -> Marketplace {
        Marketplace::new(&self.base, &self.mint)
    }

    /// The server's processor time in seconds, if its process is known.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.pid.and_then(|pid| machine::cpu_seconds(pid).ok())
    }

    /// The server's resident memory in bytes, if its process is known.
    pub fn rss_bytes(&self) -> Option<u64> {
        self.pid.and_then(|pid| machine::rss_bytes(pid).ok())
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
