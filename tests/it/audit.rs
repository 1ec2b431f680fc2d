//! What an operator reads of those who ask for what is not theirs: who it was, from where, and what they asked for; never what they said.

use std::fmt::Display;
use std::fs::File;
use std::process::Stdio;

use anteroom_load_tests::client::{Http, Socket, from_start, new_client_id};
use anteroom_load_tests::token::TokenMint;
use anteroom_protocol::client::{ClientFrame, Refresh};
use anteroom_protocol::id::{InvitationId, RoomId, RoomRef, UserId};
use anteroom_protocol::marker::Mark;
use serde_json::Value;
use uuid::Uuid;

use crate::logging::start;
use crate::support::{SECRET, ask, id};

const WORDS: &str = "nobody is to read this in a log";

/// Who, what, what it was about, why: of one line.
type Told = [String; 4];

fn told(line: &str) -> Option<Told> {
    let event: Value = serde_json::from_str(line).expect("a line is JSON");
    (event["target"] == "anteroom::audit").then(|| {
        assert_eq!(event["fields"]["address"], "127.0.0.1", "{line}");
        ["who", "what", "which", "code"]
            .map(|name| event["fields"][name].as_str().unwrap_or_default().to_owned())
    })
}

#[tokio::test]
async fn whoever_asks_for_what_is_not_theirs_stands_in_the_log_and_nobody_else_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("stderr");
    let file = File::create(&place).expect("a file");
    let server = start(&directory.path().join("data"), "info", |command| {
        command.stdout(Stdio::null()).stderr(Stdio::from(file));
    })
    .await;
    let market = &server.marketplace;
    let open = market.open_room("private").await.expect("a room");
    let mallory: UserId = id("mallory");
    market.put_user(&mallory, "Mallory").await.expect("told of");
    let missing = RoomRef::Room(RoomId(Uuid::now_v7()));

    // The two whose room it is, who also ask for something at the wrong time and in the wrong way.
    let (mut clara, _) = market.socket(&open.client, vec![from_start(open.room)]).await.expect("a socket");
    clara.post(open.room, new_client_id(), WORDS).await.expect("posted");
    clara.command(new_client_id(), ask::withdraw(open.invitation)).await.expect_err("too late");
    market.as_user(&open.client).get::<Value>("/v1/rooms?limit=x").await.expect_err("no number");

    let http = market.as_user(&mallory);
    for room in [open.room, missing] {
        http.get::<Value>(&format!("/v1/rooms/{room}")).await.expect_err("not found");
        http.command::<Value>(new_client_id(), &ask::post(room, WORDS)).await.expect_err("not found");
    }
    // A token in a path, and words.
    let path = format!("/v1/rooms/{}%20{}", market.token(&mallory), WORDS.replace(' ', "%20"));
    http.get::<Value>(&path).await.expect_err("not found");
    let (mut socket, _) = market.socket(&mallory, vec![from_start(open.room)]).await.expect("a socket");
    socket.join(from_start(open.room)).await.expect_err("not found");
    socket.post(open.room, new_client_id(), WORDS).await.expect_err("not found");
    socket.command(new_client_id(), ask::accept(open.invitation, None)).await.expect_err("not found");
    let mark = ClientFrame::Read(Mark { room: open.room, seq: 1 });
    socket.ask(&mark).await.expect_err("not found");
    let refresh = ClientFrame::Refresh(Refresh { token: market.token(&open.client) });
    socket.ask(&refresh).await.expect_err("somebody else's");
    Http::new(&server.base, "no.token.atall").get::<Value>("/v1/me").await.expect_err("not believed");
    Socket::connect(&server.base, "no.token.atall", Vec::new()).await.expect_err("not believed");
    let service = TokenMint::new(SECRET).service();
    Socket::connect(&server.base, &service, Vec::new()).await.expect_err("no person");
    drop((clara, socket));
    assert_eq!(server.end().await, Some(0));

    let log = std::fs::read_to_string(&place).expect("a log");
    for secret in [WORDS, "nobody%20is", "no.token.atall", "eyJ"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let expected = expected(open.room, missing, open.invitation);
    assert_eq!(log.lines().filter_map(told).collect::<Vec<_>>(), expected, "{log}");
}

/// The lines, in the order of what was done.
fn expected(theirs: RoomRef, missing: RoomRef, invitation: InvitationId) -> Vec<Told> {
    let line = |who: &str, what: &str, which: &dyn Display, code: &str| {
        [who.into(), what.into(), which.to_string(), code.into()]
    };
    let (mine, nobody, nothing) = ("mallory", "", &"");
    vec![
        line(mine, "GET /v1/rooms/{room}", &theirs, "not_found"),
        line(mine, "POST /v1/rooms/{room}/messages", &theirs, "not_found"),
        line(mine, "GET /v1/rooms/{room}", &missing, "not_found"),
        line(mine, "POST /v1/rooms/{room}/messages", &missing, "not_found"),
        line(mine, "GET /v1/rooms/{room}", nothing, "not_found"),
        line(mine, "join", &theirs, "not_found"),
        line(mine, "join", &theirs, "not_found"),
        line(mine, "message.post", &theirs, "not_found"),
        line(mine, "invitation.accept", &invitation, "not_found"),
        line(mine, "read", &theirs, "not_found"),
        line(mine, "refresh", nothing, "forbidden"),
        line(nobody, "GET /v1/me", nothing, "unauthenticated"),
        line(nobody, "hello", nothing, "unauthenticated"),
        line("service/marketplace", "hello", nothing, "forbidden"),
    ]
}
