//! Terms: versions of what is to be paid for what.

use anteroom_protocol::entry::{EntryData, TermsProposed};
use anteroom_protocol::id::UserId;
use anteroom_protocol::limits;
use anteroom_protocol::log::Hash;
use anteroom_protocol::terms::{Milestone, Terms, TermsKind};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::log::{Event, What};
use crate::domain::refusal::Refusal;
use crate::domain::text;

/// One immutable version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// 1, 2, 3 …: one counter for both sides.
    pub version: u32,
    /// Whose version it is.
    pub side: Side,
    /// The terms.
    pub terms: Terms,
    /// Their content hash.
    pub hash: Hash,
    /// When it was proposed.
    pub proposed_at: Time,
}

impl Version {
    /// The version that follows these.
    pub fn next(before: &[Self], side: Side, terms: Terms, now: Time) -> Self {
        let version = before.last().map_or(1, |last| last.version + 1);
        let hash = terms.hash();
        Self { version, side, terms, hash, proposed_at: now }
    }

    /// The event that tells it to a room.
    pub fn proposed(&self, by: &UserId) -> Event {
        let data = TermsProposed { version: self.version, hash: self.hash, terms: self.terms.clone() };
        Event { by: Some(by.clone()), client_id: None, what: What::Room(EntryData::TermsProposed(data)) }
    }
}

/// Refuses terms that no contract could be made of.
pub fn check(terms: &Terms) -> Result<(), Refusal> {
    amount("terms.amount", terms.amount)?;
    if iso_currency::Currency::from_code(&terms.currency).is_none() {
        return invalid("terms.currency: must be an ISO 4217 code");
    }
    if terms.weekly_hours.is_some_and(|hours| !(1..=168).contains(&hours)) {
        return invalid("terms.weekly_hours: must be 1 to 168");
    }
    if terms.duration_weeks.is_some_and(|weeks| !(1..=520).contains(&weeks)) {
        return invalid("terms.duration_weeks: must be 1 to 520");
    }
    if let Some(scope) = &terms.scope {
        text::prose("terms.scope", scope, limits::BODY_BYTES)?;
    }
    match terms.kind {
        TermsKind::Hourly if terms.milestones.is_some() => {
            invalid("terms.milestones: hourly terms have none")
        }
        TermsKind::Fixed if terms.weekly_hours.is_some() => {
            invalid("terms.weekly_hours: fixed terms have none")
        }
        TermsKind::Hourly | TermsKind::Fixed => {
            terms.milestones.as_deref().map_or(Ok(()), |milestones| add_up(milestones, terms.amount))
        }
    }
}

fn add_up(milestones: &[Milestone], amount_in_all: i64) -> Result<(), Refusal> {
    if milestones.is_empty() || milestones.len() > limits::MILESTONES {
        return invalid("terms.milestones: must be 1 to 50, or be left out");
    }
    for milestone in milestones {
        amount("terms.milestones.amount", milestone.amount)?;
        text::line("terms.milestones.title", &milestone.title, limits::TITLE_BYTES)?;
    }
    let sum: i128 = milestones.iter().map(|milestone| i128::from(milestone.amount)).sum();
    if sum == i128::from(amount_in_all) {
        Ok(())
    } else {
        invalid("terms.milestones: must add up to the amount")
    }
}

fn amount(field: &str, amount: i64) -> Result<(), Refusal> {
    if (1..=limits::AMOUNT).contains(&amount) {
        Ok(())
    } else {
        invalid(&format!("{field}: must be 1 to {} minor units", limits::AMOUNT))
    }
}

fn invalid<T>(why: &str) -> Result<T, Refusal> {
    Err(Refusal::Invalid(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(json: &str) -> Result<(), Refusal> {
        check(&serde_json::from_str(json).expect("terms in JSON"))
    }

    #[test]
    fn terms_that_can_be_paid_are_accepted() {
        for good in [
            r#"{"kind":"hourly","amount":7500,"currency":"USD","weekly_hours":30}"#,
            r#"{"kind":"fixed","amount":90000,"currency":"JPY"}"#,
            r#"{"kind":"fixed","amount":3,"currency":"KWD","milestones":[{"title":"a","amount":1},{"title":"b","amount":2}]}"#,
        ] {
            assert_eq!(terms(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn terms_that_cannot_be_paid_are_refused_by_field() {
        for (bad, field) in [
            (r#"{"kind":"hourly","amount":0,"currency":"USD"}"#, "amount"),
            (r#"{"kind":"hourly","amount":-5,"currency":"USD"}"#, "amount"),
            (r#"{"kind":"hourly","amount":5,"currency":"usd"}"#, "currency"),
            (r#"{"kind":"hourly","amount":5,"currency":"EUR","weekly_hours":169}"#, "weekly_hours"),
            (r#"{"kind":"fixed","amount":5,"currency":"EUR","weekly_hours":10}"#, "weekly_hours"),
            (r#"{"kind":"fixed","amount":5,"currency":"EUR","milestones":[]}"#, "milestones"),
            (
                r#"{"kind":"fixed","amount":5,"currency":"EUR","milestones":[{"title":"a","amount":4}]}"#,
                "milestones",
            ),
            (
                r#"{"kind":"hourly","amount":5,"currency":"EUR","milestones":[{"title":"a","amount":5}]}"#,
                "milestones",
            ),
        ] {
            let Err(Refusal::Invalid(why)) = terms(bad) else { panic!("{bad} was accepted") };
            assert!(why.contains(field), "{why}");
        }
    }
}
