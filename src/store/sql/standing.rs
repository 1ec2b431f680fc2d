//! Whether somebody may act, as it stands in the table of people.

use sqlx::FromRow;

use super::code;
use crate::domain::user::Standing;

/// The columns that say whether a person may act.
#[derive(FromRow)]
pub(in crate::store) struct StandingRow {
    pub(in crate::store) status: String,
    pub(in crate::store) status_reason: Option<String>,
    pub(in crate::store) status_reversible: Option<bool>,
    pub(in crate::store) status_next_step: Option<String>,
}

impl StandingRow {
    pub(in crate::store) fn decode(self) -> sqlx::Result<Standing> {
        Ok(Standing {
            status: code::parse(&self.status)?,
            reason: self.status_reason,
            reversible: self.status_reversible,
            next_step: self.status_next_step,
        })
    }
}
