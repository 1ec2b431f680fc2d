//! Who is there: a person is, in a room, while one of that person's sockets reads it, and for a while after the last one has gone.
//!
//! A socket's place in a room is a lease that its signs of life renew: a silent socket is closed, and with it ends the lease. Nothing of
//! this is kept; it is told to the sockets that read the room, and forgotten.

use std::collections::{HashMap, VecDeque};
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

/// Those who have gone from a room and may come back, until when, and the people of the room.
#[derive(Default)]
pub(super) struct Departures(Mutex<Gone>);

/// Who has gone, from where.
type Whose = (Log, UserId);

#[derive(Default)]
struct Gone {
    until: HashMap<Whose, (Instant, Arc<[UserId]>)>,
    /// In the order of time. Who has come back stands here until then.
    order: VecDeque<(Instant, Whose)>,
}

impl Gone {
    fn add(&mut self, whose: Whose, people: Arc<[UserId]>) {
        if self.order.len() < DEPARTURES {
            let until = Instant::now() + GRACE;
            self.until.insert(whose.clone(), (until, people));
            self.order.push_back((until, whose));
        }
    }

    /// Those whose time is over.
    fn due(&mut self) -> Vec<(Whose, Arc<[UserId]>)> {
        let mut due = Vec::new();
        let now = Instant::now();
        while let Some((at, whose)) = self.order.pop_front_if(|(at, _)| *at <= now) {
            // Somebody who came back and went again has a later time.
            if self.until.get(&whose).is_some_and(|(until, _)| *until == at)
                && let Some((_, people)) = self.until.remove(&whose)
            {
                due.push((whose, people));
            }
        }
        due
    }
}

impl Departures {
    fn lock(&self) -> std::sync::MutexGuard<'_, Gone> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn presence(log: &Log, user: &UserId, online: bool) -> News {
    let frame = ServerFrame::Presence { room: log.reference(), user: user.clone(), online };
    News::new(user.clone(), frame)
}

impl Hub {
    /// Whether a socket of this person is seen in the log.
    fn is_there(&self, user: &UserId, log: &Log) -> bool {
        self.people.get(user).is_some_and(|sockets| sockets.iter().any(|outbox| outbox.shows(log)))
    }

    /// Shows a socket of this person in the log. Whether another one, or this one, was seen there already.
    fn show(&self, user: &UserId, outbox: &Outbox, log: &Log) -> bool {
        // Under the person's lock, so that of two sockets that come at the same time one is the first.
        let sockets = self.people.get_mut(user);
        let was_there = sockets.as_ref().is_some_and(|sockets| sockets.iter().any(|one| one.shows(log)));
        outbox.show(log);
        was_there
    }

    /// A socket of this person is seen in the log from now on: tells the others, unless the person was there or has not been gone for
    /// long, and gives back who of them is there.
    pub(super) fn arrived(&self, user: &UserId, outbox: &Outbox, log: &Log, people: &[UserId]) -> Vec<News> {
        let others: Vec<UserId> = people.iter().filter(|other| *other != user).cloned().collect();
        let was_there = self.show(user, outbox, log);
        let mut gone = self.departures.lock();
        let is_back = gone.until.remove(&(log.clone(), user.clone())).is_some();
        if !was_there && !is_back {
            self.news(&others, log, &presence(log, user, true));
        }
        let there = others.into_iter().filter(|other| {
            self.is_there(other, log) || gone.until.contains_key(&(log.clone(), other.clone()))
        });
        there.map(|other| presence(log, &other, true)).collect()
    }

    /// A socket of this person is seen in the log no more. The others hear of it when the person has not come back in time.
    pub(super) fn departed(&self, user: &UserId, log: Log, people: Arc<[UserId]>) {
        let tells_somebody = people.iter().any(|other| other != user && self.is_there(other, &log));
        if tells_somebody && !self.is_there(user, &log) {
            self.departures.lock().add((log, user.clone()), people);
        }
    }

    /// Tells of those who have gone and did not come back, for ever.
    pub async fn watch_departures(self: Arc<Self>) {
        loop {
            sleep(LOOK_EVERY).await;
            // Told under the lock: whoever comes back now is told of after it.
            let mut gone = self.departures.lock();
            for ((log, user), people) in gone.due() {
                if !self.is_there(&user, &log) {
                    self.news(&people, &log, &presence(&log, &user, false));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::id::RoomId;
    use tokio::time::advance;
    use uuid::Uuid;

    use super::super::Seat;
    use super::*;
    use crate::telemetry::Metrics;

    fn log() -> Log {
        Log::Room(RoomId(Uuid::from_u128(1)))
    }

    fn people() -> Arc<[UserId]> {
        ["clara", "felix"].map(|name| name.parse().expect("a user id")).into()
    }

    fn hub() -> Arc<Hub> {
        let hub = Hub::new(10, 1_000_000, Arc::new(Metrics::default()));
        tokio::spawn(hub.clone().watch_departures());
        hub
    }

    /// A socket of the first or the second of the people.
    fn sit(hub: &Arc<Hub>, who: usize) -> Seat {
        hub.sit(&people()[who])
    }

    /// Joins, and gives back whom it sees there.
    fn join(seat: &mut Seat) -> Vec<UserId> {
        seat.outbox().read(log());
        let there = seat.join(&log(), people());
        there.iter().filter_map(|news| who(news.frame())).map(|(user, _)| user).collect()
    }

    fn who(frame: &ServerFrame) -> Option<(UserId, bool)> {
        if let ServerFrame::Presence { user, online, .. } = frame {
            Some((user.clone(), *online))
        } else {
            None
        }
    }

    /// What this socket was told of presence since it was asked last.
    fn told(seat: &Seat) -> Vec<(UserId, bool)> {
        seat.outbox().take().news.values().filter_map(who).collect()
    }

    /// Lets time go by, second by second, so that what is to happen in it happens.
    async fn wait(seconds: u64) {
        for _ in 0..seconds {
            advance(Duration::from_secs(1)).await;
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_is_told_at_once_and_whoever_goes_after_ten_seconds() {
        let hub = hub();
        let (mut clara, mut felix) = (sit(&hub, 0), sit(&hub, 1));
        assert_eq!(join(&mut clara), []);
        assert_eq!(join(&mut felix), [people()[0].clone()]);
        assert_eq!(told(&clara), [(people()[1].clone(), true)]);
        for gone in [true, false] {
            if gone {
                felix.leave(&log())
            } else {
                drop(felix)
            }
            wait(9).await;
            assert_eq!(told(&clara), [], "not before");
            wait(2).await;
            assert_eq!(told(&clara), [(people()[1].clone(), false)]);
            wait(30).await;
            assert_eq!(told(&clara), [], "once");
            felix = sit(&hub, 1);
            join(&mut felix);
            assert_eq!(told(&clara), [(people()[1].clone(), true)]);
        }
    }

    /// It used to be told as an arrival, and somebody who went, came back and went again was told to be away too early.
    #[tokio::test(start_paused = true)]
    async fn regression_a_short_absence_is_not_told_and_each_has_ten_seconds_of_its_own() {
        let hub = hub();
        let (mut clara, mut felix) = (sit(&hub, 0), sit(&hub, 1));
        join(&mut clara);
        join(&mut felix);
        told(&clara);
        for _ in 0..5 {
            felix.leave(&log());
            wait(7).await;
            assert_eq!(join(&mut felix).len(), 1);
            wait(2).await;
        }
        assert_eq!(told(&clara), []);
        felix.leave(&log());
        wait(9).await;
        assert_eq!(told(&clara), [], "of the last absence only nine seconds have gone by");
        wait(2).await;
        assert_eq!(told(&clara), [(people()[1].clone(), false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_is_there_until_the_last_socket_has_gone() {
        let hub = hub();
        let (mut clara, mut felix, mut device) = (sit(&hub, 0), sit(&hub, 1), sit(&hub, 1));
        join(&mut clara);
        join(&mut felix);
        join(&mut device);
        assert_eq!(told(&clara), [(people()[1].clone(), true)]);
        felix.leave(&log());
        wait(30).await;
        assert_eq!(told(&clara), []);
        drop(device);
        wait(11).await;
        assert_eq!(told(&clara), [(people()[1].clone(), false)]);
        assert_eq!(told(&felix), [], "nobody is told of oneself");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_during_a_short_absence_sees_the_one_who_is_expected_back() {
        let hub = hub();
        let (mut clara, mut felix) = (sit(&hub, 0), sit(&hub, 1));
        join(&mut clara);
        join(&mut felix);
        felix.leave(&log());
        wait(3).await;
        let mut late = sit(&hub, 0);
        assert_eq!(join(&mut late), [people()[1].clone()]);
        wait(8).await;
        assert_eq!(told(&late), [(people()[1].clone(), false)]);
    }

    /// Each of two sockets took the other one for the one that had been there before, and nobody was told.
    #[tokio::test(start_paused = true)]
    async fn regression_of_two_sockets_that_take_their_place_together_one_is_told_of() {
        let hub = hub();
        let (mut clara, mut felix, mut device) = (sit(&hub, 0), sit(&hub, 1), sit(&hub, 1));
        join(&mut clara);
        for seat in [&felix, &device] {
            seat.outbox().read(log());
        }
        join(&mut felix);
        join(&mut device);
        assert_eq!(told(&clara), [(people()[1].clone(), true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn typing_is_told_to_the_others_who_read_the_room() {
        let hub = hub();
        let (mut clara, mut felix, mut device) = (sit(&hub, 0), sit(&hub, 1), sit(&hub, 1));
        let elsewhere = sit(&hub, 0);
        let frame = ServerFrame::Typing { room: log().reference(), user: people()[1].clone() };
        felix.typing(&log(), &News::new(people()[1].clone(), frame.clone()));
        for seat in [&mut clara, &mut felix, &mut device] {
            join(seat);
            seat.outbox().take();
        }
        clara.outbox().take();
        felix.typing(&log(), &News::new(people()[1].clone(), frame.clone()));
        assert_eq!(clara.outbox().take().news.into_values().collect::<Vec<_>>(), [frame]);
        for seat in [&felix, &device, &elsewhere] {
            assert!(seat.outbox().take().news.is_empty());
        }
    }
}
