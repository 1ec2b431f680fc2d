//! Who is to be pushed what: found behind the commits, at a distance, so that what is read in time is never written down.

use anteroom_protocol::time::Time;

use super::dialect::{Connection, Pool, each, placed, settled, skip_taken};
use super::event::Placed;
use crate::domain::log::COUNTED;
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};

/// Entries that are looked at in one transaction.
const AT_A_TIME: i64 = 500;

/// Where the looking is, in the order of all commits.
macro_rules! looked_at {
    () => {
        concat!(
            "SELECT coalesce((SELECT t.",
            placed!(),
            " FROM entries t WHERE t.log = p.log AND t.seq = p.seq), -1) AS placed, p.log, p.seq FROM push_place p"
        )
    };
}

/// What comes next behind `$1`, `$2`, `$3`.
macro_rules! next {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM entries e WHERE (e.",
            placed!(),
            ", e.log, e.seq) > ($1, $2, $3) AND ",
            settled!(),
            " ORDER BY e.",
            placed!(),
            ", e.log, e.seq LIMIT $4"
        )
    };
}

/// Whether there is something to look at.
pub(super) async fn is_found(pool: &Pool, up_to: Time) -> sqlx::Result<bool> {
    let (placed, log, seq): Placed = sqlx::query_as(looked_at!()).fetch_one(pool).await?;
    let first: Option<i64> = sqlx::query_scalar(next!("e.at"))
        .bind(placed)
        .bind(log)
        .bind(seq)
        .bind(1_i64)
        .fetch_optional(pool)
        .await?;
    Ok(first.is_some_and(|at| at <= up_to.as_micros()))
}

/// Who is to be pushed what of the entries behind `$1`, `$2`, `$3` and up to `$4`, `$5`, `$6`: of each log the last entry that asks for something and is
/// neither the person's own, nor read, nor was pushed.
macro_rules! unread {
    () => {
        concat!(
            r#"SELECT m."user", e.log, max(e.seq) AS seq, max(l.seq) AS head FROM entries e
               JOIN logs l ON l.id = e.log
               JOIN members m ON m.log = e.log AND (e.by IS NULL OR m."user" <> e.by)
               LEFT JOIN markers k ON k.log = e.log AND k."user" = m."user"
               LEFT JOIN push_marks n ON n.log = e.log AND n."user" = m."user"
               WHERE (e."#,
            placed!(),
            ", e.log, e.seq) > ($1, $2, $3) AND (e.",
            placed!(),
            ", e.log, e.seq) <= ($4, $5, $6) AND e.kind IN (SELECT value ->> 0 FROM ",
            each!("$7"),
            r#") AND e.seq > coalesce(k.read, 0) AND e.seq > coalesce(n.seq, 0)
               AND EXISTS (SELECT 1 FROM push_subscriptions s WHERE s."user" = m."user")
               GROUP BY m."user", e.log"#
        )
    };
}

/// See [`crate::store::Pushes::find_pushes`].
pub(super) async fn find(connection: &mut Connection, up_to: Time, now: Time) -> Result<Done<bool>, Failed> {
    let place: Option<Placed> =
        sqlx::query_as(concat!(looked_at!(), skip_taken!("p"))).fetch_optional(&mut *connection).await?;
    // Another node is at it.
    let Some((placed, log, seq)) = place else { return Ok(Done::plain(false)) };
    let next: Vec<(i64, i64, i64)> = sqlx::query_as(next!("e.at, e.log, e.seq"))
        .bind(placed)
        .bind(log)
        .bind(seq)
        .bind(AT_A_TIME)
        .fetch_all(&mut *connection)
        .await?;
    let old = next.iter().take_while(|(at, ..)| *at <= up_to.as_micros()).count();
    let Some((_, last_log, last_seq)) = next[..old].last().copied() else { return Ok(Done::plain(false)) };
    let sql = concat!("SELECT ", placed!(), " FROM entries WHERE log = $1 AND seq = $2");
    let last: i64 = sqlx::query_scalar(sql).bind(last_log).bind(last_seq).fetch_one(&mut *connection).await?;
    let kinds: Vec<[&str; 1]> = COUNTED.iter().map(|kind| [*kind]).collect();
    let unread: Vec<(String, i64, i64, i64)> = sqlx::query_as(unread!())
        .bind(placed)
        .bind(log)
        .bind(seq)
        .bind(last)
        .bind(last_log)
        .bind(last_seq)
        .bind(code::to_json(&kinds)?)
        .fetch_all(&mut *connection)
        .await?;
    for (user, log, seq, head) in unread {
        make_due(connection, &user, log, (seq, head), now).await?;
    }
    sqlx::query("UPDATE push_place SET log = $1, seq = $2")
        .bind(last_log)
        .bind(last_seq)
        .execute(connection)
        .await?;
    Ok(Done::plain(old == next.len() && next.len() as i64 == AT_A_TIME))
}

/// Everything of a log up to its head is one push, on each of the person's browsers.
async fn make_due(
    connection: &mut Connection,
    user: &str,
    log: i64,
    (seq, head): (i64, i64),
    now: Time,
) -> sqlx::Result<()> {
    // What was not taken yet is replaced.
    sqlx::query(
        r#"DELETE FROM pushes WHERE log = $2 AND seq < $3
            AND subscription IN (SELECT id FROM push_subscriptions WHERE "user" = $1)"#,
    )
    .bind(user)
    .bind(log)
    .bind(seq)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        r#"INSERT INTO pushes (subscription, log, seq, made_at, due_at)
            SELECT s.id, $2, $3, $4, $4 FROM push_subscriptions s WHERE s."user" = $1 ON CONFLICT DO NOTHING"#,
    )
    .bind(user)
    .bind(log)
    .bind(seq)
    .bind(now.as_micros())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        r#"INSERT INTO push_marks ("user", log, seq) VALUES ($1, $2, $3)
            ON CONFLICT (log, "user") DO UPDATE SET seq = excluded.seq"#,
    )
    .bind(user)
    .bind(log)
    .bind(head)
    .execute(connection)
    .await?;
    Ok(())
}
