//! Who is there: a person is, in a room, while one of that person's sockets reads it, and for a while after the last one has gone.
//!
//! A socket's place in a room is a lease that its signs of life renew: a silent socket is closed, and with it ends the lease. Nothing of
//! this is kept; it is told to the sockets that read the room, and forgotten.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use anteroom_protocol::id::UserId;
use anteroom_protocol::limits;
use anteroom_protocol::server::ServerFrame;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::Hub;
use super::outbox::{News, Outbox};
use crate::domain::log::Log;

/// How long somebody who has gone may come back unnoticed: a page that is loaded again, a phone that changes networks.
const GRACE: Duration = Duration::from_secs(10);
/// How often it is looked who has not come back.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Of how many it is told under one lock: when very many have gone at once, whoever comes does not wait for all of that.
const TOLD_AT_ONCE: usize = 4_096;
/// Departures that are remembered. Whoever goes beyond it is told of at once, and so is who comes back from that.
const DEPARTURES: usize = 65_536;
/// How many of them may be one person's: as many rooms as a socket reads.
const DEPARTURES_OF_ONE: usize = limits::JOINED_ROOMS;

/// Those who have gone from a room and may come back, until when, and the people of the room.
#[derive(Default)]
pub(super) struct Departures(Mutex<Gone>);

#[derive(Default)]
struct Gone {
    people: HashMap<UserId, HashMap<Log, Absence>>,
    /// How many absences there are.
    count: usize,
}

/// Of one person, from one room.
struct Absence {
    until: Instant,
    people: Arc<[UserId]>,
}

impl Gone {
    /// Remembers somebody who has gone, for a while from now on. Whether there was room for it.
    fn add(&mut self, user: &UserId, log: &Log, people: &Arc<[UserId]>) -> bool {
        let own = self.people.get(user);
        let known = own.is_some_and(|own| own.contains_key(log));
        let full = self.count >= DEPARTURES || own.is_some_and(|own| own.len() >= DEPARTURES_OF_ONE);
        if full && !known {
            return false;
        }
        let absence = Absence { until: Instant::now() + GRACE, people: people.clone() };
        self.people.entry(user.clone()).or_default().insert(log.clone(), absence);
        self.count += usize::from(!known);
        true
    }

    /// Whether somebody has gone and is expected back.
    fn expects(&self, user: &UserId, log: &Log) -> bool {
        self.people.get(user).is_some_and(|own| own.contains_key(log))
    }

    /// Forgets that somebody has gone. Whether it was remembered.
    fn remove(&mut self, user: &UserId, log: &Log) -> bool {
        let Some(own) = self.people.get_mut(user) else { return false };
        let was_there = own.remove(log).is_some();
        if own.is_empty() {
            self.people.remove(user);
        }
        self.count -= usize::from(was_there);
        was_there
    }

    /// Takes those whose time is over, some at a time. All are looked at, which is little for once a second; so nothing has to be kept in a
    /// row.
    fn due(&mut self) -> Vec<(UserId, Log, Arc<[UserId]>)> {
        let now = Instant::now();
        let mut due = Vec::new();
        self.people.retain(|user, own| {
            let over = own.extract_if(|_, absence| absence.until <= now).take(TOLD_AT_ONCE - due.len());
            due.extend(over.map(|(log, absence)| (user.clone(), log, absence.people)));
            !own.is_empty()
        });
        self.count -= due.len();
        due
    }
}

impl Departures {
    fn lock(&self) -> std::sync::MutexGuard<'_, Gone> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

pub(super) fn presence(log: &Log, user: &UserId, online: bool) -> News {
    let frame = ServerFrame::Presence { room: log.reference(), user: user.clone(), online };
    News::new(user.clone(), frame)
}

impl Hub {
    /// Whether a socket of this person is seen in the log.
    pub(super) fn is_there(&self, user: &UserId, log: &Log) -> bool {
        self.people.get(user).is_some_and(|sockets| sockets.iter().any(|outbox| outbox.shows(log)))
    }

    /// The same, or the person has gone and is expected back.
    pub(super) fn is_here(&self, user: &UserId, log: &Log) -> bool {
        self.is_there(user, log) || self.departures.lock().expects(user, log)
    }

    /// Shows a socket of this person in the log. Whether another one, or this one, was seen there already.
    fn show(&self, user: &UserId, outbox: &Outbox, log: &Log, people: &Arc<[UserId]>) -> bool {
        // Under the person's lock, so that of two sockets that come at the same time one is the first.
        let sockets = self.people.get_mut(user);
        let was_there = sockets.as_ref().is_some_and(|sockets| sockets.iter().any(|one| one.shows(log)));
        outbox.show(log, people.clone());
        was_there
    }

    /// A socket of this person is seen in the log from now on: tells the others, unless the person was there or has not been gone for
    /// long, and gives back who of them is there.
    pub(super) fn arrived(
        &self,
        user: &UserId,
        outbox: &Outbox,
        log: &Log,
        people: &Arc<[UserId]>,
    ) -> Vec<News> {
        let others: Vec<UserId> = people.iter().filter(|other| *other != user).cloned().collect();
        let was_there = self.show(user, outbox, log, people);
        let mut gone = self.departures.lock();
        let is_back = gone.remove(user, log);
        if !was_there && !is_back {
            let news = presence(log, user, true);
            self.others.news(&others, log, &news);
            if !self.elsewhere.has(user, log) {
                self.news(&others, log, &news);
            }
        }
        self.others.ask(user, log, &others);
        let there = others.into_iter().filter(|other| {
            self.is_there(other, log) || gone.expects(other, log) || self.elsewhere.has(other, log)
        });
        there.map(|other| presence(log, &other, true)).collect()
    }

    /// A socket of this person is seen in the log no more. The others hear of it when the person has not come back in time; at once,
    /// when there is no room to wait for that.
    pub(super) fn departed(&self, user: &UserId, log: &Log, people: &Arc<[UserId]>) {
        let others_here = people.iter().any(|other| other != user && self.is_there(other, log));
        if !others_here && !self.is_there(user, log) {
            self.elsewhere.forget(log);
        }
        if !others_here && self.is_alone() {
            return;
        }
        // Told under the lock: whoever comes back now is told of after it.
        let mut gone = self.departures.lock();
        if !self.is_there(user, log) && !gone.add(user, log, people) {
            self.tell_of_absence(user, log, people);
        }
    }

    /// Tells of some whose time is over. How many there were.
    fn tell_of_departed(&self) -> usize {
        // Told under the lock, as above.
        let mut gone = self.departures.lock();
        let due = gone.due();
        for (user, log, people) in &due {
            if !self.is_there(user, log) {
                self.tell_of_absence(user, log, people);
            }
        }
        due.len()
    }

    /// Somebody is here no more. Whoever is there on another node is not away.
    fn tell_of_absence(&self, user: &UserId, log: &Log, people: &[UserId]) {
        let news = presence(log, user, false);
        self.others.news(people, log, &news);
        if !self.elsewhere.has(user, log) {
            self.news(people, log, &news);
        }
    }

    /// Tells of those who have gone and did not come back, for ever.
    pub async fn watch_departures(self: Arc<Self>) {
        loop {
            sleep(LOOK_EVERY).await;
            while self.tell_of_departed() == TOLD_AT_ONCE {
                yield_now().await;
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
    use super::super::elsewhere::Nobody;
    use super::*;
    use crate::telemetry::Metrics;

    fn log() -> Log {
        room(1)
    }

    fn room(number: usize) -> Log {
        Log::Room(RoomId(Uuid::from_u128(number as u128)))
    }

    fn people() -> Arc<[UserId]> {
        ["clara", "felix"].map(|name| name.parse().expect("a user id")).into()
    }

    fn hub() -> Arc<Hub> {
        let hub = Hub::new(10, 1_000_000, Arc::new(Metrics::default()), Arc::new(Nobody));
        tokio::spawn(hub.clone().watch_departures());
        hub
    }

    /// A socket of the first or the second of the people.
    fn sit(hub: &Arc<Hub>, who: usize) -> Seat {
        hub.sit(&people()[who])
    }

    /// Joins, and gives back whom it sees there.
    fn join(seat: &mut Seat) -> Vec<UserId> {
        join_room(seat, &log())
    }

    fn join_room(seat: &mut Seat, log: &Log) -> Vec<UserId> {
        seat.outbox().read(log.clone());
        let there = seat.join(log, people());
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

    /// Each time took a place until its ten seconds were over. With all places taken, of nobody was told any more who had gone.
    #[tokio::test(start_paused = true)]
    async fn regression_who_leaves_one_room_again_and_again_takes_one_place() {
        let hub = hub();
        let (mut clara, mut felix) = (sit(&hub, 0), sit(&hub, 1));
        join(&mut clara);
        join(&mut felix);
        told(&clara);
        for _ in 0..1_000 {
            felix.leave(&log());
            assert_eq!(hub.departures.lock().places(), (1, 1));
            join(&mut felix);
            assert_eq!(hub.departures.lock().places(), (0, 0));
        }
        felix.leave(&log());
        wait(11).await;
        assert_eq!(told(&clara), [(people()[1].clone(), false)]);
        assert_eq!(hub.departures.lock().places(), (0, 0));
    }

    /// Whoever went beyond the bound was seen as there for ever.
    #[tokio::test(start_paused = true)]
    async fn regression_one_person_cannot_use_up_the_places_and_beyond_them_is_told_of_at_once() {
        let hub = hub();
        let (mut clara, mut felix) = (sit(&hub, 0), sit(&hub, 1));
        for number in 0..=DEPARTURES_OF_ONE {
            join_room(&mut clara, &room(number));
            join_room(&mut felix, &room(number));
        }
        told(&clara);
        for number in 0..DEPARTURES_OF_ONE {
            felix.leave(&room(number));
        }
        assert_eq!(told(&clara), [], "all of them may be short absences");
        felix.leave(&room(DEPARTURES_OF_ONE));
        assert_eq!(told(&clara), [(people()[1].clone(), false)], "this one is not waited for");
        join_room(&mut felix, &room(DEPARTURES_OF_ONE));
        assert_eq!(
            told(&clara),
            [(people()[1].clone(), true)],
            "so that one comes back for everybody to see"
        );
        clara.leave(&room(DEPARTURES_OF_ONE));
        assert_eq!(told(&felix), [], "somebody else may be back in time");
        wait(11).await;
        assert_eq!(told(&felix), [(people()[0].clone(), false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn departures_of_however_many_people_have_a_bound_and_give_their_places_back() {
        let mut gone = Gone::default();
        let user = |number: usize| format!("user-{number}").parse::<UserId>().expect("a user id");
        for number in 0..DEPARTURES {
            assert!(gone.add(&user(number), &log(), &people()));
        }
        assert!(!gone.add(&user(DEPARTURES), &log(), &people()));
        assert!(gone.add(&user(0), &log(), &people()), "who has a place keeps it");
        advance(GRACE).await;
        for left in (0..DEPARTURES / TOLD_AT_ONCE).rev() {
            let left = left * TOLD_AT_ONCE;
            assert_eq!((gone.due().len(), gone.places()), (TOLD_AT_ONCE, (left, left)));
        }
        assert!(gone.add(&user(DEPARTURES), &log(), &people()));
    }

    impl Gone {
        /// How many absences are counted, and how many there are.
        fn places(&self) -> (usize, usize) {
            (self.count, self.people.values().map(HashMap::len).sum())
        }
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
