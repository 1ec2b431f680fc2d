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
pub(crate) struct SqliteFile {
    directory: TempDir,
}

/// A database that is not there yet.
pub(crate) fn database() -> Box<SqliteFile> {
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
    pub(crate) fn path(&self) -> PathBuf {
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
        answer.message = Some("poison".into());
    }
    assert!(matches!(world.refused("clara", &answer).await, CommitError::Busy(_)));
    assert_eq!(world.everything().await, everything);
    if let anteroom_protocol::command::Command::ProposalAnswer(answer) = &mut answer {
        answer.message = Some("welcome".into());
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

/// Words that a redaction deletes. Each begins with a letter of its own: the index of words keeps of a word only what differs from the one
/// before it.
const SECRETS: [&str; 4] = ["quartzsecret", "xenonsecret", "jadesecret", "kryptonsecret"];

/// The tables in which this word stands, in whatever column and however it is kept.
async fn tables_with(path: &Path, word: &str) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut connection = options.connect().await.expect("opened");
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await
        .expect("read");
    let mut with_it = Vec::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .expect("read");
        for column in columns.iter().filter(|_| table != "search") {
            let sql = format!(
                r#"SELECT COUNT(*) FROM "{table}" WHERE instr(hex(CAST("{column}" AS BLOB)), hex(CAST($1 AS BLOB))) > 0"#
            );
            let found: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(word)
                .fetch_one(&mut connection)
                .await
                .expect("read");
            if found > 0 {
                with_it.push(format!("{table}.{column}"));
            }
        }
    }
    connection.close().await.expect("closed");
    with_it
}

/// The files of a database in which these bytes stand.
async fn files_with(path: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let files = std::fs::read_dir(path.parent().expect("a directory")).expect("read");
    let files = files.map(|file| file.expect("a file").path());
    files
        .filter(|file| {
            let content = std::fs::read(file).expect("read");
            content.windows(bytes.len()).any(|window| window == bytes)
        })
        .collect()
}

/// Salts and macs would let somebody who guesses the text see that the guess is right.
async fn traces_of(path: &Path, seqs: &[u64]) -> (i64, i64) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut connection = options.connect().await.expect("opened");
    let seqs = serde_json::to_string(seqs).expect("JSON");
    let salts = "SELECT COUNT(*) FROM entries e JOIN logs l ON l.id = e.log
        WHERE l.room IS NOT NULL AND e.seq IN (SELECT value FROM json_each($1)) AND (public_salt IS NOT NULL OR public IS NOT NULL)";
    let macs = "SELECT COUNT(*) FROM commands c JOIN logs l ON l.id = c.log
        WHERE l.room IS NOT NULL AND c.seq IN (SELECT value FROM json_each($1)) AND length(mac) > 0";
    let salts = sqlx::query_scalar(salts).bind(&seqs).fetch_one(&mut connection).await.expect("read");
    let macs = sqlx::query_scalar(macs).bind(&seqs).fetch_one(&mut connection).await.expect("read");
    connection.close().await.expect("closed");
    (salts, macs)
}

/// The index of words kept those of a message that was deleted, and only marked them as gone: whoever opened the file could read them.
#[tokio::test]
async fn regression_what_was_deleted_stands_nowhere_in_the_file() {
    let file = database();
    let path = file.path();
    let world = World::new(file).await;
    let room = world.room("garden", "felix").await;
    let name = anteroom_protocol::id::RoomRef::Room(room);
    let [first, second, third, later] = SECRETS;
    let seq = world.posted("felix", room, &format!("{first} was the first word")).await.seq;
    let (long, filler) =
        (world.posted("felix", room, &format!("{} {later}", "filler ".repeat(900))).await.seq, 200);
    let felix = super::deed::person("felix");
    let edit = |words: &str| ask::edit(name, seq, format!("{words} {}", "more ".repeat(300)));
    world.act(&felix, world.client_id(), &edit(second)).await.expect("edited");
    for number in 0..filler {
        world.posted("clara", room, &format!("zyxwneighbour number {number}")).await;
    }
    while world.store().index(64).await.expect("indexed") {}
    world.act(&felix, world.client_id(), &edit(third)).await.expect("edited and not made ready to be found");
    for word in SECRETS {
        assert!(!tables_with(&path, word).await.is_empty(), "{word} can be looked for");
        assert!(!files_with(&path, word.as_bytes()).await.is_empty(), "{word} can be looked for");
    }
    assert!(tables_with(&path, first).await.iter().any(|place| place.starts_with("search_data")));
    let edits = [seq + 2, seq + 3 + filler];
    assert_eq!(traces_of(&path, &[seq, long, edits[0], edits[1]]).await, (4, 4));

    for target in [seq, long] {
        world.act(&felix, world.client_id(), &ask::redact(name, target)).await.expect("deleted");
    }
    for indexed in [false, true] {
        for word in SECRETS {
            assert_eq!(tables_with(&path, word).await, Vec::<String>::new(), "{word}");
            if indexed {
                assert_eq!(files_with(&path, word.as_bytes()).await, Vec::<PathBuf>::new(), "{word}");
            }
        }
        assert_eq!(traces_of(&path, &[seq, long, edits[0], edits[1]]).await, (0, 0));
        let neighbours =
            world.store().search(&user("clara"), None, &["zyxwneighbour".into()], first_page()).await;
        assert_eq!(neighbours.expect("searched").entries.len(), 200, "the neighbours are still found");
        while world.store().index(64).await.expect("indexed") {}
        if indexed {
            execute(&path, "INSERT INTO search (search) VALUES ('integrity-check')").await;
        }
    }
    world.sound(&Log::Room(room)).await;
}

fn first_page() -> anteroom::store::Page<anteroom::store::Position> {
    super::world::first(super::world::ALL)
}

#[tokio::test]
async fn a_mark_that_moves_nothing_is_no_write() {
    let file = database();
    let path = file.path();
    let world = World::new(file).await;
    let log = Log::Room(world.room("garden", "felix").await);
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(false);
    let mut watching = options.connect().await.expect("opened");
    let mark = |place| anteroom::store::Mark { log: log.clone(), user: user("felix"), place };
    let mut version = None;
    use anteroom::store::Place::{Delivered, Read, Unread};
    for (place, writes) in [
        (Read(3), true),
        (Read(3), false),
        (Read(1), false),
        (Delivered(3), false),
        (Delivered(2), false),
        (Unread(4), false),
        (Unread(2), true),
        (Unread(2), false),
        (Read(99), false),
        (Delivered(4), true),
    ] {
        let _ = world.store().mark(&[mark(place), mark(place)]).await;
        // It changes when somebody else has written.
        let now: i64 =
            sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut watching).await.expect("read");
        if let Some(before) = version {
            assert_eq!(now != before, writes, "{place:?}");
        }
        version = Some(now);
    }
    watching.close().await.expect("closed");
}

#[tokio::test]
async fn a_place_that_a_restored_copy_has_lost_is_reset_even_when_it_has_grown_again() {
    let file = database();
    let (path, copy) = (file.path(), file.directory.path().join("copy"));
    let mut world = World::new(file).await;
    let room = world.room("garden", "felix").await;
    let kept = world.store().changes_end().await.expect("read");
    execute(&path, &format!("VACUUM INTO '{}'", copy.display())).await;
    world.posted("felix", room, "this will be lost").await;
    let lost = world.store().changes_end().await.expect("read");

    let directory = world.close();
    for leftover in ["anteroom.db", "anteroom.db-wal", "anteroom.db-shm"] {
        let _ = std::fs::remove_file(path.with_file_name(leftover));
    }
    std::fs::copy(&copy, &path).expect("restored");
    world = World::empty(directory).await;
    world.live_on();
    for grown in [false, true] {
        let since = world.store().changes(&user("clara"), Some(lost), 100).await.expect("read");
        assert!(since.reset && since.items.len() == 2, "{since:?}");
        let since = world.store().changes(&user("clara"), Some(kept), 100).await.expect("read");
        assert!(!since.reset && since.items.len() == usize::from(grown), "{since:?}");
        if !grown {
            world.posted("felix", room, "something else in its place").await;
        }
    }
}
