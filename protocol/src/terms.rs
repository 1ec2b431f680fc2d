//! Terms: what is to be paid for what. An immutable version, carried and shown; its hash says exactly what was agreed on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fee::FeeView;
use crate::id::CandidacyId;
use crate::limits;
use crate::log::{Hash, canonical};
use crate::time::Time;
use crate::user::Side;

/// `terms.propose`: other terms. A freelancer's stand at once; a client's are a counter-proposal, which waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsPropose {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// The newest version the author has seen; 0: none.
    pub expected_version: u32,
    /// The terms.
    pub terms: Terms,
    /// What the amounts in them are.
    #[serde(default, skip_serializing_if = "Amounts::are_charged")]
    pub amounts: Amounts,
    /// Always refused: a cover letter is never changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover_letter: Option<String>,
}

/// `terms.accept`: the freelancer takes the client's counter-proposal, by version and hash. From then on it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsAccept {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// Which version.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
}

/// `terms.decline`: the freelancer does not take the client's counter-proposal. What stood stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsDecline {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// Which version.
    pub version: u32,
}

/// `terms.withdraw`: the client takes a counter-proposal back before it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsWithdraw {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// Which version.
    pub version: u32,
}

/// `terms.acknowledge`: one side has taken note of the other's terms. That is something else than having read them, and binds nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsAcknowledge {
    /// Which candidacy.
    pub candidacy: CandidacyId,
    /// Which version.
    pub version: u32,
}

/// What the amounts in proposed terms are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amounts {
    /// What the client is charged.
    #[default]
    Charged,
    /// What the freelancer takes home, and only a freelancer may say it so: the smallest charges that leave at least that are proposed.
    TakeHome,
}

impl Amounts {
    /// Whether they are what everybody sees.
    pub fn are_charged(&self) -> bool {
        *self == Self::Charged
    }
}

/// Terms as they are proposed. The amount is what the client is charged, in minor units of the currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// Paid by the hour or in all.
    pub kind: TermsKind,
    /// Minor units charged: per hour, or in all.
    #[schemars(range(min = 1, max = limits::AMOUNT))]
    pub amount: i64,
    /// ISO 4217, three capital letters.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// Hourly only: how many hours a week at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 168))]
    pub weekly_hours: Option<u16>,
    /// Fixed only: parts of the amount, in order; they add up to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::MILESTONES))]
    pub milestones: Option<Vec<Milestone>>,
    /// How long the work is expected to take, in weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 520))]
    pub duration_weeks: Option<u16>,
    /// The day work begins, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<jiff::civil::Date>,
    /// What is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub scope: Option<String>,
}

/// How terms are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TermsKind {
    /// By the hour.
    Hourly,
    /// In all, possibly in milestones.
    Fixed,
}

/// One part of a fixed amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Milestone {
    /// What it is for.
    #[schemars(length(min = 1, max = limits::TITLE_BYTES))]
    pub title: String,
    /// Minor units charged for it.
    #[schemars(range(min = 1, max = limits::AMOUNT))]
    pub amount: i64,
    /// When it is due, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<jiff::civil::Date>,
}

impl Terms {
    /// The content hash: SHA-256 of the terms in canonical JSON (RFC 8785).
    pub fn hash(&self) -> Hash {
        Hash(Sha256::digest(canonical(self)).into())
    }
}

/// `terms.proposed`: a version of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsProposed {
    /// 1, 2, 3 …
    pub version: u32,
    /// The content hash.
    pub hash: Hash,
    /// The terms themselves.
    pub terms: Terms,
    /// What is different from the version before, by name. Absent in the first version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// A counter-proposal of the client's: from when on it can no longer be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// One difference between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which field: `amount`, `milestones.0.title`.
    pub field: String,
    /// What it was; absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it is; absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// What happened to a version of the terms that a room was told of before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsNamed {
    /// Which version.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
}

/// How one version of terms stands to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TermsStatus {
    /// What the freelancer asks for.
    Standing,
    /// A counter-proposal of the client's that waits for its answer.
    Pending,
    /// Neither, or no more.
    Past,
}

/// One version of terms as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsView {
    /// 1, 2, 3 …: one counter for both sides.
    pub version: u32,
    /// Whose version it is.
    pub by: Side,
    /// Its content hash.
    pub hash: Hash,
    /// When it was proposed.
    pub proposed_at: Time,
    /// How it stands to the others now. Absent where something says what was so at its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TermsStatus>,
    /// When it is pending: from when on it can no longer be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The terms themselves.
    pub terms: Terms,
    /// What they mean for the freelancer, whose side alone reads this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<FeeView>,
}

/// Every value in terms by the name of its field, as [`Change::field`] has it.
pub fn leaves(terms: &Terms) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    collect(String::new(), serde_json::to_value(terms).unwrap_or_default(), &mut found);
    found
}

/// What is different in `to`, field by field, in the order of their names. Lists are compared place by place.
pub fn changes(from: &Terms, to: &Terms) -> Vec<Change> {
    let (mut before, after) = (leaves(from), leaves(to));
    let mut changes = Vec::new();
    for (field, to) in after {
        let from = before.remove(&field);
        if from.as_ref() != Some(&to) {
            changes.push(Change { field, from, to: Some(to) });
        }
    }
    changes.extend(before.into_iter().map(|(field, from)| Change { field, from: Some(from), to: None }));
    changes.sort_by(|one, other| one.field.cmp(&other.field));
    changes
}

fn collect(path: String, value: Value, found: &mut BTreeMap<String, Value>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                collect(below(&name), value, found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.into_iter().enumerate() {
                collect(below(&at.to_string()), item, found);
            }
        }
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            found.insert(path, leaf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: a change of this hash would break every sealed contract. Computed outside of this crate, over the text
    /// `{"amount":7500,"currency":"USD","kind":"hourly","weekly_hours":30}`.
    #[test]
    fn the_content_hash_of_known_terms_never_changes() {
        let terms: Terms =
            serde_json::from_str(r#"{"currency":"USD","kind":"hourly","amount":7500,"weekly_hours":30}"#)
                .expect("terms");
        assert_eq!(
            terms.hash().to_string(),
            "0459af6d396c43d87428b2be8ce090818b348bc958e95966efbb8605194bed90"
        );
    }
    #[test]
    fn differences_are_told_field_by_field_and_nothing_else_is() {
        let terms = |json: &str| -> Terms { serde_json::from_str(json).expect("terms") };
        let one = terms(
            r#"{"kind":"fixed","amount":300,"currency":"USD","milestones":[{"title":"a","amount":100},{"title":"b","amount":200}]}"#,
        );
        let other = terms(
            r#"{"kind":"fixed","amount":400,"currency":"USD","duration_weeks":2,"milestones":[{"title":"a","amount":400}]}"#,
        );
        assert_eq!(changes(&one, &one), []);
        let told: Vec<String> = changes(&one, &other)
            .into_iter()
            .map(|change| {
                let shown = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
                format!("{}: {} {}", change.field, shown(change.from), shown(change.to))
            })
            .collect();
        assert_eq!(
            told,
            [
                "amount: 300 400",
                "duration_weeks: - 2",
                "milestones.0.amount: 100 400",
                "milestones.1.amount: 200 -",
                r#"milestones.1.title: "b" -"#,
            ]
        );
    }
}
