//! Cases in SQLite: the one row that every view of a candidacy, an invitation or a proposal is made from, and the whole that a rare
//! command is decided on. The terms stand in that row too, so that a page is one statement however long it is, and of one moment.

use anteroom_protocol::candidacy::CandidacyView;
use anteroom_protocol::id::{CandidacyId, InvitationId, JobId, ProposalId, RoomId, RoomRef, UserId};
use anteroom_protocol::invitation::InvitationView;
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::log::Hash;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::terms::{Terms, TermsView};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Side, UserSummary};
use sqlx::{FromRow, SqliteConnection};

use super::code;
use super::user::StandingRow;
use crate::domain::candidacy::{Candidacy, Case, phase_for};
use crate::domain::invitation::Invitation;
use crate::domain::job::Job;
use crate::domain::proposal::Proposal;
use crate::domain::terms;
use crate::domain::user::Party;
use crate::store::{CaseKey, StoreError};

/// Everything about a case that is one row. Each view of it is made from this row; `$rest` says which cases.
macro_rules! case_select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.phase, c.room, c.updated_at, j.id AS job_id, j.client AS client_id, j.title AS job_title, ",
            "j.url AS job_url, j.status AS job_status, cu.name AS client_name, cu.avatar_url AS client_avatar, ",
            "fu.id AS freelancer_id, fu.name AS freelancer_name, fu.avatar_url AS freelancer_avatar, ",
            "i.id AS invitation_id, i.status AS invitation_status, i.message, i.sent_at, i.expires_at, i.answered_at, ",
            "i.reason, i.reason_text, p.id AS proposal_id, p.cover_letter, p.submitted_at, l.seq AS head, ",
            "(SELECT json_group_array(json_array(t.version, t.side, json(t.terms), lower(hex(t.hash)), t.proposed_at) ",
            "ORDER BY t.version) FROM terms t WHERE t.candidacy = c.id) AS terms ",
            "FROM candidacies c JOIN jobs j ON j.id = c.job JOIN users cu ON cu.id = j.client ",
            "JOIN users fu ON fu.id = c.freelancer LEFT JOIN invitations i ON i.candidacy = c.id ",
            "LEFT JOIN proposals p ON p.candidacy = c.id LEFT JOIN logs l ON l.room = c.room ",
            $rest
        )
    };
}
pub(super) use case_select;

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
    proposal_id: Option<Vec<u8>>,
    cover_letter: Option<String>,
    submitted_at: Option<i64>,
    head: Option<i64>,
    terms: String,
}

/// The people and the job of a case, as a view shows them to one reader.
struct Frame {
    role: Side,
    job: JobSummary,
    client: UserSummary,
    freelancer: UserSummary,
    room: Option<RoomRef>,
}

impl CaseRow {
    fn id(&self) -> sqlx::Result<CandidacyId> {
        code::uuid(&self.id).map(CandidacyId)
    }

    fn frame(&self, reader: &UserId) -> sqlx::Result<Frame> {
        let role = if self.client_id == reader.as_str() { Side::Client } else { Side::Freelancer };
        Ok(Frame {
            role,
            job: self.job()?.summary(),
            client: UserSummary {
                id: code::user(&self.client_id)?,
                name: self.client_name.clone(),
                avatar_url: self.client_avatar.clone(),
            },
            freelancer: UserSummary {
                id: code::user(&self.freelancer_id)?,
                name: self.freelancer_name.clone(),
                avatar_url: self.freelancer_avatar.clone(),
            },
            room: self.room.as_deref().map(code::uuid).transpose()?.map(RoomId).map(RoomRef::Room),
        })
    }

    fn job(&self) -> sqlx::Result<Job> {
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
        })
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

    /// The versions of its terms, rising.
    fn terms(&self) -> sqlx::Result<Vec<terms::Version>> {
        type Version = (u32, Side, Terms, Hash, i64);
        let versions: Vec<Version> = code::json(&self.terms)?;
        let version = |(version, side, terms, hash, proposed_at)| {
            let proposed_at = code::time(proposed_at);
            terms::Version { version, side, terms, hash, proposed_at }
        };
        Ok(versions.into_iter().map(version).collect())
    }

    /// This case as an invitation, in the eyes of one of its people.
    pub(super) fn invitation_view(&self, reader: &UserId, now: Time) -> sqlx::Result<Option<InvitationView>> {
        let Some(invitation) = self.invitation()? else {
            return Ok(None);
        };
        let Frame { role, job, client, freelancer, room } = self.frame(reader)?;
        Ok(Some(InvitationView {
            id: invitation.id,
            candidacy: self.id()?,
            status: Invitation::status_for(invitation.status, invitation.expires_at, role, now),
            role,
            job,
            client,
            freelancer,
            message: invitation.message,
            terms: self.terms()?.iter().find(|version| version.side == Side::Client).map(terms_view),
            sent_at: invitation.sent_at,
            expires_at: invitation.expires_at,
            answered_at: invitation.answered_at,
            reason: invitation.reason,
            reason_text: invitation.reason_text,
            room,
        }))
    }

    /// This case as a proposal, in the eyes of one of its people.
    pub(super) fn proposal_view(&self, reader: &UserId) -> sqlx::Result<Option<ProposalView>> {
        let Some(proposal) = self.proposal()? else {
            return Ok(None);
        };
        let Frame { role, job, client, freelancer, room } = self.frame(reader)?;
        Ok(Some(ProposalView {
            id: proposal.id,
            candidacy: self.id()?,
            phase: phase_for(code::parse(&self.phase)?, role),
            role,
            job,
            client,
            freelancer,
            cover_letter: proposal.cover_letter,
            terms: self.terms()?.last().map(terms_view),
            submitted_at: proposal.submitted_at,
            room,
        }))
    }

    /// This case as a candidacy, in the eyes of one of its people.
    pub(super) fn candidacy_view(&self, reader: &UserId) -> sqlx::Result<Option<CandidacyView>> {
        let Frame { role, job, client, freelancer, room } = self.frame(reader)?;
        Ok(Some(CandidacyView {
            id: self.id()?,
            phase: phase_for(code::parse(&self.phase)?, role),
            role,
            job,
            client,
            freelancer,
            invitation: self.invitation()?.map(|invitation| invitation.id),
            proposal: self.proposal()?.map(|proposal| proposal.id),
            terms: self.terms()?.last().map(terms_view),
            room,
            head: self.head.map(code::count).transpose()?,
            updated_at: code::time(self.updated_at),
        }))
    }
}

fn terms_view(version: &terms::Version) -> TermsView {
    TermsView {
        version: version.version,
        by: version.side,
        hash: version.hash,
        proposed_at: version.proposed_at,
        terms: version.terms.clone(),
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
        CaseKey::Candidacy(id) => sqlx::query_as(case_select!("WHERE c.id = $1")).bind(code::id(&id.0)),
        CaseKey::Invitation(id) => sqlx::query_as(case_select!("WHERE i.id = $1")).bind(code::id(&id.0)),
        CaseKey::Proposal(id) => sqlx::query_as(case_select!("WHERE p.id = $1")).bind(code::id(&id.0)),
        CaseKey::JobAndFreelancer(job, freelancer) => {
            sqlx::query_as(case_select!(
                "WHERE c.job = $1 AND c.freelancer = $2
                 ORDER BY c.phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired') DESC, c.id DESC
                 LIMIT 1"
            ))
                .bind(job.as_str())
                .bind(freelancer.as_str())
        }
    };
    let row: Option<CaseRow> = query.fetch_optional(&mut *connection).await?;
    match (row, key) {
        (Some(row), _) => read(connection, &row).await.map(Some),
        (None, CaseKey::JobAndFreelancer(job, freelancer)) => first(connection, job, freelancer).await,
        (None, _) => Ok(None),
    }
}

async fn read(connection: &mut SqliteConnection, row: &CaseRow) -> sqlx::Result<Case> {
    let job = row.job()?;
    let freelancer = code::user(&row.freelancer_id)?;
    Ok(Case {
        client: party(connection, job.client.clone()).await?,
        freelancer: party(connection, freelancer).await?,
        candidacy: Some(row.candidacy()?),
        invitation: row.invitation()?,
        proposal: row.proposal()?,
        terms: row.terms()?,
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
        job,
        client: party(connection, client).await?,
        freelancer: party(connection, freelancer.clone()).await?,
        candidacy: None,
        invitation: None,
        proposal: None,
        terms: Vec::new(),
    }))
}

async fn party(connection: &mut SqliteConnection, user: UserId) -> sqlx::Result<Party> {
    let sql = "SELECT status, status_reason, status_reversible, status_next_step FROM users WHERE id = $1";
    let row: StandingRow = sqlx::query_as(sql).bind(user.as_str()).fetch_one(connection).await?;
    Ok(Party { user, standing: row.decode()? })
}
