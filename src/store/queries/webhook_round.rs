//! What a webhook's worker does: takes one for a while, reads what there is to do for it, and keeps what came of that.

use std::collections::HashSet;

use anteroom_protocol::id::WebhookId;
use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{Channel, DeliveryNumber, DeliveryOutcome, DeliveryView};
use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::{
    Adapter, Connection, Pool, each, free_for, lease_end, placed, settled, skip_taken, transact,
};
use super::event::{ToldRow, bounded, page, placed_at, told_columns, told_select};
use super::log::entry_columns;
use super::{webhook, webhook_settle};
use crate::domain::webhook::{Target, Webhook};
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{
    Begin, HeldLog, Kept, LogKey, Moment, Page, PageSize, Round, Settled, StoreError, Told, Webhooks,
};

/// Logs that are tried again in one round, and entries that are sent once more.
const AT_A_TIME: i64 = 16;

/// The lease of [`crate::store::LEASE`], in microseconds.
macro_rules! lease {
    () => {
        lease_end!("30000000")
    };
}
pub(super) use lease;

#[async_trait]
impl Webhooks for Adapter {
    async fn put_webhook(
        &self,
        id: &WebhookId,
        target: &Target,
        begin: Begin,
        now: Time,
    ) -> Result<Webhook, StoreError> {
        let place = webhook::begin(&self.readers, begin).await?;
        transact!(self, connection => webhook::put(connection, id, target, place, now))
    }

    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        Ok(webhook::load(&mut *self.readers.acquire().await?, id).await?)
    }

    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        webhook::list(&self.readers).await
    }

    async fn delete_webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        transact!(self, connection => webhook::delete(connection, id))
    }

    async fn rotate_webhook(
        &self,
        id: &WebhookId,
        former_until: Time,
    ) -> Result<Option<Webhook>, StoreError> {
        transact!(self, connection => webhook::rotate(connection, id, former_until))
    }

    async fn resume_webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        transact!(self, connection => webhook::resume(connection, id))
    }

    async fn deliveries(
        &self,
        id: &WebhookId,
        outcome: Option<DeliveryOutcome>,
        page: Page<DeliveryNumber>,
    ) -> Result<Vec<DeliveryView>, StoreError> {
        webhook::deliveries(&self.readers, id, outcome, page).await
    }

    async fn deliver_again(
        &self,
        id: &WebhookId,
        number: DeliveryNumber,
        now: Time,
    ) -> Result<DeliveryView, StoreError> {
        transact!(self, connection => webhook::again(connection, id, number, now))
    }

    async fn hold_channel(&self, channel: Channel, is_held: bool) -> Result<(), StoreError> {
        transact!(self, connection => webhook::hold_channel(connection, channel, is_held))
    }

    async fn is_held(&self, channel: Channel) -> Result<bool, StoreError> {
        Ok(webhook::is_held(&mut *self.readers.acquire().await?, channel).await?)
    }

    async fn claim_webhook(
        &self,
        worker: Uuid,
        busy: &[WebhookId],
        now: Time,
    ) -> Result<Option<WebhookId>, StoreError> {
        if !has_work(&self.readers, busy, now).await? {
            return Ok(None);
        }
        transact!(self, connection => claim(connection, worker, busy, now))
    }

    async fn round(&self, id: &WebhookId, now: Time, size: PageSize) -> Result<Option<Round>, StoreError> {
        Ok(round(&self.readers, id, now, size).await?)
    }

    async fn settle(
        &self,
        worker: Uuid,
        id: &WebhookId,
        settled: &Settled,
        moment: Moment,
    ) -> Result<Kept, StoreError> {
        transact!(self, connection => webhook_settle::settle(connection, (worker, id), settled, moment))
    }

    async fn hold_webhook(&self, worker: Uuid, id: &WebhookId) -> Result<bool, StoreError> {
        transact!(self, connection => hold(connection, worker, id))
    }

    async fn leave_webhook(&self, worker: Uuid, id: &WebhookId) -> Result<(), StoreError> {
        transact!(self, connection => leave(connection, worker, id))
    }
}

/// The webhooks `w` for which there is something to do at `$1`, but for those of the list `$2`.
macro_rules! waiting {
    () => {
        concat!(
            "w.state = 'active' AND w.next_at <= $1 AND w.id NOT IN (SELECT value ->> 0 FROM ",
            each!("$2"),
            ") AND NOT EXISTS (SELECT 1 FROM held_channels WHERE channel = 'webhooks') AND (
                EXISTS (SELECT 1 FROM webhook_lanes h WHERE h.webhook = w.id AND h.next_at <= $1)
                OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook = w.id AND d.again_at <= $1)
                OR EXISTS (SELECT 1 FROM entries e WHERE (e.",
            placed!(),
            ", e.log, e.seq) > (coalesce((SELECT p.",
            placed!(),
            " FROM entries p WHERE p.log = w.log AND p.seq = w.seq), -1), w.log, w.seq) AND ",
            settled!(),
            "))"
        )
    };
}

fn named(busy: &[WebhookId]) -> sqlx::Result<String> {
    let named: Vec<[&str; 1]> = busy.iter().map(|id| [id.as_str()]).collect();
    code::to_json(&named)
}

/// Whether there is anything to do: asked of a reader, because mostly there is not.
async fn has_work(pool: &Pool, busy: &[WebhookId], now: Time) -> sqlx::Result<bool> {
    let sql = concat!("SELECT EXISTS (SELECT 1 FROM webhooks w WHERE ", waiting!(), ")");
    sqlx::query_scalar(sql).bind(now.as_micros()).bind(named(busy)?).fetch_one(pool).await
}

async fn claim(
    connection: &mut Connection,
    worker: Uuid,
    busy: &[WebhookId],
    now: Time,
) -> Result<Done<Option<WebhookId>>, Failed> {
    let sql = concat!(
        "UPDATE webhooks SET lease_by = $3, lease_until = ",
        lease!(),
        " WHERE id = (SELECT w.id FROM webhooks w WHERE ",
        waiting!(),
        " AND ",
        free_for!("$3"),
        " ORDER BY w.next_at, w.id LIMIT 1",
        skip_taken!("w"),
        ") RETURNING id"
    );
    let id: Option<String> = sqlx::query_scalar(sql)
        .bind(now.as_micros())
        .bind(named(busy)?)
        .bind(worker)
        .fetch_optional(&mut *connection)
        .await?;
    let id = id.map(|id| id.parse().map_err(|_| code::damaged("a webhook's id"))).transpose()?;
    Ok(Done::plain(id))
}

#[derive(FromRow)]
struct LaneRow {
    log: i64,
    seq: i64,
    attempts: i64,
    next_at: i64,
}

async fn round(pool: &Pool, id: &WebhookId, now: Time, size: PageSize) -> sqlx::Result<Option<Round>> {
    // The place behind the rest: what is read of the webhook may be older than its place, never younger.
    let Some(webhook) = webhook::load(&mut *pool.acquire().await?, id).await? else { return Ok(None) };
    let place: Option<(i64, i64)> = sqlx::query_as("SELECT log, seq FROM webhooks WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(pool)
        .await?;
    let (log, seq) = place.unwrap_or_default();
    let place = placed_at(pool, log, seq).await?;
    let lanes: Vec<LaneRow> = sqlx::query_as(
        "SELECT log, seq, attempts, next_at FROM webhook_lanes WHERE webhook = $1 ORDER BY next_at, log",
    )
    .bind(id.as_str())
    .fetch_all(pool)
    .await?;
    let held: HashSet<LogKey> = lanes.iter().map(|lane| LogKey(lane.log)).collect();
    let mut due = Vec::new();
    for lane in lanes.iter().filter(|lane| lane.next_at <= now.as_micros()).take(AT_A_TIME as usize) {
        due.push(held_log(pool, lane, place, size).await?);
    }
    let (rows, has_more) = page(pool, place, size).await?;
    let page = rows.into_iter().map(ToldRow::decode).collect::<sqlx::Result<_>>()?;
    Ok(Some(Round { webhook, due, held, page, has_more, again: again(pool, id, now).await? }))
}

/// A log that was held up, from its entry on, as far as the webhook has come elsewhere.
async fn held_log(
    pool: &Pool,
    lane: &LaneRow,
    (placed, log, seq): super::event::Placed,
    size: PageSize,
) -> sqlx::Result<HeldLog> {
    let sql = told_select!(concat!(
        "WHERE e.log = $1 AND e.seq >= $2 AND (e.",
        placed!(),
        ", e.log, e.seq) <= ($3, $4, $5) ORDER BY e.seq LIMIT $6"
    ));
    let rows = sqlx::query_as(sql)
        .bind(lane.log)
        .bind(lane.seq)
        .bind(placed)
        .bind(log)
        .bind(seq)
        .bind(i64::from(size.entries) + 1)
        .fetch(pool);
    let (rows, has_more) = bounded(rows, size).await?;
    let entries = rows.into_iter().map(ToldRow::decode).collect::<sqlx::Result<_>>()?;
    Ok(HeldLog { log: LogKey(lane.log), attempts: code::small(lane.attempts)?, entries, has_more })
}

#[derive(FromRow)]
struct AgainRow {
    delivery: i64,
    #[sqlx(flatten)]
    told: ToldRow,
}

async fn again(pool: &Pool, id: &WebhookId, now: Time) -> sqlx::Result<Vec<(DeliveryNumber, Told)>> {
    let sql = concat!(
        "SELECT d.number AS delivery, ",
        told_columns!(),
        " FROM webhook_deliveries d JOIN entries e ON e.log = d.log AND e.seq = d.seq JOIN logs l ON l.id = e.log
          LEFT JOIN candidacies c ON c.id = l.candidacy
          WHERE d.webhook = $1 AND d.again_at <= $2 ORDER BY d.again_at, d.number LIMIT $3"
    );
    let rows: Vec<AgainRow> =
        sqlx::query_as(sql).bind(id.as_str()).bind(now.as_micros()).bind(AT_A_TIME).fetch_all(pool).await?;
    let decoded = |row: AgainRow| Ok((DeliveryNumber(code::count(row.delivery)?), row.told.decode()?));
    rows.into_iter().map(decoded).collect()
}

async fn hold(connection: &mut Connection, worker: Uuid, id: &WebhookId) -> Result<Done<bool>, Failed> {
    let sql = concat!("UPDATE webhooks SET lease_until = ", lease!(), " WHERE id = $1 AND lease_by = $2");
    let held = sqlx::query(sql).bind(id.as_str()).bind(worker).execute(connection).await?;
    Ok(Done::plain(held.rows_affected() == 1))
}

async fn leave(connection: &mut Connection, worker: Uuid, id: &WebhookId) -> Result<Done<()>, Failed> {
    sqlx::query("UPDATE webhooks SET lease_by = NULL, lease_until = 0 WHERE id = $1 AND lease_by = $2")
        .bind(id.as_str())
        .bind(worker)
        .execute(connection)
        .await?;
    Ok(Done::plain(()))
}
