//! What moves no phase: who is brought into a room and removed, what is written there, what is reported, and how a client sorts. What
//! holds for each of it that is done, and for each that is refused.

use std::collections::BTreeMap;

use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::candidacy::{Case, Context, Decision};
use anteroom::domain::log::{Event, LogEntry, What};
use anteroom::domain::message::Amending;
use anteroom::domain::refusal::Refusal;
use anteroom::domain::report::Reported;
use anteroom::domain::room::Member;
use anteroom::domain::user::{Party, Standing};
use anteroom_protocol::candidacy::{ClientMark, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::{EntryData, NoticeKind};
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::member::MemberNamed;
use anteroom_protocol::user::{Side, UserStatus};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Edge, ledger};
use crate::store::deed;
use crate::support::ask;

/// From where somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    Client,
    Freelancer,
    /// Brought in on the client's side.
    Team,
    /// Brought in on the freelancer's side.
    Agency,
    Marketplace,
}

use Phase::{Active, Archived, Closed, Declined, Expired, Hired, Invited, Offered, Submitted, Withdrawn};
use Seat::{Agency, Client, Freelancer, Marketplace, Team};

const IN_THE_ROOM: &[Seat] = &[Client, Freelancer, Team, Agency];
const EVERYBODY: &[Seat] = &[Client, Freelancer, Team, Agency, Marketplace];
/// The phases of a candidacy that has a room.
const WITH_A_ROOM: &[Phase] = &[Active, Offered, Hired, Declined, Withdrawn, Closed];

/// What is done from which seats in which phases.
pub(super) const BESIDE: [(&str, &[Seat], &[Phase]); 11] = [
    ("member.add", &[Client, Freelancer, Marketplace], &[Active, Offered, Hired]),
    ("member.remove", EVERYBODY, WITH_A_ROOM),
    ("message.post", IN_THE_ROOM, &[Active, Offered, Hired]),
    ("message.edit", IN_THE_ROOM, &[Active, Offered, Hired]),
    ("message.redact", IN_THE_ROOM, &[Active, Offered]),
    ("message.redact", &[Marketplace], WITH_A_ROOM),
    ("message.report", IN_THE_ROOM, WITH_A_ROOM),
    (
        "invitation.report",
        &[Freelancer],
        &[Invited, Archived, Active, Offered, Hired, Declined, Withdrawn, Expired, Closed],
    ),
    ("invitation.retract", &[Client], &[Active, Offered, Hired, Declined, Withdrawn, Closed]),
    ("candidacies.mark", &[Client], &Phase::ALL),
    ("proposal.archive", &[Client], &[Submitted]),
];

/// Every way through that table.
pub(super) fn ways() -> impl Iterator<Item = Edge> {
    BESIDE.into_iter().flat_map(|(name, seats, phases)| {
        let way = move |seat: Seat| {
            phases.iter().map(move |phase| (name.to_owned(), Some(seat.word()), phase.as_str()))
        };
        seats.iter().copied().flat_map(way)
    })
}

impl Seat {
    fn word(self) -> &'static str {
        match self {
            Client => "the client",
            Freelancer => "the freelancer",
            Team => "the team",
            Agency => "the agency",
            Marketplace => "the marketplace",
        }
    }

    /// The side that is looked from. The marketplace acts for the client.
    fn side(self) -> Side {
        match self {
            Client | Team | Marketplace => Side::Client,
            Freelancer | Agency => Side::Freelancer,
        }
    }
}

/// Somebody does one of these; which words and things it is about is drawn from.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    who: Actor,
    name: &'static str,
    draw: usize,
}

pub(super) fn beside() -> impl Strategy<Value = Beside> {
    let people = ["clara", "felix", "tina", "max"];
    let who = prop_oneof![
        12 => select(people.to_vec()).prop_map(deed::person),
        2 => Just(deed::actor(deed::MARKETPLACE)),
        1 => Just(deed::person("mallory")),
    ];
    let name = prop_oneof![
        3 => select(BESIDE.map(|(name, ..)| name).to_vec()),
        4 => select(vec!["member.add", "member.remove", "message.post", "message.edit"]),
        3 => select(vec!["member.add", "message.redact", "message.report", "message.edit"]),
    ];
    (who, name, 0..usize::MAX).prop_map(|(who, name, draw)| Beside { who, name, draw })
}

/// Whom one can name.
const NAMES: [&str; 8] = ["tina", "max", "tina", "max", "tina", "max", "felix", "nobody"];

impl Beside {
    /// Who does it. An edit is often the last author's, who may have been removed since; to take an invitation out is mostly tried by its client.
    pub(super) fn by_whom(mut self, log: &[LogEntry]) -> Self {
        let last = log.iter().rev().find(|entry| &*entry.kind == "message.posted");
        let author = last.and_then(|entry| entry.by.clone());
        if let Some(author) = author.filter(|_| self.name == "message.edit" && self.draw.is_multiple_of(2)) {
            self.who = Actor { user: author, scope: Scope::User };
        }
        if self.name == "invitation.retract" && !self.draw.is_multiple_of(4) {
            self.who = deed::person("clara");
        }
        self
    }

    pub(super) fn actor(&self) -> &Actor {
        &self.who
    }

    /// The command on this case. `None`: what it is about is not there, or whoever it is has no way to say it.
    pub(super) fn command(&self, case: &Case, log: &[LogEntry]) -> Option<Command> {
        let the_marketplaces = ["member.add", "member.remove", "message.redact"].contains(&self.name);
        if self.who.scope == Scope::Service && !the_marketplaces {
            return None;
        }
        let candidacy = case.candidacy.as_ref()?;
        let room = candidacy.room.map(RoomRef::Room);
        let (draw, rarely) = (self.draw / 16, (self.draw / 4).is_multiple_of(4));
        let named = || NAMES[draw % NAMES.len()].parse().expect("an id");
        match self.name {
            "member.add" => {
                let side = [None, Some(Side::Client), Some(Side::Freelancer)][draw % 3];
                Some(ask::add_member(room?, &named(), side))
            }
            "member.remove" => {
                let there = case.members.iter().map(|member| &member.party.user).filter(|_| !rarely);
                let oneself = there.clone().find(|user| **user == self.who.user);
                let somebody = oneself.or_else(|| there.clone().nth(draw % case.members.len().max(1)));
                Some(ask::remove_member(room?, &somebody.cloned().unwrap_or_else(named)))
            }
            "message.post" => Some(ask::post(room?, "Good morning.")),
            "message.edit" => Some(ask::edit(room?, self.pointed(log), "Good evening.")),
            "message.redact" => Some(ask::redact(room?, self.pointed(log))),
            "message.report" => Some(ask::report_message(room?, self.pointed(log))),
            "invitation.report" => Some(ask::report_invitation(case.invitation.as_ref()?.id, None)),
            "invitation.retract" => Some(ask::retract(case.invitation.as_ref()?.id)),
            "proposal.archive" => Some(ask::archive_proposal(case.proposal.as_ref()?.id)),
            "candidacies.mark" => {
                let mark = [None, Some(ClientMark::Shortlisted), Some(ClientMark::Archived)][draw % 3];
                Some(ask::mark_each(vec![candidacy.id], mark))
            }
            other => panic!("{other} has no row in this test"),
        }
    }

    /// Mostly a message: what one has written is amended, and what others have written is reported. Else any entry, or one that is not there.
    fn pointed(&self, log: &[LogEntry]) -> u64 {
        let (draw, rarely) = (self.draw / 16, (self.draw / 4).is_multiple_of(4));
        let fits = |entry: &&LogEntry| {
            let own = entry.by.as_ref() == Some(&self.who.user);
            &*entry.kind == "message.posted" && own != (self.name == "message.report")
        };
        let fitting: Vec<u64> = log.iter().rev().filter(fits).map(|entry| entry.seq).take(4).collect();
        match fitting.len() {
            some @ 1.. if !rarely => fitting[draw % some],
            _ => u64::try_from(draw % (log.len() + 2)).expect("small"),
        }
    }
}

/// What is known before something is done, and when that is.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) case: &'a Case,
    /// Who is there, as the log tells.
    pub(super) members: &'a BTreeMap<UserId, Side>,
    /// What the marketplace has told of people beside the two.
    pub(super) known: &'a BTreeMap<UserId, Standing>,
    pub(super) log: &'a [LogEntry],
}

impl Before<'_> {
    fn seat(&self, actor: &Actor) -> Option<Seat> {
        match (actor.scope, actor.user.as_str()) {
            (Scope::Service, _) => Some(Marketplace),
            (Scope::Staff, _) => None,
            (Scope::User, "clara") => Some(Client),
            (Scope::User, "felix") => Some(Freelancer),
            (Scope::User, _) => match self.members.get(&actor.user)? {
                Side::Client => Some(Team),
                Side::Freelancer => Some(Agency),
            },
        }
    }

    fn phase(&self) -> Phase {
        self.case.candidacy.as_ref().expect("there").phase
    }

    fn standing(&self, seat: Seat, user: &UserId) -> &Standing {
        match seat {
            Client | Marketplace => &self.case.client.standing,
            Freelancer => &self.case.freelancer.standing,
            Team | Agency => &self.known[user],
        }
    }

    fn entry(&self, command: &Command) -> Option<&LogEntry> {
        let reported = if let Command::MessageReport(said) = command { Some(said.seq) } else { None };
        let seq = deed::amends(command).map(|(_, seq)| seq).or(reported)?;
        self.log.iter().find(|entry| entry.seq == seq)
    }

    /// The way that this goes, if there is one, and nobody acts whose account may not.
    fn way(&self, command: &Command, actor: &Actor) -> Edge {
        let seat = self.seat(actor).unwrap_or_else(|| panic!("{command:?} by a stranger: {actor:?}"));
        let way = (command.name().to_owned(), Some(seat.word()), self.phase().as_str());
        assert!(ways().any(|known| known == way), "no such way: {way:?}");
        // What the marketplace takes away is taken away whatever became of the client.
        let may_act = self.standing(seat, &actor.user).status == UserStatus::Active;
        assert!(may_act || seat == Marketplace, "{way:?} by {actor:?}, who may not");
        way
    }
}

fn has_row(name: &str, seat: Seat, phase: Option<Phase>) -> bool {
    BESIDE.iter().any(|(known, seats, phases)| {
        *known == name && seats.contains(&seat) && phase.is_none_or(|phase| phases.contains(&phase))
    })
}

/// Whether this is one of these.
pub(super) fn is_beside(command: &Command) -> bool {
    BESIDE.iter().any(|(name, ..)| *name == command.name())
}

/// What holds for each of these that is done and changes a case.
pub(super) fn done(before: Before<'_>, command: &Command, context: &Context, decision: &Decision) -> Edge {
    let way = before.way(command, &context.actor);
    let Decision { case: after, room, inboxes, reports } = decision;
    let mut expected =
        Case { named: after.named.clone(), pointed: after.pointed.clone(), ..before.case.clone() };
    expected.ledger = ledger::beside(before.case, command, context.now);
    let mut silent = true;
    if let Command::MemberAdd(said) = command {
        let own = before.seat(&context.actor).filter(|seat| *seat != Marketplace).map(Seat::side);
        let side = said.side.or(own).expect("a side");
        assert!(own.is_none_or(|own| own == side), "nobody is brought in on the other side");
        assert!(!before.members.contains_key(&said.user), "nobody is brought in twice");
        let party = Party { user: said.user.clone(), standing: before.known[&said.user].clone() };
        expected.members.push(Member { party, side });
        is_told(room, inboxes, context, (&said.user, side));
        silent = false;
    } else if let Command::MemberRemove(said) = command {
        let side = before.members[&said.user];
        let seat = before.seat(&context.actor).expect("a seat");
        let own = matches!(seat, Client | Freelancer) && seat.side() == side;
        assert!(own || context.actor.user == said.user || seat == Marketplace, "{seat:?} removes {side:?}");
        expected.members.retain(|member| member.party.user != said.user);
        is_told(room, inboxes, context, (&said.user, side));
        silent = false;
    } else if let Command::CandidaciesMark(said) = command {
        expected.candidacy.as_mut().expect("there").mark = said.mark;
    } else if matches!(command, Command::ProposalArchive(_)) {
        expected.candidacy.as_mut().expect("there").mark = Some(ClientMark::Archived);
    }
    assert_eq!(*after, expected, "{way:?} changes nothing else");
    assert!(!silent || (room.is_empty() && inboxes.is_empty()), "{way:?} is told to nobody");
    let is_report = command.name().ends_with(".report");
    assert_eq!(reports.len(), usize::from(is_report), "{way:?}");
    for report in reports {
        let (about, what) = reported(&before, command);
        assert_eq!((&report.by, &report.about, report.what), (&context.actor.user, about, what));
        assert_ne!(report.by, report.about, "nobody reports oneself");
    }
    // However it is sorted and whatever is reported, nobody else can tell.
    let sorted = Case { candidacy: before.case.candidacy.clone(), ..after.clone() };
    for side in [Side::Client, Side::Freelancer] {
        assert_eq!(after.answer(side), sorted.answer(side));
    }
    way
}

fn reported<'a>(before: &Before<'a>, command: &Command) -> (&'a UserId, Reported) {
    if let Command::MessageReport(said) = command {
        let RoomRef::Room(room) = said.room else { panic!("an inbox") };
        let entry = before.log.iter().find(|entry| entry.seq == said.seq).expect("an entry");
        return (entry.by.as_ref().expect("somebody's"), Reported::Message(room, said.seq));
    }
    (&before.case.client.user, Reported::Invitation(before.case.invitation.as_ref().expect("one").id))
}

/// The room is told once, by the author, and beside it the one whom it is about.
fn is_told(room: &[Event], inboxes: &[(UserId, Event)], context: &Context, about: (&UserId, Side)) {
    let ([said], [(owner, noticed)]) = (room, inboxes) else { panic!("{room:?} {inboxes:?}") };
    let by = (context.actor.scope == Scope::User).then_some(&context.actor.user);
    for event in [said, noticed] {
        assert_eq!((event.by.as_ref(), event.client_id), (by, Some(context.client_id)));
        assert_eq!(event.private, None);
    }
    assert_eq!(owner, about.0);
    let named = MemberNamed { user: about.0.clone(), side: about.1 };
    let What::Notice(kind, notice) = &noticed.what else { panic!("an inbox holds notices") };
    let expected = if *kind == NoticeKind::MemberAdded {
        EntryData::MemberAdded(named)
    } else {
        assert_eq!(*kind, NoticeKind::MemberRemoved);
        EntryData::MemberRemoved(named)
    };
    assert_eq!(said.what, What::Room(expected));
    assert_eq!(notice.terms, None);
}

/// What holds for each message that is written, edited or deleted.
pub(super) fn written(before: Before<'_>, command: &Command, by: &Amending, event: &Event) -> Edge {
    let way = before.way(command, &by.actor);
    let in_its_own_name = by.actor.scope == Scope::Service;
    let author = (!in_its_own_name).then_some(&by.actor.user);
    assert_eq!((event.by.as_ref(), event.client_id), (author, Some(by.client_id)));
    assert_eq!(event.private, None, "words are for everybody in the room");
    if deed::amends(command).is_some() {
        let entry = before.entry(command).expect("an entry");
        assert_eq!(&*entry.kind, "message.posted");
        assert!(entry.public.salt().is_some(), "what was deleted stays so");
        assert!(in_its_own_name || entry.by == event.by, "nobody amends what others have written");
    }
    if matches!(command, Command::MessageEdit(_)) {
        assert!(!is_old(before.entry(command).expect("an entry"), by), "{way:?}");
    }
    way
}

fn is_old(entry: &LogEntry, by: &Amending) -> bool {
    by.now > entry.at.plus_seconds(60 * i64::from(by.policy.edit_minutes))
}

/// What holds for each of these that is refused.
pub(super) fn refused(before: Before<'_>, command: &Command, by: &Amending, refusal: &Refusal) {
    let name = command.name();
    let Some(seat) = before.seat(&by.actor) else {
        assert_eq!(*refusal, Refusal::NotFound, "{command:?} by a stranger, {:?}", by.actor);
        return;
    };
    if !has_row(name, seat, None) {
        let one_of_the_two = matches!(seat, Client | Freelancer);
        let expected = if one_of_the_two { Refusal::WrongSide } else { Refusal::NotFound };
        assert_eq!(*refusal, expected, "{command:?} from {seat:?}");
        return;
    }
    if let Refusal::Account(standing) = refusal {
        assert_eq!(standing, before.standing(seat, &by.actor.user), "{command:?} from {seat:?}");
        assert_ne!(standing.status, UserStatus::Active);
    } else if matches!(command, Command::InvitationRetract(_)) {
        ledger::not_retracted(before.case, by.now, refusal);
    } else if let Refusal::WrongPhase(phase) = refusal {
        assert_eq!(*phase, before.phase());
        assert!(!has_row(name, seat, Some(*phase)), "{command:?} from {seat:?} in {phase:?}");
    } else {
        let reasons = reasons(&before, command, seat, by);
        assert!(reasons.contains(&known(refusal)), "{refusal:?} to {command:?} from {seat:?}: {reasons:?}");
    }
}

/// A refusal without its words.
fn known(refusal: &Refusal) -> Refusal {
    if matches!(refusal, Refusal::Invalid(_)) { Refusal::Invalid(String::new()) } else { refusal.clone() }
}

/// For what this may be refused, beside the phase and the account.
fn reasons(before: &Before<'_>, command: &Command, seat: Seat, by: &Amending) -> Vec<Refusal> {
    let invalid = Refusal::Invalid(String::new());
    let reasons = if let Command::MemberAdd(said) = command {
        let the_two = [&before.case.client.user, &before.case.freelancer.user].contains(&&said.user);
        let unsaid = seat == Marketplace && said.side.is_none();
        vec![
            (said.side.is_some_and(|side| side != seat.side()), Refusal::WrongSide),
            (the_two || before.members.contains_key(&said.user), Refusal::MemberExists),
            (unsaid || said.user.as_str() == "nobody", invalid),
        ]
    } else if let Command::MemberRemove(said) = command {
        let side = before.members.get(&said.user);
        let others = matches!(seat, Team | Agency) && said.user != by.actor.user;
        vec![
            (side.is_none(), Refusal::NotAMember),
            (side.is_some_and(|side| *side != seat.side() || others), Refusal::WrongSide),
        ]
    } else if let Some(entry) = before.entry(command) {
        let own = entry.by.as_ref() == Some(&by.actor.user);
        if matches!(command, Command::MessageReport(_)) {
            vec![(own, invalid), (entry.by.is_none(), Refusal::NotAMessage)]
        } else {
            vec![
                (&*entry.kind == "proposal.submitted", Refusal::CoverLetterFixed),
                (&*entry.kind != "message.posted", Refusal::NotAMessage),
                (!own, Refusal::NotTheAuthor),
                (entry.public.salt().is_none(), Refusal::AlreadyRedacted),
                (is_old(entry, by), Refusal::EditWindowOver),
            ]
        }
    } else {
        let names_an_entry = command.name().starts_with("message.");
        vec![(names_an_entry, invalid)]
    };
    reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, refusal)| refusal).collect()
}
