//! Push notifications: whose browsers are pushed to, and what is due.

use anteroom_protocol::id::UserId;
use anteroom_protocol::limits;
use anteroom_protocol::time::Time;
use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::{Adapter, Connection, Pool, free_for, lease_end, placed, skip_taken, transact};
use super::event::{ToldRow, told_columns};
use super::log::{entry_columns, keys};
use super::marker::unread_of;
use super::push_finding;
use crate::domain::log::Log;
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Browser, LogKey, Push, PushKey, PushWishes, Pushed, Pushes, StoreError};

/// Pushes that a worker is given at a time.
const CLAIMED: i64 = 64;

#[async_trait]
impl Pushes for Adapter {
    async fn push_to(
        &self,
        user: &UserId,
        browser: &Browser,
        instead_of: Option<&str>,
        now: Time,
    ) -> Result<(), StoreError> {
        transact!(self, connection => push_to(connection, user, browser, instead_of, now))
    }

    async fn push_no_more(&self, user: &UserId, endpoint: &str) -> Result<(), StoreError> {
        transact!(self, connection => push_no_more(connection, user, endpoint))
    }

    async fn mute(&self, user: &UserId, what: &str, muted: bool) -> Result<(), StoreError> {
        transact!(self, connection => mute(connection, user, what, muted))
    }

    async fn push_wishes(&self, user: &UserId) -> Result<PushWishes, StoreError> {
        Ok(wishes(&self.readers, user).await?)
    }

    async fn find_pushes(&self, up_to: Time, now: Time) -> Result<bool, StoreError> {
        // Asked of a reader: mostly there is nothing.
        if !push_finding::is_found(&self.readers, up_to).await? {
            return Ok(false);
        }
        transact!(self, connection => push_finding::find(connection, up_to, now))
    }

    async fn postpone_push(&self, log: &Log, seq: u64, until: Time) -> Result<(), StoreError> {
        transact!(self, connection => postpone(connection, log, seq, until))
    }

    async fn claim_pushes(&self, worker: Uuid, now: Time) -> Result<Vec<Push>, StoreError> {
        if !is_due(&self.readers, now).await? {
            return Ok(Vec::new());
        }
        let keys = transact!(self, connection => claim(connection, worker, now));
        let keys: Vec<PushKey> = keys.map_err(|error: StoreError| error)?;
        Ok(load(&self.readers, &keys).await?)
    }

    async fn settle_push(&self, worker: Uuid, key: PushKey, pushed: Pushed) -> Result<(), StoreError> {
        transact!(self, connection => settle(connection, worker, key, pushed))
    }
}

async fn push_to(
    connection: &mut Connection,
    user: &UserId,
    browser: &Browser,
    instead_of: Option<&str>,
    now: Time,
) -> Result<Done<()>, Failed> {
    if let Some(former) = instead_of.filter(|former| *former != browser.endpoint) {
        push_no_more(connection, user, former).await?;
    }
    sqlx::query(
        r#"INSERT INTO push_subscriptions (id, "user", endpoint, p256dh, auth, made_at) VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (endpoint) DO UPDATE SET "user" = excluded."user", p256dh = excluded.p256dh, auth = excluded.auth"#,
    )
    .bind(Uuid::now_v7())
    .bind(user.as_str())
    .bind(&browser.endpoint)
    .bind(&browser.p256dh)
    .bind(&browser.auth)
    .bind(now.as_micros())
    .execute(&mut *connection)
    .await?;
    // What waited for whoever had the browser before is not for this person.
    sqlx::query(
        r#"DELETE FROM pushes WHERE subscription IN (SELECT id FROM push_subscriptions WHERE endpoint = $1)
            AND log NOT IN (SELECT log FROM members WHERE "user" = $2 UNION SELECT id FROM logs WHERE owner = $2)"#,
    )
    .bind(&browser.endpoint)
    .bind(user.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        r#"DELETE FROM push_subscriptions WHERE "user" = $1 AND id NOT IN (
               SELECT id FROM push_subscriptions WHERE "user" = $1 ORDER BY made_at DESC, id DESC LIMIT $2)"#,
    )
    .bind(user.as_str())
    .bind(i64::from(limits::PUSH_SUBSCRIPTIONS))
    .execute(connection)
    .await?;
    Ok(Done::plain(()))
}

async fn push_no_more(
    connection: &mut Connection,
    user: &UserId,
    endpoint: &str,
) -> Result<Done<()>, Failed> {
    sqlx::query(r#"DELETE FROM push_subscriptions WHERE "user" = $1 AND endpoint = $2"#)
        .bind(user.as_str())
        .bind(endpoint)
        .execute(connection)
        .await?;
    Ok(Done::plain(()))
}

async fn mute(
    connection: &mut Connection,
    user: &UserId,
    what: &str,
    muted: bool,
) -> Result<Done<()>, Failed> {
    let sql = if muted {
        r#"INSERT INTO push_mutes ("user", what) VALUES ($1, $2) ON CONFLICT DO NOTHING"#
    } else {
        r#"DELETE FROM push_mutes WHERE "user" = $1 AND what = $2"#
    };
    sqlx::query(sql).bind(user.as_str()).bind(what).execute(connection).await?;
    Ok(Done::plain(()))
}

async fn wishes(pool: &Pool, user: &UserId) -> sqlx::Result<PushWishes> {
    let browsers: i64 = sqlx::query_scalar(r#"SELECT count(*) FROM push_subscriptions WHERE "user" = $1"#)
        .bind(user.as_str())
        .fetch_one(pool)
        .await?;
    Ok(PushWishes { browsers: code::small(browsers)?, mutes: mutes(pool, user.as_str()).await? })
}

async fn mutes(pool: &Pool, user: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(r#"SELECT what FROM push_mutes WHERE "user" = $1 ORDER BY what"#)
        .bind(user)
        .fetch_all(pool)
        .await
}

/// Makes an invitation that was just sent due on every browser of its freelancer's.
pub(super) async fn invited(
    connection: &mut Connection,
    owner: &UserId,
    seq: u64,
    now: Time,
) -> sqlx::Result<()> {
    sqlx::query(
        r#"INSERT INTO pushes (subscription, log, seq, made_at, due_at)
           SELECT s.id, l.id, $2, $3, $4 FROM push_subscriptions s JOIN logs l ON l.owner = s."user" WHERE s."user" = $1"#,
    )
    .bind(owner.as_str())
    .bind(code::number(seq))
    .bind(now.as_micros())
    .bind(now.plus_seconds(AT_ONCE).as_micros())
    .execute(connection)
    .await
    .map(drop)
}

/// How soon an invitation is pushed, in seconds: time for the nodes to say that it is on a socket of the freelancer's.
const AT_ONCE: i64 = 2;

async fn postpone(connection: &mut Connection, log: &Log, seq: u64, until: Time) -> Result<Done<()>, Failed> {
    let (room, owner) = keys(log);
    sqlx::query(
        "UPDATE pushes SET due_at = $4 WHERE attempts = 0 AND due_at < $4 AND seq = $3
            AND log = (SELECT id FROM logs WHERE room = $1 OR owner = $2)",
    )
    .bind(room)
    .bind(owner)
    .bind(code::number(seq))
    .bind(until.as_micros())
    .execute(connection)
    .await?;
    Ok(Done::plain(()))
}

/// The pushes `w` that are due at `$1`.
macro_rules! due {
    () => {
        "w.due_at <= $1 AND NOT EXISTS (SELECT 1 FROM held_channels WHERE channel = 'push')"
    };
}

async fn is_due(pool: &Pool, now: Time) -> sqlx::Result<bool> {
    let sql = concat!("SELECT EXISTS (SELECT 1 FROM pushes w WHERE ", due!(), ")");
    sqlx::query_scalar(sql).bind(now.as_micros()).fetch_one(pool).await
}

async fn claim(connection: &mut Connection, worker: Uuid, now: Time) -> Result<Done<Vec<PushKey>>, Failed> {
    let sql = concat!(
        "UPDATE pushes SET lease_by = $2, lease_until = ",
        lease_end!("30000000"),
        " WHERE (subscription, log, seq) IN (SELECT w.subscription, w.log, w.seq FROM pushes w WHERE ",
        due!(),
        " AND ",
        free_for!("$2"),
        " ORDER BY w.due_at LIMIT $3",
        skip_taken!("w"),
        ") RETURNING subscription, log, seq"
    );
    let keys: Vec<(Uuid, i64, i64)> =
        sqlx::query_as(sql).bind(now.as_micros()).bind(worker).bind(CLAIMED).fetch_all(connection).await?;
    let key = |(subscription, log, seq): (Uuid, i64, i64)| {
        Ok(PushKey { subscription, log: LogKey(log), seq: code::count(seq)? })
    };
    Ok(Done::plain(keys.into_iter().map(key).collect::<sqlx::Result<_>>()?))
}

#[derive(FromRow)]
struct PushRow {
    subscription: Uuid,
    endpoint: String,
    p256dh: Vec<u8>,
    auth: Vec<u8>,
    user: String,
    attempts: i64,
    read: i64,
    counts: String,
    marker: Option<String>,
    #[sqlx(flatten)]
    told: ToldRow,
}

async fn load(pool: &Pool, keys: &[PushKey]) -> sqlx::Result<Vec<Push>> {
    let sql = concat!(
        r#"SELECT s.id AS subscription, s.endpoint, s.p256dh, s.auth, s."user", w.attempts, coalesce(k.read, 0) AS read, l.counts,
            k.counts AS marker, "#,
        told_columns!(),
        r#" FROM pushes w JOIN push_subscriptions s ON s.id = w.subscription JOIN entries e ON e.log = w.log AND e.seq = w.seq
            JOIN logs l ON l.id = w.log LEFT JOIN candidacies c ON c.id = l.candidacy
            LEFT JOIN markers k ON k.log = w.log AND k."user" = s."user"
            WHERE w.subscription = $1 AND w.log = $2 AND w.seq = $3"#
    );
    let mut pushes = Vec::with_capacity(keys.len());
    for key in keys {
        let row: Option<PushRow> = sqlx::query_as(sql)
            .bind(key.subscription)
            .bind(key.log.0)
            .bind(code::number(key.seq))
            .fetch_optional(pool)
            .await?;
        let Some(row) = row else { continue };
        let mutes = mutes(pool, &row.user).await?;
        let user = code::user(&row.user)?;
        pushes.push(Push {
            key: PushKey { subscription: row.subscription, ..*key },
            browser: Browser { endpoint: row.endpoint, p256dh: row.p256dh, auth: row.auth },
            unread: unread_of(&row.counts, row.marker.as_deref(), &user)?,
            user,
            attempts: code::small(row.attempts)?,
            read: code::count(row.read)?,
            mutes,
            told: row.told.decode()?,
        });
    }
    Ok(pushes)
}

async fn settle(
    connection: &mut Connection,
    worker: Uuid,
    key: PushKey,
    pushed: Pushed,
) -> Result<Done<()>, Failed> {
    let (log, seq) = (key.log.0, code::number(key.seq));
    match pushed {
        Pushed::Over => sqlx::query(
            "DELETE FROM pushes WHERE subscription = $1 AND log = $2 AND seq = $3 AND lease_by = $4",
        )
        .bind(key.subscription)
        .bind(log)
        .bind(seq)
        .bind(worker),
        Pushed::Gone => sqlx::query("DELETE FROM push_subscriptions WHERE id = $1").bind(key.subscription),
        Pushed::Again(at) => sqlx::query(
            "UPDATE pushes SET attempts = attempts + 1, due_at = $5, lease_by = NULL, lease_until = 0
             WHERE subscription = $1 AND log = $2 AND seq = $3 AND lease_by = $4",
        )
        .bind(key.subscription)
        .bind(log)
        .bind(seq)
        .bind(worker)
        .bind(at.as_micros()),
    }
    .execute(connection)
    .await?;
    Ok(Done::plain(()))
}
