//! Who listens here. The hub is a cache: it can be wrong about nothing, because every reader goes by the numbers of the log.
//!
//! An entry is offered to every socket of every person whom the commit named as a reader. So being removed from a room takes effect
//! with the entry that says so, and no list of subscriptions can be out of date. A socket that reads the log queues the entry; any
//! other is told that the log has grown.

pub mod elsewhere;
pub mod outbox;
mod presence;
mod reached;

use std::collections::HashMap;
use std::sync::Arc;

use anteroom_protocol::close::CloseCode;
use anteroom_protocol::id::UserId;
use anteroom_protocol::log::Hash;
use anteroom_protocol::push::PushKind;
use dashmap::DashMap;
use tokio::sync::broadcast;

use self::elsewhere::{Elsewhere, Others};
use self::outbox::{News, Offered, Outbox};
use self::presence::Departures;
use self::reached::Reached;
use crate::domain::log::Log;
use crate::domain::push::kind_of;
use crate::store::Appended;
use crate::telemetry::Metrics;
use crate::wire::to_wire::EncodedEntry;

/// The sockets of this node, by person.
pub struct Hub {
    people: DashMap<UserId, Vec<Arc<Outbox>>>,
    sockets_per_user: usize,
    outbox_bytes: usize,
    departures: Departures,
    reached: Reached,
    elsewhere: Elsewhere,
    others: Arc<dyn Others>,
    arrivals: broadcast::Sender<Arrived>,
    metrics: Arc<Metrics>,
}

/// An invitation that was offered to a socket of the person whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// The person's inbox.
    pub log: Log,
    /// The entry.
    pub seq: u64,
}

/// Arrivals that wait to be heard of. Beyond that the oldest are forgotten.
const ARRIVALS: usize = 4_096;

/// What arrives.
pub struct Arrivals(broadcast::Receiver<Arrived>);

impl Arrivals {
    /// The next one; `None`: the hub is gone.
    pub async fn recv(&mut self) -> Option<Arrived> {
        loop {
            match self.0.recv().await {
                Ok(arrived) => return Some(arrived),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// A socket's place in the hub. Dropping it is leaving.
pub struct Seat {
    hub: Arc<Hub>,
    user: UserId,
    outbox: Arc<Outbox>,
    /// The rooms this socket is seen in, and their people.
    rooms: HashMap<Log, Arc<[UserId]>>,
}

impl Hub {
    /// A hub where nobody listens yet.
    pub fn new(
        sockets_per_user: usize,
        outbox_bytes: usize,
        metrics: Arc<Metrics>,
        others: Arc<dyn Others>,
    ) -> Arc<Self> {
        Arc::new(Self {
            people: DashMap::new(),
            sockets_per_user,
            outbox_bytes,
            departures: Departures::default(),
            reached: Reached::default(),
            elsewhere: Elsewhere::default(),
            others,
            arrivals: broadcast::Sender::new(ARRIVALS),
            metrics,
        })
    }

    /// From now on, what arrives.
    pub fn arrivals(&self) -> Arrivals {
        Arrivals(self.arrivals.subscribe())
    }

    /// Takes a place for a new socket of this person. One socket too many closes the one that has been silent for longest.
    pub fn sit(self: &Arc<Self>, user: &UserId) -> Seat {
        let outbox = Arc::new(Outbox::new(self.outbox_bytes));
        let mut sockets = self.people.entry(user.clone()).or_default();
        if sockets.len() >= self.sockets_per_user {
            let silent = (0..sockets.len()).min_by_key(|at| sockets[*at].last_heard());
            if let Some(at) = silent {
                sockets.swap_remove(at).close(CloseCode::Replaced);
            }
        }
        sockets.push(outbox.clone());
        drop(sockets);
        Seat { hub: self.clone(), user: user.clone(), outbox, rooms: HashMap::new() }
    }

    /// Offers what was committed to everybody whom it concerns.
    pub fn deliver(&self, appended: &[Appended]) {
        for Appended { entry, readers } in appended {
            self.reached.note(&entry.log, entry.seq, entry.hash);
            let encoded = Arc::new(EncodedEntry::new(entry.clone()));
            let is_inbox = matches!(entry.log, Log::Inbox(_));
            let is_invitation = is_inbox && kind_of(is_inbox, &entry.kind) == Some(PushKind::Invitations);
            for reader in readers.iter() {
                // An outbox never calls the hub, so the map is not entered again under this guard.
                if let Some(sockets) = self.people.get(reader) {
                    sockets.iter().for_each(|outbox| self.metrics.offered(outbox.offer(&encoded)));
                    if is_invitation && !sockets.is_empty() {
                        // Where nobody listens, nobody wants to know.
                        let _ = self.arrivals.send(Arrived { log: entry.log.clone(), seq: entry.seq });
                    }
                }
            }
        }
    }

    /// The number of this log up to which everything was offered here lately.
    pub fn reached(&self, log: &Log) -> Option<u64> {
        self.reached.of(log).map(|(_, to)| to)
    }

    /// The first number from this one on that was not offered here lately.
    pub fn missing(&self, log: &Log, from: u64) -> u64 {
        match self.reached.of(log) {
            Some((first, to)) if first <= from => from.max(to + 1),
            Some(_) | None => from,
        }
    }

    /// Whatever of this log is to be offered here from this number on was offered.
    pub fn offered_from(&self, log: &Log, from: u64) {
        self.reached.note_from(log, from);
    }

    /// The log, the number and the hash of the entry that was offered here last.
    pub fn newest(&self) -> Option<(Log, u64, Hash)> {
        self.reached.newest()
    }

    /// It was looked back: what was offered before the look before that is forgotten.
    pub fn looked_back(&self) {
        self.reached.turn();
    }

    /// What was offered may be gone from the logs: everybody comes back and compares, and nothing that was offered is remembered.
    pub fn begin_anew(&self) {
        self.reached.forget();
        for sockets in &self.people {
            sockets.iter().for_each(|outbox| outbox.close(CloseCode::Restart));
        }
    }

    /// Everybody who has a socket here.
    pub fn everybody(&self) -> Vec<UserId> {
        self.people.iter().map(|sockets| sockets.key().clone()).collect()
    }

    /// Offers news of a log to those sockets of these people that read it.
    pub fn news(&self, people: &[UserId], log: &Log, news: &News) {
        for person in people {
            if let Some(sockets) = self.people.get(person) {
                let shed = sockets.iter().filter(|outbox| outbox.news(log, news) == Offered::Shed).count();
                (0..shed).for_each(|_| self.metrics.offered(Offered::Shed));
            }
        }
    }
}

impl Hub {
    /// Something about this person has changed, the account or which tokens count: each of the person's sockets looks for itself. So it
    /// does not matter in which order two changes are told.
    pub fn person_changed(&self, user: &UserId) {
        if let Some(sockets) = self.people.get(user) {
            sockets.iter().for_each(|outbox| outbox.person_changed());
        }
    }
}

impl Seat {
    /// What is to be sent to this socket.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Is seen in this log from now on, whose entries it reads already. Gives back who of its people is there.
    pub fn join(&mut self, log: &Log, people: Arc<[UserId]>) -> Vec<News> {
        let there = self.hub.arrived(&self.user, &self.outbox, log, &people);
        self.rooms.insert(log.clone(), people);
        there
    }

    /// Reads the log no more, and is seen in it no more.
    pub fn leave(&mut self, log: &Log) {
        self.outbox.unread(log);
        if let Some(people) = self.rooms.remove(log) {
            self.hub.departed(&self.user, log, &people);
        }
    }

    /// Somebody is one of the people of this room from now on.
    pub fn meet(&mut self, log: &Log, user: &UserId) {
        if let Some(people) = self.rooms.get_mut(log)
            && !people.contains(user)
        {
            *people = people.iter().chain([user]).cloned().collect();
        }
    }

    /// Tells the others in this room that its person is writing. Somebody who is not in the room tells nobody.
    pub fn typing(&self, log: &Log, news: &News) {
        if let Some(people) = self.rooms.get(log) {
            let others: Vec<UserId> = people.iter().filter(|other| **other != self.user).cloned().collect();
            self.hub.news_everywhere(&others, log, news);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(mut sockets) = self.hub.people.get_mut(&self.user) {
            sockets.retain(|outbox| !Arc::ptr_eq(outbox, &self.outbox));
        }
        self.hub.people.remove_if(&self.user, |_, sockets| sockets.is_empty());
        for (log, people) in self.rooms.drain() {
            self.hub.departed(&self.user, &log, &people);
        }
    }
}
