//! Invitations.

use anteroom_protocol::id::{CandidacyId, InvitationId, UserId};
use anteroom_protocol::invitation::{InvitationStatus, InvitationView};
use anteroom_protocol::time::Time;

use super::case::{select, views};
use super::dialect::{Connection, Pool};
use crate::domain::candidacy::Case;
use crate::domain::invitation::Invitation;
use crate::store::sql::case::CaseRow;
use crate::store::sql::code;
use crate::store::{Page, StoreError};

/// Makes or updates the invitation of a case.
pub(super) async fn save(
    connection: &mut Connection,
    case: &Case,
    candidacy: CandidacyId,
    invitation: &Invitation,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO invitations (id, candidacy, client, freelancer, status, message, sent_at, expires_at, answered_at,
                                  reason, reason_text, decline_message)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, expires_at = excluded.expires_at, answered_at = excluded.answered_at,
             reason = excluded.reason, reason_text = excluded.reason_text, decline_message = excluded.decline_message",
    )
    .bind(invitation.id.0)
    .bind(candidacy.0)
    .bind(case.client.user.as_str())
    .bind(case.freelancer.user.as_str())
    .bind(code::word(invitation.status))
    .bind(&invitation.message)
    .bind(invitation.sent_at.as_micros())
    .bind(invitation.expires_at.as_micros())
    .bind(invitation.answered_at.map(Time::as_micros))
    .bind(invitation.reason.map(code::word))
    .bind(&invitation.reason_text)
    .bind(&invitation.decline_message)
    .execute(connection)
    .await
    .map(drop)
}

/// An invitation of the reader's.
pub(super) async fn load(
    pool: &Pool,
    reader: &UserId,
    invitation: InvitationId,
    now: Time,
) -> Result<Option<InvitationView>, StoreError> {
    let sql = select("WHERE i.id = $1 AND (i.client = $2 OR i.freelancer = $2)");
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(invitation.0).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.invitation_view(reader, now))?.pop())
}

/// The reader's invitations, newest first. The filter sees the status as the reader does: expired as soon as it is due, and never
/// archived on the client's side.
pub(super) async fn list(
    pool: &Pool,
    reader: &UserId,
    status: Option<InvitationStatus>,
    page: Page<InvitationId>,
    now: Time,
) -> Result<Vec<InvitationView>, StoreError> {
    let sql = select("WHERE i.id IN (
            SELECT id FROM (SELECT id FROM invitations WHERE client = $1 AND id < $2
                AND ($3 IS NULL OR CASE WHEN status IN ('pending', 'archived') AND expires_at <= $5 THEN 'expired'
                                        WHEN status = 'archived' THEN 'pending' ELSE status END = $3)
                ORDER BY id DESC LIMIT $4) one
            UNION ALL
            SELECT id FROM (SELECT id FROM invitations WHERE freelancer = $1 AND id < $2
                AND ($3 IS NULL OR CASE WHEN status IN ('pending', 'archived') AND expires_at <= $5 THEN 'expired'
                                        ELSE status END = $3)
                ORDER BY id DESC LIMIT $4) other)
         ORDER BY i.id DESC LIMIT $4");
    let rows: Vec<CaseRow> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(code::before(page.before.map(|id| id.0)))
        .bind(status.map(code::word))
        .bind(i64::from(page.limit))
        .bind(now.as_micros())
        .fetch_all(pool)
        .await?;
    views(rows, |row| row.invitation_view(reader, now))
}
