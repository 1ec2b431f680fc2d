//! The ledger of response speed in SQLite: a row for each time a candidacy asks somebody, and what each owner was told last.

use anteroom_protocol::id::{CandidacyId, InvitationId, ProposalId, UserId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::ledger::{Responsiveness, ResponsivenessChanged};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use async_trait::async_trait;
use sqlx::{Connection as _, FromRow, SqliteConnection, SqliteExecutor, SqlitePool};

use super::candidacy::append_to;
use super::commit::Writer;
use super::{SqliteStore, code};
use crate::domain::candidacy::Case;
use crate::domain::ledger::{FIGURE_ROWS, Row, Stop};
use crate::domain::log::{Event, Log, What};
use crate::store::{
    Appended, CommitError, DecideResponsiveness, Ledger, LedgerItem, LedgerPlace, Moment, Page, StoreError,
};

/// A row as it stands.
#[derive(FromRow)]
struct RowRow {
    round: u32,
    side: String,
    started_at: i64,
    until: i64,
    stopped_at: Option<i64>,
    how: Option<String>,
    retracted_at: Option<i64>,
}

impl RowRow {
    fn decode(&self) -> sqlx::Result<Row> {
        let how = self.how.as_deref().map(code::parse).transpose()?;
        let stop = self.stopped_at.zip(how);
        Ok(Row {
            round: self.round,
            side: code::parse(&self.side)?,
            started_at: code::time(self.started_at),
            until: code::time(self.until),
            stopped: stop.map(|(at, how)| Stop { at: code::time(at), how }),
            retracted_at: self.retracted_at.map(code::time),
        })
    }
}

/// A row with what it is of.
#[derive(FromRow)]
struct ItemRow {
    #[sqlx(flatten)]
    row: RowRow,
    candidacy: Vec<u8>,
    invitation: Option<Vec<u8>>,
    proposal: Option<Vec<u8>>,
    job: String,
    title: String,
    url: Option<String>,
}

impl ItemRow {
    fn decode(self) -> sqlx::Result<LedgerItem> {
        let id = self.job.parse().map_err(|_| code::damaged("a job id"))?;
        Ok(LedgerItem {
            row: self.row.decode()?,
            candidacy: CandidacyId(code::uuid(&self.candidacy)?),
            invitation: self.invitation.as_deref().map(code::uuid).transpose()?.map(InvitationId),
            proposal: self.proposal.as_deref().map(code::uuid).transpose()?.map(ProposalId),
            job: JobSummary { id, title: self.title, url: self.url },
        })
    }
}

/// The latest row of a candidacy.
pub(super) async fn latest(connection: &mut SqliteConnection, candidacy: &[u8]) -> sqlx::Result<Option<Row>> {
    let sql = "SELECT round, side, started_at, until, stopped_at, how, retracted_at FROM ledger
               WHERE candidacy = $1 ORDER BY round DESC LIMIT 1";
    let row: Option<RowRow> = sqlx::query_as(sql).bind(candidacy).fetch_optional(connection).await?;
    row.map(|row| row.decode()).transpose()
}

/// Keeps the row of a case; its owner's figure is due.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    case: &Case,
    candidacy: CandidacyId,
    row: &Row,
    now: Time,
) -> sqlx::Result<()> {
    let owner = case.party(row.side).user.as_str();
    sqlx::query(
        r#"INSERT INTO ledger (candidacy, round, "user", side, started_at, until, stopped_at, how, retracted_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (candidacy, round) DO UPDATE SET started_at = excluded.started_at, until = excluded.until,
               stopped_at = excluded.stopped_at, how = excluded.how, retracted_at = excluded.retracted_at"#,
    )
    .bind(code::id(&candidacy.0))
    .bind(row.round)
    .bind(owner)
    .bind(row.side.as_str())
    .bind(row.started_at.as_micros())
    .bind(row.until.as_micros())
    .bind(row.stopped.map(|stop| stop.at.as_micros()))
    .bind(row.stopped.map(|stop| code::word(stop.how)))
    .bind(row.retracted_at.map(Time::as_micros))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        r#"INSERT INTO responsiveness ("user", side, due_at) VALUES ($1, $2, $3)
           ON CONFLICT ("user", side) DO UPDATE SET due_at = min(coalesce(due_at, excluded.due_at), excluded.due_at)"#,
    )
    .bind(owner)
    .bind(row.side.as_str())
    .bind(now.as_micros())
    .execute(connection)
    .await
    .map(drop)
}

#[async_trait]
impl Ledger for SqliteStore {
    async fn ledger(
        &self,
        owner: &UserId,
        side: Side,
        page: Page<LedgerPlace>,
    ) -> Result<Vec<LedgerItem>, StoreError> {
        list(&self.readers, owner, side, page).await
    }

    async fn ledger_window(&self, owner: &UserId, side: Side, since: Time) -> Result<Vec<Row>, StoreError> {
        Ok(window(&self.readers, (owner, side), since).await?)
    }

    async fn responsiveness_due(&self, now: Time, limit: u32) -> Result<Vec<(UserId, Side)>, StoreError> {
        let sql = r#"SELECT "user", side FROM responsiveness WHERE due_at <= $1 ORDER BY due_at LIMIT $2"#;
        let rows: Vec<(String, String)> =
            sqlx::query_as(sql).bind(now.as_micros()).bind(limit).fetch_all(&self.readers).await?;
        let owner = |(user, side): (String, String)| Ok((code::user(&user)?, code::parse(&side)?));
        Ok(rows.into_iter().map(owner).collect::<sqlx::Result<_>>()?)
    }

    async fn tell_responsiveness(
        &self,
        owner: (&UserId, Side),
        since: Time,
        moment: Moment,
        decide: DecideResponsiveness<'_>,
    ) -> Result<Vec<Appended>, StoreError> {
        let mut writer = self.writer().await?;
        let done = tell(&mut writer, owner, since, moment, decide).await;
        writer.judge(done)
    }
}

async fn list(
    pool: &SqlitePool,
    owner: &UserId,
    side: Side,
    page: Page<LedgerPlace>,
) -> Result<Vec<LedgerItem>, StoreError> {
    let sql = r#"SELECT g.*, j.id AS job, j.title, j.url, i.id AS invitation, p.id AS proposal FROM (
            SELECT candidacy, round, side, started_at, until, stopped_at, how, retracted_at FROM ledger
            WHERE "user" = $1 AND side = $2 AND (started_at, candidacy, round) < ($3, $4, $5)
            ORDER BY started_at DESC, candidacy DESC, round DESC LIMIT $6) g
        JOIN candidacies c ON c.id = g.candidacy JOIN jobs j ON j.id = c.job
        LEFT JOIN invitations i ON i.candidacy = g.candidacy AND g.side = 'freelancer'
        LEFT JOIN proposals p ON p.candidacy = g.candidacy AND g.side = 'client'
        ORDER BY g.started_at DESC, g.candidacy DESC, g.round DESC"#;
    let before = page.before.as_ref();
    let rows: Vec<ItemRow> = sqlx::query_as(sql)
        .bind(owner.as_str())
        .bind(side.as_str())
        .bind(before.map_or(i64::MAX, |place| place.started_at.as_micros()))
        .bind(code::before(before.map(|place| code::id(&place.candidacy.0))))
        .bind(before.map_or(u32::MAX, |place| place.round))
        .bind(page.limit)
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(ItemRow::decode).collect::<sqlx::Result<_>>()?)
}

const WINDOW: &str = r#"SELECT round, side, started_at, until, stopped_at, how, retracted_at FROM ledger
    WHERE "user" = $1 AND side = $2 AND started_at > $3 ORDER BY started_at DESC LIMIT $4"#;

/// The rows that a figure is made of. An index has all that is read of them, in this order.
async fn window(
    executor: impl SqliteExecutor<'_>,
    (owner, side): (&UserId, Side),
    since: Time,
) -> sqlx::Result<Vec<Row>> {
    let rows: Vec<RowRow> = sqlx::query_as(WINDOW)
        .bind(owner.as_str())
        .bind(side.as_str())
        .bind(since.as_micros())
        .bind(FIGURE_ROWS)
        .fetch_all(executor)
        .await?;
    rows.iter().map(RowRow::decode).collect()
}

async fn tell(
    writer: &mut Writer,
    (owner, side): (&UserId, Side),
    since: Time,
    moment: Moment,
    decide: DecideResponsiveness<'_>,
) -> Result<Vec<Appended>, StoreError> {
    let mut transaction = writer.connection.begin_with("BEGIN IMMEDIATE").await?;
    let sql = r#"SELECT bucket, share FROM responsiveness WHERE "user" = $1 AND side = $2 AND due_at <= $3"#;
    let due: Option<(Option<String>, Option<u8>)> = sqlx::query_as(sql)
        .bind(owner.as_str())
        .bind(side.as_str())
        .bind(moment.now.as_micros())
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(last_told) = due else { return Ok(Vec::new()) };
    let rows = window(&mut *transaction, (owner, side), since).await?;
    let (shown, due_at) = decide(&rows);
    keep_told(&mut transaction, (owner, side), shown, due_at).await?;
    let mut appended = Vec::new();
    let inbox = Log::Inbox(owner.clone());
    if shown != decode(last_told)? {
        let what = What::Responsiveness(ResponsivenessChanged { side, responsiveness: shown });
        let event = Event { by: None, client_id: None, what, private: None };
        append_to(&mut transaction, inbox.clone(), vec![event], moment, &mut appended)
            .await
            .map_err(failed)?;
    }
    let committed = transaction.commit().await;
    // Also when the outcome is unknown: then nobody knows where this log ends.
    writer.forget(&inbox);
    committed?;
    Ok(appended)
}

async fn keep_told(
    connection: &mut SqliteConnection,
    (owner, side): (&UserId, Side),
    shown: Option<Responsiveness>,
    due_at: Option<Time>,
) -> sqlx::Result<()> {
    sqlx::query(
        r#"UPDATE responsiveness SET bucket = $3, share = $4, due_at = $5 WHERE "user" = $1 AND side = $2"#,
    )
    .bind(owner.as_str())
    .bind(side.as_str())
    .bind(shown.map(|shown| code::word(shown.response_time)))
    .bind(shown.map(|shown| shown.answered_within_24h))
    .bind(due_at.map(Time::as_micros))
    .execute(connection)
    .await
    .map(drop)
}

fn decode((bucket, share): (Option<String>, Option<u8>)) -> sqlx::Result<Option<Responsiveness>> {
    let bucket = bucket.as_deref().map(code::parse).transpose()?;
    let both = bucket.zip(share);
    Ok(both.map(|(response_time, answered_within_24h)| Responsiveness { response_time, answered_within_24h }))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn failed(error: CommitError) -> StoreError {
    StoreError::Database(error.to_string())
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;

    /// Somebody may have thousands of rows, and each look at the profile computes the figure anew.
    #[tokio::test]
    async fn a_figure_is_read_from_one_index_alone_and_in_its_order() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {WINDOW}"));
        let plan = sqlx::query(explain).bind("").bind("").bind(0).bind(1).fetch_all(&store.readers).await;
        let steps: Vec<String> = plan.expect("a plan").iter().map(|step| step.get("detail")).collect();
        let expected =
            "SEARCH ledger USING COVERING INDEX ledger_by_user (user=? AND side=? AND started_at>?)";
        assert_eq!(steps, [expected]);
    }

    #[tokio::test]
    async fn of_more_rows_than_a_figure_is_made_of_the_newest_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
        let rows = "PRAGMA foreign_keys = off;
            INSERT INTO ledger (candidacy, round, \"user\", side, started_at, until)
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10002)
            SELECT CAST(n AS BLOB), 1, 'felix', 'freelancer', n, n + 1 FROM n";
        let mut writer = store.writer().await.expect("a writer");
        sqlx::raw_sql(rows).execute(&mut writer.connection).await.expect("kept");
        drop(writer);
        let felix: UserId = "felix".parse().expect("an id");
        let read = store.ledger_window(&felix, Side::Freelancer, Time::from_micros(0)).await.expect("read");
        let began: Vec<i64> = read.iter().map(|row| row.started_at.as_micros()).collect();
        assert!(began.iter().copied().eq((3..=10_002).rev()), "{} rows", began.len());
        assert_eq!(began.len(), FIGURE_ROWS as usize);
    }
}
