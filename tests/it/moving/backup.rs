//! `anteroom backup` and `anteroom restore`: the embedded database in one file, and what its people are told once it is back.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anteroom_load_tests::client::after;
use anteroom_protocol::room::JoinMode;
use anteroom_protocol::server::ServerFrame;

use super::{Served, lively, modes, transcript};
use crate::cli::{fails, prints, text};
use crate::support::database::tamper;

async fn backup(directory: &Path, file: &Path) -> String {
    prints(&["backup", "--output", text(file), "--data-dir", text(directory)], &[]).await
}

async fn restore(directory: &Path, file: &Path, more: &[&str]) -> String {
    prints(&[&["restore", text(file), "--data-dir", text(directory)], more].concat(), &[]).await
}

#[tokio::test]
async fn a_backup_beside_a_server_that_goes_on_writing_is_whole_and_holds_all_that_was_acknowledged() {
    let (home, files) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let server = Served::on(home.path(), None).await;
    let room = lively(&server, "one").await;
    let (acknowledged, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let write = async {
        while !is_over.load(Ordering::Relaxed) {
            let posted = server.post(&room.client, room.room, "and on").await;
            acknowledged.store(posted.seq, Ordering::Relaxed);
        }
    };
    let keep = async {
        let mut kept = Vec::new();
        for number in 0..4 {
            let file = files.path().join(format!("backup-{number}.db"));
            let least = acknowledged.load(Ordering::Relaxed);
            let said = backup(home.path(), &file).await;
            assert!(
                said.contains(" entries, the newest of 2") && said.contains("every chain holds"),
                "{said}"
            );
            let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "nobody else's to read");
            kept.push((file, least, acknowledged.load(Ordering::Relaxed)));
        }
        is_over.store(true, Ordering::Relaxed);
        kept
    };
    let ((), kept) = tokio::join!(write, keep);
    server.stop().await;
    assert_eq!(std::fs::read_dir(files.path()).expect("read").count(), kept.len(), "and nothing beside them");
    let name = room.room.to_string();
    let all = transcript(home.path(), None, &name).await;
    for (file, least, most) in kept {
        let place = tempfile::tempdir().expect("a directory");
        restore(place.path(), &file, &[]).await;
        let restored = transcript(place.path(), None, &name).await;
        let entries = restored.len() - 2;
        assert!((least..=most + 1).contains(&(entries as u64)), "{least} {entries} {most}");
        assert_eq!(restored[1..=entries], all[1..=entries]);
    }
}

#[tokio::test]
async fn after_a_restore_who_had_more_is_told_so_and_everything_goes_on() {
    let (home, files) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let file = files.path().join("backup.db");
    let server = Served::on(home.path(), None).await;
    let room = lively(&server, "one").await;
    // The same client's other room, in which nothing is lost.
    server.marketplace.put_user(&"quiet-freelancer".parse().expect("an id"), "Q").await.expect("told");
    let job = "quiet-job".parse().expect("an id");
    server.marketplace.put_job(&job, &room.client, "A job").await.expect("told");
    let freelancer = "quiet-freelancer".parse().expect("an id");
    let quiet =
        server.marketplace.open_room_between(job, room.client.clone(), freelancer).await.expect("a room");
    let quiet_log = server.log(&room.client, quiet.room).await;
    let at_the_backup = server.log(&room.client, room.room).await;
    backup(home.path(), &file).await;
    for number in 0..3 {
        server.post(&room.client, room.room, &format!("to be lost {number}")).await;
    }
    let lost = server.log(&room.client, room.room).await;
    assert_eq!(lost.len(), at_the_backup.len() + 3);
    let (_, welcome) = server.hello(&room.client, Vec::new(), None).await;
    let args = ["restore", text(&file), "--data-dir", text(home.path()), "--replace"];
    fails(("data_dir_in_use", 3), &args, &[]).await;
    server.stop().await;

    let (error, help) = fails(("configuration_invalid", 2), &args[..4], &[]).await;
    assert!(error.contains("anteroom.db already") && help.contains("--replace"), "{error}: {help}");
    let said = restore(home.path(), &file, &["--replace"]).await;
    assert!(said.contains("anteroom.db.before-1 now"), "{said}");

    let server = Served::on(home.path(), None).await;
    let cursors = vec![after(lost.last().expect("an entry")), after(&quiet_log[1])];
    let (mut socket, back) = server.hello(&room.client, cursors, welcome.changes_cursor.as_deref()).await;
    assert_eq!((modes(&back), back.changes_reset), (vec![JoinMode::Reset, JoinMode::Resumed], true));
    let told =
        |frame: &ServerFrame| matches!(frame, ServerFrame::Reset { room: Some(of), .. } if *of == room.room);
    socket.wait_for("a reset", told).await.expect("a reset");
    let cursor = after(at_the_backup.last().expect("an entry"));
    let (_, back) = server.hello(&room.client, vec![cursor], None).await;
    assert_eq!(modes(&back), [JoinMode::Live], "who had no more than the backup goes on");
    // The numbers are used again, for other entries: whoever kept the old ones is told by the hash.
    for _ in 0..5 {
        server.post(&room.freelancer, room.room, "instead").await;
    }
    let log = server.log(&room.client, room.room).await;
    assert_eq!(
        log[..at_the_backup.len()].iter().map(|entry| entry.hash).collect::<Vec<_>>(),
        at_the_backup.iter().map(|entry| entry.hash).collect::<Vec<_>>()
    );
    assert_eq!(log.len(), at_the_backup.len() + 5);
    let (_, back) = server.hello(&room.client, vec![after(lost.last().expect("an entry"))], None).await;
    assert_eq!(modes(&back), [JoinMode::Reset]);
    server.finds(&room.client, "instead", 5).await;
    server.finds(&room.client, "lost", 0).await;
    server.stop().await;

    // What was replaced is a database still.
    let place = tempfile::tempdir().expect("a directory");
    restore(place.path(), &home.path().join("anteroom.db.before-1"), &[]).await;
    assert_eq!(transcript(place.path(), None, &room.room.to_string()).await.len(), lost.len() + 2);
    let said = restore(home.path(), &file, &["--replace"]).await;
    assert!(said.contains("anteroom.db.before-2 now"), "{said}");
}

#[tokio::test]
async fn what_is_no_whole_database_is_not_restored_and_what_was_there_stays() {
    let (home, files) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let server = Served::on(home.path(), None).await;
    let room = lively(&server, "one").await;
    let good = files.path().join("good.db");
    backup(home.path(), &good).await;
    server.stop().await;
    let before = transcript(home.path(), None, &room.room.to_string()).await;
    let taken = ["backup", "--output", text(&good), "--data-dir", text(home.path())];
    let (error, _) = fails(("configuration_invalid", 2), &taken, &[]).await;
    assert!(error.contains("good.db already"), "never overwritten: {error}");

    let file = |name: &str| files.path().join(name);
    std::fs::write(file("letter"), "this is no database, it is a letter".repeat(100)).expect("written");
    std::fs::write(file("empty"), "").expect("written");
    let whole = std::fs::read(&good).expect("read");
    std::fs::write(file("half"), &whole[..whole.len() / 2]).expect("written");
    for (name, sql) in [
        (
            "changed",
            "UPDATE entries SET public = '{\"body\":\"never said\"}' WHERE seq = 4 AND log = (SELECT max(id) FROM logs WHERE room IS NOT NULL)",
        ),
        ("shortened", "DELETE FROM entries WHERE (log, seq) IN (SELECT id, seq FROM logs)"),
        (
            "newer",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'the future', 1, x'00', 0)",
        ),
    ] {
        std::fs::copy(&good, file(name)).expect("copied");
        tamper(&file(name), sql).await;
    }
    let cases = [
        ("letter", "database_damaged", "is damaged"),
        ("empty", "database_damaged", "no tables of an anteroom server"),
        ("half", "database_damaged", "is damaged"),
        ("changed", "database_damaged", "breaks at entry 4"),
        ("shortened", "database_damaged", "breaks at entry"),
        ("newer", "database_newer", "9999"),
    ];
    for (name, code, why) in cases {
        let file = file(name);
        let args = ["restore", text(&file), "--data-dir", text(home.path()), "--replace"];
        let (error, help) = fails((code, 3), &args, &[]).await;
        assert!(error.contains(why) && !help.is_empty(), "{name}: {error}");
        let new = tempfile::tempdir().expect("a directory");
        let args = ["restore", text(&file), "--data-dir", text(new.path())];
        fails((code, 3), &args, &[]).await;
        assert!(!new.path().join("anteroom.db").exists(), "{name}");
    }
    assert_eq!(before, transcript(home.path(), None, &room.room.to_string()).await);
    let rest =
        std::fs::read_dir(home.path()).expect("read").map(|entry| entry.expect("an entry").file_name());
    let odd: Vec<_> = rest.filter(|name| name.to_string_lossy().contains("tmp")).collect();
    assert!(odd.is_empty(), "what was not restored is left nowhere: {odd:?}");
}

#[tokio::test]
async fn an_older_backup_is_brought_up_to_date_and_postgresql_has_its_own_tools() {
    let home = tempfile::tempdir().expect("a directory");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/room-0003.db");
    let was = std::fs::read(&fixture).expect("read");
    let said = restore(home.path(), &fixture, &[]).await;
    assert!(said.contains("restored") && said.contains("every chain holds"), "{said}");
    assert_eq!(std::fs::read(&fixture).expect("read"), was, "the file stays as it is");
    let look = ["migrate", "--dry-run", "--data-dir", text(home.path())];
    assert!(prints(&look, &[]).await.contains("nothing to do"));

    let shared = [("ANTEROOM_DATABASE__URL", "postgres://nobody@127.0.0.1:1/nothing")];
    let file = home.path().join("backup.db");
    let (_, help) = fails(("configuration_invalid", 2), &["backup", "--output", text(&file)], &shared).await;
    assert!(help.contains("pg_dump"), "{help}");
    let (_, help) = fails(("configuration_invalid", 2), &["restore", text(&fixture)], &shared).await;
    assert!(help.contains("pg_restore"), "{help}");
    let missing = ["restore", text(&file), "--data-dir", text(home.path())];
    let (error, _) = fails(("configuration_invalid", 2), &missing, &[]).await;
    assert!(error.contains("there is no file"), "{error}");
}
