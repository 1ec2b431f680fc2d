//! A reader that does not read: nobody waits for it, and it misses nothing. `ANTEROOM_SLOW_SECONDS`: how long one reads slowly (36).

use std::time::Duration;

use anteroom_load_tests::client::{Http, Socket, SocketError, SocketOptions, at_head};
use anteroom_load_tests::history::record::Via;
use anteroom_load_tests::history::scribe::Scribe;
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};

use crate::support::raw::{PONG, TEXT, UPGRADE, frame};
use crate::support::{Door, Scene, post_all, soon};

/// A socket with a small receive buffer, which has joined this room.
async fn slow_socket(scene: &Scene, scribe: &Scribe, cursor: Cursor) -> Socket {
    let options = SocketOptions { receive_buffer: Some(4_096), ..SocketOptions::default() };
    let token = scene.server.token(scribe.user());
    let connected =
        scribe.connect_with(&scene.server.base_of(scribe.user()), &token, vec![cursor], options).await;
    connected.expect("a welcome").0
}

const POSTS: usize = 3_000;
const BYTES: usize = 9 * 1_024 * 1_024;

/// The other side posts several MiB in so many messages, more than the kernel takes for a socket that nobody reads.
async fn flood(socket: &mut Socket, figures: &str, room: RoomRef, posts: usize) -> u64 {
    let bytes = BYTES / posts;
    let bodies = (0..posts).map(|number| format!("{number:0>bytes$}"));
    let posted = post_all(socket, room, bodies).await;
    assert_eq!(posted.len(), posts, "every one was acknowledged while the reader slept");
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
    let mut trial = scene.on_record("slow-reader", room).await;
    // It takes its own time, on a machine that may have other things to do.
    trial.bound(Duration::from_secs(120));
    let scribe = trial.device(&scene.client.user);
    let mut slow = slow_socket(&scene, &scribe, at_head(room)).await;
    let figures = scene.server.figures_of(&scene.client.user);
    let Scene { client, freelancer, .. } = &mut scene;
    let reads_on = async {
        for seq in 5..5 + POSTS as u64 {
            assert_eq!(client.hears(room).await.seq, seq, "another socket of the same person reads on");
        }
    };
    let (last, ()) = tokio::join!(flood(&mut freelancer.socket, &figures, room, POSTS), reads_on);
    soon("an acknowledgement", scene.client.posted(room, "Are you still there?")).await;
    let (mut next, last) = (5, last + 1);
    while next <= last {
        match slow.next().await {
            Ok(ServerFrame::Entry(entry)) => next = entry.seq + 1,
            Ok(ServerFrame::Gap { to, .. }) => {
                let page = scene.client.http.all_entries(room, false).await.expect("a log");
                scribe.read(room, Via::Gapfill, &page[..usize::try_from(to).expect("small")]);
                next = to + 1;
            }
            Ok(ServerFrame::Presence { .. }) => {}
            Ok(other) => panic!("no entry {next}: {other:?}"),
            // Being told to come back is allowed; then it goes on where it was.
            Err(error) => {
                told_to_come_back(&error);
                let cursor = Cursor { room, after: Some(next - 1), hash: None };
                slow = slow_socket(&scene, &scribe, cursor).await;
            }
        }
    }
    slow.ping().await.expect("still open");
    // Who is there may be told again at any time.
    while let Some(frame) = slow.listen(Duration::ZERO).await.expect("open") {
        assert!(matches!(frame, ServerFrame::Presence { .. }), "{frame:?}");
    }
    // The other two have what was said last in their sockets' buffers.
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.ping().await.expect("open");
    }
    let verdict = trial.prove(&scene.server.marketplace).await.unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(verdict.counts.ok, POSTS as u64 + 1);
}

/// By the code, or by the end of the connection: a pipe that is full has no room for the code.
fn told_to_come_back(error: &SocketError) {
    let cut_off = 1006;
    assert!(
        error.close_code().is_some_and(|code| [CloseCode::Slow.code(), cut_off].contains(&code)),
        "{error}"
    );
}

/// The kernel took megabytes for a socket, and gave room back by the third of them. Whoever read a kilobyte a second looked as if nothing
/// was taken, and was closed as too slow every ten seconds. Once it was waited for, what it had said meanwhile was read all at once, and it
/// was closed for its haste.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regression_a_reader_of_a_kilobyte_a_second_takes_something_and_is_waited_for() {
    // Beyond the kernel's own patience with a request, which is 30 s.
    let seconds = std::env::var("ANTEROOM_SLOW_SECONDS").map_or(36, |text| text.parse().expect("a number"));
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("set");
    let base = scene.server.base_of(&scene.client.user);
    let address = base.strip_prefix("http://").expect("a base").parse().expect("an address");
    let mut reader = socket.connect(address).await.expect("a connection");
    let lines: String = UPGRADE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let hello =
        json!({"type": "hello", "token": scene.server.token(&scene.client.user), "rooms": [{"room": room}]});
    let mut bytes = format!("GET /v1/ws HTTP/1.1\r\nHost: server\r\n{lines}\r\n").into_bytes();
    bytes.extend(frame(TEXT, hello.to_string().as_bytes(), true));
    reader.write_all(&bytes).await.expect("sent");
    let figures = scene.server.figures_of(&scene.client.user);
    // Long ones: much is written at a time, and the kernel holds as much as it may.
    let writing = flood(&mut scene.freelancer.socket, &figures, room, POSTS / 2);
    // From the first on: the flood may take longer than somebody is waited for who takes nothing.
    let reading = async {
        let mut kilobyte = [0; 1_024];
        for _ in 0..seconds {
            soon("a kilobyte", reader.read_exact(&mut kilobyte)).await.expect("still open");
            let signs = frame(PONG, &[], true).repeat(2);
            reader.write_all(&signs).await.expect("still open");
            sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::join!(writing, reading);
    let mut rest = vec![0; 64 * 1_024];
    while let Ok(read) = timeout(Duration::from_secs(2), reader.read(&mut rest)).await {
        assert_ne!(read.expect("still open"), 0, "it is not closed when it takes everything");
    }
}
