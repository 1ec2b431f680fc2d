//! A client with a job, a freelancer, and a server that knows both.

use anteroom_load_tests::client::{Case, at_head};
use anteroom_load_tests::history::trial::Trial;
use anteroom_load_tests::marketplace::posting;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::fee::FeeSchedule;
use anteroom_protocol::id::{InvitationId, JobId, ProposalId, RoomRef};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::Hash;
use anteroom_protocol::terms::Terms;
use serde_json::Value;

use super::{Door, Person, TestServer, ask, id};

/// The newest version of a case's terms, as commands name it.
pub(crate) fn newest(case: &Case) -> (u32, Hash) {
    (case.terms_version.expect("terms"), case.terms_hash.expect("terms"))
}

/// An entry without its private part, and without what proves that.
fn as_the_client_sees_it(mut entry: EntryFrame) -> EntryFrame {
    entry.private = None;
    if let Some(proof) = &mut entry.proof {
        (proof.private_salt, proof.private_digest) = (None, None);
    }
    entry
}

/// Where most tests begin.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) client: Person,
    pub(crate) freelancer: Person,
    pub(crate) job: JobId,
}

impl Scene {
    /// Clara, who has a job, and Felix; both come through this door.
    pub(crate) async fn new(door: Door) -> Self {
        Self::on(TestServer::start().await, door).await
    }

    /// The same on the embedded database, to whose file its test does something.
    pub(crate) async fn embedded(door: Door) -> Self {
        Self::on(TestServer::embedded(|_| {}).await, door).await
    }

    /// The same on a server of one's own.
    pub(crate) async fn on(server: TestServer, door: Door) -> Self {
        let client = Person::arrive(&server, "clara", door).await;
        let freelancer = Person::arrive(&server, "felix", door).await;
        let scene = Self { server, client, freelancer, job: id("job") };
        scene.another_job("job").await;
        scene
    }

    /// Stops the server and starts it again; everybody comes back.
    pub(crate) async fn restarted(self, door: Door) -> Self {
        self.restarted_after(0, door).await
    }

    /// The same, and it is down for so many seconds.
    pub(crate) async fn restarted_after(self, seconds: i64, door: Door) -> Self {
        let Self { server, client, freelancer, job } = self;
        let clock = server.clock.clone();
        let server = server.restart_after(|_| clock.advance_seconds(seconds)).await;
        Self {
            client: Person::come(&server, client.user, door).await,
            freelancer: Person::come(&server, freelancer.user, door).await,
            server,
            job,
        }
    }

    /// One more open job of the client's.
    pub(crate) async fn another_job(&self, name: &str) -> JobId {
        let job = id(name);
        let told = self.server.marketplace.put_job(&job, &self.client.user, "A landing page").await;
        told.expect("told of the job");
        job
    }

    /// The marketplace says what became of the job.
    pub(crate) async fn job_is(&self, status: JobStatus) {
        let mut posting = posting(&self.client.user, "A landing page");
        posting.status = status;
        self.server.marketplace.put_posting(&self.job, &posting).await.expect("told of the job");
    }

    /// The client invites the freelancer to the job.
    pub(crate) async fn invited(&mut self, terms: Option<Terms>) -> (Case, InvitationId) {
        let case = self.client.case(ask::invite(&self.job, &self.freelancer.user, terms)).await;
        self.server.repaired().await;
        let invitation = case.invitation.expect("an invitation");
        (case, invitation)
    }

    /// The freelancer proposes to do the job.
    pub(crate) async fn proposed(&mut self) -> (Case, ProposalId) {
        let case = self.freelancer.case(ask::propose(&self.job, ask::hourly(7_000))).await;
        self.server.repaired().await;
        let proposal = case.proposal.expect("a proposal");
        (case, proposal)
    }

    /// The two talk: an invitation without terms was accepted.
    pub(crate) async fn talking(&mut self) -> (Case, RoomRef) {
        let (_, invitation) = self.invited(None).await;
        let case = self.freelancer.case(ask::accept(invitation, None)).await;
        let room = case.room.expect("a room");
        (case, room)
    }

    /// The marketplace tells how fees are computed, for everything that begins from now on.
    pub(crate) async fn fees_are(&self, schedule: &FeeSchedule) {
        let service = self.server.marketplace.service();
        service.put::<Value>("/v1/fee-schedules/default", schedule).await.expect("told of the fees");
    }

    /// The two talk, and these terms of the freelancer's stand: the first version.
    pub(crate) async fn negotiating(&mut self, terms: Terms) -> (Case, RoomRef) {
        let (case, room) = self.talking().await;
        let case = self.freelancer.case(ask::propose_terms(case.candidacy, 0, terms)).await;
        (case, room)
    }

    /// The same, and the client has offered them.
    pub(crate) async fn offered(&mut self, terms: Terms) -> (Case, RoomRef) {
        let (case, room) = self.negotiating(terms).await;
        let (version, hash) = newest(&case);
        let case = self.client.case(ask::offer(case.candidacy, version, hash)).await;
        (case, room)
    }

    /// The same, and the freelancer has accepted: there is a contract.
    pub(crate) async fn hired(&mut self, terms: Terms) -> (Case, RoomRef) {
        let (case, room) = self.offered(terms).await;
        let (version, hash) = newest(&case);
        let accept = ask::accept_offer(case.offer.expect("an offer"), version, hash);
        (self.freelancer.case(accept).await, room)
    }

    /// From now on all that the two do on their sockets is written down for the judge; both have joined this room, at its head.
    pub(crate) async fn on_record(&mut self, scenario: &str, room: RoomRef) -> Trial {
        let mut trial = Trial::begin(scenario, None);
        let people = [self.client.user.clone(), self.freelancer.user.clone()];
        trial.room_of(&self.server.marketplace, room, people).await.expect("a room");
        for person in [&mut self.client, &mut self.freelancer] {
            let (scribe, token) = (trial.device(&person.user), self.server.token(&person.user));
            let connected =
                scribe.connect(&self.server.base_of(&person.user), &token, vec![at_head(room)]).await;
            person.socket = connected.expect("a socket").0;
        }
        trial
    }

    /// The room's log, which is the same for both.
    pub(crate) async fn room(&self, room: RoomRef) -> Vec<EntryFrame> {
        let entries = self.client.log(room).await;
        let of_the_freelancer: Vec<EntryFrame> =
            self.freelancer.log(room).await.into_iter().map(as_the_client_sees_it).collect();
        let of_the_client: Vec<EntryFrame> = entries.iter().cloned().map(as_the_client_sees_it).collect();
        assert_eq!(of_the_client, of_the_freelancer, "both sides see the same, but for what is private");
        entries
    }
}
