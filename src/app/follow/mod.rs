//! Following the other nodes: what they commit is offered to the sockets here, and what was lost on its way is found and read.
//!
//! The bus is a hint, so seven layers look after each other. Here are the first six; the last is a socket that says how far it is (`ping`).
//!
//! | layer | what is noticed | by what |
//! |---|---|---|
//! | ahead | an entry came before the one before it | its number |
//! | hole | a node has counted more than has come | the counters of the bus |
//! | silent | a node fell silent, perhaps between a commit and its publication | its ticks |
//! | doubt | a commit of this node of which nobody knows whether it was done | the store |
//! | degraded | this node hears nothing | its own ticks, which come back |
//! | audit | anything else | a look back every half minute |
//!
//! Where a node doubts, nobody is there to tell of the entry: it has the others look as well.
//!
//! All but the first have one cure: a look back at what was written since the last look. It reads as much as was written, and not as much as
//! there is, and what was offered already is not offered again.

mod eyes;
pub mod pulse;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::id::UserId;
use anteroom_protocol::server::ServerFrame;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::bus::heard::{Heard, Hearing, Why};
use crate::bus::{NodeId, Whisper, Word};
use crate::domain::log::Log;
use crate::hub::outbox::News;
use crate::store::{Appended, Grown, Position, Reach, Store, StoreError};
use crate::telemetry::Metrics;

use self::eyes::Eyes;
use self::pulse::Pulse;
use super::marker::receipt;
use super::telling::Telling;

/// How long an entry that is ahead waits for the one before it: two nodes may commit one after the other and publish the other way round.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a node goes on looking after a commit of which it does not know whether it was done: until it was, or never will be.
const DOUBT: Duration = Duration::from_secs(10);
/// Entries that may wait for those before them, over all logs. Beyond that, they are read.
const HELD: usize = 4_096;

/// How often it is looked back.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// While the other nodes are heard.
    pub healthy: Duration,
    /// While they are not.
    pub degraded: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { healthy: Duration::from_secs(30), degraded: Duration::from_secs(1) }
    }
}

/// A look that is under way.
type Look = JoinHandle<Result<Position, StoreError>>;

/// What noticed that something was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A number ahead of what came before.
    Ahead,
    /// A look back that nothing had asked for.
    Audit,
    /// A look back while, or after, this node heard nothing.
    Degraded,
    /// A commit of this node whose outcome is unknown.
    Doubt,
    /// A node that fell silent.
    Silent,
    /// A counter that was ahead.
    Hole,
}

impl Layer {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Hole => "hole",
            Self::Silent => "silent",
            Self::Degraded => "degraded",
            Self::Doubt => "doubt",
            Self::Audit => "audit",
        }
    }
}

/// The task that follows.
pub struct Follower {
    eyes: Arc<Eyes>,
    pulse: Arc<Pulse>,
    pace: Pace,
    since: Option<Position>,
    degraded: bool,
    /// Until when it may turn out that something was committed.
    doubts_until: Option<Instant>,
    looking: Option<(Layer, Look)>,
    next: Instant,
    /// A look that was asked for, and by what.
    asked: Option<Layer>,
    held: HashMap<Log, Held>,
}

/// Entries of one log that are ahead.
struct Held {
    entries: Vec<Appended>,
    until: Instant,
}

impl Follower {
    /// One that begins now: what was written before is for those who join to read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn begin(
        store: Arc<dyn Store>,
        telling: Arc<Telling>,
        metrics: Arc<Metrics>,
        pace: Pace,
    ) -> Result<Self, StoreError> {
        let since = Some(store.look_back(None, &[]).await?.position);
        let eyes = Arc::new(Eyes::new(store, telling, metrics));
        let next = Instant::now() + pace.healthy;
        let (degraded, doubts_until, looking, asked) = (false, None, None, None);
        let (pulse, held) = (Arc::new(Pulse::new(next)), HashMap::new());
        Ok(Self { eyes, pulse, pace, since, degraded, doubts_until, looking, next, asked, held })
    }

    /// Whether entries get through.
    pub fn pulse(&self) -> Arc<Pulse> {
        self.pulse.clone()
    }

    /// Follows, for ever.
    pub async fn follow(mut self, mut hearing: Hearing) {
        let mut is_open = true;
        let eyes = self.eyes.clone();
        let mut doubted = eyes.store.until_doubt();
        loop {
            let waits = self.held.values().map(|held| held.until).min();
            tokio::select! {
                heard = hearing.hear(), if is_open => match heard {
                    Some(heard) => self.on(heard),
                    None => is_open = false,
                },
                () = &mut doubted => {
                    doubted = eyes.store.until_doubt();
                    self.doubt();
                }
                done = ended(&mut self.looking), if self.looking.is_some() => self.looked(done),
                () = sleep_until(self.next), if self.looking.is_none() => self.look(),
                () = sleep_until(waits.unwrap_or(self.next)), if waits.is_some() => self.release(),
            }
        }
    }

    fn on(&mut self, heard: Heard) {
        match heard {
            Heard::Entries(entries) => self.on_entries(entries),
            Heard::Grown { log, from, to } => drop(self.read(Grown { log, from, to }, None)),
            Heard::Person(user) => self.eyes.hub().person_changed(&user),
            Heard::Whisper { from, whisper } => self.on_whisper(from, &whisper),
            Heard::Missed(missed) => self.ask(match missed.why {
                Why::Hole | Why::Overflow | Why::Forged => Layer::Hole,
                Why::Silent => Layer::Silent,
            }),
            Heard::Degraded(degraded) => self.on_degraded(degraded),
            Heard::Came(node) => tracing::info!(%node, "another node is heard"),
            Heard::Gone(node) => {
                tracing::info!(%node, "another node is gone");
                self.eyes.hub().node_gone(node.0.as_u128());
            }
        }
    }

    fn on_degraded(&mut self, degraded: bool) {
        if degraded == self.degraded {
            return;
        }
        self.degraded = degraded;
        self.pulse.degraded(degraded);
        if degraded {
            tracing::warn!("the other nodes are not heard: what they write is looked for");
            self.ask(Layer::Degraded);
        } else {
            tracing::info!("the other nodes are heard again");
            // Not all nodes at once.
            let soon = self.pace.degraded.mul_f64(rand::random());
            self.asked = Some(Layer::Degraded);
            self.eyes.hub().show_again();
            self.next = Instant::now() + soon;
        }
    }

    fn on_entries(&mut self, entries: Vec<Appended>) {
        let Some(first) = entries.first() else { return };
        let (log, seq) = (first.entry.log.clone(), first.entry.seq);
        let is_ahead = self.eyes.hub().reached(&log).is_some_and(|reached| seq > reached + 1);
        if !is_ahead {
            self.eyes.deliver(&entries);
            self.follow_on(&log);
        } else if self.held.values().map(|held| held.entries.len()).sum::<usize>() < HELD {
            let until = Instant::now() + PATIENCE;
            let held = self.held.entry(log).or_insert(Held { entries: Vec::new(), until });
            held.entries.extend(entries);
            held.entries.sort_by_key(|one| one.entry.seq);
        } else {
            self.catch_up(log, seq, entries.last().map_or(seq, |last| last.entry.seq));
        }
    }

    /// What was ahead may be next by now.
    fn follow_on(&mut self, log: &Log) {
        let Some(held) = self.held.get(log) else { return };
        let reached = self.eyes.hub().reached(log).unwrap_or_default();
        if held.entries.first().is_none_or(|first| first.entry.seq <= reached + 1)
            && let Some(held) = self.held.remove(log)
        {
            self.on_entries(held.entries);
        }
    }

    /// What waited long enough is read, with what is missing before it.
    fn release(&mut self) {
        let now = Instant::now();
        let due: Vec<(Log, Held)> = self.held.extract_if(|_, held| held.until <= now).collect();
        for (log, held) in due {
            let (Some(first), Some(last)) = (held.entries.first(), held.entries.last()) else { continue };
            let reached = self.eyes.hub().reached(&log);
            if reached.is_none_or(|reached| first.entry.seq <= reached + 1) {
                self.on_entries(held.entries);
            } else {
                self.catch_up(log, first.entry.seq, last.entry.seq);
            }
        }
    }

    fn catch_up(&self, log: Log, seq: u64, to: u64) {
        let from = self.eyes.hub().reached(&log).map_or(seq, |reached| reached + 1);
        drop(self.read(Grown { log, from, to }, Some(Layer::Ahead)));
    }

    fn read(&self, grown: Grown, layer: Option<Layer>) -> JoinHandle<()> {
        let eyes = self.eyes.clone();
        tokio::spawn(async move {
            if let Err(error) = eyes.catch_up(&grown, layer).await {
                // The next look back finds it.
                tracing::warn!(log = %grown.log, %error, "a log that has grown cannot be read");
            }
        })
    }

    fn on_whisper(&self, from: NodeId, whisper: &Whisper) {
        let Whisper { log, about, people, word } = whisper;
        let hub = self.eyes.hub();
        match word {
            Word::Receipt { delivered, read, marker } => {
                let reach = Reach { user: about.clone(), delivered: *delivered, read: *read };
                hub.news(people, log, &receipt(log.reference(), &reach, *marker));
            }
            Word::Typing => hub.news(people, log, &typing(log, about)),
            Word::Presence { online } => hub.heard_of(from.0.as_u128(), about, log, people, *online),
            Word::Asking => hub.asked(about, log, people),
        }
    }

    fn ask(&mut self, layer: Layer) {
        self.asked = self.asked.max(Some(layer));
        self.next = Instant::now();
    }

    /// At once, and then again and again for a while.
    fn doubt(&mut self) {
        if self.doubts_until.replace(Instant::now() + DOUBT).is_none() {
            self.ask(Layer::Doubt);
        }
    }

    fn look(&mut self) {
        self.doubts_until.take_if(|until| *until <= Instant::now());
        let layer = self.asked.take().unwrap_or(match self.doubts_until {
            Some(_) => Layer::Doubt,
            None if self.degraded => Layer::Degraded,
            None => Layer::Audit,
        });
        let (eyes, since) = (self.eyes.clone(), self.since);
        self.looking = Some((layer, tokio::spawn(async move { eyes.look_back(since, layer).await })));
        self.next = Instant::now() + self.period();
    }

    fn looked(&mut self, (layer, done): (Layer, Result<Position, StoreError>)) {
        self.looking = None;
        match done {
            Ok(position) => {
                self.since = Some(position);
                self.pulse.looked(self.next);
                self.eyes.hub().looked_back();
                self.eyes.metrics.looked_back();
            }
            Err(error) => {
                tracing::error!(%error, "it cannot be looked back: what is lost on the bus stays unheard");
                self.asked = self.asked.max(Some(layer));
                self.next = Instant::now() + self.pace.degraded;
            }
        }
    }

    fn period(&self) -> Duration {
        let often = self.degraded || self.doubts_until.is_some();
        if often { self.pace.degraded } else { self.pace.healthy }
    }
}

async fn ended(looking: &mut Option<(Layer, Look)>) -> (Layer, Result<Position, StoreError>) {
    let Some((layer, look)) = looking else { return std::future::pending().await };
    let failed = |error| Err(StoreError::Database(format!("the look failed: {error}")));
    (*layer, look.await.unwrap_or_else(failed))
}

fn typing(log: &Log, about: &UserId) -> News {
    let frame = ServerFrame::Typing { room: log.reference(), user: about.clone() };
    News::new(about.clone(), frame)
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::time::Time;
    use anteroom_protocol::user::UserProfile;
    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::eyes::AT_ONCE;
    use super::*;
    use crate::bus::heard::{Missed, Teller, queue};
    use crate::bus::local::LocalBus;
    use crate::bus::shard::Shards;
    use crate::domain::log::LogEntry;
    use crate::hub::elsewhere::Nobody;
    use crate::hub::{Hub, Seat};
    use crate::store::Moment;
    use crate::store::sqlite::SqliteStore;

    const NEVER: Duration = Duration::from_secs(3_600);
    const SOON: Duration = Duration::from_secs(10);

    /// A node on which Ana reads her inbox, and another one that writes into it: nobody here is told but over the bus.
    struct Node {
        store: Arc<SqliteStore>,
        hub: Arc<Hub>,
        metrics: Arc<Metrics>,
        teller: Teller,
        seat: Seat,
        _directory: TempDir,
    }

    fn ana() -> UserId {
        "ana".parse().expect("a user id")
    }

    impl Node {
        async fn new(pace: Pace) -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
            let (store, metrics) = (Arc::new(store), Arc::new(Metrics::new()));
            let hub = Hub::new(8, 1_000_000, metrics.clone(), Arc::new(Nobody));
            let (teller, hearing) = queue(1_000_000);
            let node = Self { seat: hub.sit(&ana()), store, hub, metrics, teller, _directory: directory };
            node.seat.outbox().read(Log::Inbox(ana()));
            // Nothing is told of somebody who was not known before.
            assert!(node.written(0).await.is_empty());
            let telling = Arc::new(Telling::new(node.hub.clone(), Arc::new(LocalBus)));
            let follower = Follower::begin(node.store.clone(), telling, node.metrics.clone(), pace)
                .await
                .expect("begun");
            tokio::spawn(follower.follow(hearing));
            node
        }

        /// Another node commits an entry into Ana's inbox.
        async fn written(&self, number: u32) -> Vec<Appended> {
            let profile =
                UserProfile { status_reason: Some(number.to_string()), ..UserProfile::active("Ana") };
            let moment = Moment { now: Time::from_micros(i64::from(number)), policy: 1 };
            crate::store::Marketplace::put_user(&*self.store, &ana(), &profile, moment).await.expect("kept")
        }

        fn tell(&self, heard: Heard) {
            self.teller.tell(heard, 0);
        }

        /// The numbers of the entries that come to Ana's socket, until the one of this number has come.
        async fn comes(&self, last: u64) -> Vec<u64> {
            let mut seqs = Vec::new();
            let outbox = self.seat.outbox();
            while seqs.last() != Some(&last) {
                timeout(SOON, outbox.wait()).await.expect("that it comes");
                seqs.extend(outbox.take().entries.iter().map(|encoded| encoded.entry().seq));
            }
            seqs
        }

        fn repaired(&self, layer: &str) -> String {
            let text = self.metrics.text();
            let line = text.lines().filter(|line| line.starts_with("anteroom_repairs_total"));
            let found: Vec<&str> = line.collect();
            assert!(
                found.iter().all(|line| line.contains(layer)),
                "no other layer had a part in it: {found:?}"
            );
            found.first().and_then(|line| line.rsplit(' ').next()).unwrap_or("0").to_owned()
        }
    }

    fn missed(why: Why) -> Heard {
        Heard::Missed(Missed { why, shards: Shards::ALL })
    }

    const ONLY_ON_DEMAND: Pace = Pace { healthy: NEVER, degraded: NEVER };

    #[tokio::test]
    async fn an_entry_that_is_ahead_waits_for_the_one_before_it_and_is_told_behind_it() {
        let node = Node::new(ONLY_ON_DEMAND).await;
        let entries = [node.written(1).await, node.written(2).await, node.written(3).await];
        node.tell(Heard::Entries(entries[0].clone()));
        assert_eq!(node.comes(1).await, [1]);
        node.tell(Heard::Entries(entries[2].clone()));
        node.tell(Heard::Entries(entries[1].clone()));
        assert_eq!(node.comes(3).await, [2, 3]);
        assert_eq!(node.repaired("ahead"), "0", "it came by itself");
    }

    #[tokio::test]
    async fn what_is_missing_before_an_entry_that_is_ahead_is_read() {
        let node = Node::new(ONLY_ON_DEMAND).await;
        let first = node.written(1).await;
        node.tell(Heard::Entries(first));
        assert_eq!(node.comes(1).await, [1]);
        node.written(2).await;
        let ahead = node.written(3).await;
        node.tell(Heard::Entries(ahead));
        assert_eq!(node.comes(3).await, [2, 3]);
        assert_eq!(node.repaired("ahead"), "2");
    }

    /// The last entry of a log, with nothing behind it that would show that it is missing: each of these layers alone finds it.
    #[tokio::test]
    async fn a_lost_entry_with_nothing_behind_it_is_found_by_whichever_layer_notices() {
        for (why, layer) in [(Why::Hole, "hole"), (Why::Overflow, "hole"), (Why::Silent, "silent")] {
            let node = Node::new(ONLY_ON_DEMAND).await;
            node.written(1).await;
            node.tell(missed(why));
            assert_eq!(node.comes(1).await, [1]);
            assert_eq!(node.repaired(layer), "1");
        }
        let node = Node::new(Pace { healthy: NEVER, degraded: Duration::from_millis(20) }).await;
        node.tell(Heard::Degraded(true));
        for number in 1..=2 {
            node.written(number).await;
            assert_eq!(node.comes(number.into()).await, [u64::from(number)]);
        }
        assert_eq!(node.repaired("degraded"), "2");
        let node = Node::new(Pace { healthy: Duration::from_millis(20), degraded: NEVER }).await;
        node.written(1).await;
        assert_eq!(node.comes(1).await, [1]);
        assert_eq!(node.repaired("audit"), "1");
    }

    #[tokio::test]
    async fn what_was_lost_while_nothing_was_heard_is_told_once_it_is_heard_again() {
        let node = Node::new(Pace { healthy: NEVER, degraded: Duration::from_millis(200) }).await;
        node.tell(Heard::Degraded(true));
        node.tell(Heard::Degraded(false));
        node.written(1).await;
        assert_eq!(node.comes(1).await, [1]);
        assert_eq!(node.repaired("degraded"), "1");
    }

    #[tokio::test]
    async fn what_was_told_already_is_not_read_again() {
        let node = Node::new(ONLY_ON_DEMAND).await;
        let told = node.written(1).await;
        node.hub.deliver(&told);
        assert_eq!(node.comes(1).await, [1]);
        node.tell(missed(Why::Hole));
        node.written(2).await;
        node.tell(missed(Why::Hole));
        assert_eq!(node.comes(2).await, [2]);
        assert_eq!(node.repaired("hole"), "1");
    }

    /// The first entry of a log that is offered here is one that was written here, and what another node wrote just before it was never heard.
    #[tokio::test]
    async fn regression_what_stands_before_the_first_entry_that_was_offered_is_missed_as_well() {
        let node = Node::new(ONLY_ON_DEMAND).await;
        node.written(1).await;
        let own = node.written(2).await;
        node.hub.deliver(&own);
        assert_eq!(node.comes(2).await, [2]);
        node.tell(missed(Why::Hole));
        assert_eq!(node.comes(2).await, [1, 2], "the socket knows which of them it has");
        assert_eq!(node.repaired("hole"), "2");
    }

    #[tokio::test]
    async fn of_very_much_that_is_missing_the_last_one_is_offered() {
        let node = Node::new(ONLY_ON_DEMAND).await;
        for number in 0..AT_ONCE as u32 + 10 {
            node.written(number + 1).await;
        }
        node.tell(missed(Why::Hole));
        assert_eq!(node.comes(AT_ONCE + 10).await, [AT_ONCE + 10]);
        assert_eq!(node.repaired("hole"), "1");
    }

    #[tokio::test]
    async fn where_the_database_has_lost_what_was_offered_everybody_comes_back_and_compares() {
        let node = Node::new(ONLY_ON_DEMAND).await;
        let kept = node.written(1).await;
        node.hub.deliver(&kept);
        node.tell(missed(Why::Hole));
        node.written(2).await;
        node.tell(missed(Why::Hole));
        assert_eq!(node.comes(2).await, [1, 2]);
        assert_eq!(node.seat.outbox().closing(), None);
        let lost = LogEntry { seq: 3, ..(*kept[0].entry).clone() };
        node.hub.deliver(&[Appended { entry: Arc::new(lost), readers: kept[0].readers.clone() }]);
        node.tell(missed(Why::Hole));
        let sent_back = async {
            while node.seat.outbox().closing().is_none() {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, sent_back).await.expect("word to come back");
        assert!(node.hub.newest().is_none_or(|(_, seq, _)| seq < 3), "it is not asked for again");
    }

    #[tokio::test]
    async fn a_log_that_has_grown_by_more_than_the_bus_carries_is_read() {
        let node = Node::new(ONLY_ON_DEMAND).await;
        for number in 1..=3 {
            node.written(number).await;
        }
        node.tell(Heard::Grown { log: Log::Inbox(ana()), from: 1, to: 3 });
        assert_eq!(node.comes(3).await, [1, 2, 3]);
        assert_eq!(node.repaired("none"), "0", "nothing was lost");
    }
}
