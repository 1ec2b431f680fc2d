//! A disk that has no room for a moment. The kernel's bound on the size of a file stands in for it: the write behind a commit fails in
//! the same way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command as Process;

use anteroom_load_tests::client::{Http, HttpError, Posted, new_client_id};
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::Launcher;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::message::MessagePost;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::support::hasty;

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
    let mut kept = Vec::new();
    let failed = loop {
        assert!(kept.len() < 500, "the bound was never reached");
        let id = new_client_id();
        match post(&ana, open.room, id).await {
            Ok(posted) => kept.push((id, posted)),
            Err(error) => break (id, error),
        }
    };
    let told = &failed.1.problem().expect("a problem").error;
    // A commit that fails halfway is called unknown, not failed; what follows shows that nothing of it is there.
    assert!(told.retryable && matches!(told.code, ErrorCode::Busy | ErrorCode::Unknown), "{told:?}");
    let head = || async { ana.all_entries(open.room, false).await.expect("the log can be read").len() };
    let before = head().await;
    assert_eq!(before, BEGINNING + kept.len(), "nothing of the failed one is there");
    let others = [post(&ana, open.room, new_client_id()).await, post(&ana, open.room, new_client_id()).await];
    assert!(others.iter().all(Result::is_err), "still no room");
    assert_eq!(head().await, before);

    lift_the_bound(server.pid());
    let again = post(&ana, open.room, failed.0).await.expect("the same command, now that there is room");
    kept.push((failed.0, again));
    let next = new_client_id();
    kept.push((next, post(&ana, open.room, next).await.expect("and the next one")));
    assert_eq!(ana.raw("GET", "/readyz", &[], None).await.expect("an answer").status, 200);

    let log = ana.all_entries(open.room, true).await.expect("the log");
    assert!(log.iter().map(|entry| entry.seq).eq(1..=log.len() as u64), "numbers without holes");
    assert_eq!(log.len(), BEGINNING + kept.len(), "what was acknowledged, and nothing else");
    for (id, posted) in kept {
        let found: Vec<_> = log.iter().filter(|entry| entry.client_id == Some(id)).collect();
        assert!(found.len() == 1 && found[0].seq == posted.seq && found[0].hash == posted.hash, "{id}");
    }
    assert!(server.terminate().await.expect("an end").success());
    assert_eq!(integrity(&directory.path().join("data").join("anteroom.db")).await, "ok");
}

async fn integrity(database: &Path) -> String {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await.expect("opened");
    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.expect("checked")
}

async fn post(http: &Http, room: RoomRef, id: ClientId) -> Result<Posted, HttpError> {
    let post = Command::MessagePost(MessagePost { room, body: "x".repeat(8_000) });
    http.command(id, &post).await
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
