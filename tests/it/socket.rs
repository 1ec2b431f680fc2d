//! The socket's manners: the upgrade, the first word, frames that are none, and the code with which each end is told.

#![expect(clippy::wildcard_enum_match_arm, reason = "a frame that is not expected fails, whatever it is")]

use std::time::{Duration, Instant};

use anteroom_load_tests::client::{Socket, SocketError, SocketOptions, at_head, new_client_id};
use anteroom_load_tests::token::Scope;
use anteroom_protocol::client::{ClientFrame, Hello, Leave, Ping};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::limits::{FRAME_BYTES, HELLO_ROOMS};
use anteroom_protocol::server::ServerFrame;
use serde_json::{Value, json};

use crate::support::raw::{PING, PONG, Raw};
use crate::support::{Door, Person, Scene, TestServer, ask, id, time_goes_by};

/// Closed with this code.
async fn closed(socket: &mut Socket, code: CloseCode) {
    let (number, reason) = socket.closed().await.expect("closed");
    assert_eq!((number, reason.as_str()), (code.code(), code.reason()));
}

/// The next answer is an error of this code, under this id.
async fn refused(socket: &mut Socket, id: Option<&str>, code: ErrorCode) {
    let is_answer = |frame: &ServerFrame| !matches!(frame, ServerFrame::Activity { .. });
    match socket.wait_for("answer", is_answer).await {
        Ok(ServerFrame::Error { id: to, error }) => assert_eq!((to.as_deref(), error.code), (id, code)),
        other => panic!("no error: {other:?}"),
    }
}

/// Somebody who has said hello.
async fn greeted() -> (TestServer, Person) {
    let server = TestServer::start().await;
    let person = Person::arrive(&server, "ana", Door::Socket).await;
    (server, person)
}

#[tokio::test]
async fn the_first_frame_is_hello_and_nothing_else() {
    let server = TestServer::start().await;
    for (text, id, code) in [
        (r#"{"type":"ping","id":"1"}"#, Some("1"), ErrorCode::OutOfTurn),
        (
            r#"{"type":"message.post","id":"1","client_id":"00000000-0000-4000-8000-000000000000","room":"inbox","body":"x"}"#,
            Some("1"),
            ErrorCode::OutOfTurn,
        ),
        (r#"{"type":"dance","id":"1"}"#, Some("1"), ErrorCode::UnknownType),
        (r#"{"type":"hello","id":"1","token":7}"#, Some("1"), ErrorCode::BadRequest),
        ("hello", None, ErrorCode::BadFrame),
    ] {
        let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
        socket.send_text(text).await.expect("sent");
        refused(&mut socket, id, code).await;
        closed(&mut socket, CloseCode::Malformed).await;
    }
}

#[tokio::test]
async fn hello_is_said_once() {
    let (server, mut ana) = greeted().await;
    let hello =
        Hello { token: Some(server.token(&ana.user)), rooms: Vec::new(), changes_after: None, client: None };
    ana.socket.send_frame(&ClientFrame::Hello(hello), Some("again")).await.expect("sent");
    refused(&mut ana.socket, Some("again"), ErrorCode::OutOfTurn).await;
    closed(&mut ana.socket, CloseCode::Malformed).await;
}

#[tokio::test]
async fn a_hello_with_too_many_rooms_is_refused() {
    let (server, ana) = greeted().await;
    let rooms = vec![at_head(RoomRef::Inbox); HELLO_ROOMS + 1];
    let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
    let error = socket.hello(&server.token(&ana.user), rooms).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::BadRequest));
    closed(&mut socket, CloseCode::Malformed).await;
}

#[tokio::test]
async fn a_welcome_says_what_a_client_must_know() {
    let (server, ana) = greeted().await;
    let hello = format!(r#"{{"type":"hello","id":"h","token":"{}"}}"#, server.token(&ana.user));
    let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
    socket.send_text(hello).await.expect("sent");
    let Ok(ServerFrame::Welcome(welcome)) = socket.next().await else { panic!("no welcome") };
    assert_eq!((welcome.id.as_deref(), &welcome.user), (Some("h"), &ana.user));
    assert_eq!(welcome.limits, anteroom_protocol::limits::Limits::CURRENT);
    assert!(welcome.rooms.is_empty() && welcome.heartbeat_ms > 0);
    assert!(welcome.token_expires_at > welcome.server_time);
}

#[tokio::test]
async fn a_token_that_is_not_believed_is_told_why_and_closes() {
    let (server, ana) = greeted().await;
    let ended = server.mint.claims("ana", Scope::User);
    let ended = anteroom_load_tests::token::Claims { exp: ended.iat - 3_600, ..ended };
    let nobody: UserId = id("nobody");
    for (token, error, code) in [
        (server.mint.sign(&ended), ErrorCode::TokenExpired, CloseCode::TokenExpired),
        (server.token(&nobody), ErrorCode::UnknownUser, CloseCode::BadToken),
        (format!("{}x", server.token(&ana.user)), ErrorCode::Unauthenticated, CloseCode::BadToken),
        (String::new(), ErrorCode::Unauthenticated, CloseCode::BadToken),
        (server.mint.service(), ErrorCode::Forbidden, CloseCode::Forbidden),
        (server.mint.staff("olaf"), ErrorCode::Forbidden, CloseCode::Forbidden),
    ] {
        let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
        let refused = socket.hello(&token, Vec::new()).await.expect_err("refused");
        assert_eq!(refused.code(), Some(error));
        closed(&mut socket, code).await;
    }
}

#[tokio::test]
async fn ten_texts_that_are_no_frames_are_each_answered_and_end_the_socket() {
    let (_server, mut ana) = greeted().await;
    for text in ["", "{", "[]", "null", "7", r#""ping""#, "{}", r#"{"type":7}"#, "{} {}", "bye"] {
        ana.socket.send_text(text).await.expect("sent");
        refused(&mut ana.socket, None, ErrorCode::BadFrame).await;
    }
    closed(&mut ana.socket, CloseCode::Malformed).await;
}

#[tokio::test]
async fn regression_a_frame_that_is_newer_than_the_server_closes_nothing_however_often_it_comes() {
    let (_server, mut ana) = greeted().await;
    for number in 0..30 {
        let id = number.to_string();
        ana.socket
            .send_text(format!(r#"{{"type":"dance","id":"{id}","room":"inbox"}}"#))
            .await
            .expect("sent");
        refused(&mut ana.socket, Some(&id), ErrorCode::UnknownType).await;
        ana.socket.send_text(format!(r#"{{"type":"join","id":"{id}"}}"#)).await.expect("sent");
        refused(&mut ana.socket, Some(&id), ErrorCode::BadRequest).await;
    }
    ana.socket.ping().await.expect("still open");
}

#[tokio::test]
async fn a_frame_with_an_id_is_answered_once_under_it_and_one_without_is_not() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let mut socket = scene.client.socket_at(&scene.server, Vec::new()).await;
    let longest = "i".repeat(64);
    let command = |body: &str| ClientFrame::Command(new_client_id().into(), ask::post(room, body));
    socket.send_frame(&command("one"), None).await.expect("sent");
    socket.send_frame(&ClientFrame::Join(at_head(RoomRef::Inbox)), None).await.expect("sent");
    for (frame, id) in [
        (command("two"), longest.as_str()),
        (ClientFrame::Join(at_head(RoomRef::Inbox)), "ä\"\\\n"),
        (ClientFrame::Leave(Leave { room: RoomRef::Inbox }), " "),
        (ClientFrame::Ping(Ping::default()), "same"),
        (ClientFrame::Ping(Ping::default()), "same"),
    ] {
        socket.send_frame(&frame, Some(id)).await.expect("sent");
    }
    let mut ids = Vec::new();
    while ids.len() < 5 {
        match socket.next().await.expect("a frame") {
            ServerFrame::Ok { id, .. } | ServerFrame::Pong { id: Some(id), .. } => ids.push(id),
            ServerFrame::Activity { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    ids.sort_by_key(String::len);
    assert_eq!(ids, [" ", "same", "same", "ä\"\\\n", &longest]);
    socket.ping().await.expect("the next answer is the next question's");
    assert_eq!(scene.room(room).await.len(), 6, "both were kept");
    socket.send_text(format!(r#"{{"type":"ping","id":"{longest}x"}}"#)).await.expect("sent");
    refused(&mut socket, None, ErrorCode::BadFrame).await;
}

#[tokio::test]
async fn a_frame_may_have_16384_bytes_and_not_one_more() {
    let (_server, mut ana) = greeted().await;
    let padded = |bytes: usize| format!("{:<bytes$}", r#"{"type":"ping","id":"big"}"#);
    assert_eq!(padded(FRAME_BYTES).len(), FRAME_BYTES);
    ana.socket.send_text(padded(FRAME_BYTES)).await.expect("sent");
    let pong = ana.socket.next().await.expect("a pong");
    assert!(matches!(pong, ServerFrame::Pong { id: Some(id), .. } if id == "big"));
    ana.socket.send_text(padded(FRAME_BYTES + 1)).await.expect("sent");
    closed(&mut ana.socket, CloseCode::TooBig).await;
}

#[tokio::test]
async fn a_binary_frame_is_not_spoken() {
    let (_server, mut ana) = greeted().await;
    let (sender, _) = ana.socket.halves();
    sender.send_binary(b"{}".to_vec()).await.expect("sent");
    closed(&mut ana.socket, CloseCode::Unsupported).await;
}

#[tokio::test]
async fn one_socket_too_many_closes_the_one_that_was_silent_for_longest() {
    let (server, mut ana) = greeted().await;
    let mut sockets = Vec::new();
    for _ in 0..7 {
        sockets.push(ana.socket_at(&server, Vec::new()).await);
    }
    ana.socket.ping().await.expect("here");
    for socket in &mut sockets[1..] {
        socket.ping().await.expect("here");
    }
    let mut ninth = ana.socket_at(&server, Vec::new()).await;
    closed(&mut sockets[0], CloseCode::Replaced).await;
    ninth.ping().await.expect("here");
    ana.socket.ping().await.expect("the oldest, but not silent");
}

#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let (server, ana) = greeted().await;
    let claims = server.mint.claims("ana", Scope::User);
    // One second is left of the minute of leeway.
    let ending = server.mint.sign(&anteroom_load_tests::token::Claims { exp: claims.iat - 58, ..claims });
    let (mut socket, _) = Socket::connect(&server.base, &ending, Vec::new()).await.expect("believed so far");
    closed(&mut socket, CloseCode::TokenExpired).await;
    assert!(ana.http.get::<Value>("/v1/me").await.is_ok(), "other tokens go on");
}

#[tokio::test]
async fn a_server_that_stops_tells_its_sockets_to_come_back() {
    let (server, mut ana) = greeted().await;
    let mut silent = Socket::connect_raw(&server.base).await.expect("a socket");
    let (mut told, mut told_silent) = (CloseCode::Normal, CloseCode::Normal);
    let listen = async {
        closed(&mut ana.socket, CloseCode::Restart).await;
        told = CloseCode::Restart;
        closed(&mut silent, CloseCode::Restart).await;
        told_silent = CloseCode::Restart;
    };
    tokio::join!(server.stop(), listen);
    assert_eq!((told, told_silent), (CloseCode::Restart, CloseCode::Restart));
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let (_server, ana) = greeted().await;
    ana.socket.close().await.expect("closed by both");
}

#[tokio::test]
async fn the_subprotocol_is_ours_or_none() {
    let server = TestServer::start().await;
    let with = |protocols: &[&str]| SocketOptions {
        protocols: protocols.iter().map(ToString::to_string).collect(),
        ..SocketOptions::default()
    };
    for good in [&[][..], &["anteroom.v1.json"], &["other", "anteroom.v1.json"]] {
        Socket::connect_with(&server.base, &with(good)).await.expect("spoken");
    }
    let error = Socket::connect_with(&server.base, &with(&["graphql-ws"])).await.expect_err("refused");
    let SocketError::NotUpgraded { status: 400, body } = error else { panic!("{error}") };
    let problem: Value = serde_json::from_str(&body).expect("a problem document");
    assert_eq!(problem["code"], "bad_request");
}

#[tokio::test]
async fn handshakes_have_a_bound_and_a_hello_makes_room() {
    let server = TestServer::start_with(|config| config.limits.handshakes = 1).await;
    let user: UserId = id("ana");
    server.marketplace.put_user(&user, "Ana").await.expect("told");
    let mut first = Socket::connect_raw(&server.base).await.expect("a socket");
    let error = Socket::connect_raw(&server.base).await.expect_err("full");
    let SocketError::NotUpgraded { status: 503, body } = error else { panic!("{error}") };
    let problem: Value = serde_json::from_str(&body).expect("a problem document");
    assert_eq!((&problem["code"], &problem["retryable"]), (&json!("busy"), &json!(true)));
    first.hello(&server.token(&user), Vec::new()).await.expect("a welcome");
    Socket::connect_raw(&server.base).await.expect("room again");
}

/// The only test that waits: for a client that says nothing, and for one that does not even finish its request.
#[tokio::test]
async fn whoever_says_nothing_for_five_seconds_is_closed() {
    let server = TestServer::start().await;
    let began = Instant::now();
    let mut silent = Socket::connect_raw(&server.base).await.expect("a socket");
    let mut halting = Raw::connect(&server.base).await;
    halting.send(b"GET /v1/ws HTTP/1.1\r\nHost: server\r\nX-Half").await;
    tokio::join!(closed(&mut silent, CloseCode::HelloTimeout), halting.end());
    let waited = began.elapsed();
    assert!((Duration::from_millis(4_500)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
}

/// While a slow socket was written, nobody listened to it. The alarm came when that was over, and closed it for its silence before what it
/// had said all the time was read.
#[tokio::test]
async fn regression_an_alarm_that_comes_late_does_not_close_who_was_not_listened_to() {
    let (_server, mut person) = greeted().await;
    time_goes_by(Duration::from_secs(70), 1).await;
    person.socket.ping().await.expect("open");
    time_goes_by(Duration::from_secs(70), 1).await;
    person.socket.ping().await.expect("open");
}

/// A process that stood still for a while, or that was writing, finds the alarm and what its clients have said in the same moment.
#[tokio::test]
async fn what_waits_to_be_read_is_read_before_anybody_counts_as_silent() {
    let (server, person) = greeted().await;
    let mut sockets = Vec::new();
    for _ in 0..7 {
        sockets.push(Raw::greeted(&server, &person).await);
    }
    // Which of the two is seen first is left to chance.
    for _ in 0..5 {
        time_goes_by(Duration::from_millis(500), 110).await;
        for socket in &mut sockets {
            socket.frame(PONG, b"").await;
        }
        time_goes_by(Duration::from_secs(30), 1).await;
        for socket in &mut sockets {
            socket.frame(PING, b"still here").await;
            assert_eq!(socket.read_until(PONG).await, b"still here");
        }
    }
}

#[tokio::test]
async fn whoever_is_silent_for_sixty_seconds_is_closed_and_whoever_says_something_now_and_then_is_not() {
    let (server, mut person) = greeted().await;
    let mut silent = Raw::greeted(&server, &person).await;
    for _ in 0..3 {
        time_goes_by(Duration::from_millis(500), 60).await;
        person.socket.ping().await.expect("open");
    }
    assert_eq!(silent.closed().await, CloseCode::HeartbeatLost.code());
}
