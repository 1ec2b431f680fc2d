//! What was written under numbers of another cluster's transactions, as a dump restores it: numbered anew.

use sqlx::PgConnection;

/// Whether something is said to be of a transaction that this cluster has not had yet. One statement looks at both with one snapshot, so
/// nothing that is written meanwhile can seem so.
const AHEAD: &str = "SELECT coalesce(greatest(
        (SELECT max(tx) FROM entries), (SELECT max(tx) FROM users), (SELECT max(tx) FROM indexed)
    ) >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT), false)";

/// What a webhook was not told of yet, log by log: of the order between logs nothing is left, and so these are told each by itself.
const BEHIND: &str = "INSERT INTO webhook_lanes (webhook, log, seq, attempts, next_at)
    SELECT w.id, e.log, min(e.seq), 0, 0 FROM webhooks w JOIN entries e ON (e.tx, e.log, e.seq) > (
        coalesce((SELECT t.tx FROM entries t WHERE t.log = w.log AND t.seq = w.seq), -1), w.log, w.seq)
    GROUP BY w.id, e.log ON CONFLICT DO NOTHING";
/// Behind all of it, in the new order.
const LAST: &str = "UPDATE webhooks w SET log = l.log, seq = l.seq
    FROM (SELECT log, seq FROM entries ORDER BY log DESC, seq DESC LIMIT 1) l";

/// Gives everything the number of one transaction, as if it had been copied now, where numbers are ahead of this cluster's.
///
/// Left as they are, they would be above every horizon until this cluster has had as many transactions: nothing would be settled, and so
/// nothing found by its words and everything told again and again. All get the new number, not only those that are ahead: a cursor of the
/// database before names a transaction and its log, and as no entry has the old number any more, it is answered with a reset. Some left under
/// their numbers would be found, and what stands behind them would pass for told.
///
/// The order that matters is kept: within a log, the entries' own numbers decide, and everything that is written from now on has a higher
/// transaction. Of the order between logs nothing is left, and nobody had been promised it over a reset. Words are indexed from the
/// beginning; those that are indexed already are left alone.
pub(super) async fn renumber(connection: &mut PgConnection) -> sqlx::Result<()> {
    if !is_ahead(connection).await? {
        return Ok(());
    }
    let mut transaction = sqlx::Connection::begin(connection).await?;
    for wait in ["SET LOCAL statement_timeout = 0", "LOCK TABLE entries IN SHARE ROW EXCLUSIVE MODE"] {
        sqlx::query(wait).execute(&mut *transaction).await?;
    }
    // Another server may have done it while this one waited.
    if is_ahead(&mut transaction).await? {
        tracing::warn!("the database was restored from another cluster: its entries are numbered anew");
        for sql in [
            BEHIND,
            "UPDATE entries SET tx = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
            "UPDATE search SET tx = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
            "UPDATE users SET tx = CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
            "UPDATE indexed SET tx = 0, log = 0, seq = 0",
            LAST,
            "UPDATE push_place SET log = e.log, seq = e.seq FROM (SELECT log, seq FROM entries ORDER BY log DESC, seq DESC LIMIT 1) e",
        ] {
            sqlx::query(sql).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await
}

async fn is_ahead(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(AHEAD).fetch_one(connection).await
}
