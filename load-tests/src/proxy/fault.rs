//! What can be done to connections, each by the failure of the real world that it stands for.

use std::time::Duration;

/// One of the two directions of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Requests: from whoever connects to the proxy.
    ToServer,
    /// Replies.
    ToClient,
}

impl Way {
    pub(super) fn back(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// How new connections are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Door {
    /// They are led to the server.
    #[default]
    Open,
    /// Nobody listens: the process has crashed, is being restarted, or has not been started. `ECONNREFUSED`.
    Closed,
    /// They are accepted and reset at once: a load balancer without a server behind it, a server with no place left.
    Slammed,
}

/// What is done to the bytes that go one way. It takes hold of what is under way already, and of connections to come.
///
/// Whatever is chosen, a `connect` is still answered: that is the operating system's doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done.
    #[default]
    Pass,
    /// Bytes vanish, also the news that a peer is gone, and the connection stays: a cable is cut, a machine has lost its power, a
    /// firewall has forgotten the connection. Nothing is ever heard of it.
    ///
    /// A connection that has lost bytes is never whole again. When the fault is over, the next bytes on it have it reset, as a machine
    /// that has come back answers what it does not know; a peer that only listens waits for ever.
    Vanish,
    /// Bytes wait, and go on in order when the fault is over: a partition that heals before anybody gives up, a peer that is paused, a
    /// long collection of garbage. When some 256 KiB wait, nothing more is taken from the sender.
    Hold,
    /// Every byte arrives this much later, in order: a server in another region. It delays and does not throttle, as long as no more
    /// than some 256 KiB are under way.
    Delay(Duration),
    /// On each connection at most so many bytes arrive in a second (at least one): a full line, a noisy neighbour, a slow reader.
    Throttle(u32),
    /// In each run of so many bytes of a connection, one bit is turned: broken memory, a broken middlebox. Which one follows from the
    /// seed alone, however the bytes are cut into pieces.
    Corrupt {
        /// The length of the run, in bytes. At most one, and it is in every byte.
        every: u32,
        /// The same seed turns the same bits.
        seed: u64,
    },
}

impl Fault {
    /// How much later than at once what comes now is due.
    pub(super) fn delay(self) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::Pass | Self::Vanish | Self::Hold | Self::Throttle(_) | Self::Corrupt { .. } => {
                Duration::ZERO
            }
        }
    }
}

/// Turns bits in bytes that begin at this place of their direction. Gives how many.
pub(super) fn corrupt(bytes: &mut [u8], begin: u64, every: u32, seed: u64) -> u64 {
    let every = u64::from(every.max(1));
    let mut flipped = 0;
    for (place, byte) in (begin..).zip(bytes) {
        let run = place / every;
        let chance = scramble(seed ^ scramble(run));
        if place % every == chance % every {
            *byte ^= 1 << (chance >> 61);
            flipped += 1;
        }
    }
    flipped
}

/// A number that looks like chance and is not (SplitMix64).
fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_of_each_run_is_turned_however_the_bytes_are_cut() {
        let mut whole = [0; 1_000];
        assert_eq!(corrupt(&mut whole, 0, 100, 7), 10);
        for run in whole.chunks(100) {
            assert_eq!(run.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
        }
        let mut cut = [0; 1_000];
        let (first, second) = cut.split_at_mut(333);
        assert_eq!(corrupt(first, 0, 100, 7) + corrupt(second, 333, 100, 7), 10);
        assert_eq!(whole, cut);
        let mut other = [0; 1_000];
        corrupt(&mut other, 0, 100, 8);
        assert_ne!(whole, other);
        let mut each = [0; 10];
        assert_eq!(corrupt(&mut each, 0, 0, 1), 10);
    }
}
