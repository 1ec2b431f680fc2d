//! What of a case is in the database as it is, so that a command writes only what it changes.

use anteroom_protocol::id::CandidacyId;
use anteroom_protocol::time::Time;

use crate::domain::candidacy::Case;
use crate::domain::ledger;
use crate::domain::terms::Version;

/// Which versions of a case, and which row of the ledger, are in the database as they are: there may be a hundred versions, and a command
/// changes one or two.
#[derive(Default)]
pub(in crate::store) struct Kept {
    candidacy: Option<CandidacyId>,
    versions: Vec<(u32, Option<Time>)>,
    row: Option<ledger::Row>,
}

impl Kept {
    /// All of this case, as it was read.
    pub(in crate::store) fn of(case: &Case) -> Self {
        Self {
            candidacy: case.candidacy.as_ref().map(|candidacy| candidacy.id),
            versions: case.terms.iter().map(|it| (it.version, it.acknowledged_at)).collect(),
            row: case.ledger,
        }
    }

    /// Whether this one is among them. A new candidacy has none of the one before it.
    pub(in crate::store) fn holds(&self, candidacy: CandidacyId, version: &Version) -> bool {
        self.candidacy == Some(candidacy)
            && self.versions.contains(&(version.version, version.acknowledged_at))
    }

    /// Whether this row is.
    pub(in crate::store) fn holds_row(&self, candidacy: CandidacyId, row: &ledger::Row) -> bool {
        self.candidacy == Some(candidacy) && self.row.as_ref() == Some(row)
    }
}
