//! Jobs.

use anteroom_protocol::id::{FeeScheduleId, JobId, UserId};
use anteroom_protocol::job::{JobPosting, JobStatus, JobView};
use anteroom_protocol::time::Time;
use sqlx::FromRow;

use super::dialect::{Connection, Pool, lock};
use crate::domain::refusal::Refusal;
use crate::store::StoreError;
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};

/// Makes or replaces a job; one that is another client's is left alone. `false`: it cannot be opened yet, and nothing was done.
pub(super) async fn put(
    connection: &mut Connection,
    job: &JobId,
    posting: &JobPosting,
    now: Time,
) -> Result<Done<bool>, Failed> {
    // Nobody decides on this job, and no candidacy for it is ended, until this is done.
    let lock = concat!("SELECT 1 FROM jobs WHERE id = $1", lock!("NO KEY UPDATE"));
    sqlx::query(lock).bind(job.as_str()).execute(&mut *connection).await?;
    if posting.status == JobStatus::Open && still_ends(connection, job).await? {
        return Ok(Done::plain(false));
    }
    if let Some(schedule) = &posting.fee_schedule {
        let known = sqlx::query("SELECT 1 FROM fee_schedules WHERE id = $1")
            .bind(schedule.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        if known.is_none() {
            return Err(Refusal::Invalid("fee_schedule: not known yet".into()).into());
        }
    }
    let written = sqlx::query(
        "INSERT INTO jobs (id, client, title, description, category, url, status, created_at, fee_schedule, ending_at)
         SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $7 <> 'open' THEN $8 END FROM users WHERE id = $2
         ON CONFLICT (id) DO UPDATE SET title = excluded.title, description = excluded.description,
             category = excluded.category, url = excluded.url, status = excluded.status,
             fee_schedule = excluded.fee_schedule, ending_at = excluded.ending_at
         WHERE jobs.client = excluded.client",
    )
    .bind(job.as_str())
    .bind(posting.client.as_str())
    .bind(&posting.title)
    .bind(&posting.description)
    .bind(&posting.category)
    .bind(&posting.url)
    .bind(posting.status.as_str())
    .bind(now.as_micros())
    .bind(posting.fee_schedule.as_ref().map(FeeScheduleId::as_str))
    .execute(&mut *connection)
    .await?;
    if written.rows_affected() == 1 {
        Ok(Done::plain(true))
    } else {
        let why = "client: must be a known user, and the one whose job it is already";
        Err(Refusal::Invalid(why.into()).into())
    }
}

/// Whether candidacies are still to be ended because the job was filled or closed: opened now, it would have ended some of them.
async fn still_ends(connection: &mut Connection, job: &JobId) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (
            SELECT 1 FROM jobs j JOIN candidacies c ON c.job = j.id WHERE j.id = $1 AND j.ending_at IS NOT NULL
            AND c.phase IN ('invited', 'archived', 'submitted', 'active', 'offered'))",
    )
    .bind(job.as_str())
    .fetch_one(connection)
    .await
}

#[derive(FromRow)]
struct JobRow {
    id: String,
    client: String,
    title: String,
    description: String,
    category: Option<String>,
    url: Option<String>,
    status: String,
}

impl JobRow {
    fn decode(self) -> sqlx::Result<JobView> {
        Ok(JobView {
            id: self.id.parse().map_err(|_| code::damaged("a job id"))?,
            posting: JobPosting {
                client: code::user(&self.client)?,
                title: self.title,
                description: self.description,
                category: self.category,
                url: self.url,
                status: code::parse(&self.status)?,
                // How the freelancer's fee is computed is no client's to read.
                fee_schedule: None,
            },
        })
    }
}

/// A job, if this reader may see it.
pub(super) async fn load(pool: &Pool, reader: &UserId, job: &JobId) -> Result<Option<JobView>, StoreError> {
    let sql = "SELECT id, client, title, description, category, url, status FROM jobs
        WHERE id = $1 AND (status = 'open' OR client = $2
            OR EXISTS (SELECT 1 FROM candidacies c WHERE c.job = jobs.id AND c.freelancer = $2))";
    let row: Option<JobRow> =
        sqlx::query_as(sql).bind(job.as_str()).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(row.map(JobRow::decode).transpose()?)
}

/// Open jobs and the reader's own, newest first.
pub(super) async fn list(pool: &Pool, reader: &UserId, limit: u32) -> Result<Vec<JobView>, StoreError> {
    let sql = "SELECT id, client, title, description, category, url, status FROM (
            SELECT * FROM (SELECT * FROM jobs WHERE status = 'open' ORDER BY created_at DESC, id LIMIT $2) anybodys
            UNION
            SELECT * FROM (SELECT * FROM jobs WHERE client = $1 ORDER BY created_at DESC, id LIMIT $2) own) listed
        ORDER BY created_at DESC, id LIMIT $2";
    let rows: Vec<JobRow> =
        sqlx::query_as(sql).bind(reader.as_str()).bind(i64::from(limit)).fetch_all(pool).await?;
    Ok(rows.into_iter().map(JobRow::decode).collect::<sqlx::Result<_>>()?)
}
