//! Jobs: a client's postings, as the marketplace tells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{FeeScheduleId, JobId, UserId};
use crate::limits;

/// Whether a job still takes candidates. Only the marketplace says `filled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Takes candidates.
    #[default]
    Open,
    /// Somebody was hired.
    Filled,
    /// Taken down.
    Closed,
}

impl JobStatus {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Filled => "filled",
            Self::Closed => "closed",
        }
    }
}

/// What the marketplace tells about a job: the body of `PUT /v1/jobs/{job}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobPosting {
    /// Whose job it is. It never changes.
    pub client: UserId,
    /// The title: 1 to 200 bytes.
    #[schemars(length(min = 1, max = limits::TITLE_BYTES))]
    pub title: String,
    /// What is to be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = limits::DESCRIPTION_BYTES))]
    pub description: String,
    /// The marketplace's category.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME_BYTES))]
    pub category: Option<String>,
    /// The job's page on the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it takes candidates.
    #[serde(default)]
    pub status: JobStatus,
    /// The fee schedule of candidacies that begin from now on; absent: the one called `default`, if the marketplace told of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_schedule: Option<FeeScheduleId>,
}

/// The answer of the job routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobView {
    /// The job's id.
    pub id: JobId,
    /// What is known of it.
    #[serde(flatten)]
    pub posting: JobPosting,
}

/// A job inside another view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobSummary {
    /// The job's id.
    pub id: JobId,
    /// Its title.
    pub title: String,
    /// Its page on the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
