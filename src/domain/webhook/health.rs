//! What is made of an address's answers: whose fault a failure is, how long is waited, and when nothing more is tried.
//!
//! Two things can fail, and they are told apart, so that neither is taken for the other. An **address** that nothing gets through to waits as a whole:
//! nothing is passed over, and all comes in its order when it is back. An **event** that is not taken, while others are, holds up its own log alone.

use std::time::Duration;

use anteroom_protocol::time::Time;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Seconds after each failed attempt at one event, as Standard Webhooks suggests; after the last attempt it is parked.
const OF_AN_EVENT: [u64; 9] =
    [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
/// Seconds after each round in which nothing got through to an address; from the last one on always that.
const OF_AN_ADDRESS: [u64; 6] = [5, 30, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE];
/// How long an address may ask to be left alone.
const RETRY_AFTER_MOST: Duration = Duration::from_secs(24 * HOUR);
/// How long nothing may get through before nothing is tried any more, in seconds.
pub const FAILING_MOST: i64 = 5 * 24 * HOUR as i64;
/// Events that are parked before the webhook is disabled: it does not take them, and somebody has to look.
pub const PARKED_MOST: u64 = 1_000;
/// Logs that are held up before nothing further is begun: most of what it is sent, it does not take.
pub const HELD_MOST: usize = 1_000;

/// How an address is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Rounds since one got through.
    pub attempts: u32,
    /// Since when.
    pub failing_since: Option<Time>,
    /// When the next round may begin.
    pub next_at: Time,
}

impl Default for Health {
    fn default() -> Self {
        Self { attempts: 0, failing_since: None, next_at: Time::from_micros(0) }
    }
}

impl Health {
    /// After a round in which nothing got through. `chance` (0 to 1) spreads those that failed together; the address may ask for more time.
    #[must_use]
    pub fn failed(self, now: Time, retry_after: Option<Duration>, chance: f64) -> Self {
        let step = (self.attempts as usize).min(OF_AN_ADDRESS.len() - 1);
        let wait =
            spread(OF_AN_ADDRESS[step], chance).max(retry_after.unwrap_or_default().min(RETRY_AFTER_MOST));
        Self {
            attempts: self.attempts.saturating_add(1),
            failing_since: self.failing_since.or(Some(now)),
            next_at: later(now, wait),
        }
    }

    /// Whether nothing has got through for too long.
    pub fn is_given_up(&self, now: Time) -> bool {
        self.failing_since.is_some_and(|since| now >= since.plus_seconds(FAILING_MOST))
    }
}

/// When an event is tried again after so many attempts; `None`: it is parked.
pub fn event_again(now: Time, attempts: u32, retry_after: Option<Duration>, chance: f64) -> Option<Time> {
    let step = attempts.saturating_sub(1) as usize;
    let wait = spread(*OF_AN_EVENT.get(step)?, chance);
    Some(later(now, wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MOST))))
}

/// Whether a status says that the event is wrong, and not that the address is in no state to take any.
pub fn blames_the_event(status: Option<u16>) -> bool {
    match status {
        // Who is not let in, does not find the way, is too slow, or is to come later, is so with every event.
        Some(401 | 403 | 404 | 405 | 407 | 408 | 410 | 421 | 425 | 426 | 429 | 451) => false,
        Some(status) => (400..500).contains(&status),
        None => false,
    }
}

/// Whether a status says that nobody is there any more, for good.
pub fn is_gone(status: Option<u16>) -> bool {
    status == Some(410)
}

/// Whether an event was taken.
pub fn is_taken(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

/// A wait, a fifth shorter or longer.
fn spread(seconds: u64, chance: f64) -> Duration {
    Duration::from_secs(seconds).mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
}

fn later(now: Time, wait: Duration) -> Time {
    Time::from_micros(now.as_micros().saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000_000;

    fn seconds(until: Time) -> i64 {
        (until.as_micros() - NOW) / 1_000_000
    }

    #[test]
    fn an_event_is_tried_ten_times_over_three_days_and_then_parked() {
        let now = Time::from_micros(NOW);
        let waits: Vec<i64> =
            (1..10).map(|attempts| seconds(event_again(now, attempts, None, 0.5).expect("again"))).collect();
        assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!(event_again(now, 10, None, 0.5), None);
        assert_eq!(event_again(now, u32::MAX, None, 0.5), None);
    }

    #[test]
    fn an_address_is_tried_for_five_days_at_least_twice_an_hour_and_then_given_up() {
        let (mut now, mut health) = (Time::from_micros(NOW), Health::default());
        let mut tries = 0;
        while !health.is_given_up(now) {
            health = health.failed(now, None, 1.0);
            assert!(health.next_at > now);
            (now, tries) = (health.next_at, tries + 1);
        }
        let days = seconds(now) / 86_400;
        assert_eq!(days, 5);
        assert!((200..260).contains(&tries), "{tries}");
        assert_eq!(health.failing_since, Some(Time::from_micros(NOW)));
    }

    #[test]
    fn a_wait_is_spread_and_never_shorter_than_was_asked_for_nor_longer_than_a_day() {
        let now = Time::from_micros(NOW);
        let first = |retry_after, chance| seconds(Health::default().failed(now, retry_after, chance).next_at);
        assert_eq!([first(None, 0.0), first(None, 1.0)], [4, 6]);
        assert_eq!(first(Some(Duration::from_secs(90)), 0.5), 90);
        assert_eq!(first(Some(Duration::from_secs(1)), 0.5), 5);
        assert_eq!(first(Some(Duration::from_secs(u64::MAX)), 0.5), 86_400);
    }

    #[test]
    fn whose_fault_a_status_says_it_is() {
        for status in [400, 406, 409, 413, 415, 422] {
            assert!(blames_the_event(Some(status)), "{status}");
        }
        for status in [301, 401, 403, 404, 408, 410, 429, 500, 502, 503, 504] {
            assert!(!blames_the_event(Some(status)), "{status}");
        }
        assert!(!blames_the_event(None));
        assert!(is_taken(Some(204)) && !is_taken(Some(302)) && !is_taken(None));
    }
}
