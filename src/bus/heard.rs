//! What comes from the other nodes: one queue to one task, bounded in bytes.
//!
//! At the bound nobody waits and nothing piles up: what comes is thrown away until the task has taken everything that waits, and then it
//! is told that something was missed. What must not be lost (who came and went, whether this node hears at all) is remembered meanwhile
//! by its last state.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use anteroom_protocol::id::UserId;
use tokio::sync::Notify;

use super::shard::Shards;
use super::{NodeId, Whisper};
use crate::domain::log::Log;
use crate::store::Appended;

/// What each thing that waits takes, beside its content.
const PLACE: usize = 256;
/// Nodes whose coming and going is remembered while the queue is full.
const NODES: usize = 4_096;

/// Something that came from the other nodes.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Entries of one log, whole and one behind the other. Nothing is said about whether they are what comes next.
    Entries(Vec<Appended>),
    /// A log has grown up to this number. The entries were too large for the bus, or are written in a way this version cannot read: the
    /// log has them.
    Grown {
        /// Which log.
        log: Log,
        /// The first of the new entries.
        from: u64,
        /// The last.
        to: u64,
    },
    /// Something about this person has changed: the person's sockets look.
    Person(UserId),
    /// News that nobody keeps.
    Whisper {
        /// Who says so.
        from: NodeId,
        /// What.
        whisper: Whisper,
    },
    /// Something was lost, or may have been.
    Missed(Missed),
    /// Whether this node hears nothing of the others, as far as it knows (`true`), or hears them again (`false`). What was said in between is
    /// lost, and whatever it is about has to be looked at once. The first thing to be heard is `Degraded(true)`.
    Degraded(bool),
    /// A node was heard for the first time, or again after it had gone: what was known of it is void.
    Came(NodeId),
    /// A node has taken its leave, or has not been heard for so long that what it told counts no more.
    Gone(NodeId),
}

/// What may have been lost: hints about logs of these shards, and about persons whose inbox is of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// How that is known.
    pub why: Why,
    /// Where to look.
    pub shards: Shards,
}

/// Why something may have been lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A node has counted more than has come.
    Hole,
    /// A node fell silent, perhaps between a commit and its publication.
    Silent,
    /// More came than was taken.
    Overflow,
    /// Something came that no node of this database has said, or that cannot be read. A node of another version may have meant well.
    Forged,
}

impl Why {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hole => "hole",
            Self::Silent => "silent",
            Self::Overflow => "overflow",
            Self::Forged => "forged",
        }
    }
}

/// The end of the queue that is told.
pub(crate) struct Teller(Arc<Queue>);

/// The end of the queue that hears.
pub struct Hearing(Arc<Queue>);

struct Queue {
    state: Mutex<State>,
    wake: Notify,
    limit: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Heard, usize)>,
    bytes: usize,
    behind: Option<Behind>,
    over: bool,
}

/// What is remembered instead of what does not fit.
#[derive(Default)]
struct Behind {
    lost: bool,
    degraded: Option<bool>,
    nodes: BTreeMap<NodeId, bool>,
}

/// What became of something that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It waits, or its outcome does.
    Queued,
    /// A whisper for which there is no room.
    Shed,
    /// There is no room: that something was missed will be said.
    Overflow,
}

/// A queue that holds at most this many bytes.
pub(crate) fn queue(limit: usize) -> (Teller, Hearing) {
    let queue = Arc::new(Queue { state: Mutex::default(), wake: Notify::new(), limit });
    (Teller(queue.clone()), Hearing(queue))
}

impl Teller {
    /// Tells something of this many bytes. Never waits.
    pub(crate) fn tell(&self, heard: Heard, size: usize) -> Told {
        let mut state = self.0.lock();
        let size = size + PLACE;
        let taken = state.bytes + size;
        let told = match (&heard, &mut state.behind) {
            // The first to go, when half the bound is taken.
            (Heard::Whisper { .. }, behind) if behind.is_some() || taken * 2 > self.0.limit => Told::Shed,
            (_, Some(behind)) => behind.remember(&heard),
            (_, behind) if taken > self.0.limit => behind.insert(Behind::default()).remember(&heard),
            (_, None) => {
                state.bytes = taken;
                state.waiting.push_back((heard, size));
                Told::Queued
            }
        };
        drop(state);
        self.0.wake.notify_one();
        told
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.wake.notify_one();
    }
}

impl Hearing {
    /// What a single node hears.
    pub fn nothing() -> Self {
        queue(0).1
    }

    /// The next thing; `None`: nothing will come any more. Nothing is lost when the future is dropped.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            {
                let mut state = self.0.lock();
                if let Some(heard) = state.next() {
                    return Some(heard);
                }
                if state.over {
                    return None;
                }
            }
            self.0.wake.notified().await;
        }
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> Option<Heard> {
        if self.waiting.is_empty()
            && let Some(behind) = self.behind.take()
        {
            let told = behind.told();
            self.bytes += told.len() * PLACE;
            self.waiting.extend(told.into_iter().map(|heard| (heard, PLACE)));
        }
        let (heard, size) = self.waiting.pop_front()?;
        self.bytes -= size;
        Some(heard)
    }
}

impl Behind {
    fn remember(&mut self, heard: &Heard) -> Told {
        match heard {
            Heard::Came(node) => self.saw(*node, true),
            Heard::Gone(node) => self.saw(*node, false),
            Heard::Degraded(degraded) => self.degraded = Some(*degraded),
            Heard::Whisper { .. } => return Told::Shed,
            Heard::Entries(_) | Heard::Grown { .. } | Heard::Person(_) | Heard::Missed(_) => {
                self.lost = true;
                return Told::Overflow;
            }
        }
        Told::Queued
    }

    fn saw(&mut self, node: NodeId, there: bool) {
        if self.nodes.len() < NODES || self.nodes.contains_key(&node) {
            self.nodes.insert(node, there);
        }
    }

    /// In the order in which it makes sense: whether this node hears comes last.
    fn told(self) -> Vec<Heard> {
        let nodes = self.nodes.into_iter().map(|(node, there)| match there {
            true => Heard::Came(node),
            false => Heard::Gone(node),
        });
        let missed = Heard::Missed(Missed { why: Why::Overflow, shards: Shards::ALL });
        nodes.chain(self.lost.then_some(missed)).chain(self.degraded.map(Heard::Degraded)).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::Word;
    use super::*;

    fn person(name: &str) -> UserId {
        name.parse().expect("a user id")
    }

    fn node(number: u128) -> NodeId {
        NodeId(Uuid::from_u128(number))
    }

    fn grown(to: u64) -> Heard {
        Heard::Grown { log: Log::Inbox(person("clara")), from: to, to }
    }

    fn whisper() -> Heard {
        let log = Log::Inbox(person("clara"));
        let whisper = Whisper { log, about: person("clara"), people: Arc::new([]), word: Word::Typing };
        Heard::Whisper { from: node(1), whisper }
    }

    async fn all(mut hearing: Hearing) -> Vec<String> {
        let mut heard = Vec::new();
        while let Some(one) = hearing.hear().await {
            heard.push(match one {
                Heard::Grown { to, .. } => to.to_string(),
                Heard::Missed(missed) => missed.why.as_str().to_owned(),
                Heard::Degraded(degraded) => format!("degraded {degraded}"),
                Heard::Came(node) => format!("came {}", node.0.as_u128()),
                Heard::Gone(node) => format!("gone {}", node.0.as_u128()),
                Heard::Whisper { .. } => "whisper".to_owned(),
                Heard::Entries(_) | Heard::Person(_) => "other".to_owned(),
            });
        }
        heard
    }

    #[tokio::test]
    async fn what_is_told_is_heard_in_order() {
        let (teller, hearing) = queue(10_000);
        for to in 1..=3 {
            assert_eq!(teller.tell(grown(to), 100), Told::Queued);
        }
        drop(teller);
        assert_eq!(all(hearing).await, ["1", "2", "3"]);
    }

    #[tokio::test]
    async fn what_does_not_fit_becomes_word_that_something_was_missed_and_states_are_remembered() {
        let (teller, hearing) = queue(2 * (PLACE + 100));
        assert_eq!(teller.tell(grown(1), 100), Told::Queued);
        assert_eq!(teller.tell(grown(2), 101), Told::Overflow);
        // Also what would fit: it must not overtake what is remembered.
        assert_eq!(teller.tell(grown(3), 0), Told::Overflow);
        for heard in [Heard::Came(node(1)), Heard::Degraded(true), Heard::Gone(node(1)), Heard::Came(node(2))]
        {
            assert_eq!(teller.tell(heard, 0), Told::Queued);
        }
        teller.tell(Heard::Degraded(false), 0);
        drop(teller);
        assert_eq!(all(hearing).await, ["1", "gone 1", "came 2", "overflow", "degraded false"]);
    }

    #[tokio::test]
    async fn a_queue_that_was_emptied_takes_more() {
        let (teller, mut hearing) = queue(PLACE + 100);
        teller.tell(grown(1), 100);
        assert_eq!(teller.tell(grown(2), 100), Told::Overflow);
        assert!(matches!(hearing.hear().await, Some(Heard::Grown { to: 1, .. })));
        assert!(matches!(hearing.hear().await, Some(Heard::Missed(_))));
        assert_eq!(teller.tell(grown(3), 100), Told::Queued);
        drop(teller);
        assert_eq!(all(hearing).await, ["3"]);
    }

    #[tokio::test]
    async fn whispers_are_the_first_to_go_and_nobody_looks_for_them() {
        let (teller, hearing) = queue(2 * (PLACE + 100));
        assert_eq!(teller.tell(whisper(), 100), Told::Queued);
        assert_eq!(teller.tell(whisper(), 100), Told::Shed);
        assert_eq!(teller.tell(grown(1), 100), Told::Queued);
        drop(teller);
        assert_eq!(all(hearing).await, ["whisper", "1"]);
    }

    #[tokio::test]
    async fn a_single_node_hears_nothing() {
        assert!(Hearing::nothing().hear().await.is_none());
    }
}
