//! What waits to be published: bounded in bytes, and nobody waits for it.
//!
//! Everything is counted as it is given, under the lock that puts it into the queue, so that the order of the counts is the order of the
//! queue. What does not fit is counted all the same: the others see the hole. A tick takes its place behind everything it counts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anteroom_protocol::id::UserId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::body;
use super::channel::{Channel, LANES};
use super::publication::{Header, Tick};
use crate::bus::shard::{SHARDS, Shard};
use crate::bus::{NodeId, Whisper};
use crate::domain::log::Log;
use crate::failpoint::Failpoint;
use crate::store::Appended;
use crate::telemetry::Metrics;

/// What each publication takes in the queue, beside its content.
const PLACE: usize = 128;
/// Publications that are sent together …
const TOGETHER: usize = 512;
/// … and their bytes, beyond which none is added.
const BYTES_TOGETHER: usize = 1024 * 1024;

/// A publication that waits.
#[derive(Debug)]
pub(super) struct Publication {
    /// Where.
    pub(super) channel: Channel,
    /// Its header.
    pub(super) header: Vec<u8>,
    /// Its body.
    pub(super) body: Vec<u8>,
    /// Since when it waits.
    pub(super) since: Instant,
}

impl Publication {
    fn size(&self) -> usize {
        self.header.len() + self.body.len() + PLACE
    }
}

/// All that waits.
pub(super) struct Outgoing {
    node: NodeId,
    state: Mutex<State>,
    wake: Notify,
    queue_bytes: usize,
    body_bytes: usize,
    metrics: Arc<Metrics>,
}

struct State {
    shards: Box<[u64; SHARDS]>,
    lanes: [u64; LANES],
    ticks: u64,
    tick_waits: bool,
    speaks: Option<Instant>,
    waiting: VecDeque<Publication>,
    bytes: usize,
    closed: bool,
}

impl Outgoing {
    /// Nothing waits yet. At most `queue_bytes` will; a body of more than `body_bytes` is left out.
    pub(super) fn new(node: NodeId, queue_bytes: usize, body_bytes: usize, metrics: Arc<Metrics>) -> Self {
        let state = State {
            shards: Box::new([0; SHARDS]),
            lanes: [0; LANES],
            ticks: 0,
            tick_waits: false,
            speaks: None,
            waiting: VecDeque::new(),
            bytes: 0,
            closed: false,
        };
        Self { node, state: Mutex::new(state), wake: Notify::new(), queue_bytes, body_bytes, metrics }
    }

    /// Whose it is.
    pub(super) fn node(&self) -> NodeId {
        self.node
    }

    /// Entries that were committed.
    pub(super) fn entries(&self, appended: &[Appended]) {
        for run in body::runs(appended) {
            let Some(first) = run.first() else { continue };
            let shard = Shard::of(&first.entry.log);
            let mut body = body::write_entries(run);
            if body.len() > self.body_bytes {
                body = Vec::new();
            }
            self.count(shard, body, |count| body::entries_header(self.node, count, run));
        }
    }

    /// A person who has changed.
    pub(super) fn person(&self, user: &UserId) {
        let shard = Shard::of(&Log::Inbox(user.clone()));
        self.count(shard, Vec::new(), |count| Header::person(self.node, count, user.clone()));
    }

    /// Counts a publication that is never made: where it is missed, it is looked.
    pub(super) fn doubt(&self) {
        self.lock().shards[0] += 1;
    }

    /// Something that is not kept. It has room while half the bound is free.
    pub(super) fn whisper(&self, whisper: &Whisper) {
        let body = body::write_whisper(whisper);
        let Channel::Lane(lane) = Channel::lane(&whisper.log) else { return };
        let mut state = self.lock();
        let fits =
            body.len() <= self.body_bytes && (state.bytes + body.len() + PLACE) * 2 <= self.queue_bytes;
        if state.closed || !fits {
            return self.metrics.bus_sent("shed", 1);
        }
        state.lanes[lane] += 1;
        let log = Some(whisper.log.to_string());
        let header =
            Header { node: self.node, count: state.lanes[lane], log, from: None, to: None, person: None };
        state.push(Channel::Lane(lane), body::json(&header), body);
        drop(state);
        self.wake.notify_one();
    }

    /// The counts as they are, unless a tick waits already.
    pub(super) fn tick(&self, degraded: bool) {
        let mut state = self.lock();
        if !state.tick_waits && !state.closed {
            state.tick(self.node, degraded, false);
        }
        drop(state);
        self.wake.notify_one();
    }

    /// The last counts. Nothing is taken any more.
    pub(super) fn close(&self, degraded: bool) {
        let mut state = self.lock();
        state.closed = true;
        state.tick(self.node, degraded, true);
        drop(state);
        self.wake.notify_one();
    }

    /// What is next to be published, as much as is sent together; `None`: it is closed, and all is taken. Only one task may ask.
    pub(super) async fn next(&self) -> Option<Vec<Publication>> {
        loop {
            {
                let mut state = self.lock();
                let taken = state.take();
                if !taken.is_empty() {
                    return Some(taken);
                }
                if state.closed {
                    return None;
                }
            }
            self.wake.notified().await;
        }
    }

    /// Since when what is said gets out; `None`: it does not.
    pub(super) fn speaks(&self) -> Option<Instant> {
        self.lock().speaks
    }

    /// Whether what is said gets out.
    pub(super) fn set_speaks(&self, speaks: bool) {
        let mut state = self.lock();
        state.speaks = speaks.then(|| state.speaks.unwrap_or_else(Instant::now));
    }

    fn count(&self, shard: Shard, body: Vec<u8>, header: impl FnOnce(u64) -> Header) {
        let mut state = self.lock();
        let count = &mut state.shards[shard.index()];
        *count += 1;
        let header = body::json(&header(*count));
        let fits = state.bytes + header.len() + body.len() + PLACE <= self.queue_bytes;
        if state.closed || !fits || Failpoint::LosePublication.fails() {
            return self.metrics.bus_sent("dropped", 1);
        }
        state.push(Channel::Shard(shard), header, body);
        drop(state);
        self.wake.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, channel: Channel, header: Vec<u8>, body: Vec<u8>) {
        let publication = Publication { channel, header, body, since: Instant::now() };
        self.bytes += publication.size();
        self.waiting.push_back(publication);
    }

    fn tick(&mut self, node: NodeId, degraded: bool, bye: bool) {
        self.ticks += 1;
        self.tick_waits = true;
        let tick = Tick { node, count: self.ticks, counts: self.shards.to_vec(), degraded, bye };
        self.push(Channel::Tick, body::json(&tick), Vec::new());
    }

    fn take(&mut self) -> Vec<Publication> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while taken.len() < TOGETHER
            && bytes < BYTES_TOGETHER
            && let Some(publication) = self.waiting.pop_front()
        {
            bytes += publication.size();
            self.tick_waits &= publication.channel != Channel::Tick;
            taken.push(publication);
        }
        self.bytes -= bytes;
        taken
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::body::tests::appended;
    use super::*;
    use crate::bus::Word;

    fn outgoing(queue_bytes: usize, body_bytes: usize) -> Outgoing {
        let metrics = Arc::new(Metrics::default());
        Outgoing::new(NodeId(Uuid::from_u128(1)), queue_bytes, body_bytes, metrics)
    }

    fn header(publication: &Publication) -> Header {
        serde_json::from_slice(&publication.header).expect("a header")
    }

    fn tick(publication: &Publication) -> Tick {
        assert_eq!(publication.channel, Channel::Tick);
        serde_json::from_slice(&publication.header).expect("a tick")
    }

    fn whisper() -> Whisper {
        let about: UserId = "clara".parse().expect("a user id");
        Whisper { log: Log::Inbox(about.clone()), about, people: Arc::new([]), word: Word::Typing }
    }

    #[tokio::test]
    async fn publications_are_counted_by_shard_and_a_tick_stands_behind_what_it_counts() {
        let outgoing = outgoing(1_000_000, 1_000);
        outgoing.entries(&[appended(1, 5, "{}"), appended(1, 6, "{}"), appended(2, 1, "{}")]);
        outgoing.entries(&[appended(1, 7, "{}")]);
        outgoing.tick(false);
        outgoing.entries(&[appended(1, 8, "{}")]);
        outgoing.tick(false);
        let taken = outgoing.next().await.expect("publications");
        let [first, other, second, counts, third] = &taken[..] else { panic!("{taken:?}") };
        let place = |publication| {
            let Header { count, from, to, .. } = header(publication);
            (count, from, to)
        };
        assert_eq!(place(first), (1, Some(5), Some(6)));
        assert_eq!(place(other), (1, Some(1), Some(1)));
        assert_eq!(place(second), (2, Some(7), Some(7)));
        assert_eq!(place(third), (3, Some(8), Some(8)));
        let shard = Shard::of(&appended(1, 5, "").entry.log);
        assert_eq!(tick(counts).counts[shard.index()], 2);
        assert_eq!(tick(counts).counts.iter().sum::<u64>(), 3);
    }

    #[tokio::test]
    async fn what_is_too_large_goes_by_its_header_alone() {
        let outgoing = outgoing(1_000_000, 1_000);
        outgoing.entries(&[appended(1, 5, &"x".repeat(1_000))]);
        let taken = outgoing.next().await.expect("publications");
        assert!(taken[0].body.is_empty());
        assert_eq!(header(&taken[0]).to, Some(5));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_counted_and_a_tick_always_fits() {
        let outgoing = outgoing(2_000, 1_000);
        (1..=20).for_each(|seq| outgoing.entries(&[appended(1, seq, "{}")]));
        outgoing.tick(true);
        outgoing.tick(true);
        let taken = outgoing.next().await.expect("publications");
        let (last, entries) = taken.split_last().expect("some");
        assert!(entries.len() < 5, "{}", entries.len());
        assert_eq!(tick(last).counts.iter().sum::<u64>(), 20);
        assert!(tick(last).degraded);
        outgoing.entries(&[appended(1, 21, "{}")]);
        assert_eq!(header(&outgoing.next().await.expect("one more")[0]).count, 21);
    }

    #[tokio::test]
    async fn whispers_are_the_first_to_go() {
        let outgoing = outgoing(3_000, 1_000);
        (1..=20).for_each(|_| outgoing.whisper(&whisper()));
        outgoing.entries(&[appended(1, 1, "{}")]);
        let taken = outgoing.next().await.expect("publications");
        let whispers = taken.iter().filter(|it| matches!(it.channel, Channel::Lane(_))).count();
        assert!((1..10).contains(&whispers), "{whispers}");
        assert!(matches!(taken.last().map(|it| it.channel), Some(Channel::Shard(_))));
    }

    #[tokio::test]
    async fn the_last_thing_that_is_said_is_goodbye() {
        let outgoing = outgoing(1_000_000, 1_000);
        outgoing.person(&"clara".parse().expect("a user id"));
        outgoing.close(false);
        outgoing.tick(false);
        outgoing.whisper(&whisper());
        outgoing.entries(&[appended(1, 1, "{}")]);
        let taken = outgoing.next().await.expect("publications");
        assert_eq!(taken.len(), 2);
        assert!(tick(&taken[1]).bye);
        assert!(outgoing.next().await.is_none());
    }

    #[tokio::test]
    async fn not_everything_is_sent_at_once() {
        let outgoing = outgoing(100_000_000, 1_000);
        (1..=700).for_each(|seq| outgoing.entries(&[appended(1, seq, "{}")]));
        assert_eq!(outgoing.next().await.map(|taken| taken.len()), Some(TOGETHER));
        assert_eq!(outgoing.next().await.map(|taken| taken.len()), Some(700 - TOGETHER));
    }
}
