//! The way to the truth: one task that takes what has queued while the last commit ran, and makes it the next commit.
//!
//! The writer is a task of its own, so a client that goes away never cancels a write. It knows no command: a job brings its own
//! decision. After each commit it hands the entries to the hub and the bus, in the order in which they were committed, and only then
//! answers.

use std::sync::Arc;
use std::sync::Mutex;

use anteroom_protocol::id::ClientId;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{AppError, Pending};
use crate::bus::Bus;
use crate::clock::Clock;
use crate::domain::candidacy::{Case, Decision};
use crate::domain::log::Event;
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;
use crate::hub::Hub;
use crate::store::{CaseKey, Committed, Intent, Moment, Store, Write};
use crate::telemetry::Metrics;

/// Decides an entry on its log as it is.
pub type DecideEntry = Box<dyn Fn(&Room) -> Result<Event, Refusal> + Send + Sync>;

/// Decides a rare command on its case as it is, at the time its entries will have; tells which side asks, too.
pub type DecideCase = Box<dyn Fn(Case, Time) -> Result<(Decision, Side), Refusal> + Send + Sync>;

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
    /// Who wants it.
    pub intent: Intent,
    /// Which case.
    pub key: CaseKey,
    /// What is decided.
    pub decide: DecideCase,
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

enum Job {
    Entry(Queued),
    Case(CaseJob, Reply),
}

/// Keeps the posts of one socket to one room in order over a retry: once one has failed retryably, later ones are held until it was
/// sent again, also those that were on their way already.
#[derive(Debug, Default)]
pub struct Lane(Mutex<LaneState>);

#[derive(Debug, Default)]
struct LaneState {
    /// How many posts have been let in or put off.
    entered: u64,
    /// The failed post that has not been sent again; the first of them, if there are several.
    waiting: Option<(Stamp, ClientId)>,
    /// The last post that failed on its way, and the last one that had been let in by then: what stood between them must not be
    /// written any more.
    closed: Option<(Stamp, ClientId)>,
}

/// The place of a post in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp(u64);

impl Lane {
    /// Lets the failed post through again, and refuses any other while there is one.
    fn enter(&self, client_id: ClientId) -> Result<Stamp, AppError> {
        self.lock().enter(client_id)
    }

    /// Refuses a post at the door, for a reason that passes: later ones are held until it was sent again. Those before it go on.
    pub(super) fn put_off(&self, client_id: ClientId) -> Result<(), AppError> {
        let mut state = self.lock();
        let stamp = state.enter(client_id)?;
        state.hold(stamp, client_id);
        Ok(())
    }

    /// Refuses a post that was let in before an earlier one failed.
    fn still_open(&self, stamp: Stamp) -> Result<(), AppError> {
        match self.lock().closed {
            Some((last, failed)) if stamp <= last => Err(AppError::Held(failed)),
            _ => Ok(()),
        }
    }

    /// Whether a failed post waits to be sent again.
    pub fn is_held(&self) -> bool {
        self.lock().waiting.is_some()
    }

    /// A post failed that was let in, but never got under way.
    fn turned_back(&self, stamp: Stamp, client_id: ClientId) {
        self.lock().hold(stamp, client_id);
    }

    /// A post failed on its way: all that are behind it are held.
    fn failed(&self, stamp: Stamp, client_id: ClientId) {
        let mut state = self.lock();
        state.hold(stamp, client_id);
        state.closed = Some((Stamp(state.entered), client_id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LaneState> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl LaneState {
    fn enter(&mut self, client_id: ClientId) -> Result<Stamp, AppError> {
        match self.waiting {
            Some((_, first)) if first != client_id => Err(AppError::Held(first)),
            _ => {
                self.waiting = None;
                self.entered += 1;
                Ok(Stamp(self.entered))
            }
        }
    }

    fn hold(&mut self, stamp: Stamp, client_id: ClientId) {
        if self.waiting.is_none_or(|(first, _)| stamp < first) {
            self.waiting = Some((stamp, client_id));
        }
    }
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
    /// This node's readers.
    pub hub: Arc<Hub>,
    /// The other nodes.
    pub bus: Arc<dyn Bus>,
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

    /// Whether there is still somebody to write.
    pub fn is_alive(&self) -> bool {
        !self.queue.is_closed()
    }

    fn give(&self, job: impl FnOnce(Reply) -> Job) -> Pending {
        let (reply, receiver) = oneshot::channel();
        match self.queue.try_send(job(reply)) {
            Ok(()) => Pending::Underway(receiver),
            Err(TrySendError::Full(_)) => {
                Pending::Refused(AppError::Busy("the writer's queue is full".into()))
            }
            Err(TrySendError::Closed(_)) => {
                Pending::Refused(AppError::Internal("the writer has ended".into()))
            }
        }
    }
}

/// What was done, and who waits to hear it.
type Told = (Result<Committed, AppError>, Reply);

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
            let mut entries = Vec::new();
            for job in jobs.drain(..) {
                match job {
                    Job::Entry(queued) => entries.push(queued),
                    Job::Case(job, reply) => {
                        // What was given before it is written before it.
                        let before = self.append(std::mem::take(&mut entries)).await;
                        // The one who tells outlives this one.
                        drop(done.send(before).await);
                        drop(done.send(vec![(self.change(&job).await, reply)]).await);
                    }
                }
            }
            drop(done.send(self.append(entries).await).await);
        }
    }

    async fn append(&self, queued: Vec<Queued>) -> Vec<Told> {
        let mut told = Vec::with_capacity(queued.len());
        let mut open = Vec::with_capacity(queued.len());
        for queued in queued {
            match queued.still_open() {
                Ok(()) => open.push(queued),
                Err(held) => told.push((Err(held), queued.reply)),
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
            told.push((outcome, reply));
        }
        told
    }

    async fn change(&self, job: &CaseJob) -> Result<Committed, AppError> {
        let started = Instant::now();
        let moment = self.moment();
        let decide = |case: Case| (job.decide)(case, moment.now);
        let outcome = self.store.change(&job.intent, &job.key, moment, &decide).await;
        self.metrics.committed(1, outcome.as_ref().map_or(0, |done| done.appended.len()), started.elapsed());
        outcome.map_err(AppError::from)
    }

    async fn tell(&self, mut told: mpsc::Receiver<Vec<Told>>) {
        while let Some(commit) = told.recv().await {
            for (outcome, reply) in commit {
                match &outcome {
                    Ok(done) => {
                        self.hub.deliver(&done.appended);
                        self.bus.announce(&done.appended);
                    }
                    Err(AppError::Busy(why) | AppError::Unknown(why)) => {
                        tracing::error!(why, "a commit failed");
                    }
                    Err(_) => {}
                }
                // Nobody waits any more: what was committed stays committed.
                drop(reply.send(outcome));
            }
        }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), policy: self.policy }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn ids() -> [ClientId; 3] {
        [1, 2, 3].map(|id| ClientId(Uuid::from_u128(id)))
    }

    fn is_held_by<T>(outcome: &Result<T, AppError>, first: ClientId) -> bool {
        matches!(outcome, Err(AppError::Held(by)) if *by == first)
    }

    #[test]
    fn after_a_failed_post_the_lane_lets_only_that_one_through() {
        let (lane, [first, second, _]) = (Lane::default(), ids());
        let stamps = [lane.enter(first), lane.enter(second)].map(|stamp| stamp.expect("an open lane"));
        lane.failed(stamps[0], first);
        assert!(lane.still_open(stamps[1]).is_err(), "one that was on its way behind it");
        assert!(is_held_by(&lane.enter(second), first));
        let again = lane.enter(first).expect("the failed one");
        assert!(lane.still_open(again).is_ok());
        assert!(lane.enter(second).is_ok());
    }

    /// The second post was queued behind the first, the first failed and was sent again at once: the second, still in the queue, must
    /// not be written before it.
    #[test]
    fn regression_a_post_let_in_before_a_failure_stays_held_after_the_failed_one_was_sent_again() {
        let (lane, [first, second, _]) = (Lane::default(), ids());
        let failed = lane.enter(first).expect("an open lane");
        let behind = lane.enter(second).expect("an open lane");
        lane.failed(failed, first);
        lane.enter(first).expect("the failed one, again");
        assert!(is_held_by(&lane.still_open(behind), first));
    }

    /// The third post found the queue full. The two before it were in the queue, and were held by it when their turn came: the client
    /// then sent the third one first.
    #[test]
    fn regression_a_post_that_is_refused_at_the_door_holds_those_behind_it_and_not_those_before_it() {
        for at_once in [true, false] {
            let (lane, [first, second, third]) = (Lane::default(), ids());
            let before = lane.enter(first).expect("an open lane");
            if at_once {
                lane.put_off(second).expect("put off");
            } else {
                let stamp = lane.enter(second).expect("an open lane");
                lane.turned_back(stamp, second);
            }
            assert!(lane.still_open(before).is_ok());
            assert!(is_held_by(&lane.enter(third), second));
            assert!(is_held_by(&lane.put_off(third), second));
            let again = lane.enter(second).expect("the one that waits");
            assert!(lane.still_open(again).is_ok() && lane.enter(third).is_ok());
        }
    }

    #[test]
    fn of_two_that_failed_the_earlier_one_is_waited_for_whichever_was_refused_first() {
        let (lane, [first, second, _]) = (Lane::default(), ids());
        let stamp = lane.enter(first).expect("an open lane");
        lane.put_off(second).expect("put off");
        lane.failed(stamp, first);
        assert!(is_held_by(&lane.enter(second), first));
        let again = lane.enter(first).expect("the earlier one");
        assert!(lane.still_open(again).is_ok());
    }
}
