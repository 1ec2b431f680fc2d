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
    /// How many posts have been let in or put off.
    entered: u64,
    /// The failed post that has not been sent again; the first of them, if there are several.
    waiting: Option<(Stamp, ClientId)>,
    /// The last post that failed on its way, and the last one that had been let in by then: what stood between them must not be
    /// written any more.
    closed: Option<(Stamp, ClientId)>,
}

/// The place of a post in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(u64);

impl Lane {
    /// Lets the failed post through again, and refuses any other while there is one.
    pub(super) fn enter(&self, client_id: ClientId) -> Result<Stamp, AppError> {
        self.lock().enter(client_id)
    }

    /// Refuses a post at the door, for a reason that passes: later ones are held until it was sent again. Those before it go on.
    pub(super) fn put_off(&self, client_id: ClientId) -> Result<(), AppError> {
        let mut state = self.lock();
        let stamp = state.enter(client_id)?;
        state.hold(stamp, client_id);
        Ok(())
    }

    /// Refuses a post that was let in before an earlier one failed.
    pub(super) fn still_open(&self, stamp: Stamp) -> Result<(), AppError> {
        match self.lock().closed {
            Some((last, failed)) if stamp <= last => Err(AppError::Held(failed)),
            _ => Ok(()),
        }
    }

    /// Whether a failed post waits to be sent again.
    pub fn is_held(&self) -> bool {
        self.lock().waiting.is_some()
    }

    /// A post failed that was let in, but never got under way.
    pub(super) fn turned_back(&self, stamp: Stamp, client_id: ClientId) {
        self.lock().hold(stamp, client_id);
    }

    /// A post failed on its way: all that are behind it are held.
    pub(super) fn failed(&self, stamp: Stamp, client_id: ClientId) {
        let mut state = self.lock();
        state.hold(stamp, client_id);
        state.closed = Some((Stamp(state.entered), client_id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LaneState> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl LaneState {
    fn enter(&mut self, client_id: ClientId) -> Result<Stamp, AppError> {
        match self.waiting {
            Some((_, first)) if first != client_id => Err(AppError::Held(first)),
            _ => {
                self.waiting = None;
                self.entered += 1;
                Ok(Stamp(self.entered))
            }
        }
    }

    fn hold(&mut self, stamp: Stamp, client_id: ClientId) {
        if self.waiting.is_none_or(|(first, _)| stamp < first) {
            self.waiting = Some((stamp, client_id));
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn ids() -> [ClientId; 3] {
        [1, 2, 3].map(|id| ClientId(Uuid::from_u128(id)))
    }

    fn is_held_by<T>(outcome: &Result<T, AppError>, first: ClientId) -> bool {
        matches!(outcome, Err(AppError::Held(by)) if *by == first)
    }

    #[test]
    fn after_a_failed_post_the_lane_lets_only_that_one_through() {
        let (lane, [first, second, _]) = (Lane::default(), ids());
        let stamps = [lane.enter(first), lane.enter(second)].map(|stamp| stamp.expect("an open lane"));
        lane.failed(stamps[0], first);
        assert!(lane.still_open(stamps[1]).is_err(), "one that was on its way behind it");
        assert!(is_held_by(&lane.enter(second), first));
        let again = lane.enter(first).expect("the failed one");
        assert!(lane.still_open(again).is_ok());
        assert!(lane.enter(second).is_ok());
    }

    /// The second post was queued behind the first, the first failed and was sent again at once: the second, still in the queue, must
    /// not be written before it.
    #[test]
    fn regression_a_post_let_in_before_a_failure_stays_held_after_the_failed_one_was_sent_again() {
        let (lane, [first, second, _]) = (Lane::default(), ids());
        let failed = lane.enter(first).expect("an open lane");
        let behind = lane.enter(second).expect("an open lane");
        lane.failed(failed, first);
        lane.enter(first).expect("the failed one, again");
        assert!(is_held_by(&lane.still_open(behind), first));
    }

    /// The third post found the queue full. The two before it were in the queue, and were held by it when their turn came: the client
    /// then sent the third one first.
    #[test]
    fn regression_a_post_that_is_refused_at_the_door_holds_those_behind_it_and_not_those_before_it() {
        for at_once in [true, false] {
            let (lane, [first, second, third]) = (Lane::default(), ids());
            let before = lane.enter(first).expect("an open lane");
            if at_once {
                lane.put_off(second).expect("put off");
            } else {
                let stamp = lane.enter(second).expect("an open lane");
                lane.turned_back(stamp, second);
            }
            assert!(lane.still_open(before).is_ok());
            assert!(is_held_by(&lane.enter(third), second));
            assert!(is_held_by(&lane.put_off(third), second));
            let again = lane.enter(second).expect("the one that waits");
            assert!(lane.still_open(again).is_ok() && lane.enter(third).is_ok());
        }
    }

    #[test]
    fn of_two_that_failed_the_earlier_one_is_waited_for_whichever_was_refused_first() {
        let (lane, [first, second, _]) = (Lane::default(), ids());
        let stamp = lane.enter(first).expect("an open lane");
        lane.put_off(second).expect("put off");
        lane.failed(stamp, first);
        assert!(is_held_by(&lane.enter(second), first));
        let again = lane.enter(first).expect("the earlier one");
        assert!(lane.still_open(again).is_ok());
    }
}
