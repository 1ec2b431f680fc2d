//! Terms: versions of what is to be paid for what.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::entry::{EntryData, NoticeKind, PhaseChanged, TermsNamed, TermsProposed};
use anteroom_protocol::fee::FeeView;
use anteroom_protocol::id::UserId;
use anteroom_protocol::limits;
use anteroom_protocol::log::Hash;
use anteroom_protocol::offer::{OfferEnded, OfferStatus};
use anteroom_protocol::terms::{Amounts, Milestone, Terms, TermsKind, TermsView, changes};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::candidacy::{BOTH, Case, Context, Decision, Told};
use crate::domain::fee::Fees;
use crate::domain::log::Event;
use crate::domain::policy::SECONDS_PER_DAY;
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
    /// A counter-proposal in a room: from when on it can no longer be accepted.
    pub expires_at: Option<Time>,
    /// When the other side said that it has taken note of it.
    pub acknowledged_at: Option<Time>,
    /// What it means for the freelancer, by the fees of its time.
    pub fee: Option<FeeView>,
}

impl Version {
    /// The version as a notice tells it, to either side.
    pub fn told(&self) -> TermsView {
        TermsView {
            version: self.version,
            by: self.side,
            hash: self.hash,
            proposed_at: self.proposed_at,
            status: None,
            expires_at: self.expires_at,
            terms: self.terms.clone(),
            fee: None,
        }
    }

    fn named(&self) -> TermsNamed {
        TermsNamed { version: self.version, hash: self.hash }
    }

    /// The event that tells it to a room, with what is different from the version before it.
    fn proposed(&self, before: Option<&Self>, told: Told) -> Event {
        let data = TermsProposed {
            version: self.version,
            hash: self.hash,
            terms: self.terms.clone(),
            changes: before.map(|before| changes(&before.terms, &self.terms)).unwrap_or_default(),
            expires_at: self.expires_at,
        };
        let event = Event::room(told.by, told.client_id, EntryData::TermsProposed(data));
        Event { private: self.fee.clone(), ..event }
    }
}

/// Terms as somebody asks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The terms.
    pub terms: Terms,
    /// What their amounts are.
    pub amounts: Amounts,
}

impl Asked {
    /// The terms in what the client is charged, checked. Only for the freelancer, who alone may say what to take home.
    pub fn charged(self, fees: Option<&Fees>) -> Result<Terms, Refusal> {
        check(&self.terms, fees)?;
        match (self.amounts, fees) {
            (Amounts::Charged, _) => Ok(self.terms),
            (Amounts::TakeHome, None) => {
                invalid("amounts: no fee is known here; say what the client is charged")
            }
            (Amounts::TakeHome, Some(fees)) => {
                let charged = fees.charged(self.terms)?;
                check(&charged, Some(fees))?;
                Ok(charged)
            }
        }
    }
}

impl Case {
    /// The version of this number.
    pub fn version(&self, version: u32) -> Option<&Version> {
        self.terms.iter().find(|known| known.version == version)
    }

    /// The refusal of whoever has not seen the newest version.
    pub fn stale(&self) -> Refusal {
        let newest = self.terms.last();
        Refusal::TermsStale {
            version: newest.map_or(0, |newest| newest.version),
            hash: newest.map(|it| it.hash),
        }
    }

    /// This case with one more version, by the fees of now, and the event that tells it. What stands and what waits is not moved.
    pub(super) fn with_version(
        mut self,
        side: Side,
        terms: Terms,
        now: Time,
        expires_at: Option<Time>,
        by: Option<UserId>,
    ) -> (Self, Event) {
        let before = self.terms.last();
        let version = Version {
            version: before.map_or(1, |last| last.version + 1),
            side,
            hash: terms.hash(),
            proposed_at: now,
            expires_at,
            acknowledged_at: None,
            fee: self.fees.as_ref().map(|fees| fees.view(&terms)),
            terms,
        };
        let event = version.proposed(before, Told { by, client_id: None });
        self.terms.push(version);
        (self, event)
    }

    /// The events that tell a new room the versions so far.
    pub(super) fn terms_so_far(&self) -> Vec<Event> {
        let before = std::iter::once(None).chain(self.terms.iter().map(Some));
        let told =
            |version: &Version| Told { by: Some(self.party(version.side).user.clone()), client_id: None };
        self.terms
            .iter()
            .zip(before)
            .map(|(version, before)| version.proposed(before, told(version)))
            .collect()
    }

    /// This case with nothing that waits, if it is this version that does.
    #[must_use]
    pub(super) fn without_pending(mut self, version: u32) -> Self {
        self.pending = self.pending.filter(|pending| *pending != version);
        self
    }

    /// The version that waits for an answer, if it is this one.
    fn pending_version(&self, version: u32) -> Result<Version, Refusal> {
        match self.pending.and_then(|pending| self.version(pending)) {
            Some(pending) if pending.version == version => Ok(pending.clone()),
            _ if self.terms.last().is_some_and(|newest| newest.version == version) => {
                Err(Refusal::TermsNotPending)
            }
            _ => Err(self.stale()),
        }
    }
}

/// `terms.propose`: a freelancer's version stands at once, also before the client has answered; a client's waits for its answer.
pub fn propose(case: Case, context: &Context, asked: Asked, expected: u32) -> Result<Decision, Refusal> {
    let side = case.side_of(&context.actor)?;
    case.must_be(side, &context.actor)?;
    let phases: &[Phase] = match side {
        Side::Client => &[Phase::Active, Phase::Offered],
        Side::Freelancer => &[Phase::Submitted, Phase::Active, Phase::Offered],
    };
    case.must_be_in(phases, side)?;
    let (case, event) = propose_as(case, context, side, asked, expected)?;
    let (case, ended) = end_offer_if_policy_says(case, context);
    let has_room = case.candidacy.as_ref().is_some_and(|candidacy| candidacy.room.is_some());
    let mut room = if has_room { vec![event] } else { Vec::new() };
    room.extend(ended);
    let told = context.told();
    // Without a room the own devices hear of it in no other way.
    let sides = if has_room { &[other(side)][..] } else { &BOTH };
    let inboxes = case.notices_about(NoticeKind::TermsProposed, &told, sides, case.terms.last());
    Ok(Decision::new(room, inboxes, case))
}

/// The heart of every proposal: compared with the version that was seen, checked, and put in its place.
pub(super) fn propose_as(
    case: Case,
    context: &Context,
    side: Side,
    asked: Asked,
    expected: u32,
) -> Result<(Case, Event), Refusal> {
    if expected != case.terms.last().map_or(0, |newest| newest.version) {
        return Err(case.stale());
    }
    let terms = match (side, asked.amounts) {
        (Side::Client, Amounts::TakeHome) => return Err(Refusal::WrongSide),
        _ => asked.charged(case.fees.as_ref())?,
    };
    let hash = terms.hash();
    let current = [case.standing, case.pending];
    if current
        .into_iter()
        .flatten()
        .filter_map(|version| case.version(version))
        .any(|known| known.hash == hash)
    {
        return invalid("terms: nothing is different from what stands or waits already");
    }
    if case.terms.iter().filter(|version| version.side == side).count()
        >= usize::from(context.policy.terms_versions)
    {
        return Err(Refusal::TermsLimit);
    }
    let expires_at = (side == Side::Client)
        .then(|| context.now.plus_seconds(i64::from(context.policy.counter_days) * SECONDS_PER_DAY));
    let by = Some(case.author(&context.actor));
    let (mut case, event) = case.with_version(side, terms, context.now, expires_at, by);
    let version = case.terms.last().map(|newest| newest.version);
    match side {
        Side::Client => case.pending = version,
        Side::Freelancer => (case.standing, case.pending) = (version, None),
    }
    Ok((case, Event { client_id: Some(context.client_id), ..event }))
}

fn end_offer_if_policy_says(case: Case, context: &Context) -> (Case, Vec<Event>) {
    let offered = case.candidacy.as_ref().is_some_and(|candidacy| candidacy.phase == Phase::Offered);
    let Some(offer) =
        case.offer.as_ref().map(|offer| offer.id).filter(|_| offered && context.policy.counter_ends_offer)
    else {
        return (case, Vec::new());
    };
    let case = case.offer_ended(OfferStatus::Withdrawn).moved(Phase::Active, context.now);
    let data = EntryData::OfferWithdrawn(OfferEnded { offer, reason: None });
    let phase = EntryData::PhaseChanged(PhaseChanged { phase: Phase::Active });
    (case, vec![Event::room(None, None, data), Event::room(None, None, phase)])
}

/// `terms.accept`: the client's counter-proposal stands from now on.
pub fn accept(mut case: Case, context: &Context, version: u32, hash: Hash) -> Result<Decision, Refusal> {
    let version = answerable(&case, context, Side::Freelancer, version)?;
    if version.hash != hash {
        return Err(case.stale());
    }
    (case.standing, case.pending) = (Some(version.version), None);
    let data = EntryData::TermsAccepted(version.named());
    Ok(answered(case, context, &version, data, NoticeKind::TermsAccepted))
}

/// `terms.decline`: what stood stands.
pub fn decline(mut case: Case, context: &Context, version: u32) -> Result<Decision, Refusal> {
    let version = answerable(&case, context, Side::Freelancer, version)?;
    case.pending = None;
    let data = EntryData::TermsDeclined(version.named());
    Ok(answered(case, context, &version, data, NoticeKind::TermsDeclined))
}

/// `terms.withdraw`: by the client, of the own counter-proposal.
pub fn withdraw(mut case: Case, context: &Context, version: u32) -> Result<Decision, Refusal> {
    let version = answerable(&case, context, Side::Client, version)?;
    case.pending = None;
    let data = EntryData::TermsWithdrawn(version.named());
    Ok(answered(case, context, &version, data, NoticeKind::TermsWithdrawn))
}

/// `terms.acknowledge`: of the other side's version, once. Binds nobody.
pub fn acknowledge(mut case: Case, context: &Context, version: u32) -> Result<Decision, Refusal> {
    let side = case.side_of(&context.actor)?;
    case.must_be(side, &context.actor)?;
    case.must_be_in(&[Phase::Active, Phase::Offered], side)?;
    let stale = case.stale();
    let known = case.terms.iter_mut().find(|known| known.version == version).ok_or(stale)?;
    if known.side == side {
        return Err(Refusal::WrongSide);
    }
    if known.acknowledged_at.is_some() {
        return Err(Refusal::TermsNotPending);
    }
    known.acknowledged_at = Some(context.now);
    let version = known.clone();
    let data = EntryData::TermsAcknowledged(version.named());
    Ok(answered(case, context, &version, data, NoticeKind::TermsAcknowledged))
}

fn answerable(case: &Case, context: &Context, side: Side, version: u32) -> Result<Version, Refusal> {
    case.must_be(side, &context.actor)?;
    case.must_be_in(&[Phase::Active, Phase::Offered], side)?;
    case.pending_version(version)
}

fn answered(case: Case, context: &Context, about: &Version, data: EntryData, kind: NoticeKind) -> Decision {
    let told = context.told();
    let room = vec![Event::room(told.by.clone(), told.client_id, data)];
    let side = if told.by.as_ref() == Some(&case.freelancer.user) { Side::Client } else { Side::Freelancer };
    Decision::new(room, case.notices_about(kind, &told, &[side], Some(about)), case)
}

fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Freelancer,
        Side::Freelancer => Side::Client,
    }
}

/// Refuses terms that no contract could be made of.
pub fn check(terms: &Terms, fees: Option<&Fees>) -> Result<(), Refusal> {
    amount("terms.amount", terms.amount)?;
    currency("terms.currency", &terms.currency)?;
    fees.map_or(Ok(()), |fees| fees.must_take(&terms.currency))?;
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

/// Refuses what is not money with 0, 2 or 3 decimals: metals, funds and units of account have other decimals, or none that are known.
pub(super) fn currency(field: &str, code: &str) -> Result<(), Refusal> {
    let exponent = iso_currency::Currency::from_code(code).and_then(|currency| currency.exponent());
    if matches!(exponent, Some(0 | 2 | 3)) {
        Ok(())
    } else {
        invalid(&format!("{field}: must be the ISO 4217 code of a currency"))
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
        check(&serde_json::from_str(json).expect("terms in JSON"), None)
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
