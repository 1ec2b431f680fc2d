//! People: who may act.

use anteroom_protocol::id::UserId;
use anteroom_protocol::limits;
use anteroom_protocol::time::Time;
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

/// Whether a token that was issued then still counts, when those issued up to a moment were taken back: in whole seconds, as tokens
/// have them, so a token of the same second counts no more. One that does not say when it was issued may be any of them.
pub fn outlives(issued_at: Option<Time>, taken_back: Option<Time>) -> bool {
    taken_back.is_none_or(|taken_back| {
        issued_at.is_some_and(|issued| issued.as_seconds() > taken_back.as_seconds())
    })
}

/// Checks what the marketplace tells about a person. The profile as it is kept.
pub fn check(profile: UserProfile) -> Result<UserProfile, Refusal> {
    let name = text::name("name", &profile.name, limits::NAME_BYTES)?;
    text::optional_link("avatar_url", profile.avatar_url.as_deref())?;
    text::optional_link("profile_url", profile.profile_url.as_deref())?;
    for (field, value) in
        [("status_reason", &profile.status_reason), ("status_next_step", &profile.status_next_step)]
    {
        if let Some(value) = value {
            text::prose(field, value, limits::REASON_BYTES)?;
        }
    }
    Ok(UserProfile { name, ..profile })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_outlives_a_revocation_that_was_a_second_before_it() {
        let at = |micros| Some(Time::from_micros(micros));
        assert!(outlives(None, None) && outlives(at(0), None));
        assert!(outlives(at(11_000_000), at(10_999_999)));
        assert!(!outlives(at(10_000_000), at(10_999_999)), "of the same second");
        assert!(!outlives(at(10_000_000), at(10_000_000)));
        assert!(!outlives(at(9_000_000), at(10_000_000)));
        assert!(!outlives(None, at(0)), "it may have been issued at any time");
    }
}
