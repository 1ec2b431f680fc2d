//! How many nodes the servers of these tests have, what they stand on, and what they said to each other.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use anteroom::config::{Config, Database, Redis};
use anteroom::server::Server;
use anteroom::telemetry::Metrics;

use super::postgres::Schema;
use super::relay::Relay;

/// What the servers of these tests are, as whoever runs the tests says in `ANTEROOM_TEST_FLEET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fleet {
    /// Nothing said: one, with the embedded database.
    Embedded,
    /// `postgres`: one, on PostgreSQL.
    Postgres,
    /// `two`: two on one PostgreSQL and one Redis. People are spread over them, so that the two of a room sit on different nodes.
    Two,
    /// `deaf`: the same, and nothing that one tells the other of what was committed arrives. What is seen on the other node was found
    /// missing there, and read.
    Deaf,
}

impl Fleet {
    pub(super) fn of_this_run() -> Self {
        match std::env::var("ANTEROOM_TEST_FLEET").as_deref() {
            Err(_) => Self::Embedded,
            Ok("postgres") => Self::Postgres,
            Ok("two") => Self::Two,
            Ok("deaf") => Self::Deaf,
            Ok(other) => panic!("ANTEROOM_TEST_FLEET is {other:?}: say postgres, two or deaf"),
        }
    }

    /// The same with one node.
    pub(super) fn alone(self) -> Self {
        match self {
            Self::Embedded => Self::Embedded,
            Self::Postgres | Self::Two | Self::Deaf => Self::Postgres,
        }
    }

    pub(super) fn nodes(self) -> usize {
        match self {
            Self::Embedded | Self::Postgres => 1,
            Self::Two | Self::Deaf => 2,
        }
    }
}

/// What all nodes of a test's server stand on, also after they were started again. It goes with the last of them.
pub(super) struct Ground {
    pub(super) fleet: Fleet,
    tally: Option<Tally>,
    schema: Option<Schema>,
}

impl Ground {
    /// A fresh one.
    pub(super) fn of(fleet: Fleet) -> Self {
        let shared = || std::env::var("ANTEROOM_TEST_REDIS").expect("the Redis that the tests share");
        Self {
            schema: (fleet != Fleet::Embedded).then(Schema::fresh),
            tally: match fleet {
                Fleet::Embedded | Fleet::Postgres => None,
                Fleet::Two => Some(Tally::new(shared(), None)),
                Fleet::Deaf => Some(Tally::new(shared(), Some(Relay::start(&shared())))),
            },
            fleet,
        }
    }

    /// Tells a node what it stands on.
    pub(super) fn carry(&self, config: &mut Config) {
        if let Some(schema) = &self.schema {
            config.database = Database { url: Some(schema.url().into()), writers: 3, readers: 3 };
        }
        if let Some(Tally { redis, relay, .. }) = &self.tally {
            let (url, tick_ms) = relay.as_ref().map_or((&**redis, 300), |relay| (relay.url(), 50));
            config.redis = Redis { url: Some(url.into()), tick_ms, ..Redis::default() };
        }
    }

    /// Nodes have begun, and are waited for until each hears itself over the bus, and so the others.
    pub(super) async fn meet(&self, nodes: &[Server]) {
        let Some(tally) = &self.tally else { return };
        let hears = |text: String| {
            !text.contains("anteroom_bus_subscriptions_total 0") && text.contains("anteroom_bus_degraded 0")
        };
        for node in nodes {
            while !hears(node.app.metrics.text()) {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            tally.nodes.lock().expect("the nodes").push(node.app.metrics.clone());
        }
    }

    /// Something was committed: where nodes do not hear each other, waits until one has found that it missed something. A test that only
    /// reads may be over before.
    pub(super) async fn repaired(&self) {
        if let Some(tally @ Tally { relay: Some(_), .. }) = &self.tally {
            let found = async {
                while tally.repaired() == 0 {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            };
            super::soon("an entry that was missed", found).await;
        }
    }
}

/// Counts what nodes have heard of each other. Everything that a test on two nodes sees may as well have been found by the layers that look
/// for what was lost, and the test would be content; so whether it was heard is looked at here, when the test is over.
struct Tally {
    redis: String,
    relay: Option<Relay>,
    nodes: Mutex<Vec<Arc<Metrics>>>,
}

impl Tally {
    fn new(redis: String, relay: Option<Relay>) -> Self {
        Self { redis, relay, nodes: Mutex::new(Vec::new()) }
    }

    /// Entries that were found missing.
    fn repaired(&self) -> u64 {
        self.sum(&["anteroom_repairs_total{"])
    }

    /// The sum of the figures whose lines begin so, of all nodes.
    fn sum(&self, figures: &[&str]) -> u64 {
        let texts: Vec<String> =
            self.nodes.lock().expect("the nodes").iter().map(|metrics| metrics.text()).collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        let counted = lines.filter(|line| figures.iter().any(|figure| line.starts_with(figure)));
        counted
            .map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok()))
            .sum::<Option<u64>>()
            .expect("numbers")
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let heard = ["entries", "grown", "person"]
            .map(|outcome| format!("anteroom_bus_heard_total{{outcome=\"{outcome}\"}}"));
        let heard = self.sum(&heard.each_ref().map(|figure| &**figure));
        let repaired = self.repaired();
        let lost = self.relay.as_ref().map_or(0, Relay::lost);
        if std::thread::panicking() {
            return;
        }
        write_down(heard, lost, repaired);
        if self.relay.is_none() {
            assert!(
                repaired == 0 || heard > 0,
                "{repaired} entries were found missing, and nothing was heard"
            );
        } else if !self.nodes.lock().expect("the nodes").is_empty() {
            assert_eq!(heard, 0, "publications came through");
            assert!(
                lost > 0 && repaired > 0,
                "{lost} publications were lost and {repaired} entries repaired: this test shows nothing here"
            );
        }
    }
}

/// A line for whoever counts over all tests: publications that were heard, publications that were lost, and entries that were repaired.
fn write_down(heard: u64, lost: u64, repaired: u64) {
    let Some(path) = std::env::var_os("ANTEROOM_TEST_TALLY") else { return };
    let file = std::fs::File::options().create(true).append(true).open(path);
    // In one write, so that tests at the same time leave whole lines.
    let line = format!("{heard} {lost} {repaired}\n");
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("written down");
}
