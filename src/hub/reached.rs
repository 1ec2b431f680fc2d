//! How far each log was offered here lately. What the log holds beyond that, nobody here was told of.
//!
//! Entries that were written here may be offered before one that another node wrote before them, and that one may never be heard of. So what
//! counts is up to where everything was offered; what was offered beyond that is remembered until the rest has come.
//!
//! Two generations are kept: what was offered since the last look back, and what was offered between the two before. A look goes back a little
//! further than the one before it, so it finds nothing that is only forgotten.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anteroom_protocol::log::Hash;

use crate::domain::log::Log;

/// Of more that is missing, only the last one is offered, and whoever reads the log reads the rest: then nothing is waited for.
const MOST_MISSING: u64 = 64;

#[derive(Default)]
pub(super) struct Reached(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    /// The log, the number and the hash of the last one of all.
    newest: Option<(Log, u64, Hash)>,
    now: HashMap<Log, Place>,
    before: HashMap<Log, Place>,
}

/// What was offered of one log.
#[derive(Clone)]
struct Place {
    /// Everything from here on …
    from: u64,
    /// … up to here …
    to: u64,
    /// … and these, of which the first is not the next one.
    beyond: BTreeSet<u64>,
}

impl Place {
    fn note(&mut self, seq: u64) {
        if seq > self.to + MOST_MISSING {
            self.to = seq;
            self.beyond = self.beyond.split_off(&seq);
        } else if seq > self.to {
            self.beyond.insert(seq);
        }
        while self.beyond.remove(&(self.to + 1)) {
            self.to += 1;
        }
    }
}

impl Reached {
    /// An entry of this number and this hash was offered.
    pub(super) fn note(&self, log: &Log, seq: u64, hash: Hash) {
        let Generations { newest, now, before } = &mut *self.lock();
        *newest = Some((log.clone(), seq, hash));
        match now.get_mut(log) {
            Some(place) => place.note(seq),
            None => {
                let mut place =
                    before.get(log).cloned().unwrap_or(Place { from: seq, to: seq, beyond: BTreeSet::new() });
                place.note(seq);
                now.insert(log.clone(), place);
            }
        }
    }

    /// Before what was offered nothing is missing from this number on.
    pub(super) fn note_from(&self, log: &Log, from: u64) {
        let Generations { now, before, .. } = &mut *self.lock();
        for place in [now, before].into_iter().filter_map(|places| places.get_mut(log)) {
            place.from = from.min(place.from);
        }
    }

    /// What was offered last.
    pub(super) fn newest(&self) -> Option<(Log, u64, Hash)> {
        self.lock().newest.clone()
    }

    /// Nothing was offered yet.
    pub(super) fn forget(&self) {
        *self.lock() = Generations::default();
    }

    /// The numbers from which and up to which everything was offered lately.
    pub(super) fn of(&self, log: &Log) -> Option<(u64, u64)> {
        let kept = self.lock();
        kept.now.get(log).or_else(|| kept.before.get(log)).map(|place| (place.from, place.to))
    }

    /// A new generation begins, and the oldest is forgotten.
    pub(super) fn turn(&self) {
        let mut kept = self.lock();
        kept.before = std::mem::take(&mut kept.now);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        // Nothing under this lock can panic half-way through a change, so what is poisoned is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::id::RoomId;
    use uuid::Uuid;

    use super::*;

    fn log() -> Log {
        Log::Room(RoomId(Uuid::from_u128(1)))
    }

    #[test]
    fn what_was_offered_is_known_until_the_second_look() {
        let (reached, log) = (Reached::default(), log());
        assert_eq!(reached.of(&log), None);
        for seq in [1, 2, 3] {
            reached.note(&log, seq, Hash::GENESIS);
        }
        assert_eq!(reached.of(&log), Some((1, 3)));
        reached.turn();
        assert_eq!(reached.of(&log), Some((1, 3)));
        reached.note(&log, 2, Hash::GENESIS);
        assert_eq!(reached.of(&log), Some((1, 3)), "what comes late takes nothing back");
        reached.turn();
        assert_eq!(reached.of(&log), Some((1, 3)));
        reached.turn();
        assert_eq!(reached.of(&log), None);
        assert_eq!(reached.newest(), Some((log.clone(), 2, Hash::GENESIS)), "however long ago");
        reached.forget();
        assert_eq!(reached.newest(), None);
    }

    /// What another node wrote was never heard of, and passed for offered as soon as somebody here wrote behind it.
    #[test]
    fn regression_what_was_written_here_does_not_stand_for_what_is_missing_before_it() {
        let (reached, log) = (Reached::default(), log());
        for (seq, to) in [(4, 4), (6, 4), (8, 4), (5, 6), (9, 6)] {
            reached.note(&log, seq, Hash::GENESIS);
            assert_eq!(reached.of(&log), Some((4, to)), "{seq}");
        }
        reached.turn();
        reached.note(&log, 10, Hash::GENESIS);
        assert_eq!(reached.of(&log), Some((4, 6)), "not forgotten with the generation");
        reached.note(&log, 7, Hash::GENESIS);
        assert_eq!(reached.of(&log), Some((4, 10)));
        reached.note_from(&log, 2);
        reached.note_from(&log, 3);
        assert_eq!(reached.of(&log), Some((2, 10)), "what stood before the first one was read");
    }

    #[test]
    fn more_than_is_read_at_once_is_not_waited_for() {
        let (reached, log) = (Reached::default(), log());
        for (seq, to) in [(1, 1), (60, 1), (65, 1), (66, 66), (67, 67)] {
            reached.note(&log, seq, Hash::GENESIS);
            assert_eq!(reached.of(&log), Some((1, to)), "{seq}");
        }
    }
}
