//! A fleet that is brought to a new version: for a while its nodes have both, and the tables are those of the newer one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anteroom::domain::log::Log;
use anteroom::store::CommitError;
use anteroom::store::postgres::{PostgresStore, Version, version};
use sqlx::migrate::Migrator;
use tokio::time::timeout;

use super::postgres::database;
use super::world::World;
use crate::support::postgres::Schema;

/// What a newer version may do to tables that an older one works with, one kind of each.
const LATER: &str = "
    ALTER TABLE entries ADD COLUMN later TEXT;
    ALTER TABLE logs ADD COLUMN later BIGINT NOT NULL DEFAULT 7;
    ALTER TABLE commands ADD COLUMN later BOOLEAN;
    CREATE TABLE laters (log BIGINT PRIMARY KEY REFERENCES logs (id), word TEXT NOT NULL);
    CREATE INDEX entries_by_later ON entries (later) WHERE later IS NOT NULL;";

/// The steps of this version, and one more.
async fn newer() -> Migrator {
    let steps = tempfile::tempdir().expect("a directory");
    let known = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    for step in std::fs::read_dir(known).expect("a directory") {
        let step = step.expect("a file");
        std::fs::copy(step.path(), steps.path().join(step.file_name())).expect("copied");
    }
    std::fs::write(steps.path().join("9000_later.sql"), LATER).expect("written");
    Migrator::new(steps.path()).await.expect("steps")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_this_version_write_on_while_a_newer_one_brings_the_tables_up_to_date_and_can_be_started_afterwards()
 {
    let schema: Box<Schema> = database();
    let (settings, mut beside) = (schema.settings(), schema.connect().await);
    let mut world = World::new(schema).await;
    let rooms = world.rooms(3).await;
    let (is_over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let writing = async {
        let mut kept = 0;
        while !is_over.load(Ordering::Relaxed) {
            let post = world.post("felix", rooms[written.load(Ordering::Relaxed) % 3], "meanwhile");
            // On one node, then on the other: each has statements that it prepared before, and logs that it remembers.
            let mut outcome = world.commit(std::slice::from_ref(&post)).await.remove(0);
            while let Err(CommitError::Busy(_) | CommitError::Unknown(_)) = outcome {
                outcome = world.commit(std::slice::from_ref(&post)).await.remove(0);
            }
            outcome.expect("written");
            kept += 1;
            written.fetch_add(1, Ordering::Relaxed);
        }
        kept
    };
    let until = async |count: usize| {
        let more = async {
            while written.load(Ordering::Relaxed) < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(std::time::Duration::from_secs(30), more).await.expect("they write on");
    };
    let upgrade = async {
        until(20).await;
        newer().await.run(&mut beside).await.expect("brought up to date");
        until(written.load(Ordering::Relaxed) + 40).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let (kept, ()) = tokio::join!(writing, upgrade);

    let Version { found, known } = version(&settings).await.expect("a version");
    assert!(found == Some(9_000) && known < 9_000, "{found:?} {known}");
    drop(PostgresStore::open(&settings).await.expect("one of this version more"));
    world.open_again().await;
    world.posted("clara", rooms[0], "and then").await;
    for room in &rooms {
        world.sound(&Log::Room(*room)).await;
    }
    let sql = "SELECT count(*) FROM entries WHERE public LIKE '%meanwhile%'";
    let entries: i64 = sqlx::query_scalar(sql).fetch_one(&mut beside).await.expect("a number");
    assert!(kept >= 60 && entries == kept, "{entries} entries, {kept} written");
}
