//! Cases in SQLite: the one row that every view of a candidacy, an invitation or a proposal is made from, and the whole that a rare
//! command is decided on. The terms stand in that row too, so that a page is one statement however long it is, and of one moment.

mod room;
mod view;

use anteroom_protocol::candidacy::ClientMark;
use anteroom_protocol::contract::ContractSealed;
use anteroom_protocol::id::{CandidacyId, InvitationId, JobId, ProposalId, RoomId, UserId};
use sqlx::{FromRow, SqliteConnection};

use super::user::StandingRow;
use super::{code, fee, ledger};
use crate::domain::candidacy::{Candidacy, Case, Ended};
use crate::domain::contract::Contract;
use crate::domain::invitation::Invitation;
use crate::domain::job::Job;
use crate::domain::offer::Offer;
use crate::domain::proposal::Proposal;
use crate::domain::terms::Version;
use crate::domain::user::Party;
use crate::store::{CaseKey, StoreError};

/// Everything about a case that is one row. Each view of it is made from this row; `$rest` says which cases. Of the versions of its terms it
/// has those that views show: the first, what stands and what waits, what was offered or agreed on, and the newest. With `every` it has all.
macro_rules! case_select {
    (every $rest:literal) => {
        $crate::store::sqlite::case::case_select!([""] $rest)
    };
    ($rest:literal) => {
        $crate::store::sqlite::case::case_select!([
            " AND (t.version IN (1, c.standing, c.pending, (SELECT max(version) FROM terms WHERE candidacy = c.id)) "
            "OR t.version IN (SELECT version FROM offers WHERE candidacy = c.id) "
            "OR t.version IN (SELECT version FROM contracts WHERE candidacy = c.id))"
        ] $rest)
    };
    ([$($versions:literal)+] $rest:literal) => {
        concat!(
            "SELECT c.id, c.phase, c.room, c.updated_at, j.id AS job_id, j.client AS client_id, j.title AS job_title, ",
            "j.url AS job_url, j.status AS job_status, cu.name AS client_name, cu.avatar_url AS client_avatar, ",
            "fu.id AS freelancer_id, fu.name AS freelancer_name, fu.avatar_url AS freelancer_avatar, ",
            "i.id AS invitation_id, i.status AS invitation_status, i.message, i.sent_at, i.expires_at, i.answered_at, ",
            "i.reason, i.reason_text, i.decline_message, p.id AS proposal_id, p.cover_letter, p.submitted_at, l.seq AS head, ",
            "c.standing, c.pending, c.fee_schedule, c.turn, c.turn_until, c.ended_by, c.ended_from, c.mark, ",
            "(SELECT json_group_array(json_array(t.version, t.side, json(t.terms), lower(hex(t.hash)), t.proposed_at, ",
            "t.expires_at, t.acknowledged_at, json(t.fee)) ORDER BY t.version) FROM terms t WHERE t.candidacy = c.id", $($versions,)+ ") AS terms, ",
            "(SELECT json_array(lower(hex(o.id)), o.status, o.version, o.made_at, o.changed_at, o.expires_at, json(o.requests), o.asked) ",
            "FROM offers o WHERE o.candidacy = c.id ORDER BY o.status = 'standing' DESC, o.id DESC LIMIT 1) AS offer, ",
            "EXISTS (SELECT 1 FROM candidacies other WHERE other.job = c.job AND other.freelancer = c.freelancer AND other.id <> c.id ",
            "AND other.phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired')) AS another_is_open, ",
            "(SELECT json_array(k.id, CASE WHEN k.offer IS NOT NULL THEN lower(hex(k.offer)) END, k.version, k.formed_at, k.ended_at, json(k.sealed)) ",
            "FROM contracts k WHERE k.candidacy = c.id) AS contract ",
            "FROM candidacies c JOIN jobs j ON j.id = c.job JOIN users cu ON cu.id = j.client ",
            "JOIN users fu ON fu.id = c.freelancer LEFT JOIN invitations i ON i.candidacy = c.id ",
            "LEFT JOIN proposals p ON p.candidacy = c.id LEFT JOIN logs l ON l.room = c.room ",
            $rest
        )
    };
}
pub(super) use case_select;
pub(super) use room::room;

/// One case, as [`case_select`] reads it.
#[derive(FromRow)]
pub(super) struct CaseRow {
    id: Vec<u8>,
    phase: String,
    room: Option<Vec<u8>>,
    updated_at: i64,
    job_id: String,
    client_id: String,
    job_title: String,
    job_url: Option<String>,
    job_status: String,
    client_name: String,
    client_avatar: Option<String>,
    freelancer_id: String,
    freelancer_name: String,
    freelancer_avatar: Option<String>,
    invitation_id: Option<Vec<u8>>,
    invitation_status: Option<String>,
    message: Option<String>,
    sent_at: Option<i64>,
    expires_at: Option<i64>,
    answered_at: Option<i64>,
    reason: Option<String>,
    reason_text: Option<String>,
    decline_message: Option<String>,
    proposal_id: Option<Vec<u8>>,
    cover_letter: Option<String>,
    submitted_at: Option<i64>,
    head: Option<i64>,
    standing: Option<u32>,
    pending: Option<u32>,
    fee_schedule: Option<String>,
    turn: Option<String>,
    turn_until: Option<i64>,
    ended_by: Option<String>,
    ended_from: Option<String>,
    mark: Option<String>,
    terms: String,
    offer: Option<String>,
    contract: Option<String>,
    another_is_open: bool,
}

impl CaseRow {
    fn id(&self) -> sqlx::Result<CandidacyId> {
        code::uuid(&self.id).map(CandidacyId)
    }

    pub(super) fn job(&self) -> sqlx::Result<Job> {
        Ok(Job {
            id: self.job_id.parse().map_err(|_| code::damaged("a job id"))?,
            client: code::user(&self.client_id)?,
            title: self.job_title.clone(),
            url: self.job_url.clone(),
            status: code::parse(&self.job_status)?,
        })
    }

    fn candidacy(&self) -> sqlx::Result<Candidacy> {
        Ok(Candidacy {
            id: self.id()?,
            phase: code::parse(&self.phase)?,
            room: self.room.as_deref().map(code::uuid).transpose()?.map(RoomId),
            updated_at: code::time(self.updated_at),
            ended: self.ended()?,
            mark: self.mark()?,
        })
    }

    fn ended(&self) -> sqlx::Result<Option<Ended>> {
        let from = self.ended_from.as_deref().map(code::parse).transpose()?;
        let by = self.ended_by.as_deref().map(code::parse).transpose()?;
        Ok(from.map(|from| Ended { by, from }))
    }

    fn mark(&self) -> sqlx::Result<Option<ClientMark>> {
        self.mark.as_deref().map(code::parse).transpose()
    }

    fn invitation(&self) -> sqlx::Result<Option<Invitation>> {
        let (Some(id), Some(status), Some(message), Some(sent_at), Some(expires_at)) =
            (&self.invitation_id, &self.invitation_status, &self.message, self.sent_at, self.expires_at)
        else {
            return Ok(None);
        };
        Ok(Some(Invitation {
            id: InvitationId(code::uuid(id)?),
            status: code::parse(status)?,
            message: message.clone(),
            sent_at: code::time(sent_at),
            expires_at: code::time(expires_at),
            answered_at: self.answered_at.map(code::time),
            reason: self.reason.as_deref().map(code::parse).transpose()?,
            reason_text: self.reason_text.clone(),
            decline_message: self.decline_message.clone(),
        }))
    }

    fn proposal(&self) -> sqlx::Result<Option<Proposal>> {
        let (Some(id), Some(submitted_at)) = (&self.proposal_id, self.submitted_at) else {
            return Ok(None);
        };
        Ok(Some(Proposal {
            id: ProposalId(code::uuid(id)?),
            cover_letter: self.cover_letter.clone(),
            submitted_at: code::time(submitted_at),
        }))
    }

    /// Its contract, and the seal of it.
    fn contract(&self) -> sqlx::Result<Option<(Contract, Option<ContractSealed>)>> {
        self.contract.as_deref().map(super::contract::decode).transpose()
    }

    fn offer(&self) -> sqlx::Result<Option<Offer>> {
        self.offer.as_deref().map(super::offer::decode).transpose()
    }

    /// The versions of its terms that were read, rising.
    fn terms(&self) -> sqlx::Result<Vec<Version>> {
        super::terms::decode(&self.terms)
    }
}

/// What these cases look like, in the same order; a case that has no such view is left out.
pub(super) fn views<T>(
    rows: impl IntoIterator<Item = CaseRow>,
    view: impl Fn(&CaseRow) -> sqlx::Result<Option<T>>,
) -> Result<Vec<T>, StoreError> {
    Ok(rows.into_iter().filter_map(|row| view(&row).transpose()).collect::<sqlx::Result<_>>()?)
}

/// The case of this key, in full.
pub(super) async fn find(connection: &mut SqliteConnection, key: &CaseKey) -> sqlx::Result<Option<Case>> {
    let query = match key {
        CaseKey::Candidacy(id) => sqlx::query_as(case_select!(every "WHERE c.id = $1")).bind(code::id(&id.0)),
        CaseKey::Invitation(id) => {
            sqlx::query_as(case_select!(every "WHERE i.id = $1")).bind(code::id(&id.0))
        }
        CaseKey::Proposal(id) => sqlx::query_as(case_select!(every "WHERE p.id = $1")).bind(code::id(&id.0)),
        CaseKey::Offer(id) => {
            sqlx::query_as(case_select!(every "WHERE c.id = (SELECT candidacy FROM offers WHERE id = $1)"))
                .bind(code::id(&id.0))
        }
        CaseKey::Contract(id) => {
            sqlx::query_as(case_select!(every "WHERE c.id = (SELECT candidacy FROM contracts WHERE id = $1)"))
                .bind(id.as_str())
        }
        CaseKey::Room(room) | CaseKey::RoomAndUser(room, _) | CaseKey::RoomAndEntry(room, _) => {
            sqlx::query_as(case_select!(every "WHERE c.room = $1")).bind(code::id(&room.0))
        }
        CaseKey::JobAndFreelancer(job, freelancer) => {
            sqlx::query_as(case_select!(
                // The one that is open, or else the latest. By its id: of hundreds that have ended, no more than that is read.
                every "WHERE c.id = coalesce(
                    (SELECT id FROM candidacies WHERE job = $1 AND freelancer = $2
                     AND phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired')),
                    (SELECT max(id) FROM candidacies WHERE job = $1 AND freelancer = $2))"
            ))
            .bind(job.as_str())
            .bind(freelancer.as_str())
        }
    };
    let row: Option<CaseRow> = query.fetch_optional(&mut *connection).await?;
    match (row, key) {
        (Some(row), _) => read(connection, &row, key).await.map(Some),
        (None, CaseKey::JobAndFreelancer(job, freelancer)) => first(connection, job, freelancer).await,
        (None, _) => Ok(None),
    }
}

async fn read(connection: &mut SqliteConnection, row: &CaseRow, key: &CaseKey) -> sqlx::Result<Case> {
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
        ledger: ledger::latest(connection, &row.id).await?,
        proposal: row.proposal()?,
        terms: row.terms()?,
        standing: row.standing,
        pending: row.pending,
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
async fn first(
    connection: &mut SqliteConnection,
    job: &JobId,
    freelancer: &UserId,
) -> sqlx::Result<Option<Case>> {
    type Row = (String, String, Option<String>, String);
    let sql = "SELECT j.client, j.title, j.url, j.status FROM jobs j, users u WHERE j.id = $1 AND u.id = $2";
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

async fn party(connection: &mut SqliteConnection, user: UserId) -> sqlx::Result<Party> {
    let sql = "SELECT status, status_reason, status_reversible, status_next_step FROM users WHERE id = $1";
    let row: StandingRow = sqlx::query_as(sql).bind(user.as_str()).fetch_one(connection).await?;
    Ok(Party { user, standing: row.decode()? })
}
