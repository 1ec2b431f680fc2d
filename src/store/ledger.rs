//! The ledger of response speed: the part of the port that reads its rows and tells their owners of what they make. The rows themselves are
//! written with the case that brings them about, in its transaction.

use std::fmt;
use std::str::FromStr;

use anteroom_protocol::id::{CandidacyId, InvitationId, ProposalId, UserId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::ledger::Responsiveness;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use async_trait::async_trait;

use crate::domain::ledger::Row;
use crate::store::{Appended, Moment, Page, StoreError};

/// The place of a row among its owner's: by when its clock started, and then by what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerPlace {
    /// When its clock started.
    pub started_at: Time,
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// The round.
    pub round: u32,
}

impl fmt::Display for LedgerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.started_at.as_micros(), self.candidacy, self.round)
    }
}

impl FromStr for LedgerPlace {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NONE: &str = "a place in a ledger is what an earlier page gave";
        let mut parts = text.split('.');
        let (Some(micros), Some(candidacy), Some(round), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NONE);
        };
        Ok(Self {
            started_at: Time::from_micros(micros.parse().map_err(|_| NONE)?),
            candidacy: candidacy.parse().map_err(|_| NONE)?,
            round: round.parse().map_err(|_| NONE)?,
        })
    }
}

/// A row, and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerItem {
    /// The row.
    pub row: Row,
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// The invitation that a freelancer was asked by.
    pub invitation: Option<InvitationId>,
    /// The proposal that a client was asked by.
    pub proposal: Option<ProposalId>,
    /// The job.
    pub job: JobSummary,
}

impl LedgerItem {
    /// Its place among its owner's rows.
    pub fn place(&self) -> LedgerPlace {
        LedgerPlace { started_at: self.row.started_at, candidacy: self.candidacy, round: self.row.round }
    }
}

/// Decides what these rows show, and when that can next change by itself.
pub type DecideResponsiveness<'a> =
    &'a (dyn Fn(&[Row]) -> (Option<Responsiveness>, Option<Time>) + Send + Sync);

/// The ledger's part of the port.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// A page of this person's rows on this side, the one whose clock started last first.
    async fn ledger(
        &self,
        owner: &UserId,
        side: Side,
        page: Page<LedgerPlace>,
    ) -> Result<Vec<LedgerItem>, StoreError>;

    /// The rows of this person on this side whose clock started after that moment, the newest first, and no more of them than
    /// [`crate::domain::ledger::FIGURE_ROWS`].
    async fn ledger_window(&self, owner: &UserId, side: Side, since: Time) -> Result<Vec<Row>, StoreError>;

    /// Whose figure may show something else by now, the longest due first, at most so many. It is due from every change of a row on.
    async fn responsiveness_due(&self, now: Time, limit: u32) -> Result<Vec<(UserId, Side)>, StoreError>;

    /// Has decided what somebody's rows since that moment show, in one transaction with them. What differs from what the owner was told last
    /// is told to the owner's inbox; when it is due again is kept. Whatever is not due is left alone: many who do this at once tell it once.
    async fn tell_responsiveness(
        &self,
        owner: (&UserId, Side),
        since: Time,
        moment: Moment,
        decide: DecideResponsiveness<'_>,
    ) -> Result<Vec<Appended>, StoreError>;
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_text_and_nothing_else_is_one() {
        let place = LedgerPlace {
            started_at: Time::from_micros(-5),
            candidacy: CandidacyId(Uuid::from_u128(7)),
            round: 3,
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for bad in ["", ".", "..", "1.2.3", &format!("{place}.1"), &format!("x{place}")] {
            assert!(bad.parse::<LedgerPlace>().is_err(), "{bad}");
        }
    }
}
