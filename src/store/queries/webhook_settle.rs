//! What came of a round of deliveries, kept in one transaction: how far the webhook was told, which logs are held up, what was tried.

use anteroom_protocol::id::WebhookId;
use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{Channel, DeliveryNumber, DeliveryOutcome, WebhookDisabled, WebhookState};
use sqlx::FromRow;
use uuid::Uuid;

use super::candidacy::append_to;
use super::dialect::{Connection, each, lease_end, lock};
use super::webhook;
use super::webhook_round::lease;
use crate::domain::log::{Event, Log, What};
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Attempt, Kept, Lane, LogKey, LogPlace, Moment, Settled};

/// Attempts that are kept of each webhook, beside those that are parked.
const KEPT: i64 = 1_000;

/// What a worker finds of its webhook when it keeps something.
#[derive(FromRow)]
struct Found {
    state: String,
    notify: Option<String>,
    log: i64,
    seq: i64,
    counted: i64,
}

/// See [`crate::store::Webhooks::settle`].
pub(super) async fn settle(
    connection: &mut Connection,
    (worker, id): (Uuid, &WebhookId),
    settled: &Settled,
    moment: Moment,
) -> Result<Done<Kept>, Failed> {
    let sql = concat!(
        "SELECT state, notify, log, seq, counted FROM webhooks WHERE id = $1 AND lease_by = $2",
        lock!("UPDATE")
    );
    let found: Option<Found> =
        sqlx::query_as(sql).bind(id.as_str()).bind(worker).fetch_optional(&mut *connection).await?;
    let Some(found) = found else { return Ok(Done::plain(Kept::Lost)) };
    for (log, lane) in &settled.lanes {
        keep_lane(connection, id, *log, *lane).await?;
    }
    let counted = keep_attempts(connection, id, found.counted, &settled.attempts).await?;
    for (number, is_taken) in &settled.again {
        done_again(connection, id, *number, *is_taken).await?;
    }
    let state: WebhookState = code::parse(&found.state)?;
    let is_disabled = settled.disabled.is_some() && state == WebhookState::Active;
    let place =
        settled.place.map_or((found.log, found.seq), |LogPlace { log, seq }| (log.0, code::number(seq)));
    let sql = concat!(
        "UPDATE webhooks SET log = $2, seq = $3, attempts = $4, next_at = $5, failing_since = $6, counted = $7,
             because = coalesce($8, because), state = CASE WHEN $9 THEN 'disabled' ELSE state END, lease_until = ",
        lease!(),
        " WHERE id = $1"
    );
    sqlx::query(sql)
        .bind(id.as_str())
        .bind(place.0)
        .bind(place.1)
        .bind(i64::from(settled.health.attempts))
        .bind(settled.health.next_at.as_micros())
        .bind(settled.health.failing_since.map(Time::as_micros))
        .bind(counted)
        .bind(&settled.disabled)
        .bind(is_disabled)
        .execute(&mut *connection)
        .await?;
    let mut appended = Vec::new();
    if let (true, Some(owner), Some(because)) = (is_disabled, &found.notify, &settled.disabled) {
        let failing_since = settled.health.failing_since;
        let told = WebhookDisabled { webhook: id.clone(), because: because.clone(), failing_since };
        let event = Event { by: None, client_id: None, what: What::Webhook(told), private: None };
        append_to(connection, Log::Inbox(code::user(owner)?), vec![event], moment, &mut appended).await?;
    }
    let is_held = webhook::is_held(connection, Channel::Webhooks).await?;
    let goes_on = state == WebhookState::Active && !is_disabled && !is_held;
    let logs = appended.clone();
    Ok(Done::appended(Kept::Yes { appended, goes_on }, &logs))
}

async fn keep_lane(connection: &mut Connection, id: &WebhookId, log: LogKey, lane: Lane) -> sqlx::Result<()> {
    match lane {
        Lane::Free => sqlx::query("DELETE FROM webhook_lanes WHERE webhook = $1 AND log = $2")
            .bind(id.as_str())
            .bind(log.0),
        Lane::Held { seq, attempts, until } => sqlx::query(
            "INSERT INTO webhook_lanes (webhook, log, seq, attempts, next_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (webhook, log) DO UPDATE
             SET seq = excluded.seq, attempts = excluded.attempts, next_at = excluded.next_at",
        )
        .bind(id.as_str())
        .bind(log.0)
        .bind(code::number(seq))
        .bind(i64::from(attempts))
        .bind(until.as_micros()),
    }
    .execute(connection)
    .await
    .map(drop)
}

/// Keeps attempts, and forgets those that are too many. The number of the last one.
async fn keep_attempts(
    connection: &mut Connection,
    id: &WebhookId,
    counted: i64,
    attempts: &[Attempt],
) -> sqlx::Result<i64> {
    if attempts.is_empty() {
        return Ok(counted);
    }
    let rows: Vec<_> = (counted + 1..)
        .zip(attempts)
        .map(|(number, Attempt { at, view })| {
            let of_the_event = (at.log.0, code::number(at.seq), &view.event, &view.kind, &view.subject);
            let answered = (view.status, &view.error, &view.response);
            (number, of_the_event, view.at.as_micros(), view.took_ms, view.attempt, view.outcome, answered)
        })
        .collect();
    let sql = concat!(
        "INSERT INTO webhook_deliveries
             (webhook, number, log, seq, event, kind, subject, at, took_ms, attempt, outcome, status, error, response)
         SELECT $1, CAST(value ->> 0 AS BIGINT), CAST(value -> 1 ->> 0 AS BIGINT), CAST(value -> 1 ->> 1 AS BIGINT), value -> 1 ->> 2,
             value -> 1 ->> 3, value -> 1 ->> 4, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT),
             value ->> 5, CAST(value -> 6 ->> 0 AS BIGINT), value -> 6 ->> 1, value -> 6 ->> 2 FROM ",
        each!("$2")
    );
    sqlx::query(sql).bind(id.as_str()).bind(code::to_json(&rows)?).execute(&mut *connection).await?;
    let counted = counted + attempts.len() as i64;
    sqlx::query(
        "DELETE FROM webhook_deliveries WHERE webhook = $1 AND number <= $2 AND outcome <> 'parked' AND again_at IS NULL",
    )
    .bind(id.as_str())
    .bind(counted - KEPT)
    .execute(connection)
    .await?;
    Ok(counted)
}

async fn done_again(
    connection: &mut Connection,
    id: &WebhookId,
    number: DeliveryNumber,
    is_taken: bool,
) -> sqlx::Result<()> {
    let redelivered = code::word(DeliveryOutcome::Redelivered);
    sqlx::query(
        "UPDATE webhook_deliveries SET again_at = NULL,
             outcome = CASE WHEN $3 AND outcome = 'parked' THEN $4 ELSE outcome END WHERE webhook = $1 AND number = $2",
    )
    .bind(id.as_str())
    .bind(code::number(number.0))
    .bind(is_taken)
    .bind(redelivered)
    .execute(connection)
    .await
    .map(drop)
}
