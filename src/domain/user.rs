//! People: who may act.

use anteroom_protocol::id::UserId;
use anteroom_protocol::limits;
use anteroom_protocol::user::{UserProfile, UserStatus};

use crate::domain::refusal::Refusal;
use crate::domain::text;

/// Whether an account may act, and what the marketplace says about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The status.
    pub status: UserStatus,
    /// Why, in the marketplace's words.
    pub reason: Option<String>,
    /// Whether it can be undone.
    pub reversible: Option<bool>,
    /// What the person can do next.
    pub next_step: Option<String>,
}

impl Standing {
    /// Refuses those who may only read.
    pub fn may_write(&self) -> Result<(), Refusal> {
        match self.status {
            UserStatus::Active => Ok(()),
            UserStatus::Inactive | UserStatus::Suspended => Err(Refusal::Account(self.clone())),
        }
    }
}

/// One of the two people of a candidacy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Who.
    pub user: UserId,
    /// Whether this person may act.
    pub standing: Standing,
}

/// Checks what the marketplace tells about a person.
pub fn check(profile: &UserProfile) -> Result<(), Refusal> {
    text::line("name", &profile.name, limits::NAME_BYTES)?;
    text::optional_link("avatar_url", profile.avatar_url.as_deref())?;
    text::optional_link("profile_url", profile.profile_url.as_deref())?;
    for (field, value) in
        [("status_reason", &profile.status_reason), ("status_next_step", &profile.status_next_step)]
    {
        if let Some(value) = value {
            text::prose(field, value, limits::REASON_BYTES)?;
        }
    }
    Ok(())
}
