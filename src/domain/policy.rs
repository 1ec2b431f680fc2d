//! What marketplaces change: windows, lists and amounts, as data handed to the rules.

/// The policy a command is decided under. Its version is kept with every entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Counts up with every change of the policy.
    pub version: u32,
    /// How long an invitation can be answered, in days.
    pub invitation_days: u32,
    /// How long an author can edit a message, in minutes.
    pub edit_minutes: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { version: 1, invitation_days: 14, edit_minutes: 15 }
    }
}
