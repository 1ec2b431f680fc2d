//! The connection that listens, and nothing else.
//!
//! A subscription can be dead on a living connection, and a library that subscribes again does so when it is next asked for something, which
//! a listener never does. So this node hears what it says itself, once a second, or else connects anew: for ever, after a random time. Where what it
//! says does not even get out, it hears nothing of itself either, but then this connection is not to blame, and stays.
//!
//! Behind the stream is a queue without a bound. It is emptied at once: nothing here waits for whoever takes what was heard. Should that not
//! be fast enough, this node's own ticks come late as well, and the connection goes, with all that waits in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, Msg, RedisError};
use tokio::time::{Instant, MissedTickBehavior, error::Elapsed, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Timing;
use super::backoff::Backoff;
use super::channel::Channels;
use super::listener::Listener;
use super::outgoing::Outgoing;
use crate::telemetry::Metrics;

/// Channels that are subscribed to with one command.
const CHANNELS_AT_ONCE: usize = 64;
/// How many times between two ticks it is looked who was not heard.
const LOOKS_A_TICK: u32 = 4;

/// The task that listens.
pub(super) struct Subscriber {
    pub(super) client: Client,
    pub(super) channels: Arc<Channels>,
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) listener: Listener,
    pub(super) degraded: Arc<AtomicBool>,
    pub(super) timing: Timing,
    pub(super) metrics: Arc<Metrics>,
}

/// Why listening ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Failed(#[from] RedisError),
    #[error("redis does not answer")]
    Late(#[from] Elapsed),
    #[error("the connection was closed")]
    Closed,
    #[error("what this node says does not get out")]
    Mute,
    #[error("the connection is there, and what this node says does not come back")]
    Deaf,
}

impl Subscriber {
    /// Listens until the server goes down.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.listen()).await;
    }

    async fn listen(&mut self) {
        let Timing { retry_least, retry_most, retry_deaf_most, .. } = self.timing;
        let (mut failed, mut deaf) = (Backoff::new(retry_least), Backoff::new(retry_least));
        self.listener.degraded(true);
        loop {
            let ended = self.hear(&mut failed, &mut deaf).await;
            self.degrade(&ended);
            let wait = match ended {
                Ended::Deaf => deaf.next(self.timing.echo, retry_deaf_most, rand::random()),
                Ended::Failed(_) | Ended::Late(_) | Ended::Closed | Ended::Mute => {
                    failed.next(retry_least * 2, retry_most, rand::random())
                }
            };
            self.rest(wait).await;
        }
    }

    /// Subscribes, and hears what comes, until it ends.
    async fn hear(&mut self, failed: &mut Backoff, deaf: &mut Backoff) -> Ended {
        let (sink, mut stream) = match self.subscribe().await {
            Ok(halves) => halves,
            Err(ended) => return ended,
        };
        failed.reset();
        let subscribed = Instant::now();
        // Not to have to wait for the next one.
        self.outgoing.tick(true);
        let mut look = interval(self.timing.tick / LOOKS_A_TICK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            // Fair: neither a flood keeps this node from finding out that it is deaf, nor does that matter to what comes.
            let ended = tokio::select! {
                message = stream.next() => self.message(message, subscribed, deaf),
                _ = look.tick() => self.look(subscribed),
            };
            if let Some(ended) = ended {
                break ended;
            }
        };
        drop(sink);
        ended
    }

    async fn subscribe(&self) -> Result<(PubSubSink, PubSubStream), Ended> {
        let connection = timeout(self.timing.answer, self.client.get_async_pubsub()).await??;
        let (mut sink, stream) = connection.split();
        for names in self.channels.names().chunks(CHANNELS_AT_ONCE) {
            // Returns when each of them is confirmed.
            timeout(self.timing.answer, sink.subscribe(names)).await??;
        }
        self.metrics.bus_subscribed();
        Ok((sink, stream))
    }

    /// Something came; `None`: nothing will.
    fn message(&mut self, message: Option<Msg>, subscribed: Instant, deaf: &mut Backoff) -> Option<Ended> {
        let Some(message) = message else { return Some(Ended::Closed) };
        self.listener.message(message.get_channel_name(), message.get_payload_bytes(), Instant::now());
        let hears = self.listener.echo().is_some_and(|echo| echo >= subscribed);
        if hears && self.degraded.swap(false, Ordering::Relaxed) {
            deaf.reset();
            tracing::info!("the bus works");
            self.listener.degraded(false);
        }
        None
    }

    /// Time has passed: perhaps this node has not heard itself for too long.
    fn look(&mut self, subscribed: Instant) -> Option<Ended> {
        let now = Instant::now();
        self.listener.look(now, self.degraded.load(Ordering::Relaxed));
        let last = self.listener.echo().map_or(subscribed, |echo| echo.max(subscribed));
        let late = |since: Instant| now.saturating_duration_since(since) > self.timing.echo;
        if !late(last) {
            return None;
        }
        match self.outgoing.speaks() {
            Some(since) => late(since.max(last)).then_some(Ended::Deaf),
            None => {
                self.degrade(&Ended::Mute);
                None
            }
        }
    }

    fn degrade(&mut self, ended: &Ended) {
        if self.degraded.swap(true, Ordering::Relaxed) {
            tracing::debug!(error = %ended, "the bus still does not work");
        } else {
            tracing::warn!(error = %ended, "the bus does not work: what other nodes write comes late");
            self.listener.degraded(true);
        }
    }

    /// Waits, and goes on noticing that the others are not heard.
    async fn rest(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            sleep(left.min(self.timing.tick / LOOKS_A_TICK)).await;
            self.listener.look(Instant::now(), true);
        }
    }
}
