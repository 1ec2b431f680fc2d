//! A node dies, stands still, or makes the mistakes that we might: nothing is lost, and nobody has to write again for it to be found.

use std::collections::BTreeMap;
use std::time::Duration;

use anteroom_load_tests::client::{Posted, Socket, at_head, new_client_id};
use anteroom_load_tests::marketplace::OpenRoom;
use anteroom_protocol::client::{ClientFrame, Ping};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::server::ServerFrame;
use tokio::time::{Instant, sleep};

use super::play::Play;
use super::{Fleet, Node, lasting, until};
use crate::support::ask;

/// What a node committed that died before it told anybody is at its readers within this time, with nothing behind it.
const FOUND: Duration = Duration::from_secs(4);
/// And what was lost in any other way.
const AUDITED: Duration = Duration::from_secs(32);

/// A room whose client writes at one node, and whose freelancer reads at another.
async fn between(fleet: &Fleet, name: &str) -> (OpenRoom, Socket, Socket) {
    let [here, there] = fleet.nodes.as_slice() else { panic!("two nodes") };
    let room = here.marketplace.open_room(name).await.expect("a room");
    let (writer, _) = here.marketplace.socket(&room.client, Vec::new()).await.expect("a socket");
    let cursor = at_head(room.room);
    let (mut reader, _) = there.marketplace.socket(&room.freelancer, vec![cursor]).await.expect("a socket");
    reader.set_timeout(AUDITED);
    (room, writer, reader)
}

async fn heard(reader: &mut Socket) -> (EntryFrame, Duration) {
    let since = Instant::now();
    let entry = reader.next_entry().await.expect("an entry");
    (entry, since.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn the_people_of_a_node_that_is_killed_go_on_at_another_and_each_message_stands_there_once() {
    let mut fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "node-killed").await;
    let breaking = play.breaks("killed");
    fleet.nodes[0].server.kill().await.expect("killed");
    play.goes_on(60).await;
    drop(breaking);
    let launcher = fleet.nodes[0].launcher.clone();
    fleet.nodes[0].server = launcher.start().await.expect("back");
    fleet.until_together().await;
    let played = play.end(&fleet, 1).await;
    for (home, account) in &played.accounts {
        assert_eq!(account.connections, if *home == 0 { 2 } else { 1 }, "the fault has hit: {account:?}");
    }
    assert!(played.errors(None).is_empty(), "{:?}", played.errors(None));
    let (count, longest) = played.arrival("killed");
    eprintln!("{count} arrived meanwhile, within {longest:?}");
}

/// Nothing counts what it has not said, so that its ticks stay away is all there is to notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn what_a_node_committed_that_died_before_it_told_anybody_is_found_without_another_message() {
    let mut fleet = Fleet::start(2).await;
    let (room, mut writer, mut reader) = between(&fleet, "untold").await;
    fleet.nodes[1].until_calm().await;
    writer.post(room.room, new_client_id(), "all is well").await.expect("posted");
    heard(&mut reader).await;
    fleet.nodes[0].fails("die_untold", 100);
    let (key, post) = (new_client_id(), ask::post(room.room, "my last words"));
    writer.command(key, post.clone()).await.expect_err("nobody answers any more");
    let (entry, after) = heard(&mut reader).await;
    let died = fleet.nodes[0].server.wait().await.expect("ended");
    assert!(died.code().is_none(), "the fault has hit: {died}");
    eprintln!("there {after:?} after the node died");
    assert!(after < FOUND, "{after:?}");
    let there = &fleet.nodes[1];
    let repeated: Posted = there.marketplace.as_user(&room.client).command(key, &post).await.expect("known");
    assert_eq!((repeated.seq, repeated.hash, repeated.duplicate), (entry.seq, entry.hash, true));
    assert_eq!(there.repairs("silent").await, 1);
    fleet.is_dense().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn publications_that_are_lost_now_and_then_are_found_by_the_counts_also_the_last_of_a_room() {
    let fleet = Fleet::start(2).await;
    let (room, mut writer, mut reader) = between(&fleet, "last").await;
    fleet.nodes[0].fails("lose_publication", 100);
    let posted: Posted = writer.post(room.room, new_client_id(), "the last one").await.expect("posted");
    let (entry, after) = heard(&mut reader).await;
    assert_eq!(entry.seq, posted.seq);
    assert!(after < Duration::from_millis(2_500), "{after:?}");
    fleet.nodes.iter().for_each(|node| node.fails("lose_publication", 2));
    let play = Play::begin(&fleet, "two-percent").await;
    play.goes_on(1_000).await;
    let played = play.end(&fleet, 0).await;
    let (count, longest) = played.arrival("healthy");
    let (mut lost, mut repaired) = (0, 0);
    for node in &fleet.nodes {
        lost += node.figure("anteroom_bus_publications_total{outcome=\"dropped\"}").await;
        repaired += node.repairs("hole").await;
    }
    eprintln!(
        "the last one after {after:?}; of {count} {lost} publications lost, {repaired} entries repaired, within {longest:?}"
    );
    assert!(lost > 5 && repaired > 5, "the fault has hit: {lost}, {repaired}");
    assert!(longest < Duration::from_millis(2_500), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn an_entry_that_was_told_to_nobody_and_counted_by_nobody_is_found_by_the_audit_or_by_a_ping() {
    let fleet = Fleet::start(2).await;
    let (room, mut writer, mut reader) = between(&fleet, "nobody").await;
    let first: Posted = writer.post(room.room, new_client_id(), "all is well").await.expect("posted");
    heard(&mut reader).await;
    // What it looks for in its first moments would find it, too.
    fleet.nodes[1].until_calm().await;
    fleet.nodes[0].fails("tell_nobody", 100);
    writer.post(room.room, new_client_id(), "into the dark").await.expect("posted");
    let (entry, after) = heard(&mut reader).await;
    eprintln!("found by the audit after {after:?}");
    assert!(entry.seq == first.seq + 1 && after < AUDITED);
    assert_eq!(fleet.nodes[1].repairs("audit").await, 1);
    writer.post(room.room, new_client_id(), "and again").await.expect("posted");
    let heads = BTreeMap::from([(room.room, entry.seq)]);
    reader.send_frame(&ClientFrame::Ping(Ping { heads }), None).await.expect("sent");
    let (entry, after) = heard(&mut reader).await;
    eprintln!("found by a ping after {after:?}");
    assert_eq!(entry.seq, first.seq + 2);
}

/// Whether somebody on this socket is seen to come or go next.
async fn seen(socket: &mut Socket, who: &anteroom_protocol::id::UserId) -> bool {
    let news = |frame: &ServerFrame| matches!(frame, ServerFrame::Presence { user, .. } if user == who);
    let told = socket.wait_for("presence", news).await.expect("news");
    matches!(told, ServerFrame::Presence { online: true, .. })
}

/// A machine that was suspended, or a process that was swapped out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_node_that_stood_still_is_given_up_and_then_tells_everything_in_its_order() {
    let fleet = Fleet::start(2).await;
    let [still, other]: &[Node; 2] = fleet.nodes.as_slice().try_into().expect("two nodes");
    let room = other.marketplace.open_room("still").await.expect("a room");
    let cursor = || vec![at_head(room.room)];
    let (mut there, _) = still.marketplace.socket(&room.client, cursor()).await.expect("a socket");
    let (mut here, _) = other.marketplace.socket(&room.freelancer, cursor()).await.expect("a socket");
    here.set_timeout(AUDITED + FOUND);
    there.set_timeout(AUDITED);
    assert!(seen(&mut here, &room.client).await);
    let play = Play::begin(&fleet, "stands-still").await;
    let breaking = play.breaks("still");
    still.server.pause().expect("paused");
    let since = Instant::now();
    assert!(!seen(&mut here, &room.client).await, "who is there is not known any more");
    eprintln!("given up after {:?}", since.elapsed());
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 40).saturating_sub(since.elapsed())).await;
    for number in 0..20 {
        here.post(room.room, new_client_id(), format!("number {number}")).await.expect("posted");
    }
    still.server.resume().expect("goes on");
    let mut seqs = Vec::new();
    for _ in 0..20 {
        seqs.push(there.next_entry().await.expect("an entry").seq);
    }
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "in order, each once: {seqs:?}");
    assert!(seen(&mut here, &room.client).await, "and is seen again");
    until("it hears", async || !still.is_degraded().await).await;
    play.goes_on(40).await;
    drop(breaking);
    let played = play.end(&fleet, 1).await;
    assert!(played.errors(Some(1)).is_empty(), "{:?}", played.errors(Some(1)));
    let looked = still.figure("anteroom_look_backs_total").await;
    assert!(since.elapsed() > Duration::from_secs(30) && looked > 0, "the fault has hit");
}
