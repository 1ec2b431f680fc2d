//! What somebody who has nothing but a room's log knows of its case: the log told again, entry by entry.

use std::collections::BTreeMap;

use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::entry::{AcceptedTerms, EntryData, EntryFrame};
use anteroom_protocol::id::{CandidacyId, ContractId, OfferId, UserId};
use anteroom_protocol::log::Hash;
use anteroom_protocol::offer::OfferStatus;
use anteroom_protocol::room::RoomView;
use anteroom_protocol::user::Side;
use serde_json::json;

use super::Scene;

/// What the log alone tells is what the views show, to both.
pub(crate) async fn log_and_views_agree(scene: &Scene, candidacy: CandidacyId, entries: &[EntryFrame]) {
    let told = Told::by(&scene.freelancer.user, entries);
    for person in [&scene.client, &scene.freelancer] {
        let seen: CandidacyView = person.see(&format!("/v1/candidacies/{candidacy}")).await;
        assert_eq!(told.phase, seen.phase);
        assert_eq!(told.standing, seen.terms.map(|terms| terms.version));
        assert_eq!(told.pending, seen.counter.map(|terms| terms.version));
        assert_eq!(told.offer, seen.offer.map(|offer| (offer.id, offer.status, offer.terms.version)));
        assert_eq!(told.contract.clone().map(|(id, ..)| id), seen.contract);
        let room: RoomView = person.see(&format!("/v1/rooms/{}", seen.room.expect("a room"))).await;
        let members = room.members.into_iter().map(|member| (member.user, member.side));
        let two = [&scene.client.user, &scene.freelancer.user];
        assert_eq!(told.members, members.filter(|(user, _)| !two.contains(&user)).collect());
    }
}

/// What the log says of the case as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) phase: Phase,
    pub(crate) versions: Vec<(u32, Hash)>,
    pub(crate) standing: Option<u32>,
    pub(crate) pending: Option<u32>,
    pub(crate) acknowledged: Vec<u32>,
    pub(crate) offer: Option<(OfferId, OfferStatus, u32)>,
    pub(crate) contract: Option<(ContractId, u32, bool)>,
    /// Who is there beside the two, and on which side.
    pub(crate) members: BTreeMap<UserId, Side>,
}

impl Told {
    /// Before the first entry.
    pub(crate) fn nothing() -> Self {
        Self {
            phase: Phase::Active,
            versions: Vec::new(),
            standing: None,
            pending: None,
            acknowledged: Vec::new(),
            offer: None,
            contract: None,
            members: BTreeMap::new(),
        }
    }

    /// By these entries, the first of the room among them.
    pub(crate) fn by(freelancer: &UserId, entries: &[EntryFrame]) -> Self {
        let mut told = Self::nothing();
        for entry in entries {
            told.read(freelancer, entry);
        }
        told
    }

    /// By one entry more.
    pub(crate) fn read(&mut self, freelancer: &UserId, entry: &EntryFrame) {
        let tagged = json!({ "kind": entry.kind, "data": entry.data() });
        // The text of a message can be deleted; it says nothing of the case.
        if let Ok(data) = serde_json::from_value(tagged) {
            self.hear(data, entry.by.as_ref() == Some(freelancer));
        }
    }

    fn hear(&mut self, data: EntryData, by_freelancer: bool) {
        match data {
            EntryData::TermsProposed(data) => {
                self.versions.push((data.version, data.hash));
                if by_freelancer {
                    (self.standing, self.pending) = (Some(data.version), None);
                } else {
                    self.pending = Some(data.version);
                }
            }
            EntryData::InvitationAccepted(data) => {
                let suggested = self.pending.take();
                self.standing = suggested.filter(|_| data.terms != AcceptedTerms::None);
            }
            EntryData::TermsAccepted(data) => (self.standing, self.pending) = (Some(data.version), None),
            EntryData::TermsDeclined(_) | EntryData::TermsWithdrawn(_) | EntryData::TermsExpired(_) => {
                self.pending = None;
            }
            EntryData::TermsAcknowledged(data) => self.acknowledged.push(data.version),
            EntryData::OfferMade(data) | EntryData::OfferChanged(data) => {
                self.offer = Some((data.offer, OfferStatus::Standing, data.version));
                self.pending = self.pending.filter(|pending| *pending != data.version);
            }
            EntryData::OfferWithdrawn(_) => self.offer_is(OfferStatus::Withdrawn),
            EntryData::OfferDeclined(_) => self.offer_is(OfferStatus::Declined),
            EntryData::OfferExpired(_) => self.offer_is(OfferStatus::Expired),
            EntryData::OfferAccepted(_) => self.offer_is(OfferStatus::Accepted),
            EntryData::ContractFormed(_) => self.offer_is(OfferStatus::Withdrawn),
            EntryData::ContractSealed(data) => {
                self.contract = Some((data.seal.contract, data.seal.version, false));
                (self.standing, self.pending) = (Some(data.seal.version), None);
            }
            EntryData::ContractEnded(_) => {
                self.contract = self.contract.take().map(|(id, version, _)| (id, version, true));
            }
            EntryData::PhaseChanged(data) => self.enter(data.phase),
            EntryData::MemberAdded(data) => drop(self.members.insert(data.user, data.side)),
            EntryData::MemberRemoved(data) => drop(self.members.remove(&data.user)),
            EntryData::MessagePosted(_)
            | EntryData::MessageEdited(_)
            | EntryData::MessageRedacted(_)
            | EntryData::InvitationSent(_)
            | EntryData::ProposalSubmitted(_)
            | EntryData::OfferChangeRequested(_) => {}
        }
    }

    /// An offer that stood is over.
    fn offer_is(&mut self, now: OfferStatus) {
        if let Some((_, status, _)) =
            self.offer.as_mut().filter(|(_, status, _)| *status == OfferStatus::Standing)
        {
            *status = now;
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        if !matches!(phase, Phase::Active | Phase::Offered | Phase::Hired) {
            self.pending = None;
            self.offer_is(OfferStatus::Withdrawn);
        }
    }
}
