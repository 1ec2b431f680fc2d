//! Versions of terms in SQLite.

use anteroom_protocol::fee::FeeView;
use anteroom_protocol::id::{CandidacyId, UserId};
use anteroom_protocol::log::Hash;
use anteroom_protocol::terms::{Terms, TermsView};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use sqlx::{SqliteConnection, SqlitePool};

use super::case::{CaseRow, case_select};
use super::code;
use crate::domain::candidacy::Case;
use crate::domain::ledger;
use crate::domain::terms::Version;
use crate::store::StoreError;

/// Which versions of a case, and which row of the ledger, are in the database as they are: there may be a hundred versions, and a command
/// changes one or two.
#[derive(Default)]
pub(super) struct Kept {
    candidacy: Option<CandidacyId>,
    versions: Vec<(u32, Option<Time>)>,
    row: Option<ledger::Row>,
}

impl Kept {
    /// All of this case, as it was read.
    pub(super) fn of(case: &Case) -> Self {
        Self {
            candidacy: case.candidacy.as_ref().map(|candidacy| candidacy.id),
            versions: case.terms.iter().map(|it| (it.version, it.acknowledged_at)).collect(),
            row: case.ledger,
        }
    }

    /// Whether this one is among them. A new candidacy has none of the one before it.
    pub(super) fn holds(&self, candidacy: CandidacyId, version: &Version) -> bool {
        self.candidacy == Some(candidacy)
            && self.versions.contains(&(version.version, version.acknowledged_at))
    }

    /// Whether this row is.
    pub(super) fn holds_row(&self, candidacy: CandidacyId, row: &ledger::Row) -> bool {
        self.candidacy == Some(candidacy) && self.row.as_ref() == Some(row)
    }
}

/// Keeps a version; of one that is kept already, only whether note was taken of it can be new.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    candidacy: CandidacyId,
    version: &Version,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO terms (candidacy, version, side, terms, hash, proposed_at, expires_at, acknowledged_at, fee)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (candidacy, version) DO UPDATE SET acknowledged_at = excluded.acknowledged_at",
    )
    .bind(code::id(&candidacy.0))
    .bind(version.version)
    .bind(version.side.as_str())
    .bind(code::to_json(&version.terms)?)
    .bind(version.hash.0.as_slice())
    .bind(version.proposed_at.as_micros())
    .bind(version.expires_at.map(Time::as_micros))
    .bind(version.acknowledged_at.map(Time::as_micros))
    .bind(version.fee.as_ref().map(code::to_json).transpose()?)
    .execute(connection)
    .await
    .map(drop)
}

/// A version as [`case_select`] reads it.
type Row = (u32, Side, Terms, Hash, i64, Option<i64>, Option<i64>, Option<FeeView>);

/// The versions of a case from their JSON, rising.
pub(super) fn decode(json: &str) -> sqlx::Result<Vec<Version>> {
    let rows: Vec<Row> = code::json(json)?;
    let version =
        |(version, side, terms, hash, proposed_at, expires_at, acknowledged_at, fee): Row| Version {
            version,
            side,
            terms,
            hash,
            proposed_at: code::time(proposed_at),
            expires_at: expires_at.map(code::time),
            acknowledged_at: acknowledged_at.map(code::time),
            fee,
        };
    Ok(rows.into_iter().map(version).collect())
}

/// Every version of a candidacy of the reader's, newest first.
pub(super) async fn list(
    pool: &SqlitePool,
    reader: &UserId,
    candidacy: CandidacyId,
) -> Result<Option<Vec<TermsView>>, StoreError> {
    let sql = case_select!(every "WHERE c.id = $1 AND (c.client = $2 OR c.freelancer = $2)");
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(code::id(&candidacy.0)).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(row.map(|row| row.terms_views(reader)).transpose()?)
}
