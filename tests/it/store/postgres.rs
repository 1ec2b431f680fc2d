//! The conformance suite on PostgreSQL, on two nodes that are asked in turn, and what only PostgreSQL can do or suffer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anteroom::domain::log::{Log, LogEntry};
use anteroom::domain::refusal::Refusal;
use anteroom::store::postgres::PostgresStore;
use anteroom::store::{Appended, CommitError, Store};
use anteroom_protocol::id::{RoomId, RoomRef, UserId};
use anteroom_protocol::log::Hash;
use anteroom_protocol::user::{UserProfile, UserStatus};
use async_trait::async_trait;
use futures_util::future;
use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

use super::deed::person;
use super::story::{ANSWER, BRING_IN, SEND_AWAY, SUBMIT, go_on, stage, told};
use super::world::{Database, World, refusal, room_of, user};
use crate::support::postgres::Schema;
use crate::support::{ask, soon};

/// A database that has no tables yet.
pub(super) fn database() -> Box<Schema> {
    Box::new(Schema::fresh())
}

#[async_trait(?Send)]
impl Database for Schema {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.settings()).await.expect("opened"))
    }

    fn nodes(&self) -> usize {
        2
    }

    fn another(&self) -> Box<dyn Database> {
        database()
    }

    async fn settled(&self) {
        let mut connection = self.connect().await;
        loop {
            let sql = "SELECT coalesce((SELECT max(tx) FROM entries), 0) < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)";
            if sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("an answer") {
                break;
            }
            tokio::task::yield_now().await;
        }
        connection.close().await.expect("closed");
    }
}

async fn world() -> (World, PgConnection) {
    let schema = database();
    let beside = schema.connect().await;
    (World::new(schema).await, beside)
}

/// Holds the row of a log, as a server does that was stopped in the middle of something.
async fn hold(beside: &mut PgConnection, room: RoomId) {
    sqlx::raw_sql("BEGIN").execute(&mut *beside).await.expect("begun");
    let held = sqlx::query("SELECT 1 FROM logs WHERE room = $1 FOR UPDATE").bind(room.0).execute(beside);
    assert_eq!(held.await.expect("held").rows_affected(), 1);
}

/// The process of the session that waits for a lock of this one.
async fn who_waits(beside: &mut PgConnection) -> i32 {
    loop {
        let sql = "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))";
        if let Some(pid) = sqlx::query_scalar(sql).fetch_optional(&mut *beside).await.expect("an answer") {
            return pid;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_session_is_ended_is_unknown_and_its_repeat_tells() {
    let (world, mut beside) = world().await;
    let room = world.room("garden", "felix").await;
    world.posted("felix", room, "the connection is made").await;
    let post = world.post("felix", room, "is it there?");
    hold(&mut beside, room).await;
    // The nodes are asked in turn: one of the two.
    let (first, second) = (world.store(), world.store());
    let doubted = future::select(first.until_doubt(), second.until_doubt());
    let (outcome, ()) = tokio::join!(world.commit(std::slice::from_ref(&post)), async {
        let pid = who_waits(&mut beside).await;
        let ended = sqlx::query_scalar("SELECT pg_terminate_backend($1)").bind(pid).fetch_one(&mut beside);
        let was_there: bool = ended.await.expect("an answer");
        assert!(was_there);
        sqlx::raw_sql("ROLLBACK").execute(&mut beside).await.expect("given back");
    });
    assert!(matches!(outcome[0], Err(CommitError::Unknown(_))), "{outcome:?}");
    soon("word that perhaps it was done", doubted).await;
    let before = world.sound(&Log::Room(room)).await.len();
    for is_repeat in [false, true] {
        let done = world.commit(std::slice::from_ref(&post)).await.remove(0).expect("known by now");
        assert_eq!(done.duplicate, is_repeat);
    }
    assert_eq!(world.sound(&Log::Room(room)).await.len(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_too_long_for_another_is_told_to_come_again_and_nobody_else_is_kept() {
    let (world, mut beside) = world().await;
    let rooms = world.rooms(2).await;
    hold(&mut beside, rooms[0]).await;
    let stuck = world.post("felix", rooms[0], "behind the one who was stopped");
    let (outcome, ()) = tokio::join!(world.commit(std::slice::from_ref(&stuck)), async {
        world.posted("felix", rooms[1], "in another room").await;
    });
    assert!(matches!(outcome[0], Err(CommitError::Busy(_))), "{outcome:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut beside).await.expect("given back");
    world.commit(&[stuck]).await.remove(0).expect("written");
    world.sound(&Log::Room(rooms[0])).await;
}

/// A node that writes one entry after the other into a room knows its head, and wins most races for it. Whoever came on another node lost
/// six in a row sooner or later, and was told that the server is busy; when it tried for longer, all that queued behind it waited, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regression_a_node_that_writes_into_a_room_without_end_keeps_the_others_out_of_it_no_longer_than_a_moment()
 {
    let (world, _) = world().await;
    let room = world.room("garden", "felix").await;
    let (one, other) = (world.store(), world.store());
    let (is_over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let without_end = async {
        while !is_over.load(Ordering::Relaxed) {
            let posts: Vec<_> = (0..20).map(|_| world.post("clara", room, "and another thing")).collect();
            world.commit_at(one, &posts).await.into_iter().for_each(|done| drop(done.expect("written")));
            written.fetch_add(1, Ordering::Relaxed);
        }
    };
    let now_and_then = async {
        let mut overtaken = 0;
        for number in 0..300 {
            let before = written.load(Ordering::Relaxed);
            let post = world.post("felix", room, &format!("may I say something? {number}"));
            world.commit_at(other, &[post]).await.remove(0).expect("written");
            overtaken += written.load(Ordering::Relaxed) - before;
        }
        is_over.store(true, Ordering::Relaxed);
        overtaken
    };
    let ((), overtaken) = tokio::join!(without_end, now_and_then);
    // Twice or three times each: while it comes, and while it waits for its turn.
    assert!(overtaken <= 300 * 6, "{overtaken} times the other one wrote before it");
    world.sound(&Log::Room(room)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_heard_of_another_one_is_compared_like_all_that_it_remembers() {
    let (world, _beside) = world().await;
    let room = world.room("garden", "felix").await;
    let log = Log::Room(room);
    for number in 0..4 {
        // One of the two nodes has written it, and either may hear of it.
        let posted = world.posted("felix", room, &format!("number {number}")).await;
        let entry = world.sound(&log).await.pop().expect("an entry");
        assert_eq!(entry.hash, posted.hash);
        let readers: Arc<[UserId]> = [user("felix"), user("clara")].into();
        let lie = LogEntry { seq: entry.seq + 1, hash: Hash([7; 32]), ..entry.clone() };
        let truth = Appended { entry: Arc::new(entry), readers: readers.clone() };
        for _ in 0..2 {
            world.store().heard(std::slice::from_ref(&truth));
        }
        if number % 2 == 1 {
            let lie = [Appended { entry: Arc::new(lie), readers }];
            (0..2).for_each(|_| world.store().heard(&lie));
        }
    }
    assert_eq!(world.posted("felix", room, "and on").await.seq, world.sound(&log).await.len() as u64);
}

/// The plan that a new server makes on an empty database is used when it is not empty any more. It read all commands and all logs there
/// were with every commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regression_what_a_commit_reads_does_not_grow_with_the_tables() {
    const POSTS: i64 = 60;
    let (world, mut beside) = world().await;
    let rooms = world.rooms(3).await;
    let sql = "SELECT relname::text, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables
        WHERE relname IN ('logs', 'commands', 'entries') AND schemaname = current_schema() ORDER BY relname";
    let mut scans = async || -> Vec<(String, i64, i64)> {
        sqlx::query_as(sql).fetch_all(&mut beside).await.expect("figures")
    };
    // They are told some seconds after they were counted.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let before = scans().await;
    for number in 0..POSTS {
        world.posted("felix", rooms[number as usize % 3], &number.to_string()).await;
    }
    let after = timeout(std::time::Duration::from_secs(60), async {
        loop {
            let after = scans().await;
            if after[0].2 >= before[0].2 + POSTS {
                return after;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    for (was, is) in before.iter().zip(after.await.expect("figures in time")) {
        assert!(is.1 - was.1 < POSTS / 2, "{was:?} {is:?}: read from end to end");
    }
}

/// A library of databases lends a connection again whose transaction nobody has ended; the next one works inside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_in_the_middle_of_a_transaction_leaves_none_open() {
    let (world, mut beside) = world().await;
    let room = world.room("garden", "felix").await;
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'anteroom' AND state LIKE 'idle in transaction%'
        AND pid = ANY($1)";
    let mut theirs: Vec<i32> = Vec::new();
    for turns in 0..60 {
        let mine = "SELECT pid FROM pg_stat_activity WHERE application_name = 'anteroom'";
        theirs.extend(sqlx::query_scalar::<_, i32>(mine).fetch_all(&mut beside).await.expect("an answer"));
        let (felix, moment) = (user("felix"), world.moment());
        let profile = UserProfile { status_reason: Some(turns.to_string()), ..UserProfile::active("Felix") };
        let mut telling = Box::pin(world.store().put_user(&felix, &profile, moment));
        for _ in 0..turns {
            if futures_util::poll!(&mut telling).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(telling);
    }
    world.posted("clara", room, "all goes on").await;
    soon("that nothing is left open", async {
        loop {
            let left: i64 =
                sqlx::query_scalar(idle).bind(&theirs).fetch_one(&mut beside).await.expect("an answer");
            if left == 0 {
                break;
            }
        }
    })
    .await;
}

/// Whether somebody may write was once asked beside the row of the log: whoever was removed while the row was waited for slipped through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_removed_on_one_node_writes_nothing_behind_it_on_another() {
    let (world, _) = world().await;
    let job = stage(&world).await;
    let mut case = told(&world, &job, &[SUBMIT, ANSWER]).await;
    let room = room_of(&case);
    let mut written = 0;
    for round in 0..20 {
        case = go_on(&world, &job, case, &[BRING_IN]).await;
        world.posted("tina", room, "she is remembered on this node").await;
        world.posted("tina", room, "and on that one").await;
        let posts: Vec<_> =
            (0..8).map(|number| world.post("tina", room, &format!("{round}.{number}"))).collect();
        let writing = async {
            let mut done = 0;
            for post in posts {
                done += usize::from(world.commit(&[post]).await.remove(0).is_ok());
            }
            done
        };
        let (removed, done) = tokio::join!(go_on(&world, &job, case, &[SEND_AWAY]), writing);
        (case, written) = (removed, written + done);
        let late =
            world.act(&person("tina"), world.client_id(), &ask::post(RoomRef::Room(room), "late")).await;
        assert!(late.is_err());
    }
    let (mut is_in, tina) = (false, user("tina"));
    for entry in world.sound(&Log::Room(room)).await {
        match &*entry.kind {
            "member.added" => is_in = true,
            "member.removed" => is_in = false,
            _ => assert!(entry.by.as_ref() != Some(&tina) || is_in, "entry {}", entry.seq),
        }
    }
    assert!(written > 0, "some came before their removal");
}

/// Nothing in the room tells of a suspension, so its head does not move: what is remembered of the person is compared by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_suspended_on_one_node_writes_nothing_on_another_and_whoever_is_back_does_at_once() {
    let (world, _) = world().await;
    let room = world.room("garden", "felix").await;
    for round in 0..4 {
        world.posted("felix", room, "remembered on this node").await;
        // The nodes are asked in turn: this one is told on the other, and so is the second one.
        world.tell_of("felix", UserStatus::Suspended).await;
        let late = world.commit(&[world.post("felix", room, "too late")]).await.remove(0);
        assert!(matches!(refusal(late.expect_err("refused")), Refusal::Account(_)), "round {round}");
        world.tell_of("felix", UserStatus::Active).await;
        world.posted("felix", room, "back, where the suspension is remembered").await;
        if round == 1 {
            // From here on the other way round.
            world.posted("clara", room, "hello").await;
        }
    }
    world.sound(&Log::Room(room)).await;
}

/// A transaction has its number before it waits for a log, so it wrote behind one of a higher number; whoever read by these numbers found the
/// room's entries in another order than they have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regression_whoever_waited_for_a_log_stands_behind_what_was_written_meanwhile_in_the_order_of_all_commits()
 {
    let (world, mut beside) = world().await;
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER]).await;
    let room = room_of(&case);
    sqlx::raw_sql("BEGIN").execute(&mut beside).await.expect("begun");
    let sql = "SELECT 1 FROM candidacies WHERE room = $1 FOR UPDATE";
    assert_eq!(sqlx::query(sql).bind(room.0).execute(&mut beside).await.expect("held").rows_affected(), 1);
    let ((), ()) = tokio::join!(
        async {
            go_on(&world, &job, case, &[BRING_IN]).await;
        },
        async {
            who_waits(&mut beside).await;
            // Its transaction is younger, and is written first.
            world.posted("felix", room, "meanwhile").await;
            sqlx::raw_sql("ROLLBACK").execute(&mut beside).await.expect("given back");
        }
    );
    world.sound(&Log::Room(room)).await;
    let sql = "SELECT kind, tx FROM entries WHERE log = (SELECT id FROM logs WHERE room = $1) ORDER BY seq";
    let entries: Vec<(String, i64)> =
        sqlx::query_as(sql).bind(room.0).fetch_all(&mut beside).await.expect("entries");
    let kinds: Vec<&str> = entries.iter().rev().take(2).map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["member.added", "message.posted"]);
    assert!(entries.is_sorted_by_key(|(_, tx)| tx), "{entries:?}");
}
