//! What transcripts are made of.

use anteroom_protocol::id::{CandidacyId, RoomId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::user::UserSummary;
use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::Pool;
use crate::domain::log::Head;
use crate::store::sql::code;
use crate::store::{StoreError, Subject};

#[derive(FromRow)]
struct SubjectRow {
    candidacy: Uuid,
    seq: i64,
    hash: Vec<u8>,
    job: String,
    title: String,
    url: Option<String>,
    client: String,
    client_name: String,
    client_avatar: Option<String>,
    freelancer: String,
    freelancer_name: String,
    freelancer_avatar: Option<String>,
}

impl SubjectRow {
    fn decode(self) -> sqlx::Result<Subject> {
        let person =
            |id: String, name, avatar_url| code::user(&id).map(|id| UserSummary { id, name, avatar_url });
        Ok(Subject {
            candidacy: CandidacyId(self.candidacy),
            job: JobSummary {
                id: self.job.parse().map_err(|_| code::damaged("a job id"))?,
                title: self.title,
                url: self.url,
            },
            client: person(self.client, self.client_name, self.client_avatar)?,
            freelancer: person(self.freelancer, self.freelancer_name, self.freelancer_avatar)?,
            head: Head { seq: code::count(self.seq)?, hash: code::hash(&self.hash)? },
        })
    }
}

/// See [`crate::store::Archive::subject`].
pub(super) async fn subject(pool: &Pool, room: RoomId) -> Result<Option<Subject>, StoreError> {
    let row: Option<SubjectRow> = sqlx::query_as(
        "SELECT l.candidacy, l.seq, l.hash, j.id AS job, j.title, j.url,
            cu.id AS client, cu.name AS client_name, cu.avatar_url AS client_avatar,
            fu.id AS freelancer, fu.name AS freelancer_name, fu.avatar_url AS freelancer_avatar
         FROM logs l JOIN candidacies c ON c.id = l.candidacy JOIN jobs j ON j.id = c.job
         JOIN users cu ON cu.id = c.client JOIN users fu ON fu.id = c.freelancer WHERE l.room = $1",
    )
    .bind(room.0)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(SubjectRow::decode).transpose()?)
}
