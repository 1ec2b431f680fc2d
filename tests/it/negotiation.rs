//! The negotiation as a whole: whoever sends whatever in whichever order and whenever, the rules of `docs/domain.md` hold. Pure: no
//! database, no server, hundreds of talks a second.

use std::collections::BTreeSet;
use std::sync::Mutex;

use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::candidacy::{Candidacy, Case, Context, Decision, FreshIds, is_open};
use anteroom::domain::job::Job;
use anteroom::domain::log::{Event, What};
use anteroom::domain::policy::Policy;
use anteroom::domain::refusal::Refusal;
use anteroom::domain::user::{Party, Standing};
use anteroom_protocol::candidacy::Phase::{self, *};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::{EntryData, NoticeKind};
use anteroom_protocol::id::{CandidacyId, ClientId, InvitationId, ProposalId, RoomId};
use anteroom_protocol::invitation::{DeclineReason, InvitationStatus};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Side, UserStatus};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::store::deed::{decide, person};
use crate::store::property;
use crate::support::ask;

/// Which command leads from which phase to which, and whose it is. `None`: there is no open candidacy. Nothing else moves a phase.
const EDGES: [(&str, Side, Option<Phase>, Phase); 18] = [
    ("invitation.send", Side::Client, None, Invited),
    ("invitation.accept", Side::Freelancer, Some(Invited), Active),
    ("invitation.accept", Side::Freelancer, Some(Archived), Active),
    ("invitation.decline", Side::Freelancer, Some(Invited), Declined),
    ("invitation.decline", Side::Freelancer, Some(Archived), Declined),
    ("invitation.archive", Side::Freelancer, Some(Invited), Archived),
    ("invitation.withdraw", Side::Client, Some(Invited), Withdrawn),
    ("invitation.withdraw", Side::Client, Some(Archived), Withdrawn),
    ("proposal.submit", Side::Freelancer, None, Submitted),
    ("proposal.submit", Side::Freelancer, Some(Invited), Active),
    ("proposal.submit", Side::Freelancer, Some(Archived), Active),
    ("proposal.answer", Side::Client, Some(Submitted), Active),
    ("proposal.decline", Side::Client, Some(Submitted), Declined),
    ("proposal.withdraw", Side::Freelancer, Some(Submitted), Withdrawn),
    ("candidacy.decline", Side::Client, Some(Active), Declined),
    ("candidacy.decline", Side::Client, Some(Offered), Declined),
    ("candidacy.withdraw", Side::Freelancer, Some(Active), Withdrawn),
    ("candidacy.withdraw", Side::Freelancer, Some(Offered), Withdrawn),
];

const ACTORS: usize = 5;

/// Clara and Felix more often than the others.
fn actor(number: usize) -> Actor {
    match number {
        0 => person("clara"),
        1 => person("felix"),
        2 => person("mallory"),
        3 => Actor { user: "marketplace".parse().expect("an id"), scope: Scope::Service },
        _ => Actor { user: "clara".parse().expect("an id"), scope: Scope::Staff },
    }
}

/// The side a command is done from, if this actor is on one.
fn side(actor: &Actor) -> Option<Side> {
    match (actor.scope, actor.user.as_str()) {
        (Scope::User, "clara") | (Scope::Service, _) => Some(Side::Client),
        (Scope::User, "felix") => Some(Side::Freelancer),
        (Scope::User | Scope::Staff, _) => None,
    }
}

#[derive(Debug, Clone)]
enum Step {
    Command {
        actor: usize,
        command: usize,
        terms: Option<i64>,
        minutes: i64,
    },
    Job(JobStatus),
    Account(Side, UserStatus),
    /// What a later version, or nobody's command, brings about.
    Elsewhere(Phase),
}

const COMMANDS: usize = 11;
const FORTNIGHT: i64 = 14 * 24 * 60;

fn step() -> impl Strategy<Value = Step> {
    let minutes = prop_oneof![8 => 0..600_i64, 1 => select(vec![FORTNIGHT - 1, FORTNIGHT, FORTNIGHT + 1])];
    let actor = prop_oneof![8 => 0..2_usize, 1 => 2..ACTORS];
    let command = (actor, 0..COMMANDS, prop::option::of(-1..90_000_i64), minutes)
        .prop_map(|(actor, command, terms, minutes)| Step::Command { actor, command, terms, minutes });
    let job = select(vec![JobStatus::Open, JobStatus::Open, JobStatus::Filled, JobStatus::Closed]);
    let status =
        select(vec![UserStatus::Active, UserStatus::Active, UserStatus::Suspended, UserStatus::Inactive]);
    let account = (select(vec![Side::Client, Side::Freelancer]), status);
    prop_oneof![
        40 => command,
        2 => job.prop_map(Step::Job),
        2 => account.prop_map(|(side, status)| Step::Account(side, status)),
        1 => select(vec![Offered, Hired, Expired, Closed]).prop_map(Step::Elsewhere),
    ]
}

/// The command of this number on this case; on what is not there, it names something that never was.
fn command(number: usize, case: &Case, terms: Option<i64>) -> Command {
    let nowhere = Uuid::nil();
    let invitation = case.invitation.as_ref().map_or(InvitationId(nowhere), |invitation| invitation.id);
    let proposal = case.proposal.as_ref().map_or(ProposalId(nowhere), |proposal| proposal.id);
    let candidacy = case.candidacy.as_ref().map_or(CandidacyId(nowhere), |candidacy| candidacy.id);
    let offered = terms.map(ask::hourly);
    match number {
        0 => ask::invite(&case.job.id, &case.freelancer.user, offered),
        1 => ask::accept(invitation, offered),
        2 => ask::decline(invitation, DeclineReason::TooBusy, None),
        3 => ask::decline(invitation, DeclineReason::Other, terms.map(|_| "a wedding")),
        4 => ask::archive(invitation),
        5 => ask::withdraw(invitation),
        6 => ask::propose(&case.job.id, ask::hourly(terms.unwrap_or(1))),
        7 => ask::answer(proposal),
        8 if terms.is_some() => ask::decline_proposal(proposal),
        8 => ask::withdraw_proposal(proposal),
        9 => ask::decline_candidacy(candidacy),
        _ => ask::withdraw_candidacy(candidacy),
    }
}

fn nothing_yet() -> Case {
    let party = |name: &str| Party { user: name.parse().expect("an id"), standing: Standing::default() };
    let job = Job {
        id: "garden".parse().expect("an id"),
        client: "clara".parse().expect("an id"),
        title: "A garden".into(),
        url: None,
        status: JobStatus::Open,
    };
    let (client, freelancer) = (party("clara"), party("felix"));
    Case { job, client, freelancer, candidacy: None, invitation: None, proposal: None, terms: Vec::new() }
}

/// One talk: the case, the time, and what is counted to make ids.
struct Talk {
    case: Case,
    now: Time,
    ids: u128,
}

/// The edges that were taken, so that a test that stopped testing is found out.
type Taken = Mutex<BTreeSet<(String, Option<&'static str>, &'static str)>>;

impl Talk {
    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn step(&mut self, step: &Step, taken: &Taken) {
        match *step {
            Step::Job(status) => self.case.job.status = status,
            Step::Account(Side::Client, status) => self.case.client.standing.status = status,
            Step::Account(Side::Freelancer, status) => self.case.freelancer.standing.status = status,
            Step::Elsewhere(phase) => {
                if let Some(candidacy) = &mut self.case.candidacy
                    && candidacy.phase == Active
                {
                    candidacy.phase = phase;
                }
            }
            Step::Command { actor: number, command: which, terms, minutes } => {
                self.now = self.now.plus_seconds(minutes * 60);
                let context = Context {
                    actor: actor(number),
                    client_id: ClientId(self.id()),
                    now: self.now,
                    policy: Policy::default(),
                    ids: FreshIds {
                        candidacy: CandidacyId(self.id()),
                        invitation: InvitationId(self.id()),
                        proposal: ProposalId(self.id()),
                        room: RoomId(self.id()),
                    },
                };
                let command = command(which, &self.case, terms);
                match decide(&command, self.case.clone(), &context) {
                    Ok(decision) => {
                        done(&self.case, &command, &context, &decision, taken);
                        self.case = decision.case;
                    }
                    Err(refusal) => refused(&self.case, &command, &context, &refusal),
                }
            }
        }
    }
}

fn open_phase(case: &Case) -> Option<Phase> {
    case.candidacy.as_ref().map(|candidacy| candidacy.phase).filter(|phase| is_open(*phase))
}

/// What holds for each command that is done.
fn done(before: &Case, command: &Command, context: &Context, decision: &Decision, taken: &Taken) {
    let after = &decision.case;
    let (from, candidacy) = (open_phase(before), after.candidacy.as_ref().expect("something was done"));
    let by = side(&context.actor).unwrap_or_else(|| panic!("{command:?} by {:?}", context.actor));
    let edge = (command.name(), by, from, candidacy.phase);
    assert!(EDGES.contains(&edge), "no such edge: {edge:?}");
    let words = from.map(Phase::as_str);
    taken.lock().expect("no panic").insert((command.name().into(), words, candidacy.phase.as_str()));

    assert_eq!(
        (&after.job, &after.client, &after.freelancer),
        (&before.job, &before.client, &before.freelancer)
    );
    assert_eq!(after.party(by).standing.status, UserStatus::Active, "{edge:?}");
    let needs_an_open_job = matches!(candidacy.phase, Invited | Submitted | Active);
    assert!(!needs_an_open_job || after.job.status == JobStatus::Open, "{edge:?}");
    let answers = by == Side::Freelancer && matches!(from, Some(Invited | Archived));
    let due = before.invitation.as_ref().is_some_and(|invitation| context.now >= invitation.expires_at);
    assert!(!(answers && due), "answered after its time: {edge:?}");

    let new = from.is_none();
    let same = before.candidacy.as_ref().map(|candidacy| candidacy.id) == Some(candidacy.id);
    assert_eq!(new, !same, "a candidacy begins when none is open: {edge:?}");
    the_room_is_right(before, candidacy, new);
    the_terms_are_right(before, after, new);
    the_rest_is_right(before, after, new, context);
    the_events_are_right(after, decision, context);
}

/// A room begins with the phase `active`, is never another, and stays when it ends.
fn the_room_is_right(before: &Case, after: &Candidacy, new: bool) {
    let room_before = before.candidacy.as_ref().filter(|_| !new).and_then(|candidacy| candidacy.room);
    match room_before {
        Some(room) => assert_eq!(after.room, Some(room)),
        None => assert_eq!(after.room.is_some(), after.phase == Active),
    }
}

/// Versions count up from 1 by one, and what was proposed stays as it was.
fn the_terms_are_right(before: &Case, after: &Case, new: bool) {
    let earlier = if new { &[] } else { before.terms.as_slice() };
    assert!(after.terms.starts_with(earlier), "terms never change");
    assert!(after.terms.len() <= earlier.len() + 1);
    for (version, expected) in after.terms.iter().zip(1..) {
        assert_eq!(version.version, expected);
        assert_eq!(version.hash, version.terms.hash());
    }
}

fn the_rest_is_right(before: &Case, after: &Case, new: bool, context: &Context) {
    let candidacy = after.candidacy.as_ref().expect("there");
    if let (false, Some(proposal)) = (new, &before.proposal) {
        assert_eq!(after.proposal.as_ref(), Some(proposal), "a letter never changes");
    }
    if let (false, Some(invitation)) = (new, &before.invitation) {
        let now = after.invitation.as_ref().expect("an invitation stays");
        assert_eq!(
            (now.id, &now.message, now.expires_at),
            (invitation.id, &invitation.message, invitation.expires_at)
        );
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
        assert_eq!(invitation.answered_at.is_some(), !matches!(candidacy.phase, Invited | Archived));
    }
    let told =
        if candidacy.phase == Archived { before.candidacy.as_ref().map(|it| it.updated_at) } else { None };
    assert_eq!(candidacy.updated_at, told.unwrap_or(context.now), "ignoring shows no time to the client");
}

/// What is told where: once for the command in each log, by its author, and nothing of ignoring to the client.
fn the_events_are_right(after: &Case, decision: &Decision, context: &Context) {
    let room = after.candidacy.as_ref().and_then(|candidacy| candidacy.room);
    assert_eq!(decision.room.is_empty(), room.is_none(), "a room is told of everything");
    let carriers =
        |events: &[Event]| events.iter().filter(|event| event.client_id == Some(context.client_id)).count();
    assert_eq!(carriers(&decision.room), usize::from(room.is_some()));
    let told: Vec<Phase> = decision.room.iter().filter_map(phase_told).collect();
    let phase = after.candidacy.as_ref().expect("there").phase;
    assert_eq!(told, if room.is_some() { vec![phase] } else { Vec::new() });
    let versions: Vec<u32> = decision.room.iter().filter_map(version_told).collect();
    assert!(
        versions.is_empty()
            || versions.iter().copied().eq(1..=u32::try_from(after.terms.len()).expect("few"))
    );
    for event in &decision.room {
        assert!([&after.client.user, &after.freelancer.user].contains(&event.by.as_ref().expect("somebody")));
        assert!(event.client_id.is_none_or(|client_id| client_id == context.client_id));
    }

    let owners: BTreeSet<&str> = decision.inboxes.iter().map(|(owner, _)| owner.as_str()).collect();
    assert_eq!(owners.len(), decision.inboxes.len(), "each inbox is told once");
    assert!(owners.contains("felix"));
    assert_eq!(owners.contains("clara"), phase != Archived, "ignoring is the freelancer's own business");
    for (owner, event) in &decision.inboxes {
        let What::Notice(kind, notice) = &event.what else { panic!("an inbox holds notices") };
        assert_eq!(event.client_id, Some(context.client_id));
        assert_eq!(event.by.as_ref(), Some(&after.author(&context.actor)));
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
        What::Room(_) => None,
        What::Notice(..) | What::Account(_) => panic!("a notice in a room"),
    }
}

fn version_told(event: &Event) -> Option<u32> {
    match &event.what {
        What::Room(EntryData::TermsProposed(terms)) => Some(terms.version),
        What::Room(_) => None,
        What::Notice(..) | What::Account(_) => panic!("a notice in a room"),
    }
}

/// What holds for each command that is refused.
fn refused(before: &Case, command: &Command, context: &Context, refusal: &Refusal) {
    let Some(by) = side(&context.actor) else {
        assert_eq!(*refusal, Refusal::NotFound, "{command:?} by a stranger");
        return;
    };
    match refusal {
        Refusal::WrongPhase(phase) => {
            assert_eq!(Some(*phase), before.phase_for(by), "{command:?}");
            assert!(by == Side::Freelancer || *phase != Archived, "a client learns of ignoring");
        }
        Refusal::WrongSide => {
            let theirs = EDGES.iter().any(|(name, side, ..)| *name == command.name() && *side == by);
            assert!(!theirs, "{command:?} is {by:?}'s to do");
        }
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
        Refusal::NotFound | Refusal::Invalid(_) => {}
        Refusal::Forbidden
        | Refusal::TooLarge { .. }
        | Refusal::NotAMessage
        | Refusal::NotTheAuthor
        | Refusal::EditWindowOver
        | Refusal::AlreadyRedacted => panic!("{refusal:?} to {command:?}"),
    }
}

#[test]
fn whoever_does_whatever_whenever_the_rules_of_the_negotiation_hold() {
    let taken = Taken::default();
    let outcome = TestRunner::new(property(1_500)).run(&vec(step(), 1..60), |steps| {
        let mut talk = Talk { case: nothing_yet(), now: Time::from_micros(1_750_000_000_000_000), ids: 0 };
        for step in &steps {
            talk.step(step, &taken);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));

    let taken = taken.into_inner().expect("no panic");
    for (name, _, from, to) in EDGES {
        let edge = (name.to_owned(), from.map(Phase::as_str), to.as_str());
        assert!(taken.contains(&edge), "never taken: {edge:?}");
    }
}
