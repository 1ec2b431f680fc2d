//! Many rooms of two, a bounded number of posts in flight over all of them (closed loop): correctness first, then speed.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anteroom_protocol::limits;
use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;

use super::pair::{Pair, TURN, Timing};
use super::target::Target;
use super::{Random, fresh_name, judged};
use crate::history::record::{Run, What};
use crate::history::recorder::Recorder;
use crate::history::verdict::Verdict;
use crate::machine;

/// Posts after which a run ends even before its time: what is kept of each for the check has to fit into memory.
const MOST_POSTS: u64 = 1_000_000;

/// Connections and readings under way at a time.
const AT_ONCE: usize = 32;

/// How much load, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rooms of two.
    pub rooms: usize,
    /// How long posts are sent.
    pub duration: Duration,
    /// Posts on their way at a time, over all rooms.
    pub in_flight: usize,
    /// Bytes of each body.
    pub body_bytes: usize,
    /// Makes the bodies and keys.
    pub seed: u64,
}

impl Plan {
    /// How many rooms send at a time, and how many posts each of them sends at once.
    fn spread(&self) -> (usize, usize) {
        let burst = (self.in_flight / self.rooms).clamp(1, limits::COMMANDS_IN_FLIGHT);
        (self.in_flight.min(self.rooms), burst)
    }

    /// What the history says of itself. Times never fail a load: only what did not come at all is late.
    fn header(&self) -> Run {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Run {
            scenario: Some("steady-rooms".to_owned()),
            seed: Some(self.seed),
            plan: None,
            faults: false,
            bound_ms: u64::try_from(TURN.as_millis()).ok(),
            versions: BTreeMap::from([("anteroom-load-tests".to_owned(), version)]),
        }
    }
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct RoomsResult {
    /// Rooms, each with two sockets.
    pub rooms: usize,
    /// Posts that were on their way at a time.
    pub in_flight: usize,
    /// Bytes of each body.
    pub body_bytes: usize,
    /// How long it took to open the rooms and connect, in seconds.
    pub setup_seconds: f64,
    /// How long posts were sent, in seconds.
    pub seconds: f64,
    /// Whether it ended before its time, at the most posts that are kept for the check.
    pub ended_early: bool,
    /// Posts sent.
    pub sent: u64,
    /// Error answers by code.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Turns in which something did not come within 10 s.
    pub overdue: u64,
    /// Entries that arrived at the other seat.
    pub deliveries: u64,
    /// Acknowledged posts a second.
    pub sends_per_second: f64,
    /// Deliveries a second.
    pub deliveries_per_second: f64,
    /// From sending to the acknowledgement.
    pub ack: Latency,
    /// From sending to the arrival at the other seat.
    pub delivery: Latency,
    /// Processor time of the server for 1,000 acknowledged posts, in seconds, if its process is known.
    pub server_cpu_per_1000: Option<f64>,
    /// The same of PostgreSQL.
    pub postgres_cpu_per_1000: Option<f64>,
    /// The same of Redis.
    pub redis_cpu_per_1000: Option<f64>,
    /// The same of this client.
    pub client_cpu_per_1000: Option<f64>,
    /// What the history of the run says.
    pub history: Verdict,
    /// Sockets that failed under way, in words.
    pub broken: Vec<String>,
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// Half of them were at most this.
    pub p50: f64,
    /// All but one of a hundred were at most this.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Latency {
    fn of(micros: &Histogram<u64>) -> Self {
        let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1_000.0;
        let at = |quantile| ms(micros.value_at_quantile(quantile));
        Self { p50: at(0.5), p99: at(0.99), max: ms(micros.max()) }
    }
}

impl RoomsResult {
    /// Everything that makes this run a failure, in words.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::from_iter(self.history.failure());
        if !self.broken.is_empty() {
            failures.push(format!("{} rooms lost a socket", self.broken.len()));
        }
        failures
    }
}

/// Puts the load on the server and judges what came of it; `keep` is where its logs go.
///
/// # Errors
/// The rooms could not be opened or read, or the logs not written.
pub async fn run(target: &Target, plan: &Plan, keep: Option<&Path>) -> anyhow::Result<RoomsResult> {
    run_from(target, plan, keep, || Ok(())).await
}

/// The same; `begun` is called when the rooms are open and the posts begin.
pub(super) async fn run_from(
    target: &Target,
    plan: &Plan,
    keep: Option<&Path>,
    begun: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<RoomsResult> {
    let recorder = Recorder::new();
    recorder.loose().note(0, What::Run(Box::new(plan.header())));
    let began = Instant::now();
    let pairs = connect(target, plan, &recorder).await.context("opening the rooms")?;
    let setup_seconds = began.elapsed().as_secs_f64();
    begun()?;
    let own = || machine::cpu_seconds(std::process::id()).ok();
    let (began, before, client) = (Instant::now(), target.spent(), own());
    let sent = send(pairs, plan).await?;
    let (elapsed, spent, client) = (began.elapsed(), target.spent().since(&before), own().zip(client));
    let load = drain(sent, plan.rooms).await;
    let broken = read(load.pairs).await.context("reading the rooms afresh")?;
    let history = judged(&recorder.logs(), keep)?;
    let (timing, acknowledged) = (load.timing, history.counts.ok);
    let (senders, burst) = plan.spread();
    let per_1000 = |seconds: f64| seconds * 1_000.0 / count(acknowledged.max(1));
    Ok(RoomsResult {
        rooms: plan.rooms,
        in_flight: senders * burst,
        body_bytes: plan.body_bytes,
        setup_seconds,
        seconds: elapsed.as_secs_f64(),
        ended_early: timing.sent >= MOST_POSTS,
        sent: timing.sent,
        refusals: timing.refusals,
        overdue: timing.overdue,
        deliveries: timing.deliveries,
        sends_per_second: count(acknowledged) / elapsed.as_secs_f64(),
        deliveries_per_second: count(timing.deliveries) / elapsed.as_secs_f64(),
        ack: Latency::of(&timing.ack),
        delivery: Latency::of(&timing.delivery),
        server_cpu_per_1000: spent.server.map(per_1000),
        postgres_cpu_per_1000: spent.postgres.map(per_1000),
        redis_cpu_per_1000: spent.redis.map(per_1000),
        client_cpu_per_1000: client.map(|(after, before)| per_1000(after - before)),
        history,
        broken,
    })
}

async fn connect(target: &Target, plan: &Plan, recorder: &Recorder) -> anyhow::Result<Vec<Pair>> {
    let nodes = target.marketplaces();
    let rooms = target.marketplace().open_rooms(plan.rooms, &fresh_name()).await?;
    let mut random = Random(plan.seed);
    let seeded: Vec<_> = rooms.iter().enumerate().map(|(at, room)| (at, room, random.next())).collect();
    let nodes = &nodes;
    stream::iter(seeded)
        .map(|(at, room, seed)| {
            // Where there are several nodes, the two of a room are at different ones.
            let at = [at % nodes.len(), (at + 1) % nodes.len()].map(|at| &nodes[at]);
            Pair::connect(at, room, plan.body_bytes, seed, recorder)
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

struct Load {
    pairs: Vec<Pair>,
    timing: Timing,
}

impl Load {
    fn new() -> Self {
        Self { pairs: Vec::new(), timing: Timing::new() }
    }

    fn add(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.timing.add(other.timing);
    }
}

/// One task for each post in flight. Each has rooms of its own, in which it posts in turn.
async fn send(pairs: Vec<Pair>, plan: &Plan) -> anyhow::Result<Load> {
    let (senders, burst) = plan.spread();
    let mut shares: Vec<Vec<Pair>> = (0..senders).map(|_| Vec::new()).collect();
    for (number, pair) in pairs.into_iter().enumerate() {
        shares[number % senders].push(pair);
    }
    let ends = Instant::now() + plan.duration;
    let posts = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for share in shares {
        tasks.spawn(send_in_turn(share, burst, ends, Arc::clone(&posts)));
    }
    let mut load = Load::new();
    while let Some(share) = tasks.join_next().await {
        load.add(share.context("a sender failed")?);
    }
    Ok(load)
}

async fn send_in_turn(pairs: Vec<Pair>, burst: usize, ends: Instant, posts: Arc<AtomicU64>) -> Load {
    let mut load = Load::new();
    let mut working = VecDeque::from(pairs);
    while let Some(mut pair) = working.pop_front() {
        let enough = posts.fetch_add(burst as u64, Ordering::Relaxed) >= MOST_POSTS;
        if enough || Instant::now() >= ends {
            load.pairs.push(pair);
            load.pairs.extend(working);
            return load;
        }
        match pair.turn(burst, &mut load.timing).await {
            Ok(()) => working.push_back(pair),
            Err(error) => {
                pair.broken = Some(error.to_string());
                load.pairs.push(pair);
            }
        }
    }
    load
}

/// Reads what is still on its way to all seats, at once: a server that hangs costs one time-out, not one for each room.
async fn drain(sent: Load, at_once: usize) -> Load {
    let (intact, broken): (Vec<Pair>, Vec<Pair>) =
        sent.pairs.into_iter().partition(|pair| pair.broken.is_none());
    let mut load = Load { pairs: broken, timing: sent.timing };
    let mut drained = stream::iter(intact)
        .map(|mut pair| async move {
            let mut timing = Timing::new();
            pair.broken = pair.drain(&mut timing).await.err().map(|error| error.to_string());
            Load { pairs: vec![pair], timing }
        })
        .buffer_unordered(at_once);
    while let Some(one) = drained.next().await {
        load.add(one);
    }
    load
}

/// Reads every room afresh; returns what broke under way, in words.
async fn read(pairs: Vec<Pair>) -> anyhow::Result<Vec<String>> {
    let mut read = stream::iter(pairs)
        .map(|pair| async move {
            let (name, broken) = (pair.name(), pair.broken.clone());
            (name, broken, pair.finish().await)
        })
        .buffer_unordered(AT_ONCE);
    let mut all = Vec::new();
    while let Some((name, broken, result)) = read.next().await {
        result.with_context(|| name.clone())?;
        all.extend(broken.map(|problem| format!("{name}: {problem}")));
    }
    Ok(all)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_in_flight_are_spread_over_the_rooms_before_one_room_gets_two() {
        let spread = |rooms, in_flight| {
            let duration = Duration::from_secs(1);
            Plan { rooms, duration, in_flight, body_bytes: 200, seed: 1 }.spread()
        };
        assert_eq!(spread(500, 64), (64, 1));
        assert_eq!(spread(64, 64), (64, 1));
        assert_eq!(spread(8, 64), (8, 8));
        assert_eq!(spread(1, 1_000), (1, limits::COMMANDS_IN_FLIGHT));
        assert_eq!(spread(10, 1), (1, 1));
    }
}
