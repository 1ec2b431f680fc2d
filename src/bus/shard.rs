//! Shards: every log belongs to one of 256, on every node and for ever. A channel of the bus carries one shard, and what was missed is
//! said by shard, so that only the logs of that shard have to be looked at.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::domain::log::Log;

/// How many there are. Nodes of different versions must agree on it.
pub const SHARDS: usize = 256;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard(u8);

impl Shard {
    /// The one that a log belongs to: the first byte of the SHA-256 of its name. A person belongs where the person's inbox does.
    pub fn of(log: &Log) -> Self {
        let [first, ..] = <[u8; 32]>::from(Sha256::digest(log.to_string()));
        Self(first)
    }

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// Its place among all.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Some of them.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Shards([u64; 4]);

impl Shards {
    /// None.
    pub const NONE: Self = Self([0; 4]);
    /// Every one.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// One more.
    pub fn insert(&mut self, shard: Shard) {
        self.0[shard.index() / 64] |= 1 << (shard.index() % 64);
    }

    /// Whether it is among them.
    pub fn contains(&self, shard: Shard) -> bool {
        self.0[shard.index() / 64] & (1 << (shard.index() % 64)) != 0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// These and those.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let mut both = self;
        both.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        both
    }
}

impl From<Shard> for Shards {
    fn from(shard: Shard) -> Self {
        let mut shards = Self::NONE;
        shards.insert(shard);
        shards
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.write_str("all"),
            _ => f
                .debug_set()
                .entries(Shard::all().filter(|shard| self.contains(*shard)).map(|it| it.0))
                .finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::id::RoomId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_log_belongs_to_the_same_shard_on_every_node_and_for_ever() {
        let room = Log::Room(RoomId(Uuid::from_u128(1)));
        let inbox = Log::Inbox("clara".parse().expect("a user id"));
        assert_eq!((Shard::of(&room).index(), Shard::of(&inbox).index()), (122, 125));
    }

    #[test]
    fn logs_spread_over_all_shards() {
        let mut seen = Shards::NONE;
        (0..5_000).for_each(|number| seen.insert(Shard::of(&Log::Room(RoomId(Uuid::from_u128(number))))));
        assert_eq!(seen, Shards::ALL);
        assert_eq!(seen.len(), SHARDS);
    }

    #[test]
    fn some_shards_are_those_that_were_put_in() {
        let [first, .., last] = &Shard::all().collect::<Vec<_>>()[..] else { panic!("256 shards") };
        let both = Shards::from(*first).union(Shards::from(*last));
        let inside: Vec<usize> = Shard::all().filter(|it| both.contains(*it)).map(Shard::index).collect();
        assert_eq!(inside, [0, 255]);
        assert!(Shards::NONE.is_empty() && !both.is_empty());
    }
}
