//! Clients that are gone the moment they have sent something: what they sent is done once or not at all, and nothing of them stays.
//!
//! `ANTEROOM_GONE_ROUNDS`: how many of them there are (1,000).

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anteroom::domain::log::Log;
use anteroom::drain::Drain;
use anteroom::peer::Peer;
use anteroom::store::{PageSize, Range};
use anteroom_load_tests::client::{at_head, new_client_id};
use anteroom_load_tests::history::scribe::Scribe;
use anteroom_load_tests::marketplace::posting;
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::id::{ClientId, JobId, RoomRef};
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::{UserProfile, UserStatus};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tower::ServiceExt as _;

use crate::support::raw::{TEXT, UPGRADE, frame};
use crate::support::{Door, Person, Scene, TestServer, ask, id, soon};

/// Clients at a time.
const AT_ONCE: usize = 16;

/// A post as bytes: over HTTP, or the whole of a socket's life up to it in one go.
fn bytes(socket: bool, token: &str, room: RoomRef, key: ClientId, body: &str) -> Vec<u8> {
    if socket {
        let lines: String = UPGRADE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut bytes = format!("GET /v1/ws HTTP/1.1\r\nHost: server\r\n{lines}\r\n").into_bytes();
        let hello = json!({"type": "hello", "token": token, "rooms": []}).to_string();
        let post = json!({"type": "message.post", "id": "p", "client_id": key, "room": room, "body": body});
        bytes.extend(frame(TEXT, hello.as_bytes(), true));
        bytes.extend(frame(TEXT, post.to_string().as_bytes(), true));
        return bytes;
    }
    let body = json!({ "body": body }).to_string();
    format!(
        "POST /v1/rooms/{room}/messages HTTP/1.1\r\nHost: server\r\nAuthorization: Bearer {token}\r\n\
         Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_drop_at_the_moment_of_the_commit_leave_no_lock_no_hole_and_nothing_half_done() {
    let rounds: usize =
        std::env::var("ANTEROOM_GONE_ROUNDS").map_or(1_000, |text| text.parse().expect("a number"));
    // The crowd comes under one name, and must not take the place of the one who stays.
    let server = TestServer::embedded(|config| config.limits.sockets_per_user = 10_000).await;
    let mut scene = Scene::on(server, Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut trial = scene.on_record("gone", room).await;
    let crowd = trial.device(&scene.client.user);
    // These two are busy writing; a third socket reads.
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.leave(room).await.expect("left");
    }
    let reader = reads_on(trial.device(&scene.freelancer.user), &scene.server, room).await;
    let token = scene.server.token(&scene.client.user);
    let address = scene.server.base.strip_prefix("http://").expect("a base").to_owned();
    let dropped: Vec<(ClientId, String)> =
        (0..rounds).map(|round| (new_client_id(), format!("and gone, number {round}"))).collect();
    let leave = |round: usize, key: ClientId, body: String| {
        crowd.sends(key, &ask::post(room, body.clone()));
        let bytes = bytes(round.is_multiple_of(2), &token, room, key, &body);
        let address = address.clone();
        async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(&bytes).await.expect("sent");
            if round % 4 < 2 {
                // Gone without a farewell: the kernel sends a reset.
                stream.set_zero_linger().expect("set");
            } else {
                // Some are gone while the commit is under way, some after it.
                sleep(Duration::from_micros(round as u64 % 7 * 300)).await;
            }
        }
    };
    let leaving = stream::iter(dropped.iter().cloned().enumerate())
        .for_each_concurrent(AT_ONCE, |(round, (key, body))| leave(round, key, body));
    // Somebody who stays, and is told.
    let patient = async {
        for number in 0..rounds / 10 {
            scene.freelancer.posted(room, &format!("I stay, number {number}")).await;
        }
    };
    tokio::join!(leaving, patient);

    // Each comes back under its key: done now, or found done.
    for (key, body) in &dropped {
        scene.client.say_as(*key, ask::post(room, body.clone())).await.expect("done, once");
    }
    nobody_holds_the_lock(&scene.server).await;

    // The three who stayed are the only ones there.
    soon("the last of them to be noticed", async {
        while !scene.figures().await.lines().any(|line| line == "anteroom_connections 3") {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let verdict = trial.prove(&scene.server.marketplace).await.unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(verdict.counts.ok, (rounds + rounds / 10) as u64);
    eprintln!("{}", verdict.text());
    reader.abort();
}

/// Reads this room on one more socket, until it is aborted.
async fn reads_on(scribe: Scribe, server: &TestServer, room: RoomRef) -> JoinHandle<()> {
    let token = server.token(scribe.user());
    let connected = scribe.connect(&server.base, &token, vec![at_head(room)]).await;
    let (mut socket, _) = connected.expect("a socket");
    socket.set_timeout(Duration::from_secs(600));
    tokio::spawn(async move { while socket.next().await.is_ok() {} })
}

async fn nobody_holds_the_lock(server: &TestServer) {
    let mut connection = SqliteConnectOptions::new()
        .filename(server.database())
        .busy_timeout(Duration::ZERO)
        .connect()
        .await
        .expect("opened");
    let transaction = connection.begin_with("BEGIN IMMEDIATE").await.expect("nobody holds the lock");
    transaction.rollback().await.expect("given back");
    connection.close().await.expect("closed");
}

impl Scene {
    async fn figures(&self) -> String {
        let figures = anteroom_load_tests::client::Http::anonymous(&self.server.figures());
        figures.raw("GET", "/metrics", &[], None).await.expect("figures").text
    }
}

/// The marketplace asks this of the server's own routes, and goes away after so many turns of the request: counted up from one, wherever it
/// can be left. The answer, if it came before.
async fn cut_short(
    server: &TestServer,
    turns: usize,
    (method, path): (&str, String),
    body: &impl Serialize,
) -> Option<StatusCode> {
    let routes = anteroom::http::router(server.app().clone(), &[], Arc::new(Drain::default()));
    let body = serde_json::to_string(body).expect("JSON");
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", format!("Bearer {}", server.mint.service()))
        .header("Content-Type", "application/json")
        .extension(Peer { address: Ipv4Addr::LOCALHOST.into(), secure: true })
        .body(Body::from(body));
    let mut answer = Box::pin(routes.oneshot(request.expect("a request")));
    let mut left = turns;
    poll_fn(|cx| {
        left -= 1;
        match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer.expect("an answer").status())),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Only the embedded database writes what it is told in the order in which it is told. On the other one nobody knows when what was cut short
/// is over, and `store::postgres` looks at what is left of it.
async fn in_one_queue() -> TestServer {
    TestServer::embedded(|_| {}).await
}

/// Something that is told behind it, to its end: what was begun before has been written by then.
async fn something_else(server: &TestServer) {
    server.marketplace.put_user(&id("somebody-else"), "Somebody else").await.expect("told");
}

/// A client that went away while the person was written cut the request short: the suspension was kept, and no socket was told of it.
#[tokio::test]
async fn regression_what_the_marketplace_tells_of_a_person_is_told_on_or_not_done_whenever_it_goes_away() {
    let server = in_one_queue().await;
    let mut kept = 0;
    for turns in 1..100 {
        let mut person = Person::arrive(&server, &format!("person-{turns}"), Door::Socket).await;
        let mut suspended = UserProfile::active(person.user.as_str());
        suspended.status = UserStatus::Suspended;
        let path = format!("/v1/users/{}", person.user);
        let answer = cut_short(&server, turns, ("PUT", path), &suspended).await;
        something_else(&server).await;
        let store = &server.app().store;
        let found = store.user(&person.user).await.expect("read").expect("there");
        let inbox = Log::Inbox(person.user.clone());
        let size = PageSize { entries: 10, bytes: usize::MAX };
        let told = store.entries(&inbox, Range::After(0), size).await.expect("read").len();
        let is_suspended = found.profile.status == UserStatus::Suspended;
        assert_eq!(told, usize::from(is_suspended), "all of it or nothing, after {turns} turns");
        if is_suspended {
            kept += usize::from(answer.is_none());
            person.hears(RoomRef::Inbox).await;
            let is_account = |frame: &ServerFrame| matches!(frame, ServerFrame::Account(_));
            person.socket.wait_for("account", is_account).await.expect("told");
        }
        if let Some(status) = answer {
            assert!(status == StatusCode::OK && kept > 0, "{status}, {kept} without an answer");
            return;
        }
    }
    panic!("it was never answered");
}

/// The tokens were taken back, and the sockets that were opened with them lived on.
#[tokio::test]
async fn regression_a_revocation_closes_its_sockets_or_is_not_done_whenever_the_marketplace_goes_away() {
    let server = in_one_queue().await;
    let mut kept = 0;
    for turns in 1..100 {
        let mut person = Person::arrive(&server, &format!("person-{turns}"), Door::Socket).await;
        server.clock.advance_seconds(60);
        let path = format!("/v1/users/{}/revoke", person.user);
        let answer = cut_short(&server, turns, ("POST", path), &json!({})).await;
        something_else(&server).await;
        let found = server.app().store.user(&person.user).await.expect("read").expect("there");
        if found.tokens_valid_after.is_some() {
            kept += usize::from(answer.is_none());
            assert_eq!(person.socket.closed().await.expect("closed").0, CloseCode::Revoked.code());
        }
        if let Some(status) = answer {
            assert!(status == StatusCode::OK && kept > 0, "{status}, {kept} without an answer");
            return;
        }
    }
    panic!("it was never answered");
}

#[tokio::test]
async fn a_job_that_is_told_of_is_kept_or_not_and_in_nobodys_way_whenever_the_marketplace_goes_away() {
    let server = in_one_queue().await;
    let ana = Person::arrive(&server, "ana", Door::Socket).await;
    for turns in 1..100 {
        let job: JobId = id(&format!("job-{turns}"));
        let told = posting(&ana.user, "A landing page");
        let answer = cut_short(&server, turns, ("PUT", format!("/v1/jobs/{job}")), &told).await;
        something_else(&server).await;
        let found = server.app().store.job(&ana.user, &job).await.expect("read");
        assert!(found.is_none_or(|found| found.posting == told));
        if let Some(status) = answer {
            return assert_eq!(status, StatusCode::OK);
        }
        server.marketplace.put_posting(&job, &told).await.expect("told again");
    }
    panic!("it was never answered");
}
