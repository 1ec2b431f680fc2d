//! The order of one socket's posts to one room, kept over retries.

use std::sync::Mutex;

use anteroom_protocol::id::ClientId;

use super::AppError;

/// Keeps the posts of one socket to one room in order over a retry: once one has failed retryably, later ones are held until it was
/// sent again, also those that were on their way already.
#[derive(Debug, Default)]
pub struct Lane(Mutex<LaneState>);

#[derive(Debug, Default)]
struct LaneState {
    /// The failed post that has not been sent again.
    waiting: Option<ClientId>,
    /// The last one that failed, and how many have.
    last: Option<ClientId>,
    failures: u64,
}

/// How many posts of the lane had failed when one was let in: what was let in before a failure must not be written after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Lane {
    /// Lets the failed post through again, and refuses any other while there is one.
    pub(super) fn enter(&self, client_id: ClientId) -> Result<Stamp, AppError> {
        let mut state = self.lock();
        match state.waiting {
            Some(first) if first != client_id => Err(AppError::Held(first)),
            _ => {
                state.waiting = None;
                Ok(Stamp(state.failures))
            }
        }
    }

    /// Refuses a post that was let in before an earlier one failed.
    pub(super) fn still_open(&self, Stamp(failures): Stamp) -> Result<(), AppError> {
        let state = self.lock();
        match state.last {
            Some(failed) if state.failures != failures => Err(AppError::Held(failed)),
            _ => Ok(()),
        }
    }

    /// Whether a failed post waits to be sent again.
    pub fn is_held(&self) -> bool {
        self.lock().waiting.is_some()
    }

    pub(super) fn hold(&self, client_id: ClientId) {
        let mut state = self.lock();
        state.waiting.get_or_insert(client_id);
        state.last = Some(client_id);
        state.failures += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LaneState> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn ids() -> [ClientId; 2] {
        [1, 2].map(|id| ClientId(Uuid::from_u128(id)))
    }

    #[test]
    fn after_a_failed_post_the_lane_lets_only_that_one_through() {
        let (lane, [first, second]) = (Lane::default(), ids());
        let stamps = [lane.enter(first), lane.enter(second)].map(|stamp| stamp.expect("an open lane"));
        lane.hold(first);
        assert!(lane.still_open(stamps[1]).is_err(), "one that was on its way behind it");
        assert!(matches!(lane.enter(second), Err(AppError::Held(by)) if by == first));
        let again = lane.enter(first).expect("the failed one");
        assert!(lane.still_open(again).is_ok());
        assert!(lane.enter(second).is_ok());
    }

    /// The second post was queued behind the first, the first failed and was sent again at once: the second, still in the queue, must
    /// not be written before it.
    #[test]
    fn regression_a_post_let_in_before_a_failure_stays_held_after_the_failed_one_was_sent_again() {
        let (lane, [first, second]) = (Lane::default(), ids());
        lane.enter(first).expect("an open lane");
        let behind = lane.enter(second).expect("an open lane");
        lane.hold(first);
        lane.enter(first).expect("the failed one, again");
        assert!(matches!(lane.still_open(behind), Err(AppError::Held(by)) if by == first));
    }
}
