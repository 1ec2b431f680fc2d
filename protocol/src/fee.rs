//! Fees: what the marketplace keeps of what a client is charged. Told to the freelancer's side alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{FeeScheduleId, UserId};
use crate::limits;

/// How a fee is computed: the body of `PUT /v1/fee-schedules/{schedule}`. A candidacy keeps the one that it began under. A hundred basis
/// points are one per cent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeeSchedule {
    /// The same share of every charge.
    Flat {
        /// The share.
        #[schemars(range(max = limits::BASIS_POINTS))]
        basis_points: u16,
    },
    /// Shares that depend on how much this client was charged for this freelancer before.
    Tiered {
        /// ISO 4217. Terms under this schedule are in this currency.
        #[schemars(regex(pattern = "^[A-Z]{3}$"))]
        currency: String,
        /// By rising end; the last one has none.
        #[schemars(length(min = 1, max = limits::TIERS))]
        tiers: Vec<Tier>,
    },
    /// A share of what the freelancer takes home, added to it.
    OnTop {
        /// The share.
        #[schemars(range(max = limits::BASIS_POINTS))]
        basis_points: u16,
    },
}

/// One stretch of a tiered schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tier {
    /// Minor units of lifetime billing where it ends; the last tier has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::AMOUNT))]
    pub up_to: Option<i64>,
    /// The share of what is charged within it.
    #[schemars(range(max = limits::BASIS_POINTS))]
    pub basis_points: u16,
}

/// The answer of `PUT /v1/fee-schedules/{schedule}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeeScheduleView {
    /// The schedule's id.
    pub id: FeeScheduleId,
    /// How the fee is computed.
    pub schedule: FeeSchedule,
}

/// How much a client was charged for a freelancer so far: the body of `PUT /v1/billings/{client}/{freelancer}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Billing {
    /// ISO 4217.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// Minor units, over the whole life of the two.
    #[schemars(range(min = 0, max = limits::AMOUNT))]
    pub amount: i64,
}

/// The answer of `PUT /v1/billings/{client}/{freelancer}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillingView {
    /// Who is charged.
    pub client: UserId,
    /// For whose work.
    pub freelancer: UserId,
    /// How much so far.
    #[serde(flatten)]
    pub billing: Billing,
}

/// What one version of terms means for the freelancer: the private part of its entry. Only the freelancer's side ever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeeView {
    /// The schedule it was computed by.
    pub schedule: FeeSchedule,
    /// With a tiered schedule: the lifetime billing, in minor units, that it was computed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed: Option<i64>,
    /// The whole.
    #[serde(flatten)]
    pub whole: FeeLine,
    /// Its milestones, in order, each with a fee of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milestones: Option<Vec<FeeLine>>,
}

/// One charge: `charged` is the sum of the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeeLine {
    /// Minor units the client is charged.
    pub charged: i64,
    /// Minor units the marketplace keeps.
    pub fee: i64,
    /// Minor units the freelancer takes home.
    pub take_home: i64,
}
