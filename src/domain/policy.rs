//! What marketplaces change: windows and amounts, as data handed to the rules. The configuration has them under these names.

use serde::{Deserialize, Serialize};

use crate::domain::guard::ContactPolicy;

/// The policy a command is decided under. Its version is kept with every entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Counts up with every change of what follows.
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
    /// How far back a profile's response speed looks, in days.
    pub response_days: u32,
    /// How many countable invitations or proposals it takes to show one.
    pub response_minimum: u32,
    /// How long a client can take an invitation out of the ledger, in hours from its sending.
    pub response_final_hours: u32,
    /// How long a client has to answer a proposal before it counts as unanswered, in days.
    pub proposal_answer_days: u32,
    /// How long something may be unread before it is pushed, in seconds; an invitation only when it is on a socket of the freelancer's.
    pub push_delay_seconds: u32,
    /// Whether new terms, of whichever side, end an offer that stands.
    pub counter_ends_offer: bool,
    /// What is done about contact information in each phase.
    pub contact: ContactPolicy,
}

/// What days of a policy are counted in.
pub const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

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
            response_days: 90,
            response_minimum: 5,
            response_final_hours: 24,
            proposal_answer_days: 30,
            push_delay_seconds: 30,
            counter_ends_offer: false,
            contact: ContactPolicy::default(),
        }
    }
}
