//! Clients go at the moment of the commit, at several nodes: each command is done once or not at all, and the database is left clean.

use anteroom_load_tests::client::{Posted, new_client_id};
use anteroom_protocol::client::ClientFrame;
use anteroom_protocol::id::ClientId;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Duration, sleep};

use super::{Fleet, asked};
use crate::support::ask;

/// How many go; a night has time for more.
fn times() -> usize {
    asked("ANTEROOM_GONE", 2_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn clients_that_drop_at_the_moment_of_the_commit_leave_no_transaction_no_lock_and_no_hole() {
    let fleet = Fleet::start(2).await;
    let rooms = fleet.nodes[0].marketplace.open_rooms(8, "gone").await.expect("rooms");
    let goes = |number: usize| {
        let (room, node) = (&rooms[number % rooms.len()], &fleet.nodes[number % 2]);
        async move {
            let (mut socket, _) = node.marketplace.socket(&room.client, Vec::new()).await.expect("a socket");
            let key: ClientId = new_client_id();
            let post = ask::post(room.room, format!("number {number}"));
            socket.send_frame(&ClientFrame::Command(key.into(), post), None).await.expect("sent");
            // From at once to when it is answered.
            sleep(Duration::from_micros(rand::random_range(0..4_000))).await;
            (number, key)
        }
    };
    let keys: Vec<(usize, ClientId)> =
        stream::iter((0..times()).map(goes)).buffer_unordered(4).collect().await;
    let mut done = 0;
    for (number, key) in &keys {
        let (room, other) = (&rooms[number % rooms.len()], &fleet.nodes[(number + 1) % 2]);
        let post = ask::post(room.room, format!("number {number}"));
        let posted: Posted =
            other.marketplace.as_user(&room.client).command(*key, &post).await.expect("posted");
        done += usize::from(posted.duplicate);
    }
    let written = fleet.query("SELECT count(*) FROM entries WHERE public LIKE '%number %'").await;
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    let locks = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    let (idle, locks) = (fleet.query(idle).await, fleet.query(locks).await);
    eprintln!(
        "{} went, {done} of their commands were done; {idle} transactions, {locks} waiting locks are left",
        keys.len()
    );
    assert_eq!((written, idle.as_str(), locks.as_str()), (keys.len().to_string(), "0", "0"));
    assert!(done > 0, "the fault has hit");
    fleet.is_dense().await;
}
