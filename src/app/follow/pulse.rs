//! Whether what is committed reaches who is here: not that the process turns, but that the ways of an entry do.
//!
//! What is committed here goes to the sockets here without anybody else. What other nodes commit comes over the bus, which this node knows to
//! work by hearing itself over it; and what the bus lost is found by looking back, which has to have worked lately.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How late a look may be that is due.
const LATE: Duration = Duration::from_secs(10);

/// What the follower knows of it.
#[derive(Debug)]
pub struct Pulse(Mutex<State>);

#[derive(Debug)]
struct State {
    degraded: bool,
    /// When it has to have been looked back.
    due: Instant,
}

/// Why entries come late, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Impaired {
    /// The bus does not work.
    #[error("the other nodes are not heard: what they write is looked for once a second")]
    Deaf,
    /// The database is not read.
    #[error("it could not be looked back lately: what is lost on the bus stays unheard")]
    Blind,
}

impl Pulse {
    /// All is well so far.
    pub(super) fn new(due: Instant) -> Self {
        Self(Mutex::new(State { degraded: false, due }))
    }

    pub(super) fn degraded(&self, degraded: bool) {
        self.lock().degraded = degraded;
    }

    /// It was looked back, and is to be again at this time.
    pub(super) fn looked(&self, next: Instant) {
        self.lock().due = next;
    }

    /// Whether entries get through.
    ///
    /// # Errors
    /// What is wrong; the worse, if both are.
    pub fn check(&self) -> Result<(), Impaired> {
        let state = self.lock();
        if Instant::now() > state.due + LATE {
            return Err(Impaired::Blind);
        }
        if state.degraded { Err(Impaired::Deaf) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn entries_get_through_while_the_bus_works_and_it_was_looked_back_lately() {
        let pulse = Pulse::new(Instant::now() + Duration::from_secs(30));
        assert_eq!(pulse.check(), Ok(()));
        pulse.degraded(true);
        assert_eq!(pulse.check(), Err(Impaired::Deaf));
        pulse.degraded(false);
        advance(Duration::from_secs(41)).await;
        assert_eq!(pulse.check(), Err(Impaired::Blind));
        pulse.looked(Instant::now());
        assert_eq!(pulse.check(), Ok(()));
    }
}
