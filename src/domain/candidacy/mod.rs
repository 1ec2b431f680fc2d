//! Candidacies: one freelancer's case on one job. Every rare command is decided on the whole case, read under the candidacy's lock,
//! and answers with the case as it is now, the entries of its room and the notices for its two people.

mod end;
mod notice;

use anteroom_protocol::candidacy::{CaseAnswer, ClientMark, Phase};
use anteroom_protocol::entry::{EntryData, PhaseChanged};
use anteroom_protocol::id::{
    CandidacyId, ClientId, ContractId, InvitationId, OfferId, ProposalId, ReportId, RoomId, RoomRef, UserId,
};
use anteroom_protocol::offer::OfferStatus;
use anteroom_protocol::signature::SigningKey;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::actor::{Actor, Scope};
use crate::domain::contract::Contract;
use crate::domain::fee::Fees;
use crate::domain::invitation::Invitation;
use crate::domain::job::Job;
use crate::domain::ledger;
use crate::domain::log::Event;
use crate::domain::offer::Offer;
use crate::domain::policy::Policy;
use crate::domain::proposal::Proposal;
use crate::domain::refusal::Refusal;
use crate::domain::report::Report;
use crate::domain::room::Member;
use crate::domain::terms;
use crate::domain::user::Party;

pub use self::end::{end, reopen, sort, turn_down};

/// The candidacy itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidacy {
    /// Its id.
    pub id: CandidacyId,
    /// Where it is.
    pub phase: Phase,
    /// Its room, from the activation on.
    pub room: Option<RoomId>,
    /// When the phase last changed.
    pub updated_at: Time,
    /// How it ended, if it has.
    pub ended: Option<Ended>,
    /// How its client has sorted it.
    pub mark: Option<ClientMark>,
}

/// An entry of a case's room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointed {
    /// Its number.
    pub seq: u64,
    /// What it is, in a word.
    pub kind: String,
    /// Who did it; `None`: the server.
    pub by: Option<UserId>,
}

/// How a candidacy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Which side ended it; `None`: the marketplace, time, or the job's end.
    pub by: Option<Side>,
    /// In which phase it was before.
    pub from: Phase,
}

/// Everything one command on a candidacy is decided on. `candidacy` is the latest of this freelancer on this job, if there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The job.
    pub job: Job,
    /// Whose job it is.
    pub client: Party,
    /// The candidate.
    pub freelancer: Party,
    /// The latest candidacy.
    pub candidacy: Option<Candidacy>,
    /// Its invitation.
    pub invitation: Option<Invitation>,
    /// The latest row of the ledger that it has brought about.
    pub ledger: Option<ledger::Row>,
    /// Its proposal.
    pub proposal: Option<Proposal>,
    /// Its terms, by rising version.
    pub terms: Vec<terms::Version>,
    /// The version that stands: what the freelancer asks for.
    pub standing: Option<u32>,
    /// The client's version that waits for the freelancer's answer.
    pub pending: Option<u32>,
    /// Its latest offer.
    pub offer: Option<Offer>,
    /// Its contract.
    pub contract: Option<Contract>,
    /// The people of its room beside the two.
    pub members: Vec<Member>,
    /// Somebody whom the command names, if there is such a person.
    pub named: Option<Party>,
    /// The entry of its room that the command names, if there is one.
    pub pointed: Option<Pointed>,
    /// Whether another candidacy of this freelancer on this job is open.
    pub another_is_open: bool,
    /// What the freelancer's fee is computed by, by the schedule of the candidacy's beginning. `None`: nobody had told of one.
    pub fees: Option<Fees>,
    /// The same for a candidacy that begins now.
    pub fees_now: Option<Fees>,
}

/// Who does it, when, under what, and the ids that new things get.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who acts.
    pub actor: Actor,
    /// The author's id for this intention.
    pub client_id: ClientId,
    /// When.
    pub now: Time,
    /// Under which policy.
    pub policy: Policy,
    /// Ids for what may be born.
    pub ids: FreshIds,
    /// What seals are signed with.
    pub key: SigningKey,
}

impl Context {
    /// Who is named as the author of what this command tells, and under which id. What the marketplace says is nobody's.
    pub fn told(&self) -> Told {
        let by = (self.actor.scope == Scope::User).then(|| self.actor.user.clone());
        Told { by, client_id: Some(self.client_id) }
    }
}

/// Whom a log names as the author of something, and the command it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The author.
    pub by: Option<UserId>,
    /// The command.
    pub client_id: Option<ClientId>,
}

impl Told {
    /// What happens by itself.
    pub const BY_THE_SERVER: Self = Self { by: None, client_id: None };
}

/// Ids drawn before the decision, so that the decision stays pure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the id for the thing of its name")]
pub struct FreshIds {
    pub candidacy: CandidacyId,
    pub invitation: InvitationId,
    pub proposal: ProposalId,
    pub room: RoomId,
    pub offer: OfferId,
    pub contract: ContractId,
    pub report: ReportId,
}

/// What a command does: the case afterwards, and what is told where.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The case as it is now.
    pub case: Case,
    /// What its room is told, in order. A room that does not exist yet begins with these.
    pub room: Vec<Event>,
    /// What each inbox is told.
    pub inboxes: Vec<(UserId, Event)>,
    /// What the marketplace is told.
    pub reports: Vec<Report>,
}

impl Decision {
    /// A decision that the marketplace is told nothing of.
    pub fn new(room: Vec<Event>, inboxes: Vec<(UserId, Event)>, case: Case) -> Self {
        Self { case, room, inboxes, reports: Vec::new() }
    }
}

impl Case {
    /// The side this actor is on. A stranger learns nothing.
    pub fn side_of(&self, actor: &Actor) -> Result<Side, Refusal> {
        if actor.scope == Scope::User && actor.user == self.freelancer.user {
            return Ok(Side::Freelancer);
        }
        let is_client = match actor.scope {
            Scope::User => actor.user == self.client.user,
            // The marketplace's systems act on the client's behalf.
            Scope::Service => true,
            Scope::Staff => false,
        };
        if is_client { Ok(Side::Client) } else { Err(Refusal::NotFound) }
    }

    /// The side that somebody looks from: one of the two, or one of the others in the room.
    pub fn seat_of(&self, actor: &Actor) -> Result<Side, Refusal> {
        let member = self.members.iter().find(|member| member.party.user == actor.user);
        match member.filter(|_| actor.scope == Scope::User) {
            Some(member) => Ok(member.side),
            None => self.side_of(actor),
        }
    }

    /// Refuses everybody who looks from nowhere, and whoever's account may not act.
    pub fn must_have_a_seat(&self, actor: &Actor) -> Result<(), Refusal> {
        let side = self.seat_of(actor)?;
        let member = self.members.iter().find(|member| member.party.user == actor.user);
        member.map_or_else(|| self.party(side), |member| &member.party).standing.may_write()
    }

    /// The person on this side.
    pub fn party(&self, side: Side) -> &Party {
        match side {
            Side::Client => &self.client,
            Side::Freelancer => &self.freelancer,
        }
    }

    /// Refuses everybody but the person on this side, and that person when the account may not act.
    pub fn must_be(&self, side: Side, actor: &Actor) -> Result<(), Refusal> {
        if self.side_of(actor)? != side {
            return Err(Refusal::WrongSide);
        }
        self.party(side).standing.may_write()
    }

    /// The candidacy's phase as one side sees it: ignoring an invitation is the freelancer's own business.
    pub fn phase_for(&self, side: Side) -> Option<Phase> {
        self.candidacy.as_ref().map(|candidacy| phase_for(candidacy.phase, side))
    }

    /// Refuses unless the candidacy is in one of these phases.
    pub fn must_be_in(&self, phases: &[Phase], side: Side) -> Result<(), Refusal> {
        match &self.candidacy {
            None => Err(Refusal::NotFound),
            Some(candidacy) if phases.contains(&candidacy.phase) => Ok(()),
            Some(candidacy) => Err(Refusal::WrongPhase(phase_for(candidacy.phase, side))),
        }
    }

    /// The same, and the job has to take candidates.
    pub fn must_be_open_in(&self, phases: &[Phase], side: Side) -> Result<(), Refusal> {
        self.must_not_have_closed_with_its_job()?;
        self.must_be_in(phases, side)?;
        self.job.must_be_open()
    }

    /// Refuses a candidacy that its job's end has ended as the job itself would be: nobody can tell when the scheduler came to it.
    pub fn must_not_have_closed_with_its_job(&self) -> Result<(), Refusal> {
        let closed = self.candidacy.as_ref().is_some_and(|candidacy| candidacy.phase == Phase::Closed);
        if closed && self.contract.is_none() { self.job.must_be_open() } else { Ok(()) }
    }

    /// This case in another phase.
    #[must_use]
    pub fn moved(mut self, phase: Phase, now: Time) -> Self {
        if let Some(candidacy) = &mut self.candidacy {
            candidacy.phase = phase;
            candidacy.updated_at = now;
        }
        self
    }

    /// This case in a phase that ends it, by this side or by nobody's: nothing of it waits any more.
    #[must_use]
    pub fn ended(mut self, phase: Phase, by: Option<Side>, now: Time) -> Self {
        self.pending = None;
        if let Some(candidacy) = &mut self.candidacy {
            candidacy.ended = Some(Ended { by, from: candidacy.phase });
        }
        self.offer_ended(OfferStatus::Withdrawn).moved(phase, now)
    }

    /// This case with the clock of the one who is asked stopped, unless it stands.
    #[must_use]
    pub fn clock_stopped(mut self, how: ledger::How, at: Time) -> Self {
        self.ledger = self.ledger.map(|row| row.stop(how, at));
        self
    }

    /// This case in phase `active`, with its room.
    #[must_use]
    pub fn activated(mut self, room: RoomId, now: Time) -> Self {
        if let Some(candidacy) = &mut self.candidacy {
            candidacy.room = Some(room);
        }
        self.moved(Phase::Active, now)
    }

    /// A new candidacy in its first phase, whatever was before, under the fees of now.
    #[must_use]
    pub fn begun(self, id: CandidacyId, phase: Phase, now: Time) -> Self {
        let candidacy = Candidacy { id, phase, room: None, updated_at: now, ended: None, mark: None };
        Self {
            candidacy: Some(candidacy),
            invitation: None,
            ledger: None,
            proposal: None,
            terms: Vec::new(),
            standing: None,
            pending: None,
            offer: None,
            contract: None,
            members: Vec::new(),
            fees: self.fees_now.clone(),
            ..self
        }
    }

    /// Refuses when a candidacy is open already.
    pub fn must_not_be_open(&self) -> Result<(), Refusal> {
        match &self.candidacy {
            Some(candidacy) if is_open(candidacy.phase) => Err(Refusal::CandidacyExists),
            _ => Ok(()),
        }
    }

    /// Refuses when the job takes no candidates; whoever has no part in it does not learn that it ever was.
    pub fn job_must_be_open(&self) -> Result<(), Refusal> {
        let open = self.job.must_be_open();
        if self.candidacy.is_none() { open.map_err(|_| Refusal::NotFound) } else { open }
    }

    /// Where the case stands, as this side sees it.
    pub fn answer(&self, side: Side) -> Option<CaseAnswer> {
        let candidacy = self.candidacy.as_ref()?;
        Some(CaseAnswer {
            candidacy: candidacy.id,
            phase: phase_for(candidacy.phase, side),
            invitation: self.invitation.as_ref().map(|invitation| invitation.id),
            proposal: self.proposal.as_ref().map(|proposal| proposal.id),
            room: candidacy.room.map(RoomRef::Room),
            terms_version: self.terms.last().map(|version| version.version),
            terms_hash: self.terms.last().map(|version| version.hash),
            offer: self.offer.as_ref().map(|offer| offer.id),
            contract: self.contract.as_ref().map(|contract| contract.id.clone()),
        })
    }

    /// Whom the logs name as the author: a service acts for the client.
    pub fn author(&self, actor: &Actor) -> UserId {
        match actor.scope {
            Scope::User | Scope::Staff => actor.user.clone(),
            Scope::Service => self.client.user.clone(),
        }
    }
}

/// Both sides, for what both are told.
pub const BOTH: [Side; 2] = [Side::Client, Side::Freelancer];

/// A phase as one side sees it.
pub fn phase_for(phase: Phase, side: Side) -> Phase {
    match (phase, side) {
        (Phase::Archived, Side::Client) => Phase::Invited,
        (other, _) => other,
    }
}

/// Whether a candidacy in this phase keeps another one from beginning.
pub fn is_open(phase: Phase) -> bool {
    match phase {
        Phase::Invited
        | Phase::Archived
        | Phase::Submitted
        | Phase::Active
        | Phase::Offered
        | Phase::Hired => true,
        Phase::Declined | Phase::Withdrawn | Phase::Expired | Phase::Closed => false,
    }
}

/// The event that tells a room of its candidacy's new phase.
pub fn phase_changed(by: &UserId, client_id: Option<ClientId>, phase: Phase) -> Event {
    let data = EntryData::PhaseChanged(PhaseChanged { phase });
    Event::room(Some(by.clone()), client_id, data)
}
