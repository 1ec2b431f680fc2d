//! Going down without a rush: for how long, and when each socket's turn comes. A plan is pure; a drain says that one has begun.
//!
//! Every socket that is closed comes back at once, to this server's successor or to its neighbours, and signing in costs more than
//! anything else. So each is told a moment of its own, spread over a window that the sockets' number gives.

use std::sync::OnceLock;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Sockets that are asked to come back within one second.
const SOCKETS_PER_SECOND: f64 = 200.0;
/// The shortest window.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long after its moment a socket that has not gone by itself is closed.
pub const GRACE: Duration = Duration::from_secs(2);

/// Over which time the sockets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    window: Duration,
}

impl Plan {
    /// For this many sockets. `longest` wins over what they would need; 0 is a plan in which every socket goes at once.
    pub fn new(sockets: usize, longest: Duration) -> Self {
        let needed = Duration::from_secs_f64(sockets as f64 / SOCKETS_PER_SECOND);
        Self { window: if sockets == 0 { Duration::ZERO } else { needed.max(SHORTEST).min(longest) } }
    }

    /// Whether the sockets are given time at all.
    pub fn gives_time(&self) -> bool {
        !self.window.is_zero()
    }

    /// When a socket's moment comes, counted from the beginning. `chance` is its own, from 0 to 1.
    pub fn moment(&self, chance: f64) -> Duration {
        self.window.mul_f64(chance.clamp(0.0, 1.0))
    }

    /// When the last socket is closed at the latest, counted from the beginning.
    pub fn end(&self) -> Duration {
        if self.gives_time() { self.window + GRACE } else { Duration::ZERO }
    }
}

/// Whether the server goes down, and by which plan. It begins once, and never ends.
#[derive(Debug, Default)]
pub struct Drain {
    plan: OnceLock<Plan>,
    begun: CancellationToken,
}

impl Drain {
    /// Begins. The first plan stands.
    pub fn begin(&self, plan: Plan) {
        self.plan.get_or_init(|| plan);
        self.begun.cancel();
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Waits until it begins.
    pub async fn begun(&self) -> Plan {
        self.begun.cancelled().await;
        // There is a plan before it is said to have begun.
        self.plan.get().copied().unwrap_or(Plan { window: Duration::ZERO })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_window_grows_with_the_sockets_between_a_second_and_what_the_operator_allows() {
        let window = |sockets| Plan::new(sockets, MINUTE).moment(1.0);
        assert_eq!(window(1), Duration::from_secs(1));
        assert_eq!(window(200), Duration::from_secs(1));
        assert_eq!(window(2_000), Duration::from_secs(10));
        assert_eq!(window(1_000_000), MINUTE);
        assert_eq!(Plan::new(1_000_000, Duration::from_millis(300)).moment(1.0), Duration::from_millis(300));
    }

    #[test]
    fn nobody_waits_when_there_is_nobody_or_the_operator_allows_no_time() {
        for plan in [Plan::new(0, MINUTE), Plan::new(5, Duration::ZERO)] {
            assert!(!plan.gives_time() && plan.end().is_zero() && plan.moment(0.9).is_zero(), "{plan:?}");
        }
    }

    #[test]
    fn every_moment_is_within_the_window_and_the_end_leaves_time_after_the_last() {
        let plan = Plan::new(4_000, MINUTE);
        for chance in [-1.0, 0.0, 0.25, 0.999, 1.0, 7.0] {
            assert!(plan.moment(chance) <= Duration::from_secs(20));
        }
        assert!(plan.moment(0.25) < plan.moment(0.26));
        assert_eq!(plan.end(), Duration::from_secs(20) + GRACE);
    }

    #[tokio::test]
    async fn who_waits_for_a_drain_is_told_its_first_plan() {
        let drain = Drain::default();
        assert!(!drain.has_begun());
        let plan = Plan::new(1_000, MINUTE);
        drain.begin(plan);
        drain.begin(Plan::new(0, MINUTE));
        assert!(drain.has_begun());
        assert_eq!(drain.begun().await, plan);
    }
}
