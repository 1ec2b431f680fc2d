//! Versions of terms.

use anteroom_protocol::id::{CandidacyId, UserId};
use anteroom_protocol::terms::TermsView;
use anteroom_protocol::time::Time;

use super::case::select_whole;
use super::dialect::{Connection, Pool};
use crate::domain::terms::Version;
use crate::store::StoreError;
use crate::store::sql::case::CaseRow;
use crate::store::sql::code;

/// Keeps a version; of one that is kept already, only whether note was taken of it can be new.
pub(super) async fn save(
    connection: &mut Connection,
    candidacy: CandidacyId,
    version: &Version,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO terms (candidacy, version, side, terms, hash, proposed_at, expires_at, acknowledged_at, fee)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (candidacy, version) DO UPDATE SET acknowledged_at = excluded.acknowledged_at",
    )
    .bind(candidacy.0)
    .bind(i64::from(version.version))
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

/// Every version of a candidacy of the reader's, newest first.
pub(super) async fn list(
    pool: &Pool,
    reader: &UserId,
    candidacy: CandidacyId,
) -> Result<Option<Vec<TermsView>>, StoreError> {
    let sql = select_whole("WHERE c.id = $1 AND (c.client = $2 OR c.freelancer = $2)");
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(candidacy.0).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(row.map(|row| row.terms_views(reader)).transpose()?)
}
