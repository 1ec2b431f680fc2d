//! The way to the truth: one task that takes what has queued while the last commit ran, and makes it the next commit.
//!
//! The writer is a task of its own, so a client that goes away never cancels a write. It knows no command: a job brings its own
//! decision. After each commit it hands the entries to the hub and the bus, in the order in which they were committed, and only then
//! answers.

use std::sync::Arc;

use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::lane::{Lane, Stamp};
use super::rule::About;
use super::telling::Telling;
use super::{AppError, Pending, marker};
use crate::clock::Clock;
use crate::domain::candidacy::{Case, Decision};
use crate::domain::log::{Event, LogEntry};
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;
use crate::store::{Committed, Intent, Mark, Marked, Moment, Store, Write};
use crate::telemetry::Metrics;
use crate::wire::to_wire;

/// Decides an entry on its log as it is.
pub type DecideEntry = Box<dyn Fn(&Room) -> Result<Event, Refusal> + Send + Sync>;

/// Decides a rare command on its case as it is, at the time its entries will have; tells which side asks, too.
pub type DecideCase = Box<dyn Fn(Case, Time) -> Result<(Vec<Decision>, Side), Refusal> + Send + Sync>;

/// A write of one entry into one log.
pub struct EntryJob {
    /// Where, and who wants it.
    pub write: Write,
    /// What is decided.
    pub decide: DecideEntry,
    /// The order it stands in.
    pub lane: Option<Arc<Lane>>,
}

/// A rare command over a case and several logs.
pub struct CaseJob {
    /// Who wants it; `None`: nobody, it is due by itself.
    pub intent: Option<Intent>,
    /// Which cases.
    pub about: About,
    /// What is decided.
    pub decide: DecideCase,
}

/// Decides an edit or a redaction on its log as it is and the entry it names, at the time its entry will have.
pub type DecideAmendment =
    Box<dyn Fn(&Room, Option<&LogEntry>, Time) -> Result<Event, Refusal> + Send + Sync>;

/// An edit or a redaction of an entry.
pub struct AmendJob {
    /// Where, and who wants it.
    pub write: Write,
    /// The number of the entry.
    pub target: u64,
    /// What is decided.
    pub decide: DecideAmendment,
}

type Reply = oneshot::Sender<Result<Committed, AppError>>;

/// An entry that waits to be written, with its place in its lane.
struct Queued {
    job: EntryJob,
    stamp: Option<Stamp>,
    reply: Reply,
}

impl Queued {
    fn still_open(&self) -> Result<(), AppError> {
        match (&self.job.lane, self.stamp) {
            (Some(lane), Some(stamp)) => lane.still_open(stamp),
            _ => Ok(()),
        }
    }
}

/// Where the outcome of a marker goes.
type MarkReply = oneshot::Sender<Result<Marked, AppError>>;

enum Job {
    Entry(Queued),
    Case(CaseJob, Reply),
    Amend(AmendJob, Reply),
    Mark(Mark, MarkReply),
}

/// The handle to the writer.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

/// What the writer's task works with.
pub struct WriterTask {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Who is told.
    pub telling: Arc<Telling>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// The policy's version.
    pub policy: u32,
    /// Commands in one commit.
    pub batch: usize,
}

impl Writer {
    /// A handle, and the future that does the work: it ends when every handle is gone and everything given is done.
    pub fn new(task: WriterTask, queue: usize) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(queue);
        (Self { queue: sender }, task.run(receiver))
    }

    /// Gives the writer an entry to write.
    pub fn append(&self, job: EntryJob) -> Pending {
        let (lane, client_id) = (job.lane.clone(), job.write.intent.client_id);
        let stamp = match lane.as_ref().map(|lane| lane.enter(client_id)).transpose() {
            Ok(stamp) => stamp,
            Err(held) => return Pending::Refused(held),
        };
        let pending = self.give(|reply| Job::Entry(Queued { job, stamp, reply }));
        if let (Pending::Refused(_), Some(lane), Some(stamp)) = (&pending, lane, stamp) {
            lane.turned_back(stamp, client_id);
        }
        pending
    }

    /// Gives the writer a rare command.
    pub fn change(&self, job: CaseJob) -> Pending {
        self.give(|reply| Job::Case(job, reply))
    }

    /// Gives the writer an edit or a redaction.
    pub fn amend(&self, job: AmendJob) -> Pending {
        self.give(|reply| Job::Amend(job, reply))
    }

    /// Gives the writer a marker to move. The outcome comes through the receiver.
    ///
    /// # Errors
    /// The queue is full, or the writer has ended.
    pub fn mark(&self, mark: Mark) -> Result<oneshot::Receiver<Result<Marked, AppError>>, AppError> {
        let (reply, receiver) = oneshot::channel();
        self.enqueue(Job::Mark(mark, reply)).map(|()| receiver)
    }

    /// Whether there is still somebody to write.
    pub fn is_alive(&self) -> bool {
        !self.queue.is_closed()
    }

    fn give(&self, job: impl FnOnce(Reply) -> Job) -> Pending {
        let (reply, receiver) = oneshot::channel();
        match self.enqueue(job(reply)) {
            Ok(()) => Pending::Underway(receiver),
            Err(error) => Pending::Refused(error),
        }
    }

    fn enqueue(&self, job: Job) -> Result<(), AppError> {
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => AppError::Busy("the writer's queue is full".into()),
            TrySendError::Closed(_) => AppError::Internal("the writer has ended".into()),
        })
    }
}

/// What was done, and who waits to hear it.
enum Told {
    Command(Result<Committed, AppError>, Reply),
    Marked(Mark, Result<Marked, AppError>, MarkReply),
}

/// Commits that may be told while the next one is already being written.
const UNTOLD_COMMITS: usize = 2;

impl WriterTask {
    /// Writes, and tells what was written while the next commit is under way: in the order of the commits, and only after each.
    async fn run(self, queue: mpsc::Receiver<Job>) {
        let (done, told) = mpsc::channel(UNTOLD_COMMITS);
        tokio::join!(self.write(queue, done), self.tell(told));
    }

    async fn write(&self, mut queue: mpsc::Receiver<Job>, done: mpsc::Sender<Vec<Told>>) {
        let mut jobs = Vec::with_capacity(self.batch);
        while queue.recv_many(&mut jobs, self.batch).await > 0 {
            let (mut entries, mut marks) = (Vec::new(), Vec::new());
            for job in jobs.drain(..) {
                let alone = match job {
                    Job::Entry(queued) => {
                        entries.push(queued);
                        continue;
                    }
                    Job::Mark(mark, reply) => {
                        marks.push((mark, reply));
                        continue;
                    }
                    alone @ (Job::Case(..) | Job::Amend(..)) => alone,
                };
                // What was given before it is written before it. The one who tells outlives this one.
                drop(done.send(self.append(std::mem::take(&mut entries)).await).await);
                drop(done.send(self.alone(alone).await).await);
            }
            drop(done.send(self.append(entries).await).await);
            // Behind the entries, which they may name.
            drop(done.send(self.mark(marks).await).await);
        }
    }

    async fn append(&self, queued: Vec<Queued>) -> Vec<Told> {
        let mut told = Vec::with_capacity(queued.len());
        let mut open = Vec::with_capacity(queued.len());
        for queued in queued {
            match queued.still_open() {
                Ok(()) => open.push(queued),
                Err(held) => told.push(Told::Command(Err(held), queued.reply)),
            }
        }
        if open.is_empty() {
            return told;
        }
        let started = Instant::now();
        let writes: Vec<Write> = open.iter().map(|queued| queued.job.write.clone()).collect();
        let decide = |index: usize, room: &Room| match open.get(index) {
            Some(queued) => (queued.job.decide)(room),
            None => Err(Refusal::NotFound),
        };
        let outcomes = self.store.commit(&writes, self.moment(), &decide).await;
        let entries = outcomes.iter().flatten().map(|done| done.appended.len()).sum();
        self.metrics.committed(writes.len(), entries, started.elapsed());
        for (Queued { job, stamp, reply }, outcome) in open.into_iter().zip(outcomes) {
            let outcome = outcome.map_err(AppError::from);
            // Before the next commit, which must hold what stands behind it.
            if let (Err(error), Some(lane), Some(stamp)) = (&outcome, &job.lane, stamp)
                && error.body().retryable
            {
                lane.failed(stamp, job.write.intent.client_id);
            }
            told.push(Told::Command(outcome, reply));
        }
        told
    }

    /// Does a job that has a transaction of its own.
    async fn alone(&self, job: Job) -> Vec<Told> {
        match job {
            Job::Case(job, reply) => vec![Told::Command(self.change(&job).await, reply)],
            Job::Amend(job, reply) => vec![Told::Command(self.amend(&job).await, reply)],
            Job::Entry(queued) => self.append(vec![queued]).await,
            Job::Mark(mark, reply) => self.mark(vec![(mark, reply)]).await,
        }
    }

    async fn amend(&self, job: &AmendJob) -> Result<Committed, AppError> {
        let moment = self.moment();
        let decide = |room: &Room, target: Option<&LogEntry>| (job.decide)(room, target, moment.now);
        self.store.amend(&job.write, job.target, moment, &decide).await.map_err(AppError::from)
    }

    async fn mark(&self, marks: Vec<(Mark, MarkReply)>) -> Vec<Told> {
        if marks.is_empty() {
            return Vec::new();
        }
        let (marks, replies): (Vec<Mark>, Vec<MarkReply>) = marks.into_iter().unzip();
        let outcomes = self.store.mark(&marks).await;
        marks
            .into_iter()
            .zip(outcomes)
            .zip(replies)
            .map(|((mark, outcome), reply)| Told::Marked(mark, outcome.map_err(AppError::from), reply))
            .collect()
    }

    async fn change(&self, job: &CaseJob) -> Result<Committed, AppError> {
        let started = Instant::now();
        let moment = self.moment();
        let decide = |case: Case| (job.decide)(case, moment.now);
        let outcome = match &job.about {
            About::One(key) => self.store.change(job.intent.as_ref(), key, moment, &decide).await,
            About::Each(candidacies) => {
                let decide = |case: Case| decide(case).map_err(|refusal| to_wire::refusal(&refusal).code);
                self.store.change_each(job.intent.as_ref(), candidacies, moment, &decide).await
            }
        };
        self.metrics.committed(1, outcome.as_ref().map_or(0, |done| done.appended.len()), started.elapsed());
        outcome.map_err(AppError::from)
    }

    async fn tell(&self, mut told: mpsc::Receiver<Vec<Told>>) {
        while let Some(commit) = told.recv().await {
            // Where nobody waits for an answer any more, what was committed stays committed.
            for told in commit {
                match told {
                    Told::Command(outcome, reply) => {
                        self.tell_of(&outcome);
                        drop(reply.send(outcome));
                    }
                    Told::Marked(mark, outcome, reply) => {
                        if let Ok(marked) = &outcome {
                            marker::tell(self.telling.hub(), &mark, marked);
                        }
                        drop(reply.send(outcome));
                    }
                }
            }
        }
    }

    fn tell_of(&self, outcome: &Result<Committed, AppError>) {
        match outcome {
            Ok(done) => self.telling.committed(&done.appended),
            Err(AppError::Busy(why) | AppError::Unknown(why)) => tracing::error!(why, "a commit failed"),
            Err(_) => {}
        }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), policy: self.policy }
    }
}
