//! Fees: the known cases, and what holds for every schedule, amount and currency.

use anteroom::domain::fee::{Fees, check, line};
use anteroom::domain::refusal::Refusal;
use anteroom::domain::terms;
use anteroom_protocol::fee::{FeeLine, FeeSchedule, FeeView, Tier};
use anteroom_protocol::limits;
use anteroom_protocol::terms::{Milestone, Terms, TermsKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::store::property;
use crate::support::ask;

fn flat(basis_points: u16) -> FeeSchedule {
    FeeSchedule::Flat { basis_points }
}

fn on_top(basis_points: u16) -> FeeSchedule {
    FeeSchedule::OnTop { basis_points }
}

fn tiered(tiers: &[(Option<i64>, u16)]) -> FeeSchedule {
    let tiers = tiers.iter().map(|(up_to, basis_points)| Tier { up_to: *up_to, basis_points: *basis_points });
    FeeSchedule::Tiered { currency: "USD".into(), tiers: tiers.collect() }
}

/// 20 % up to $500, 10 % up to $10,000, 5 % above.
fn by_lifetime() -> FeeSchedule {
    tiered(&[(Some(50_000), 2_000), (Some(1_000_000), 1_000), (None, 500)])
}

fn fixed(amounts: &[i64]) -> Terms {
    let milestones = amounts
        .iter()
        .map(|amount| Milestone { title: "A part".into(), amount: *amount, due_date: None })
        .collect();
    Terms {
        kind: TermsKind::Fixed,
        amount: amounts.iter().sum(),
        currency: "USD".into(),
        weekly_hours: None,
        milestones: Some(milestones),
        ..ask::hourly(1)
    }
}

#[test]
fn the_known_cases_come_out() {
    for (schedule, billed, charged, fee, take_home) in [
        (flat(1_000), 0, 26_664, 2_666, 23_998),
        (flat(1_000), 0, 33_336, 3_334, 30_002),
        (by_lifetime(), 0, 60_000, 11_000, 49_000),
        (by_lifetime(), 50_000, 60_000, 6_000, 54_000),
        (by_lifetime(), 1_000_000, 60_000, 3_000, 57_000),
        (by_lifetime(), 999_999, 2, 0, 2),
        (on_top(1_500), 0, 10_350, 1_350, 9_000),
        (on_top(1_500), 0, 10_349, 1_350, 8_999),
        (flat(0), 0, 1, 0, 1),
        (flat(5_000), 0, 1, 1, 0),
        (flat(9_000), 0, limits::AMOUNT, limits::AMOUNT / 10 * 9, limits::AMOUNT / 10),
    ] {
        let expected = FeeLine { charged, fee, take_home };
        assert_eq!(line(&schedule, billed, charged), expected, "{schedule:?} after {billed}");
    }
}

#[test]
fn what_is_to_be_taken_home_is_charged_with_the_fee() {
    for (schedule, take_home, charged) in
        [(on_top(1_500), 9_000, 10_350), (flat(1_000), 23_998, 26_664), (by_lifetime(), 49_000, 60_000)]
    {
        let fees = Fees { schedule, billed: 0 };
        let wanted = Terms { currency: "USD".into(), ..ask::hourly(take_home) };
        assert_eq!(fees.charged(wanted).expect("chargeable").amount, charged, "{fees:?}");
    }
}

#[test]
fn milestones_are_charged_in_order_each_on_the_billing_that_those_before_have_left() {
    let fees = Fees { schedule: by_lifetime(), billed: 0 };
    let FeeView { billed, whole, milestones, .. } = fees.view(&fixed(&[40_000, 20_000, 5]));
    assert_eq!(billed, Some(0));
    let line = |charged, fee| FeeLine { charged, fee, take_home: charged - fee };
    assert_eq!(milestones, Some(vec![line(40_000, 8_000), line(20_000, 3_000), line(5, 1)]));
    assert_eq!(whole, line(60_005, 11_001));
    let wanted = fixed(&[32_000, 17_000, 4]);
    assert_eq!(fees.charged(wanted).expect("chargeable"), fixed(&[40_000, 20_000, 4]));
}

#[test]
fn a_schedule_that_cannot_be_is_refused() {
    for schedule in [
        flat(limits::BASIS_POINTS + 1),
        on_top(10_000),
        tiered(&[]),
        tiered(&[(Some(10), 100)]),
        tiered(&[(None, 100), (None, 50)]),
        tiered(&[(Some(10), 100), (Some(10), 50), (None, 0)]),
        tiered(&[(Some(0), 100), (None, 0)]),
        tiered(&[(Some(10), 9_001), (None, 0)]),
        tiered(&[(Some(10), 1); limits::TIERS + 1]),
        FeeSchedule::Tiered { currency: "usd".into(), tiers: vec![Tier { up_to: None, basis_points: 1 }] },
    ] {
        assert!(matches!(check(schedule.clone()), Err(Refusal::Invalid(_))), "{schedule:?}");
    }
    for schedule in [flat(0), on_top(limits::BASIS_POINTS), by_lifetime()] {
        assert!(check(schedule).is_ok());
    }
}

#[test]
fn money_has_no_or_two_or_three_decimals_and_the_tiers_are_in_one_currency() {
    for (currency, taken) in [
        ("JPY", true),
        ("USD", true),
        ("KWD", true),
        ("XAU", false),
        ("CLF", false),
        ("XXX", false),
        ("usd", false),
    ] {
        let terms = Terms { currency: currency.into(), ..ask::hourly(12_345) };
        assert_eq!(terms::check(&terms, None).is_ok(), taken, "{currency}");
        let fees = Fees { schedule: flat(1_000), billed: 0 };
        assert_eq!(fees.view(&terms).whole, FeeLine { charged: 12_345, fee: 1_235, take_home: 11_110 });
        let fees = Fees { schedule: by_lifetime(), billed: 0 };
        assert_eq!(terms::check(&terms, Some(&fees)).is_ok(), currency == "USD", "{currency}");
    }
}

fn share() -> impl Strategy<Value = u16> {
    prop_oneof![Just(0), Just(limits::BASIS_POINTS), 0..=limits::BASIS_POINTS]
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1..200_i64, 1..2_000_000_i64, 1..=limits::AMOUNT]
}

fn schedule() -> impl Strategy<Value = FeeSchedule> {
    let tiers = (vec((1..60_000_i64, share()), 0..4), share()).prop_map(|(steps, last)| {
        let mut end = 0;
        let rising = steps.into_iter().map(|(step, share)| {
            end += step;
            (Some(end), share)
        });
        let mut tiers: Vec<_> = rising.collect();
        tiers.push((None, last));
        tiered(&tiers)
    });
    prop_oneof![share().prop_map(flat), share().prop_map(on_top), tiers]
}

/// The share of each single minor unit, added up: slow, and plain to see.
fn unit_by_unit(tiers: &[Tier], billed: i64, charged: i64) -> i64 {
    let share = |unit: i64| {
        let tier =
            tiers.iter().find(|tier| tier.up_to.is_none_or(|end| unit < end)).expect("the last has no end");
        i64::from(tier.basis_points)
    };
    let sum: i64 = (billed..billed + charged).map(share).sum();
    (sum + 5_000) / 10_000
}

/// The largest amount that is not above what is charged with its share on top, by trying each.
fn by_trying(basis_points: u16, charged: i64) -> i64 {
    let with_top = |net: i64| net + (net * i64::from(basis_points) + 5_000) / 10_000;
    (0..=charged).rev().find(|net| with_top(*net) <= charged).expect("nothing is nothing")
}

#[test]
fn small_fees_are_those_that_counting_one_by_one_gives() {
    let small = (schedule(), 0..70_000_i64, 1..3_000_i64);
    let outcome = TestRunner::new(property(400)).run(&small, |(schedule, billed, charged)| {
        let expected = match &schedule {
            FeeSchedule::Flat { basis_points } => (charged * i64::from(*basis_points) + 5_000) / 10_000,
            FeeSchedule::Tiered { tiers, .. } => unit_by_unit(tiers, billed, charged),
            FeeSchedule::OnTop { basis_points } => charged - by_trying(*basis_points, charged),
        };
        prop_assert_eq!(line(&schedule, billed, charged).fee, expected);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn what_is_charged_is_the_fee_and_the_take_home_and_more_is_never_less() {
    let any = (schedule(), 0..=limits::AMOUNT, amount());
    let outcome = TestRunner::new(property(4_000)).run(&any, |(schedule, billed, charged)| {
        let one = line(&schedule, billed, charged);
        prop_assert_eq!(one.fee + one.take_home, charged);
        prop_assert!(one.fee >= 0 && one.take_home >= 0);
        let more = line(&schedule, billed, charged + 1);
        prop_assert!(more.take_home >= one.take_home && more.fee >= one.fee);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn what_is_charged_for_a_take_home_is_enough_and_one_less_is_not() {
    let any = (schedule(), 0..2_000_000_i64, vec(amount(), 1..5), any::<bool>());
    let outcome = TestRunner::new(property(2_000)).run(&any, |(schedule, billed, wanted, in_parts)| {
        let fees = Fees { schedule, billed };
        let terms = if in_parts {
            fixed(&wanted)
        } else {
            Terms { currency: "USD".into(), ..ask::hourly(wanted[0]) }
        };
        let Ok(charged) = fees.charged(terms.clone()) else {
            prop_assert!(wanted.iter().any(|wanted| *wanted > limits::AMOUNT / 10), "within reach");
            return Ok(());
        };
        let view = fees.view(&charged);
        let lines = view.milestones.clone().unwrap_or_else(|| vec![view.whole]);
        prop_assert_eq!(lines.iter().map(|line| line.charged).sum::<i64>(), charged.amount);
        let mut billed = billed;
        for (wanted, FeeLine { charged, take_home, .. }) in wanted.iter().zip(&lines) {
            prop_assert!(take_home >= wanted);
            prop_assert!(line(&fees.schedule, billed, charged - 1).take_home < *wanted, "the smallest");
            billed += charged;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
