//! Proposals: a freelancer's answer to a job. The client speaks first: its answer opens the room.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::entry::{EntryData, NoticeKind, ProposalSubmitted};
use anteroom_protocol::id::{ClientId, ProposalId, UserId};
use anteroom_protocol::terms::{Amounts, Terms};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::candidacy::{BOTH, Case, Context, Decision, phase_changed};
use crate::domain::invitation::{self, FirstWords};
use crate::domain::ledger::{How, Row};
use crate::domain::log::Event;
use crate::domain::message::Body;
use crate::domain::offer::{self, Named};
use crate::domain::policy::SECONDS_PER_DAY;
use crate::domain::refusal::Refusal;
use crate::domain::terms::{self, Asked};

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
        Some(Event::room(Some(by.clone()), client_id, EntryData::ProposalSubmitted(data)))
    }
}

/// `proposal.submit`. To a job one is invited to, this is the acceptance.
pub fn submit(case: Case, context: &Context, letter: &Body, asked: Asked) -> Result<Decision, Refusal> {
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
    let terms = asked.charged(case.fees_now.as_ref())?;
    let case = case.begun(context.ids.candidacy, Phase::Submitted, context.now);
    let (mut case, _) = case.with_version(Side::Freelancer, terms, context.now, None, None);
    case.standing = Some(1);
    case.proposal = Some(Proposal {
        id: context.ids.proposal,
        cover_letter: Some(letter.as_str().to_owned()),
        submitted_at: context.now,
    });
    case.ledger = Some(Row::started(Side::Client, context.now, answer_until(context)));
    Ok(invitation::quiet(case, context, NoticeKind::ProposalSubmitted, &BOTH))
}

/// Until when an answer to what is asked now counts as one.
pub(super) fn answer_until(context: &Context) -> Time {
    context.now.plus_seconds(i64::from(context.policy.proposal_answer_days) * SECONDS_PER_DAY)
}

/// What a client answers a proposal with: at least one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// A message.
    pub message: Option<Body>,
    /// A counter-proposal, and the newest version that was seen.
    pub terms: Option<(Terms, u32)>,
    /// An offer.
    pub offer: Option<Named>,
}

/// `proposal.answer`: the client's first word opens the room.
pub fn answer(case: Case, context: &Context, words: &Words) -> Result<Decision, Refusal> {
    if case.side_of(&context.actor)? == Side::Freelancer {
        return Err(Refusal::ClientFirst);
    }
    case.must_be(Side::Client, &context.actor)?;
    case.must_be_open_in(&[Phase::Submitted], Side::Client)?;
    if words.message.is_none() && words.terms.is_none() && words.offer.is_none() {
        return Err(Refusal::Invalid("message: an answer is a message, terms or an offer".into()));
    }
    if words.terms.is_some() && words.offer.is_some() {
        return Err(Refusal::Invalid("offer: either other terms or an offer of these".into()));
    }
    let (client, freelancer) = (case.author(&context.actor), case.freelancer.user.clone());
    let mut room = Vec::new();
    room.extend(case.proposal.as_ref().and_then(|proposal| proposal.submitted(&freelancer, None)));
    room.extend(case.terms_so_far());
    room.push(phase_changed(&client, None, Phase::Active));
    let case = case.clock_stopped(How::Answered, context.now);
    let mut case = case.activated(context.ids.room, context.now);
    let mut said = Vec::new();
    said.extend(words.message.as_ref().map(|message| message.posted(&client, context.client_id)));
    if let Some((terms, expected)) = words.terms.clone() {
        let asked = Asked { terms, amounts: Amounts::Charged };
        let (with_terms, event) = terms::propose_as(case, context, Side::Client, asked, expected)?;
        case = with_terms;
        said.push(event);
    }
    if let Some(named) = words.offer {
        let (offered, data) = offer::made(case, context, named)?;
        case = offered.moved(Phase::Offered, context.now);
        said.push(Event::room(Some(client.clone()), Some(context.client_id), EntryData::OfferMade(data)));
        said.push(phase_changed(&client, None, Phase::Offered));
    }
    // The first of them stands for the command.
    for event in said.iter_mut().skip(1) {
        event.client_id = None;
    }
    room.append(&mut said);
    let told = context.told();
    let about = case.offer.as_ref().map(|offer| offer.version).or(case.pending);
    let about = about.and_then(|version| case.version(version));
    Ok(Decision::new(room, case.notices_about(NoticeKind::ProposalAnswered, &told, &BOTH, about), case))
}

/// `proposal.decline` by the client, `proposal.withdraw` by the freelancer: before it was answered.
pub fn end(case: Case, context: &Context, side: Side) -> Result<Decision, Refusal> {
    case.must_be(side, &context.actor)?;
    case.must_be_in(&[Phase::Submitted], side)?;
    let (phase, kind) = match side {
        Side::Client => (Phase::Declined, NoticeKind::ProposalDeclined),
        Side::Freelancer => (Phase::Withdrawn, NoticeKind::ProposalWithdrawn),
    };
    let mut case = case.ended(phase, Some(side), context.now);
    case.ledger = case.ledger.map(|row| match side {
        Side::Client => row.stop(How::Declined, context.now),
        Side::Freelancer => row.withdrawn(context.now, &context.policy),
    });
    Ok(invitation::quiet(case, context, kind, &BOTH))
}
