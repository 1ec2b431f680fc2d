//! PostgreSQL is put back to an older state under servers that go on running: as by a restore, or by a standby that takes over without the
//! last moments.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anteroom_load_tests::client::{Posted, Socket, after, at_head, from_start, new_client_id};
use anteroom_load_tests::marketplace::OpenRoom;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::log::{Hash, chain_name, verify_chain};
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;

use super::{Fleet, Node, until};
use crate::support::soon;

/// Copies a directory as it is, with its owner.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg("--").args([from, to]).status().expect("cp");
    assert!(copied.success());
}

async fn posted(fleet: &Fleet, at: usize, room: &OpenRoom, body: &str) -> Posted {
    let http = fleet.nodes[at].marketplace.as_user(&room.client);
    http.command(new_client_id(), &crate::support::ask::post(room.room, body)).await.expect("posted")
}

/// Comes with this cursor; what is told first of the room, a reset or an entry, if anything.
async fn comes(node: &Node, room: &OpenRoom, cursor: Cursor) -> (Socket, Option<ServerFrame>) {
    let (mut socket, _) = node.marketplace.socket(&room.freelancer, vec![cursor]).await.expect("a socket");
    let told = |frame: &ServerFrame| matches!(frame, ServerFrame::Reset { .. } | ServerFrame::Entry(_));
    while let Some(frame) = socket.listen(Duration::from_secs(1)).await.expect("open") {
        if told(&frame) {
            return (socket, Some(frame));
        }
    }
    (socket, None)
}

async fn log(fleet: &Fleet, at: usize, room: &OpenRoom) -> Vec<EntryFrame> {
    fleet.nodes[at].marketplace.as_user(&room.client).all_entries(room.room, false).await.expect("a log")
}

/// Does this while PostgreSQL is stopped and the nodes go on.
async fn while_stopped(fleet: &mut Fleet, work: impl FnOnce()) {
    fleet.postgres.stop().await.expect("stopped");
    work();
    fleet.postgres.restart().await.expect("back");
    for node in &fleet.nodes {
        until("ready again", async || node.is_ready().await).await;
    }
}

/// From the start on exactly these entries come.
async fn reads_all(node: &Node, room: &OpenRoom, whole: &[EntryFrame]) {
    let cursor = vec![from_start(room.room)];
    let (mut socket, _) = node.marketplace.socket(&room.freelancer, cursor).await.expect("a socket");
    for entry in whole {
        let read = socket.next_entry().await.expect("an entry");
        assert_eq!((read.seq, read.hash), (entry.seq, entry.hash), "all converge to the log that is there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_database_that_went_back_in_time_is_told_to_those_who_have_read_more_and_to_nobody_else() {
    let mut fleet = Fleet::start(2).await;
    let rooms = fleet.nodes[0].marketplace.open_rooms(2, "back").await.expect("rooms");
    let [shorter, same] = rooms.as_slice() else { panic!("two rooms") };
    for room in [shorter, same] {
        posted(&fleet, 0, room, "before").await;
    }
    let kept = log(&fleet, 0, shorter).await.len() as u64;
    let data = fleet.postgres.data_directory();
    let older = data.with_extension("older");
    while_stopped(&mut fleet, || copy(&data, &older)).await;
    // Both nodes know the log with its lost end, and sockets on both have it.
    let mut open = Vec::new();
    for (at, node) in fleet.nodes.iter().enumerate() {
        let cursor = vec![at_head(shorter.room)];
        open.push(node.marketplace.socket(&shorter.freelancer, cursor).await.expect("a socket").0);
        posted(&fleet, at, shorter, "lost").await;
    }
    let lost = log(&fleet, 1, shorter).await;
    let (last, unlost) = (lost.last().expect("an entry"), log(&fleet, 1, same).await);
    assert_eq!(last.seq, kept + 2);

    while_stopped(&mut fleet, || {
        std::fs::remove_dir_all(&data).expect("removed");
        std::fs::rename(&older, &data).expect("put back");
    })
    .await;
    for socket in &mut open {
        let (code, _) =
            soon("the end of a socket that has read too much", socket.closed()).await.expect("closed");
        assert_eq!(code, 1012);
    }
    // The same numbers are given again, to other entries, by both nodes in turn, which both remember other ones.
    let written = [posted(&fleet, 1, shorter, "again").await, posted(&fleet, 0, shorter, "and again").await];
    assert_eq!(written.each_ref().map(|posted| posted.seq), [kept + 1, kept + 2]);
    for node in &fleet.nodes {
        let (_, told) = comes(node, shorter, after(last)).await;
        assert!(
            matches!(told, Some(ServerFrame::Reset { room: Some(room), .. }) if room == shorter.room),
            "{told:?}"
        );
        let (_, told) = comes(node, shorter, after(&lost[kept as usize - 1])).await;
        let Some(ServerFrame::Entry(entry)) = told else { panic!("who has read no more goes on: {told:?}") };
        assert_eq!((entry.seq, entry.hash), (kept + 1, written[0].hash));
        let (_, told) = comes(node, same, after(unlost.last().expect("an entry"))).await;
        assert!(told.is_none(), "nothing was lost there: {told:?}");
        reads_all(node, shorter, &log(&fleet, 0, shorter).await).await;
    }
    let chained = fleet.nodes[0].marketplace.as_user(&shorter.client).all_entries(shorter.room, true).await;
    let (chained, name) = (chained.expect("a log"), chain_name(shorter.room, &shorter.client));
    let end = verify_chain(&name, (0, Hash::GENESIS), &chained).expect("a chain that holds");
    assert_eq!(end, (kept + 2, written[1].hash));
    fleet.is_dense().await;
}
