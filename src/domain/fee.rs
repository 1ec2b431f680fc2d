//! Fees: one charged amount, and what the freelancer takes home of it. All in whole minor units; rounded half up, once for each charge.
//!
//! What is computed here goes into private parts alone: no event's public part and no refusal holds a figure of it.

use anteroom_protocol::fee::{Billing, FeeLine, FeeSchedule, FeeView, Tier};
use anteroom_protocol::limits;
use anteroom_protocol::terms::Terms;

use crate::domain::refusal::Refusal;
use crate::domain::terms;

/// Basis points of the whole.
const WHOLE: i128 = 10_000;

/// The schedule a candidacy is pinned to, and how much its client was charged for its freelancer so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fees {
    /// The schedule.
    pub schedule: FeeSchedule,
    /// Lifetime billing in the schedule's currency; only tiers look at it.
    pub billed: i64,
}

impl Fees {
    /// What these terms mean for the freelancer. Milestones are charged one by one, in order, each on what the ones before have added to
    /// the lifetime billing; an hourly rate is one charge of one hour.
    pub fn view(&self, terms: &Terms) -> FeeView {
        let milestones = terms.milestones.as_ref().map(|milestones| {
            let mut billed = self.billed;
            milestones
                .iter()
                .map(|milestone| {
                    let line = line(&self.schedule, billed, milestone.amount);
                    billed = billed.saturating_add(milestone.amount);
                    line
                })
                .collect::<Vec<_>>()
        });
        let whole = match &milestones {
            None => line(&self.schedule, self.billed, terms.amount),
            Some(lines) => {
                lines.iter().fold(FeeLine { charged: 0, fee: 0, take_home: 0 }, |sum, line| FeeLine {
                    charged: sum.charged + line.charged,
                    fee: sum.fee + line.fee,
                    take_home: sum.take_home + line.take_home,
                })
            }
        };
        let billed = matches!(self.schedule, FeeSchedule::Tiered { .. }).then_some(self.billed);
        FeeView { schedule: self.schedule.clone(), billed, whole, milestones }
    }

    /// These terms, whose amounts are what the freelancer wants to take home, with the smallest charges that leave at least that.
    pub fn charged(&self, mut wanted: Terms) -> Result<Terms, Refusal> {
        let Some(milestones) = &mut wanted.milestones else {
            wanted.amount = charge(&self.schedule, self.billed, wanted.amount)?;
            return Ok(wanted);
        };
        let (mut billed, mut sum) = (self.billed, 0_i64);
        for milestone in milestones {
            milestone.amount = charge(&self.schedule, billed, milestone.amount)?;
            billed = billed.saturating_add(milestone.amount);
            sum = sum.saturating_add(milestone.amount);
        }
        wanted.amount = sum;
        Ok(wanted)
    }

    /// Refuses terms in a currency that the schedule's tiers are not in.
    pub fn must_take(&self, currency: &str) -> Result<(), Refusal> {
        match &self.schedule {
            FeeSchedule::Tiered { currency: of_tiers, .. } if of_tiers != currency => {
                Err(Refusal::Invalid(format!("terms.currency: this candidacy is in {of_tiers}")))
            }
            FeeSchedule::Flat { .. } | FeeSchedule::Tiered { .. } | FeeSchedule::OnTop { .. } => Ok(()),
        }
    }
}

/// Checks what the marketplace tells of a schedule.
pub fn check(schedule: FeeSchedule) -> Result<FeeSchedule, Refusal> {
    match &schedule {
        FeeSchedule::Flat { basis_points } | FeeSchedule::OnTop { basis_points } => share(*basis_points)?,
        FeeSchedule::Tiered { currency, tiers } => {
            terms::currency("currency", currency)?;
            check_tiers(tiers)?;
        }
    }
    Ok(schedule)
}

fn check_tiers(tiers: &[Tier]) -> Result<(), Refusal> {
    let Some((last, before)) = tiers.split_last().filter(|_| tiers.len() <= limits::TIERS) else {
        return Err(Refusal::Invalid(format!("tiers: must be 1 to {}", limits::TIERS)));
    };
    if last.up_to.is_some() {
        return Err(Refusal::Invalid("tiers: the last one has no up_to".into()));
    }
    let mut end = 0;
    for tier in before {
        let rises = tier.up_to.is_some_and(|up_to| up_to > end && up_to <= limits::AMOUNT);
        end = tier
            .up_to
            .filter(|_| rises)
            .ok_or_else(|| Refusal::Invalid("tiers: each up_to is above the one before".into()))?;
    }
    tiers.iter().try_for_each(|tier| share(tier.basis_points))
}

fn share(basis_points: u16) -> Result<(), Refusal> {
    if basis_points <= limits::BASIS_POINTS {
        Ok(())
    } else {
        Err(Refusal::Invalid(format!("basis_points: must be 0 to {}", limits::BASIS_POINTS)))
    }
}

/// Checks what the marketplace tells of a lifetime billing.
pub fn check_billing(billing: Billing) -> Result<Billing, Refusal> {
    terms::currency("currency", &billing.currency)?;
    if !(0..=limits::AMOUNT).contains(&billing.amount) {
        return Err(Refusal::Invalid(format!("amount: must be 0 to {} minor units", limits::AMOUNT)));
    }
    Ok(billing)
}

/// One charge.
pub fn line(schedule: &FeeSchedule, billed: i64, charged: i64) -> FeeLine {
    let fee = match schedule {
        FeeSchedule::Flat { basis_points } => rounded(i128::from(charged) * i128::from(*basis_points)),
        FeeSchedule::Tiered { tiers, .. } => rounded(through_tiers(tiers, billed, charged)),
        FeeSchedule::OnTop { basis_points } => charged - before_the_top(*basis_points, charged),
    };
    FeeLine { charged, fee, take_home: charged - fee }
}

/// The shares of what is charged, each within its tier, in ten-thousandths of a minor unit.
fn through_tiers(tiers: &[Tier], billed: i64, charged: i64) -> i128 {
    let (from, to) = (i128::from(billed), i128::from(billed) + i128::from(charged));
    let mut begin = 0;
    let mut sum = 0;
    for tier in tiers {
        let end = tier.up_to.map_or(i128::MAX, i128::from);
        let within = to.min(end) - from.max(begin);
        sum += within.max(0) * i128::from(tier.basis_points);
        begin = end;
    }
    sum
}

/// The largest amount that, with its share on top, is not above what is charged.
fn before_the_top(basis_points: u16, charged: i64) -> i64 {
    let above = |net: i64| net + rounded(i128::from(net) * i128::from(basis_points)) > charged;
    first(0, charged + 1, above).map_or(charged, |first_above| first_above - 1)
}

/// The smallest charge of which at least this is taken home.
fn charge(schedule: &FeeSchedule, billed: i64, take_home: i64) -> Result<i64, Refusal> {
    first(take_home, limits::AMOUNT, |charged| line(schedule, billed, charged).take_home >= take_home)
        .ok_or_else(|| Refusal::Invalid(format!("terms.amount: must be 1 to {} minor units", limits::AMOUNT)))
}

/// The first number from `low` to `high` of which this holds, when it holds of all above it too.
fn first(mut low: i64, mut high: i64, holds: impl Fn(i64) -> bool) -> Option<i64> {
    if low > high || !holds(high) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

/// Half up, from ten-thousandths of a minor unit.
fn rounded(ten_thousandths: i128) -> i64 {
    i64::try_from((ten_thousandths + WHOLE / 2) / WHOLE).unwrap_or(i64::MAX)
}
