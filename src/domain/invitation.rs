//! Invitations to interview: sent by the client; accepted, declined or ignored by the freelancer; withdrawn by the client.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::entry::{AcceptedTerms, EntryData, InvitationAccepted, InvitationSent, NoticeKind};
use anteroom_protocol::id::{InvitationId, UserId};
use anteroom_protocol::invitation::{DeclineReason, InvitationStatus};
use anteroom_protocol::limits;
use anteroom_protocol::terms::Terms;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::actor::Scope;
use crate::domain::candidacy::{BOTH, Case, Context, Decision, Told, phase_changed};
use crate::domain::ledger::{How, Row};
use crate::domain::log::Event;
use crate::domain::message::Body;
use crate::domain::policy::SECONDS_PER_DAY;
use crate::domain::proposal::Proposal;
use crate::domain::refusal::Refusal;
use crate::domain::terms::Asked;
use crate::domain::{report, terms, text};

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Where it stands.
    pub status: InvitationStatus,
    /// The client's words.
    pub message: String,
    /// When it was sent.
    pub sent_at: Time,
    /// From when on it can no longer be answered.
    pub expires_at: Time,
    /// When it was accepted, declined or withdrawn.
    pub answered_at: Option<Time>,
    /// Why it was declined.
    pub reason: Option<DeclineReason>,
    /// The reason in words.
    pub reason_text: Option<String>,
    /// The freelancer's words with a decline.
    pub decline_message: Option<String>,
}

impl Invitation {
    /// Where it stands at this moment, in the eyes of one side. Expiry shows as soon as it is due.
    pub fn status_for(status: InvitationStatus, expires_at: Time, side: Side, now: Time) -> InvitationStatus {
        let waiting = matches!(status, InvitationStatus::Pending | InvitationStatus::Archived);
        if waiting && now >= expires_at {
            InvitationStatus::Expired
        } else if waiting && side == Side::Client {
            InvitationStatus::Pending
        } else {
            status
        }
    }

    fn answered(self, status: InvitationStatus, now: Time) -> Self {
        Self { status, answered_at: Some(now), ..self }
    }

    /// The same, waiting for its answer again, for as long as a new one.
    pub(super) fn sent_again(self, context: &Context) -> Self {
        Self {
            status: InvitationStatus::Pending,
            expires_at: context.now.plus_seconds(i64::from(context.policy.invitation_days) * SECONDS_PER_DAY),
            answered_at: None,
            reason: None,
            reason_text: None,
            decline_message: None,
            ..self
        }
    }

    fn sent(&self, by: &UserId) -> Event {
        let data =
            InvitationSent { invitation: self.id, message: self.message.clone(), sent_at: self.sent_at };
        Event::room(Some(by.clone()), None, EntryData::InvitationSent(data))
    }
}

/// `invitation.send`.
pub fn send(
    case: Case,
    context: &Context,
    message: &Body,
    suggested: Option<Terms>,
) -> Result<Decision, Refusal> {
    // Whoever is not the job's client, not even its invitee, has no business here and learns nothing of the job.
    let side = case.side_of(&context.actor)?;
    if case.client.user == case.freelancer.user {
        return Err(Refusal::Invalid("freelancer: nobody invites oneself".into()));
    }
    if side != Side::Client {
        return Err(Refusal::NotFound);
    }
    case.client.standing.may_write()?;
    case.must_not_be_open()?;
    case.job.must_be_open()?;
    let mut case = case.begun(context.ids.candidacy, Phase::Invited, context.now);
    if let Some(suggested) = suggested {
        terms::check(&suggested, case.fees.as_ref())?;
        // It waits as long as the invitation does.
        case = case.with_version(Side::Client, suggested, context.now, None, None).0;
        case.pending = Some(1);
    }
    let expires_at = context.now.plus_seconds(i64::from(context.policy.invitation_days) * SECONDS_PER_DAY);
    case.ledger = Some(Row::started(Side::Freelancer, context.now, expires_at));
    case.invitation = Some(Invitation {
        id: context.ids.invitation,
        status: InvitationStatus::Pending,
        message: message.as_str().to_owned(),
        sent_at: context.now,
        expires_at,
        answered_at: None,
        reason: None,
        reason_text: None,
        decline_message: None,
    });
    // The marketplace sends it on the client's behalf.
    let told = Told { by: Some(case.author(&context.actor)), client_id: Some(context.client_id) };
    let inboxes = case.notices(NoticeKind::InvitationSent, &told, &BOTH);
    Ok(Decision::new(Vec::new(), inboxes, case))
}

/// How an invitation is accepted: with a message, or with a cover letter, which is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstWords {
    /// By `invitation.accept`.
    Message(Body),
    /// By `proposal.submit` on a job one is invited to.
    CoverLetter(Body),
}

/// `invitation.accept`: opens the room.
pub fn accept(
    case: Case,
    context: &Context,
    words: &FirstWords,
    new: Option<Asked>,
) -> Result<Decision, Refusal> {
    case.must_be(Side::Freelancer, &context.actor)?;
    case.must_not_have_closed_with_its_job()?;
    let (case, invitation) = waiting(case, context, Side::Freelancer)?;
    case.job.must_be_open()?;
    let freelancer = case.freelancer.user.clone();
    let mut room = vec![invitation.sent(&case.client.user)];
    room.extend(case.terms_so_far());
    let on = match (&new, case.terms.is_empty()) {
        (Some(_), _) => AcceptedTerms::New,
        (None, false) => AcceptedTerms::AsSuggested,
        (None, true) => AcceptedTerms::None,
    };
    room.push(accepted(&freelancer, invitation.id, on));

    let case = case.clock_stopped(How::Accepted, context.now);
    let mut case = case.activated(context.ids.room, context.now);
    case.standing = case.pending.take();
    let proposal = Proposal {
        id: context.ids.proposal,
        cover_letter: match words {
            FirstWords::Message(_) => None,
            FirstWords::CoverLetter(letter) => Some(letter.as_str().to_owned()),
        },
        submitted_at: context.now,
    };
    let letter = proposal.submitted(&freelancer, Some(context.client_id));
    if let Some(new) = new {
        let new = new.charged(case.fees.as_ref())?;
        let (with_terms, event) =
            case.with_version(Side::Freelancer, new, context.now, None, Some(freelancer.clone()));
        case = with_terms;
        case.standing = case.terms.last().map(|version| version.version);
        room.push(event);
    }
    room.push(phase_changed(&freelancer, None, Phase::Active));
    match (words, letter) {
        (FirstWords::Message(message), _) => room.push(message.posted(&freelancer, context.client_id)),
        (FirstWords::CoverLetter(_), letter) => room.extend(letter),
    }
    case.proposal = Some(proposal);
    case.invitation = Some(invitation.answered(InvitationStatus::Accepted, context.now));
    let told = context.told();
    Ok(Decision::new(room, case.notices(NoticeKind::InvitationAccepted, &told, &BOTH), case))
}

fn accepted(by: &UserId, invitation: InvitationId, terms: AcceptedTerms) -> Event {
    let data = EntryData::InvitationAccepted(InvitationAccepted { invitation, terms });
    Event::room(Some(by.clone()), None, data)
}

/// Why an invitation is declined, and what is said to the client with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The reason.
    pub reason: DeclineReason,
    /// The reason in words.
    pub reason_text: Option<String>,
    /// Words to the client.
    pub message: Option<Body>,
}

/// `invitation.decline`.
pub fn decline(case: Case, context: &Context, why: &Why) -> Result<Decision, Refusal> {
    let (case, mut invitation) = waiting(case, context, Side::Freelancer)?;
    match (&why.reason_text, why.reason) {
        (Some(words), DeclineReason::Other) => text::prose("reason_text", words, limits::REASON_BYTES)?,
        (None, DeclineReason::Other) => {
            return Err(Refusal::Invalid("reason_text: `other` needs the reason in words".into()));
        }
        (Some(_), _) => {
            return Err(Refusal::Invalid("reason_text: only `other` takes words".into()));
        }
        (None, _) => {}
    }
    invitation.reason = Some(why.reason);
    invitation.reason_text.clone_from(&why.reason_text);
    invitation.decline_message = why.message.as_ref().map(|message| message.as_str().to_owned());
    let case = case.clock_stopped(How::Declined, context.now);
    let mut case = case.ended(Phase::Declined, Some(Side::Freelancer), context.now);
    case.invitation = Some(invitation.answered(InvitationStatus::Declined, context.now));
    let reports = report::with_decline(&case, context, why.reason);
    Ok(Decision { reports, ..quiet(case, context, NoticeKind::InvitationDeclined, &BOTH) })
}

/// `invitation.archive`: not a response. Only the freelancer's own devices are told.
pub fn archive(case: Case, context: &Context) -> Result<Decision, Refusal> {
    let (case, invitation) = waiting(case, context, Side::Freelancer)?;
    case.must_be_in(&[Phase::Invited], Side::Freelancer)?;
    // The time of the last change stays what it was: a client who saw another one would know.
    let unmoved = case.candidacy.as_ref().map_or(context.now, |candidacy| candidacy.updated_at);
    let mut case = case.moved(Phase::Archived, unmoved);
    case.invitation = Some(Invitation { status: InvitationStatus::Archived, ..invitation });
    Ok(quiet(case, context, NoticeKind::InvitationArchived, &[Side::Freelancer]))
}

/// `invitation.withdraw`: possible as long as it waits for its answer.
pub fn withdraw(case: Case, context: &Context) -> Result<Decision, Refusal> {
    let (case, invitation) = waiting(case, context, Side::Client)?;
    let mut case = case.ended(Phase::Withdrawn, Some(Side::Client), context.now);
    case.invitation = Some(invitation.answered(InvitationStatus::Withdrawn, context.now));
    case.ledger = case.ledger.map(|row| row.withdrawn(context.now, &context.policy));
    Ok(quiet(case, context, NoticeKind::InvitationWithdrawn, &BOTH))
}

/// `invitation.remove`, by the marketplace alone: nobody reads its text any more. One that was not answered ends with that; of one that
/// was, or that is over, only the text goes. Once there is a room, its log has the text.
pub fn remove(case: Case, context: &Context) -> Result<Decision, Refusal> {
    if context.actor.scope != Scope::Service {
        return Err(Refusal::Forbidden);
    }
    let candidacy = case.candidacy.as_ref().ok_or(Refusal::NotFound)?;
    let removed = case.invitation.as_ref().is_none_or(|it| it.status == InvitationStatus::Removed);
    if removed || candidacy.room.is_some() {
        return Err(Refusal::WrongPhase(candidacy.phase));
    }
    let waits = matches!(candidacy.phase, Phase::Invited | Phase::Archived);
    let mut case = if waits { case.ended(Phase::Closed, None, context.now) } else { case };
    case.ledger = case.ledger.map(|row| row.removed(context.now));
    case.invitation = case.invitation.map(|invitation| match waits {
        true => invitation.answered(InvitationStatus::Removed, context.now),
        false => Invitation { status: InvitationStatus::Removed, ..invitation },
    });
    Ok(quiet(case, context, NoticeKind::InvitationRemoved, &BOTH))
}

/// A decision that no room is told of.
pub(super) fn quiet(case: Case, context: &Context, kind: NoticeKind, sides: &[Side]) -> Decision {
    let told = context.told();
    Decision::new(Vec::new(), case.notices(kind, &told, sides), case)
}

/// The invitation that still waits for its answer. One whose time is over has expired before this is asked.
fn waiting(mut case: Case, context: &Context, side: Side) -> Result<(Case, Invitation), Refusal> {
    case.must_be(side, &context.actor)?;
    if case.invitation.as_ref().is_some_and(|invitation| invitation.status == InvitationStatus::Expired) {
        return Err(Refusal::InvitationExpired);
    }
    case.must_be_in(&[Phase::Invited, Phase::Archived], side)?;
    let invitation = case.invitation.take().ok_or(Refusal::NotFound)?;
    Ok((case, invitation))
}
