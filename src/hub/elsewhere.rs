//! Who is there on other nodes, in the rooms that somebody reads here. It is told by those nodes, and counts as long as they do: when one is
//! gone, so is everybody who was there only on it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anteroom_protocol::id::UserId;

use super::Hub;
use super::outbox::News;
use super::presence::presence;
use crate::domain::log::Log;

/// A run of another node, as whoever tells of it numbers it.
pub type Node = u128;

/// The other nodes: what is told here to some of a log's people is told to their sockets there, too.
pub trait Others: Send + Sync {
    /// Tells news. They may get lost.
    fn news(&self, people: &[UserId], log: &Log, news: &News);

    /// Whether there are none.
    fn are_nobody(&self) -> bool {
        false
    }

    /// Asks who of these people is there, for this one.
    fn ask(&self, who: &UserId, log: &Log, people: &[UserId]);
}

/// No other nodes.
pub struct Nobody;

impl Others for Nobody {
    fn news(&self, _: &[UserId], _: &Log, _: &News) {}
    fn are_nobody(&self) -> bool {
        true
    }
    fn ask(&self, _: &UserId, _: &Log, _: &[UserId]) {}
}

/// Who is there elsewhere, and on which nodes.
#[derive(Default)]
pub(super) struct Elsewhere(Mutex<HashMap<Log, Room>>);

/// A room that somebody reads here.
struct Room {
    /// Its people, as they were told last.
    people: Arc<[UserId]>,
    /// Those who are there elsewhere, and where.
    there: HashMap<UserId, HashSet<Node>>,
}

impl Elsewhere {
    /// Whether this person is there on another node.
    pub(super) fn has(&self, user: &UserId, log: &Log) -> bool {
        self.lock().get(log).is_some_and(|room| room.there.contains_key(user))
    }

    /// Nobody reads this log here any more.
    pub(super) fn forget(&self, log: &Log) {
        self.lock().remove(log);
    }

    /// Somebody has come there. Whether nobody knew of the person on another node.
    fn came(&self, node: Node, user: &UserId, log: &Log, people: &Arc<[UserId]>) -> bool {
        let mut kept = self.lock();
        let new = || Room { people: people.clone(), there: HashMap::new() };
        let room = kept.entry(log.clone()).or_insert_with(new);
        room.people = people.clone();
        let nodes = room.there.entry(user.clone()).or_default();
        let is_first = nodes.is_empty();
        nodes.insert(node);
        is_first
    }

    /// Somebody has gone there. Whether the person was known to be there, and is on no other node.
    fn went(&self, node: Node, user: &UserId, log: &Log) -> bool {
        let mut kept = self.lock();
        let Some(nodes) = kept.get_mut(log).and_then(|room| room.there.get_mut(user)) else { return false };
        let was_last = nodes.remove(&node) && nodes.is_empty();
        if was_last && let Some(room) = kept.get_mut(log) {
            room.there.remove(user);
            if room.there.is_empty() {
                kept.remove(log);
            }
        }
        was_last
    }

    /// Everybody who was there on this node alone.
    fn lost(&self, node: Node) -> Vec<(UserId, Log, Arc<[UserId]>)> {
        let mut kept = self.lock();
        let mut lost = Vec::new();
        kept.retain(|log, room| {
            room.there.retain(|user, nodes| {
                if nodes.remove(&node) && nodes.is_empty() {
                    lost.push((user.clone(), log.clone(), room.people.clone()));
                }
                !nodes.is_empty()
            });
            !room.there.is_empty()
        });
        lost
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Log, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Whether this is the only node.
    pub(super) fn is_alone(&self) -> bool {
        self.others.are_nobody()
    }

    /// Offers news of a log to these people, on every node.
    pub fn news_everywhere(&self, people: &[UserId], log: &Log, news: &News) {
        self.news(people, log, news);
        self.others.news(people, log, news);
    }

    /// On another node somebody has come into a log or left it; these are its people.
    pub fn heard_of(&self, node: Node, user: &UserId, log: &Log, people: &[UserId], online: bool) {
        let others: Arc<[UserId]> = people.iter().filter(|other| *other != user).cloned().collect();
        let changed = if online {
            // Nobody here would be told, and whoever comes asks.
            others.iter().any(|other| self.is_there(other, log))
                && self.elsewhere.came(node, user, log, &others)
        } else {
            self.elsewhere.went(node, user, log)
        };
        if changed && !self.is_here(user, log) {
            self.news(&others, log, &presence(log, user, online));
        }
    }

    /// Another node has come and asks for this person who of these is there.
    pub fn asked(&self, who: &UserId, log: &Log, people: &[UserId]) {
        for one in people.iter().filter(|one| *one != who && self.is_here(one, log)) {
            self.others.news(std::slice::from_ref(who), log, &presence(log, one, true));
        }
    }

    /// What was told of who is here may have been lost, and what was told of others: all of it is told, and asked for, again.
    pub fn show_again(&self) {
        let mut shown: HashMap<(UserId, Log), Arc<[UserId]>> = HashMap::new();
        for sockets in &self.people {
            for (log, people) in sockets.iter().flat_map(|outbox| outbox.shown()) {
                shown.insert((sockets.key().clone(), log), people);
            }
        }
        for ((user, log), people) in shown {
            let others: Vec<UserId> = people.iter().filter(|other| **other != user).cloned().collect();
            self.others.news(&others, &log, &presence(&log, &user, true));
            self.others.ask(&user, &log, &others);
        }
    }

    /// A node is gone: nobody is there on it any more.
    pub fn node_gone(&self, node: Node) {
        for (user, log, people) in self.elsewhere.lost(node) {
            if !self.is_here(&user, &log) {
                self.news(&people, &log, &presence(&log, &user, false));
            }
        }
    }
}
