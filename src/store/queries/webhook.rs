//! Webhooks, as the marketplace makes, changes and looks at them. What their workers do is in `webhook_round`.

use anteroom_protocol::id::{UserId, WebhookId};
use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{Channel, DeliveryNumber, DeliveryOutcome, DeliveryView};
use sqlx::FromRow;

use super::dialect::{Connection, Pool, placed, settled};
use super::event;
use crate::domain::refusal::Refusal;
use crate::domain::webhook::{Health, Target, Webhook};
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Begin, Page, StoreError};

/// Webhooks with how much of each waits.
macro_rules! webhook_columns {
    () => {
        "w.id, w.url, w.audience, w.types, w.description, w.notify, w.state, w.made_at, w.secret, w.former_until, w.attempts, w.next_at,
         w.failing_since, w.because, (SELECT count(*) FROM webhook_lanes h WHERE h.webhook = w.id) AS held_logs,
         (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook = w.id AND d.outcome = 'parked') AS parked"
    };
}

/// A webhook as it stands in its table.
#[derive(FromRow)]
pub(super) struct WebhookRow {
    id: String,
    url: String,
    audience: String,
    types: String,
    description: Option<String>,
    notify: Option<String>,
    state: String,
    made_at: i64,
    secret: i64,
    former_until: Option<i64>,
    attempts: i64,
    next_at: i64,
    failing_since: Option<i64>,
    because: Option<String>,
    held_logs: i64,
    parked: i64,
}

impl WebhookRow {
    pub(super) fn decode(self) -> sqlx::Result<Webhook> {
        Ok(Webhook {
            id: self.id.parse().map_err(|_| code::damaged("a webhook's id"))?,
            target: Target {
                url: self.url,
                audience: code::parse(&self.audience)?,
                types: code::json(&self.types)?,
                description: self.description,
                notify: self.notify.as_deref().map(code::user).transpose()?,
                paused: self.state == "paused",
            },
            state: code::parse(&self.state)?,
            made_at: code::time(self.made_at),
            rotations: code::count(self.secret)?,
            former_until: self.former_until.map(code::time),
            health: Health {
                attempts: code::small(self.attempts)?,
                failing_since: self.failing_since.map(code::time),
                next_at: code::time(self.next_at),
            },
            because: self.because,
            held_logs: code::count(self.held_logs)?,
            parked: code::count(self.parked)?,
        })
    }
}

/// See [`crate::store::Webhooks::webhook`].
pub(super) async fn load(connection: &mut Connection, id: &WebhookId) -> sqlx::Result<Option<Webhook>> {
    let sql = concat!("SELECT ", webhook_columns!(), " FROM webhooks w WHERE w.id = $1");
    let row: Option<WebhookRow> = sqlx::query_as(sql).bind(id.as_str()).fetch_optional(connection).await?;
    row.map(WebhookRow::decode).transpose()
}

/// See [`crate::store::Webhooks::webhooks`].
pub(super) async fn list(pool: &Pool) -> Result<Vec<Webhook>, StoreError> {
    let sql = concat!("SELECT ", webhook_columns!(), " FROM webhooks w ORDER BY w.id");
    let rows: Vec<WebhookRow> = sqlx::query_as(sql).fetch_all(pool).await?;
    Ok(rows.into_iter().map(WebhookRow::decode).collect::<sqlx::Result<_>>()?)
}

/// The entry behind which a new webhook begins.
pub(super) async fn begin(pool: &Pool, begin: Begin) -> Result<(i64, i64), StoreError> {
    match begin {
        Begin::After(position) => {
            let known = event::known(pool, position).await?;
            let foreign = || StoreError::Refused(Refusal::Invalid("after: no place of this database".into()));
            known.map(|(_, log, seq)| (log, seq)).ok_or_else(foreign)
        }
        Begin::Now => {
            let sql = concat!(
                "SELECT e.log, e.seq FROM entries e WHERE ",
                settled!(),
                " ORDER BY e.",
                placed!(),
                " DESC, e.log DESC, e.seq DESC LIMIT 1"
            );
            let last: Option<(i64, i64)> = sqlx::query_as(sql).fetch_optional(pool).await?;
            Ok(last.unwrap_or((0, 0)))
        }
    }
}

/// See [`crate::store::Webhooks::put_webhook`].
pub(super) async fn put(
    connection: &mut Connection,
    id: &WebhookId,
    target: &Target,
    (log, seq): (i64, i64),
    now: Time,
) -> Result<Done<Webhook>, Failed> {
    if let Some(user) = &target.notify {
        must_be_known(connection, user).await?;
    }
    sqlx::query(
        "INSERT INTO webhooks (id, url, audience, types, description, notify, state, made_at, log, seq, secret)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
         ON CONFLICT (id) DO UPDATE SET url = excluded.url, audience = excluded.audience, types = excluded.types,
             description = excluded.description, notify = excluded.notify,
             next_at = CASE WHEN webhooks.url = excluded.url THEN webhooks.next_at ELSE 0 END,
             state = CASE WHEN webhooks.state = 'disabled' THEN 'disabled' ELSE excluded.state END",
    )
    .bind(id.as_str())
    .bind(&target.url)
    .bind(target.audience.as_str())
    .bind(code::to_json(&target.types)?)
    .bind(&target.description)
    .bind(target.notify.as_ref().map(UserId::as_str))
    .bind(if target.paused { "paused" } else { "active" })
    .bind(now.as_micros())
    .bind(log)
    .bind(seq)
    .execute(&mut *connection)
    .await?;
    Ok(Done::plain(must_be_there(connection, id).await?))
}

async fn must_be_known(connection: &mut Connection, user: &UserId) -> Result<(), Failed> {
    let known: Option<i64> = sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM users WHERE id = $1")
        .bind(user.as_str())
        .fetch_optional(connection)
        .await?;
    known.map(drop).ok_or_else(|| Refusal::Invalid("notify: nobody is known by this id".into()).into())
}

async fn must_be_there(connection: &mut Connection, id: &WebhookId) -> sqlx::Result<Webhook> {
    load(connection, id).await?.ok_or_else(|| code::damaged("no webhook"))
}

/// See [`crate::store::Webhooks::delete_webhook`].
pub(super) async fn delete(
    connection: &mut Connection,
    id: &WebhookId,
) -> Result<Done<Option<Webhook>>, Failed> {
    let webhook = load(connection, id).await?;
    sqlx::query("DELETE FROM webhooks WHERE id = $1").bind(id.as_str()).execute(connection).await?;
    Ok(Done::plain(webhook))
}

/// See [`crate::store::Webhooks::rotate_webhook`].
pub(super) async fn rotate(
    connection: &mut Connection,
    id: &WebhookId,
    former_until: Time,
) -> Result<Done<Option<Webhook>>, Failed> {
    sqlx::query("UPDATE webhooks SET secret = secret + 1, former_until = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(former_until.as_micros())
        .execute(&mut *connection)
        .await?;
    Ok(Done::plain(load(connection, id).await?))
}

/// See [`crate::store::Webhooks::resume_webhook`].
pub(super) async fn resume(
    connection: &mut Connection,
    id: &WebhookId,
) -> Result<Done<Option<Webhook>>, Failed> {
    for sql in [
        "UPDATE webhooks SET attempts = 0, next_at = 0, failing_since = NULL, because = NULL,
             state = CASE WHEN state = 'disabled' THEN 'active' ELSE state END WHERE id = $1",
        "UPDATE webhook_lanes SET next_at = 0 WHERE webhook = $1",
    ] {
        sqlx::query(sql).bind(id.as_str()).execute(&mut *connection).await?;
    }
    Ok(Done::plain(load(connection, id).await?))
}

/// An attempt as it stands in its table.
#[derive(FromRow)]
struct DeliveryRow {
    number: i64,
    event: String,
    kind: String,
    subject: String,
    at: i64,
    took_ms: i64,
    attempt: i64,
    outcome: String,
    status: Option<i64>,
    error: Option<String>,
    response: Option<String>,
    again_at: Option<i64>,
}

impl DeliveryRow {
    fn decode(self) -> sqlx::Result<DeliveryView> {
        Ok(DeliveryView {
            number: DeliveryNumber(code::count(self.number)?),
            event: self.event,
            kind: self.kind,
            subject: self.subject,
            at: code::time(self.at),
            took_ms: code::count(self.took_ms)?,
            attempt: code::small(self.attempt)?,
            outcome: code::parse(&self.outcome)?,
            status: self.status.map(code::small).transpose()?,
            error: self.error,
            response: self.response,
            again: self.again_at.is_some(),
        })
    }
}

macro_rules! delivery_select {
    ($rest:literal) => {
        concat!(
            "SELECT number, event, kind, subject, at, took_ms, attempt, outcome, status, error, response, again_at
             FROM webhook_deliveries WHERE webhook = $1 ",
            $rest
        )
    };
}

/// See [`crate::store::Webhooks::deliveries`].
pub(super) async fn deliveries(
    pool: &Pool,
    id: &WebhookId,
    outcome: Option<DeliveryOutcome>,
    page: Page<DeliveryNumber>,
) -> Result<Vec<DeliveryView>, StoreError> {
    let sql =
        delivery_select!("AND number < $2 AND ($3 IS NULL OR outcome = $3) ORDER BY number DESC LIMIT $4");
    let rows: Vec<DeliveryRow> = sqlx::query_as(sql)
        .bind(id.as_str())
        .bind(page.before.map_or(i64::MAX, |number| code::number(number.0)))
        .bind(outcome.map(code::word))
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(DeliveryRow::decode).collect::<sqlx::Result<_>>()?)
}

/// See [`crate::store::Webhooks::deliver_again`].
pub(super) async fn again(
    connection: &mut Connection,
    id: &WebhookId,
    number: DeliveryNumber,
    now: Time,
) -> Result<Done<DeliveryView>, Failed> {
    let number = code::number(number.0);
    sqlx::query("UPDATE webhook_deliveries SET again_at = $3 WHERE webhook = $1 AND number = $2 AND seq > 0")
        .bind(id.as_str())
        .bind(number)
        .bind(now.as_micros())
        .execute(&mut *connection)
        .await?;
    let sql = delivery_select!("AND number = $2 AND again_at IS NOT NULL");
    let row: Option<DeliveryRow> =
        sqlx::query_as(sql).bind(id.as_str()).bind(number).fetch_optional(connection).await?;
    Ok(Done::plain(row.ok_or(Refusal::NotFound)?.decode()?))
}

/// See [`crate::store::Webhooks::hold_channel`].
pub(super) async fn hold_channel(
    connection: &mut Connection,
    channel: Channel,
    is_held: bool,
) -> Result<Done<()>, Failed> {
    let sql = if is_held {
        "INSERT INTO held_channels (channel) VALUES ($1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM held_channels WHERE channel = $1"
    };
    sqlx::query(sql).bind(code::word(channel)).execute(connection).await?;
    Ok(Done::plain(()))
}

/// See [`crate::store::Webhooks::is_held`].
pub(super) async fn is_held(connection: &mut Connection, channel: Channel) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM held_channels WHERE channel = $1)")
        .bind(code::word(channel))
        .fetch_one(connection)
        .await
}
