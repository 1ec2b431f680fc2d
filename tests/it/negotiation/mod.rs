//! The negotiation as a whole: whoever sends whatever in whichever order and whenever, the rules of `docs/domain.md` hold, and the log
//! alone tells what became of it. Pure: no database, no server, hundreds of talks a second.

mod checks;
mod steps;

use std::collections::BTreeSet;
use std::sync::Mutex;

use anteroom::domain::candidacy::{Case, Decision};
use anteroom::domain::log::{Head, Log, LogEntry, Sealing, seal};
use anteroom::domain::timer;
use anteroom::wire::to_wire::{Audience, entry_frame};
use anteroom_protocol::candidacy::Phase::{self, *};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::ClientId;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::{Hash, verify_chain};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use proptest::collection::vec;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use self::steps::{Step, actor, command, nothing_yet, step};
use crate::store::deed;
use crate::store::property;
use crate::support::replay::Told;

/// Which command leads from which phase to which, and whose it is. `None`: there is no open candidacy. Nothing else moves a phase but
/// [`BY_ITSELF`].
const EDGES: [(&str, Side, Option<Phase>, Phase); 56] = [
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
            Step::Scheduler { minutes } => {
                self.now = self.now.plus_seconds(minutes * 60);
                self.happen(taken);
            }
            Step::Command { actor: number, minutes, ref what } => {
                self.now = self.now.plus_seconds(minutes * 60);
                let client_id = ClientId(self.id());
                let command = command(what, &self.case);
                let actor = actor(checks::rightful(&command).filter(|_| number < 2).unwrap_or(number));
                let context = deed::context(&actor, client_id, self.now, || self.id());
                match deed::decide(&command, self.case.clone(), &context) {
                    Ok(mut decisions) => {
                        let done = decisions.pop().expect("the command's own");
                        for settled in decisions {
                            self.by_itself(settled, taken);
                        }
                        let edge = checks::done(&self.case, &command, &context, &done);
                        taken.lock().expect("no panic").insert(edge);
                        self.keep(done);
                    }
                    Err(refusal) => {
                        let settled = timer::settle(self.case.clone(), self.now);
                        let case = settled.map_or_else(|| self.case.clone(), |decision| decision.case);
                        checks::refused(&case, &command, &context, &refusal);
                    }
                }
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
        let (from, to) = checks::by_itself(&self.case, &decision, self.now);
        taken.lock().expect("no panic").insert(("-".to_owned(), Some(from.as_str()), to.as_str()));
        self.keep(decision);
    }

    /// Writes the room's log, and asks whoever has nothing but that.
    fn keep(&mut self, decision: Decision) {
        let now = self.now;
        let room = |case: &Case| case.candidacy.as_ref().and_then(|candidacy| candidacy.room);
        if room(&self.case) != room(&decision.case) {
            self.log.clear();
            self.told = Told::nothing();
        }
        self.case = decision.case;
        let Some(room) = room(&self.case) else { return };
        let freelancer = &self.case.freelancer.user;
        for event in decision.room {
            let after = self.log.last().map_or(Head::EMPTY, LogEntry::head);
            let sealing = Sealing { at: now, public_salt: [1; 16], private_salt: [2; 16], policy: 1 };
            let entry = seal(&Log::Room(room), after, event, sealing);
            self.told.read(freelancer, &entry_frame(&entry, Audience::Client, false));
            self.log.push(entry);
        }
        assert_eq!(self.told, checks::projected(&self.case));
    }

    /// The log as a client reads it: its chain holds, and so do its seals.
    fn reads_well(&self) {
        let Some(room) = self.case.candidacy.as_ref().and_then(|candidacy| candidacy.room) else { return };
        let frames: Vec<EntryFrame> =
            self.log.iter().map(|entry| entry_frame(entry, Audience::Client, true)).collect();
        let verified = verify_chain(&room.to_string(), (0, Hash::GENESIS), &frames);
        assert_eq!(verified.expect("a chain that holds").0, frames.len() as u64);
        checks::seals_hold(&frames);
        assert_eq!(Told::by(&self.case.freelancer.user, &frames), self.told, "told again from the beginning");
    }
}

#[test]
fn whoever_does_whatever_whenever_the_rules_of_the_negotiation_hold() {
    let taken = Taken::default();
    let outcome = TestRunner::new(property(3_000)).run(&vec(step(), 1..80), |steps| {
        let now = Time::from_micros(1_750_000_000_000_000);
        let mut talk = Talk { case: nothing_yet(), log: Vec::new(), told: Told::nothing(), now, ids: 0 };
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
    assert!(missing.is_empty(), "never taken: {missing:?}");
}
