//! The judge of the load and fault runs in front of a real server: what the clients of these tests write down is valid when the server
//! kept its word, and a restored database is found out.

use std::fs;
use std::path::Path;

use anteroom_load_tests::client::{Posted, Socket, after, from_start, new_client_id};
use anteroom_load_tests::history::check::{Options, check};
use anteroom_load_tests::history::record::{Member, Role, Room, Via, What};
use anteroom_load_tests::history::recorder::{ClientLog, Recorder};
use anteroom_load_tests::history::verdict::{Validity, Verdict};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomRef, UserId};
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

/// Somebody who writes down everything.
struct Seat {
    user: UserId,
    log: ClientLog,
    n: u32,
    socket: Option<Socket>,
    last: Option<EntryFrame>,
}

/// Two people in a room.
struct Talk {
    room: RoomRef,
    name: Room,
    recorder: Recorder,
    seats: [Seat; 2],
}

impl Talk {
    async fn begin() -> (TestServer, Self) {
        let mut scene = Scene::new(Door::Http).await;
        let (_, room) = scene.talking().await;
        let recorder = Recorder::new();
        let head = scene.room(room).await.len() as u64;
        let name = recorder.room(room, &scene.client.user);
        recorder.loose().note(0, What::Before { room: name, head });
        let seats = [scene.client.user, scene.freelancer.user].map(|user| {
            let log = recorder.client(user.as_str(), Some(&user), Role::Client);
            let member = Member { room: name, user: recorder.user(&user), on: true, seq: 0, began: 0 };
            log.note(0, What::Member(member));
            Seat { user, log, n: 0, socket: None, last: None }
        });
        let mut talk = Self { room, name, recorder, seats };
        talk.come(&scene.server).await;
        (scene.server, talk)
    }

    /// Both connect, from where they were.
    async fn come(&mut self, server: &TestServer) {
        for seat in &mut self.seats {
            seat.come(server, self.room, self.name).await;
        }
    }

    fn leave(&mut self) {
        for seat in &mut self.seats {
            seat.socket = None;
            seat.log.note(seat.n, What::Disc { code: 1006 });
        }
    }

    async fn post(&mut self, who: usize, body: &str) -> (ClientId, Posted) {
        let key = new_client_id();
        (key, self.post_as(who, key, body).await)
    }

    async fn post_as(&mut self, who: usize, key: ClientId, body: &str) -> Posted {
        let (room, name, seat) = (self.room, self.name, &mut self.seats[who]);
        seat.log.posting(seat.n, name, key, body);
        let socket = seat.socket.as_mut().expect("connected");
        let posted = socket.post(room, key, body).await.expect("posted");
        seat.log.posted(seat.n, name, key, &posted);
        posted
    }

    async fn readers_are_at(&mut self, seq: u64) {
        for seat in &mut self.seats {
            while seat.last.as_ref().is_none_or(|last| last.seq < seq) {
                let entry = seat.socket.as_mut().expect("connected").next_entry().await.expect("an entry");
                seat.take(self.name, Via::Live, entry);
            }
        }
    }

    /// Reads the room afresh and ends the logs; the judge says the rest.
    async fn end(self, server: &TestServer) -> impl Fn(bool) -> Verdict {
        let Self { room, name, recorder, seats } = self;
        let reader = &seats[0].user;
        let http = server.marketplace.as_user(reader);
        let (entries, head) = http.whole_log(room, false).await.expect("a log");
        let log = recorder.client("reader", Some(reader), Role::Reader);
        entries.iter().for_each(|entry| log.entry(0, name, Via::Fresh, entry));
        log.note(0, What::Final { room: name, head });
        log.end();
        for seat in seats {
            seat.log.note(0, What::Final { room: name, head });
            seat.log.end();
        }
        let logs = recorder.logs();
        move |allow_epoch_loss| check(&logs, Options { allow_epoch_loss })
    }
}

impl Seat {
    async fn come(&mut self, server: &TestServer, room: RoomRef, name: Room) {
        self.n += 1;
        let cursor = self.last.as_ref().map_or_else(|| from_start(room), after);
        let began = self.log.recorder().now();
        let connected = Socket::connect(&server.base, &server.token(&self.user), vec![cursor.clone()]).await;
        let (mut socket, welcome) = connected.expect("a welcome");
        self.log.note(self.n, What::Conn);
        let [JoinResult::Joined(joined)] = &welcome.rooms[..] else { panic!("{welcome:?}") };
        self.log.joined(self.n, name, &cursor, joined, began);
        if joined.mode == JoinMode::Reset {
            let is_reset = |frame: &ServerFrame| matches!(frame, ServerFrame::Reset { .. });
            socket.wait_for("reset", is_reset).await.expect("a reset");
            self.log.note(self.n, What::Reset { room: name });
            let entries =
                server.marketplace.as_user(&self.user).all_entries(room, false).await.expect("a log");
            entries.into_iter().for_each(|entry| self.take(name, Via::Fetch, entry));
        }
        self.socket = Some(socket);
    }

    fn take(&mut self, name: Room, via: Via, entry: EntryFrame) {
        self.log.entry(self.n, name, via, &entry);
        self.last = Some(entry);
    }
}
