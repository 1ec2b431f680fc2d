//! What a transcript that verifies is, for whoever asked.

use std::fmt;

use super::Audience;
use crate::id::{ContractId, RoomId};
use crate::log::Hash;
use crate::time::Time;

/// A transcript that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The room.
    pub room: RoomId,
    /// Whose eyes it is for.
    pub audience: Audience,
    /// How many entries there are.
    pub entries: u64,
    /// Of how many the content was deleted.
    pub redacted: u64,
    /// The number of the last entry.
    pub head: u64,
    /// The hash of the last entry.
    pub hash: Hash,
    /// Every seal, in order.
    pub seals: Vec<Sealed>,
    /// When it was made.
    pub exported_at: Time,
    /// The fingerprint of the key it was signed with.
    pub key: Hash,
}

/// One seal that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The contract.
    pub contract: ContractId,
    /// The number of the last entry that is sealed.
    pub position: u64,
    /// The version of the terms that was agreed on.
    pub version: u32,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, noun) = (grouped(self.entries), if self.entries == 1 { "entry" } else { "entries" });
        writeln!(f, "verified: {entries} {noun} of room {}", self.room)?;
        writeln!(f, "made at {} for: {}", self.exported_at, self.audience.as_str())?;
        writeln!(f, "last entry: {}, hash {}", self.head, self.hash)?;
        writeln!(f, "deleted since: the content of {}", grouped(self.redacted))?;
        for Sealed { contract, position, version } in &self.seals {
            writeln!(
                f,
                "sealed: contract {contract}, entries 1 to {position}, version {version} of the terms"
            )?;
        }
        if self.seals.is_empty() {
            writeln!(f, "sealed: nothing")?;
        }
        write!(f, "signed with key {}", self.key)
    }
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_in_groups_of_three() {
        for (number, text) in [(0, "0"), (7, "7"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
