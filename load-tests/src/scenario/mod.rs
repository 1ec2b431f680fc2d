//! The loads. Each part takes a plan and a target and gives a result; [`crate::report`] says what the results mean.

pub mod hostile;
pub mod idle;
pub mod rooms;
pub mod scale;
pub mod steady_rooms;
pub mod target;

mod pair;

use std::path::Path;

use anyhow::Context as _;

use crate::history::check::{Options, check};
use crate::history::verdict::Verdict;
use crate::history::{Logs, files};

/// Keeps these logs, if they are to be kept, and judges them.
fn judged(logs: &Logs, keep: Option<&Path>) -> anyhow::Result<Verdict> {
    if let Some(directory) = keep {
        files::keep(logs, directory)
            .with_context(|| format!("keeping the logs in {}", directory.display()))?;
    }
    Ok(check(logs, Options::default()))
}

/// A small generator of numbers that are the same for the same seed (SplitMix64): what is sent is repeatable.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Words of lower-case letters, this many bytes in all.
    fn prose(&mut self, bytes: usize) -> String {
        const SIGNS: &[u8; 32] = b"etaoinshrdlucmfwypvbgkjqxz etaoi";
        let mut prose = String::with_capacity(bytes + 8);
        while prose.len() < bytes {
            prose.extend(self.next().to_le_bytes().map(|byte| char::from(SIGNS[usize::from(byte % 32)])));
        }
        prose.truncate(bytes);
        prose
    }
}

/// A name that no earlier run on the same server used.
fn fresh_name() -> String {
    format!("lt-{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_words_and_another_seed_gives_others() {
        assert_eq!(Random(1).prose(200), Random(1).prose(200));
        assert_ne!(Random(1).prose(200), Random(2).prose(200));
        assert_eq!(Random(1).prose(13).len(), 13);
    }
}
