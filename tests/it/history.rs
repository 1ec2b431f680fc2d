//! The judge of the load and fault runs in front of a real server: what the clients of these tests write down is valid when the server
//! kept its word, and a restored database is found out.

use std::fs;
use std::path::Path;

use anteroom_load_tests::client::{Posted, Socket, after, from_start, new_client_id};
use anteroom_load_tests::history::check::{Options, check};
use anteroom_load_tests::history::record::Via;
use anteroom_load_tests::history::scribe::Scribe;
use anteroom_load_tests::history::trial::Trial;
use anteroom_load_tests::history::verdict::{Validity, Verdict};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::room::{JoinMode, JoinResult};
use anteroom_protocol::server::ServerFrame;
use tempfile::TempDir;

use crate::support::{Door, Scene, TestServer};

#[tokio::test]
async fn what_clients_write_down_of_a_server_that_restarts_is_valid() {
    let (mut server, mut talk) = Talk::begin().await;
    talk.post(0, "one").await;
    let (key, first) = talk.post(1, "two").await;
    talk.readers_are_at(first.seq).await;
    talk.leave();
    server = server.restart().await;
    talk.come(&server).await;
    let again = talk.post_as(1, key, "two").await;
    assert_eq!((again.seq, again.duplicate), (first.seq, true));
    let (_, last) = talk.post(0, "three").await;
    talk.readers_are_at(last.seq).await;
    let verdict = talk.end(&server).await;
    assert_eq!(verdict(false).valid, Validity::Valid, "{}", verdict(false).text());
    assert_eq!(verdict(false).counts.dup_acks, 1);
}

/// An operator puts back an older copy. Both clients have more than it holds and are told so; what they had been promised is listed,
/// neither more nor less.
#[tokio::test]
async fn what_a_restored_database_lacks_is_listed_to_the_entry() {
    let (mut server, mut talk) = Talk::begin().await;
    let (_, kept) = talk.post(0, "kept").await;
    talk.readers_are_at(kept.seq).await;
    talk.leave();
    let older = tempfile::tempdir().expect("a directory");
    server = server.restart_after(|data| copy(data, older.path())).await;
    talk.come(&server).await;
    talk.post(1, "lost").await;
    let (_, lost) = talk.post(0, "lost, too").await;
    talk.readers_are_at(lost.seq).await;
    talk.leave();

    server = server.restart_after(|data| put_back(&older, data)).await;
    talk.come(&server).await;
    let (_, other) = talk.post(0, "another entry at a number that was taken").await;
    assert_eq!(other.seq, kept.seq + 1);
    talk.readers_are_at(other.seq).await;
    let verdict = talk.end(&server).await;

    let (strict, lenient) = (verdict(false), verdict(true));
    assert_eq!(strict.valid, Validity::Invalid, "{}", strict.text());
    assert_eq!(strict.broken.into_iter().collect::<Vec<_>>(), [("I11", 2)]);
    assert_eq!(lenient.valid, Validity::Valid, "{}", lenient.text());
    let seqs: Vec<u64> = lenient.lost_by_restore.first.iter().map(|(_, seq, _)| *seq).collect();
    assert_eq!(seqs, [kept.seq + 1, kept.seq + 2]);
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

fn put_back(older: &TempDir, data: &Path) {
    for entry in fs::read_dir(data).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
    copy(older.path(), data);
}

/// Somebody whose doings are written down.
struct Seat {
    scribe: Scribe,
    socket: Option<Socket>,
    last: Option<EntryFrame>,
}

/// Two people in a room.
struct Talk {
    room: RoomRef,
    trial: Trial,
    seats: [Seat; 2],
}

impl Talk {
    async fn begin() -> (TestServer, Self) {
        let mut scene = Scene::embedded(Door::Http).await;
        let (_, room) = scene.talking().await;
        let people = [scene.client.user, scene.freelancer.user];
        let mut trial = Trial::begin("restarts", None);
        trial.room_of(&scene.server.marketplace, room, people.clone()).await.expect("a room");
        let seats = people.map(|user| Seat { scribe: trial.device(&user), socket: None, last: None });
        let mut talk = Self { room, trial, seats };
        talk.come(&scene.server).await;
        (scene.server, talk)
    }

    /// Both connect, from where they were.
    async fn come(&mut self, server: &TestServer) {
        for seat in &mut self.seats {
            seat.come(server, self.room).await;
        }
    }

    fn leave(&mut self) {
        for seat in &mut self.seats {
            seat.socket = None;
        }
    }

    async fn post(&mut self, who: usize, body: &str) -> (ClientId, Posted) {
        let key = new_client_id();
        (key, self.post_as(who, key, body).await)
    }

    async fn post_as(&mut self, who: usize, key: ClientId, body: &str) -> Posted {
        let socket = self.seats[who].socket.as_mut().expect("connected");
        socket.post(self.room, key, body).await.expect("posted")
    }

    async fn readers_are_at(&mut self, seq: u64) {
        for seat in &mut self.seats {
            while seat.last.as_ref().is_none_or(|last| last.seq < seq) {
                let entry = seat.socket.as_mut().expect("connected").next_entry().await;
                seat.last = Some(entry.expect("an entry"));
            }
        }
    }

    /// Ends it; the judge says the rest, with an older database held against the server or not.
    async fn end(self, server: &TestServer) -> impl Fn(bool) -> Verdict {
        let logs = self.trial.end(&server.marketplace).await.expect("read afresh");
        move |allow_epoch_loss| check(&logs, Options { allow_epoch_loss })
    }
}

impl Seat {
    async fn come(&mut self, server: &TestServer, room: RoomRef) {
        let user = self.scribe.user();
        let cursor = self.last.as_ref().map_or_else(|| from_start(room), after);
        let connected = self.scribe.connect(&server.base, &server.token(user), vec![cursor]).await;
        let (mut socket, welcome) = connected.expect("a welcome");
        let [JoinResult::Joined(joined)] = &welcome.rooms[..] else { panic!("{welcome:?}") };
        if joined.mode == JoinMode::Reset {
            let is_reset = |frame: &ServerFrame| matches!(frame, ServerFrame::Reset { .. });
            socket.wait_for("reset", is_reset).await.expect("a reset");
            let http = server.marketplace.as_user(user);
            let mut entries = http.all_entries(room, false).await.expect("a log");
            self.scribe.read(room, Via::Fetch, &entries);
            self.last = entries.pop();
        }
        self.socket = Some(socket);
    }
}
