//! Terms, differences and fees as tables, and amounts as people write them.

use std::collections::{BTreeMap, BTreeSet};

use anteroom_protocol::fee::{FeeLine, FeeSchedule, FeeView};
use anteroom_protocol::terms::{Terms, TermsProposed, leaves};
use maud::{Markup, html};
use serde_json::Value;

use super::entry::event;
use super::{moment_in_full, plain, words};

/// Values of terms by the names of their fields.
type Leaves = BTreeMap<String, Value>;

/// A version of the terms: all of it, beside what it was before, and what it means for the freelancer where that may be seen.
pub(super) fn proposed(proposed: &TermsProposed, fee: Option<&FeeView>) -> Markup {
    let TermsProposed { version, hash, terms, changes, expires_at } = proposed;
    let now = leaves(terms);
    let before = (!changes.is_empty()).then(|| {
        let mut before = now.clone();
        for change in changes {
            match change.from.clone() {
                Some(from) => before.insert(change.field.clone(), from),
                None => before.remove(&change.field),
            };
        }
        before
    });
    html! {
        (event(&format!("Terms, version {version}"), &table(&now, before.as_ref())))
        @if let Some(fee) = fee { (self::fee(fee, &terms.currency, Some(terms))) }
        p class="note" { "Content hash " span class="hex" { (hash) } }
        @if let Some(end) = expires_at {
            p class="note" { "A counter-proposal, which can be accepted until " (moment_in_full(*end)) "." }
        }
    }
}

fn table(now: &Leaves, before: Option<&Leaves>) -> Markup {
    let names = now.keys().chain(before.into_iter().flat_map(Leaves::keys));
    let mut fields: Vec<&String> = names.collect::<BTreeSet<_>>().into_iter().collect();
    fields.retain(|field| field.as_str() != "currency");
    fields.sort_by_key(|field| place(field));
    html! {
        table class="terms" {
            thead {
                tr {
                    th scope="col" { "Term" }
                    @if before.is_some() { th scope="col" { "Before" } }
                    th scope="col" { @if before.is_some() { "Now" } @else { "Value" } }
                }
            }
            tbody {
                @for field in fields { (row(field, now, before)) }
            }
        }
    }
}

fn row(field: &str, now: &Leaves, before: Option<&Leaves>) -> Markup {
    let is = shown(field, now);
    let was = before.map(|before| shown(field, before));
    let changed = was.as_ref().is_some_and(|was| *was != is);
    let cell = |value: &Option<String>| match value {
        Some(text) => words(text),
        None => html! { span class="note" { "–" } },
    };
    html! {
        tr class=[changed.then_some("changed")] {
            th scope="row" { (label(field)) }
            @if let Some(was) = &was {
                td { @if changed && was.is_some() { del { (cell(was)) } } @else { (cell(was)) } }
            }
            td { @if changed && is.is_some() { ins { (cell(&is)) } } @else { (cell(&is)) } }
        }
    }
}

/// Where a field stands: as one would say it, and milestones in their order.
fn place(field: &str) -> (usize, u64, usize) {
    const ORDER: [&str; 7] =
        ["kind", "amount", "weekly_hours", "milestones", "duration_weeks", "start_date", "scope"];
    const PARTS: [&str; 3] = ["title", "amount", "due_date"];
    let mut parts = field.split('.');
    let first = parts.next().unwrap_or_default();
    let number = parts.next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let last = parts.next().unwrap_or_default();
    let rank =
        |order: &[&str], name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
    (rank(&ORDER, first), number, rank(&PARTS, last))
}

fn label(field: &str) -> String {
    if let Some((number, part)) = field.strip_prefix("milestones.").and_then(|rest| rest.split_once('.')) {
        let number =
            number.parse::<u64>().map_or_else(|_| number.to_owned(), |number| (number + 1).to_string());
        return match part {
            "title" => format!("Milestone {number}"),
            "amount" => format!("Milestone {number}, charged"),
            "due_date" => format!("Milestone {number}, due"),
            _ => format!("Milestone {number}, {part}"),
        };
    }
    let known = match field {
        "kind" => "Paid",
        "amount" => "Charged to the client",
        "weekly_hours" => "Hours a week at most",
        "duration_weeks" => "Expected duration",
        "start_date" => "Begins",
        "scope" => "Scope",
        _ => field,
    };
    known.to_owned()
}

/// The value of a field as people write it. An amount is in the currency of the same terms.
fn shown(field: &str, terms: &Leaves) -> Option<String> {
    let text = |name: &str| terms.get(name).and_then(Value::as_str).unwrap_or_default();
    let value = terms.get(field)?;
    let number = value.as_i64();
    Some(match (field, number) {
        ("kind", _) if text("kind") == "hourly" => "by the hour".to_owned(),
        ("kind", _) if text("kind") == "fixed" => "as a fixed amount".to_owned(),
        ("amount", Some(amount)) if text("kind") == "hourly" => {
            format!("{} an hour", money(amount, text("currency")))
        }
        ("duration_weeks", Some(1)) => "1 week".to_owned(),
        ("duration_weeks", Some(weeks)) => format!("{weeks} weeks"),
        (_, Some(amount)) if field.ends_with("amount") => money(amount, text("currency")),
        _ => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    })
}

/// What the freelancer takes home. `terms` name the milestones.
pub(super) fn fee(fee: &FeeView, currency: &str, terms: Option<&Terms>) -> Markup {
    let titles = terms.and_then(|terms| terms.milestones.as_deref()).unwrap_or_default();
    let milestones = fee.milestones.as_deref().unwrap_or_default();
    let name =
        |at: usize| titles.get(at).map_or_else(|| format!("Milestone {}", at + 1), |one| one.title.clone());
    html! {
        table class="terms" {
            caption { "For the freelancer’s side alone. " (schedule(fee, currency)) }
            thead {
                tr {
                    th scope="col" { "Of" }
                    th scope="col" class="sum" { "Charged" }
                    th scope="col" class="sum" { "Fee" }
                    th scope="col" class="sum" { "Take-home" }
                }
            }
            tbody {
                (line("The amount", &fee.whole, currency))
                @for (at, part) in milestones.iter().enumerate() { (line(&name(at), part, currency)) }
            }
        }
    }
}

fn line(name: &str, line: &FeeLine, currency: &str) -> Markup {
    html! {
        tr {
            th scope="row" { bdi { (plain(name)) } }
            @for amount in [line.charged, line.fee, line.take_home] { td class="sum" { (money(amount, currency)) } }
        }
    }
}

/// How the fee is computed.
fn schedule(fee: &FeeView, currency: &str) -> String {
    match &fee.schedule {
        FeeSchedule::Flat { basis_points } => {
            format!("The fee is {} of what is charged.", share(*basis_points))
        }
        FeeSchedule::OnTop { basis_points } => {
            format!("The fee is {} of the take-home, on top of it.", share(*basis_points))
        }
        FeeSchedule::Tiered { tiers, .. } => {
            let parts: Vec<String> = tiers
                .iter()
                .map(|tier| match tier.up_to {
                    Some(end) => format!("{} up to {}", share(tier.basis_points), money(end, currency)),
                    None => format!("{} above", share(tier.basis_points)),
                })
                .collect();
            let billed = money(fee.billed.unwrap_or(0), currency);
            format!("The fee is {} of the lifetime billing, which was {billed}.", parts.join(", "))
        }
    }
}

/// Basis points in per cent: `10 %`, `12.5 %`.
fn share(basis_points: u16) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    let rest = format!("{rest:02}");
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{whole} %") } else { format!("{whole}.{rest} %") }
}

/// Minor units with the decimals of their currency: `EUR 1,234.50`. Of a currency that nobody knows they stay minor units.
pub(super) fn money(amount: i64, currency: &str) -> String {
    let exponent = iso_currency::Currency::from_code(currency).and_then(|currency| currency.exponent());
    let Some(decimals) = exponent.map(usize::from) else {
        return format!("{amount} minor units {currency}").trim_end().to_owned();
    };
    let digits = format!("{:0>1$}", amount.unsigned_abs(), decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    let mut text = String::from(currency);
    text.push_str(if amount < 0 { " -" } else { " " });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if decimals > 0 {
        text.push('.');
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        for (amount, currency, text) in [
            (26_664, "USD", "USD 266.64"),
            (5, "EUR", "EUR 0.05"),
            (123_456_789, "EUR", "EUR 1,234,567.89"),
            (7_500, "JPY", "JPY 7,500"),
            (7_500, "KWD", "KWD 7.500"),
            (7_500, "???", "7500 minor units ???"),
        ] {
            assert_eq!(money(amount, currency), text);
        }
    }

    #[test]
    fn a_share_is_told_in_per_cent() {
        for (points, text) in [(1_000, "10 %"), (1_250, "12.5 %"), (1_205, "12.05 %"), (7, "0.07 %")] {
            assert_eq!(share(points), text);
        }
    }
}
