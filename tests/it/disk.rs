//! A disk that has no room for a moment. The kernel's bound on the size of a file stands in for it: the write behind a commit fails in
//! the same way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command as Process;

use anteroom_load_tests::client::{Http, HttpError, new_client_id};
use anteroom_load_tests::history::record::Via;
use anteroom_load_tests::history::scribe::Scribe;
use anteroom_load_tests::history::trial::Trial;
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::Launcher;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{ClientId, RoomRef};
use serde_json::Value;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::support::{ask, hasty};

/// The bound, in KiB: above what an empty database takes, below where SQLite would begin its write-ahead log anew.
const BOUND_KIB: u32 = 1_500;

/// Entries with which every room begins.
const BEGINNING: usize = 4;

/// A failed COMMIT left the library counting a transaction that SQLite had ended by itself, and every write after it, for ever, was
/// answered `busy`. A connection that failed is therefore never used again.
#[tokio::test]
async fn regression_after_the_disk_was_full_for_a_moment_writing_goes_on_and_nothing_acknowledged_is_missing()
{
    let directory = tempfile::tempdir().expect("a directory");
    let mut server = hasty(Launcher::new(bounded_server(directory.path()), directory.path().join("data")))
        .start()
        .await
        .expect("the server starts");
    let market = Marketplace::new(server.base_url(), &server.mint().expect("its secret"));
    let open = market.open_room("full").await.expect("a room");
    let ana = market.as_user(&open.client);
    let mut trial = Trial::begin("disk-full", None);
    trial.room(&market, &open).await.expect("a room");
    let scribe = trial.device(&open.client);
    let post = |id| post(&scribe, &ana, open.room, id);
    let breaking = trial.breaks("disk full");
    let mut kept = 0;
    let failed = loop {
        assert!(kept < 500, "the bound was never reached");
        let id = new_client_id();
        match post(id).await {
            Ok(_) => kept += 1,
            Err(error) => break (id, error),
        }
    };
    let told = &failed.1.problem().expect("a problem").error;
    // A commit that fails halfway is called unknown, not failed; what follows shows that nothing of it is there.
    assert!(told.retryable && matches!(told.code, ErrorCode::Busy | ErrorCode::Unknown), "{told:?}");
    let head = || async { ana.all_entries(open.room, false).await.expect("the log can be read").len() };
    let before = head().await;
    assert_eq!(before, BEGINNING + kept, "nothing of the failed one is there");
    let others = [post(new_client_id()).await, post(new_client_id()).await];
    assert!(others.iter().all(Result::is_err), "still no room");
    assert_eq!(head().await, before);

    lift_the_bound(server.pid());
    drop(breaking);
    post(failed.0).await.expect("the same command, now that there is room");
    post(new_client_id()).await.expect("and the next one");
    assert_eq!(ana.raw("GET", "/readyz", &[], None).await.expect("an answer").status, 200);

    let log = ana.all_entries(open.room, true).await.expect("the log");
    assert_eq!(log.len(), BEGINNING + kept + 2, "what was acknowledged, and nothing else");
    scribe.read(open.room, Via::Fetch, &log);
    trial.prove(&market).await.unwrap_or_else(|found| panic!("{found}"));
    assert!(server.terminate().await.expect("an end").success());
    assert_eq!(integrity(&directory.path().join("data").join("anteroom.db")).await, "ok");
}

async fn integrity(database: &Path) -> String {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await.expect("opened");
    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.expect("checked")
}

async fn post(scribe: &Scribe, http: &Http, room: RoomRef, id: ClientId) -> Result<Value, HttpError> {
    scribe.over_http(http, id, &ask::post(room, "x".repeat(8_000))).await
}

/// The server, started under the bound, and told to live with it.
fn bounded_server(directory: &Path) -> std::path::PathBuf {
    let script = directory.join("bounded-anteroom");
    let text = format!(
        "#!/bin/bash\ntrap '' XFSZ\nulimit -S -f {BOUND_KIB}\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_anteroom")
    );
    std::fs::write(&script, text).expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
    script
}

fn lift_the_bound(pid: u32) {
    let lifted = Process::new("prlimit")
        .args([format!("--pid={pid}"), "--fsize=unlimited".to_owned()])
        .status()
        .expect("prlimit, of util-linux");
    assert!(lifted.success());
}
