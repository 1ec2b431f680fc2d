//! Fee schedules and lifetime billings.

use anteroom_protocol::fee::{Billing, FeeSchedule};
use anteroom_protocol::id::{FeeScheduleId, JobId, UserId};

use super::dialect::Connection;
use crate::domain::fee::Fees;
use crate::domain::refusal::Refusal;
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};

/// Makes or replaces a schedule.
pub(super) async fn put_schedule(
    connection: &mut Connection,
    id: &FeeScheduleId,
    schedule: &FeeSchedule,
) -> Result<Done<()>, Failed> {
    sqlx::query(
        "INSERT INTO fee_schedules (id, schedule) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET schedule = excluded.schedule",
    )
    .bind(id.as_str())
    .bind(code::to_json(schedule)?)
    .execute(connection)
    .await?;
    Ok(Done::plain(()))
}

/// Says how much one of two known people was charged for the other so far.
pub(super) async fn put_billing(
    connection: &mut Connection,
    (client, freelancer): (&UserId, &UserId),
    billing: &Billing,
) -> Result<Done<()>, Failed> {
    let written = sqlx::query(
        "INSERT INTO billings (client, freelancer, currency, amount)
         SELECT c.id, f.id, $3, $4 FROM users c, users f WHERE c.id = $1 AND f.id = $2
         ON CONFLICT (client, freelancer, currency) DO UPDATE SET amount = excluded.amount",
    )
    .bind(client.as_str())
    .bind(freelancer.as_str())
    .bind(&billing.currency)
    .bind(billing.amount)
    .execute(connection)
    .await?;
    if written.rows_affected() == 1 { Ok(Done::plain(())) } else { Err(Refusal::NotFound.into()) }
}

/// The fees of a candidacy that began under this schedule, as things are billed now.
pub(super) async fn of_candidacy(
    connection: &mut Connection,
    schedule: Option<&str>,
    people: (&UserId, &UserId),
) -> sqlx::Result<Option<Fees>> {
    match schedule {
        Some(schedule) => with_billing(connection, code::json(schedule)?, people).await.map(Some),
        None => Ok(None),
    }
}

/// The fees of a candidacy for this job that begins now: by the job's schedule, or by the one called `default`.
pub(super) async fn of_job(
    connection: &mut Connection,
    job: &JobId,
    people: (&UserId, &UserId),
) -> sqlx::Result<Option<Fees>> {
    let sql = "SELECT s.schedule FROM jobs j JOIN fee_schedules s ON s.id = COALESCE(j.fee_schedule, 'default') WHERE j.id = $1";
    let schedule: Option<String> =
        sqlx::query_scalar(sql).bind(job.as_str()).fetch_optional(&mut *connection).await?;
    of_candidacy(connection, schedule.as_deref(), people).await
}

async fn with_billing(
    connection: &mut Connection,
    schedule: FeeSchedule,
    (client, freelancer): (&UserId, &UserId),
) -> sqlx::Result<Fees> {
    let billed = match &schedule {
        FeeSchedule::Tiered { currency, .. } => {
            let sql = "SELECT amount FROM billings WHERE client = $1 AND freelancer = $2 AND currency = $3";
            sqlx::query_scalar(sql)
                .bind(client.as_str())
                .bind(freelancer.as_str())
                .bind(currency)
                .fetch_optional(connection)
                .await?
        }
        FeeSchedule::Flat { .. } | FeeSchedule::OnTop { .. } => None,
    };
    Ok(Fees { schedule, billed: billed.unwrap_or(0) })
}
