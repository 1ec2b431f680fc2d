//! Offers: what the client binds itself to until it is taken, declined, taken back, or its time is over.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::entry::{EntryData, NoticeKind};
use anteroom_protocol::id::OfferId;
use anteroom_protocol::limits;
use anteroom_protocol::log::Hash;
use anteroom_protocol::offer::{OfferAccepted, OfferChangeRequested, OfferEnded, OfferMade, OfferStatus};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::candidacy::{BOTH, Case, Context, Decision, phase_changed};
use crate::domain::contract;
use crate::domain::log::Event;
use crate::domain::message::Body;
use crate::domain::policy::SECONDS_PER_DAY;
use crate::domain::refusal::Refusal;
use crate::domain::terms::{self, Asked};
use crate::domain::text;

const SECONDS_PER_HOUR: i64 = 60 * 60;

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// Where it stands.
    pub status: OfferStatus,
    /// The version of the terms it names.
    pub version: u32,
    /// When it was made.
    pub made_at: Time,
    /// When it was last changed; at first, when it was made.
    pub changed_at: Time,
    /// From when on it can no longer be accepted.
    pub expires_at: Time,
    /// When changes of it were last asked for, at most as many as policy allows within an hour.
    pub requests: Vec<Time>,
    /// Whether a change was asked for since it is as it is.
    pub asked: bool,
}

/// Which version a client means, by content too, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Which version.
    pub version: u32,
    /// Its content hash.
    pub hash: Hash,
    /// Until when the client wants to be bound.
    pub expires_at: Option<Time>,
}

impl Case {
    /// The offer of this id, if it can still be answered. One before the latest cannot.
    fn standing_offer(&self, id: OfferId) -> Result<&Offer, Refusal> {
        match &self.offer {
            Some(offer) if offer.id != id => Err(Refusal::OfferNotStanding),
            Some(offer) if offer.status == OfferStatus::Standing => Ok(offer),
            Some(offer) if offer.status == OfferStatus::Expired => Err(Refusal::OfferExpired),
            Some(_) => Err(Refusal::OfferNotStanding),
            None => Err(Refusal::NotFound),
        }
    }

    /// This case with its offer ended so.
    #[must_use]
    pub fn offer_ended(mut self, status: OfferStatus) -> Self {
        if let Some(offer) = self.offer.as_mut().filter(|offer| offer.status == OfferStatus::Standing) {
            offer.status = status;
        }
        self
    }

    /// The version that may be offered: the standing one, the client's own counter-proposal, or the one that is offered already.
    fn offerable(&self, named: Named) -> Result<(), Refusal> {
        let offered = self.offer.as_ref().filter(|offer| offer.status == OfferStatus::Standing);
        let candidates = [self.standing, self.pending, offered.map(|offer| offer.version)];
        let newest = self.terms.last().map(|newest| (newest.version, newest.hash));
        let version =
            self.version(named.version).filter(|version| candidates.contains(&Some(version.version)));
        match version {
            Some(version) if version.hash == named.hash => Ok(()),
            // Nobody has missed anything: it was answered, or it is over.
            None if newest == Some((named.version, named.hash)) => Err(Refusal::TermsNotPending),
            Some(_) | None => Err(self.stale()),
        }
    }
}

/// `offer.make`.
pub fn make(case: Case, context: &Context, named: Named) -> Result<Decision, Refusal> {
    case.must_be(Side::Client, &context.actor)?;
    case.must_be_open_in(&[Phase::Active], Side::Client)?;
    let by = case.author(&context.actor);
    let (case, data) = made(case, context, named)?;
    let case = case.moved(Phase::Offered, context.now);
    let told = context.told();
    let room = vec![
        Event::room(Some(by.clone()), Some(context.client_id), EntryData::OfferMade(data)),
        phase_changed(&by, None, Phase::Offered),
    ];
    Ok(Decision::new(room, case.notices_of_offer(NoticeKind::OfferMade, &told), case))
}

/// The case with a new offer, and what is told of it. Shared with the answer to a proposal that is an offer.
pub(super) fn made(mut case: Case, context: &Context, named: Named) -> Result<(Case, OfferMade), Refusal> {
    case.offerable(named)?;
    let expires_at = expiry(context, named.expires_at)?;
    case.offer = Some(Offer {
        id: context.ids.offer,
        status: OfferStatus::Standing,
        version: named.version,
        made_at: context.now,
        changed_at: context.now,
        expires_at,
        requests: Vec::new(),
        asked: false,
    });
    let case = case.without_pending(named.version);
    let data = OfferMade { offer: context.ids.offer, version: named.version, hash: named.hash, expires_at };
    Ok((case, data))
}

/// `offer.change`.
pub fn change(mut case: Case, context: &Context, id: OfferId, named: Named) -> Result<Decision, Refusal> {
    case.must_be(Side::Client, &context.actor)?;
    case.must_not_have_closed_with_its_job()?;
    let mut offer = case.standing_offer(id)?.clone();
    case.must_be_open_in(&[Phase::Offered], Side::Client)?;
    case.offerable(named)?;
    offer.expires_at = expiry(context, named.expires_at)?;
    offer.version = named.version;
    offer.changed_at = context.now;
    offer.asked = false;
    let data =
        OfferMade { offer: offer.id, version: named.version, hash: named.hash, expires_at: offer.expires_at };
    case.offer = Some(offer);
    let case = case.without_pending(named.version);
    let told = context.told();
    let event = Event::room(told.by.clone(), told.client_id, EntryData::OfferChanged(data));
    Ok(Decision::new(vec![event], case.notices_of_offer(NoticeKind::OfferChanged, &told), case))
}

fn expiry(context: &Context, asked: Option<Time>) -> Result<Time, Refusal> {
    let latest = context.now.plus_seconds(i64::from(context.policy.offer_days) * SECONDS_PER_DAY);
    match asked {
        None => Ok(latest),
        Some(asked) if asked > context.now && asked <= latest => Ok(asked),
        Some(_) => Err(Refusal::Invalid(format!(
            "expires_at: must be in the future, within {} days",
            context.policy.offer_days
        ))),
    }
}

/// `offer.request_change`: the offer stands on.
pub fn request_change(
    mut case: Case,
    context: &Context,
    (id, message): (OfferId, &Body),
    asked: Option<(Asked, u32)>,
) -> Result<Decision, Refusal> {
    case.must_be(Side::Freelancer, &context.actor)?;
    let mut offer = case.standing_offer(id)?.clone();
    case.must_be_in(&[Phase::Offered], Side::Freelancer)?;
    let policy = &context.policy;
    if context.now > offer.made_at.plus_seconds(i64::from(policy.change_request_days) * SECONDS_PER_DAY) {
        return Err(Refusal::ChangeRequestsOver);
    }
    offer.requests.retain(|at| context.now < at.plus_seconds(SECONDS_PER_HOUR));
    if offer.requests.len() >= usize::from(policy.change_requests_per_hour) {
        let free = offer.requests.first().map_or(context.now, |first| first.plus_seconds(SECONDS_PER_HOUR));
        return Err(Refusal::ChangeRequestLimit { wait_ms: free.millis_after(context.now) });
    }
    offer.requests.push(context.now);
    offer.asked = true;
    let mut room = Vec::new();
    case.offer = Some(offer);
    let told = context.told();
    let mut version = None;
    if let Some((asked, expected)) = asked {
        let (with_terms, event) = terms::propose_as(case, context, Side::Freelancer, asked, expected)?;
        case = with_terms;
        version = case.standing;
        room.push(Event { client_id: None, ..event });
    }
    let data = OfferChangeRequested { offer: id, message: message.as_str().to_owned(), version };
    room.push(Event::room(told.by.clone(), told.client_id, EntryData::OfferChangeRequested(data)));
    let about = version.and_then(|version| case.version(version)).cloned();
    let inboxes = case.notices_about(NoticeKind::OfferChangeRequested, &told, &BOTH, about.as_ref());
    Ok(Decision::new(room, inboxes, case))
}

/// `offer.withdraw` by the client, `offer.decline` by the freelancer: the talk goes on without it.
pub fn end(
    case: Case,
    context: &Context,
    (id, side): (OfferId, Side),
    reason: Option<String>,
) -> Result<Decision, Refusal> {
    case.must_be(side, &context.actor)?;
    let offer = case.standing_offer(id)?.id;
    case.must_be_in(&[Phase::Offered], side)?;
    if let Some(reason) = &reason {
        text::prose("reason", reason, limits::REASON_BYTES)?;
    }
    let data = OfferEnded { offer, reason };
    let (status, kind, data) = match side {
        Side::Client => (OfferStatus::Withdrawn, NoticeKind::OfferWithdrawn, EntryData::OfferWithdrawn(data)),
        Side::Freelancer => {
            (OfferStatus::Declined, NoticeKind::OfferDeclined, EntryData::OfferDeclined(data))
        }
    };
    let case = case.offer_ended(status).moved(Phase::Active, context.now);
    let by = case.author(&context.actor);
    let room = vec![
        Event::room(Some(by.clone()), Some(context.client_id), data),
        phase_changed(&by, None, Phase::Active),
    ];
    let told = context.told();
    Ok(Decision::new(room, case.notices_of_offer(kind, &told), case))
}

/// `offer.accept`: nobody accepts anything but what they saw. Forms the contract.
pub fn accept(
    case: Case,
    context: &Context,
    id: OfferId,
    (version, hash): (u32, Hash),
) -> Result<Decision, Refusal> {
    case.must_be(Side::Freelancer, &context.actor)?;
    case.must_not_have_closed_with_its_job()?;
    let offer = case.standing_offer(id)?.clone();
    case.must_be_open_in(&[Phase::Offered], Side::Freelancer)?;
    let offered = case.version(offer.version).ok_or(Refusal::NotFound)?;
    if (version, hash) != (offered.version, offered.hash) {
        return Err(Refusal::TermsStale { version: offered.version, hash: Some(offered.hash) });
    }
    let case = case.offer_ended(OfferStatus::Accepted);
    let told = context.told();
    let data = EntryData::OfferAccepted(OfferAccepted { offer: offer.id, version, hash });
    let accepted = Event::room(told.by.clone(), told.client_id, data);
    contract::sealed(
        case,
        context,
        (context.ids.contract.clone(), Some(offer.id), version),
        accepted,
        NoticeKind::OfferAccepted,
    )
}
