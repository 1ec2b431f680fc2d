//! The bus over a real Redis: what nodes hear of each other, and what they know of what they did not hear.

use std::sync::Arc;
use std::time::Duration;

use anteroom::bus::heard::{Heard, Hearing, Missed, Why};
use anteroom::bus::redis::{RedisBus, Settings, Timing, start};
use anteroom::bus::shard::Shard;
use anteroom::bus::{Bus as _, NodeId, Whisper, Word};
use anteroom::domain::log::{Log, LogEntry, Part};
use anteroom::store::Appended;
use anteroom::telemetry::Metrics;
use anteroom_load_tests::private::{PrivateRedis, RedisOptions};
use anteroom_protocol::id::{RoomId, UserId};
use anteroom_protocol::log::Hash;
use anteroom_protocol::time::Time;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::support::certificate::Certificate;
use crate::support::stranger::Stranger;

const KEY: [u8; 32] = [1; 32];
/// Longer than anything here takes, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);
/// Shards, channels for what is not kept, and the ticks'.
const CHANNELS: usize = 256 + 16 + 1;

/// The bus of one node.
struct Node {
    bus: Arc<RedisBus>,
    hearing: Hearing,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Node {
    fn start(settings: Settings, key: [u8; 32]) -> Self {
        let (metrics, tasks, shutdown) =
            (Arc::new(Metrics::new()), TaskTracker::new(), CancellationToken::new());
        let (bus, hearing) = start(settings, &key, &metrics, &tasks, &shutdown);
        Self { bus, hearing, metrics, tasks, shutdown }
    }

    /// One that hears.
    async fn ready(url: &str, key: [u8; 32]) -> Self {
        let mut node = Self::start(quick(url), key);
        node.until_degraded(false).await;
        node
    }

    async fn next(&mut self) -> Heard {
        timeout(PATIENCE, self.hearing.hear()).await.expect("something in time").expect("an open bus")
    }

    /// What comes first of what is looked for.
    async fn until<T>(&mut self, wanted: impl Fn(Heard) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.next().await) {
                return found;
            }
        }
    }

    async fn until_degraded(&mut self, degraded: bool) {
        self.until(|heard| matches!(heard, Heard::Degraded(is) if is == degraded).then_some(())).await;
    }

    async fn entries(&mut self) -> Vec<Appended> {
        self.until(|heard| {
            let Heard::Entries(entries) = heard else { return None };
            Some(entries)
        })
        .await
    }

    async fn missed(&mut self, why: Why) -> Missed {
        self.until(|heard| {
            let Heard::Missed(missed) = heard else { return None };
            (missed.why == why).then_some(missed)
        })
        .await
    }

    async fn gone(&mut self, node: NodeId) {
        self.until(|heard| matches!(heard, Heard::Gone(gone) if gone == node).then_some(())).await;
    }

    /// A figure, by its name and labels.
    fn figure(&self, name: &str) -> u64 {
        let text = self.metrics.text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or("0");
        value.parse().expect("a number")
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        timeout(PATIENCE, self.tasks.wait()).await.expect("an end");
    }
}

async fn redis() -> PrivateRedis {
    PrivateRedis::start(&RedisOptions::default()).await.expect("a redis")
}

/// Times in which a test does not have to wait.
fn quick(url: &str) -> Settings {
    let mut settings = Settings::new(url, None).expect("settings");
    settings.timing = Timing {
        tick: Duration::from_millis(50),
        echo: Duration::from_secs(2),
        silent: Duration::from_millis(800),
        gone: Duration::from_secs(3),
        searched: Duration::from_secs(10),
        answer: Duration::from_secs(1),
        retry_least: Duration::from_millis(20),
        retry_most: Duration::from_millis(200),
        retry_deaf_most: Duration::from_millis(500),
    };
    settings
}

fn person(name: &str) -> UserId {
    name.parse().expect("a user id")
}

fn entry(room: u128, seq: u64, json: &str) -> Appended {
    let entry = LogEntry {
        log: Log::Room(RoomId(Uuid::from_u128(room))),
        seq,
        kind: "message.posted".into(),
        at: Time::from_micros(1_750_000_000_000_001),
        by: Some(person("clara")),
        client_id: None,
        hash: Hash([5; 32]),
        public: Part::Whole { salt: [1; 16], json: json.into() },
        private: Some(Part::Deleted(Hash([3; 32]))),
        policy: 1,
        amended_by: None,
    };
    Appended { entry: Arc::new(entry), readers: Arc::new([person("clara"), person("felix")]) }
}

fn numbers(entries: &[Appended]) -> Vec<u64> {
    entries.iter().map(|appended| appended.entry.seq).collect()
}

#[tokio::test]
async fn nodes_hear_each_other_and_nobody_hears_itself() {
    let redis = redis().await;
    let (mut one, mut other) = (Node::ready(&redis.url(), KEY).await, Node::ready(&redis.url(), KEY).await);
    let said = [entry(1, 5, r#"{"body":"Grüße\n", "n":1.0}"#), entry(1, 6, "null")];
    one.bus.announce(&said);
    let heard = other.entries().await;
    for (said, heard) in said.iter().zip(&heard) {
        assert_eq!((&said.entry, &said.readers), (&heard.entry, &heard.readers));
    }
    one.bus.announce(&[entry(1, 7, &"x".repeat(65 * 1024))]);
    let grown = other
        .until(|heard| {
            let Heard::Grown { log, from, to } = heard else { return None };
            Some((log, from, to))
        })
        .await;
    assert_eq!(grown, (said[0].entry.log.clone(), 7, 7));
    one.bus.person_changed(&person("clara"));
    other.until(|heard| matches!(heard, Heard::Person(who) if who == person("clara")).then_some(())).await;
    let log = said[0].entry.log.clone();
    let whisper =
        Whisper { log, about: person("clara"), people: Arc::new([person("felix")]), word: Word::Typing };
    one.bus.whisper(&whisper);
    let heard = other
        .until(|heard| {
            let Heard::Whisper { from, whisper } = heard else { return None };
            Some((from, whisper))
        })
        .await;
    assert_eq!(heard, (one.bus.node(), whisper));
    // The first entries that this node hears are the other's.
    other.bus.announce(&[entry(9, 1, "{}")]);
    assert_eq!(numbers(&one.entries().await), [1]);
}

#[tokio::test]
async fn a_redis_that_was_killed_is_found_again_by_itself() {
    let mut redis = redis().await;
    let (mut one, mut other) = (Node::ready(&redis.url(), KEY).await, Node::ready(&redis.url(), KEY).await);
    let killed = Instant::now();
    redis.kill().await.expect("killed");
    for node in [&mut one, &mut other] {
        node.until_degraded(true).await;
        assert!(killed.elapsed() < Duration::from_secs(2), "{:?}", killed.elapsed());
        assert_eq!(node.figure("anteroom_bus_degraded"), 1);
    }
    redis.restart().await.expect("a redis");
    for node in [&mut one, &mut other] {
        node.until_degraded(false).await;
        assert_eq!(node.figure("anteroom_bus_degraded"), 0);
        assert!(node.figure("anteroom_bus_subscriptions_total") >= 2);
    }
    let mut stranger = Stranger::come(&redis).await;
    let channels: Vec<String> = stranger.ask(&["PUBSUB", "CHANNELS", "anteroom:*"]).await;
    assert_eq!(channels.len(), CHANNELS);
    let words: Vec<&str> =
        ["PUBSUB", "NUMSUB"].into_iter().chain(channels.iter().map(String::as_str)).collect();
    let listeners: std::collections::HashMap<String, u64> = stranger.ask(&words).await;
    assert!(listeners.values().all(|listeners| *listeners == 2), "{listeners:?}");
    one.bus.announce(&[entry(1, 1, "{}")]);
    assert_eq!(numbers(&other.entries().await), [1]);
}

#[tokio::test]
async fn a_node_starts_without_redis_and_joins_the_others_later() {
    let mut redis = redis().await;
    redis.stop().await.expect("stopped");
    let mut node = Node::start(quick(&redis.url()), KEY);
    assert!(matches!(node.next().await, Heard::Degraded(true)));
    node.bus.announce(&[entry(1, 1, "{}")]);
    redis.restart().await.expect("a redis");
    assert!(matches!(node.next().await, Heard::Degraded(false)));
}

#[tokio::test]
async fn a_publication_that_was_dropped_is_missed_by_the_next_tick() {
    let redis = redis().await;
    let mut settings = quick(&redis.url());
    settings.queue_bytes = 1;
    let mut narrow = Node::start(settings, KEY);
    narrow.until_degraded(false).await;
    let mut other = Node::ready(&redis.url(), KEY).await;
    other.until(|heard| matches!(heard, Heard::Came(_)).then_some(())).await;
    let appended = entry(1, 1, "{}");
    narrow.bus.announce(std::slice::from_ref(&appended));
    let missed = other.missed(Why::Hole).await;
    assert!(missed.shards.contains(Shard::of(&appended.entry.log)));
    assert_eq!(missed.shards.len(), 1);
    assert_eq!(narrow.figure(r#"anteroom_bus_publications_total{outcome="dropped"}"#), 1);
    assert_eq!(other.figure(r#"anteroom_bus_missed_total{reason="hole"}"#), 1);
}

#[tokio::test]
async fn a_node_that_does_not_know_what_it_has_committed_has_the_others_look() {
    let redis = redis().await;
    let (one, mut other) = (Node::ready(&redis.url(), KEY).await, Node::ready(&redis.url(), KEY).await);
    one.bus.doubt();
    other.missed(Why::Hole).await;
}

#[tokio::test]
async fn whoever_can_write_to_redis_cannot_speak() {
    let redis = redis().await;
    let (one, mut other) = (Node::ready(&redis.url(), KEY).await, Node::ready(&redis.url(), KEY).await);
    let mut stranger = Stranger::come(&redis).await;
    one.bus.announce(&[entry(1, 1, "{}")]);
    assert_eq!(numbers(&other.entries().await), [1]);
    let (channel, bytes) = stranger.overhear().await;
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    // A code, a version and words that were never said; half of it; nothing; and what was said before.
    for forged in [changed(1), changed(0), changed(bytes.len() - 3), bytes[..40].to_vec(), Vec::new()] {
        stranger.publish(&channel, &forged).await;
    }
    stranger.publish(&channel, &bytes).await;
    let elsewhere = channel.replace(":ev:", ":ep:")[..channel.len() - 3].to_owned() + "00";
    stranger.publish(&elsewhere, &bytes).await;
    // What this node says comes behind all that: the next entries that are heard are its own.
    one.bus.announce(&[entry(1, 2, "{}")]);
    let (mut said, mut missed) = (false, false);
    while !(said && missed) {
        let heard = other.next().await;
        assert!(matches!(heard, Heard::Entries(_) | Heard::Missed(_) | Heard::Came(_)), "{heard:?}");
        if let Heard::Entries(entries) = &heard {
            assert_eq!(numbers(entries), [2]);
            said = true;
        } else if let Heard::Missed(Missed { why: Why::Forged, shards }) = heard {
            missed |= shards.contains(Shard::of(&entry(1, 1, "{}").entry.log));
        }
    }
    assert_eq!(other.figure(r#"anteroom_bus_heard_total{outcome="forged"}"#), 6);
    assert_eq!(other.figure(r#"anteroom_bus_heard_total{outcome="repeated"}"#), 1);
    assert_eq!(other.figure(r#"anteroom_bus_heard_total{outcome="entries"}"#), 2);
}

#[tokio::test]
async fn databases_that_share_a_redis_do_not_hear_each_other() {
    let redis = redis().await;
    let (ours, theirs) = ([1; 32], [2; 32]);
    let (one, mut two) = (Node::ready(&redis.url(), ours).await, Node::ready(&redis.url(), ours).await);
    let (three, mut four) =
        (Node::ready(&redis.url(), theirs).await, Node::ready(&redis.url(), theirs).await);
    one.bus.announce(&[entry(1, 1, "{}")]);
    assert_eq!(numbers(&two.entries().await), [1]);
    three.bus.announce(&[entry(1, 2, "{}")]);
    assert_eq!(numbers(&four.entries().await), [2]);
    assert_eq!(four.figure(r#"anteroom_bus_heard_total{outcome="forged"}"#), 0);
    let mut stranger = Stranger::come(&redis).await;
    let channels: Vec<String> = stranger.ask(&["PUBSUB", "CHANNELS", "anteroom:*"]).await;
    assert_eq!(channels.len(), 2 * CHANNELS);
}

#[tokio::test]
async fn nobody_waits_for_a_redis_that_stands_still() {
    let redis = redis().await;
    let (mut one, mut other) = (Node::ready(&redis.url(), KEY).await, Node::ready(&redis.url(), KEY).await);
    redis.pause().await.expect("paused");
    let started = Instant::now();
    for seq in 1..=20_000 {
        one.bus.announce(&[entry(
            1,
            seq,
            r#"{"body":"a message of some length, so that the queue is full"}"#,
        )]);
    }
    // Some tens of microseconds each in a debug build, and nothing for Redis.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(one.figure(r#"anteroom_bus_publications_total{outcome="dropped"}"#) > 0);
    one.until_degraded(true).await;
    other.until_degraded(true).await;
    redis.resume().expect("resumed");
    one.until_degraded(false).await;
    let missed = other.missed(Why::Hole).await;
    assert!(missed.shards.contains(Shard::of(&entry(1, 1, "{}").entry.log)));
}

#[tokio::test]
async fn a_password_is_needed_and_never_told() {
    let options = RedisOptions::default().password("hush-hush");
    let redis = PrivateRedis::start(&options).await.expect("a redis");
    drop(Node::ready(&redis.url(), KEY).await);
    let mut stranger = Node::start(quick(&format!("redis://127.0.0.1:{}/", redis.port())), KEY);
    assert!(matches!(stranger.next().await, Heard::Degraded(true)));
    assert!(
        timeout(Duration::from_secs(1), stranger.hearing.hear()).await.is_err(),
        "heard without a password"
    );
    let error = Settings::new("redis://:hush-hush@[::1/", None).err().expect("no URL").to_string();
    assert!(!error.contains("hush"), "{error}");
}

#[tokio::test]
async fn a_redis_with_tls_is_believed_by_its_certificate() {
    let certificate = Certificate::new();
    let file = |name| certificate.file(name).expect("a file").to_string_lossy().into_owned();
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    let options = RedisOptions::default()
        .setting("tls-port", port.to_string())
        .setting("tls-cert-file", file("cert.pem"))
        .setting("tls-key-file", file("key.pem"))
        .setting("tls-ca-cert-file", file("cert.pem"))
        .setting("tls-auth-clients", "no");
    let redis = PrivateRedis::start(&options).await.expect("a redis that knows TLS");
    let url = format!("rediss://localhost:{port}/");
    let ca = std::fs::read(file("cert.pem")).expect("a certificate");
    let mut trusting = Settings::new(&url, Some(&ca)).expect("settings");
    trusting.timing = quick(&url).timing;
    let mut node = Node::start(trusting, KEY);
    node.until_degraded(false).await;
    let mut other = Node::ready(&redis.url(), KEY).await;
    node.bus.announce(&[entry(1, 1, "{}")]);
    assert_eq!(numbers(&other.entries().await), [1]);
    let mut careful = Node::start(quick(&url), KEY);
    assert!(matches!(careful.next().await, Heard::Degraded(true)));
    assert!(timeout(Duration::from_secs(1), careful.hearing.hear()).await.is_err(), "an unknown certificate");
}

/// The connection that listens was taken for dead, too, and the longer nothing could be said, the later it came back.
#[tokio::test]
async fn a_redis_that_refuses_to_publish_is_noticed_by_all() {
    let redis = redis().await;
    let (mut one, mut other) = (Node::ready(&redis.url(), KEY).await, Node::ready(&redis.url(), KEY).await);
    let mut stranger = Stranger::come(&redis).await;
    let _: String = stranger.ask(&["ACL", "SETUSER", "default", "-publish"]).await;
    one.bus.announce(&[entry(1, 1, "{}")]);
    one.until_degraded(true).await;
    assert!(one.figure(r#"anteroom_bus_publications_total{outcome="failed"}"#) > 0);
    let _: String = stranger.ask(&["ACL", "SETUSER", "default", "+publish"]).await;
    one.until_degraded(false).await;
    assert_eq!(one.figure("anteroom_bus_subscriptions_total"), 1, "the connection that listens has stayed");
    assert!(other.missed(Why::Hole).await.shards.contains(Shard::of(&entry(1, 1, "{}").entry.log)));
}

#[tokio::test]
async fn a_node_that_goes_says_so_and_one_that_dies_is_missed() {
    let redis = redis().await;
    let mut watcher = Node::ready(&redis.url(), KEY).await;
    let leaving = Node::ready(&redis.url(), KEY).await;
    let node = leaving.bus.node();
    watcher.until(|heard| matches!(heard, Heard::Came(came) if came == node).then_some(())).await;
    // What is given before it goes still goes out.
    leaving.bus.announce(&[entry(1, 1, "{}")]);
    leaving.stop().await;
    assert_eq!(numbers(&watcher.entries().await), [1]);
    watcher.gone(node).await;

    let url = redis.url();
    let (life, dying) = std::thread::spawn(move || {
        let life = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let node = life.block_on(Node::ready(&url, KEY));
        (life, node)
    })
    .join()
    .expect("a node");
    let node = dying.bus.node();
    watcher.until(|heard| matches!(heard, Heard::Came(came) if came == node).then_some(())).await;
    life.shutdown_background();
    watcher.missed(Why::Silent).await;
    watcher.gone(node).await;
}
