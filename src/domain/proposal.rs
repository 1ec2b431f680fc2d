//! Proposals: a freelancer's answer to a job. The client speaks first: its answer opens the room.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::entry::{EntryData, NoticeKind, ProposalSubmitted};
use anteroom_protocol::id::{ClientId, ProposalId, UserId};
use anteroom_protocol::terms::Terms;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::candidacy::{BOTH, Case, Context, Decision, phase_changed};
use crate::domain::invitation::{self, FirstWords};
use crate::domain::log::{Event, What};
use crate::domain::message::Body;
use crate::domain::refusal::Refusal;
use crate::domain::terms;

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// The letter, never changed; an accepted invitation may have none.
    pub cover_letter: Option<String>,
    /// When it was submitted.
    pub submitted_at: Time,
}

impl Proposal {
    /// The event that tells the letter to the room, if there is a letter.
    pub fn submitted(&self, by: &UserId, client_id: Option<ClientId>) -> Option<Event> {
        let data = ProposalSubmitted {
            proposal: self.id,
            cover_letter: self.cover_letter.clone()?,
            submitted_at: self.submitted_at,
        };
        let what = What::Room(EntryData::ProposalSubmitted(data));
        Some(Event { by: Some(by.clone()), client_id, what })
    }
}

/// `proposal.submit`. To a job one is invited to, this is the acceptance.
pub fn submit(case: Case, context: &Context, letter: &Body, asked: Terms) -> Result<Decision, Refusal> {
    if case.client.user == case.freelancer.user {
        return Err(Refusal::Invalid("job: nobody proposes to one's own job".into()));
    }
    if case.candidacy.is_none() {
        // Before anything else: whoever has no part in a job that takes nobody does not learn that it exists.
        case.job_must_be_open()?;
    }
    case.must_be(Side::Freelancer, &context.actor)?;
    if matches!(case.phase_for(Side::Freelancer), Some(Phase::Invited | Phase::Archived)) {
        let words = FirstWords::CoverLetter(letter.clone());
        return invitation::accept(case, context, &words, Some(asked));
    }
    case.must_not_be_open()?;
    case.job_must_be_open()?;
    terms::check(&asked)?;
    let mut case = case.begun(context.ids.candidacy, Phase::Submitted, context.now);
    case.terms.push(terms::Version::next(&[], Side::Freelancer, asked, context.now));
    case.proposal = Some(Proposal {
        id: context.ids.proposal,
        cover_letter: Some(letter.as_str().to_owned()),
        submitted_at: context.now,
    });
    Ok(Decision {
        room: Vec::new(),
        inboxes: case.notices(NoticeKind::ProposalSubmitted, context, &BOTH),
        case,
    })
}

/// `proposal.answer`: the client's first word opens the room.
pub fn answer(case: Case, context: &Context, message: &Body) -> Result<Decision, Refusal> {
    if case.side_of(&context.actor)? == Side::Freelancer {
        return Err(Refusal::ClientFirst);
    }
    case.must_be(Side::Client, &context.actor)?;
    case.must_be_in(&[Phase::Submitted], Side::Client)?;
    case.job.must_be_open()?;
    let (client, freelancer) = (case.author(&context.actor), case.freelancer.user.clone());
    let mut room = Vec::new();
    room.extend(case.proposal.as_ref().and_then(|proposal| proposal.submitted(&freelancer, None)));
    room.extend(case.terms.iter().map(|version| version.proposed(&freelancer)));
    room.push(phase_changed(&client, None, Phase::Active));
    room.push(message.posted(&client, context.client_id));
    let case = case.activated(context.ids.room, context.now);
    Ok(Decision { room, inboxes: case.notices(NoticeKind::ProposalAnswered, context, &BOTH), case })
}

/// `proposal.decline` by the client, `proposal.withdraw` by the freelancer: before it was answered.
pub fn end(case: Case, context: &Context, side: Side) -> Result<Decision, Refusal> {
    case.must_be(side, &context.actor)?;
    case.must_be_in(&[Phase::Submitted], side)?;
    let (phase, kind) = match side {
        Side::Client => (Phase::Declined, NoticeKind::ProposalDeclined),
        Side::Freelancer => (Phase::Withdrawn, NoticeKind::ProposalWithdrawn),
    };
    let case = case.moved(phase, context.now);
    Ok(Decision { room: Vec::new(), inboxes: case.notices(kind, context, &BOTH), case })
}
