//! The entries of one log as everybody saw them. There is one history, unless an older copy of the database came back: then what it
//! did not hold is a branch that ends.
//!
//! Branch 0 is what the last reading showed (or, without one, what was seen first). An entry belongs where its hash says: the hash
//! covers everything before it.

/// No command: the server's own doing, or from before the run.
pub(super) const NO_OP: u32 = u32::MAX;

const WHO: u32 = (1 << 30) - 1;

/// One entry. Kept small: there is one for each in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Of the hash; 0: it was not told.
    pub(super) hash: u64,
    /// Everything else that readers have to agree on.
    pub(super) content: u64,
    pub(super) op: u32,
    /// Who saw it first, and which last readings hold it.
    who: u32,
}

/// A reading in memory of the server (over HTTP), or of its database.
pub(super) const READ_FRESH: u32 = 1 << 30;
/// See [`READ_FRESH`].
pub(super) const READ_DB: u32 = 1 << 31;

impl Slot {
    const EMPTY: Self = Self { hash: 0, content: 0, op: NO_OP, who: WHO };

    pub(super) fn new(hash: u64, content: u64, op: u32, who: u32) -> Self {
        Self { hash, content, op, who: who & WHO }
    }

    fn is_empty(&self) -> bool {
        self.who & WHO == WHO
    }

    pub(super) fn who(&self) -> u32 {
        self.who & WHO
    }

    /// Which last readings hold it.
    pub(super) fn read(&self) -> u32 {
        self.who & !WHO
    }

    fn has_hash_of(&self, other: &Self) -> bool {
        if self.hash != 0 && other.hash != 0 {
            self.hash == other.hash
        } else {
            self.content == other.content
        }
    }
}

#[derive(Debug, Default)]
struct Branch {
    parent: u16,
    /// The last entry it has in common with its parent.
    fork: u64,
    slots: Vec<Slot>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It was known.
    Known,
    /// It is the first of its number on this branch.
    New,
    /// It contradicts this one.
    Clash(Slot),
}

/// One log.
#[derive(Debug)]
pub(super) struct RoomLog {
    branches: Vec<Branch>,
    /// Which last readings there are.
    pub(super) read: u32,
    /// The last entry of the last reading.
    pub(super) last_read: u64,
}

impl Default for RoomLog {
    fn default() -> Self {
        Self { branches: vec![Branch::default()], read: 0, last_read: 0 }
    }
}

impl RoomLog {
    /// The branch that holds this number for whoever is on `branch`.
    pub(super) fn owner(&self, branch: u16, seq: u64) -> u16 {
        let mut owner = branch;
        while owner != 0 && seq <= self.branches[usize::from(owner)].fork {
            owner = self.branches[usize::from(owner)].parent;
        }
        owner
    }

    /// The entry of this number for whoever is on `branch`.
    pub(super) fn slot(&self, branch: u16, seq: u64) -> Option<&Slot> {
        let branch = &self.branches[usize::from(self.owner(branch, seq))];
        let index = usize::try_from(seq.checked_sub(branch.fork + 1)?).ok()?;
        branch.slots.get(index).filter(|slot| !slot.is_empty())
    }

    /// Branches on which somebody saw this entry, the main one first.
    pub(super) fn find(&self, seq: u64, wanted: impl Fn(&Slot) -> bool) -> Option<&Slot> {
        let branches = 0..u16::try_from(self.branches.len()).unwrap_or(u16::MAX);
        branches.into_iter().find_map(|branch| self.slot(branch, seq).filter(|slot| wanted(slot)))
    }

    /// Puts an entry where it belongs, seen by somebody on `branch`, and says on which branch that is.
    pub(super) fn place(&mut self, branch: u16, seq: u64, slot: Slot, may_fork: bool) -> (Placed, u16) {
        let count = u16::try_from(self.branches.len()).unwrap_or(u16::MAX);
        for candidate in std::iter::once(branch).chain((0..count).filter(|other| *other != branch)) {
            if let Some(known) = self.slot(candidate, seq).filter(|known| known.has_hash_of(&slot)) {
                let agrees = known.content == slot.content;
                let placed = if agrees { Placed::Known } else { Placed::Clash(*known) };
                return (placed, candidate);
            }
        }
        match self.slot(branch, seq).copied() {
            None => {
                let owner = self.owner(branch, seq);
                self.fill(owner, seq, slot);
                (Placed::New, branch)
            }
            Some(known) if !may_fork || known.hash == slot.hash => (Placed::Clash(known), branch),
            Some(_) => {
                let parent = self.owner(branch, seq.saturating_sub(1).max(1));
                self.branches.push(Branch { parent, fork: seq - 1, slots: vec![slot] });
                (Placed::New, count)
            }
        }
    }

    fn fill(&mut self, branch: u16, seq: u64, slot: Slot) {
        let branch = &mut self.branches[usize::from(branch)];
        let Ok(index) = usize::try_from(seq - branch.fork - 1) else { return };
        if branch.slots.len() <= index {
            branch.slots.resize(index + 1, Slot::EMPTY);
        }
        branch.slots[index] = slot;
    }

    /// Notes that a last reading holds this entry of the main branch.
    pub(super) fn mark_read(&mut self, seq: u64, reading: u32) {
        let slot = usize::try_from(seq - 1).ok().and_then(|index| self.branches[0].slots.get_mut(index));
        if let Some(slot) = slot {
            slot.who |= reading;
        }
    }

    /// Entries of the main branch beyond this number.
    pub(super) fn beyond(&self, seq: u64) -> impl Iterator<Item = (u64, &Slot)> {
        let numbered = (1_u64..).zip(&self.branches[0].slots);
        numbered.skip(usize::try_from(seq).unwrap_or(usize::MAX)).filter(|(_, slot)| !slot.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(hash: u64) -> Slot {
        Slot::new(hash, hash, NO_OP, 1)
    }

    #[test]
    fn a_history_that_forks_keeps_what_it_had_in_common() {
        let mut log = RoomLog::default();
        for seq in 1..=4 {
            assert_eq!(log.place(0, seq, slot(seq), true), (Placed::New, 0));
        }
        assert_eq!(log.place(0, 3, slot(33), true), (Placed::New, 1), "the older 3");
        assert_eq!(log.place(1, 4, slot(44), true), (Placed::New, 1));
        assert_eq!(log.place(1, 4, slot(4), true), (Placed::Known, 0), "the other branch's");
        assert_eq!((log.owner(1, 2), log.owner(1, 3), log.owner(0, 3)), (0, 1, 0));
        assert_eq!(log.place(1, 2, slot(2), true), (Placed::Known, 1), "before the fork both are one");
    }

    #[test]
    fn without_a_restore_another_entry_at_a_known_number_is_a_clash() {
        let mut log = RoomLog::default();
        log.place(0, 1, slot(1), false);
        assert_eq!(log.place(0, 1, slot(9), false), (Placed::Clash(slot(1)), 0));
        let same_hash = Slot::new(1, 7, NO_OP, 2);
        assert_eq!(
            log.place(0, 1, same_hash, true),
            (Placed::Clash(slot(1)), 0),
            "a hash says all, or nothing"
        );
    }
}
