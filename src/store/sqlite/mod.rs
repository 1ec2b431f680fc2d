//! The store on SQLite: one file, one process, one writing connection, some reading ones.
//!
//! The writing connection keeps the heads of the logs it wrote last in memory. That is sound because nobody else can write: a lock
//! file beside the database keeps a second process out. A commit is one `BEGIN IMMEDIATE` transaction in WAL mode with
//! `synchronous=FULL`: when it returns, the data is on disk.

mod candidacy;
mod case;
mod change;
mod code;
mod commit;
mod contract;
mod fee;
mod invitation;
mod job;
mod ledger;
mod log;
mod marker;
mod message;
mod offer;
mod open;
mod proposal;
mod report;
mod room;
mod rows;
mod search;
mod terms;
mod timer;
mod transcript;
mod user;

use std::fs::File;
use std::path::Path;

use anteroom_protocol::candidacy::{CandidacyView, ClientMark, Phase};
use anteroom_protocol::contract::ContractView;
use anteroom_protocol::fee::{Billing, FeeSchedule};
use anteroom_protocol::id::{
    CandidacyId, ContractId, FeeScheduleId, InvitationId, JobId, OfferId, ProposalId, ReportId, RoomId,
    UserId,
};
use anteroom_protocol::invitation::{InvitationStatus, InvitationView};
use anteroom_protocol::job::{JobPosting, JobView};
use anteroom_protocol::offer::OfferView;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::report::ReportView;
use anteroom_protocol::room::RoomView;
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::terms::TermsView;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::UserProfile;
use async_trait::async_trait;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use self::commit::Writer;
pub use self::open::{OpenError, Version, migrate, version};
pub use self::transcript::SqliteArchive;
use super::{
    Access, Appended, CaseKey, CommitError, Committed, DecideAmendment, DecideCase, DecideEach, DecideEntry,
    Due, Found, Growth, Intent, Mark, Marked, Moment, Page, Person, Position, Store, StoreError, Write,
};
use crate::domain::log::Log;

/// Readers at a time. Pages are short; more would only wait for the same two or four cores.
const READERS: u32 = 4;
/// Searches at a time: fewer than readers.
const SEARCHES: usize = 2;
/// Pages each reader keeps. The operating system caches the file once; each reader caching it again only costs memory.
const READER_CACHE: &str = "-1024";

/// The store on one SQLite file.
pub struct SqliteStore {
    writer: Mutex<Writer>,
    readers: SqlitePool,
    searches: Semaphore,
    _lock: File,
}

impl SqliteStore {
    /// Opens the database in this file, makes it if it is missing, and brings its tables up to date.
    ///
    /// # Errors
    /// The file is another process's, cannot be used, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = open::lock(path)?;
        open::make_private(path)?;
        let options = open::options(path);
        let (connection, _) = open::connect_up_to_date(path, &options).await?;
        let writer = Mutex::new(Writer::new(connection, options.clone()));
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            // All of them at once and for good: when the process is out of descriptors, those who are here still read.
            .min_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.read_only(true).create_if_missing(false).pragma("cache_size", READER_CACHE))
            .await
            .map_err(|error| open::broken(path, error))?;
        Ok(Self { writer, readers, searches: Semaphore::new(SEARCHES), _lock: lock })
    }

    /// The writer, on a connection that can be trusted.
    async fn writer(&self) -> Result<MutexGuard<'_, Writer>, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        writer.heal().await?;
        Ok(writer)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(
        &self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Vec<Result<Committed, CommitError>> {
        self.writer.lock().await.commit(batch, moment, decide).await
    }

    async fn change(
        &self,
        intent: Option<&Intent>,
        key: &CaseKey,
        moment: Moment,
        decide: DecideCase<'_>,
    ) -> Result<Committed, CommitError> {
        candidacy::change(&mut *self.writer.lock().await, intent, key, moment, decide).await
    }

    async fn change_each(
        &self,
        intent: Option<&Intent>,
        candidacies: &[CandidacyId],
        moment: Moment,
        decide: DecideEach<'_>,
    ) -> Result<Committed, CommitError> {
        candidacy::change_each(&mut *self.writer.lock().await, intent, candidacies, moment, decide).await
    }

    async fn reports(&self, page: Page<ReportId>) -> Result<Vec<ReportView>, StoreError> {
        report::list(&self.readers, page).await
    }

    async fn due(&self, now: Time, limit: u32) -> Result<Vec<Due>, StoreError> {
        timer::due(&self.readers, now, limit).await
    }

    async fn job_ended(&self, job: &JobId) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let done = timer::job_ended(&mut writer.connection, job).await;
        writer.judge(done)
    }

    async fn amend(
        &self,
        write: &Write,
        target: u64,
        moment: Moment,
        decide: DecideAmendment<'_>,
    ) -> Result<Committed, CommitError> {
        message::amend(&mut *self.writer.lock().await, write, target, moment, decide).await
    }

    async fn mark(&self, marks: &[Mark]) -> Vec<Result<Marked, CommitError>> {
        marker::mark(&mut *self.writer.lock().await, marks).await
    }

    async fn changes(
        &self,
        reader: &UserId,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Growth, StoreError> {
        change::changes(&self.readers, reader, after, limit).await
    }

    async fn changes_end(&self) -> Result<Position, StoreError> {
        Ok(change::end(&self.readers).await?)
    }

    async fn search(
        &self,
        reader: &UserId,
        room: Option<RoomId>,
        words: &[String],
        page: Page<Position>,
    ) -> Result<Found, StoreError> {
        // They can be long, and hellos and pages need the same readers.
        let _turn = self.searches.acquire().await;
        search::search(&self.readers, reader, room, words, page).await
    }

    async fn index(&self, limit: u32) -> Result<bool, StoreError> {
        let mut writer = self.writer().await?;
        let done = search::index(&mut writer.connection, limit).await;
        let more = writer.judge(done)?;
        if writer.leftovers && !more {
            let emptied =
                message::empty_the_log_ahead(&mut writer.connection).await.map_err(StoreError::from);
            writer.leftovers = !writer.judge(emptied)?;
        }
        Ok(more)
    }

    async fn put_user(
        &self,
        user: &UserId,
        profile: &UserProfile,
        moment: Moment,
    ) -> Result<Vec<Appended>, StoreError> {
        let mut writer = self.writer().await?;
        let done = user::put(&mut writer, user, profile, moment).await;
        writer.judge(done)
    }

    async fn put_fee_schedule(&self, id: &FeeScheduleId, schedule: &FeeSchedule) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let done = fee::put_schedule(&mut writer.connection, id, schedule).await;
        writer.judge(done)
    }

    async fn put_billing(
        &self,
        client: &UserId,
        freelancer: &UserId,
        billing: &Billing,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let done = fee::put_billing(&mut writer.connection, (client, freelancer), billing).await;
        writer.judge(done)
    }

    async fn put_job(&self, job: &JobId, posting: &JobPosting, now: Time) -> Result<bool, StoreError> {
        let mut writer = self.writer().await?;
        let done = job::put(&mut writer.connection, job, posting, now).await;
        writer.judge(done)
    }

    async fn revoke_tokens(&self, user: &UserId, now: Time) -> Result<Option<Person>, StoreError> {
        let mut writer = self.writer().await?;
        let done = user::revoke_tokens(&mut writer.connection, user, now).await;
        writer.judge(done)
    }

    async fn user(&self, user: &UserId) -> Result<Option<Person>, StoreError> {
        user::load(&self.readers, user).await
    }

    async fn job(&self, reader: &UserId, job: &JobId) -> Result<Option<JobView>, StoreError> {
        job::load(&self.readers, reader, job).await
    }

    async fn jobs(&self, reader: &UserId, limit: u32) -> Result<Vec<JobView>, StoreError> {
        job::list(&self.readers, reader, limit).await
    }

    async fn access(&self, reader: &UserId, logs: &[(Log, u64)]) -> Result<Vec<Option<Access>>, StoreError> {
        log::access(&self.readers, reader, logs).await
    }

    async fn measure(&self, log: &Log, after: u64, up_to: u64) -> Result<u64, StoreError> {
        log::measure(&self.readers, log, after, up_to).await
    }

    async fn room(&self, reader: &UserId, room: RoomId) -> Result<Option<RoomView>, StoreError> {
        room::load(&self.readers, reader, room).await
    }

    async fn rooms(&self, reader: &UserId, page: Page<RoomId>) -> Result<Vec<RoomView>, StoreError> {
        room::list(&self.readers, reader, page).await
    }

    async fn room_of(&self, key: &CaseKey) -> Result<Option<RoomId>, StoreError> {
        Ok(case::room(&self.readers, key).await?)
    }

    async fn invitation(
        &self,
        reader: &UserId,
        invitation: InvitationId,
        now: Time,
    ) -> Result<Option<InvitationView>, StoreError> {
        invitation::load(&self.readers, reader, invitation, now).await
    }

    async fn invitations(
        &self,
        reader: &UserId,
        status: Option<InvitationStatus>,
        page: Page<InvitationId>,
        now: Time,
    ) -> Result<Vec<InvitationView>, StoreError> {
        invitation::list(&self.readers, reader, status, page, now).await
    }

    async fn proposal(
        &self,
        reader: &UserId,
        proposal: ProposalId,
    ) -> Result<Option<ProposalView>, StoreError> {
        proposal::load(&self.readers, reader, proposal).await
    }

    async fn proposals(
        &self,
        reader: &UserId,
        phase: Option<Phase>,
        page: Page<ProposalId>,
    ) -> Result<Vec<ProposalView>, StoreError> {
        proposal::list(&self.readers, reader, phase, page).await
    }

    async fn candidacy(
        &self,
        reader: &UserId,
        candidacy: CandidacyId,
    ) -> Result<Option<CandidacyView>, StoreError> {
        candidacy::load(&self.readers, reader, candidacy).await
    }

    async fn candidacies(
        &self,
        reader: &UserId,
        phase: Option<Phase>,
        mark: Option<ClientMark>,
        page: Page<CandidacyId>,
    ) -> Result<Vec<CandidacyView>, StoreError> {
        candidacy::list(&self.readers, reader, (phase, mark), page).await
    }

    async fn terms(
        &self,
        reader: &UserId,
        candidacy: CandidacyId,
    ) -> Result<Option<Vec<TermsView>>, StoreError> {
        terms::list(&self.readers, reader, candidacy).await
    }

    async fn offer(&self, reader: &UserId, offer: OfferId) -> Result<Option<OfferView>, StoreError> {
        offer::load(&self.readers, reader, offer).await
    }

    async fn contract(
        &self,
        reader: &UserId,
        contract: &ContractId,
    ) -> Result<Option<ContractView>, StoreError> {
        contract::load(&self.readers, reader, contract).await
    }

    async fn contracts(&self, page: Page<ContractId>) -> Result<Vec<ContractView>, StoreError> {
        contract::list(&self.readers, page).await
    }

    async fn public_keys(&self, current: PublicKey, now: Time) -> Result<Vec<PublicKey>, StoreError> {
        let mut writer = self.writer().await?;
        let done = contract::public_keys(&mut writer.connection, current, now).await;
        writer.judge(done)
    }

    async fn key(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let mut writer = self.writer().await?;
        let done = code::key(&mut writer.connection, name, fresh).await;
        writer.judge(done)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let done = code::ready(&mut writer.connection).await;
        writer.judge(done)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use anteroom_protocol::id::ClientId;
    use anteroom_protocol::user::Account;
    use sqlx::AssertSqlSafe;
    use uuid::Uuid;

    use super::*;
    use crate::domain::candidacy::Case;
    use crate::domain::log::{Event, LogEntry, What};
    use crate::domain::refusal::Refusal;
    use crate::domain::room::Room;
    use crate::store::Place;

    async fn settings(store: &SqliteStore) -> (i64, String) {
        let mut writer = store.writer().await.expect("a writer");
        let synchronous = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut writer.connection).await;
        let journal = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut writer.connection).await;
        (synchronous.expect("a number"), journal.expect("a word"))
    }

    /// What this comes to on a disk, `tests/it/power.rs` shows.
    #[tokio::test]
    async fn every_commit_is_synced_also_after_the_connection_was_replaced() {
        const FULL: i64 = 2;
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
        assert_eq!(settings(&store).await, (FULL, "wal".to_owned()));
        let failed: Result<(), _> = Err(StoreError::Database("the disk does not answer".into()));
        assert!(store.writer.lock().await.judge(failed).is_err());
        assert_eq!(settings(&store).await, (FULL, "wal".to_owned()));
    }

    /// Readers that count how often one of them is taken: a list that asks again for each row takes one each time.
    async fn counted(path: &Path) -> (SqlitePool, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = taken.clone();
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .before_acquire(move |_, _| {
                counter.fetch_add(1, Ordering::Relaxed);
                Box::pin(async { Ok(true) })
            })
            .connect_with(open::options(path))
            .await
            .expect("readers");
        (pool, taken)
    }

    #[tokio::test]
    async fn a_page_of_a_list_takes_one_turn_of_a_reader_however_many_rows_it_has() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("anteroom.db");
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/room-0003.db");
        std::fs::copy(fixture, &path).expect("copied");
        drop(SqliteStore::open(&path).await.expect("brought up to date"));
        let (pool, taken) = counted(&path).await;
        let clara: UserId = "clara".parse().expect("an id");
        let turns = || taken.swap(0, Ordering::Relaxed);
        turns();

        let rooms = room::list(&pool, &clara, Page { before: None, limit: 9 }).await.expect("rooms");
        assert_eq!((rooms.len(), turns()), (2, 1));
        let page = Page { before: None, limit: 9 };
        let candidacies = candidacy::list(&pool, &clara, (None, None), page).await.expect("candidacies");
        assert_eq!((candidacies.len(), turns()), (2, 1));
        let page = Page { before: None, limit: 9 };
        let proposals = proposal::list(&pool, &clara, None, page).await.expect("proposals");
        assert_eq!((proposals.len(), turns()), (2, 1));
        let page = Page { before: None, limit: 9 };
        let now = Time::from_micros(0);
        let invitations = invitation::list(&pool, &clara, None, page, now).await.expect("invitations");
        assert_eq!((invitations.len(), turns()), (1, 1));
        let jobs = job::list(&pool, &clara, 9).await.expect("jobs");
        assert_eq!((jobs.len(), turns()), (1, 1));
    }

    fn profile() -> UserProfile {
        UserProfile::active("Ana")
    }

    /// A write of a notice into this person's inbox.
    fn write(owner: &UserId, number: u128) -> Write {
        let intent =
            Intent { actor: owner.to_string(), client_id: ClientId(Uuid::from_u128(number)), mac: [0; 16] };
        Write { log: Log::Inbox(owner.clone()), intent }
    }

    async fn commit(store: &SqliteStore, write: &Write) -> Result<Committed, CommitError> {
        let moment = Moment { now: Time::from_micros(0), policy: 1 };
        let notice = |_: usize, _: &Room| {
            let what = What::Account(Account::from(&profile()));
            Ok(Event { by: None, client_id: Some(write.intent.client_id), what, private: None })
        };
        store.commit(std::slice::from_ref(write), moment, &notice).await.remove(0)
    }

    /// On the connection that writes now, and on no other, this table cannot be read.
    async fn break_reading(store: &SqliteStore, table: &str) {
        let sql = format!("CREATE TEMP VIEW {table} AS SELECT * FROM main.missing");
        let mut writer = store.writer.lock().await;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut writer.connection).await.expect("made");
    }

    /// Only a failed write made the connection a suspect. When reading failed on it, every post was answered `busy` from then on, until
    /// something else failed that was looked at.
    #[tokio::test]
    async fn regression_a_connection_on_which_a_look_up_failed_is_replaced_like_any_other_that_failed() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
        let moment = Moment { now: Time::from_micros(0), policy: 1 };
        let people = ["ana", "ben"].map(|name| name.parse::<UserId>().expect("a user id"));
        for user in &people {
            store.put_user(user, &profile(), moment).await.expect("kept");
        }
        for (number, (user, table)) in people.iter().zip(["commands", "logs"]).enumerate() {
            break_reading(&store, table).await;
            let done = commit(&store, &write(user, number as u128)).await;
            assert!(!done.expect("tried again on another connection").duplicate, "{table}");
        }
        break_reading(&store, "entries").await;
        let again = write(&people[0], 0);
        // What stands beside it in its batch has been committed: it is not tried again by itself.
        assert!(matches!(commit(&store, &again).await, Err(CommitError::Busy(_))));
        assert!(commit(&store, &again).await.expect("known").duplicate);
    }

    /// Every other way to write: done where its first look-up fails, and done again.
    #[tokio::test]
    async fn whatever_else_is_written_replaces_a_connection_that_failed() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
        let moment = Moment { now: Time::from_micros(0), policy: 1 };
        let ana: UserId = "ana".parse().expect("a user id");
        store.put_user(&ana, &profile(), moment).await.expect("kept");
        let write = write(&ana, 1);
        let mark = Mark { log: write.log.clone(), user: ana.clone(), place: Place::Read(0) };
        let key = CaseKey::Invitation(InvitationId(Uuid::from_u128(1)));
        for is_broken in [true, false] {
            if is_broken {
                break_reading(&store, "markers").await;
            }
            assert_eq!(store.mark(std::slice::from_ref(&mark)).await.remove(0).is_err(), is_broken);
        }
        for is_broken in [true, false] {
            if is_broken {
                break_reading(&store, "commands").await;
            }
            let decide = |_: Case| Err(Refusal::Forbidden);
            let changed = store.change(Some(&write.intent), &key, moment, &decide).await;
            assert_eq!(matches!(changed, Err(CommitError::Busy(_))), is_broken, "{changed:?}");
        }
        for is_broken in [true, false] {
            if is_broken {
                break_reading(&store, "logs").await;
            }
            let decide = |_: &Room, _: Option<&LogEntry>| Err(Refusal::Forbidden);
            let amended = store.amend(&write, 1, moment, &decide).await;
            assert_eq!(matches!(amended, Err(CommitError::Busy(_))), is_broken, "{amended:?}");
        }
    }
}
