//! How fast a person may go, over both doors together. What is above is refused at once and told when to come again; nothing waits here.
//!
//! The marketplace's systems and its staff are not limited: they are few, and known.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anteroom_protocol::id::UserId;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::domain::actor::{Actor, Scope};

/// How often people are forgotten who have all of their allowance again.
const SWEEP: Duration = Duration::from_secs(10);

/// What people may do how often.
pub struct Rates {
    /// Commands, over the socket and over HTTP.
    pub commands: Rate,
    /// Reads over HTTP.
    pub requests: Rate,
}

/// A bucket for each person: `burst` at once, refilled by `per_second`.
pub struct Rate<C: Clock = DefaultClock> {
    name: &'static str,
    burst: NonZeroU32,
    per_second: NonZeroU32,
    people: RateLimiter<UserId, DashMapStateStore<UserId>, C, StateInformationMiddleware>,
    clock: C,
    opened: Instant,
    /// Seconds from `opened` to the last sweep.
    swept: AtomicU64,
}

/// What is left to a person after something was, or was not, allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Of what: `commands` or `requests`.
    pub name: &'static str,
    /// How many there may be at once.
    pub burst: u32,
    /// Seconds until all of them are there again, when none is left.
    pub window_seconds: u32,
    /// How many are left.
    pub remaining: u32,
    /// Seconds until all of them are there again.
    pub full_seconds: u32,
    /// It was refused; there will be room after this time.
    pub refused_for: Option<Duration>,
}

impl Rate {
    /// `burst` at once, refilled by `per_second`; neither is less than one.
    pub fn new(name: &'static str, per_second: u32, burst: u32) -> Self {
        Self::with_clock(name, per_second, burst, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rate<C> {
    fn with_clock(name: &'static str, per_second: u32, burst: u32, clock: C) -> Self {
        let [per_second, burst] =
            [per_second, burst].map(|count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let people = RateLimiter::dashmap_with_clock(quota, clock.clone()).with_middleware();
        Self { name, burst, per_second, people, clock, opened: Instant::now(), swept: AtomicU64::new(0) }
    }

    /// Takes one from what this actor has left. `None`: the actor is not limited.
    pub fn take(&self, actor: &Actor) -> Option<Allowance> {
        match actor.scope {
            Scope::User => {}
            Scope::Service | Scope::Staff => return None,
        }
        self.sweep_now_and_then();
        let (remaining, refused_for) = match self.people.check_key(&actor.user) {
            Ok(left) => (left.remaining_burst_capacity(), None),
            Err(refused) => (0, Some(refused.wait_time_from(self.clock.now()))),
        };
        let refill = |missing: u32| missing.div_ceil(self.per_second.get());
        Some(Allowance {
            name: self.name,
            burst: self.burst.get(),
            window_seconds: refill(self.burst.get()),
            remaining,
            full_seconds: refill(self.burst.get().saturating_sub(remaining)),
            refused_for,
        })
    }

    fn sweep_now_and_then(&self) {
        let (now, last) = (self.opened.elapsed().as_secs(), self.swept.load(Ordering::Relaxed));
        let due = now >= last + SWEEP.as_secs();
        let claim = || self.swept.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if due && claim().is_ok() {
            self.people.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn actor(name: &str, scope: Scope) -> Actor {
        Actor { user: name.parse().expect("a user id"), scope }
    }

    fn rate() -> (Rate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Rate::with_clock("commands", 20, 40, clock.clone()), clock)
    }

    #[test]
    fn who_is_told_when_to_come_again_is_let_in_then_and_not_before() {
        let (rate, clock) = rate();
        let ana = actor("ana", Scope::User);
        for left in (0..40).rev() {
            let allowance = rate.take(&ana).expect("limited");
            assert_eq!((allowance.remaining, allowance.refused_for), (left, None));
        }
        for _ in 0..100 {
            let wait = rate.take(&ana).and_then(|allowance| allowance.refused_for).expect("refused");
            assert_eq!(wait, Duration::from_millis(50), "asking again makes it no later");
        }
        clock.advance(Duration::from_millis(49));
        assert!(rate.take(&ana).is_some_and(|allowance| allowance.refused_for.is_some()));
        clock.advance(Duration::from_millis(1));
        assert!(rate.take(&ana).is_some_and(|allowance| allowance.refused_for.is_none()));
    }

    #[test]
    fn nobody_spends_what_is_somebody_elses_and_systems_and_staff_spend_nothing() {
        let (rate, _) = rate();
        assert!(
            (0..41)
                .filter_map(|_| rate.take(&actor("ana", Scope::User)))
                .any(|left| left.refused_for.is_some())
        );
        let ben = rate.take(&actor("ben", Scope::User)).expect("limited");
        assert_eq!((ben.remaining, ben.full_seconds, ben.window_seconds), (39, 1, 2));
        for scope in [Scope::Service, Scope::Staff] {
            assert_eq!(rate.take(&actor("ana", scope)), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_all_of_it_again_is_forgotten() {
        let (rate, clock) = rate();
        for number in 0..100 {
            rate.take(&actor(&format!("p{number}"), Scope::User));
        }
        assert_eq!(rate.people.len(), 100);
        tokio::time::advance(SWEEP).await;
        clock.advance(SWEEP);
        rate.take(&actor("ana", Scope::User));
        assert_eq!(rate.people.len(), 1);
    }
}
