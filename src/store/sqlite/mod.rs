//! The store on SQLite: one file, one process, one writing connection, some reading ones.
//!
//! The writing connection keeps the heads of the logs it wrote last in memory. That is sound because nobody else can write: a lock
//! file beside the database keeps a second process out. A commit is one `BEGIN IMMEDIATE` transaction in WAL mode with
//! `synchronous=FULL`: when it returns, the data is on disk.

mod backup;
mod change;
mod commit;
mod dialect;
mod open;
mod reading;
mod rows;
mod search;
mod writer;

#[path = "../queries/archive.rs"]
mod archive;
#[path = "../queries/candidacy.rs"]
mod candidacy;
#[path = "../queries/case.rs"]
mod case;
#[path = "../queries/case_room.rs"]
mod case_room;
#[path = "../queries/chain.rs"]
mod chain;
#[path = "../queries/command.rs"]
mod command;
#[path = "../queries/contract.rs"]
mod contract;
#[path = "../queries/event.rs"]
mod event;
#[path = "../queries/fee.rs"]
mod fee;
#[path = "../queries/invitation.rs"]
mod invitation;
#[path = "../queries/job.rs"]
mod job;
#[path = "../queries/ledger.rs"]
mod ledger;
#[path = "../queries/log.rs"]
mod log;
#[path = "../queries/marker.rs"]
mod marker;
#[path = "../queries/marketplace.rs"]
mod marketplace;
#[path = "../queries/message.rs"]
mod message;
#[path = "../queries/offer.rs"]
mod offer;
#[path = "../queries/proposal.rs"]
mod proposal;
#[path = "../queries/push.rs"]
mod push;
#[path = "../queries/push_finding.rs"]
mod push_finding;
#[path = "../queries/report.rs"]
mod report;
#[path = "../queries/room.rs"]
mod room;
#[path = "../queries/terms.rs"]
mod terms;
#[path = "../queries/timer.rs"]
mod timer;
#[path = "../queries/transcript.rs"]
mod transcript;
#[path = "../queries/user.rs"]
mod user;
#[path = "../queries/views.rs"]
mod views;
#[path = "../queries/webhook.rs"]
mod webhook;
#[path = "../queries/webhook_round.rs"]
mod webhook_round;
#[path = "../queries/webhook_settle.rs"]
mod webhook_settle;

use std::fs::File;
use std::path::Path;

use anteroom_protocol::id::{CandidacyId, RoomId, UserId};
use async_trait::async_trait;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::{Mutex, Semaphore};

pub use self::backup::{BackupError, Restored, backup, restore};
use self::candidacy::Task;
use self::dialect::transact;
pub use self::open::{OpenError, Version, migrate, version};
pub use self::reading::Source;
use self::writer::Writer;
use super::{
    Appended, Archive, CaseKey, CommitError, Committed, DecideAmendment, DecideCase, DecideEach, DecideEntry,
    Found, Growth, Intent, LookBack, Mark, Marked, Moment, Page, Position, Store, StoreError, Write,
};

/// Readers at a time. Pages are short; more would only wait for the same two or four cores.
const READERS: u32 = 4;
/// Searches at a time: fewer than readers.
const SEARCHES: usize = 2;
/// Pages each reader keeps. The operating system caches the file once; each reader caching it again only costs memory.
const READER_CACHE: &str = "-1024";

/// The database in this file, to be read alone, also beside the server that writes it: the lock file is left alone, a reader and the one writer
/// are in nobody's way (WAL).
///
/// # Errors
/// There is none, it cannot be used, or its tables are not those this server knows.
pub async fn archive(path: &Path) -> Result<impl Archive + use<>, OpenError> {
    open::must_be_known(path).await?;
    let options = open::options(path).read_only(true).create_if_missing(false);
    let readers = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options.pragma("cache_size", READER_CACHE))
        .await
        .map_err(|error| open::broken(path, error))?;
    Ok(archive::Readers(readers))
}

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
        let (mut connection, _) = open::connect_up_to_date(path, &options).await?;
        // Whoever worked here is gone: nobody else has the file.
        let free = "UPDATE webhooks SET lease_by = NULL; UPDATE pushes SET lease_by = NULL";
        let freed = sqlx::raw_sql(free).execute(&mut connection).await;
        freed.map_err(|error| open::broken(path, error))?;
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
        let task = Task::One(key, decide);
        transact!(self, connection => candidacy::change(connection, intent, moment, &task))
    }

    async fn change_each(
        &self,
        intent: Option<&Intent>,
        candidacies: &[CandidacyId],
        moment: Moment,
        decide: DecideEach<'_>,
    ) -> Result<Committed, CommitError> {
        let task = Task::Each(candidacies, decide);
        transact!(self, connection => candidacy::change(connection, intent, moment, &task))
    }

    async fn amend(
        &self,
        write: &Write,
        target: u64,
        moment: Moment,
        decide: DecideAmendment<'_>,
    ) -> Result<Committed, CommitError> {
        let done: Result<_, CommitError> =
            transact!(self, connection => message::amend(connection, write, target, moment, decide));
        let (committed, deleted) = done?;
        if deleted {
            self.writer.lock().await.leftovers = true;
        }
        Ok(committed)
    }

    async fn mark(&self, marks: &[Mark]) -> Vec<Result<Marked, CommitError>> {
        let done = transact!(self, connection => marker::mark(connection, marks));
        done.unwrap_or_else(|error: CommitError| marks.iter().map(|_| Err(error.clone())).collect())
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

    fn heard(&self, _entries: &[Appended]) {
        // There is nobody else who writes.
    }

    async fn until_doubt(&self) {
        // What this process commits, it knows of.
        std::future::pending().await
    }

    async fn look_back(&self, after: Option<Position>, people: &[UserId]) -> Result<LookBack, StoreError> {
        Ok(change::look_back(&self.readers, after, people).await?)
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
        let indexed: Result<bool, StoreError> =
            transact!(self, connection => search::index(connection, limit));
        let more = indexed?;
        if !more {
            self.writer.lock().await.wipe().await?;
        }
        Ok(more)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        // Fails when the file cannot be written.
        let mut writer = self.writer.lock().await;
        writer.begin().await?.rollback().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use anteroom_protocol::id::{ClientId, InvitationId};
    use anteroom_protocol::time::Time;
    use anteroom_protocol::user::{Account, Side, UserProfile};
    use sqlx::{AssertSqlSafe, Row as _};
    use uuid::Uuid;

    use super::*;
    use crate::domain::candidacy::Case;
    use crate::domain::ledger::FIGURE_ROWS;
    use crate::domain::log::{Event, Log, LogEntry, What};
    use crate::domain::refusal::Refusal;
    use crate::domain::room::Room;
    use crate::store::{Ledger as _, Marketplace as _, Place};

    async fn settings(store: &SqliteStore) -> (i64, String) {
        let mut writer = store.writer.lock().await;
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
        let mut writer = store.writer.lock().await;
        assert!(writer.judge(failed).is_err());
        writer.heal().await.expect("replaced");
        drop(writer);
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

    /// Somebody may have thousands of rows, and each look at the profile computes the figure anew.
    #[tokio::test]
    async fn a_figure_is_read_from_one_index_alone_and_in_its_order() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", ledger::WINDOW));
        let plan = sqlx::query(explain).bind("").bind("").bind(0).bind(1).fetch_all(&store.readers).await;
        let steps: Vec<String> = plan.expect("a plan").iter().map(|step| step.get("detail")).collect();
        let expected =
            "SEARCH ledger USING COVERING INDEX ledger_by_user (user=? AND side=? AND started_at>?)";
        assert_eq!(steps, [expected]);
    }

    #[tokio::test]
    async fn of_more_rows_than_a_figure_is_made_of_the_newest_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("anteroom.db")).await.expect("opened");
        let rows = "PRAGMA foreign_keys = off;
            INSERT INTO ledger (candidacy, round, \"user\", side, started_at, until)
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10002)
            SELECT CAST(n AS BLOB), 1, 'felix', 'freelancer', n, n + 1 FROM n";
        let mut writer = store.writer.lock().await;
        sqlx::raw_sql(rows).execute(&mut writer.connection).await.expect("kept");
        drop(writer);
        let felix: UserId = "felix".parse().expect("an id");
        let read = store.ledger_window(&felix, Side::Freelancer, Time::from_micros(0)).await.expect("read");
        let began: Vec<i64> = read.iter().map(|row| row.started_at.as_micros()).collect();
        assert!(began.iter().copied().eq((3..=10_002).rev()), "{} rows", began.len());
        assert_eq!(began.len(), FIGURE_ROWS as usize);
    }
}
