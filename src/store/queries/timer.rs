//! What is due: each is found by an index that holds only what still waits for its time.

use anteroom_protocol::id::{CandidacyId, JobId};
use anteroom_protocol::time::Time;
use uuid::Uuid;

use super::dialect::{Connection, Pool};
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Due, StoreError};

/// See [`crate::store::Views::due`].
pub(super) async fn due(pool: &Pool, now: Time, limit: u32) -> Result<Vec<Due>, StoreError> {
    // What is due for two reasons is told for its own.
    let sql = "SELECT candidacy, job FROM (
        SELECT * FROM (
            SELECT id AS candidacy, CAST(NULL AS TEXT) AS job, due_at AS since FROM candidacies WHERE due_at <= $1
            ORDER BY due_at LIMIT $2) its_own
        UNION ALL
        SELECT * FROM (
            SELECT c.id, CAST(NULL AS TEXT), j.ending_at FROM jobs j JOIN candidacies c ON c.job = j.id
            WHERE j.ending_at IS NOT NULL AND c.phase IN ('invited', 'archived', 'submitted', 'active', 'offered')
                AND (c.due_at IS NULL OR c.due_at > $1)
            ORDER BY j.ending_at LIMIT $2) of_a_job
        UNION ALL
        SELECT * FROM (
            SELECT CAST(NULL AS uuid), j.id, j.ending_at FROM jobs j WHERE j.ending_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM candidacies c
                WHERE c.job = j.id AND c.phase IN ('invited', 'archived', 'submitted', 'active', 'offered'))
            ORDER BY j.ending_at LIMIT $2) jobs_own) due
        ORDER BY since LIMIT $2";
    let rows: Vec<(Option<Uuid>, Option<String>)> =
        sqlx::query_as(sql).bind(now.as_micros()).bind(i64::from(limit)).fetch_all(pool).await?;
    let decoded = rows.into_iter().map(|row| match row {
        (Some(candidacy), _) => Ok(Due::Candidacy(CandidacyId(candidacy))),
        (None, Some(job)) => Ok(Due::Job(job.parse().map_err(|_| code::damaged("a job id"))?)),
        (None, None) => Err(code::damaged("something due without a name")),
    });
    Ok(decoded.collect::<sqlx::Result<_>>()?)
}

/// See [`crate::store::Marketplace::job_ended`].
pub(super) async fn job_ended(connection: &mut Connection, job: &JobId) -> Result<Done<()>, Failed> {
    sqlx::query(
        "UPDATE jobs SET ending_at = NULL WHERE id = $1 AND NOT EXISTS (
            SELECT 1 FROM candidacies c
            WHERE c.job = jobs.id AND c.phase IN ('invited', 'archived', 'submitted', 'active', 'offered'))",
    )
    .bind(job.as_str())
    .execute(connection)
    .await?;
    Ok(Done::plain(()))
}
