//! People known to the marketplace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::limits;

/// The side a person is on in one candidacy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The one whose job it is.
    Client,
    /// The one who would do it.
    Freelancer,
}

impl Side {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Freelancer => "freelancer",
        }
    }
}

/// Whether a person may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// May read and write.
    #[default]
    Active,
    /// The account sleeps: may read.
    Inactive,
    /// The marketplace stopped the account: may read.
    Suspended,
}

impl UserStatus {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Suspended => "suspended",
        }
    }
}

/// What the marketplace tells about a person: the body of `PUT /v1/users/{user}`, and of `GET /v1/me` beside the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserProfile {
    /// The name others see: 1 to 100 bytes.
    #[schemars(length(min = 1, max = limits::NAME_BYTES))]
    pub name: String,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// The person's page on the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
    /// Whether the person may act.
    #[serde(default)]
    pub status: UserStatus,
    /// Why not, in the marketplace's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub status_reason: Option<String>,
    /// Whether that can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reversible: Option<bool>,
    /// What the person can do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub status_next_step: Option<String>,
}

impl UserProfile {
    /// An active person with this name, of whom nothing else is known.
    pub fn active(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            avatar_url: None,
            profile_url: None,
            status: UserStatus::Active,
            status_reason: None,
            status_reversible: None,
            status_next_step: None,
        }
    }
}

/// The answer of `GET /v1/me` and of `PUT /v1/users/{user}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserView {
    /// The person's id.
    pub user: UserId,
    /// What is known of the person.
    #[serde(flatten)]
    pub profile: UserProfile,
}

/// Whether a person may act, as that person is told: in `welcome`, as the frame `account` and as the inbox entry `account.changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The status.
    pub status: UserStatus,
    /// Why, in the marketplace's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Whether that can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reversible: Option<bool>,
    /// What the person can do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_next_step: Option<String>,
}

impl From<&UserProfile> for Account {
    fn from(profile: &UserProfile) -> Self {
        Self {
            status: profile.status,
            status_reason: profile.status_reason.clone(),
            status_reversible: profile.status_reversible,
            status_next_step: profile.status_next_step.clone(),
        }
    }
}

/// A person inside another view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserSummary {
    /// The person's id.
    pub id: UserId,
    /// The name others see.
    pub name: String,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}
