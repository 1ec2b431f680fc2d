//! A small marketplace on one database: some people, their jobs, and the ways to do and to see things through the port alone.
//! Times and ids count up by themselves, so that each run is the same.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use anteroom::app::rule::About;
use anteroom::domain::actor::Actor;
use anteroom::domain::candidacy::Case;
use anteroom::domain::log::{Log, LogEntry};
use anteroom::domain::message;
use anteroom::domain::policy::Policy;
use anteroom::domain::room::Room;
use anteroom::store::{
    Access, Answer, CommitError, Committed, Moment, Page, PageSize, Range, Store, StoreError, Write,
};
use anteroom::wire::to_wire::{self, Audience, entry_frame};
use anteroom_protocol::candidacy::CaseAnswer;
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{CandidacyId, ClientId, JobId, RoomId, RoomRef, UserId};
use anteroom_protocol::job::{JobPosting, JobStatus};
use anteroom_protocol::log::{Hash, verify_chain};
use anteroom_protocol::message::MessageAnswer;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{UserProfile, UserStatus};
use async_trait::async_trait;
use uuid::Uuid;

use super::deed::{self, actor, body, by, decide, intent, person};
use crate::support::ask;

/// A database of one adapter, empty at first. It is opened once at a time.
#[async_trait(?Send)]
pub(crate) trait Database: Send + Sync {
    /// Opens it.
    async fn open(&self) -> Arc<dyn Store>;
    /// How many open it, as servers of one fleet do.
    fn nodes(&self) -> usize {
        1
    }
    /// One more of the kind, empty.
    fn another(&self) -> Box<dyn Database>;
    /// Waits until nothing is under way, in any database of the same server: until then, what was committed may be told twice.
    async fn settled(&self) {}
}

/// The marketplace. Clara and Dora have jobs, Felix and Fiona look for some, Mallory has no part in anything.
pub(crate) struct World {
    database: Box<dyn Database>,
    nodes: Vec<Arc<dyn Store>>,
    asked: AtomicUsize,
    micros: AtomicI64,
    ids: AtomicU64,
}

/// Everybody there is.
pub(crate) const PEOPLE: [&str; 5] = ["clara", "dora", "felix", "fiona", "mallory"];

/// So many entries, however long they are.
pub(crate) fn size(entries: u32) -> PageSize {
    PageSize { entries, bytes: usize::MAX }
}

/// More than any list here has.
pub(crate) const ALL: u32 = 1_000;

/// One `message.post` of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) actor: Actor,
    pub(crate) client_id: ClientId,
    pub(crate) room: RoomRef,
    pub(crate) body: String,
}

impl World {
    /// The people, and Clara's job `garden`.
    pub(crate) async fn new(database: Box<dyn Database>) -> Self {
        let world = Self::empty(database).await;
        for name in PEOPLE {
            world.tell_of(name, UserStatus::Active).await;
        }
        world.job("garden", "clara", JobStatus::Open).await;
        world
    }

    /// The same people on a database of their own.
    pub(crate) async fn another(&self) -> Self {
        Self::new(self.database.another()).await
    }

    /// Only the database, whatever is in it.
    pub(crate) async fn empty(database: Box<dyn Database>) -> Self {
        let micros = AtomicI64::new(1_750_000_000_000_000);
        let (nodes, asked) = (Vec::new(), AtomicUsize::new(0));
        let mut world = Self { database, nodes, asked, micros, ids: AtomicU64::new(1) };
        world.open_again().await;
        world
    }

    /// The same on the same data, as after a restart.
    pub(crate) async fn open_again(&mut self) {
        self.nodes.clear();
        for _ in 0..self.database.nodes() {
            self.nodes.push(self.database.open().await);
        }
    }

    /// Ends the store and gives back what its data lives in.
    pub(crate) fn close(self) -> Box<dyn Database> {
        self.database
    }

    /// In a database that was written by another world: later, and with ids above those it used.
    pub(crate) fn live_on(&self) {
        self.wait(24 * 60 * 60);
        self.ids.store(1 << 40, Ordering::Relaxed);
    }

    /// Waits until what was committed is told once, and is made ready to be found.
    pub(crate) async fn settled(&self) {
        self.database.settled().await;
    }

    /// The store; of several nodes each in turn, so that what one of them has done is at once asked of another.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.nodes[self.asked.fetch_add(1, Ordering::Relaxed) % self.nodes.len()]
    }

    /// A second later than the last time it was asked.
    pub(crate) fn now(&self) -> Time {
        Time::from_micros(self.micros.fetch_add(1_000_000, Ordering::Relaxed))
    }

    /// Later by so many seconds.
    pub(crate) fn wait(&self, seconds: i64) {
        self.micros.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// The time as it is, without a second's passing.
    pub(crate) fn same_moment(&self) -> Time {
        Time::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// An id above all before it.
    pub(crate) fn fresh(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn client_id(&self) -> ClientId {
        ClientId(self.fresh())
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now(), policy: 1 }
    }

    /// What the marketplace tells of a person.
    pub(crate) async fn tell_of(&self, name: &str, status: UserStatus) {
        self.store().put_user(&user(name), &profile(name, status), self.moment()).await.expect("kept");
    }

    /// What the marketplace tells of a job.
    pub(crate) async fn job(&self, job: &str, client: &str, status: JobStatus) -> JobId {
        let id: JobId = job.parse().expect("a job id");
        self.store().put_job(&id, &posting(client, status), self.now()).await.expect("kept");
        id
    }

    /// Does a command.
    pub(crate) async fn act(
        &self,
        actor: &Actor,
        client_id: ClientId,
        command: &Command,
    ) -> Result<Committed, CommitError> {
        if let Command::MessagePost(post) = command {
            let (actor, room, body) = (actor.clone(), post.room, post.body.clone());
            return self.commit(&[Post { actor, client_id, room, body }]).await.remove(0);
        }
        if let Some((room, seq)) = deed::amends(command) {
            return self.amend(actor, client_id, command, (room, seq)).await;
        }
        let moment = self.moment();
        let context = deed::context(actor, client_id, moment.now, || self.fresh());
        let by_the_rules = |case: Case| {
            let side = case.seat_of(&context.actor)?;
            decide(command, case, &context).map(|decisions| (decisions, side))
        };
        let intent = intent(actor, client_id, command);
        match deed::rule_of(actor, command)?.about {
            About::One(key) => self.store().change(Some(&intent), &key, moment, &by_the_rules).await,
            About::Each(candidacies) => {
                let each = |case: Case| by_the_rules(case).map_err(|refusal| to_wire::refusal(&refusal).code);
                self.store().change_each(Some(&intent), &candidacies, moment, &each).await
            }
        }
    }

    async fn amend(
        &self,
        actor: &Actor,
        client_id: ClientId,
        command: &Command,
        (room, seq): (RoomRef, u64),
    ) -> Result<Committed, CommitError> {
        let write = Write { log: Log::named(room, &actor.user), intent: intent(actor, client_id, command) };
        let moment = self.moment();
        let policy = Policy::default();
        let by = deed::amending(actor, client_id, moment.now, policy);
        let by_the_rules =
            |room: &Room, target: Option<&LogEntry>| deed::decide_amendment(command, room, target, &by);
        self.store().amend(&write, seq, moment, &by_the_rules).await
    }

    /// Does a command under a new id, and it has to be done.
    pub(crate) async fn done(&self, name: &str, command: &Command) -> CaseAnswer {
        let done = self.act(&actor(name), self.client_id(), command).await.expect("done");
        case_answer(&done)
    }

    /// Does a command under a new id, and it has to be refused.
    pub(crate) async fn refused(&self, name: &str, command: &Command) -> CommitError {
        self.act(&actor(name), self.client_id(), command).await.expect_err("refused")
    }

    /// Posts all of these in one commit.
    pub(crate) async fn commit(&self, posts: &[Post]) -> Vec<Result<Committed, CommitError>> {
        self.commit_at(self.store(), posts).await
    }

    /// The same on one node.
    pub(crate) async fn commit_at(
        &self,
        node: &Arc<dyn Store>,
        posts: &[Post],
    ) -> Vec<Result<Committed, CommitError>> {
        let writes: Vec<Write> = posts.iter().map(Post::write).collect();
        let by_the_rules = |index: usize, room: &Room| {
            let Post { actor, client_id, body: text, .. } = &posts[index];
            message::post(room, &by(&actor.user, *client_id), &body(text)?)
        };
        let outcomes = node.commit(&writes, self.moment(), &by_the_rules).await;
        assert_eq!(outcomes.len(), posts.len(), "one outcome each");
        outcomes
    }

    /// A post under a new id.
    pub(crate) fn post(&self, name: &str, room: RoomId, text: &str) -> Post {
        Post {
            actor: person(name),
            client_id: self.client_id(),
            room: RoomRef::Room(room),
            body: text.to_owned(),
        }
    }

    /// Posts one message, and it has to be written.
    pub(crate) async fn posted(&self, name: &str, room: RoomId, text: &str) -> MessageAnswer {
        message_answer(&self.commit(&[self.post(name, room, text)]).await.remove(0).expect("written"))
    }

    /// A room of Clara and this freelancer about a job of that name, which she puts up for it.
    pub(crate) async fn room(&self, job: &str, freelancer: &str) -> RoomId {
        self.case(job, freelancer).await.1
    }

    /// The candidacy and the room of Clara and this freelancer about a job of that name, which she puts up for it.
    pub(crate) async fn case(&self, job: &str, freelancer: &str) -> (CandidacyId, RoomId) {
        let job = self.job(job, "clara", JobStatus::Open).await;
        let sent = self.done("clara", &ask::invite(&job, &user(freelancer), None)).await;
        let accepted = self.done(freelancer, &ask::accept(sent.invitation.expect("its id"), None)).await;
        (accepted.candidacy, room_of(&accepted))
    }

    /// Some rooms of Clara and Felix.
    pub(crate) async fn rooms(&self, how_many: usize) -> Vec<RoomId> {
        let mut rooms = Vec::with_capacity(how_many);
        for number in 0..how_many {
            rooms.push(self.room(&format!("room-{number}"), "felix").await);
        }
        rooms
    }

    /// What this person may know of this log.
    pub(crate) async fn access(&self, name: &str, log: &Log) -> Option<Access> {
        let found = self.store().access(&user(name), &[(log.clone(), 0)]).await.expect("read");
        found.into_iter().next().expect("one answer")
    }

    /// Every entry of a log.
    pub(crate) async fn entries(&self, log: &Log) -> Vec<LogEntry> {
        let mut entries: Vec<LogEntry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.seq);
            let page = self.store().entries(log, Range::After(after), size(100)).await.expect("read");
            let is_last = page.len() < 100;
            entries.extend(page);
            if is_last {
                return entries;
            }
        }
    }

    /// Every entry of a log, after a look whether it is a log: numbers from 1 without holes, the head at its end, and a chain that
    /// either side can compute. A room has to be Clara's.
    pub(crate) async fn sound(&self, log: &Log) -> Vec<LogEntry> {
        let entries = self.entries(log).await;
        let numbers: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
        let count = u64::try_from(entries.len()).expect("a count");
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "the numbers of {log}");
        let reader = match log {
            Log::Inbox(owner) => owner.as_str(),
            Log::Room(_) => "clara",
        };
        let head = self.access(reader, log).await.expect("theirs").head;
        for audience in [Audience::Client, Audience::Freelancer] {
            let frames: Vec<EntryFrame> =
                entries.iter().map(|entry| entry_frame(entry, audience, true)).collect();
            let end = verify_chain(&log.to_string(), (0, Hash::GENESIS), &frames);
            assert_eq!(end, Ok((head.seq, head.hash)), "the chain of {log}");
        }
        assert_eq!(head.seq, count, "the head of {log}");
        entries
    }
}

impl Post {
    /// It as the port takes it.
    pub(crate) fn write(&self) -> Write {
        let command = ask::post(self.room, self.body.as_str());
        Write {
            log: Log::named(self.room, &self.actor.user),
            intent: intent(&self.actor, self.client_id, &command),
        }
    }
}

pub(crate) fn user(name: &str) -> UserId {
    name.parse().expect("a user id")
}

pub(crate) fn inbox(name: &str) -> Log {
    Log::Inbox(user(name))
}

pub(crate) fn profile(name: &str, status: UserStatus) -> UserProfile {
    UserProfile { status, ..UserProfile::active(format!("{name} of the tests")) }
}

pub(crate) fn posting(client: &str, status: JobStatus) -> JobPosting {
    JobPosting {
        client: user(client),
        title: "Something to do".into(),
        description: String::new(),
        category: None,
        url: None,
        status,
        fee_schedule: None,
    }
}

/// The first page of a list.
pub(crate) fn first<Id>(limit: u32) -> Page<Id> {
    Page { before: None, limit }
}

pub(crate) fn case_answer(done: &Committed) -> CaseAnswer {
    match &done.answer {
        Answer::Case(answer) => answer.clone(),
        Answer::Cases(_) | Answer::Message(_) => panic!("the answer to a post"),
    }
}

pub(crate) fn message_answer(done: &Committed) -> MessageAnswer {
    match &done.answer {
        Answer::Message(answer) => answer.clone(),
        Answer::Cases(_) | Answer::Case(_) => panic!("the answer to a change"),
    }
}

/// The room of a case that has one.
pub(crate) fn room_of(answer: &CaseAnswer) -> RoomId {
    match answer.room {
        Some(RoomRef::Room(room)) => room,
        Some(RoomRef::Inbox) | None => panic!("no room: {answer:?}"),
    }
}

/// The rules refuse it, and this is why.
pub(crate) fn refusal(error: CommitError) -> anteroom::domain::refusal::Refusal {
    match error {
        CommitError::Refused(refusal) => refusal,
        CommitError::Reused | CommitError::Busy(_) | CommitError::Unknown(_) => panic!("{error}"),
    }
}

/// An answer as clients get it, without the word whether it is a repeat.
pub(crate) fn told(done: &Committed) -> String {
    serde_json::to_string(&done.answer).expect("JSON")
}

/// What a store refuses to keep.
pub(crate) fn not_kept<T: Debug>(outcome: Result<T, StoreError>) {
    match outcome {
        Err(StoreError::Refused(anteroom::domain::refusal::Refusal::Invalid(_))) => {}
        other => panic!("{other:?}"),
    }
}
