//! What holds for each command that is done, for each that is refused, and for what happens by itself.

use std::collections::BTreeSet;

use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::candidacy::{Candidacy, Case, Context, Decision, is_open};
use anteroom::domain::log::{Event, What};
use anteroom::domain::refusal::Refusal;
use anteroom::domain::terms::Version;
use anteroom::domain::timer;
use anteroom_protocol::candidacy::Phase::{self, *};
use anteroom_protocol::command::Command;
use anteroom_protocol::contract::ContractSealed;
use anteroom_protocol::entry::{EntryData, EntryFrame, NoticeKind};
use anteroom_protocol::invitation::{DeclineReason, InvitationStatus};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::offer::OfferStatus;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Side, UserStatus};

use super::{BY_ITSELF, EDGES, Edge};
use crate::store::deed;
use crate::support::replay::Told;

/// The side a command is done from, if this actor is on one.
fn side(actor: &Actor) -> Option<Side> {
    match (actor.scope, actor.user.as_str()) {
        (Scope::User, "clara") | (Scope::Service, _) => Some(Side::Client),
        (Scope::User, "felix") => Some(Side::Freelancer),
        (Scope::User | Scope::Staff, _) => None,
    }
}

/// Whose command this is, as steps count people, if it is one side's alone.
pub(super) fn rightful(command: &Command) -> Option<usize> {
    let mut sides = EDGES.iter().filter(|(name, ..)| *name == command.name()).map(|(_, side, ..)| *side);
    let first = sides.next()?;
    let the_marketplaces = command.name().starts_with("contract.") || command.name() == "invitation.remove";
    let alone = sides.all(|side| side == first) && !the_marketplaces;
    alone.then_some(if first == Side::Client { 0 } else { 1 })
}

/// What the log has to tell of this case.
pub(super) fn projected(case: &Case) -> Told {
    let candidacy = case.candidacy.as_ref().expect("there");
    let acknowledged = case.terms.iter().filter(|version| version.acknowledged_at.is_some());
    let mut acknowledged: Vec<(Time, u32)> =
        acknowledged.map(|version| (version.acknowledged_at.expect("filtered"), version.version)).collect();
    acknowledged.sort_unstable();
    Told {
        phase: candidacy.phase,
        versions: case.terms.iter().map(|version| (version.version, version.hash)).collect(),
        standing: case.standing,
        pending: case.pending,
        acknowledged: acknowledged.into_iter().map(|(_, version)| version).collect(),
        offer: case.offer.as_ref().map(|offer| (offer.id, offer.status, offer.version)),
        contract: case
            .contract
            .as_ref()
            .map(|contract| (contract.id.clone(), contract.version, contract.ended_at.is_some())),
        members: case.members.iter().map(|member| (member.party.user.clone(), member.side)).collect(),
    }
}

/// Every seal in the log is the server's, and covers exactly what stands before it.
pub(super) fn seals_hold(log: &[EntryFrame]) {
    for (at, entry) in log.iter().enumerate().filter(|(_, entry)| entry.kind == "contract.sealed") {
        let sealed: ContractSealed = serde_json::from_value(entry.data()).expect("a seal");
        assert!(sealed.is_of(&deed::signing_key().public()));
        assert_eq!((sealed.seal.position, sealed.seal.head), (at as u64, log[at - 1].hash));
        let last = log[at - 1].kind.as_str();
        assert!(["offer.accepted", "contract.formed"].contains(&last), "{last} is sealed last");
    }
}

fn open_phase(case: &Case) -> Option<Phase> {
    case.candidacy.as_ref().map(|candidacy| candidacy.phase).filter(|phase| is_open(*phase))
}

/// What holds for what happens by itself.
pub(super) fn by_itself(before: &Case, decision: &Decision, now: Time) -> (Phase, Phase) {
    let from = open_phase(before).expect("only what is open has something to come");
    let to = decision.case.candidacy.as_ref().expect("there").phase;
    assert!(BY_ITSELF.contains(&(from, to)), "no such way: {from:?} to {to:?}");
    let due = timer::due_at(before).is_some_and(|due| now >= due);
    assert!(
        due || (to == Closed && before.job.status != JobStatus::Open),
        "before its time: {from:?} to {to:?}"
    );
    for event in &decision.room {
        assert_eq!((&event.by, event.client_id), (&None, None), "nobody did it");
    }
    for (owner, event) in &decision.inboxes {
        assert_eq!((&event.by, event.client_id), (&None, None), "nobody did it");
        nothing_of_fees(owner.as_str(), event);
    }
    assert!(timer::due_at(&decision.case).is_none_or(|due| due > now), "nothing is due twice");
    assert_eq!(decision.reports, [], "nobody did it");
    nobody_comes_or_goes(before, &decision.case, false);
    (from, to)
}

/// What holds for each command that is done.
pub(super) fn done(before: &Case, command: &Command, context: &Context, decision: &Decision) -> Edge {
    let after = &decision.case;
    let (from, candidacy) = (open_phase(before), after.candidacy.as_ref().expect("something was done"));
    let by = side(&context.actor).unwrap_or_else(|| panic!("{command:?} by {:?}", context.actor));
    let edge = (command.name(), by, from, candidacy.phase);
    assert!(EDGES.contains(&edge), "no such edge: {edge:?}");
    let words = from.map(Phase::as_str);
    assert_eq!(
        (&after.job, &after.client, &after.freelancer),
        (&before.job, &before.client, &before.freelancer)
    );
    // What the marketplace says of a contract is so, whatever it says of the people.
    assert!(
        context.actor.scope == Scope::Service || after.party(by).standing.status == UserStatus::Active,
        "{edge:?}"
    );
    // What has ended goes on: taken back, hired after all, or of its invitation the text is taken away.
    let reopened = matches!(command, Command::CandidacyReopen(_));
    let ended = matches!(command, Command::ContractForm(_) | Command::InvitationRemove(_));
    let begins = match (from, candidacy.phase) {
        (None, _) => !ended,
        (Some(Invited | Archived | Submitted), Active | Offered) => true,
        (Some(_), _) => false,
    };
    let needs_an_open_job = begins || matches!(command, Command::OfferMake(_) | Command::OfferAccept(_));
    assert!(!needs_an_open_job || after.job.status == JobStatus::Open, "{edge:?}");
    let answers = by == Side::Freelancer && matches!(from, Some(Invited | Archived));
    let due = before.invitation.as_ref().is_some_and(|invitation| context.now >= invitation.expires_at);
    assert!(!(answers && due), "answered after its time: {edge:?}");

    let new = from.is_none() && !reopened && !ended;
    let same = before.candidacy.as_ref().map(|candidacy| candidacy.id) == Some(candidacy.id);
    assert_eq!(new, !same, "a candidacy begins when none is open: {edge:?}");
    the_room_is_right(before, candidacy, new);
    the_terms_are_right(before, after, new);
    the_rest_is_right(before, after, new, context);
    the_offer_is_right(before, command, after, context);
    the_events_are_right(before, command, decision, context);
    nobody_comes_or_goes(before, after, new);
    let spam =
        matches!(command, Command::InvitationDecline(said) if said.reason == DeclineReason::LooksLikeSpam);
    assert_eq!(decision.reports.len(), usize::from(spam), "{edge:?}");
    (command.name().to_owned(), words, candidacy.phase.as_str())
}

/// Who was brought in stays, and how the client has sorted it; a new candidacy begins with the two alone.
fn nobody_comes_or_goes(before: &Case, after: &Case, new: bool) {
    let mark = |case: &Case| case.candidacy.as_ref().and_then(|candidacy| candidacy.mark);
    if new {
        assert_eq!((after.members.as_slice(), mark(after)), (&[][..], None));
    } else {
        assert_eq!((&after.members, mark(after)), (&before.members, mark(before)));
    }
}

/// A room begins with the phase `active`, is never another, and stays when it ends.
fn the_room_is_right(before: &Case, after: &Candidacy, new: bool) {
    let room_before = before.candidacy.as_ref().filter(|_| !new).and_then(|candidacy| candidacy.room);
    match room_before {
        Some(room) => assert_eq!(after.room, Some(room)),
        None => assert_eq!(after.room.is_some(), matches!(after.phase, Active | Offered)),
    }
}

/// Versions count up from 1 by one, and what was proposed stays as it was.
fn the_terms_are_right(before: &Case, after: &Case, new: bool) {
    let earlier = if new { &[] } else { before.terms.as_slice() };
    let content = |versions: &[Version]| -> Vec<Version> {
        versions.iter().map(|version| Version { acknowledged_at: None, ..version.clone() }).collect()
    };
    assert!(content(&after.terms).starts_with(&content(earlier)), "terms never change");
    let frozen = before.candidacy.as_ref().is_some_and(|candidacy| candidacy.phase == Hired);
    assert!(new || !frozen || after.terms.len() == earlier.len(), "from the hire on, terms are frozen");
    let side =
        |version: Option<u32>| version.and_then(|version| after.version(version)).map(|version| version.side);
    assert_eq!(after.pending.is_some(), side(after.pending) == Some(Side::Client), "only a client's waits");
    assert_eq!(after.standing.is_some(), side(after.standing).is_some());
    assert!(after.standing.is_none() || after.standing != after.pending);
    assert!(after.terms.len() <= earlier.len() + 1);
    for (version, expected) in after.terms.iter().zip(1..) {
        assert_eq!(version.version, expected);
        assert_eq!(version.hash, version.terms.hash());
    }
}

/// Nobody is bound to anything but what both named; what binds is one thing.
fn the_offer_is_right(before: &Case, command: &Command, after: &Case, context: &Context) {
    let phase = after.candidacy.as_ref().expect("there").phase;
    let standing = after.offer.as_ref().filter(|offer| offer.status == OfferStatus::Standing);
    assert_eq!(standing.is_some(), phase == Offered, "an offer stands exactly while it is `offered`");
    assert!(standing.is_none_or(|offer| offer.expires_at > context.now));
    assert!(standing.is_none_or(|offer| offer.requests.len() <= 3));
    assert!(timer::due_at(after).is_none_or(|due| due > context.now), "nothing is overdue after a command");
    if let Command::OfferAccept(accepted) = command {
        let offered = before.version(before.offer.as_ref().expect("an offer").version).expect("a version");
        assert_eq!((accepted.version, accepted.hash), (offered.version, offered.hash));
        assert_eq!(after.contract.as_ref().map(|contract| contract.version), Some(offered.version));
    }
    if matches!(command, Command::OfferAccept(_) | Command::OfferMake(_)) {
        assert_eq!(before.job.status, JobStatus::Open, "a job that takes nobody is offered to nobody");
    }
    let of_contracts = matches!(command, Command::ContractForm(_) | Command::ContractEnd(_));
    assert!(!of_contracts || context.actor.scope == Scope::Service, "the marketplace's to say");
    assert_eq!(phase == Hired, after.contract.as_ref().is_some_and(|contract| contract.ended_at.is_none()));
    if let (Some(earlier), Some(contract)) = (&before.contract, &after.contract)
        && before.candidacy.as_ref().map(|it| it.id) == after.candidacy.as_ref().map(|it| it.id)
    {
        assert_eq!(
            (&earlier.id, earlier.version),
            (&contract.id, contract.version),
            "a contract never changes"
        );
    }
}

/// A client is told nothing of what the freelancer takes home, nor how that is computed.
fn nothing_of_fees(owner: &str, event: &Event) {
    if owner == "clara" {
        assert_eq!(event.private, None);
        let shown = match &event.what {
            What::Notice(_, notice) => serde_json::to_string(notice).expect("JSON"),
            What::Room(_) | What::Seal(_) | What::Account(_) | What::Responsiveness(_) | What::Webhook(_) => {
                panic!("an inbox holds notices")
            }
        };
        for word in ["take_home", "\"fee\"", "basis_points", "schedule", "billed"] {
            assert!(!shown.contains(word), "{shown}");
        }
    }
}

fn the_rest_is_right(before: &Case, after: &Case, new: bool, context: &Context) {
    let candidacy = after.candidacy.as_ref().expect("there");
    if let (false, Some(proposal)) = (new, &before.proposal) {
        assert_eq!(after.proposal.as_ref(), Some(proposal), "a letter never changes");
    }
    if let (false, Some(invitation)) = (new, &before.invitation) {
        let now = after.invitation.as_ref().expect("an invitation stays");
        assert_eq!((now.id, &now.message), (invitation.id, &invitation.message));
        let waits_anew = before.candidacy.as_ref().is_some_and(|candidacy| !is_open(candidacy.phase));
        assert!(waits_anew || now.expires_at == invitation.expires_at);
    }
    if let Some(invitation) = &after.invitation {
        let status = invitation.status;
        match candidacy.phase {
            Invited => assert_eq!(status, InvitationStatus::Pending),
            Archived => assert_eq!(status, InvitationStatus::Archived),
            Submitted => panic!("an invitation is not answered by a new proposal beside it"),
            Active => assert_eq!(status, InvitationStatus::Accepted),
            Offered | Hired | Declined | Withdrawn | Expired | Closed => {
                let answered = after.proposal.is_some();
                assert_eq!(status == InvitationStatus::Accepted, answered);
                assert!(!matches!(status, InvitationStatus::Pending | InvitationStatus::Archived));
            }
        }
        let answered = !matches!(candidacy.phase, Invited | Archived);
        // Of one that nobody answered in time, only the text is removed.
        assert!(status == InvitationStatus::Removed || invitation.answered_at.is_some() == answered);
    }
    let earlier = before.candidacy.as_ref().filter(|_| !new);
    let stays = earlier.filter(|it| it.phase == candidacy.phase || candidacy.phase == Archived);
    let expected = stays.map_or(context.now, |it| it.updated_at);
    assert_eq!(
        candidacy.updated_at, expected,
        "the time of the phase, and ignoring shows none to the client"
    );
}

/// What is told where: once for the command in each log, by its author, and nothing of ignoring to the client.
fn the_events_are_right(before: &Case, command: &Command, decision: &Decision, context: &Context) {
    let after = &decision.case;
    let room = after.candidacy.as_ref().and_then(|candidacy| candidacy.room);
    assert_eq!(decision.room.is_empty(), room.is_none(), "a room is told of everything");
    let carriers =
        |events: &[Event]| events.iter().filter(|event| event.client_id == Some(context.client_id)).count();
    assert_eq!(carriers(&decision.room), usize::from(room.is_some()));
    let told: Vec<Phase> = decision.room.iter().filter_map(phase_told).collect();
    let phase = after.candidacy.as_ref().expect("there").phase;
    let moved = before.candidacy.as_ref().map(|candidacy| candidacy.phase) != Some(phase);
    assert!(told.is_empty() || told.last() == Some(&phase), "{told:?}");
    assert!(room.is_none() || !moved || !told.is_empty(), "a room is told of a new phase");
    let versions: Vec<u32> = decision.room.iter().filter_map(version_told).collect();
    assert!(
        versions.is_empty()
            || versions.iter().copied().eq(1..=u32::try_from(after.terms.len()).expect("few"))
            || versions == [after.terms.last().expect("told").version]
    );
    for event in &decision.room {
        let by_a_side =
            event.by.as_ref().is_some_and(|by| [&after.client.user, &after.freelancer.user].contains(&by));
        let said_by_none = matches!(phase, Hired | Closed) || context.actor.scope == Scope::Service;
        assert!(by_a_side || said_by_none, "the server says what became of a contract");
        if matches!(event.what, What::Room(EntryData::TermsProposed(_)) | What::Seal(_)) {
            assert!(event.private.is_some(), "the freelancer is told the fee");
        }
        assert!(event.client_id.is_none_or(|client_id| client_id == context.client_id));
    }

    let owners: BTreeSet<&str> = decision.inboxes.iter().map(|(owner, _)| owner.as_str()).collect();
    assert_eq!(owners.len(), decision.inboxes.len(), "each inbox is told once");
    assert!(owners.is_subset(&BTreeSet::from(["clara", "felix"])), "it is the business of the two");
    if command.name().starts_with("terms.") {
        let other = if side(&context.actor) == Some(Side::Client) { "felix" } else { "clara" };
        let told = if room.is_some() { BTreeSet::from([other]) } else { BTreeSet::from(["clara", "felix"]) };
        assert_eq!(owners, told, "to the other side, and where there is no room to the own devices");
    } else {
        assert!(owners.contains("felix"));
        assert_eq!(owners.contains("clara"), phase != Archived, "ignoring is the freelancer's own business");
    }
    for (owner, event) in &decision.inboxes {
        nothing_of_fees(owner.as_str(), event);
        let What::Notice(kind, notice) = &event.what else { panic!("an inbox holds notices") };
        assert_eq!(event.client_id, Some(context.client_id));
        let in_its_own_name = context.actor.scope == Scope::Service && command.name() != "invitation.send";
        let author = Some(after.author(&context.actor)).filter(|_| !in_its_own_name);
        assert_eq!(event.by, author);
        let side = if owner.as_str() == "clara" { Side::Client } else { Side::Freelancer };
        assert_eq!(Some(notice.phase), after.phase_for(side));
        if side == Side::Client {
            assert!(notice.phase != Archived && *kind != NoticeKind::InvitationArchived);
        }
    }
    assert_ne!(after.answer(Side::Client).expect("a case").phase, Archived);
}

fn phase_told(event: &Event) -> Option<Phase> {
    match &event.what {
        What::Room(EntryData::PhaseChanged(changed)) => Some(changed.phase),
        What::Room(_) | What::Seal(_) => None,
        What::Notice(..) | What::Account(_) | What::Responsiveness(_) | What::Webhook(_) => {
            panic!("a notice in a room")
        }
    }
}

fn version_told(event: &Event) -> Option<u32> {
    match &event.what {
        What::Room(EntryData::TermsProposed(terms)) => Some(terms.version),
        What::Room(_) | What::Seal(_) => None,
        What::Notice(..) | What::Account(_) | What::Responsiveness(_) | What::Webhook(_) => {
            panic!("a notice in a room")
        }
    }
}

/// A command is the other side's to do; some are both sides', but not of their own.
fn is_not_theirs(command: &Command, by: Side) {
    let theirs = EDGES.iter().any(|(name, side, ..)| *name == command.name() && *side == by);
    let own = matches!(command, Command::TermsAcknowledge(_) | Command::CandidacyReopen(_));
    let take_home = matches!(command, Command::TermsPropose(said) if !said.amounts.are_charged());
    assert!(!theirs || own || (take_home && by == Side::Client), "{command:?} is {by:?}'s to do");
}

/// What holds for each command that is refused.
pub(super) fn refused(before: &Case, command: &Command, context: &Context, refusal: &Refusal) {
    let the_marketplaces =
        matches!(command, Command::ContractForm(_) | Command::ContractEnd(_) | Command::InvitationRemove(_));
    let Some(by) = side(&context.actor) else {
        let not_theirs = the_marketplaces && *refusal == Refusal::Forbidden;
        assert!(not_theirs || *refusal == Refusal::NotFound, "{refusal:?} to {command:?} by a stranger");
        return;
    };
    match refusal {
        Refusal::WrongPhase(phase) => {
            assert_eq!(Some(*phase), before.phase_for(by), "{command:?}");
            assert!(by == Side::Freelancer || *phase != Archived, "a client learns of ignoring");
        }
        Refusal::WrongSide => is_not_theirs(command, by),
        Refusal::ClientFirst => assert_eq!((command.name(), by), ("proposal.answer", Side::Freelancer)),
        Refusal::Account(standing) => {
            assert_eq!(*standing, before.party(by).standing);
            assert_ne!(standing.status, UserStatus::Active);
        }
        Refusal::CandidacyExists => assert!(open_phase(before).is_some()),
        Refusal::JobNotOpen => assert_ne!(before.job.status, JobStatus::Open),
        Refusal::InvitationExpired => {
            assert!(context.now >= before.invitation.as_ref().expect("an invitation").expires_at);
        }
        Refusal::TermsStale { version, hash } => {
            let offered = matches!(command, Command::OfferAccept(_));
            let newest = before.terms.last().map(|newest| newest.version);
            let told = before.offer.as_ref().map(|offer| offer.version).filter(|_| offered).or(newest);
            assert_eq!(*version, told.unwrap_or(0), "{command:?}");
            assert_eq!(*hash, before.version(*version).map(|version| version.hash));
        }
        Refusal::OfferExpired => {
            assert_eq!(before.offer.as_ref().map(|offer| offer.status), Some(OfferStatus::Expired));
        }
        Refusal::OfferNotStanding => {
            assert_ne!(before.offer.as_ref().map(|offer| offer.status), Some(OfferStatus::Standing));
        }
        Refusal::ChangeRequestLimit { wait_ms } => {
            assert_eq!(before.offer.as_ref().map(|offer| offer.requests.len()), Some(3));
            assert!((1..=3_600_000).contains(wait_ms));
        }
        Refusal::ChangeRequestsOver => assert!(matches!(command, Command::OfferRequestChange(_))),
        Refusal::ContractOver => assert!(before.contract.as_ref().is_some_and(|it| it.ended_at.is_some())),
        Refusal::Forbidden => assert!(the_marketplaces && context.actor.scope == Scope::User),
        Refusal::NotFound | Refusal::Invalid(_) | Refusal::TermsNotPending => {}
        Refusal::Contact { .. } => panic!("nobody gives anything away here: {command:?}"),
        Refusal::TermsLimit => {
            let own = before.terms.iter().filter(|version| version.side == by).count();
            assert_eq!(own, usize::from(context.policy.terms_versions));
        }
        Refusal::MemberExists
        | Refusal::NotAMember
        | Refusal::LedgerFinal
        | Refusal::CoverLetterFixed
        | Refusal::ContractExists
        | Refusal::TooLarge { .. }
        | Refusal::NotAMessage
        | Refusal::NotTheAuthor
        | Refusal::EditWindowOver
        | Refusal::AlreadyRedacted => panic!("{refusal:?} to {command:?}"),
    }
}
