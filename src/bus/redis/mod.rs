//! The bus over Redis pub/sub, with one primary.
//!
//! Redis holds nothing. It may be empty, away, stopped or somebody else's: commits and acknowledgements go on, and what was lost is known.
//! One connection publishes, another one only listens. This module alone knows Redis; it is all that would change for sharded pub/sub on
//! a cluster.

mod backoff;
mod body;
mod channel;
mod listener;
mod outgoing;
mod peers;
mod publication;
mod publisher;
mod subscriber;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anteroom_protocol::id::UserId;
use redis::io::tcp::TcpSettings;
use redis::{Client, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::channel::Channels;
use self::listener::Listener;
use self::outgoing::Outgoing;
use self::publisher::Publisher;
use self::subscriber::Subscriber;
use super::heard::{self, Hearing};
use super::{Bus, NodeId, Whisper};
use crate::store::Appended;
use crate::telemetry::Metrics;

/// How the bus is set up.
#[derive(Clone)]
pub struct Settings {
    client: Client,
    /// Bytes that wait to be published; at the bound, a publication is dropped, and the others look into the database.
    pub queue_bytes: usize,
    /// Bytes that were heard and wait to be taken; at the bound, this node looks into the database.
    pub heard_bytes: usize,
    /// Bytes of entries in one publication; beyond, the others are told only that the log has grown.
    pub body_bytes: usize,
    /// Times.
    pub timing: Timing,
}

/// The times of the bus. All nodes should have the same.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How often a node tells its counts.
    pub tick: Duration,
    /// After how long without hearing its own tick a node takes its subscription for dead.
    pub echo: Duration,
    /// After how long without its ticks a node may have died between a commit and its publication.
    pub silent: Duration,
    /// After how long without a word a node has gone.
    pub gone: Duration,
    /// How long it is looked for what a node may have committed that is silent and has not taken its leave.
    pub searched: Duration,
    /// How long connecting may take, and how long Redis may take to answer.
    pub answer: Duration,
    /// The shortest wait before connecting again …
    pub retry_least: Duration,
    /// … the longest one after a connection that failed …
    pub retry_most: Duration,
    /// … and after one that was there and told nothing.
    pub retry_deaf_most: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
            echo: Duration::from_secs(2),
            silent: Duration::from_secs(3),
            gone: Duration::from_secs(30),
            searched: Duration::from_secs(600),
            answer: Duration::from_secs(2),
            retry_least: Duration::from_millis(100),
            retry_most: Duration::from_secs(5),
            retry_deaf_most: Duration::from_secs(20),
        }
    }
}

/// Why there can be no bus. The text holds neither the URL nor the password.
#[derive(Debug, thiserror::Error)]
#[error("redis: {0}")]
pub struct UnusableRedis(String);

impl Settings {
    /// A bus over the Redis of this URL: `redis://` or, with TLS, `rediss://`. `ca` is a PEM text with the certificates to trust instead of
    /// the machine's.
    ///
    /// # Errors
    /// The URL or the certificates cannot be read. Whether there is a Redis is not asked.
    pub fn new(url: &str, ca: Option<&[u8]>) -> Result<Self, UnusableRedis> {
        let unusable = |error: redis::RedisError| UnusableRedis(error.to_string());
        // A publication is small and waits for nobody: not for a second one to fill a segment either, which is this library's default.
        let settings = TcpSettings::default().set_nodelay(true);
        let info: ConnectionInfo = url.into_connection_info().map_err(unusable)?.set_tcp_settings(settings);
        let client = match ca {
            Some(ca) => {
                let certificates = TlsCertificates { client_tls: None, root_cert: Some(ca.to_vec()) };
                Client::build_with_tls(info, certificates)
            }
            None => Client::open(info),
        };
        Ok(Self {
            client: client.map_err(unusable)?,
            queue_bytes: 8 * 1024 * 1024,
            heard_bytes: 32 * 1024 * 1024,
            body_bytes: 64 * 1024,
            timing: Timing::default(),
        })
    }
}

/// The bus over Redis.
pub struct RedisBus {
    outgoing: Arc<Outgoing>,
}

impl Bus for RedisBus {
    fn announce(&self, appended: &[Appended]) {
        self.outgoing.entries(appended);
    }

    fn person_changed(&self, user: &UserId) {
        self.outgoing.person(user);
    }

    fn doubt(&self) {
        self.outgoing.doubt();
    }

    fn whisper(&self, whisper: &Whisper) {
        self.outgoing.whisper(whisper);
    }
}

impl RedisBus {
    /// This node's name on the bus.
    pub fn node(&self) -> NodeId {
        self.outgoing.node()
    }
}

/// Starts the bus of the database that keeps this key, also while there is no Redis. It ends with `shutdown`, which is to be given after the
/// last commit was announced: then it takes its leave of the others, and its tasks end soon, whatever Redis does. What is announced after that is
/// told to nobody.
pub fn start(
    settings: Settings,
    key: &[u8; 32],
    metrics: &Arc<Metrics>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> (Arc<RedisBus>, Hearing) {
    let Settings { client, queue_bytes, heard_bytes, body_bytes, timing } = settings;
    let node = NodeId(Uuid::new_v4());
    let channels = Arc::new(Channels::new(key));
    let outgoing = Arc::new(Outgoing::new(node, queue_bytes, body_bytes, metrics.clone()));
    let degraded = Arc::new(AtomicBool::new(true));
    let (teller, hearing) = heard::queue(heard_bytes);
    let listener = Listener::new(node, channels.clone(), teller, timing, metrics.clone());
    let publisher = Publisher {
        client: client.clone(),
        channels: channels.clone(),
        outgoing: outgoing.clone(),
        timing,
        metrics: metrics.clone(),
    };
    let subscriber = Subscriber {
        client,
        channels,
        outgoing: outgoing.clone(),
        listener,
        degraded: degraded.clone(),
        timing,
        metrics: metrics.clone(),
    };
    tasks.spawn(publisher.run(shutdown.clone()));
    tasks.spawn(subscriber.run(shutdown.clone()));
    tasks.spawn(tick(outgoing.clone(), degraded, timing.tick, shutdown.clone()));
    (Arc::new(RedisBus { outgoing }), hearing)
}

/// Tells this node's counts again and again, and at last that it goes.
async fn tick(
    outgoing: Arc<Outgoing>,
    degraded: Arc<AtomicBool>,
    every: Duration,
    shutdown: CancellationToken,
) {
    let ticks = async {
        loop {
            sleep(every).await;
            outgoing.tick(degraded.load(Ordering::Relaxed));
        }
    };
    if shutdown.run_until_cancelled(ticks).await.is_none() {
        outgoing.close(degraded.load(Ordering::Relaxed));
    }
}
