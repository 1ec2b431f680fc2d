//! The log of the real server: it holds nobody up, and nobody can write into it what is not theirs to say.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anteroom_load_tests::client::{Http, Socket, new_client_id};
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::scenario::target::raised;
use anteroom_load_tests::token::TokenMint;
use anteroom_protocol::user::UserProfile;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::cli::text;
use crate::support::process::{command, free_address, signal};
use crate::support::{SECRET, post_all, soon};

/// A server whose outputs are the test's.
pub(crate) struct Started {
    child: Child,
    pub(crate) base: String,
    figures: String,
    pub(crate) marketplace: Marketplace,
}

/// Starts one that logs as this filter says.
pub(crate) async fn start(directory: &Path, log: &str, outputs: impl FnOnce(&mut Command)) -> Started {
    let (address, figures) = (free_address(), free_address());
    let args = ["serve", "--no-demo", "--listen", &address, "--metrics-listen", &figures, "--data-dir"];
    let args = [&args[..], &[text(directory)]].concat();
    let mut command = command(&args, &[("ANTEROOM_AUTH__SECRET", SECRET), ("ANTEROOM_LOG", log)]);
    for (name, value) in raised(&[]) {
        command.env(format!("ANTEROOM_LIMITS__{}", name.to_uppercase()), value);
    }
    outputs(&mut command);
    let child = command.spawn().expect("a server");
    let base = format!("http://{address}");
    let probe = Http::anonymous(&base);
    soon("readiness", async {
        while !probe.raw("GET", "/readyz", &[], None).await.is_ok_and(|answer| answer.status == 200) {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let marketplace = Marketplace::new(&base, &TokenMint::new(SECRET));
    Started { child, base, figures: format!("http://{figures}"), marketplace }
}

impl Started {
    async fn dropped(&self) -> u64 {
        let figures =
            Http::anonymous(&self.figures).raw("GET", "/metrics", &[], None).await.expect("figures").text;
        let value = figures.lines().find_map(|line| line.strip_prefix("anteroom_log_lines_dropped_total "));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no such figure in\n{figures}"))
    }

    /// Asks it to end, and waits for that: the exit code.
    pub(crate) async fn end(mut self) -> Option<i32> {
        signal(self.child.id().expect("it runs"), "TERM");
        soon("an end", self.child.wait()).await.expect("a status").code()
    }
}

/// A pipe that takes nothing more, and the end that must be kept.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut filler = writer.try_clone().expect("another handle");
    // Stands still as soon as the pipe is full, and ends with the reader.
    std::thread::spawn(move || while filler.write_all(&[b'.'; 4096]).is_ok() {});
    (reader, writer)
}

#[tokio::test]
async fn nobody_waits_for_an_output_that_nobody_reads_and_lost_lines_are_counted() {
    const POSTS: usize = 3_000;
    let directory = tempfile::tempdir().expect("a directory");
    let (_announcement, stdout) = full_pipe();
    let (_log, stderr) = full_pipe();
    let server = start(directory.path(), "trace", |command| {
        command.stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    })
    .await;
    let open = server.marketplace.open_room("loud").await.expect("a room");
    let token = server.marketplace.token(&open.client);
    let (mut socket, _) = Socket::connect(&server.base, &token, Vec::new()).await.expect("a socket");
    let posted = post_all(&mut socket, open.room, (0..POSTS).map(|number| format!("number {number}"))).await;
    assert_eq!(posted.len(), POSTS, "all are acknowledged");
    assert!(server.dropped().await > 0);
    drop(socket);
    assert_eq!(server.end().await, Some(0));
}

#[tokio::test]
async fn an_output_that_is_closed_ends_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = start(directory.path(), "debug", |command| {
        for pipe in
            [std::io::pipe(), std::io::pipe()].map(|pipe| pipe.expect("a pipe").1).into_iter().enumerate()
        {
            match pipe {
                (0, stdout) => command.stdout(Stdio::from(stdout)),
                (_, stderr) => command.stderr(Stdio::from(stderr)),
            };
        }
    })
    .await;
    server.marketplace.open_room("unheard").await.expect("a room");
    assert_eq!(server.end().await, Some(0));
}

/// What a log must not obey: new lines, the ends of JSON's strings, and what terminals take for orders, with and without a leading ESC.
const WILD: &str = "\r\n{\"level\":\"ERROR\",\"forged\":true}\r\n\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{7f}\u{85}\u{2028}\"}\\\u{0}";
/// Words that are nobody's but the two people's.
const SECRET_WORDS: &str = "my-iban-is-DE02-1203-0000-0000-2020-51";

#[tokio::test]
async fn every_line_of_the_log_is_one_event_whatever_people_send_and_never_holds_their_words() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("stderr");
    let file = File::create(&place).expect("a file");
    let server = start(&directory.path().join("data"), "debug", |command| {
        command.stdout(Stdio::null()).stderr(Stdio::from(file));
    })
    .await;
    let open = server.marketplace.open_room("wild").await.expect("a room");
    let token = server.marketplace.token(&open.client);
    let words = format!("{SECRET_WORDS}{WILD}");

    // Names. Whether they are taken or refused is not the question here.
    let mut wild_profile = UserProfile::active("somebody");
    wild_profile.name = format!("A name {WILD}");
    let _ = server.marketplace.put_profile(&open.client, &wild_profile).await;
    // A client that calls itself something, ids, types that nobody knows, frames that are none.
    let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
    let hello = json!({"type": "hello", "id": WILD, "token": token, "rooms": [], "client": WILD});
    socket.send_text(hello.to_string()).await.expect("sent");
    let key = new_client_id();
    for frame in [
        json!({"type": "message.post", "id": "p", "client_id": key, "room": open.room, "body": words}),
        json!({"type": WILD, "id": WILD}),
        json!({"type": "join", "id": WILD, "room": words}),
        json!({"type": "message.post", "id": WILD, "client_id": words, "room": open.room, "body": words}),
    ] {
        socket.send_text(frame.to_string()).await.expect("sent");
    }
    socket.send_text(format!("{{ no frame {words}")).await.expect("sent");
    let (mut second, _) = Socket::connect(&server.base, &token, Vec::new()).await.expect("a socket");
    let _ = second.post(open.room, new_client_id(), words.clone()).await;
    // Tokens that are none, paths and bodies that are none.
    let http = server.marketplace.as_user(&open.client);
    let forged = Http::new(&server.base, format!("{SECRET_WORDS}.{SECRET_WORDS}.{SECRET_WORDS}"));
    let _ = forged.get::<Value>("/v1/me").await;
    let mut liar = Socket::connect_raw(&server.base).await.expect("a socket");
    let lie = json!({"type": "hello", "token": words, "rooms": [], "client": WILD});
    liar.send_text(lie.to_string()).await.expect("sent");
    let _ = liar.closed().await;
    for path in ["/v1/rooms/%0d%0a%1b%5b2J%22%7d", "/%00%0a%7f%c2%9b31m", "/v1/jobs/x%0ay"] {
        let _ = http.raw("GET", path, &[("x-request-id", "a\tb")], None).await;
    }
    let post = format!("/v1/rooms/{}/messages", open.room);
    let _ = http.raw("POST", &post, &[("idempotency-key", SECRET_WORDS)], Some(words)).await;
    drop((socket, second));
    assert_eq!(server.end().await, Some(0));

    let log = std::fs::read_to_string(&place).expect("a log in UTF-8");
    let mut clients = Vec::new();
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert!(event["timestamp"].is_string() && event.get("forged").is_none(), "{line}");
        assert!(!line.contains(char::is_control) && !line.contains('\u{2028}'), "{line:?}");
        assert!(!line.contains(SECRET_WORDS), "somebody's words: {line}");
        assert!(!line.contains(&token) && !line.contains(SECRET), "a token or a secret: {line}");
        clients.extend(event["fields"]["client"].as_str().map(str::to_owned));
    }
    let called = clients.iter().any(|client| WILD.starts_with(client.as_str()) && !client.is_empty());
    assert!(called, "what a client calls itself is told, as it was sent: {clients:?}");
}
