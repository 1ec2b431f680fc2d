//! Cases: the one row that every view of a candidacy, an invitation or a proposal is made from, and the whole that a rare command is
//! decided on.

use anteroom_protocol::id::{JobId, UserId};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::dialect::{Connection, array, group, hex, id_text, json, lock};
use super::{case_room as room, fee, ledger};
use crate::domain::candidacy::Case;
use crate::domain::job::Job;
use crate::domain::user::Party;
use crate::store::sql::case::CaseRow;
use crate::store::sql::code;
use crate::store::sql::standing::StandingRow;
use crate::store::sql::work::Failed;
use crate::store::{CaseKey, StoreError};

/// All of a case's row but the versions of its terms, which follow.
const HEAD: &str = concat!(
    "SELECT c.id, c.phase, c.room, c.updated_at, j.id AS job_id, j.client AS client_id, j.title AS job_title, ",
    "j.url AS job_url, j.status AS job_status, cu.name AS client_name, cu.avatar_url AS client_avatar, ",
    "fu.id AS freelancer_id, fu.name AS freelancer_name, fu.avatar_url AS freelancer_avatar, ",
    "i.id AS invitation_id, i.status AS invitation_status, i.message, i.sent_at, i.expires_at, i.answered_at, ",
    "i.reason, i.reason_text, i.decline_message, p.id AS proposal_id, p.cover_letter, p.submitted_at, l.seq AS head, ",
    "c.standing, c.pending, c.fee_schedule, c.turn, c.turn_until, c.ended_by, c.ended_from, c.mark, ",
    "(SELECT CAST(",
    array!(),
    "(",
    id_text!("o.id"),
    ", o.status, o.version, o.made_at, o.changed_at, o.expires_at, ",
    json!("o.requests"),
    ", CASE WHEN o.asked THEN 1 ELSE 0 END) AS TEXT) FROM offers o ",
    "WHERE o.candidacy = c.id ORDER BY o.status = 'standing' DESC, o.id DESC LIMIT 1) AS offer, ",
    "EXISTS (SELECT 1 FROM candidacies other WHERE other.job = c.job AND other.freelancer = c.freelancer AND other.id <> c.id ",
    "AND other.phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired')) AS another_is_open, ",
    "(SELECT CAST(",
    array!(),
    "(k.id, CASE WHEN k.offer IS NOT NULL THEN ",
    id_text!("k.offer"),
    " END, ",
    "k.version, k.formed_at, k.ended_at, ",
    json!("k.sealed"),
    ") AS TEXT) FROM contracts k WHERE k.candidacy = c.id) AS contract, ",
    "(SELECT coalesce(CAST(",
    group!(),
    "(",
    array!(),
    "(t.version, t.side, ",
    json!("t.terms"),
    ", ",
    hex!("t.hash"),
    ", t.proposed_at, t.expires_at, t.acknowledged_at, ",
    json!("t.fee"),
    ") ORDER BY t.version) AS TEXT), '[]') ",
    "FROM terms t WHERE t.candidacy = c.id"
);
/// The versions that views show: the first, what stands and what waits, what was offered or agreed on, and the newest.
const SHOWN: &str = " AND (t.version IN (1, c.standing, c.pending, (SELECT max(version) FROM terms WHERE candidacy = c.id)) \
     OR t.version IN (SELECT version FROM offers WHERE candidacy = c.id) \
     OR t.version IN (SELECT version FROM contracts WHERE candidacy = c.id))";
const FROM: &str = ") AS terms FROM candidacies c JOIN jobs j ON j.id = c.job JOIN users cu ON cu.id = j.client \
     JOIN users fu ON fu.id = c.freelancer LEFT JOIN invitations i ON i.candidacy = c.id \
     LEFT JOIN proposals p ON p.candidacy = c.id LEFT JOIN logs l ON l.room = c.room ";

/// What reads the rows of those cases that `rest` names, with the versions of their terms that views show.
pub(super) fn select(rest: &'static str) -> AssertSqlSafe<String> {
    AssertSqlSafe([HEAD, SHOWN, FROM, rest].concat())
}

/// The same with every version.
pub(super) fn select_whole(rest: &'static str) -> AssertSqlSafe<String> {
    AssertSqlSafe([HEAD, FROM, rest].concat())
}

/// What these cases look like, in the same order; a case that has no such view is left out.
pub(super) fn views<T>(
    rows: impl IntoIterator<Item = CaseRow>,
    view: impl Fn(&CaseRow) -> sqlx::Result<Option<T>>,
) -> Result<Vec<T>, StoreError> {
    Ok(rows.into_iter().filter_map(|row| view(&row).transpose()).collect::<sqlx::Result<_>>()?)
}

/// The case of this key, in full. Its candidacy and its job are locked before they are read, so that the whole is of one moment.
pub(super) async fn find(connection: &mut Connection, key: &CaseKey) -> Result<Option<Case>, Failed> {
    let id = candidacy_of(connection, key).await?;
    if let Some(id) = id {
        lock(connection, id).await?;
    }
    match (id, key) {
        (Some(id), CaseKey::JobAndFreelancer(..)) if candidacy_of(connection, key).await? != Some(id) => {
            Err(Failed::Stale("another candidacy began while this one's lock was waited for"))
        }
        (Some(id), _) => {
            let row: CaseRow =
                sqlx::query_as(select_whole("WHERE c.id = $1")).bind(id).fetch_one(&mut *connection).await?;
            Ok(Some(read(connection, &row, key).await?))
        }
        (None, CaseKey::JobAndFreelancer(job, freelancer)) => Ok(first(connection, job, freelancer).await?),
        (None, _) => Ok(None),
    }
}

/// Whoever else would change this candidacy, or end its job, waits until the transaction ends.
async fn lock(connection: &mut Connection, candidacy: Uuid) -> sqlx::Result<()> {
    let sql = concat!(
        "SELECT 1 FROM candidacies c JOIN jobs j ON j.id = c.job WHERE c.id = $1",
        lock!("SHARE OF j"),
        lock!("NO KEY UPDATE OF c")
    );
    sqlx::query(sql).bind(candidacy).execute(connection).await.map(drop)
}

/// The candidacy of this key.
async fn candidacy_of(connection: &mut Connection, key: &CaseKey) -> sqlx::Result<Option<Uuid>> {
    let query = match key {
        CaseKey::Candidacy(id) => sqlx::query_scalar("SELECT id FROM candidacies WHERE id = $1").bind(id.0),
        CaseKey::Invitation(id) => {
            sqlx::query_scalar("SELECT candidacy FROM invitations WHERE id = $1").bind(id.0)
        }
        CaseKey::Proposal(id) => {
            sqlx::query_scalar("SELECT candidacy FROM proposals WHERE id = $1").bind(id.0)
        }
        CaseKey::Offer(id) => sqlx::query_scalar("SELECT candidacy FROM offers WHERE id = $1").bind(id.0),
        CaseKey::Contract(id) => {
            sqlx::query_scalar("SELECT candidacy FROM contracts WHERE id = $1").bind(id.as_str())
        }
        CaseKey::Room(room) | CaseKey::RoomAndUser(room, _) | CaseKey::RoomAndEntry(room, _) => {
            sqlx::query_scalar("SELECT id FROM candidacies WHERE room = $1").bind(room.0)
        }
        // The one that is open, or else the latest. By its id: of hundreds that have ended, no more than that is read.
        CaseKey::JobAndFreelancer(job, freelancer) => sqlx::query_scalar(
            "SELECT coalesce(
                (SELECT id FROM candidacies WHERE job = $1 AND freelancer = $2
                 AND phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired')),
                (SELECT id FROM candidacies WHERE job = $1 AND freelancer = $2 ORDER BY id DESC LIMIT 1))",
        )
        .bind(job.as_str())
        .bind(freelancer.as_str()),
    };
    let found: Option<Option<Uuid>> = query.fetch_optional(connection).await?;
    Ok(found.flatten())
}

async fn read(connection: &mut Connection, row: &CaseRow, key: &CaseKey) -> sqlx::Result<Case> {
    let job = row.job()?;
    let freelancer = code::user(&row.freelancer_id)?;
    let people = (&job.client, &freelancer);
    Ok(Case {
        fees: fee::of_candidacy(connection, row.fee_schedule.as_deref(), people).await?,
        fees_now: fee::of_job(connection, &job.id, people).await?,
        client: party(connection, job.client.clone()).await?,
        freelancer: party(connection, freelancer).await?,
        candidacy: Some(row.candidacy()?),
        invitation: row.invitation()?,
        ledger: ledger::latest(connection, row.id).await?,
        proposal: row.proposal()?,
        terms: row.terms()?,
        standing: row.standing()?,
        pending: row.pending()?,
        offer: row.offer()?,
        contract: row.contract()?.map(|(contract, _)| contract),
        members: room::members(connection, row).await?,
        named: room::named(connection, key).await?,
        pointed: room::pointed(connection, key).await?,
        another_is_open: row.another_is_open,
        job,
    })
}

/// The case of a freelancer who was never a candidate for this job.
async fn first(connection: &mut Connection, job: &JobId, freelancer: &UserId) -> sqlx::Result<Option<Case>> {
    type Row = (String, String, Option<String>, String);
    let sql = concat!(
        "SELECT j.client, j.title, j.url, j.status FROM jobs j, users u WHERE j.id = $1 AND u.id = $2",
        lock!("SHARE OF j")
    );
    let row: Option<Row> = sqlx::query_as(sql)
        .bind(job.as_str())
        .bind(freelancer.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let Some((client, title, url, status)) = row else {
        return Ok(None);
    };
    let client = code::user(&client)?;
    let job = Job { id: job.clone(), client: client.clone(), title, url, status: code::parse(&status)? };
    Ok(Some(Case {
        fees: None,
        fees_now: fee::of_job(connection, &job.id, (&client, freelancer)).await?,
        job,
        client: party(connection, client).await?,
        freelancer: party(connection, freelancer.clone()).await?,
        candidacy: None,
        invitation: None,
        ledger: None,
        proposal: None,
        terms: Vec::new(),
        standing: None,
        pending: None,
        offer: None,
        contract: None,
        members: Vec::new(),
        named: None,
        pointed: None,
        another_is_open: false,
    }))
}

/// One of the two, as the marketplace told last.
pub(super) async fn party(connection: &mut Connection, user: UserId) -> sqlx::Result<Party> {
    let sql = "SELECT status, status_reason, status_reversible, status_next_step FROM users WHERE id = $1";
    let row: StandingRow = sqlx::query_as(sql).bind(user.as_str()).fetch_one(connection).await?;
    Ok(Party { user, standing: row.decode()? })
}
