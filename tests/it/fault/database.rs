//! PostgreSQL is gone, stands still, is out of one node's reach, or its answer is lost: nothing acknowledged is lost, and what is not
//! known is called unknown.

use std::time::Duration;

use anteroom_load_tests::client::{Posted, Socket, new_client_id};
use anteroom_load_tests::proxy::Door;
use anteroom_protocol::error::ErrorCode;
use tokio::time::sleep;

use super::play::{Play, Played};
use super::{Fleet, lasting, until};
use crate::support::soon;

/// After this time a post is answered, whatever the database does: five seconds for a connection or for the statement, and what a
/// busy machine adds.
const ANSWERED: Duration = Duration::from_millis(11_500);

/// Nobody was told anything but that it is to be tried again.
fn only_for_now(played: &Played) {
    let errors = played.errors(None);
    assert!(errors.keys().all(|code| ["unknown", "busy", "held"].contains(code)), "{errors:?}");
    assert!(errors.contains_key("unknown") || errors.contains_key("busy"), "the fault has hit: {errors:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_postgres_that_is_killed_has_everything_that_was_acknowledged() {
    let mut fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "postgres-killed").await;
    let breaking = play.breaks("killed");
    fleet.postgres.kill().await.expect("killed");
    let gone = &fleet.nodes;
    until("both not ready", async || !gone[0].is_ready().await && !gone[1].is_ready().await).await;
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 2)).await;
    fleet.postgres.restart().await.expect("back");
    for node in &fleet.nodes {
        until("ready again", async || node.is_ready().await).await;
    }
    play.goes_on(40).await;
    drop(breaking);
    let played = play.end(&fleet, 0).await;
    only_for_now(&played);
    for node in &fleet.nodes {
        assert!(!node.is_degraded().await, "nothing happened to Redis");
    }
}

/// Nobody announced what nobody knew to be committed: its readers elsewhere had it when the next message came, or half a minute later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wrote_while_the_reply_to_the_commit_was_lost_learns_by_sending_again() {
    const ROUNDS: usize = 5;
    let fleet = Fleet::start(2).await;
    let [here, there] = fleet.nodes.as_slice() else { panic!("two nodes") };
    let room = here.marketplace.open_room("lost").await.expect("a room");
    let (mut writer, _) = here.marketplace.socket(&room.client, Vec::new()).await.expect("a socket");
    let cursor = anteroom_load_tests::client::at_head(room.room);
    let (mut reader, _) = there.marketplace.socket(&room.freelancer, vec![cursor]).await.expect("a socket");
    for round in 0..ROUNDS {
        let (key, body) = (new_client_id(), format!("whether this was written in round {round}"));
        // The words are part of what the statement is given.
        here.postgres.lose_reply_to(body.as_bytes());
        let lost = writer.post(room.room, key, &body).await.expect_err("no reply");
        assert_eq!(lost.code(), Some(ErrorCode::Unknown), "{lost}");
        let posted: Posted = writer.post(room.room, key, &body).await.expect("known");
        assert!(posted.duplicate, "{posted:?}");
        // It was announced by nobody, and nothing comes behind it that would show that it is missing.
        let heard = soon("the entry", reader.next_entry()).await.expect("an entry");
        assert_eq!((heard.seq, heard.hash), (posted.seq, posted.hash));
        let sql = format!("SELECT count(*) FROM entries WHERE public LIKE '%{body}%'");
        assert_eq!(fleet.query(&sql).await, "1");
    }
    let (doubted, missed) = (here.repairs("doubt").await, there.repairs("hole").await);
    assert!(doubted > 0 && missed > 0, "found by looking: {doubted}, {missed}");
    assert_eq!(here.postgres.counts().lost_replies, ROUNDS as u64, "the fault has hit");
    fleet.is_dense().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_node_that_is_cut_from_postgres_acknowledges_nothing_and_hears_the_others_all_the_same() {
    let fleet = Fleet::start(2).await;
    let [cut, whole] = fleet.nodes.as_slice() else { panic!("two nodes") };
    let room = whole.marketplace.open_room("cut").await.expect("a room");
    let cursor = anteroom_load_tests::client::at_head(room.room);
    let (mut here, _) = cut.marketplace.socket(&room.client, vec![cursor.clone()]).await.expect("a socket");
    let (mut there, _) = whole.marketplace.socket(&room.freelancer, Vec::new()).await.expect("a socket");
    here.set_timeout(ANSWERED);
    let play = Play::begin(&fleet, "postgres-cut").await;
    let breaking = play.breaks("cut");
    cut.postgres.door(Door::Closed).await.expect("closed");
    cut.postgres.reset_all();
    let key = new_client_id();
    let refused = here.post(room.room, key, "into nothing").await.expect_err("no database");
    assert!(matches!(refused.code(), Some(ErrorCode::Unknown | ErrorCode::Busy)), "{refused}");
    until("not ready", async || !cut.is_ready().await).await;
    assert!(whole.is_ready().await);
    for number in 0..10 {
        let posted = post(&mut there, room.room, number).await;
        let heard = soon("the entry", here.next_entry()).await.expect("an entry");
        assert_eq!((heard.seq, heard.hash), (posted.seq, posted.hash), "from the publication, in order");
    }
    drop(breaking);
    cut.postgres.door(Door::Open).await.expect("open");
    until("ready again", async || cut.is_ready().await).await;
    let posted: Posted = here.post(room.room, key, "into nothing").await.expect("written");
    assert_eq!(soon("the entry", here.next_entry()).await.expect("an entry").seq, posted.seq);
    let played = play.end(&fleet, 1).await;
    only_for_now(&played);
    assert!(
        played.errors(Some(1)).is_empty(),
        "the other node has its database: {:?}",
        played.errors(Some(1))
    );
}

async fn post(socket: &mut Socket, room: anteroom_protocol::id::RoomRef, number: usize) -> Posted {
    socket.post(room, new_client_id(), format!("number {number}")).await.expect("posted")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_postgres_that_stands_still_is_waited_for_five_seconds_and_then_unknown() {
    let fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "postgres-still").await;
    let breaking = play.breaks("still");
    fleet.postgres.pause().await.expect("paused");
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 7)).await;
    fleet.postgres.resume().expect("goes on");
    play.goes_on(40).await;
    drop(breaking);
    let played = play.end(&fleet, 0).await;
    only_for_now(&played);
    assert!(played.errors(None).contains_key("unknown"), "{:?}", played.errors(None));
    assert!(played.longest() < ANSWERED, "{:?}", played.longest());
}
