//! Contracts: what was agreed on, sealed at its place in the room's log. The room goes on as the contract's.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::contract::{ContractEnded, ContractFormed, ContractSealed, Seal};
use anteroom_protocol::entry::{EntryData, NoticeKind, PhaseChanged};
use anteroom_protocol::id::{ContractId, OfferId, RoomId};
use anteroom_protocol::limits;
use anteroom_protocol::log::Hash;
use anteroom_protocol::offer::OfferStatus;
use anteroom_protocol::signature::SigningKey;
use anteroom_protocol::terms::Terms;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use crate::domain::actor::Scope;
use crate::domain::candidacy::{BOTH, Case, Context, Decision, Ended};
use crate::domain::log::{Event, Head, What};
use crate::domain::refusal::Refusal;
use crate::domain::terms::{self, Version};
use crate::domain::text;

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// The offer that became it; `None`: it was formed in a system of the marketplace's.
    pub offer: Option<OfferId>,
    /// The version of the terms that was agreed on.
    pub version: u32,
    /// When it was formed.
    pub formed_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
}

/// A seal whose place in the log is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealDraft {
    seal: Seal,
    key: SigningKey,
}

impl SealDraft {
    /// The seal of everything up to this head.
    pub fn at(&self, head: Head, now: Time) -> ContractSealed {
        let seal = Seal { position: head.seq, head: head.hash, sealed_at: now, ..self.seal.clone() };
        ContractSealed::new(seal, &self.key)
    }
}

/// The end of every way to a contract: `last` is the entry that the seal covers last.
pub(super) fn sealed(
    mut case: Case,
    context: &Context,
    (id, offer, version): (ContractId, Option<OfferId>, u32),
    last: Event,
    kind: NoticeKind,
) -> Result<Decision, Refusal> {
    let agreed = case.version(version).ok_or(Refusal::NotFound)?.clone();
    let room = case.candidacy.as_ref().and_then(|candidacy| candidacy.room).ok_or(Refusal::NotFound)?;
    let draft = draft(&case, context, room, (&id, offer, &agreed))?;
    (case.standing, case.pending) = (Some(version), None);
    case.contract = Some(Contract { id, offer, version, formed_at: context.now, ended_at: None });
    let case = case.moved(Phase::Hired, context.now);
    let phase = EntryData::PhaseChanged(PhaseChanged { phase: Phase::Hired });
    let seal =
        Event { by: None, client_id: None, what: What::Seal(Box::new(draft)), private: agreed.fee.clone() };
    let room = vec![last, seal, Event::room(None, None, phase)];
    let told = context.told();
    Ok(Decision::new(room, case.notices_about(kind, &told, &BOTH, Some(&agreed)), case))
}

fn draft(
    case: &Case,
    context: &Context,
    room: RoomId,
    (contract, offer, agreed): (&ContractId, Option<OfferId>, &Version),
) -> Result<SealDraft, Refusal> {
    let candidacy = case.candidacy.as_ref().ok_or(Refusal::NotFound)?.id;
    let seal = Seal {
        contract: contract.clone(),
        offer,
        candidacy,
        job: case.job.id.clone(),
        client: case.client.user.clone(),
        freelancer: case.freelancer.user.clone(),
        room,
        version: agreed.version,
        terms: agreed.hash,
        position: 0,
        head: Hash::GENESIS,
        sealed_at: context.now,
        key: context.key.public().fingerprint(),
    };
    Ok(SealDraft { seal, key: context.key.clone() })
}

/// What a contract that was formed elsewhere was formed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    /// A version of the room's.
    Version(u32, Hash),
    /// Terms that the room may not know.
    Terms(Terms),
}

/// `contract.form`, by the marketplace alone. It may have told of the job first, that it is filled: whom that has closed out is taken in again,
/// so that it makes no difference which of the two it tells first.
pub fn form(case: Case, context: &Context, id: ContractId, agreed: &Agreed) -> Result<Decision, Refusal> {
    must_be_the_marketplace(context)?;
    let case = not_closed_by_its_job(case)?;
    case.must_be_in(&[Phase::Active, Phase::Offered], Side::Client)?;
    let mut case = case.offer_ended(OfferStatus::Withdrawn);
    let mut room = Vec::new();
    let version = match agreed {
        Agreed::Version(version, hash) => {
            let found = case.version(*version).filter(|found| found.hash == *hash);
            found.ok_or_else(|| case.stale())?.version
        }
        Agreed::Terms(terms) => {
            terms::check(terms, case.fees.as_ref())?;
            let (with_terms, event) = case.with_version(Side::Client, terms.clone(), context.now, None, None);
            case = with_terms;
            room.push(event);
            case.terms.last().map_or(0, |last| last.version)
        }
    };
    let hash = case.version(version).ok_or(Refusal::NotFound)?.hash;
    let data = EntryData::ContractFormed(ContractFormed { contract: id.clone(), version, hash });
    let formed = Event::room(None, Some(context.client_id), data);
    let mut decision = sealed(case, context, (id, None, version), formed, NoticeKind::ContractFormed)?;
    room.append(&mut decision.room);
    Ok(Decision { room, ..decision })
}

fn not_closed_by_its_job(mut case: Case) -> Result<Case, Refusal> {
    let talked = |ended: Ended| ended.by.is_none() && matches!(ended.from, Phase::Active | Phase::Offered);
    let Some(candidacy) = &mut case.candidacy else { return Ok(case) };
    if candidacy.phase == Phase::Closed && candidacy.ended.is_some_and(talked) {
        if case.another_is_open {
            return Err(Refusal::CandidacyExists);
        }
        (candidacy.phase, candidacy.ended) = (Phase::Active, None);
    }
    Ok(case)
}

/// `contract.end`, by the marketplace alone.
pub fn end(mut case: Case, context: &Context, reason: Option<String>) -> Result<Decision, Refusal> {
    must_be_the_marketplace(context)?;
    if let Some(reason) = &reason {
        text::prose("reason", reason, limits::REASON_BYTES)?;
    }
    let contract = case.contract.as_mut().ok_or(Refusal::NotFound)?;
    if contract.ended_at.is_some() {
        return Err(Refusal::ContractOver);
    }
    contract.ended_at = Some(context.now);
    let data = EntryData::ContractEnded(ContractEnded { contract: contract.id.clone(), reason });
    case.must_be_in(&[Phase::Hired], Side::Client)?;
    let case = case.ended(Phase::Closed, None, context.now);
    let phase = EntryData::PhaseChanged(PhaseChanged { phase: Phase::Closed });
    let room = vec![Event::room(None, Some(context.client_id), data), Event::room(None, None, phase)];
    let told = context.told();
    Ok(Decision::new(room, case.notices(NoticeKind::ContractEnded, &told, &BOTH), case))
}

fn must_be_the_marketplace(context: &Context) -> Result<(), Refusal> {
    if context.actor.scope == Scope::Service { Ok(()) } else { Err(Refusal::Forbidden) }
}
