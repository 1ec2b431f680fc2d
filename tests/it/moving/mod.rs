//! What an operator does with a whole database: moving it to PostgreSQL, keeping it, putting it back. And what its people are told then.

mod backup;
mod cluster;
mod copy;

use std::path::Path;

use anteroom_load_tests::client::{Posted, Socket, new_client_id, path_segment};
use anteroom_load_tests::marketplace::{Marketplace, OpenRoom};
use anteroom_load_tests::server::{Launcher, ServerProcess};
use anteroom_load_tests::token::TokenMint;
use anteroom_protocol::client::{ClientFrame, Hello};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomRef, UserId};
use anteroom_protocol::log::{Hash, chain_name, verify_chain};
use anteroom_protocol::room::{Cursor, JoinMode, JoinResult};
use anteroom_protocol::server::{ServerFrame, Welcome};
use serde_json::Value;

use crate::cli::{prints, text};
use crate::support::postgres::Schema;
use crate::support::process::BINARY;
use crate::support::{SECRET, ask, hasty, soon};

/// A server process on a database, and a marketplace that it believes.
struct Served {
    process: ServerProcess,
    marketplace: Marketplace,
}

impl Served {
    /// On this directory, or on this PostgreSQL database.
    async fn on(directory: &Path, schema: Option<&Schema>) -> Self {
        let launcher = hasty(Launcher::new(BINARY, directory)).env("ANTEROOM_AUTH__SECRET", SECRET);
        let launcher = schema
            .map(Schema::url)
            .into_iter()
            .fold(launcher, |launcher, url| launcher.env("ANTEROOM_DATABASE__URL", url));
        let process = launcher.start().await.expect("a server");
        let marketplace = Marketplace::new(process.base_url(), &TokenMint::new(SECRET));
        Self { process, marketplace }
    }

    async fn stop(mut self) {
        assert!(self.process.terminate().await.expect("an end").success());
    }

    async fn post_as(&self, key: ClientId, user: &UserId, room: RoomRef, body: &str) -> Posted {
        let posted = self.marketplace.as_user(user).command(key, &ask::post(room, body)).await;
        posted.expect("posted")
    }

    async fn post(&self, user: &UserId, room: RoomRef, body: &str) -> Posted {
        self.post_as(new_client_id(), user, room, body).await
    }

    /// A whole log, whose chain holds.
    async fn log(&self, user: &UserId, room: RoomRef) -> Vec<EntryFrame> {
        let entries = self.marketplace.as_user(user).all_entries(room, true).await.expect("a log");
        verify_chain(&chain_name(room, user), (0, Hash::GENESIS), &entries).expect("a chain that holds");
        entries
    }

    /// Comes back with these cursors.
    async fn hello(&self, user: &UserId, rooms: Vec<Cursor>, changes: Option<&str>) -> (Socket, Welcome) {
        let mut socket = Socket::connect_raw(self.process.base_url()).await.expect("a socket");
        let token = Some(self.marketplace.token(user));
        let changes_after = changes.map(str::to_owned);
        let hello = ClientFrame::Hello(Hello { token, rooms, changes_after, client: None });
        socket.send_frame(&hello, None).await.expect("sent");
        match socket.next().await {
            Ok(ServerFrame::Welcome(welcome)) => (socket, welcome),
            other => panic!("no welcome: {other:?}"),
        }
    }

    /// How many messages with this word somebody finds now.
    async fn found(&self, user: &UserId, word: &str) -> usize {
        let path = format!("/v1/search?q={}", path_segment(word));
        let page: Value = self.marketplace.as_user(user).get(&path).await.expect("a page");
        page["items"].as_array().expect("items").len()
    }

    /// Somebody finds so many messages with this word, once they are ready to be found.
    async fn finds(&self, user: &UserId, word: &str, count: usize) {
        let found = async {
            while self.found(user, word).await != count {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        soon(&format!("{count} messages with {word}"), found).await;
    }
}

/// How each of the rooms of a hello was joined.
fn modes(welcome: &Welcome) -> Vec<JoinMode> {
    let mode = |result: &JoinResult| match result {
        JoinResult::Joined(joined) => joined.mode,
        JoinResult::Refused { .. } => panic!("refused: {result:?}"),
    };
    welcome.rooms.iter().map(mode).collect()
}

/// How many messages of a lively room are found by the words they began with: all but the redacted one.
const WORDS: usize = 4;

/// A room with some words in it, some of them edited, some redacted.
async fn lively(server: &Served, name: &str) -> OpenRoom {
    let room = server.marketplace.open_room(name).await.expect("a room");
    for number in 0..5 {
        let word = format!("Grüße {number} – ärgerlich “quoted” \u{1f642} \\ \n");
        server.post(&room.client, room.room, &word).await;
    }
    let http = server.marketplace.as_user(&room.client);
    let done: Value = http.command(new_client_id(), &ask::redact(room.room, 5)).await.expect("redacted");
    assert_eq!(done["duplicate"], false);
    let _: Value = http.command(new_client_id(), &ask::edit(room.room, 6, "better")).await.expect("edited");
    room
}

/// The transcript of a room for staff, without when it was made and what was signed of it then.
async fn transcript(directory: &Path, schema: Option<&Schema>, room: &str) -> Vec<Value> {
    let url = schema.map(Schema::url);
    let variables: Vec<(&str, &str)> =
        url.iter().map(|url| ("ANTEROOM_DATABASE__URL", url.as_str())).collect();
    let args = ["export", room, "--audience", "staff", "--data-dir", text(directory)];
    let file = prints(&args, &variables).await;
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).expect("a line of JSON");
        if let Some(fields) = line.as_object_mut() {
            for name in ["exported_at", "digest", "signature"] {
                fields.remove(name);
            }
        }
        line
    };
    file.lines().map(line).collect()
}
