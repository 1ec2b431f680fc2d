//! How far each log was offered here lately. What the log holds beyond that, nobody here was told of.
//!
//! Two generations are kept: what was offered since the last look back, and what was offered between the two before. A look goes back a little
//! further than the one before it, so it finds nothing that is only forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anteroom_protocol::log::Hash;

use crate::domain::log::Log;

#[derive(Default)]
pub(super) struct Reached(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    /// The log, the number and the hash of the last one of all.
    newest: Option<(Log, u64, Hash)>,
    now: HashMap<Log, u64>,
    before: HashMap<Log, u64>,
}

impl Reached {
    /// An entry of this number and this hash was offered.
    pub(super) fn note(&self, log: &Log, seq: u64, hash: Hash) {
        let mut kept = self.lock();
        kept.newest = Some((log.clone(), seq, hash));
        match kept.now.get_mut(log) {
            Some(reached) => *reached = seq.max(*reached),
            None => drop(kept.now.insert(log.clone(), seq)),
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

    /// The highest number that was offered lately.
    pub(super) fn of(&self, log: &Log) -> Option<u64> {
        let kept = self.lock();
        kept.now.get(log).max(kept.before.get(log)).copied()
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

    #[test]
    fn what_was_offered_is_known_until_the_second_look() {
        let (reached, log) = (Reached::default(), Log::Room(RoomId(Uuid::from_u128(1))));
        assert_eq!(reached.of(&log), None);
        let note = |seq| reached.note(&log, seq, Hash::GENESIS);
        [1, 3, 2].into_iter().for_each(note);
        assert_eq!(reached.of(&log), Some(3));
        reached.turn();
        assert_eq!(reached.of(&log), Some(3));
        note(2);
        assert_eq!(reached.of(&log), Some(3), "what comes late takes nothing back");
        reached.turn();
        assert_eq!(reached.of(&log), Some(2));
        reached.turn();
        assert_eq!(reached.of(&log), None);
        assert_eq!(reached.newest(), Some((log.clone(), 2, Hash::GENESIS)), "however long ago");
        reached.forget();
        assert_eq!(reached.newest(), None);
    }
}
