//! The order of one socket's posts to one room, kept over retries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::limits;

use super::AppError;

/// Rooms of one socket that have a lane each. The posts to all others share one, and are held for each other: in that, order is kept
/// and nothing grows.
const LANES: usize = limits::JOINED_ROOMS;

/// The lanes of one socket's posts.
#[derive(Debug, Default)]
pub struct Lanes {
    rooms: HashMap<RoomRef, Arc<Lane>>,
    /// The one that is shared by the rooms without one of their own. While it is busy, nobody knows of which of them.
    shared: Option<Arc<Lane>>,
}

impl Lanes {
    /// The lane of posts to this room. One that is not busy is as good as new, and is forgotten when there is no place for another.
    pub fn of(&mut self, room: RoomRef) -> Arc<Lane> {
        if let Some(lane) = self.rooms.get(&room) {
            return lane.clone();
        }
        if self.rooms.len() >= LANES {
            self.rooms.retain(|_, lane| is_busy(lane));
        }
        self.shared = self.shared.take().filter(is_busy);
        if self.shared.is_some() || self.rooms.len() >= LANES {
            self.shared.get_or_insert_default().clone()
        } else {
            self.rooms.entry(room).or_default().clone()
        }
    }
}

/// Whether one of a lane's posts is on its way, or a failed one waits to be sent again. Asked in this order: the last one on its way leaves
/// behind that it failed before it is gone.
fn is_busy(lane: &Arc<Lane>) -> bool {
    Arc::strong_count(lane) > 1 || lane.is_held()
}

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
    fn is_held(&self) -> bool {
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
    use anteroom_protocol::id::RoomId;
    use uuid::Uuid;

    use super::*;

    fn room(number: usize) -> RoomRef {
        RoomRef::Room(RoomId(Uuid::from_u128(number as u128)))
    }

    /// Posts to ever more rooms while the database failed took a place each, and gave none back.
    #[test]
    fn regression_lanes_have_a_bound_also_when_a_failed_post_waits_in_each() {
        let mut lanes = Lanes::default();
        let [first, behind, _] = ids();
        for number in 0..LANES {
            lanes.of(room(number)).put_off(first).expect("put off");
        }
        // No room has a place for its own order: the first that fails holds all of them.
        lanes.of(room(LANES)).put_off(first).expect("put off");
        for number in LANES..LANES * 3 {
            assert!(is_held_by(&lanes.of(room(number)).enter(behind), first));
        }
        assert_eq!(lanes.rooms.len(), LANES);
        lanes.of(room(0)).enter(first).expect("the one that waits there");
        assert!(lanes.of(room(0)).enter(behind).is_ok(), "a room that has a lane has it to itself");
    }

    #[test]
    fn a_room_keeps_the_order_of_its_posts_when_it_gets_a_lane_of_its_own() {
        let mut lanes = Lanes::default();
        let [first, behind, _] = ids();
        for number in 0..LANES {
            lanes.of(room(number)).put_off(first).expect("put off");
        }
        lanes.of(room(LANES)).put_off(first).expect("put off");
        for number in 0..LANES {
            lanes.of(room(number)).enter(first).expect("the one that waits there");
        }
        assert!(is_held_by(&lanes.of(room(LANES)).enter(behind), first), "there is room, and one waits");
        let underway = lanes.of(room(LANES));
        underway.enter(first).expect("the one that waits");
        assert!(Arc::ptr_eq(&lanes.of(room(LANES)), &underway), "one is on its way");
        drop(underway);
        lanes.of(room(LANES)).put_off(first).expect("put off");
        assert!(lanes.of(room(LANES + 1)).enter(behind).is_ok(), "nothing is shared any more");
    }

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
