//! Where the difference between the server and the floor goes: both are sampled while they do the same, and the samples are told apart by what
//! they are part of. A sampler sees a function and not what it is for, and what was inlined counts for whoever it was inlined into; so this is
//! a map, and no bill.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tokio::process::{Child, Command};

use super::subject::Subject;
use crate::scenario::rooms::Plan;

/// Samples a second.
const FREQUENCY: &str = "997";

/// What a part costs for one delivery, in microseconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Part {
    /// The part.
    pub name: &'static str,
    /// Of the floor.
    pub floor: f64,
    /// Of the server.
    pub server: f64,
}

/// Samples processes while they work.
pub(super) struct Watch {
    file: PathBuf,
    seconds: u64,
    sampler: Option<Child>,
}

impl Watch {
    fn new(directory: &Path, name: &str, plan: &Plan) -> Self {
        Self { file: directory.join(name), seconds: plan.duration.as_secs().max(2) - 1, sampler: None }
    }

    /// Looks at these processes from now on, until a little before the end of the talk.
    pub(super) fn look(&mut self, pids: impl IntoIterator<Item = u32>) -> anyhow::Result<()> {
        let pids: Vec<String> = pids.into_iter().map(|pid| pid.to_string()).collect();
        let mut command = Command::new("perf");
        command.args(["record", "--quiet", "-F", FREQUENCY, "-p", &pids.join(","), "-o"]).arg(&self.file);
        command.args(["--", "sleep", &self.seconds.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        self.sampler = Some(command.spawn().context("perf cannot be started")?);
        Ok(())
    }

    /// The share of each part, which are 1 together.
    async fn shares(mut self) -> anyhow::Result<BTreeMap<&'static str, f64>> {
        let ended = self.sampler.take().context("nothing was looked at")?.wait().await?;
        ensure!(ended.success(), "perf record ended with {ended}");
        let mut command = Command::new("perf");
        command.args(["report", "--stdio", "--no-children", "-g", "none", "-F", "overhead,sym", "-i"]);
        let report = command.arg(&self.file).stdin(Stdio::null()).output().await?;
        ensure!(report.status.success(), "perf report ended with {}", report.status);
        let shares = parts(&String::from_utf8_lossy(&report.stdout));
        ensure!(!shares.is_empty(), "perf saw nothing");
        Ok(shares)
    }
}

/// Lets both do the same once more, on one node, and samples them. `None`: there is no sampler on this machine.
pub(super) async fn difference(own: &Path, server: &Path, plan: &Plan) -> anyhow::Result<Option<Vec<Part>>> {
    let there = Command::new("perf").arg("--version").stdout(Stdio::null()).status().await;
    if !there.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let directory = tempfile::tempdir()?;
    let mut costs = Vec::new();
    for (name, subject) in [("floor", Subject::Floor { nodes: 1 }), ("server", Subject::Server { nodes: 1 })]
    {
        let mut watch = Watch::new(directory.path(), name, plan);
        let turn = subject.take(own, server, plan, Some(&mut watch)).await?;
        costs.push((turn.server, watch.shares().await?));
    }
    let [(floor_all, floor), (server_all, server)] = costs.as_slice() else { return Ok(None) };
    let names = floor.keys().chain(server.keys()).copied().collect::<std::collections::BTreeSet<_>>();
    let of = |shares: &BTreeMap<&str, f64>, name, all| shares.get(name).copied().unwrap_or_default() * all;
    let part =
        |name| Part { name, floor: of(floor, name, *floor_all), server: of(server, name, *server_all) };
    let mut parts: Vec<Part> = names.into_iter().map(part).collect();
    parts.sort_by(|one, other| (other.server - other.floor).total_cmp(&(one.server - one.floor)));
    Ok(Some(parts))
}

/// What a function is part of, by the first word that its name holds.
const PARTS: &[(&str, &[&str])] = &[
    ("the operating system", &["[k]"]),
    ("copies of memory", &["memcpy", "memmove", "memset", "memcmp", "bcmp"]),
    (
        "the allocator",
        &[
            "malloc",
            "_int_",
            "cfree",
            "realloc",
            "calloc",
            "__rust_",
            "unlink_chunk",
            "sysmalloc",
            "alloc::alloc",
        ],
    ),
    ("hashes of the chain", &["sha2", "sha256", "SHA256", "hmac", "digest"]),
    ("JSON", &["serde", "itoa", "zmij", "ryu", "json"]),
    ("sqlx", &["sqlx"]),
    ("the Redis client", &["redis::"]),
    ("WebSocket frames", &["tungstenite", "utf8"]),
    ("own: rules", &["anteroom::domain", "anteroom::app::rule"]),
    ("own: store", &["anteroom::store"]),
    ("own: bus", &["anteroom::bus"]),
    ("own: hub and sockets", &["anteroom::hub", "anteroom::ws", "anteroom::wire"]),
    ("own: the rest", &["anteroom"]),
    (
        "the runtime",
        &["tokio", "mio::", "parking_lot", "futures", "std::sync", "std::sys", "pthread", "core::task"],
    ),
];

fn part_of(symbol: &str) -> &'static str {
    let holds = |words: &[&str]| words.iter().any(|word| symbol.contains(word));
    PARTS.iter().find(|(_, words)| holds(words)).map_or("other", |(name, _)| *name)
}

/// Lines like `  3.21%  [.] name`.
fn parts(report: &str) -> BTreeMap<&'static str, f64> {
    let mut shares = BTreeMap::new();
    for line in report.lines() {
        if let Some((percent, symbol)) = line.trim().split_once('%')
            && let Ok(percent) = percent.parse::<f64>()
        {
            *shares.entry(part_of(symbol)).or_default() += percent;
        }
    }
    let all: f64 = shares.values().sum();
    shares.values_mut().for_each(|share| *share /= all.max(f64::MIN_POSITIVE));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_told_apart_by_what_they_are_part_of() {
        let report = "# comment\n\n    50.00%  [k] tcp_sendmsg\n    25.00%  [.] <sqlx_postgres::X as Y>::z\n\
                      \x20   15.00%  [.] anteroom::store::sql::batch::Plan::decide_all\n    10.00%  [.] 0x00001\n";
        let shares = parts(report);
        let expected = [("other", 0.1), ("own: store", 0.15), ("sqlx", 0.25), ("the operating system", 0.5)];
        for (name, share) in expected {
            assert!((shares[name] - share).abs() < 1e-9, "{name}: {shares:?}");
        }
        assert_eq!(shares.len(), expected.len());
    }
}
