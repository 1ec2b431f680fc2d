//! A reader that does not read: nobody waits for it, and it misses nothing.

#![expect(clippy::wildcard_enum_match_arm, reason = "a frame that is not expected fails, whatever it is")]

use std::time::Duration;

use anteroom_load_tests::client::{Http, Socket, SocketError, SocketOptions, at_head};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;

use crate::support::{Door, Scene, post_all, soon};

/// A socket of the client's with a small receive buffer, which has joined this room.
async fn slow_socket(scene: &Scene, cursor: Cursor) -> Socket {
    let options = SocketOptions { receive_buffer: Some(4_096), ..SocketOptions::default() };
    let mut socket = Socket::connect_with(&scene.server.base, &options).await.expect("a socket");
    let token = scene.server.token(&scene.client.user);
    socket.hello(&token, vec![cursor]).await.expect("a welcome");
    socket
}

const POSTS: usize = 3_000;
const BYTES: usize = 3_072;

/// The other side posts several MiB, more than the kernel takes for a socket that nobody reads.
async fn flood(socket: &mut Socket, figures: &str, room: RoomRef) -> u64 {
    let bodies = (0..POSTS).map(|number| format!("{number:0>BYTES$}"));
    let posted = post_all(socket, room, bodies).await;
    assert_eq!(posted.len(), POSTS, "every one was acknowledged while the reader slept");
    let figures = Http::anonymous(figures).raw("GET", "/metrics", &[], None).await;
    let figures = figures.expect("figures").text;
    assert!(
        figures.contains(r#"anteroom_offers_total{outcome="behind"}"#),
        "somebody fell behind: {figures}"
    );
    posted.last().expect("an answer").1.seq
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_delays_nobody_and_misses_nothing() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut slow = slow_socket(&scene, at_head(room)).await;
    scene.client.socket.join(at_head(room)).await.expect("joined");
    let Scene { server, client, freelancer, .. } = &mut scene;
    let reads_on = async {
        for seq in 5..5 + POSTS as u64 {
            assert_eq!(client.hears(room).await.seq, seq, "another socket of the same person reads on");
        }
    };
    let figures = server.figures();
    let (last, ()) = tokio::join!(flood(&mut freelancer.socket, &figures, room), reads_on);
    soon("an acknowledgement", scene.client.posted(room, "Are you still there?")).await;
    let (mut next, last) = (5, last + 1);
    while next <= last {
        match slow.next().await {
            Ok(ServerFrame::Entry(entry)) => {
                assert_eq!((entry.room, entry.seq), (room, next), "in order, no hole, no repeat");
                next += 1;
            }
            Ok(other) => panic!("no entry {next}: {other:?}"),
            // Being told to come back is allowed; then it goes on where it was.
            Err(error) => {
                told_to_come_back(&error);
                let cursor = Cursor { room, after: Some(next - 1), hash: None };
                let came_back = scene.client.socket_at(&scene.server, vec![cursor]).await;
                drop(std::mem::replace(&mut slow, came_back));
                match slow.next().await.expect("what was missed") {
                    ServerFrame::Gap { from, to, .. } => return assert_eq!((from, to), (next, last)),
                    ServerFrame::Entry(entry) => assert_eq!(entry.seq, next),
                    other => panic!("neither entry {next} nor a gap: {other:?}"),
                }
                next += 1;
            }
        }
    }
    slow.ping().await.expect("still open");
    assert_eq!(slow.listen(Duration::ZERO).await.expect("open"), None);
}

fn told_to_come_back(error: &SocketError) {
    assert_eq!(error.close_code(), Some(CloseCode::Slow.code()), "{error}");
}
