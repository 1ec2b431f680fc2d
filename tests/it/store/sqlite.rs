//! The adapter for SQLite: how it joins the suite, and what only a file can suffer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::store::sqlite::{OpenError, SqliteStore};
use anteroom::store::{CommitError, Store};
use anteroom_protocol::id::UserId;
use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use super::world::{Database, Post, World, inbox, refusal, user};
use crate::support::ask;

/// A file in a directory that goes away with it.
pub(super) struct SqliteFile {
    directory: TempDir,
}

/// A database that is not there yet.
pub(super) fn database() -> Box<SqliteFile> {
    Box::new(SqliteFile { directory: TempDir::new().expect("a directory") })
}

#[async_trait(?Send)]
impl Database for SqliteFile {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.path()).await.expect("opened"))
    }

    fn another(&self) -> Box<dyn Database> {
        database()
    }
}

impl SqliteFile {
    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("anteroom.db")
    }

    /// Makes the tables.
    async fn made() -> Box<Self> {
        let file = database();
        drop(file.open().await);
        file
    }

    /// Does something to the file that the port does not offer.
    async fn tamper(&self, sql: &str) {
        execute(&self.path(), sql).await;
    }
}

async fn execute(path: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut connection = options.connect().await.expect("opened");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("done");
    connection.close().await.expect("closed");
}

/// Copies a database that nobody has open into one small file.
pub(super) async fn compact_copy(from: &Path, to: &Path) {
    execute(from, &format!("VACUUM INTO '{}'", to.display())).await;
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused_and_told_why() {
    let file = database();
    let first = file.open().await;
    for _ in 0..2 {
        let Err(refused) = SqliteStore::open(&file.path()).await else { panic!("two at once") };
        assert!(matches!(refused, OpenError::InUse(_)));
        let words = refused.to_string();
        assert!(words.contains("anteroom.db is in use by another anteroom process"), "{words}");
        first.ready().await.expect("the first one goes on");
    }
    drop(first);
    file.open().await.ready().await.expect("the next one has it");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let file = database();
    let nowhere = file.directory.path().join("missing").join("anteroom.db");
    let Err(refused) = SqliteStore::open(&nowhere).await else { panic!("opened") };
    assert!(matches!(&refused, OpenError::File { .. }), "{refused}");

    std::fs::write(file.path(), "this is no database, it is a letter to somebody".repeat(100))
        .expect("written");
    let Err(refused) = SqliteStore::open(&file.path()).await else { panic!("opened") };
    assert!(matches!(&refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("anteroom.db"), "{refused}");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let file = SqliteFile::made().await;
    file.tamper(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'the future', 1, x'00', 0)",
    )
    .await;
    let Err(refused) = SqliteStore::open(&file.path()).await else { panic!("opened") };
    assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused}");
    assert!(refused.to_string().contains("9999"), "{refused}");
}

/// No entry with this word can be written.
const POISON: &str = "CREATE TRIGGER poison BEFORE INSERT ON entries WHEN NEW.public LIKE '%poison%'
    BEGIN SELECT RAISE(ABORT, 'the disk does not take that'); END";

#[tokio::test]
async fn a_write_that_fails_is_not_done_and_costs_its_neighbours_nothing() {
    let file = SqliteFile::made().await;
    file.tamper(POISON).await;
    let world = World::new(file).await;
    let rooms = world.rooms(2).await;
    let repeated = world.post("clara", rooms[1], "once");
    let batch = [
        world.post("felix", rooms[0], "one"),
        world.post("felix", rooms[0], "poison"),
        repeated.clone(),
        world.post("mallory", rooms[0], "I am no member"),
        world.post("clara", rooms[0], "two"),
        repeated,
        world.post("felix", rooms[0], "behind the poison"),
    ];
    let done = world.commit(&batch).await;
    let told: Vec<&str> = done
        .iter()
        .map(|done| match done {
            Ok(done) if done.duplicate => "repeated",
            Ok(_) => "written",
            Err(CommitError::Busy(why)) if why.contains("does not take") => "busy",
            Err(CommitError::Refused(Refusal::NotFound)) => "refused",
            Err(error) => panic!("{error}"),
        })
        .collect();
    // The last one is fine in itself, but its author's words before it are not there yet.
    assert_eq!(told, ["written", "busy", "written", "refused", "written", "repeated", "busy"]);
    let alone = world.commit(&[world.post("felix", rooms[0], "poison")]).await.remove(0);
    assert!(matches!(alone, Err(CommitError::Busy(_))));
    let healed = Post { body: "something else".into(), ..batch[1].clone() };
    assert!(!world.commit(&[healed]).await.remove(0).expect("nothing was kept of it").duplicate);
    for room in rooms {
        world.sound(&Log::Room(room)).await;
    }
}

#[tokio::test]
async fn a_change_that_fails_halfway_writes_nothing_anywhere() {
    let file = SqliteFile::made().await;
    file.tamper(POISON).await;
    let world = World::new(file).await;
    let job = world.job("garden", "clara", Default::default()).await;
    let submitted = world.done("felix", &ask::propose(&job, ask::hourly(4_000))).await;
    let mut answer = ask::answer(submitted.proposal.expect("its id"));
    let everything = world.everything().await;
    if let anteroom_protocol::command::Command::ProposalAnswer(answer) = &mut answer {
        answer.message = "poison".into();
    }
    assert!(matches!(world.refused("clara", &answer).await, CommitError::Busy(_)));
    assert_eq!(world.everything().await, everything);
    if let anteroom_protocol::command::Command::ProposalAnswer(answer) = &mut answer {
        answer.message = "welcome".into();
    }
    world.done("clara", &answer).await;
    for name in ["clara", "felix"] {
        world.sound(&inbox(name)).await;
    }
}

/// A log that was remembered, but not used for long, used to be pushed out of memory by the next one of the same batch, and
/// was then taken for one that does not exist.
#[tokio::test]
async fn regression_a_batch_over_logs_old_and_new_finds_them_all_when_memory_is_full() {
    const REMEMBERED: u64 = 16_384;
    let file = SqliteFile::made().await;
    file.tamper(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {REMEMBERED})
             INSERT INTO users (id, name, status) SELECT 'user-' || n, 'somebody', 'active' FROM n;
         INSERT INTO logs (owner, seq, hash) SELECT id, 0, zeroblob(32) FROM users;"
    ))
    .await;
    let world = World::new(file).await;
    let room = world.room("garden", "felix").await;
    let fiona = world.room("roof", "fiona").await;
    world.posted("felix", room, "remembered first").await;

    let others = (1..REMEMBERED).map(|number| format!("user-{number}").parse::<UserId>().expect("a user id"));
    let template = world.post("mallory", room, "only to be remembered");
    let writes: Vec<anteroom::store::Write> =
        others.map(|owner| anteroom::store::Write { log: Log::Inbox(owner), ..template.write() }).collect();
    let no = |_: usize, _: &anteroom::domain::room::Room| Err(Refusal::Forbidden);
    for looked in world.store().commit(&writes, world.moment(), &no).await {
        assert_eq!(refusal(looked.expect_err("refused")), Refusal::Forbidden);
    }

    let batch = [world.post("felix", room, "here"), world.post("fiona", fiona, "and here")];
    for done in world.commit(&batch).await {
        assert!(!done.expect("written").duplicate);
    }
    assert!(world.access("felix", &Log::Room(room)).await.is_some());
    assert_eq!(
        world.store().user(&user("user-1")).await.expect("read").expect("there").profile.name,
        "somebody"
    );
}
