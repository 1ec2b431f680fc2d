//! The ledger of response speed: a row for each time a candidacy asks somebody, and what each owner was told last.

use anteroom_protocol::id::{CandidacyId, InvitationId, ProposalId, UserId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::ledger::{Responsiveness, ResponsivenessChanged};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use sqlx::{Executor, FromRow};
use uuid::Uuid;

use super::candidacy::append_to;
use super::dialect::{Connection, Database, Pool, least, lock};
use crate::domain::candidacy::Case;
use crate::domain::ledger::{FIGURE_ROWS, Row, Stop};
use crate::domain::log::{Event, Log, What};
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Appended, DecideResponsiveness, LedgerItem, LedgerPlace, Moment, Page, StoreError};

/// A row as it stands.
#[derive(FromRow)]
struct RowRow {
    round: i64,
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
            round: code::small(self.round)?,
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
    candidacy: Uuid,
    invitation: Option<Uuid>,
    proposal: Option<Uuid>,
    job: String,
    title: String,
    url: Option<String>,
}

impl ItemRow {
    fn decode(self) -> sqlx::Result<LedgerItem> {
        let id = self.job.parse().map_err(|_| code::damaged("a job id"))?;
        Ok(LedgerItem {
            row: self.row.decode()?,
            candidacy: CandidacyId(self.candidacy),
            invitation: self.invitation.map(InvitationId),
            proposal: self.proposal.map(ProposalId),
            job: JobSummary { id, title: self.title, url: self.url },
        })
    }
}

/// The latest row of a candidacy.
pub(super) async fn latest(connection: &mut Connection, candidacy: Uuid) -> sqlx::Result<Option<Row>> {
    let sql = "SELECT round, side, started_at, until, stopped_at, how, retracted_at FROM ledger
               WHERE candidacy = $1 ORDER BY round DESC LIMIT 1";
    let row: Option<RowRow> = sqlx::query_as(sql).bind(candidacy).fetch_optional(connection).await?;
    row.map(|row| row.decode()).transpose()
}

/// Keeps the row of a case; its owner's figure is due.
pub(super) async fn save(
    connection: &mut Connection,
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
    .bind(candidacy.0)
    .bind(i64::from(row.round))
    .bind(owner)
    .bind(row.side.as_str())
    .bind(row.started_at.as_micros())
    .bind(row.until.as_micros())
    .bind(row.stopped.map(|stop| stop.at.as_micros()))
    .bind(row.stopped.map(|stop| code::word(stop.how)))
    .bind(row.retracted_at.map(Time::as_micros))
    .execute(&mut *connection)
    .await?;
    sqlx::query(concat!(
        r#"INSERT INTO responsiveness ("user", side, due_at) VALUES ($1, $2, $3)
           ON CONFLICT ("user", side) DO UPDATE SET due_at = "#,
        least!(),
        "(coalesce(responsiveness.due_at, excluded.due_at), excluded.due_at)"
    ))
    .bind(owner)
    .bind(row.side.as_str())
    .bind(now.as_micros())
    .execute(connection)
    .await
    .map(drop)
}

/// Whose figure may show something else by now.
pub(super) async fn due(pool: &Pool, now: Time, limit: u32) -> Result<Vec<(UserId, Side)>, StoreError> {
    let sql = r#"SELECT "user", side FROM responsiveness WHERE due_at <= $1 ORDER BY due_at LIMIT $2"#;
    let rows: Vec<(String, String)> =
        sqlx::query_as(sql).bind(now.as_micros()).bind(i64::from(limit)).fetch_all(pool).await?;
    let owner = |(user, side): (String, String)| Ok((code::user(&user)?, code::parse(&side)?));
    Ok(rows.into_iter().map(owner).collect::<sqlx::Result<_>>()?)
}

/// A page of somebody's rows on one side, the one whose clock started last first.
pub(super) async fn list(
    pool: &Pool,
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
        .bind(code::before(before.map(|place| place.candidacy.0)))
        .bind(before.map_or(i64::MAX, |place| i64::from(place.round)))
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(ItemRow::decode).collect::<sqlx::Result<_>>()?)
}

pub(super) const WINDOW: &str = r#"SELECT round, side, started_at, until, stopped_at, how, retracted_at FROM ledger
    WHERE "user" = $1 AND side = $2 AND started_at > $3 ORDER BY started_at DESC LIMIT $4"#;

/// The rows that a figure is made of. An index has all that is read of them, in this order.
pub(super) async fn window<'e>(
    executor: impl Executor<'e, Database = Database>,
    (owner, side): (&UserId, Side),
    since: Time,
) -> sqlx::Result<Vec<Row>> {
    let rows: Vec<RowRow> = sqlx::query_as(WINDOW)
        .bind(owner.as_str())
        .bind(side.as_str())
        .bind(since.as_micros())
        .bind(i64::from(FIGURE_ROWS))
        .fetch_all(executor)
        .await?;
    rows.iter().map(RowRow::decode).collect()
}

pub(super) async fn tell(
    connection: &mut Connection,
    (owner, side): (&UserId, Side),
    since: Time,
    moment: Moment,
    decide: DecideResponsiveness<'_>,
) -> Result<Done<Vec<Appended>>, Failed> {
    let sql = concat!(
        r#"SELECT bucket, share FROM responsiveness WHERE "user" = $1 AND side = $2 AND due_at <= $3"#,
        lock!("NO KEY UPDATE")
    );
    let due: Option<(Option<String>, Option<i64>)> = sqlx::query_as(sql)
        .bind(owner.as_str())
        .bind(side.as_str())
        .bind(moment.now.as_micros())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(last_told) = due else { return Ok(Done::plain(Vec::new())) };
    let rows = window(&mut *connection, (owner, side), since).await?;
    let (shown, due_at) = decide(&rows);
    keep_told(connection, (owner, side), shown, due_at).await?;
    let mut appended = Vec::new();
    if shown != decode(last_told)? {
        let what = What::Responsiveness(ResponsivenessChanged { side, responsiveness: shown });
        let event = Event { by: None, client_id: None, what, private: None };
        append_to(connection, Log::Inbox(owner.clone()), vec![event], moment, &mut appended).await?;
    }
    let forget = appended.clone();
    Ok(Done::appended(appended, &forget))
}

async fn keep_told(
    connection: &mut Connection,
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
    .bind(shown.map(|shown| i64::from(shown.answered_within_24h)))
    .bind(due_at.map(Time::as_micros))
    .execute(connection)
    .await
    .map(drop)
}

fn decode((bucket, share): (Option<String>, Option<i64>)) -> sqlx::Result<Option<Responsiveness>> {
    let bucket = bucket.as_deref().map(code::parse).transpose()?;
    let both = bucket.zip(share.map(code::small).transpose()?);
    Ok(both.map(|(response_time, answered_within_24h)| Responsiveness { response_time, answered_within_24h }))
}
