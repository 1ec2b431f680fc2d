//! A case in the eyes of one of its people. Fees are shown to the freelancer's side, and to nobody else.

use anteroom_protocol::candidacy::{CandidacyView, Turn};
use anteroom_protocol::contract::ContractView;
use anteroom_protocol::id::{RoomId, RoomRef, UserId};
use anteroom_protocol::invitation::{InvitationStatus, InvitationView};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::offer::OfferView;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::terms::{TermsStatus, TermsView};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Side, UserSummary};

use super::super::code;
use super::CaseRow;
use crate::domain::candidacy::phase_for;
use crate::domain::invitation::Invitation;
use crate::domain::offer::Offer;
use crate::domain::terms::Version;

/// The people and the job of a case, as a view shows them to one reader.
struct Frame {
    role: Side,
    job: JobSummary,
    client: UserSummary,
    freelancer: UserSummary,
    room: Option<RoomRef>,
}

impl CaseRow {
    fn frame(&self, reader: &UserId) -> sqlx::Result<Frame> {
        Ok(Frame {
            role: self.role(reader),
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
            room: self.room.map(RoomId).map(RoomRef::Room),
        })
    }

    fn role(&self, reader: &UserId) -> Side {
        if self.freelancer_id == reader.as_str() { Side::Freelancer } else { Side::Client }
    }

    /// The one place where a version of terms becomes a view.
    fn terms_view(&self, version: &Version, role: Side) -> TermsView {
        let status = if self.standing == Some(i64::from(version.version)) {
            TermsStatus::Standing
        } else if self.pending == Some(i64::from(version.version)) {
            TermsStatus::Pending
        } else {
            TermsStatus::Past
        };
        TermsView {
            status: Some(status),
            fee: version.fee.clone().filter(|_| role == Side::Freelancer),
            ..version.told()
        }
    }

    /// The versions that are shown: none while an invitation that the marketplace has removed is all there is.
    fn shown_terms(&self) -> sqlx::Result<Vec<Version>> {
        let removed = self.invitation()?.is_some_and(|it| it.status == InvitationStatus::Removed);
        if removed && self.room.is_none() { Ok(Vec::new()) } else { self.terms() }
    }

    /// The version of this number as this side sees it.
    fn version_view(&self, number: Option<u32>, role: Side) -> sqlx::Result<Option<TermsView>> {
        let versions = self.shown_terms()?;
        let found = versions.iter().find(|version| Some(version.version) == number);
        Ok(found.map(|version| self.terms_view(version, role)))
    }

    /// The terms as they stand; before any do, those that were suggested.
    fn current_terms(&self, role: Side) -> sqlx::Result<Option<TermsView>> {
        self.version_view(self.standing()?.or(self.pending()?), role)
    }

    /// Every version, newest first.
    pub(in crate::store) fn terms_views(&self, reader: &UserId) -> sqlx::Result<Vec<TermsView>> {
        let role = self.role(reader);
        Ok(self.shown_terms()?.iter().rev().map(|version| self.terms_view(version, role)).collect())
    }

    /// This case as an invitation, in the eyes of one of its people.
    pub(in crate::store) fn invitation_view(
        &self,
        reader: &UserId,
        now: Time,
    ) -> sqlx::Result<Option<InvitationView>> {
        let Some(invitation) = self.invitation()? else {
            return Ok(None);
        };
        let Frame { role, job, client, freelancer, room } = self.frame(reader)?;
        let removed = invitation.status == InvitationStatus::Removed;
        let suggested = self
            .shown_terms()?
            .into_iter()
            .find(|version| version.side == Side::Client && version.version == 1);
        Ok(Some(InvitationView {
            id: invitation.id,
            candidacy: self.id(),
            status: Invitation::status_for(invitation.status, invitation.expires_at, role, now),
            role,
            job,
            client,
            freelancer,
            // What the marketplace has removed is shown to nobody.
            message: if removed { String::new() } else { invitation.message },
            terms: suggested.map(|version| self.terms_view(&version, role)),
            sent_at: invitation.sent_at,
            expires_at: invitation.expires_at,
            answered_at: invitation.answered_at,
            reason: invitation.reason,
            reason_text: invitation.reason_text,
            decline_message: invitation.decline_message,
            room,
        }))
    }

    /// This case as a proposal, in the eyes of one of its people.
    pub(in crate::store) fn proposal_view(&self, reader: &UserId) -> sqlx::Result<Option<ProposalView>> {
        let Some(proposal) = self.proposal()? else {
            return Ok(None);
        };
        let Frame { role, job, client, freelancer, room } = self.frame(reader)?;
        Ok(Some(ProposalView {
            id: proposal.id,
            candidacy: self.id(),
            phase: phase_for(code::parse(&self.phase)?, role),
            role,
            job,
            client,
            freelancer,
            cover_letter: proposal.cover_letter,
            terms: self.current_terms(role)?,
            submitted_at: proposal.submitted_at,
            room,
        }))
    }

    /// This case as a candidacy, in the eyes of one of its people.
    pub(in crate::store) fn candidacy_view(&self, reader: &UserId) -> sqlx::Result<Option<CandidacyView>> {
        let Frame { role, job, client, freelancer, room } = self.frame(reader)?;
        let offer = self.offer()?.map(|offer| self.offer_view(reader, &offer)).transpose()?.flatten();
        Ok(Some(CandidacyView {
            id: self.id(),
            phase: phase_for(code::parse(&self.phase)?, role),
            role,
            job,
            client,
            freelancer,
            invitation: self.invitation()?.map(|invitation| invitation.id),
            proposal: self.proposal()?.map(|proposal| proposal.id),
            terms: self.current_terms(role)?,
            counter: self.version_view(self.standing()?.and(self.pending()?), role)?,
            terms_version: self.terms()?.last().map_or(0, |version| version.version),
            offer,
            contract: self.contract()?.map(|(contract, _)| contract.id),
            turn: self.turn()?,
            mark: self.mark()?.filter(|_| role == Side::Client),
            room,
            head: self.head.map(code::count).transpose()?,
            updated_at: code::time(self.updated_at),
        }))
    }

    fn turn(&self) -> sqlx::Result<Option<Turn>> {
        let side = self.turn.as_deref().map(code::parse).transpose()?;
        Ok(side.map(|side| Turn { side, until: self.turn_until.map(code::time) }))
    }

    /// One of its offers, in the eyes of one of its people.
    pub(in crate::store) fn offer_view(
        &self,
        reader: &UserId,
        offer: &Offer,
    ) -> sqlx::Result<Option<OfferView>> {
        let Frame { role, room, .. } = self.frame(reader)?;
        let (Some(room), Some(terms)) = (room, self.version_view(Some(offer.version), role)?) else {
            return Ok(None);
        };
        Ok(Some(OfferView {
            id: offer.id,
            candidacy: self.id(),
            room,
            status: offer.status,
            role,
            terms,
            made_at: offer.made_at,
            expires_at: offer.expires_at,
        }))
    }

    /// Its contract, in the eyes of one of its people.
    pub(in crate::store) fn contract_view(&self, reader: &UserId) -> sqlx::Result<Option<ContractView>> {
        let Frame { role, job, client, freelancer, room } = self.frame(reader)?;
        let (Some((contract, Some(sealed))), Some(room)) = (self.contract()?, room) else {
            return Ok(None);
        };
        let Some(terms) = self.version_view(Some(contract.version), role)? else {
            return Ok(None);
        };
        Ok(Some(ContractView {
            id: contract.id,
            candidacy: self.id(),
            room,
            role,
            job,
            client,
            freelancer,
            terms,
            sealed,
            ended_at: contract.ended_at,
        }))
    }
}
