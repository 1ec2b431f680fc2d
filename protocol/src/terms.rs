//! Terms: what is to be paid for what. An immutable version, carried and shown; its hash says exactly what was agreed on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::limits;
use crate::log::{Hash, canonical};
use crate::time::Time;
use crate::user::Side;

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
    /// The terms themselves.
    pub terms: Terms,
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
}
