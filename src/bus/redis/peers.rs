//! What is known of the other nodes: how much of each has come, and when it was heard last. No input and no output, and no clock.
//!
//! A node counts what it says on each shard, and says the counts once a second. So whatever subset of it is lost, whoever hears the next
//! publication or the next tick knows. Of a node that is new, everything counts as missed that it had said before it was heard: that is no
//! case of its own, because a node counts from 1.

use std::collections::HashMap;
use tokio::time::Instant;

use super::Timing;
use super::channel::LANES;
use super::publication::Tick;
use crate::bus::NodeId;
use crate::bus::heard::{Heard, Missed, Why};
use crate::bus::shard::{SHARDS, Shard, Shards};

/// Nodes that are remembered, also those that have gone: what they said must not be said again. One more, and the one that was not
/// heard for longest is forgotten.
const NODES: usize = 1_024;

/// All other nodes.
pub(super) struct Peers {
    known: HashMap<NodeId, Peer>,
    /// Where something came that nobody of ours has said, since it was last told.
    forged: Shards,
    forged_told: Option<Instant>,
    silence_told: Option<Instant>,
    timing: Timing,
}

/// One of them.
struct Peer {
    shards: Box<[u64; SHARDS]>,
    lanes: [u64; LANES],
    ticks: u64,
    heard: Instant,
    ticked: Instant,
    silent: bool,
    gone: bool,
    /// It has said so itself: nothing can come of it any more.
    left: bool,
}

impl Peer {
    fn new(now: Instant) -> Self {
        let (shards, lanes) = (Box::new([0; SHARDS]), [0; LANES]);
        let (silent, gone, left) = (false, true, false);
        Self { shards, lanes, ticks: 0, heard: now, ticked: now, silent, gone, left }
    }
}

/// What a count says of what it came with.
#[derive(Debug)]
pub(super) struct Counted {
    /// Whether it came for the first time. What did not is not to be looked at.
    pub(super) fresh: bool,
    /// What is to be told before it.
    pub(super) told: Vec<Heard>,
}

impl Counted {
    fn repeated() -> Self {
        Self { fresh: false, told: Vec::new() }
    }
}

impl Peers {
    /// Nobody is known yet.
    pub(super) fn new(timing: Timing) -> Self {
        let (known, forged) = (HashMap::new(), Shards::NONE);
        Self { known, forged, forged_told: None, silence_told: None, timing }
    }

    /// Something came from a node on a shard.
    pub(super) fn publication(&mut self, node: NodeId, shard: Shard, count: u64, now: Instant) -> Counted {
        let seen = self.known.get(&node).map_or(0, |peer| peer.shards[shard.index()]);
        if count <= seen {
            return Counted::repeated();
        }
        let mut told = Vec::new();
        self.heard(node, now, &mut told).shards[shard.index()] = count;
        if count > seen + 1 {
            told.push(missed(Why::Hole, shard.into()));
        }
        Counted { fresh: true, told }
    }

    /// Something came from a node that is not kept. What is missing before it is missed by nobody.
    pub(super) fn whisper(&mut self, node: NodeId, lane: usize, count: u64, now: Instant) -> Counted {
        let lane = lane % LANES;
        if self.known.get(&node).map_or(0, |peer| peer.lanes[lane]) >= count {
            return Counted::repeated();
        }
        let mut told = Vec::new();
        self.heard(node, now, &mut told).lanes[lane] = count;
        Counted { fresh: true, told }
    }

    /// The counts of a node came.
    pub(super) fn tick(&mut self, tick: &Tick, now: Instant) -> Counted {
        if self.known.get(&tick.node).map_or(0, |peer| peer.ticks) >= tick.count {
            return Counted::repeated();
        }
        let mut told = Vec::new();
        let peer = self.heard(tick.node, now, &mut told);
        peer.ticks = tick.count;
        peer.ticked = now;
        peer.silent = false;
        let mut holes = Shards::NONE;
        for (shard, count) in Shard::all().zip(&tick.counts) {
            let seen = &mut peer.shards[shard.index()];
            if count > seen {
                *seen = *count;
                holes.insert(shard);
            }
        }
        if !holes.is_empty() {
            told.push(missed(Why::Hole, holes));
        }
        if tick.bye {
            (peer.gone, peer.left) = (true, true);
            told.push(Heard::Gone(tick.node));
        }
        Counted { fresh: true, told }
    }

    /// Something came that none of ours has said, or that cannot be read. It is told with a look and once a tick, so that whoever floods
    /// the bus causes no more than that.
    pub(super) fn forged(&mut self, shards: Shards) {
        self.forged = self.forged.union(shards);
    }

    /// Time has passed. While this node is `deaf` itself, the others are not silent; but what they told grows old all the same.
    ///
    /// A node that is silent may be dead, or cut from Redis alone: then it goes on committing, and it has to be looked again and again.
    pub(super) fn look(&mut self, now: Instant, deaf: bool) -> Vec<Heard> {
        let mut told = Vec::new();
        let Timing { silent, searched, tick, .. } = self.timing;
        let lately = |told: Option<Instant>| told.is_some_and(|at| now.saturating_duration_since(at) < tick);
        let (mut fell_silent, mut is_silent) = (false, false);
        for (node, peer) in &mut self.known {
            if deaf && !peer.gone {
                peer.ticked = now;
            }
            let silence = now.saturating_duration_since(peer.ticked);
            if !peer.left && silence > silent && silence <= searched {
                is_silent = true;
                fell_silent |= !std::mem::replace(&mut peer.silent, true);
            }
            if peer.gone {
                continue;
            }
            if now.saturating_duration_since(peer.heard) > self.timing.gone {
                peer.gone = true;
                told.push(Heard::Gone(*node));
            }
        }
        if fell_silent || (is_silent && !deaf && !lately(self.silence_told)) {
            self.silence_told = Some(now);
            told.push(missed(Why::Silent, Shards::ALL));
        }
        if !self.forged.is_empty() && !lately(self.forged_told) {
            self.forged_told = Some(now);
            told.push(missed(Why::Forged, std::mem::take(&mut self.forged)));
        }
        told
    }

    /// Notes that a node was heard.
    fn heard(&mut self, node: NodeId, now: Instant, told: &mut Vec<Heard>) -> &mut Peer {
        if !self.known.contains_key(&node) && self.known.len() >= NODES {
            self.forget_one(told);
        }
        let peer = self.known.entry(node).or_insert_with(|| Peer::new(now));
        peer.heard = now;
        if peer.gone {
            (peer.gone, peer.silent, peer.left, peer.ticked) = (false, false, false, now);
            told.push(Heard::Came(node));
        }
        peer
    }

    fn forget_one(&mut self, told: &mut Vec<Heard>) {
        let oldest =
            self.known.iter().min_by_key(|(_, peer)| (!peer.gone, peer.heard)).map(|(node, _)| *node);
        if let Some(node) = oldest
            && let Some(peer) = self.known.remove(&node)
            && !peer.gone
        {
            told.push(Heard::Gone(node));
        }
    }
}

fn missed(why: Why, shards: Shards) -> Heard {
    Heard::Missed(Missed { why, shards })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const SILENT: Duration = Duration::from_secs(3);
    const GONE: Duration = Duration::from_secs(30);
    const SEARCHED: Duration = Duration::from_secs(600);
    const TICK: Duration = Duration::from_secs(1);

    fn peers() -> Peers {
        Peers::new(Timing { tick: TICK, silent: SILENT, gone: GONE, searched: SEARCHED, ..Timing::default() })
    }

    fn node(number: u128) -> NodeId {
        NodeId(Uuid::from_u128(number))
    }

    fn shard(index: usize) -> Shard {
        Shard::all().nth(index).expect("a shard")
    }

    fn tick(count: u64, counts: &[(usize, u64)]) -> Tick {
        let mut all = vec![0; SHARDS];
        counts.iter().for_each(|(shard, count)| all[*shard] = *count);
        Tick { node: node(1), count, counts: all, degraded: false, bye: false }
    }

    fn words(told: &[Heard]) -> Vec<String> {
        let word = |heard: &Heard| match heard {
            Heard::Came(node) => format!("came {}", node.0.as_u128()),
            Heard::Gone(node) => format!("gone {}", node.0.as_u128()),
            Heard::Missed(Missed { why, shards }) => format!("{} {shards:?}", why.as_str()),
            Heard::Entries(_)
            | Heard::Grown { .. }
            | Heard::Person(_)
            | Heard::Whisper { .. }
            | Heard::Degraded(_) => {
                panic!("not of a node")
            }
        };
        told.iter().map(word).collect()
    }

    fn said(counted: &Counted) -> (bool, Vec<String>) {
        (counted.fresh, words(&counted.told))
    }

    #[test]
    fn a_node_that_has_just_begun_has_said_nothing_before() {
        let (mut peers, now) = (peers(), Instant::now());
        assert_eq!(said(&peers.publication(node(1), shard(7), 1, now)), (true, vec!["came 1".into()]));
        assert_eq!(said(&peers.publication(node(1), shard(7), 2, now)), (true, vec![]));
        assert_eq!(said(&peers.tick(&tick(1, &[(7, 2)]), now)), (true, vec![]));
    }

    #[test]
    fn what_a_node_said_before_it_was_heard_is_missed() {
        let (mut peers, now) = (peers(), Instant::now());
        let first = peers.publication(node(1), shard(7), 9, now);
        assert_eq!(said(&first), (true, vec!["came 1".into(), "hole {7}".into()]));
        assert_eq!(said(&peers.tick(&tick(55, &[(7, 9), (8, 3)]), now)), (true, vec!["hole {8}".into()]));
    }

    #[test]
    fn a_jump_and_a_tick_that_is_ahead_are_holes_each_told_once() {
        let (mut peers, now) = (peers(), Instant::now());
        peers.publication(node(1), shard(7), 1, now);
        assert_eq!(said(&peers.publication(node(1), shard(7), 3, now)), (true, vec!["hole {7}".into()]));
        assert_eq!(said(&peers.tick(&tick(1, &[(7, 4)]), now)), (true, vec!["hole {7}".into()]));
        assert_eq!(said(&peers.tick(&tick(2, &[(7, 4)]), now)), (true, vec![]));
        // Late: what it says was looked for already.
        assert_eq!(said(&peers.publication(node(1), shard(7), 4, now)), (false, vec![]));
    }

    #[test]
    fn what_is_said_again_is_nothing_and_no_sign_of_life() {
        let (mut peers, start) = (peers(), Instant::now());
        peers.publication(node(1), shard(7), 1, start);
        peers.whisper(node(1), 2, 5, start);
        peers.tick(&tick(4, &[(7, 1)]), start);
        let later = start + GONE + Duration::from_millis(1);
        assert_eq!(said(&peers.publication(node(1), shard(7), 1, later)), (false, vec![]));
        assert_eq!(said(&peers.whisper(node(1), 2, 5, later)), (false, vec![]));
        assert_eq!(said(&peers.tick(&tick(4, &[(7, 1)]), later)), (false, vec![]));
        assert!(words(&peers.look(later, false)).contains(&"gone 1".into()));
        // Neither does it bring a node back that has gone.
        assert_eq!(said(&peers.tick(&tick(4, &[(7, 1)]), later)), (false, vec![]));
    }

    #[test]
    fn a_node_that_falls_silent_is_told_of_again_and_again_and_has_gone_after_a_while() {
        let (mut peers, start) = (peers(), Instant::now());
        peers.tick(&tick(1, &[]), start);
        assert!(peers.look(start + SILENT, false).is_empty());
        let late = start + SILENT + Duration::from_millis(1);
        assert_eq!(words(&peers.look(late, false)), ["silent all"]);
        assert!(peers.look(late + TICK / 2, false).is_empty());
        assert_eq!(words(&peers.look(late + TICK, false)), ["silent all"]);
        // A publication does not make up for its counts.
        peers.publication(node(1), shard(1), 1, late);
        assert!(peers.look(late + TICK * 3 / 2, false).is_empty());
        assert_eq!(words(&peers.look(late + TICK * 2, false)), ["silent all"]);
        assert_eq!(
            words(&peers.look(late + GONE + Duration::from_millis(1), false)),
            ["gone 1", "silent all"],
            "also one that has gone may only be out of reach"
        );
        assert!(peers.look(start + SEARCHED + TICK, false).is_empty(), "not for ever");
        let back = start + SEARCHED * 2;
        assert_eq!(said(&peers.tick(&tick(2, &[(1, 1)]), back)), (true, vec!["came 1".into()]));
        assert_eq!(words(&peers.look(back + SILENT * 2, false)), ["silent all"]);
    }

    #[test]
    fn while_this_node_is_deaf_nobody_is_silent_but_everybody_grows_old() {
        let (mut peers, start) = (peers(), Instant::now());
        peers.tick(&tick(1, &[]), start);
        assert!(peers.look(start + GONE, true).is_empty());
        let hears = start + GONE + Duration::from_millis(1);
        assert_eq!(words(&peers.look(hears, false)), ["gone 1"]);
    }

    #[test]
    fn a_node_that_takes_its_leave_has_gone_and_its_last_words_are_counted() {
        let (mut peers, start) = (peers(), Instant::now());
        peers.tick(&tick(1, &[]), start);
        let bye = Tick { bye: true, ..tick(2, &[(3, 1)]) };
        assert_eq!(said(&peers.tick(&bye, start)), (true, vec!["hole {3}".into(), "gone 1".into()]));
        assert!(peers.look(start + GONE * 2, false).is_empty());
    }

    #[test]
    fn a_flood_of_forgeries_is_one_thing_to_look_at() {
        let (mut peers, now) = (peers(), Instant::now());
        (0..1_000).for_each(|number| peers.forged(shard(number % 2).into()));
        assert_eq!(words(&peers.look(now, false)), ["forged {0, 1}"]);
        peers.forged(shard(2).into());
        assert!(peers.look(now + Timing::default().tick / 2, false).is_empty());
        assert_eq!(words(&peers.look(now + Timing::default().tick, false)), ["forged {2}"]);
        assert!(peers.look(now + Timing::default().tick * 2, false).is_empty());
    }

    #[test]
    fn nodes_are_remembered_up_to_a_bound_and_those_that_have_gone_are_the_first_to_be_forgotten() {
        let (mut peers, start) = (peers(), Instant::now());
        for number in 0..NODES as u128 {
            peers.publication(node(number), shard(0), 1, start + Duration::from_micros(number as u64));
        }
        let bye = Tick { node: node(5), bye: true, ..tick(1, &[(0, 1)]) };
        peers.tick(&bye, start + Duration::from_secs(1));
        let later = start + Duration::from_secs(2);
        assert_eq!(words(&peers.publication(node(9_999), shard(0), 1, later).told), ["came 9999"]);
        assert_eq!(words(&peers.publication(node(9_998), shard(0), 1, later).told), ["gone 0", "came 9998"]);
        assert_eq!(peers.known.len(), NODES);
    }

    #[test]
    fn a_tick_of_more_or_fewer_shards_is_read_as_far_as_it_goes() {
        let (mut peers, now) = (peers(), Instant::now());
        let odd = |count, counts| Tick { counts, ..tick(count, &[]) };
        assert!(peers.tick(&odd(1, vec![]), now).fresh);
        assert_eq!(words(&peers.tick(&odd(2, vec![1; 500]), now).told), ["hole all"]);
    }

    /// What becomes of one publication on its way.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Fate {
        Comes,
        Lost,
        Twice,
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![3 => Just(Fate::Comes), 1 => Just(Fate::Lost), 1 => Just(Fate::Twice)]
    }

    /// When it comes, and what: a publication on a shard with its count, or a tick.
    type Comes = (usize, Option<(usize, u64)>, Tick);

    proptest! {
        /// Whatever is lost, repeated or late: each publication has come once, or its shard was told to be looked at after it was said.
        #[test]
        fn nothing_is_lost_without_being_missed_and_nothing_comes_twice(
            sent in proptest::collection::vec((0..4_usize, fate(), 0..8_usize, proptest::option::of(fate())), 0..60),
        ) {
            let (mut peers, now) = (peers(), Instant::now());
            let mut counts = vec![0_u64; SHARDS];
            // What is on its way, each behind what it overtakes.
            let mut way: Vec<Comes> = Vec::new();
            let mut ticks = 0;
            for (at, (index, fate, late, ticked)) in sent.iter().enumerate() {
                counts[*index] += 1;
                let times = |fate: Fate| match fate { Fate::Comes => 1, Fate::Lost => 0, Fate::Twice => 2 };
                for again in 0..times(*fate) {
                    way.push((at * 4 + late * 4 * (again + 1), Some((*index, counts[*index])), tick(0, &[])));
                }
                ticks += 1;
                for _ in 0..ticked.map_or(0, times) {
                    way.push((at * 4 + 1, None, Tick { counts: counts.clone(), ..tick(ticks, &[]) }));
                }
            }
            way.sort_by_key(|(at, ..)| *at);
            let last = Tick { counts: counts.clone(), ..tick(ticks + 1, &[]) };
            way.push((usize::MAX, None, last));
            let mut come = std::collections::HashMap::new();
            let mut looked = vec![0_u64; SHARDS];
            let mut untouched = true;
            for (at, publication, tick) in &way {
                let counted = match publication {
                    Some((index, count)) => peers.publication(node(1), shard(*index), *count, now),
                    None => peers.tick(tick, now),
                };
                for heard in &counted.told {
                    if let Heard::Missed(missed) = heard {
                        untouched = false;
                        // A look finds all that was said by then: everything up to here was committed before it was sent.
                        let by_then = |index: usize| sent.iter().take(at / 4 + 1).filter(|it| it.0 == index).count();
                        (0..4).filter(|index| missed.shards.contains(shard(*index)))
                            .for_each(|index| looked[index] = by_then(index) as u64);
                    }
                }
                if let (Some(key), true) = (publication, counted.fresh) {
                    prop_assert!(come.insert(*key, ()).is_none(), "came twice");
                }
            }
            for index in 0..4 {
                for count in 1..=counts[index] {
                    prop_assert!(come.contains_key(&(index, count)) || count <= looked[index], "{index} {count}");
                }
            }
            let all_came = sent.iter().all(|(_, fate, late, _)| *fate == Fate::Comes && *late == 0);
            prop_assert!(!all_came || untouched, "nothing was lost, and something was missed");
        }
    }
}
