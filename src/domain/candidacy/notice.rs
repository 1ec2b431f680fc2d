//! What the inboxes are told of a case. Each side is told in its own way.

use anteroom_protocol::entry::{Notice, NoticeKind};
use anteroom_protocol::id::UserId;
use anteroom_protocol::user::Side;

use super::{BOTH, Case, Told};
use crate::domain::log::{Event, What};
use crate::domain::terms;

impl Case {
    /// The events that tell this to the inboxes of these sides.
    pub fn notices(&self, kind: NoticeKind, told: &Told, sides: &[Side]) -> Vec<(UserId, Event)> {
        self.notices_about(kind, told, sides, None)
    }

    /// The same about the version of the terms that is offered.
    pub fn notices_of_offer(&self, kind: NoticeKind, told: &Told) -> Vec<(UserId, Event)> {
        let about = self.offer.as_ref().and_then(|offer| self.version(offer.version));
        self.notices_about(kind, told, &BOTH, about)
    }

    /// The same about a version of the terms, which each side is told in its own way.
    pub fn notices_about(
        &self,
        kind: NoticeKind,
        told: &Told,
        sides: &[Side],
        about: Option<&terms::Version>,
    ) -> Vec<(UserId, Event)> {
        let notice = |side: &Side| {
            let notice =
                Notice { terms: about.map(|version| Box::new(version.told())), ..self.notice(*side)? };
            let what = What::Notice(kind, Box::new(notice));
            let private = about.and_then(|version| version.fee.clone()).filter(|_| *side == Side::Freelancer);
            let event = Event { by: told.by.clone(), client_id: told.client_id, what, private };
            Some((self.party(*side).user.clone(), event))
        };
        sides.iter().filter_map(notice).collect()
    }

    /// The event that tells one person, who looks from this side, of the own part in it.
    pub(in crate::domain) fn notice_to(
        &self,
        user: &UserId,
        side: Side,
        kind: NoticeKind,
        told: &Told,
    ) -> Option<(UserId, Event)> {
        let what = What::Notice(kind, Box::new(self.notice(side)?));
        Some((user.clone(), Event { by: told.by.clone(), client_id: told.client_id, what, private: None }))
    }

    fn notice(&self, side: Side) -> Option<Notice> {
        let answer = self.answer(side)?;
        Some(Notice {
            candidacy: answer.candidacy,
            phase: answer.phase,
            job: self.job.summary(),
            client: self.client.user.clone(),
            freelancer: self.freelancer.user.clone(),
            invitation: answer.invitation,
            proposal: answer.proposal,
            room: answer.room,
            reason: self.invitation.as_ref().and_then(|invitation| invitation.reason),
            reason_text: self.invitation.as_ref().and_then(|invitation| invitation.reason_text.clone()),
            decline_message: self
                .invitation
                .as_ref()
                .and_then(|invitation| invitation.decline_message.clone()),
            terms: None,
            offer: answer.offer,
            contract: answer.contract,
        })
    }
}
