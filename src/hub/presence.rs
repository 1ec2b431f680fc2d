//! Who is there: a person is, in a room, while one of that person's sockets reads it, and for a while after the last one has gone.
//!
//! A socket's place in a room is a lease that its signs of life renew: a silent socket is closed, and with it ends the lease. Nothing of
//! this is kept; it is told to the sockets that read the room, and forgotten.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use anteroom_protocol::id::UserId;
use anteroom_protocol::server::ServerFrame;
use tokio::time::{Instant, sleep};

use super::Hub;
use super::outbox::{News, Outbox};
use crate::domain::log::Log;

/// How long somebody who has gone may come back unnoticed: a page that is loaded again, a phone that changes networks.
const GRACE: Duration = Duration::from_secs(10);
/// How often it is looked who has not come back.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Departures that are remembered. Beyond it the others go on seeing somebody as there until they join anew.
const DEPARTURES: usize = 65_536;

/// Somebody's last socket in a room has gone.
struct Departure {
    at: Instant,
    log: Log,
    user: UserId,
    people: Arc<[UserId]>,
}

/// Those who have gone and may come back.
#[derive(Default)]
pub(super) struct Departures(Mutex<VecDeque<Departure>>);

impl Departures {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Departure>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn presence(log: &Log, user: &UserId, online: bool) -> News {
    let frame = ServerFrame::Presence { room: log.reference(), user: user.clone(), online };
    News::new(user.clone(), frame)
}

impl Hub {
    /// Whether a socket of this person, other than this one, reads the log.
    fn is_there(&self, user: &UserId, log: &Log, but: Option<&Arc<Outbox>>) -> bool {
        self.people.get(user).is_some_and(|sockets| {
            let others = sockets.iter().filter(|outbox| but.is_none_or(|but| !Arc::ptr_eq(outbox, but)));
            others.into_iter().any(|outbox| outbox.reads(log))
        })
    }

    /// A socket of this person reads the log from now on: tells the others, and who of them is there.
    pub(super) fn arrived(
        &self,
        user: &UserId,
        outbox: &Arc<Outbox>,
        log: &Log,
        people: &[UserId],
    ) -> Vec<News> {
        let others: Vec<UserId> = people.iter().filter(|other| *other != user).cloned().collect();
        if !self.is_there(user, log, Some(outbox)) {
            self.news(&others, log, &presence(log, user, true));
        }
        let there = others.into_iter().filter(|other| self.is_there(other, log, None));
        there.map(|other| presence(log, &other, true)).collect()
    }

    /// A socket of this person reads the log no more. The others hear of it when the person has not come back in time.
    pub(super) fn departed(&self, user: &UserId, log: Log, people: Arc<[UserId]>) {
        let tells_somebody = people.iter().any(|other| other != user && self.is_there(other, &log, None));
        if !tells_somebody || self.is_there(user, &log, None) {
            return;
        }
        let mut departures = self.departures.lock();
        if departures.len() < DEPARTURES {
            departures.push_back(Departure { at: Instant::now() + GRACE, log, user: user.clone(), people });
        }
    }

    /// Tells of those who have gone and did not come back, for ever.
    pub async fn watch_departures(self: Arc<Self>) {
        loop {
            sleep(LOOK_EVERY).await;
            for Departure { log, user, people, .. } in self.due() {
                if !self.is_there(&user, &log, None) {
                    self.news(&people, &log, &presence(&log, &user, false));
                }
            }
        }
    }

    fn due(&self) -> Vec<Departure> {
        let (mut departures, now) = (self.departures.lock(), Instant::now());
        let due = departures.iter().take_while(|departure| departure.at <= now).count();
        departures.drain(..due).collect()
    }
}
