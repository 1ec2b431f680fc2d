//! What marketplaces decide differently: periods and amounts of the rules.

use config::ConfigError;
use serde::{Deserialize, Serialize};

/// The longest period of a rule, in days.
const DAYS: u32 = 365;
/// The most versions of each side: a command reads all of a candidacy's.
const VERSIONS: u16 = 500;
/// The longest time in which a message can be edited, in minutes: a day.
const MINUTES: u32 = 24 * 60;

/// The numbers of the rules in `docs/domain.md`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Counts up with every change of what follows: each entry of a log keeps the version it was decided under.
    pub version: u32,
    /// How long an invitation can be answered, in days.
    pub invitation_days: u32,
    /// How long an author can edit a message, in minutes. 0: never.
    pub edit_minutes: u32,
    /// How long a client's counter-proposal can be accepted, in days.
    pub counter_days: u32,
    /// How many versions of the terms each side can propose for one candidacy.
    pub terms_versions: u16,
    /// How long an offer can be accepted at most, and when the client says nothing else, in days.
    pub offer_days: u32,
    /// How long after an offer was made changes of it can be asked for, in days.
    pub change_request_days: u32,
    /// How often that can be within an hour. 0: never.
    pub change_requests_per_hour: u8,
    /// Whether new terms, of whichever side, end an offer that stands.
    pub counter_ends_offer: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            invitation_days: 14,
            edit_minutes: 15,
            counter_days: 14,
            terms_versions: 50,
            offer_days: 14,
            change_request_days: 7,
            change_requests_per_hour: 3,
            counter_ends_offer: false,
        }
    }
}

impl Policy {
    /// Refuses a period that no rule could be kept with.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (name, days) in [
            ("invitation_days", self.invitation_days),
            ("counter_days", self.counter_days),
            ("offer_days", self.offer_days),
            ("change_request_days", self.change_request_days),
        ] {
            if !(1..=DAYS).contains(&days) {
                return Err(ConfigError::Message(format!("policy.{name} is {days}: must be 1 to {DAYS}")));
            }
        }
        if !(1..=VERSIONS).contains(&self.terms_versions) {
            let versions = self.terms_versions;
            let why = format!("policy.terms_versions is {versions}: must be 1 to {VERSIONS}");
            return Err(ConfigError::Message(why));
        }
        if self.edit_minutes > MINUTES {
            let minutes = self.edit_minutes;
            let why = format!("policy.edit_minutes is {minutes}: must be 0 to {MINUTES}");
            return Err(ConfigError::Message(why));
        }
        Ok(())
    }
}
