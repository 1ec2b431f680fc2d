//! The port to the database, and its contract. SQL is the truth: what is not committed here did not happen.
//!
//! Every adapter keeps these promises, and the suite in `tests/it/store/` holds each adapter to them:
//!
//! - **Acknowledged means committed.** A method that writes returns `Ok` only after the commit returned, on storage that survives a
//!   crash. When the outcome cannot be known, it says [`CommitError::Unknown`], never anything else.
//! - **Numbers without holes.** The entries of a log are numbered 1, 2, 3 … in the order of their commits. A refused, repeated or
//!   failed write uses up no number.
//! - **Decided on the truth.** A decision is made on the log's head, phase and members as they are at the commit; where they
//!   changed in between, the adapter asks for the decision again. A decision may therefore be asked for more than once.
//! - **Once.** A command is known by its actor and client id for as long as its log lives. The same command again writes nothing
//!   and gets the same answer; another command under that id is [`CommitError::Reused`]. Refused commands leave no trace.
//! - **Neighbours.** In a batch, commands of one log are decided in turn, each on its predecessor's result; a command that is refused,
//!   repeated or fails never changes what happens to other authors' commands. When one fails that may be tried again, its author's later
//!   ones into the same log fail with it: written first, they would stand before it.
//! - **Deleted is deleted.** After a redaction no table holds the text any more, nor what it could be guessed from; number, digest and
//!   chain stay, and a repeat of the redacted command is a repeat, whatever it says.
//! - **Strangers.** What a reader is not a party of is answered exactly like what does not exist.

mod change;
mod event;
mod ledger;
mod lookback;
mod marker;
mod marketplace;
pub mod moving;
mod outcome;
pub mod postgres;
mod push;
mod sql;
pub mod sqlite;
mod transcript;
mod views;
mod webhook;

use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{
    CandidacyId, ClientId, ContractId, InvitationId, JobId, OfferId, ProposalId, RoomId, UserId,
};
use anteroom_protocol::log::Hash;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Side, UserProfile};
use async_trait::async_trait;

pub use self::change::{Growth, Position};
pub use self::event::{Events, Feed, LogKey, LogPlace, Told};
pub use self::ledger::{DecideResponsiveness, Ledger, LedgerItem, LedgerPlace};
pub use self::lookback::{Grown, LookBack};
pub use self::marker::{Mark, Marked, Place, Reach};
pub use self::marketplace::Marketplace;
pub use self::outcome::{Answer, Appended, CommitError, Committed, StoreError};
pub use self::push::{Browser, PUSH_LEASE, Push, PushKey, PushWishes, Pushed, Pushes};
pub use self::transcript::{Archive, Subject};
pub use self::views::Views;
pub use self::webhook::{Attempt, Begin, HeldLog, Kept, LEASE, Lane, Round, Settled, Webhooks};
use crate::domain::candidacy::{Case, Decision};
use crate::domain::log::{Event, Head, Log, LogEntry};
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;

/// What tells a repeat from another command under the same client id: a keyed hash of the command.
pub type Mac = [u8; 16];

/// Who wants something kept, under which id, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The name under which the client id is unique ([`crate::domain::actor::Actor::key`]).
    pub actor: String,
    /// The author's id for it.
    pub client_id: ClientId,
    /// Stands for its content.
    pub mac: Mac,
}

/// When and under which policy something is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time of the entries.
    pub now: Time,
    /// The policy's version.
    pub policy: u32,
}

/// A write of one entry into one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The log.
    pub log: Log,
    /// The command behind it.
    pub intent: Intent,
}

/// Decides the write of this index on the log as it is.
pub type DecideEntry<'a> = &'a (dyn Fn(usize, &Room) -> Result<Event, Refusal> + Send + Sync);

/// Which case a rare command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseKey {
    /// The case of this invitation.
    Invitation(InvitationId),
    /// The case of this proposal.
    Proposal(ProposalId),
    /// The case of this candidacy.
    Candidacy(CandidacyId),
    /// The case of this offer.
    Offer(OfferId),
    /// The case of this contract.
    Contract(ContractId),
    /// The case of this room.
    Room(RoomId),
    /// The same, and somebody whom the command names.
    RoomAndUser(RoomId, UserId),
    /// The same, and the entry of this number.
    RoomAndEntry(RoomId, u64),
    /// The open case of this freelancer on this job; if none is, the latest, or the place for a first one.
    JobAndFreelancer(JobId, UserId),
}

/// Decides a rare command on its case as it is: what is to be kept, in turn, and which side asks (for the answer).
pub type DecideCase<'a> = &'a (dyn Fn(Case) -> Result<(Vec<Decision>, Side), Refusal> + Send + Sync);

/// Decides a command on one of several cases as it is; what is refused is said by its code.
pub type DecideEach<'a> = &'a (dyn Fn(Case) -> Result<(Vec<Decision>, Side), ErrorCode> + Send + Sync);

/// Decides an edit or a redaction on its log as it is and the entry it names, if there is one.
pub type DecideAmendment<'a> = &'a (dyn Fn(&Room, Option<&LogEntry>) -> Result<Event, Refusal> + Send + Sync);

/// A person, and which of the person's tokens count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What the marketplace told.
    pub profile: UserProfile,
    /// Tokens issued up to this moment were taken back.
    pub tokens_valid_after: Option<Time>,
}

/// What a reader may know of a log: that it is theirs, where it ends, and who else is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The side the reader is on; in an inbox, there is none.
    pub side: Option<Side>,
    /// The last entry.
    pub head: Head,
    /// The hash of the entry the reader asked about, if there is one.
    pub hash_at: Option<Hash>,
    /// The log's people, and how far each is.
    pub people: Vec<Reach>,
}

/// How much of a log is read at a time: it ends at whichever bound comes first, and never before one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    /// Entries.
    pub entries: u32,
    /// Bytes of their parts, about.
    pub bytes: usize,
}

/// What was found by its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The entries, newest first, each with the side its reader is on.
    pub entries: Vec<(Option<Side>, LogEntry)>,
    /// What the next page begins before, if there is one.
    pub next: Option<Position>,
}

/// Something that happens by itself when its time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Something of this candidacy: its own time, or the end of its job.
    Candidacy(CandidacyId),
    /// The end of this job, which has ended every candidacy that it ends.
    Job(JobId),
}

/// A stretch of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// The first entries above this number, rising.
    After(u64),
    /// The last entries below this number, still given rising.
    Before(u64),
}

/// Which page of a list: items older than `before`, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<Id> {
    /// The last item of the page before.
    pub before: Option<Id>,
    /// How many.
    pub limit: u32,
}

/// The port. The module's documentation is its contract.
#[async_trait]
pub trait Store: Archive + Feed + Ledger + Marketplace + Pushes + Views + Webhooks {
    /// Writes one entry for each of these, as one commit, in this order. One outcome each, in the same order.
    async fn commit(
        &self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Vec<Result<Committed, CommitError>>;

    /// Does one command over a case, its room and the inboxes of its people, in one transaction. Without an intent it is the server's
    /// own doing, which is repeated by nobody.
    async fn change(
        &self,
        intent: Option<&Intent>,
        key: &CaseKey,
        moment: Moment,
        decide: DecideCase<'_>,
    ) -> Result<Committed, CommitError>;

    /// The same for each of these candidacies, one after the other, in one transaction. One that is refused, or is not there, changes nothing
    /// for the others.
    async fn change_each(
        &self,
        intent: Option<&Intent>,
        candidacies: &[CandidacyId],
        moment: Moment,
        decide: DecideEach<'_>,
    ) -> Result<Committed, CommitError>;

    /// Edits or redacts the entry of this number: appends what is decided, and names it at the entry as what amended it last. A
    /// redaction deletes the parts of the entry and of its edits.
    async fn amend(
        &self,
        write: &Write,
        target: u64,
        moment: Moment,
        decide: DecideAmendment<'_>,
    ) -> Result<Committed, CommitError>;

    /// Moves markers, as one commit. One outcome each, in the same order. A marker of somebody who is not of the log is refused
    /// `NotFound`, one beyond the log's end `Invalid`.
    async fn mark(&self, marks: &[Mark]) -> Vec<Result<Marked, CommitError>>;

    /// The reader's logs that have grown since this place, those that grew in an earlier commit before the others; without one, all that have entries.
    /// What is committed while this is asked may be told again the next time, and is never left out.
    async fn changes(
        &self,
        reader: &UserId,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Growth, StoreError>;

    /// The place behind everything that is committed.
    async fn changes_end(&self) -> Result<Position, StoreError>;

    /// What was written since this place that concerns these people: their logs, those in which somebody was removed, and they themselves;
    /// without a place nothing but where to begin. What is committed while this is asked may be told again the next time, and is never left out.
    async fn look_back(&self, after: Option<Position>, people: &[UserId]) -> Result<LookBack, StoreError>;

    /// These entries were written by another process: what is remembered of their logs may be brought up to date.
    fn heard(&self, entries: &[Appended]);

    /// Waits until something may have been committed whose author is not told what came of it. Only one task may wait.
    async fn until_doubt(&self);

    /// Messages that hold all of these words (the last may be a beginning, if it is not too short for that), in one room of the reader's or in all of them, newest first.
    async fn search(
        &self,
        reader: &UserId,
        room: Option<RoomId>,
        words: &[String],
        page: Page<Position>,
    ) -> Result<Found, StoreError>;

    /// Makes some more entries ready to be found, at most so many. Whether there are more.
    async fn index(&self, limit: u32) -> Result<bool, StoreError>;

    /// Whether writes can be done now.
    async fn ready(&self) -> Result<(), StoreError>;
}
