//! Who listens here. The hub is a cache: it can be wrong about nothing, because every reader goes by the numbers of the log.
//!
//! An entry is offered to every socket of every person whom the commit named as a reader. So being removed from a room takes effect
//! with the entry that says so, and no list of subscriptions can be out of date. A socket that reads the log queues the entry; any
//! other is told that the log has grown.

pub mod outbox;

use std::sync::Arc;

use anteroom_protocol::close::CloseCode;
use anteroom_protocol::id::UserId;
use dashmap::DashMap;

use self::outbox::Outbox;
use crate::store::Appended;
use crate::telemetry::Metrics;
use crate::wire::to_wire::EncodedEntry;

/// The sockets of this node, by person.
pub struct Hub {
    people: DashMap<UserId, Vec<Arc<Outbox>>>,
    sockets_per_user: usize,
    outbox_bytes: usize,
    metrics: Arc<Metrics>,
}

/// A socket's place in the hub. Dropping it is leaving.
pub struct Seat {
    hub: Arc<Hub>,
    user: UserId,
    outbox: Arc<Outbox>,
}

impl Hub {
    /// A hub where nobody listens yet.
    pub fn new(sockets_per_user: usize, outbox_bytes: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { people: DashMap::new(), sockets_per_user, outbox_bytes, metrics })
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
        Seat { hub: self.clone(), user: user.clone(), outbox }
    }

    /// Offers what was committed to everybody whom it concerns.
    pub fn deliver(&self, appended: &[Appended]) {
        for Appended { entry, readers } in appended {
            let encoded = Arc::new(EncodedEntry::new(entry.clone()));
            for reader in readers.iter() {
                // An outbox never calls the hub, so the map is not entered again under this guard.
                if let Some(sockets) = self.people.get(reader) {
                    sockets.iter().for_each(|outbox| self.metrics.offered(outbox.offer(&encoded)));
                }
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
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(mut sockets) = self.hub.people.get_mut(&self.user) {
            sockets.retain(|outbox| !Arc::ptr_eq(outbox, &self.outbox));
        }
        self.hub.people.remove_if(&self.user, |_, sockets| sockets.is_empty());
    }
}
