//! Proposals.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::id::{CandidacyId, ProposalId, UserId};
use anteroom_protocol::proposal::ProposalView;

use super::case::{select, views};
use super::dialect::{Connection, Pool};
use crate::domain::candidacy::Case;
use crate::domain::proposal::Proposal;
use crate::store::sql::case::CaseRow;
use crate::store::sql::code;
use crate::store::{Page, StoreError};

/// Makes the proposal of a case. It never changes afterwards.
pub(super) async fn save(
    connection: &mut Connection,
    case: &Case,
    candidacy: CandidacyId,
    proposal: &Proposal,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO proposals (id, candidacy, client, freelancer, cover_letter, submitted_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
    )
    .bind(proposal.id.0)
    .bind(candidacy.0)
    .bind(case.client.user.as_str())
    .bind(case.freelancer.user.as_str())
    .bind(&proposal.cover_letter)
    .bind(proposal.submitted_at.as_micros())
    .execute(connection)
    .await
    .map(drop)
}

/// A proposal of the reader's.
pub(super) async fn load(
    pool: &Pool,
    reader: &UserId,
    proposal: ProposalId,
) -> Result<Option<ProposalView>, StoreError> {
    let sql = select("WHERE p.id = $1 AND (p.client = $2 OR p.freelancer = $2)");
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(proposal.0).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.proposal_view(reader))?.pop())
}

/// The reader's proposals, newest first.
pub(super) async fn list(
    pool: &Pool,
    reader: &UserId,
    phase: Option<Phase>,
    page: Page<ProposalId>,
) -> Result<Vec<ProposalView>, StoreError> {
    let sql = select("WHERE p.id IN (
            SELECT id FROM (SELECT p.id FROM proposals p JOIN candidacies c ON c.id = p.candidacy
                WHERE p.client = $1 AND p.id < $2 AND ($3 IS NULL OR c.phase = $3) ORDER BY p.id DESC LIMIT $4) one
            UNION ALL
            SELECT id FROM (SELECT p.id FROM proposals p JOIN candidacies c ON c.id = p.candidacy
                WHERE p.freelancer = $1 AND p.id < $2 AND ($3 IS NULL OR c.phase = $3) ORDER BY p.id DESC LIMIT $4) other)
         ORDER BY p.id DESC LIMIT $4");
    let rows: Vec<CaseRow> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(code::before(page.before.map(|id| id.0)))
        .bind(phase.map(Phase::as_str))
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await?;
    views(rows, |row| row.proposal_view(reader))
}
