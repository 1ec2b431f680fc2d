//! A PostgreSQL database that was dumped and restored: what its people are told, also where transactions have other numbers.

use std::path::PathBuf;
use std::process::Stdio;

use anteroom_load_tests::client::after;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::room::JoinMode;
use sqlx::AssertSqlSafe;
use tokio::process::Command;

use super::{Served, WORDS, lively, modes};
use crate::support::postgres::Schema;
use crate::support::soon;

/// One of PostgreSQL's programs: in the search path, or where Debian keeps it.
fn program(name: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    places.sort_by_key(|place| !place.join("initdb").is_file());
    places.into_iter().map(|place| place.join(name)).find(|file| file.is_file()).expect("a program")
}

async fn does(command: &mut Command) {
    let output = soon("an end", command.stdin(Stdio::null()).output()).await.expect("an output");
    assert!(output.status.success(), "{output:?}");
}

/// Everything that is said to be of a transaction of its own number is of one that the cluster has not had.
async fn as_of_another_cluster(schema: &Schema) {
    let ahead = "UPDATE entries SET tx = tx + 1000000000; UPDATE search SET tx = tx + 1000000000;
        UPDATE users SET tx = tx + 1000000000; UPDATE indexed SET tx = tx + 1000000000 WHERE tx > 0";
    sqlx::raw_sql(ahead).execute(&mut schema.connect().await).await.expect("done");
}

#[tokio::test]
async fn after_a_dump_was_restored_who_had_more_is_told_so_and_everything_goes_on() {
    let (home, schema) = (tempfile::tempdir().expect("a directory"), Schema::fresh());
    let dump = home.path().join("dump");
    let server = Served::on(home.path(), Some(&schema)).await;
    let room = lively(&server, "one").await;
    let kept = server.log(&room.client, room.room).await;
    let connection = format!("--dbname={}", schema.server());
    // Beside the server that goes on.
    let args = ["--format=custom", "--schema", schema.name(), "--file"];
    does(Command::new(program("pg_dump")).arg(&connection).args(args).arg(&dump)).await;
    for _ in 0..3 {
        server.post(&room.client, room.room, "to be lost").await;
    }
    let lost = server.log(&room.client, room.room).await;
    let (_, welcome) = server.hello(&room.client, Vec::new(), None).await;
    server.stop().await;
    let drop = format!("DROP SCHEMA {} CASCADE", schema.name());
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut schema.connect().await).await.expect("dropped");
    does(Command::new(program("pg_restore")).arg(&connection).arg("--exit-on-error").arg(&dump)).await;

    let server = Served::on(home.path(), Some(&schema)).await;
    let cursors = vec![after(lost.last().expect("an entry")), after(&kept[1])];
    for (cursor, mode) in cursors.into_iter().zip([JoinMode::Reset, JoinMode::Resumed]) {
        let (_, back) = server.hello(&room.client, vec![cursor], welcome.changes_cursor.as_deref()).await;
        assert_eq!((modes(&back), back.changes_reset), (vec![mode], true));
    }
    let next = server.post(&room.freelancer, room.room, "instead").await;
    assert_eq!(next.seq, kept.len() as u64 + 1);
    server.log(&room.client, room.room).await;
}

/// Left alone, nothing would be settled until the cluster has had as many transactions: nothing new is found, and all is told each time.
#[tokio::test]
async fn a_database_of_a_cluster_with_higher_numbers_is_numbered_anew() {
    let (home, schema) = (tempfile::tempdir().expect("a directory"), Schema::fresh());
    let server = Served::on(home.path(), Some(&schema)).await;
    let (room, other) = (lively(&server, "one").await, lively(&server, "other").await);
    server.finds(&room.client, "Grüße", WORDS).await;
    let (_, welcome) = server.hello(&room.client, Vec::new(), None).await;
    server.stop().await;
    // Twice: the second time, cursors are of numbers that were given anew before.
    let mut cursor = welcome.changes_cursor;
    for round in 1..=2 {
        as_of_another_cluster(&schema).await;
        // Two servers at once: one does it.
        let (server, second) =
            tokio::join!(Served::on(home.path(), Some(&schema)), Served::on(home.path(), Some(&schema)));
        second.stop().await;
        let (_, back) = server.hello(&room.client, Vec::new(), cursor.as_deref()).await;
        assert!(back.changes_reset, "round {round}: a cursor of the numbers before");
        let changed = |welcome: &anteroom_protocol::server::Welcome| {
            welcome.changes.iter().map(|change| change.room).collect::<Vec<_>>()
        };
        let (_, back) = server.hello(&room.client, Vec::new(), back.changes_cursor.as_deref()).await;
        assert!(!back.changes_reset && changed(&back).is_empty(), "what was told is settled: {back:?}");
        server.post(&room.freelancer, room.room, "and on").await;
        server.post(&other.freelancer, other.room, "elsewhere").await;
        let (_, back) = server.hello(&room.client, Vec::new(), back.changes_cursor.as_deref()).await;
        assert_eq!((changed(&back), back.changes_reset), (vec![room.room], false));
        let (_, back) = server.hello(&room.client, Vec::new(), back.changes_cursor.as_deref()).await;
        assert!(changed(&back).is_empty(), "and once: {back:?}");
        server.finds(&room.client, "Grüße", WORDS).await;
        server.finds(&room.client, "on", round).await;
        assert!(!server.log(&room.client, RoomRef::Inbox).await.is_empty());
        cursor = back.changes_cursor;
        server.stop().await;
    }
}
