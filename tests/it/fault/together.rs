//! Two nodes are given the same thing, or opposite ones, at the same moment.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anteroom_load_tests::client::{Posted, Socket, at_head, new_client_id};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::UserId;
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::Fleet;
use crate::support::ask;

const PAIRS: usize = 1_000;

/// A socket at each node, of one of these people.
async fn sockets(fleet: &Fleet, people: [&UserId; 2], room: anteroom_protocol::id::RoomRef) -> [Socket; 2] {
    let mut sockets = Vec::new();
    for (node, user) in fleet.nodes.iter().zip(people) {
        let cursor = vec![at_head(room)];
        sockets.push(node.marketplace.socket(user, cursor).await.expect("a socket").0);
    }
    sockets.try_into().unwrap_or_else(|_| panic!("two nodes"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn what_both_sides_say_at_once_at_two_nodes_has_one_order_for_both() {
    let fleet = Fleet::start(2).await;
    let room = fleet.nodes[0].marketplace.open_room("both").await.expect("a room");
    let mut both = sockets(&fleet, [&room.client, &room.freelancer], room.room).await;
    let mut longest = Duration::ZERO;
    let (mut expected, mut won) = (None, 0);
    for pair in 0..PAIRS {
        let since = Instant::now();
        let [here, there] = &mut both;
        let (one, other) = tokio::join!(
            here.post(room.room, new_client_id(), format!("mine {pair}")),
            there.post(room.room, new_client_id(), format!("and mine {pair}"))
        );
        let (one, other): (Posted, Posted) = (one.expect("posted"), other.expect("posted"));
        let numbers = BTreeSet::from([one.seq, other.seq]);
        let first = *expected.get_or_insert(one.seq.min(other.seq));
        won += usize::from(one.seq < other.seq);
        assert_eq!(numbers, BTreeSet::from([first, first + 1]), "no hole");
        for socket in &mut both {
            for seq in [first, first + 1] {
                let entry = socket.next_entry().await.expect("an entry");
                let hash = if one.seq == seq { &one.hash } else { &other.hash };
                assert_eq!((entry.seq, &entry.hash), (seq, hash), "the same for both");
            }
        }
        expected = Some(first + 2);
        longest = longest.max(since.elapsed());
    }
    let ahead = fleet.nodes[0].repairs("ahead").await + fleet.nodes[1].repairs("ahead").await;
    eprintln!(
        "{PAIRS} pairs, {won} times the first node's first, the longest took {longest:?}; {ahead} entries read"
    );
    assert!(won > 0 && won < PAIRS, "they met: {won}");
    fleet.is_dense().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn one_command_at_two_nodes_at_once_is_done_once_and_answered_alike() {
    let fleet = Fleet::start(2).await;
    let room = fleet.nodes[0].marketplace.open_room("once").await.expect("a room");
    let mut both = sockets(&fleet, [&room.client, &room.client], room.room).await;
    let mut won = 0;
    for round in 0..PAIRS {
        let key = new_client_id();
        let [here, there] = &mut both;
        let body = format!("once {round}");
        let (one, other) =
            tokio::join!(here.post(room.room, key, body.clone()), there.post(room.room, key, body));
        let (one, other): (Posted, Posted) = (one.expect("posted"), other.expect("posted"));
        assert_eq!((one.seq, &one.hash), (other.seq, &other.hash));
        assert!(one.duplicate != other.duplicate, "one of the two has done it: {one:?} {other:?}");
        won += usize::from(other.duplicate);
        for socket in &mut both {
            assert_eq!(socket.next_entry().await.expect("an entry").seq, one.seq, "and nothing else");
        }
    }
    let written = fleet.query("SELECT count(*) FROM entries WHERE public LIKE '%once %'").await;
    eprintln!("{PAIRS} commands, {won} times done by the first node");
    assert_eq!(written, PAIRS.to_string());
    assert!(won > 0 && won < PAIRS, "they met: {won}");
    fleet.is_dense().await;
}

/// Its first socket died with its node before there was an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_command_that_was_done_at_a_node_that_is_gone_is_known_at_another_at_once_and_for_ever() {
    let mut fleet = Fleet::start(2).await;
    let room = fleet.nodes[0].marketplace.open_room("again").await.expect("a room");
    let (key, post) = (new_client_id(), ask::post(room.room, "once"));
    let here = fleet.nodes[0].marketplace.as_user(&room.client);
    let first: Posted = here.command(key, &post).await.expect("posted");
    fleet.nodes[0].server.kill().await.expect("killed");
    let there = fleet.nodes[1].marketplace.as_user(&room.client);
    let again: Posted = there.command(key, &post).await.expect("known");
    assert_eq!((again.seq, &again.hash, again.duplicate), (first.seq, &first.hash, true));
    // What it is known by has no time in it, and nothing takes it away while its log stands.
    let columns =
        "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns
        WHERE table_name = 'commands'";
    assert_eq!(fleet.query(columns).await, "actor client_id mac log seq answer");
    let another = there.command::<Posted>(key, &ask::post(room.room, "twice")).await.expect_err("refused");
    assert_eq!(another.code(), Some(ErrorCode::ClientIdReused));
    fleet.is_dense().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn five_hundred_rooms_on_one_connection_to_the_database_are_slow_and_never_stuck() {
    const ROOMS: usize = 500;
    const POSTS: usize = 4;
    let one = [("ANTEROOM_DATABASE__WRITERS", "1"), ("ANTEROOM_DATABASE__READERS", "1")];
    let fleet = Fleet::start_with(2, &one).await;
    let marketplace = &fleet.nodes[0].marketplace;
    // A few at a time: what waits for longer than five seconds is told that its outcome is not known.
    let opening =
        (0..ROOMS).map(|number| async move { marketplace.open_room(&format!("narrow-{number}")).await });
    let rooms: Vec<_> = stream::iter(opening).buffered(4).map(|room| room.expect("a room")).collect().await;
    let since = Instant::now();
    let busy = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let posts = (0..ROOMS * POSTS).map(|number| {
        let (room, busy) = (&rooms[number % ROOMS], busy.clone());
        let http = fleet.nodes[number % 2].marketplace.as_user(&room.client);
        async move {
            let (key, post) = (new_client_id(), ask::post(room.room, format!("number {number}")));
            loop {
                match http.command::<Posted>(key, &post).await {
                    Ok(_) => return,
                    Err(error) => {
                        assert_eq!(error.code(), Some(ErrorCode::Busy), "{error}");
                        busy.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            }
        }
    });
    stream::iter(posts).buffer_unordered(ROOMS).collect::<Vec<()>>().await;
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'anteroom'";
    let connections: usize = fleet.query(sessions).await.parse().expect("a number");
    let busy = busy.load(std::sync::atomic::Ordering::Relaxed);
    eprintln!(
        "{} posts within {:?} over {connections} connections, {busy} times busy",
        ROOMS * POSTS,
        since.elapsed()
    );
    assert!(connections <= 2 * 2, "{connections}");
    fleet.is_dense().await;
}
