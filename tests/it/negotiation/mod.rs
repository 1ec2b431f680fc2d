//! The negotiation as a whole: whoever sends whatever in whichever order and whenever, the rules of `docs/domain.md` hold, and the log
//! alone tells what became of it, and who is there. Pure: no database, no server, hundreds of talks a second.

mod checks;
mod ledger;
mod people;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use anteroom::domain::actor::Actor;
use anteroom::domain::candidacy::{Case, Decision, Pointed};
use anteroom::domain::log::{Event, Head, Log, LogEntry, Part, Sealing, seal};
use anteroom::domain::message::{self, Amending};
use anteroom::domain::policy::Policy;
use anteroom::domain::room::{Member, Room};
use anteroom::domain::timer;
use anteroom::domain::user::{Party, Standing};
use anteroom::wire::to_wire::{Audience, entry_frame};
use anteroom_protocol::candidacy::Phase::{self, *};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::{EntryFrame, MessageEdited};
use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::{Hash, verify_chain};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Side, UserStatus};
use proptest::collection::vec;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use self::people::{Before, Beside};
use self::steps::{Step, actor, command, nothing_yet, step};
use crate::store::deed;
use crate::store::property;
use crate::support::replay::Told;

/// Which command leads from which phase to which, and whose it is. `None`: there is no open candidacy. Nothing else moves a phase but
/// [`BY_ITSELF`]; what moves none is in [`people::BESIDE`].
const EDGES: [(&str, Side, Option<Phase>, Phase); 59] = [
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
    ("proposal.answer", Side::Client, Some(Submitted), Offered),
    ("proposal.decline", Side::Client, Some(Submitted), Declined),
    ("proposal.withdraw", Side::Freelancer, Some(Submitted), Withdrawn),
    ("candidacy.decline", Side::Client, Some(Active), Declined),
    ("candidacy.decline", Side::Client, Some(Offered), Declined),
    ("candidacies.decline", Side::Client, Some(Submitted), Declined),
    ("candidacies.decline", Side::Client, Some(Active), Declined),
    ("candidacies.decline", Side::Client, Some(Offered), Declined),
    ("candidacy.withdraw", Side::Freelancer, Some(Active), Withdrawn),
    ("candidacy.withdraw", Side::Freelancer, Some(Offered), Withdrawn),
    ("terms.propose", Side::Freelancer, Some(Submitted), Submitted),
    ("terms.propose", Side::Freelancer, Some(Active), Active),
    ("terms.propose", Side::Freelancer, Some(Offered), Offered),
    ("terms.propose", Side::Client, Some(Active), Active),
    ("terms.propose", Side::Client, Some(Offered), Offered),
    ("terms.accept", Side::Freelancer, Some(Active), Active),
    ("terms.accept", Side::Freelancer, Some(Offered), Offered),
    ("terms.decline", Side::Freelancer, Some(Active), Active),
    ("terms.decline", Side::Freelancer, Some(Offered), Offered),
    ("terms.withdraw", Side::Client, Some(Active), Active),
    ("terms.withdraw", Side::Client, Some(Offered), Offered),
    ("terms.acknowledge", Side::Freelancer, Some(Active), Active),
    ("terms.acknowledge", Side::Freelancer, Some(Offered), Offered),
    ("terms.acknowledge", Side::Client, Some(Active), Active),
    ("terms.acknowledge", Side::Client, Some(Offered), Offered),
    ("offer.make", Side::Client, Some(Active), Offered),
    ("offer.change", Side::Client, Some(Offered), Offered),
    ("offer.request_change", Side::Freelancer, Some(Offered), Offered),
    ("offer.withdraw", Side::Client, Some(Offered), Active),
    ("offer.decline", Side::Freelancer, Some(Offered), Active),
    ("offer.accept", Side::Freelancer, Some(Offered), Hired),
    ("contract.form", Side::Client, Some(Active), Hired),
    ("contract.form", Side::Client, Some(Offered), Hired),
    ("contract.form", Side::Client, None, Hired),
    ("contract.end", Side::Client, Some(Hired), Closed),
    ("invitation.remove", Side::Client, Some(Invited), Closed),
    ("invitation.remove", Side::Client, Some(Archived), Closed),
    ("invitation.remove", Side::Client, None, Declined),
    ("invitation.remove", Side::Client, None, Withdrawn),
    ("invitation.remove", Side::Client, None, Expired),
    ("invitation.remove", Side::Client, None, Closed),
    ("candidacy.reopen", Side::Client, None, Invited),
    ("candidacy.reopen", Side::Client, None, Submitted),
    ("candidacy.reopen", Side::Client, None, Active),
    ("candidacy.reopen", Side::Freelancer, None, Invited),
    ("candidacy.reopen", Side::Freelancer, None, Submitted),
    ("candidacy.reopen", Side::Freelancer, None, Active),
];

/// What leads from which phase to which when nobody does anything: time, and the end of the job.
const BY_ITSELF: [(Phase, Phase); 10] = [
    (Invited, Expired),
    (Archived, Expired),
    (Offered, Active),
    (Active, Active),
    (Offered, Offered),
    (Invited, Closed),
    (Archived, Closed),
    (Submitted, Closed),
    (Active, Closed),
    (Offered, Closed),
];

/// One talk: the case, its room's log, the time, and what is counted to make ids.
struct Talk {
    case: Case,
    log: Vec<LogEntry>,
    /// What the log has told so far.
    told: Told,
    /// What the marketplace has told of people beside the two.
    known: BTreeMap<UserId, Standing>,
    now: Time,
    ids: u128,
}

/// What was done: its name, from where, and to which phase.
type Edge = (String, Option<&'static str>, &'static str);

/// The edges that were taken, so that a test that stopped testing is found out.
type Taken = Mutex<BTreeSet<Edge>>;

impl Talk {
    /// Nothing was said, and everybody may speak.
    fn new() -> Self {
        let now = Time::from_micros(1_750_000_000_000_000);
        let known = ["tina", "max"].map(|name| (name.parse().expect("an id"), Standing::default())).into();
        Self { case: nothing_yet(), log: Vec::new(), told: Told::nothing(), known, now, ids: 0 }
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn step(&mut self, step: &Step, taken: &Taken) {
        match *step {
            Step::Job(status) => self.case.job.status = status,
            Step::Account(name, status) => self.account(name, status),
            Step::Scheduler { minutes } => {
                self.now = self.now.plus_seconds(minutes * 60);
                self.happen(taken);
            }
            Step::Command { actor: number, minutes, ref what } => {
                self.now = self.now.plus_seconds(minutes * 60);
                let command = command(what, &self.case);
                let actor = actor(checks::rightful(&command).filter(|_| number < 2).unwrap_or(number));
                self.decide(&actor, &command, taken);
            }
            Step::Beside(ref several) => {
                for (what, minutes) in several {
                    self.now = self.now.plus_seconds(minutes * 60);
                    self.beside(what, taken);
                }
            }
        }
    }

    fn beside(&mut self, what: &Beside, taken: &Taken) {
        let what = what.clone().by_whom(&self.log);
        let Some(command) = what.command(&self.case, &self.log) else { return };
        if command.name().starts_with("message.") && command.name() != "message.report" {
            self.write(what.actor(), &command, taken);
        } else {
            self.decide(what.actor(), &command, taken);
        }
    }

    /// The marketplace tells of somebody.
    fn account(&mut self, name: &str, status: UserStatus) {
        let Case { client, freelancer, members, .. } = &mut self.case;
        let parties = [client, freelancer].into_iter().chain(members.iter_mut().map(|it| &mut it.party));
        for party in parties.filter(|party| party.user.as_str() == name) {
            party.standing.status = status;
        }
        for (_, standing) in self.known.iter_mut().filter(|(user, _)| user.as_str() == name) {
            standing.status = status;
        }
    }

    /// The case as it is found for this command: with whom and what it names.
    fn found(&self, command: &Command) -> Case {
        let named = if let Command::MemberAdd(said) = command { Some(&said.user) } else { None };
        let named = named.and_then(|user| self.known.get_key_value(user));
        let seq = if let Command::MessageReport(said) = command { said.seq } else { 0 };
        let pointed = self.log.iter().find(|entry| entry.seq == seq);
        Case {
            named: named.map(|(user, standing)| Party { user: user.clone(), standing: standing.clone() }),
            pointed: pointed.map(|it| Pointed { seq, kind: it.kind.to_string(), by: it.by.clone() }),
            ..self.case.clone()
        }
    }

    fn before<'a>(&'a self, case: &'a Case) -> Before<'a> {
        Before { case, members: &self.told.members, known: &self.known, log: &self.log }
    }

    /// What changes a case.
    fn decide(&mut self, actor: &Actor, command: &Command, taken: &Taken) {
        let client_id = ClientId(self.id());
        let context = deed::context(actor, client_id, self.now, || self.id());
        match deed::decide(command, self.found(command), &context) {
            Ok(mut decisions) => {
                let done = decisions.pop().expect("the command's own");
                for settled in decisions {
                    self.by_itself(settled, taken);
                }
                let edge = if people::is_beside(command) {
                    people::done(self.before(&self.case), command, &context, &done)
                } else {
                    ledger::goes_on(&self.case, &done.case);
                    checks::done(&self.case, command, &context, &done)
                };
                taken.lock().expect("no panic").insert(edge);
                self.keep(done);
            }
            Err(refusal) => {
                let settled = timer::settle(self.case.clone(), self.now);
                let case = settled.map_or_else(|| self.case.clone(), |decision| decision.case);
                if people::is_beside(command) {
                    let by = self.amending(actor, client_id);
                    people::refused(self.before(&case), command, &by, &refusal);
                } else {
                    checks::refused(&case, command, &context, &refusal);
                }
            }
        }
    }

    fn amending(&self, actor: &Actor, client_id: ClientId) -> Amending {
        deed::amending(actor, client_id, self.now, Policy::default())
    }

    /// The room of the case, as a write into it is decided on.
    fn room(&self) -> Option<Room> {
        let candidacy = self.case.candidacy.as_ref()?;
        let two = [Side::Client, Side::Freelancer];
        let two = two.map(|side| Member { party: self.case.party(side).clone(), side });
        Some(Room {
            log: Log::Room(candidacy.room?),
            candidacy: Some((candidacy.id, candidacy.phase)),
            members: two.into_iter().chain(self.case.members.iter().cloned()).collect(),
            head: self.log.last().map_or(Head::EMPTY, LogEntry::head),
        })
    }

    /// What is written into the room alone.
    fn write(&mut self, actor: &Actor, command: &Command, taken: &Taken) {
        let client_id = ClientId(self.id());
        let by = self.amending(actor, client_id);
        let room = self.room().expect("a room");
        let target = deed::amends(command).map_or(0, |(_, seq)| seq);
        let entry = self.log.iter().find(|entry| entry.seq == target);
        let decided = if let Command::MessagePost(said) = command {
            deed::body(&said.body)
                .and_then(|body| message::post(&room, &deed::by(&actor.user, by.client_id), &body))
        } else {
            deed::decide_amendment(command, &room, entry, &by)
        };
        match decided {
            Ok(event) => {
                let edge = people::written(self.before(&self.case), command, &by, &event);
                taken.lock().expect("no panic").insert(edge);
                self.append(&room.log, event);
                self.amend(target, matches!(command, Command::MessageRedact(_)));
                assert_eq!(self.told, checks::projected(&self.case), "words change nothing");
            }
            Err(refusal) => people::refused(self.before(&self.case), command, &by, &refusal),
        }
    }

    /// What becomes of an entry that the last one amends: with its text every version of it is deleted.
    fn amend(&mut self, target: u64, redacts: bool) {
        let newest = self.log.last().map(|entry| entry.seq);
        for entry in self.log.iter_mut().filter(|_| target > 0) {
            let edited = || serde_json::from_str::<MessageEdited>(entry.public.json()).ok();
            let is_version = &*entry.kind == "message.edited" && edited().is_some_and(|it| it.seq == target);
            if entry.seq == target {
                entry.amended_by = newest;
            }
            if redacts && (entry.seq == target || is_version) {
                entry.public = Part::Deleted(entry.public.digest());
            }
        }
    }

    /// What the scheduler does when it comes to this case.
    fn happen(&mut self, taken: &Taken) {
        if let Some(settled) = timer::settle(self.case.clone(), self.now) {
            self.by_itself(settled, taken);
        }
        assert!(timer::settle(self.case.clone(), self.now).is_none(), "what is due happens once");
        if self.case.job.status != JobStatus::Open
            && let Some(closed) = timer::close(self.case.clone(), self.now)
        {
            self.by_itself(closed, taken);
        }
    }

    fn by_itself(&mut self, decision: Decision, taken: &Taken) {
        ledger::goes_on(&self.case, &decision.case);
        let (from, to) = checks::by_itself(&self.case, &decision, self.now);
        taken.lock().expect("no panic").insert(("-".to_owned(), Some(from.as_str()), to.as_str()));
        self.keep(decision);
    }

    /// Writes the room's log, and asks whoever has nothing but that.
    fn keep(&mut self, decision: Decision) {
        let room = |case: &Case| case.candidacy.as_ref().and_then(|candidacy| candidacy.room);
        if room(&self.case) != room(&decision.case) {
            self.log.clear();
            self.told = Told::nothing();
        }
        self.case = Case { named: None, pointed: None, ..decision.case };
        let Some(room) = room(&self.case) else { return };
        for event in decision.room {
            self.append(&Log::Room(room), event);
        }
        assert_eq!(self.told, checks::projected(&self.case));
    }

    fn append(&mut self, log: &Log, event: Event) {
        let after = self.log.last().map_or(Head::EMPTY, LogEntry::head);
        let sealing = Sealing { at: self.now, public_salt: [1; 16], private_salt: [2; 16], policy: 1 };
        let entry = seal(log, after, event, sealing);
        self.told.read(&self.case.freelancer.user, &entry_frame(&entry, Audience::Client, false));
        self.log.push(entry);
    }

    /// The log as each side reads it: its chain holds, and so do its seals.
    fn reads_well(&self) {
        let Some(room) = self.case.candidacy.as_ref().and_then(|candidacy| candidacy.room) else { return };
        for audience in [Audience::Client, Audience::Freelancer] {
            let frames: Vec<EntryFrame> =
                self.log.iter().map(|entry| entry_frame(entry, audience, true)).collect();
            let verified = verify_chain(&room.to_string(), (0, Hash::GENESIS), &frames);
            assert_eq!(verified.expect("a chain that holds").0, frames.len() as u64);
            checks::seals_hold(&frames);
            assert_eq!(
                Told::by(&self.case.freelancer.user, &frames),
                self.told,
                "told again from the beginning"
            );
        }
    }
}

#[test]
fn whoever_does_whatever_whenever_the_rules_of_the_negotiation_hold() {
    let taken = Taken::default();
    let outcome = TestRunner::new(property(3_000)).run(&vec(step(), 1..120), |steps| {
        let mut talk = Talk::new();
        for step in &steps {
            talk.step(step, &taken);
        }
        talk.reads_well();
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));

    let taken = taken.into_inner().expect("no panic");
    let mut missing = Vec::new();
    let by_itself = BY_ITSELF.map(|(from, to)| ("-", Some(from), to));
    for (name, from, to) in EDGES.map(|(name, _, from, to)| (name, from, to)).into_iter().chain(by_itself) {
        let edge = (name.to_owned(), from.map(Phase::as_str), to.as_str());
        missing.extend((!taken.contains(&edge)).then_some(edge));
    }
    missing.extend(people::ways().filter(|way| !taken.contains(way)));
    assert!(missing.is_empty(), "never taken: {missing:?}");
}
