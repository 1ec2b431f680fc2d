//! What happens by itself when its time comes, and whose turn it is until then.
//!
//! A command finds a case as it is now: what is due by then has happened, whether the scheduler has come to it or not. So nothing
//! depends on when that is, and what is due happens once, because it is due no more afterwards.

use anteroom_protocol::candidacy::{Phase, Turn};
use anteroom_protocol::entry::{EntryData, NoticeKind, PhaseChanged, TermsNamed};
use anteroom_protocol::invitation::InvitationStatus;
use anteroom_protocol::offer::{OfferEnded, OfferStatus};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::candidacy::{BOTH, Case, Decision, Told, is_open};
use crate::domain::ledger::How;
use crate::domain::log::Event;
use crate::domain::refusal::Refusal;

/// When the next thing happens to this case by itself.
pub fn due_at(case: &Case) -> Option<Time> {
    [invitation_due(case), counter_due(case), offer_due(case)].into_iter().flatten().min()
}

fn phase(case: &Case) -> Option<Phase> {
    case.candidacy.as_ref().map(|candidacy| candidacy.phase)
}

fn invitation_due(case: &Case) -> Option<Time> {
    matches!(phase(case), Some(Phase::Invited | Phase::Archived))
        .then_some(case.invitation.as_ref())
        .flatten()
        .map(|invitation| invitation.expires_at)
}

fn counter_due(case: &Case) -> Option<Time> {
    matches!(phase(case), Some(Phase::Active | Phase::Offered))
        .then_some(case.pending)
        .flatten()
        .and_then(|pending| case.version(pending)?.expires_at)
}

fn offer_due(case: &Case) -> Option<Time> {
    let offer = case.offer.as_ref().filter(|offer| offer.status == OfferStatus::Standing)?;
    (phase(case) == Some(Phase::Offered)).then_some(offer.expires_at)
}

/// What has happened to this case by itself until now, and then what a command does to it.
pub fn up_to_date(
    case: Case,
    now: Time,
    decide: impl FnOnce(Case) -> Result<Decision, Refusal>,
) -> Result<Vec<Decision>, Refusal> {
    let settled = settle(case.clone(), now);
    let case = settled.as_ref().map_or(case, |decision| decision.case.clone());
    let decision = decide(case)?;
    Ok(settled.into_iter().chain([decision]).collect())
}

/// What has happened to this case by itself until now; `None`: nothing. The server is the author.
pub fn settle(case: Case, now: Time) -> Option<Decision> {
    let is_due = |at: Option<Time>| at.is_some_and(|at| now >= at);
    if is_due(invitation_due(&case)) {
        return Some(invitation_expired(case, now));
    }
    let (counter, offer) = (is_due(counter_due(&case)), is_due(offer_due(&case)));
    let mut decision = Decision::new(Vec::new(), Vec::new(), case);
    if counter {
        decision = counter_expired(decision);
    }
    if offer {
        decision = offer_expired(decision, now);
    }
    (counter || offer).then_some(decision)
}

fn invitation_expired(case: Case, now: Time) -> Decision {
    let mut case = case.ended(Phase::Expired, None, now);
    if let Some(invitation) = &mut case.invitation {
        // When its time was over, and not when somebody came to it.
        case.ledger = case.ledger.map(|row| row.stop(How::Expired, invitation.expires_at));
        invitation.status = InvitationStatus::Expired;
    }
    let inboxes = case.notices(NoticeKind::InvitationExpired, &Told::BY_THE_SERVER, &BOTH);
    Decision::new(Vec::new(), inboxes, case)
}

fn counter_expired(mut decision: Decision) -> Decision {
    let case = &mut decision.case;
    if let Some(version) = case.pending.take().and_then(|pending| case.version(pending)).cloned() {
        let data = TermsNamed { version: version.version, hash: version.hash };
        decision.room.push(Event::room(None, None, EntryData::TermsExpired(data)));
        let told = Told::BY_THE_SERVER;
        let inboxes = decision.case.notices_about(NoticeKind::TermsExpired, &told, &BOTH, Some(&version));
        decision.inboxes.extend(inboxes);
    }
    decision
}

fn offer_expired(mut decision: Decision, now: Time) -> Decision {
    let id = decision.case.offer.as_ref().map(|offer| offer.id);
    let case = decision.case.offer_ended(OfferStatus::Expired).moved(Phase::Active, now);
    if let Some(offer) = id {
        let data = EntryData::OfferExpired(OfferEnded { offer, reason: None });
        decision.room.push(Event::room(None, None, data));
        let phase = EntryData::PhaseChanged(PhaseChanged { phase: Phase::Active });
        decision.room.push(Event::room(None, None, phase));
    }
    decision.inboxes.extend(case.notices_of_offer(NoticeKind::OfferExpired, &Told::BY_THE_SERVER));
    Decision { case, ..decision }
}

/// The job takes nobody any more: an open candidacy that is no contract ends, and is not told who was hired. `None`: nothing to end.
pub fn close(case: Case, now: Time) -> Option<Decision> {
    let phase = phase(&case).filter(|phase| is_open(*phase) && *phase != Phase::Hired)?;
    let mut case = case.ended(Phase::Closed, None, now).clock_stopped(How::JobClosed, now);
    let unanswered = matches!(phase, Phase::Invited | Phase::Archived);
    if let Some(invitation) = case.invitation.as_mut().filter(|_| unanswered) {
        invitation.status = InvitationStatus::Closed;
        invitation.answered_at = None;
    }
    let data = EntryData::PhaseChanged(PhaseChanged { phase: Phase::Closed });
    let has_room = case.candidacy.as_ref().is_some_and(|candidacy| candidacy.room.is_some());
    let room = if has_room { vec![Event::room(None, None, data)] } else { Vec::new() };
    let inboxes = case.notices(NoticeKind::PhaseChanged, &Told::BY_THE_SERVER, &BOTH);
    Some(Decision::new(room, inboxes, case))
}

/// Whose turn it is.
pub fn turn(case: &Case) -> Option<Turn> {
    let turn = |side, until| Some(Turn { side, until });
    match phase(case)? {
        Phase::Invited | Phase::Archived => turn(Side::Freelancer, invitation_due(case)),
        Phase::Submitted => turn(Side::Client, None),
        Phase::Offered => {
            let offer = case.offer.as_ref()?;
            turn(if offer.asked { Side::Client } else { Side::Freelancer }, Some(offer.expires_at))
        }
        Phase::Active => match (case.pending, case.standing) {
            (Some(_), _) => turn(Side::Freelancer, counter_due(case)),
            (None, Some(_)) => turn(Side::Client, None),
            (None, None) => None,
        },
        Phase::Hired | Phase::Declined | Phase::Withdrawn | Phase::Expired | Phase::Closed => None,
    }
}
