//! Taking tokens back: those issued until then open no door any more, and their sockets end.

use std::sync::Arc;

use anteroom::clock::Clock as _;
use anteroom::domain::log::{Log, LogEntry, Part};
use anteroom::store::{Appended, PageSize, Range};
use anteroom_load_tests::client::{HttpAnswer, Socket, SocketOptions, at_head};
use anteroom_load_tests::token::{Claims, Scope};
use anteroom_protocol::client::{ClientFrame, Hello, Refresh};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::UserView;
use serde_json::{Value, json};

use crate::support::database::tamper;
use crate::support::{Door, Scene, TestServer, exchange, id};

/// A server that knows Ana and Bob.
async fn server() -> TestServer {
    that_knows_two(TestServer::start().await).await
}

async fn that_knows_two(server: TestServer) -> TestServer {
    for name in ["ana", "bob"] {
        server.marketplace.put_user(&id(name), name).await.expect("told");
    }
    server
}

async fn revoke(server: &TestServer, user: &str) -> HttpAnswer {
    let path = format!("/v1/users/{user}/revoke");
    server.marketplace.service().raw("POST", &path, &[], None).await.expect("an answer")
}

/// A token of Ana's that says it was issued then, in seconds from the server's time.
fn issued(server: &TestServer, seconds: i64) -> String {
    let iat = u64::try_from(server.clock.now().as_seconds() + seconds).expect("after 1970");
    server.mint.sign(&Claims { iat, ..server.mint.claims("ana", Scope::User) })
}

/// Refused at both doors.
async fn refused(server: &TestServer, token: &str) {
    let answer = exchange(server, ("GET", "/v1/me"), Some(token), &[], String::new()).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "token_revoked"));
    let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
    let error = socket.hello(token, Vec::new()).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::TokenRevoked));
    assert_eq!(socket.closed().await.expect("closed").0, CloseCode::Revoked.code());
}

async fn socket(server: &TestServer, token: &str) -> Socket {
    Socket::connect(&server.base, token, Vec::new()).await.expect("a welcome").0
}

#[tokio::test]
async fn tokens_that_were_taken_back_close_their_sockets_and_open_no_door_also_after_a_restart() {
    let server = server().await;
    let (old, bob) = (issued(&server, -5), server.token(&id("bob")));
    let (mut one, mut two) = (socket(&server, &old).await, socket(&server, &old).await);
    let mut other = socket(&server, &bob).await;
    let answer = revoke(&server, "ana").await;
    let view: UserView = serde_json::from_str(&answer.text).expect("a view");
    assert_eq!((answer.status, view.user, view.profile.name.as_str()), (200, id("ana"), "ana"));
    for socket in [&mut one, &mut two] {
        let (code, reason) = socket.closed().await.expect("closed");
        assert_eq!((code, reason.as_str()), (4502, "revoked"));
    }
    other.ping().await.expect("nobody else's");
    refused(&server, &old).await;

    let without_date = {
        let mut claims = serde_json::to_value(server.mint.claims("ana", Scope::User)).expect("claims");
        claims.as_object_mut().expect("an object").remove("iat");
        server.mint.sign(&claims)
    };
    refused(&server, &without_date).await;
    refused(&server, &issued(&server, 0)).await;
    socket(&server, &issued(&server, 1)).await.ping().await.expect("a token made after that is good");

    server.marketplace.put_user(&id("ana"), "Ana, told again").await.expect("told");
    let server = server.restart().await;
    refused(&server, &old).await;
    socket(&server, &issued(&server, 1)).await;
}

/// Whatever takes tokens back is written, and then cannot be committed.
const UNCOMMITTABLE: &str = "CREATE TABLE nobody (id INTEGER PRIMARY KEY);
    CREATE TABLE pledges (id INTEGER REFERENCES nobody (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER uncommittable AFTER UPDATE OF tokens_valid_after ON users BEGIN INSERT INTO pledges VALUES (1); END";

/// The statement gave back the person and committed by itself. That its commit failed, the library did not say: the marketplace was told
/// that the tokens were taken back, and they were as good as before.
#[tokio::test]
async fn regression_a_revocation_that_cannot_be_committed_is_told_as_a_failure_and_takes_nothing_back() {
    let server = that_knows_two(TestServer::embedded(|_| {}).await).await;
    let old = issued(&server, -5);
    let mut ana = socket(&server, &old).await;
    tamper(&server.database(), UNCOMMITTABLE).await;
    for _ in 0..2 {
        let answer = revoke(&server, "ana").await;
        let document: Value = serde_json::from_str(&answer.text).expect("a problem document");
        assert_eq!((answer.status, &document["code"]), (500, &json!("internal")));
        ana.ping().await.expect("open");
        socket(&server, &old).await.ping().await.expect("and the token opens another one");
    }
    tamper(&server.database(), "DROP TRIGGER uncommittable").await;
    assert_eq!(revoke(&server, "ana").await.status, 200);
    assert_eq!(ana.closed().await.expect("closed").0, CloseCode::Revoked.code());
    refused(&server, &old).await;
}

#[tokio::test]
async fn a_socket_counts_by_the_token_it_was_refreshed_with_last() {
    let server = server().await;
    let (old, new) = (issued(&server, -5), issued(&server, 30));
    let (mut refreshed, mut left) = (socket(&server, &old).await, socket(&server, &old).await);
    refreshed.ask(&ClientFrame::Refresh(Refresh { token: new })).await.expect("believed");
    server.clock.advance_seconds(10);
    revoke(&server, "ana").await;
    assert_eq!(left.closed().await.expect("closed").0, CloseCode::Revoked.code());
    refreshed.ping().await.expect("lives on");
    let error = refreshed.ask(&ClientFrame::Refresh(Refresh { token: old })).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::TokenRevoked));
    refreshed.ping().await.expect("and a refused token changes nothing");
    server.clock.advance_seconds(25);
    revoke(&server, "ana").await;
    assert_eq!(refreshed.closed().await.expect("closed").0, CloseCode::Revoked.code());
}

#[tokio::test]
async fn a_token_taken_back_between_the_upgrade_and_hello_is_refused_at_hello() {
    let server = server().await;
    let headers = vec![("Authorization".to_owned(), format!("Bearer {}", issued(&server, -5)))];
    let options = SocketOptions { headers, ..SocketOptions::default() };
    let mut socket = Socket::connect_with(&server.base, &options).await.expect("a socket");
    revoke(&server, "ana").await;
    let hello = Hello { token: None, rooms: Vec::new(), changes_after: None, client: None };
    socket.send_frame(&ClientFrame::Hello(hello), Some("h")).await.expect("sent");
    match socket.next().await {
        Ok(ServerFrame::Error { id, error }) => {
            assert_eq!((id.as_deref(), error.code), (Some("h"), ErrorCode::TokenRevoked));
        }
        other => panic!("no error: {other:?}"),
    }
    assert_eq!(socket.closed().await.expect("closed").0, CloseCode::Revoked.code());
}

#[tokio::test]
async fn nothing_is_delivered_to_a_socket_whose_token_was_taken_back() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    scene.freelancer.socket.join(at_head(room)).await.expect("joined");
    scene.server.clock.advance_seconds(60);
    assert_eq!(revoke(&scene.server, "felix").await.status, 200);
    scene.client.posted(room, "Not for everybody's eyes.").await;
    loop {
        match scene.freelancer.socket.next().await {
            Ok(ServerFrame::Entry(entry)) => assert_ne!(entry.room, room, "{entry:?}"),
            Ok(frame) => assert!(matches!(frame, ServerFrame::Activity { .. }), "{frame:?}"),
            Err(error) => break assert_eq!(error.close_code(), Some(CloseCode::Revoked.code()), "{error}"),
        }
    }
}

#[tokio::test]
async fn only_the_marketplace_takes_tokens_back_and_only_of_those_it_knows() {
    let server = server().await;
    let token = server.token(&id("ana"));
    let path = ("POST", "/v1/users/ana/revoke");
    let answer = exchange(&server, path, Some(&token), &[], String::new()).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
    let answer = revoke(&server, "nobody").await;
    let document: Value = serde_json::from_str(&answer.text).expect("a problem document");
    assert_eq!((answer.status, &document["code"]), (404, &json!("not_found")));
    socket(&server, &token).await.ping().await.expect("nothing was taken back");
}

/// What waited for the socket when it was taken was all sent, however long that took: a client that read slowly went on reading for as long
/// as there was something.
#[tokio::test]
async fn regression_what_a_slow_socket_had_waiting_is_not_sent_after_its_token_was_taken_back() {
    const WAITING: u64 = 3_000;
    let server = TestServer::start_with(|config| config.limits.outbox_bytes = 64 * 1024 * 1024).await;
    let mut scene = Scene::on(server, Door::Http).await;
    let (_, room) = scene.talking().await;
    let RoomRef::Room(room_id) = room else { panic!("a room") };
    let options = SocketOptions { receive_buffer: Some(4_096), ..SocketOptions::default() };
    let mut slow = Socket::connect_with(&scene.server.base, &options).await.expect("a socket");
    let token = scene.server.token(&scene.freelancer.user);
    slow.hello(&token, vec![at_head(room)]).await.expect("a welcome");
    let app = scene.server.app();
    let size = PageSize { entries: 1, bytes: 1 };
    let newest = app.store.entries(&Log::Room(room_id), Range::Before(u64::MAX), size).await.expect("read");
    let public = Part::Whole { salt: [0; 16], json: json!({ "body": "x".repeat(8_000) }).to_string().into() };
    let readers: Arc<[_]> = Arc::new([scene.freelancer.user.clone()]);
    // The test and the server share one thread: the socket finds all of them at once.
    let appended: Vec<_> = (1..=WAITING)
        .map(|number| {
            let (seq, kind) = (newest[0].seq + number, "message.posted".into());
            let entry = LogEntry { seq, kind, public: public.clone(), ..newest[0].clone() };
            Appended { entry: Arc::new(entry), readers: readers.clone() }
        })
        .collect();
    app.hub.deliver(&appended);
    assert_eq!(slow.next_entry().await.expect("it has begun").seq, newest[0].seq + 1);
    scene.server.clock.advance_seconds(60);
    assert_eq!(revoke(&scene.server, "felix").await.status, 200);
    let mut sent = 1;
    let error = loop {
        match slow.next_entry().await {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.close_code(), Some(CloseCode::Revoked.code()), "{error}");
    assert!(sent < WAITING / 2, "the kernel had taken some, but not {sent} of {WAITING}");
}
