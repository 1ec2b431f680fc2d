//! Readers who come and go while others write: every reader gets what follows its cursor, in order, without a hole or a repeat.

#![expect(clippy::wildcard_enum_match_arm, reason = "a frame that is not expected fails, whatever it is")]

use anteroom_load_tests::client::{Posted, Socket, at_head, new_client_id};
use anteroom_protocol::client::ClientFrame;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::room::{Cursor, JoinMode, JoinResult};
use anteroom_protocol::server::ServerFrame;
use std::time::Duration;

use crate::support::{Door, Scene, ask, post_all};

const ROUNDS: usize = 60;
const POSTS: usize = 8;

/// Reads entries of this room up to this number: they begin at `next` and run on by one.
async fn runs_on(socket: &mut Socket, room: RoomRef, mut next: u64, last: u64) {
    while next <= last {
        match socket.next().await.expect("an entry") {
            ServerFrame::Entry(entry) => {
                assert_eq!((entry.room, entry.seq), (room, next), "in order, no hole, no repeat");
                next += 1;
            }
            other => panic!("no entry {next}: {other:?}"),
        }
    }
}

/// Where somebody begins to read, and what the server said to that.
async fn come_in(base: &str, token: &str, cursor: Cursor, by_hello: bool) -> (Socket, u64, JoinMode) {
    let hello = if by_hello { vec![cursor.clone()] } else { Vec::new() };
    let (mut socket, welcome) = Socket::connect(base, token, hello).await.expect("a welcome");
    let joined = match welcome.rooms.into_iter().next() {
        Some(JoinResult::Joined(joined)) => joined,
        Some(JoinResult::Refused { error, .. }) => panic!("{error:?}"),
        None => {
            socket.send_frame(&ClientFrame::Join(cursor), Some("join")).await.expect("sent");
            loop {
                match socket.next().await.expect("a frame") {
                    // Before the join it is told of growth, after it no more.
                    ServerFrame::Activity { .. } => {}
                    ServerFrame::Ok { data, .. } => break serde_json::from_value(data).expect("joined"),
                    other => panic!("{other:?}"),
                }
            }
        }
    };
    (socket, joined.head, joined.mode)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_posted_between_subscribing_and_reading_comes_once_and_in_its_place() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut head = 4;
    for round in 0..ROUNDS {
        let base = scene.server.base.clone();
        let token = scene.server.token(&scene.client.user);
        let last = head + POSTS as u64;
        let after = (!round.is_multiple_of(3)).then(|| rand::random_range(0..=head));
        let posts = (0..POSTS).map(|number| format!("{round} {number}"));
        let reader = tokio::spawn(async move {
            for _ in 0..rand::random_range(0..40) {
                tokio::task::yield_now().await;
            }
            let cursor = Cursor { room, after, hash: None };
            let (mut socket, head, mode) = come_in(&base, &token, cursor, round.is_multiple_of(2)).await;
            let first = match mode {
                JoinMode::Live => head + 1,
                JoinMode::Resumed => after.expect("a number") + 1,
                JoinMode::Gap => {
                    assert!(matches!(socket.next().await, Ok(ServerFrame::Gap { to, .. }) if to == head));
                    head + 1
                }
                JoinMode::Reset => panic!("the cursor was of this log"),
            };
            runs_on(&mut socket, room, first, last).await;
            socket
        });
        post_all(&mut scene.freelancer.socket, room, posts).await;
        let mut socket = reader.await.expect("read");
        // Nothing comes twice afterwards either.
        let answer = scene.freelancer.posted(room, "the end of the round").await;
        runs_on(&mut socket, room, last + 1, answer.seq).await;
        head = answer.seq;
    }
    assert_eq!(scene.room(room).await.len() as u64, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_and_comes_back_while_others_write_misses_nothing() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut reader = scene.client.socket_at(&scene.server, Vec::new()).await;
    let writer = async {
        for number in 0..400 {
            let body = ask::post(room, format!("{number}"));
            scene.freelancer.socket.command(new_client_id(), body).await.expect("posted");
        }
    };
    let read = async {
        let mut seen: Vec<EntryFrame> = Vec::new();
        while seen.last().is_none_or(|last| last.seq < 404) {
            let cursor = Cursor {
                room,
                after: Some(seen.last().map_or(0, |last| last.seq)),
                hash: seen.last().map(|last| last.hash),
            };
            let joined = reader.join(cursor).await.expect("joined");
            assert!(matches!(joined.mode, JoinMode::Live | JoinMode::Resumed), "{joined:?}");
            for _ in 0..rand::random_range(0..12) {
                if let Some(ServerFrame::Entry(entry)) =
                    reader.listen(Duration::from_millis(5)).await.expect("open")
                {
                    seen.push(entry);
                }
            }
            reader.leave(room).await.expect("left");
            while let Some(frame) = reader.listen(Duration::ZERO).await.expect("open") {
                if let ServerFrame::Entry(entry) = frame {
                    seen.push(entry);
                }
            }
        }
        seen
    };
    let ((), seen) = tokio::join!(writer, read);
    let seqs: Vec<u64> = seen.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=404).collect::<Vec<_>>());
    let kept = scene.room(room).await;
    assert!(seen.iter().zip(&kept).all(|(seen, kept)| seen.hash == kept.hash));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_while_somebody_leaves_is_heard_or_heard_of() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut reader = scene.client.socket_at(&scene.server, Vec::new()).await;
    for round in 0..5 * ROUNDS {
        reader.join(at_head(room)).await.expect("joined");
        let post = ask::post(room, format!("{round}"));
        let leave = async {
            for _ in 0..rand::random_range(0..30) {
                tokio::task::yield_now().await;
            }
            reader.leave(room).await.expect("left");
        };
        let post = scene.freelancer.socket.command_as::<Posted>(new_client_id(), post);
        let (posted, ()) = tokio::join!(post, leave);
        let last = posted.expect("posted").seq;
        let reaches = |frame: &ServerFrame| match frame {
            ServerFrame::Entry(entry) => entry.seq == last,
            ServerFrame::Activity { head, .. } => *head == last,
            _ => false,
        };
        reader.wait_for("word of the last message", reaches).await.expect("heard or heard of");
    }
}
