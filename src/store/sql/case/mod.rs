//! A case as its one row shows it: what every view of a candidacy, an invitation or a proposal is made from, and what a rare command is
//! decided on. The terms stand in that row too, so that a page is one statement however long it is, and of one moment.

pub(in crate::store) mod parts;
mod view;

use anteroom_protocol::candidacy::ClientMark;
use anteroom_protocol::contract::ContractSealed;
use anteroom_protocol::id::{CandidacyId, InvitationId, ProposalId, RoomId};
use sqlx::FromRow;
use uuid::Uuid;

use super::code;
use crate::domain::candidacy::{Candidacy, Ended};
use crate::domain::contract::Contract;
use crate::domain::invitation::Invitation;
use crate::domain::job::Job;
use crate::domain::offer::Offer;
use crate::domain::proposal::Proposal;
use crate::domain::terms::Version;

/// One case, as the adapters' statements read it.
#[derive(FromRow)]
pub(in crate::store) struct CaseRow {
    pub(in crate::store) id: Uuid,
    pub(in crate::store) phase: String,
    pub(in crate::store) room: Option<Uuid>,
    pub(in crate::store) updated_at: i64,
    pub(in crate::store) job_id: String,
    pub(in crate::store) client_id: String,
    pub(in crate::store) job_title: String,
    pub(in crate::store) job_url: Option<String>,
    pub(in crate::store) job_status: String,
    pub(in crate::store) client_name: String,
    pub(in crate::store) client_avatar: Option<String>,
    pub(in crate::store) freelancer_id: String,
    pub(in crate::store) freelancer_name: String,
    pub(in crate::store) freelancer_avatar: Option<String>,
    pub(in crate::store) invitation_id: Option<Uuid>,
    pub(in crate::store) invitation_status: Option<String>,
    pub(in crate::store) message: Option<String>,
    pub(in crate::store) sent_at: Option<i64>,
    pub(in crate::store) expires_at: Option<i64>,
    pub(in crate::store) answered_at: Option<i64>,
    pub(in crate::store) reason: Option<String>,
    pub(in crate::store) reason_text: Option<String>,
    pub(in crate::store) decline_message: Option<String>,
    pub(in crate::store) proposal_id: Option<Uuid>,
    pub(in crate::store) cover_letter: Option<String>,
    pub(in crate::store) submitted_at: Option<i64>,
    pub(in crate::store) head: Option<i64>,
    pub(in crate::store) standing: Option<i64>,
    pub(in crate::store) pending: Option<i64>,
    pub(in crate::store) fee_schedule: Option<String>,
    pub(in crate::store) turn: Option<String>,
    pub(in crate::store) turn_until: Option<i64>,
    pub(in crate::store) ended_by: Option<String>,
    pub(in crate::store) ended_from: Option<String>,
    pub(in crate::store) mark: Option<String>,
    pub(in crate::store) terms: String,
    pub(in crate::store) offer: Option<String>,
    pub(in crate::store) contract: Option<String>,
    pub(in crate::store) another_is_open: bool,
}

impl CaseRow {
    pub(in crate::store) fn id(&self) -> CandidacyId {
        CandidacyId(self.id)
    }

    pub(in crate::store) fn job(&self) -> sqlx::Result<Job> {
        Ok(Job {
            id: self.job_id.parse().map_err(|_| code::damaged("a job id"))?,
            client: code::user(&self.client_id)?,
            title: self.job_title.clone(),
            url: self.job_url.clone(),
            status: code::parse(&self.job_status)?,
        })
    }

    pub(in crate::store) fn candidacy(&self) -> sqlx::Result<Candidacy> {
        Ok(Candidacy {
            id: self.id(),
            phase: code::parse(&self.phase)?,
            room: self.room.map(RoomId),
            updated_at: code::time(self.updated_at),
            ended: self.ended()?,
            mark: self.mark()?,
        })
    }

    pub(in crate::store) fn ended(&self) -> sqlx::Result<Option<Ended>> {
        let from = self.ended_from.as_deref().map(code::parse).transpose()?;
        let by = self.ended_by.as_deref().map(code::parse).transpose()?;
        Ok(from.map(|from| Ended { by, from }))
    }

    pub(in crate::store) fn mark(&self) -> sqlx::Result<Option<ClientMark>> {
        self.mark.as_deref().map(code::parse).transpose()
    }

    pub(in crate::store) fn invitation(&self) -> sqlx::Result<Option<Invitation>> {
        let (Some(id), Some(status), Some(message), Some(sent_at), Some(expires_at)) =
            (self.invitation_id, &self.invitation_status, &self.message, self.sent_at, self.expires_at)
        else {
            return Ok(None);
        };
        Ok(Some(Invitation {
            id: InvitationId(id),
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

    pub(in crate::store) fn proposal(&self) -> sqlx::Result<Option<Proposal>> {
        let (Some(id), Some(submitted_at)) = (self.proposal_id, self.submitted_at) else {
            return Ok(None);
        };
        Ok(Some(Proposal {
            id: ProposalId(id),
            cover_letter: self.cover_letter.clone(),
            submitted_at: code::time(submitted_at),
        }))
    }

    /// Its contract, and the seal of it.
    pub(in crate::store) fn contract(&self) -> sqlx::Result<Option<(Contract, Option<ContractSealed>)>> {
        self.contract.as_deref().map(parts::contract).transpose()
    }

    pub(in crate::store) fn offer(&self) -> sqlx::Result<Option<Offer>> {
        self.offer.as_deref().map(parts::offer).transpose()
    }

    /// The number of the version that stands.
    pub(in crate::store) fn standing(&self) -> sqlx::Result<Option<u32>> {
        self.standing.map(code::small).transpose()
    }

    /// The number of the version that waits for an answer.
    pub(in crate::store) fn pending(&self) -> sqlx::Result<Option<u32>> {
        self.pending.map(code::small).transpose()
    }

    /// The versions of its terms that were read, rising.
    pub(in crate::store) fn terms(&self) -> sqlx::Result<Vec<Version>> {
        parts::terms(&self.terms)
    }
}
