//! What there is to be seen in a world: everything that anybody can read, a case as the next decision finds it, and what is due.

use std::sync::Mutex;

use anteroom::domain::candidacy::Case;
use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::store::{CaseKey, Committed, Due};
use anteroom_protocol::id::{CandidacyId, RoomRef};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use super::deed;
use super::world::{ALL, PEOPLE, World, first, inbox, refusal, user};

impl World {
    /// Everything that anybody can read, in words.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let (store, mut seen) = (self.store(), Vec::new());
        for name in PEOPLE {
            seen.extend(self.seen_by(name, self.same_moment()).await);
        }
        seen.push(format!("{:?}", store.reports(first(ALL)).await.expect("read")));
        seen
    }

    /// Everything that this person can read at this time, in words.
    pub(super) async fn seen_by(&self, name: &str, at: Time) -> Vec<String> {
        let (store, reader, mut seen) = (self.store(), user(name), Vec::new());
        for side in [Side::Client, Side::Freelancer] {
            let rows = store.ledger(&reader, side, first(ALL)).await.expect("read");
            seen.push(format!("{rows:?}"));
        }
        for room in store.rooms(&reader, first(ALL)).await.expect("read") {
            let RoomRef::Room(id) = room.room else { panic!("an inbox among the rooms") };
            seen.push(format!("{room:?} {:?}", self.entries(&Log::Room(id)).await));
        }
        seen.push(format!("{:?}", self.entries(&inbox(name)).await));
        seen.push(format!("{:?}", store.invitations(&reader, None, first(ALL), at).await.expect("read")));
        seen.push(format!("{:?}", store.proposals(&reader, None, first(ALL)).await.expect("read")));
        for view in store.candidacies(&reader, None, None, first(ALL)).await.expect("read") {
            seen.push(format!("{view:?} {:?}", store.terms(&reader, view.id).await.expect("read")));
            if let Some(contract) = &view.contract {
                seen.push(format!("{:?}", store.contract(&reader, contract).await.expect("read")));
            }
        }
        seen
    }

    /// The case of this key as the next decision finds it.
    pub(super) async fn look_at(&self, key: &CaseKey) -> Case {
        let kept = Mutex::new(None);
        let look = |case: Case| {
            *kept.lock().expect("no panic") = Some(case);
            Err(Refusal::Forbidden)
        };
        let looked = self.store().change(None, key, self.moment(), &look).await;
        assert_eq!(refusal(looked.expect_err("only looked")), Refusal::Forbidden);
        kept.into_inner().expect("no panic").expect("looked at")
    }

    /// What is due at this time.
    pub(super) async fn due(&self, at: Time) -> Vec<Due> {
        self.store().due(at, ALL).await.expect("read")
    }

    /// Does to this candidacy what happens to it by itself.
    pub(super) async fn happen(&self, candidacy: CandidacyId) -> Committed {
        let moment = self.moment();
        let decide = |case: Case| deed::happens(case, moment.now).map(|decisions| (decisions, Side::Client));
        let happened = self.store().change(None, &CaseKey::Candidacy(candidacy), moment, &decide).await;
        happened.expect("it was due")
    }

    /// Does all that is due now.
    pub(super) async fn all_happens(&self) {
        for due in self.due(self.same_moment()).await {
            match due {
                Due::Candidacy(candidacy) => drop(self.happen(candidacy).await),
                Due::Job(job) => self.store().job_ended(&job).await.expect("kept"),
            }
        }
    }
}
