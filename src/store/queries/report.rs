//! Reports.

use anteroom_protocol::id::{CandidacyId, InvitationId, ReportId, RoomId, RoomRef};
use anteroom_protocol::report::ReportView;
use anteroom_protocol::time::Time;
use sqlx::FromRow;

use super::dialect::{Connection, Pool};
use crate::domain::report::{Report, Reported};
use crate::store::sql::code;
use crate::store::{Page, StoreError};
use uuid::Uuid;

/// Keeps a report. One of the same person's of the same thing goes, except for its words, when the new one has none.
pub(super) async fn save(
    connection: &mut Connection,
    candidacy: CandidacyId,
    report: &Report,
    now: Time,
) -> sqlx::Result<()> {
    let (invitation, room, seq) = match &report.what {
        Reported::Invitation(id) => (Some(id.0), None, None),
        Reported::Message(room, seq) => (None, Some(room.0), Some(code::number(*seq))),
    };
    let words: Option<Option<String>> = sqlx::query_scalar(
        "DELETE FROM reports WHERE by = $1 AND coalesce(invitation, room) = $2 AND coalesce(seq, 0) = coalesce($3, 0)
         RETURNING text",
    )
    .bind(report.by.as_str())
    .bind(invitation.or(room))
    .bind(seq)
    .fetch_optional(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO reports (id, by, about, candidacy, invitation, room, seq, reason, text, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(report.id.0)
    .bind(report.by.as_str())
    .bind(report.about.as_str())
    .bind(candidacy.0)
    .bind(invitation)
    .bind(room)
    .bind(seq)
    .bind(code::word(report.reason))
    .bind(report.text.as_ref().or(words.flatten().as_ref()))
    .bind(now.as_micros())
    .execute(connection)
    .await
    .map(drop)
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    by: String,
    about: String,
    candidacy: Uuid,
    invitation: Option<Uuid>,
    room: Option<Uuid>,
    seq: Option<i64>,
    reason: String,
    text: Option<String>,
    at: i64,
}

impl Row {
    fn decode(self) -> sqlx::Result<ReportView> {
        let room = self.room;
        Ok(ReportView {
            id: ReportId(self.id),
            by: code::user(&self.by)?,
            about: code::user(&self.about)?,
            candidacy: CandidacyId(self.candidacy),
            invitation: self.invitation.map(InvitationId),
            room: room.map(RoomId).map(RoomRef::Room),
            seq: self.seq.map(code::count).transpose()?,
            reason: code::parse(&self.reason)?,
            text: self.text,
            at: code::time(self.at),
        })
    }
}

/// What was reported, newest first.
pub(super) async fn list(pool: &Pool, page: Page<ReportId>) -> Result<Vec<ReportView>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, by, about, candidacy, invitation, room, seq, reason, text, at FROM reports
         WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(code::before(page.before.map(|id| id.0)))
    .bind(i64::from(page.limit))
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Row::decode).collect::<sqlx::Result<_>>()?)
}
