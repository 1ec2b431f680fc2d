//! The bounds of what marketplaces decide differently.

use config::ConfigError;

use crate::domain::policy::Policy;

/// The longest period of a rule, in days.
const DAYS: u32 = 365;
/// The most versions of each side: a command reads all of a candidacy's.
const VERSIONS: u16 = 500;
/// The most invitations it takes to show a response speed.
const COUNTED: u32 = 1_000;
/// The longest time in which an invitation can be taken out of the ledger, in hours: a week.
const HOURS: u32 = 7 * 24;
/// The longest time in which something is left to be read before it is pushed, in seconds: a day.
const PUSH_DELAY: u32 = 24 * 60 * 60;
/// The longest time in which a message can be edited, in minutes: a day.
const MINUTES: u32 = 24 * 60;

/// Refuses a period that no rule could be kept with.
pub(super) fn check(policy: &Policy) -> Result<(), ConfigError> {
    for (name, days) in [
        ("invitation_days", policy.invitation_days),
        ("counter_days", policy.counter_days),
        ("offer_days", policy.offer_days),
        ("change_request_days", policy.change_request_days),
        ("response_days", policy.response_days),
        ("proposal_answer_days", policy.proposal_answer_days),
    ] {
        if !(1..=DAYS).contains(&days) {
            return Err(ConfigError::Message(format!("policy.{name} is {days}: must be 1 to {DAYS}")));
        }
    }
    if !(1..=VERSIONS).contains(&policy.terms_versions) {
        let versions = policy.terms_versions;
        let why = format!("policy.terms_versions is {versions}: must be 1 to {VERSIONS}");
        return Err(ConfigError::Message(why));
    }
    for (name, number, most) in [
        ("response_minimum", policy.response_minimum, COUNTED),
        ("response_final_hours", policy.response_final_hours, HOURS),
    ] {
        if !(1..=most).contains(&number) {
            return Err(ConfigError::Message(format!("policy.{name} is {number}: must be 1 to {most}")));
        }
    }
    if policy.push_delay_seconds > PUSH_DELAY {
        let seconds = policy.push_delay_seconds;
        let why = format!("policy.push_delay_seconds is {seconds}: must be 0 to {PUSH_DELAY}");
        return Err(ConfigError::Message(why));
    }
    if policy.edit_minutes > MINUTES {
        let minutes = policy.edit_minutes;
        let why = format!("policy.edit_minutes is {minutes}: must be 0 to {MINUTES}");
        return Err(ConfigError::Message(why));
    }
    Ok(())
}
