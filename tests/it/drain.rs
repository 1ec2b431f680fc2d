//! Going down, seen from outside: who is told what, what is still done, and how the process ends.

use std::collections::HashSet;

use anteroom_load_tests::client::{Http, Socket, SocketError, from_start, new_client_id};
use anteroom_load_tests::history::trial::Trial;
use anteroom_load_tests::marketplace::{Marketplace, OpenRoom};
use anteroom_load_tests::server::{Launcher, ServerProcess};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;
use futures_util::future::join_all;

use crate::support::process::{BINARY, signal};
use crate::support::{ask, hasty, raw, soon};

/// The window of a handful of sockets, in milliseconds.
const WINDOW_MS: u64 = 1_000;

struct Scene {
    directory: tempfile::TempDir,
    server: ServerProcess,
    marketplace: Marketplace,
    open: OpenRoom,
}

impl Scene {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let server = hasty(Launcher::new(BINARY, directory.path())).start().await.expect("a server");
        let marketplace = Marketplace::new(server.base_url(), &server.mint().expect("a mint"));
        let open = marketplace.open_room("drain").await.expect("a room");
        Self { directory, server, marketplace, open }
    }

    async fn socket(&self) -> Socket {
        let token = self.marketplace.token(&self.open.client);
        Socket::connect(self.server.base_url(), &token, Vec::new()).await.expect("a socket").0
    }
}

/// Waits until a socket is told to come back, and when.
async fn told(socket: &mut Socket) -> u64 {
    let goaway = |frame: &ServerFrame| matches!(frame, ServerFrame::Goaway { .. });
    let frame = socket.wait_for("goaway", goaway).await.expect("told before it is closed");
    let ServerFrame::Goaway { reconnect_in_ms } = frame else { panic!("{frame:?}") };
    reconnect_in_ms
}

#[tokio::test]
async fn sockets_are_told_moments_of_their_own_and_closed_with_1012_after_them() {
    let mut scene = Scene::new().await;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(scene.socket().await);
    }
    scene.server.ask_to_end().expect("asked");
    let ends = join_all(sockets.into_iter().map(|mut socket| async move {
        let moment = told(&mut socket).await;
        (moment, socket.closed().await.expect("closed").0)
    }));
    let ends = ends.await;
    let moments: HashSet<u64> = ends.iter().map(|(moment, _)| *moment).collect();
    assert!(moments.len() > 4, "not all at once: {moments:?}");
    assert!(moments.iter().all(|moment| *moment <= WINDOW_MS), "{moments:?}");
    assert!(ends.iter().all(|(_, code)| *code == CloseCode::Restart.code()), "{ends:?}");
    assert!(scene.server.wait().await.expect("an end").success());
    assert!(!scene.server.log().contains("/#token="), "--no-demo prints no links: {}", scene.server.log());
}

#[tokio::test]
async fn what_was_asked_before_the_end_and_until_the_close_is_done_and_is_there_after_the_restart() {
    let mut scene = Scene::new().await;
    let (room, user) = (scene.open.room, scene.open.client.clone());
    let mut trial = Trial::begin("drain", None);
    trial.room(&scene.marketplace, &scene.open).await.expect("a room");
    let scribe = trial.device(&user);
    let token = scene.marketplace.token(&user);
    let connected = scribe.connect(scene.server.base_url(), &token, vec![from_start(room)]).await;
    let (mut socket, _) = connected.expect("a socket");
    let (sender, receiver) = socket.halves();
    let mut under_way = Vec::new();
    for number in 0..40 {
        let post = ask::post(room, format!("under way, number {number}"));
        under_way.push(sender.send_command(new_client_id(), post).await.expect("sent"));
    }
    let breaking = trial.breaks("drain");
    scene.server.ask_to_end().expect("asked");
    for id in under_way {
        receiver.answer(&id).await.expect("acknowledged");
    }
    told(&mut socket).await;
    let late = socket.post(room, new_client_id(), "said after the goodbye").await.expect("still done");
    let (last, cursor) = (late.seq, Cursor { room, after: Some(late.seq), hash: Some(late.hash) });
    assert_eq!(socket.closed().await.expect("closed").0, CloseCode::Restart.code());
    assert!(scene.server.wait().await.expect("an end").success());

    let server = hasty(Launcher::new(BINARY, scene.directory.path())).start().await.expect("the next server");
    drop(breaking);
    let next = Marketplace::new(server.base_url(), &server.mint().expect("a mint"));
    let came_back = scribe.connect(server.base_url(), &next.token(&user), vec![cursor]).await;
    let (mut socket, _) = came_back.expect("a socket");
    assert_eq!(
        socket.post(room, new_client_id(), "and after the restart").await.expect("done").seq,
        last + 1
    );
    socket.next_entry().await.expect("heard");
    let verdict = trial.prove(&next).await.unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(verdict.counts.ok, 42);
}

#[tokio::test]
async fn while_it_goes_down_it_is_not_ready_and_lets_nobody_new_in() {
    let mut scene = Scene::new().await;
    let base = scene.server.base_url().to_owned();
    let mut socket = scene.socket().await;
    let mut unsaid = Socket::connect_raw(&base).await.expect("a socket that has not said hello");
    let mut kept = raw::Raw::connect(&base).await;
    let mut second = raw::Raw::connect(&base).await;
    for connection in [&mut kept, &mut second] {
        assert_eq!(connection.get("/readyz").await, (200, "ok\n".to_owned()));
    }
    scene.server.ask_to_end().expect("asked");
    told(&mut socket).await;
    assert_eq!(kept.get("/readyz").await, (503, "draining\n".to_owned()));
    assert_eq!(kept.get("/livez").await, (200, "ok\n".to_owned()));
    assert_eq!(unsaid.closed().await.expect("closed").0, CloseCode::Restart.code());
    // An upgrade on a connection that is open already.
    let head = second.upgrade().await;
    assert_eq!(head.status, 101, "{head:?}");
    assert_eq!(second.closed().await, CloseCode::Restart.code(), "a hello that comes now is too late");
    let refused = Http::anonymous(&base).raw("GET", "/livez", &[], None).await;
    assert!(refused.is_err(), "nobody listens any more: {refused:?}");
    assert!(scene.server.wait().await.expect("an end").success());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let mut scene = Scene::new().await;
        let mut socket = scene.socket().await;
        signal(scene.server.pid(), name);
        told(&mut socket).await;
        signal(scene.server.pid(), name);
        assert_eq!(scene.server.wait().await.expect("an end").code(), Some(code), "{name}");
        let end = socket.closed().await;
        assert!(!matches!(end, Err(SocketError::Timeout { .. })), "{end:?}");
    }
}

#[tokio::test]
async fn with_nobody_there_it_ends_with_0_and_waits_for_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = hasty(Launcher::new(BINARY, directory.path())).env("ANTEROOM_DRAIN_SECONDS", "3600");
    let mut server = launcher.start().await.expect("a server");
    // Kept alive, and idle: nobody waits for its next request.
    let mut idle = raw::Raw::connect(server.base_url()).await;
    assert_eq!(idle.get("/livez").await.0, 200);
    signal(server.pid(), "INT");
    assert!(server.wait().await.expect("an end").success());
    assert_eq!(idle.end().await, 0);
}

#[tokio::test]
async fn with_no_time_given_every_socket_is_closed_at_once_and_answered_first() {
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = hasty(Launcher::new(BINARY, directory.path())).env("ANTEROOM_DRAIN_SECONDS", "0");
    let mut server = launcher.start().await.expect("a server");
    let marketplace = Marketplace::new(server.base_url(), &server.mint().expect("a mint"));
    let open = marketplace.open_room("drain").await.expect("a room");
    let token = marketplace.token(&open.client);
    let (mut socket, _) = Socket::connect(server.base_url(), &token, Vec::new()).await.expect("a socket");
    server.ask_to_end().expect("asked");
    let first = soon("an end", socket.next()).await;
    assert_eq!(first.expect_err("no goaway").close_code(), Some(CloseCode::Restart.code()));
    assert!(server.wait().await.expect("an end").success());
}
