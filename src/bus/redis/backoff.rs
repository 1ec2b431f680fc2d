//! How long to wait before connecting again: a random time, so that the nodes do not all come back at once, out of a span that doubles with
//! each failure in a row. There is no last attempt.

use std::time::Duration;

/// The waits of one connection.
#[derive(Debug)]
pub(super) struct Backoff {
    least: Duration,
    failures: u32,
}

impl Backoff {
    /// The first wait is at least this long, and so is every other.
    pub(super) fn new(least: Duration) -> Self {
        Self { least, failures: 0 }
    }

    /// It worked: the next failure is the first one.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next wait, by a chance from 0 to 1: up to `first` after the first failure, and never more than `most`.
    pub(super) fn next(&mut self, first: Duration, most: Duration, chance: f64) -> Duration {
        let span = first.saturating_mul(2_u32.saturating_pow(self.failures)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.least + span.saturating_sub(self.least).mul_f64(chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_random_in_a_span_that_doubles_up_to_its_bound_and_begins_anew() {
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut backoff = Backoff::new(least);
        let longest: Vec<u128> = (0..8).map(|_| backoff.next(least * 2, most, 1.0).as_millis()).collect();
        assert_eq!(longest, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
        assert_eq!(backoff.next(least * 2, most, 0.0), least);
        assert_eq!(backoff.next(least * 2, most, 0.5), Duration::from_millis(2_550));
        (0..100).for_each(|_| assert!(backoff.next(least, most, 1.0) <= most));
        backoff.reset();
        assert_eq!(backoff.next(least * 2, most, 1.0), least * 2);
    }
}
