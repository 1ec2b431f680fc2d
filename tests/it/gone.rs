//! Clients that are gone the moment they have sent something: what they sent is done once or not at all, and nothing of them stays.
//!
//! `ANTEROOM_GONE_ROUNDS`: how many of them there are (1,000).

use std::time::Duration;

use anteroom_load_tests::client::new_client_id;
use anteroom_protocol::id::{ClientId, RoomRef};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::support::raw::{TEXT, UPGRADE, frame};
use crate::support::{Door, Scene, TestServer, ask, soon};

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
    let server = TestServer::start_with(|config| config.limits.sockets_per_user = 10_000).await;
    let mut scene = Scene::on(server, Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut trial = scene.on_record("gone", room).await;
    let crowd = trial.device(&scene.client.user);
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
    let mut connection = SqliteConnectOptions::new()
        .filename(scene.server.database())
        .busy_timeout(Duration::ZERO)
        .connect()
        .await
        .expect("opened");
    let transaction = connection.begin_with("BEGIN IMMEDIATE").await.expect("nobody holds the lock");
    transaction.rollback().await.expect("given back");
    connection.close().await.expect("closed");

    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.ping().await.expect("open");
    }
    // The two who stayed are the only ones there.
    soon("the last of them to be noticed", async {
        while !scene.figures().await.lines().any(|line| line == "anteroom_connections 2") {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let verdict = trial.prove(&scene.server.marketplace).await.unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(verdict.counts.ok, (rounds + rounds / 10) as u64);
    eprintln!("{}", verdict.text());
}

impl Scene {
    async fn figures(&self) -> String {
        let figures = anteroom_load_tests::client::Http::anonymous(&self.server.figures());
        figures.raw("GET", "/metrics", &[], None).await.expect("figures").text
    }
}
