//! How a candidacy ends by the word of one side, how that is taken back, and how its client sorts it.

use anteroom_protocol::candidacy::{ClientMark, Phase};
use anteroom_protocol::entry::{EntryData, NoticeKind, PhaseChanged};
use anteroom_protocol::invitation::InvitationStatus;
use anteroom_protocol::user::Side;

use super::{BOTH, Case, Context, Decision, phase_changed};
use crate::domain::actor::Scope;
use crate::domain::log::Event;
use crate::domain::proposal;
use crate::domain::refusal::Refusal;

/// `candidacy.decline` and `candidacy.withdraw`: one side ends an active candidacy.
pub fn end(case: Case, context: &Context, side: Side) -> Result<Decision, Refusal> {
    case.must_be(side, &context.actor)?;
    case.must_be_in(&[Phase::Active, Phase::Offered], side)?;
    let phase = match side {
        Side::Client => Phase::Declined,
        Side::Freelancer => Phase::Withdrawn,
    };
    let case = case.ended(phase, Some(side), context.now);
    let by = case.author(&context.actor);
    let told = context.told();
    Ok(Decision::new(
        vec![phase_changed(&by, Some(context.client_id), phase)],
        case.notices(NoticeKind::PhaseChanged, &told, &BOTH),
        case,
    ))
}

/// `candidacy.reopen`: by the side that ended it, or, of what nobody's command ended, by the marketplace; while the job is open.
pub fn reopen(case: Case, context: &Context) -> Result<Decision, Refusal> {
    let side = case.side_of(&context.actor)?;
    let by_the_marketplace = context.actor.scope == Scope::Service;
    if !by_the_marketplace {
        case.must_be(side, &context.actor)?;
    }
    case.must_be_in(&[Phase::Declined, Phase::Withdrawn, Phase::Expired, Phase::Closed], side)?;
    let ended = case.candidacy.as_ref().and_then(|candidacy| candidacy.ended).ok_or(Refusal::WrongSide)?;
    // What the marketplace has removed is not shown again by anybody else.
    let removed = case.invitation.as_ref().is_some_and(|it| it.status == InvitationStatus::Removed);
    if ended.by != (!by_the_marketplace).then_some(side) || (removed && !by_the_marketplace) {
        return Err(Refusal::WrongSide);
    }
    if case.contract.is_some() {
        return Err(Refusal::WrongPhase(Phase::Closed));
    }
    case.job.must_be_open()?;
    if case.another_is_open {
        return Err(Refusal::CandidacyExists);
    }
    let phase = match ended.from {
        Phase::Invited | Phase::Archived => Phase::Invited,
        Phase::Submitted => Phase::Submitted,
        // Nothing else is ended but these: an offer that stood does not come back.
        Phase::Active
        | Phase::Offered
        | Phase::Hired
        | Phase::Declined
        | Phase::Withdrawn
        | Phase::Expired
        | Phase::Closed => Phase::Active,
    };
    let mut case = case.moved(phase, context.now);
    if let Some(candidacy) = &mut case.candidacy {
        candidacy.ended = None;
    }
    if phase == Phase::Invited {
        case.pending = case.terms.first().map(|version| version.version);
        case.invitation = case.invitation.map(|invitation| invitation.sent_again(context));
    }
    let until = case.invitation.as_ref().filter(|_| phase == Phase::Invited).map(|it| it.expires_at);
    let until = until.or_else(|| (phase == Phase::Submitted).then(|| proposal::answer_until(context)));
    if let Some(until) = until {
        case.ledger = case.ledger.map(|row| row.asked_again(context.now, until));
    }
    let told = context.told();
    let has_room = case.candidacy.as_ref().is_some_and(|candidacy| candidacy.room.is_some());
    let data = EntryData::PhaseChanged(PhaseChanged { phase });
    let room = if has_room { vec![Event::room(told.by.clone(), told.client_id, data)] } else { Vec::new() };
    let inboxes = case.notices(NoticeKind::PhaseChanged, &told, &BOTH);
    Ok(Decision::new(room, inboxes, case))
}

/// One of `candidacies.decline`: a proposal is turned down before its answer, a candidacy after it.
pub fn turn_down(case: Case, context: &Context) -> Result<Decision, Refusal> {
    if case.phase_for(Side::Client) == Some(Phase::Submitted) {
        proposal::end(case, context, Side::Client)
    } else {
        end(case, context, Side::Client)
    }
}

/// One of `candidacies.mark`, and `proposal.archive`: told to nobody.
pub fn sort(mut case: Case, context: &Context, mark: Option<ClientMark>) -> Result<Decision, Refusal> {
    case.must_be(Side::Client, &context.actor)?;
    case.candidacy.as_mut().ok_or(Refusal::NotFound)?.mark = mark;
    Ok(Decision::new(Vec::new(), Vec::new(), case))
}
