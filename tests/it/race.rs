//! Readers who come and go while others write: every reader gets what follows its cursor, in order, without a hole or a repeat.

#![expect(clippy::wildcard_enum_match_arm, reason = "a frame that is not expected fails, whatever it is")]

use std::collections::HashMap;
use std::time::Duration;

use anteroom_load_tests::client::{Http, Posted, Socket, SocketOptions, at_head, new_client_id};
use anteroom_protocol::client::ClientFrame;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::log::Hash;
use anteroom_protocol::room::{Cursor, JoinMode, JoinResult, Joined};
use anteroom_protocol::server::ServerFrame;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::oneshot;

use crate::support::{Door, Scene, TestServer, ask, post_all, post_everywhere};

const ROUNDS: usize = 60;
const POSTS: usize = 8;

/// Reads entries of this room up to this number: they begin at `next` and run on by one.
async fn runs_on(socket: &mut Socket, room: RoomRef, mut next: u64, last: u64) {
    while next <= last {
        match socket.next().await.expect("an entry") {
            ServerFrame::Entry(entry) => {
                assert_eq!((entry.room, entry.seq), (room, next), "in order, no hole, no repeat");
                next += 1;
            }
            other => panic!("no entry {next}: {other:?}"),
        }
    }
}

/// Where somebody begins to read, and what the server said to that.
async fn come_in(base: &str, token: &str, cursor: Cursor, by_hello: bool) -> (Socket, u64, JoinMode) {
    let hello = if by_hello { vec![cursor.clone()] } else { Vec::new() };
    let (mut socket, welcome) = Socket::connect(base, token, hello).await.expect("a welcome");
    let joined = match welcome.rooms.into_iter().next() {
        Some(JoinResult::Joined(joined)) => joined,
        Some(JoinResult::Refused { error, .. }) => panic!("{error:?}"),
        None => {
            socket.send_frame(&ClientFrame::Join(cursor), Some("join")).await.expect("sent");
            loop {
                match socket.next().await.expect("a frame") {
                    // Before the join it is told of growth, after it no more.
                    ServerFrame::Activity { .. } => {}
                    ServerFrame::Ok { data, .. } => break serde_json::from_value(data).expect("joined"),
                    other => panic!("{other:?}"),
                }
            }
        }
    };
    (socket, joined.head, joined.mode)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_posted_between_subscribing_and_reading_comes_once_and_in_its_place() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut head = 4;
    for round in 0..ROUNDS {
        let base = scene.server.base_of(&scene.client.user);
        let token = scene.server.token(&scene.client.user);
        let last = head + POSTS as u64;
        let after = (!round.is_multiple_of(3)).then(|| rand::random_range(0..=head));
        let posts = (0..POSTS).map(|number| format!("{round} {number}"));
        let reader = tokio::spawn(async move {
            for _ in 0..rand::random_range(0..40) {
                tokio::task::yield_now().await;
            }
            let cursor = Cursor { room, after, hash: None };
            let (mut socket, head, mode) = come_in(&base, &token, cursor, round.is_multiple_of(2)).await;
            let first = match mode {
                JoinMode::Live => head + 1,
                JoinMode::Resumed => after.expect("a number") + 1,
                JoinMode::Gap => {
                    assert!(matches!(socket.next().await, Ok(ServerFrame::Gap { to, .. }) if to == head));
                    head + 1
                }
                JoinMode::Reset => panic!("the cursor was of this log"),
            };
            runs_on(&mut socket, room, first, last).await;
            socket
        });
        post_all(&mut scene.freelancer.socket, room, posts).await;
        let mut socket = reader.await.expect("read");
        // Nothing comes twice afterwards either.
        let answer = scene.freelancer.posted(room, "the end of the round").await;
        runs_on(&mut socket, room, last + 1, answer.seq).await;
        head = answer.seq;
    }
    assert_eq!(scene.room(room).await.len() as u64, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_and_comes_back_while_others_write_misses_nothing() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut reader = scene.client.socket_at(&scene.server, Vec::new()).await;
    let writer = async {
        for number in 0..400 {
            let body = ask::post(room, format!("{number}"));
            scene.freelancer.socket.command(new_client_id(), body).await.expect("posted");
        }
    };
    let read = async {
        let mut seen: Vec<EntryFrame> = Vec::new();
        while seen.last().is_none_or(|last| last.seq < 404) {
            let cursor = Cursor {
                room,
                after: Some(seen.last().map_or(0, |last| last.seq)),
                hash: seen.last().map(|last| last.hash),
            };
            let joined = reader.join(cursor).await.expect("joined");
            assert!(matches!(joined.mode, JoinMode::Live | JoinMode::Resumed), "{joined:?}");
            for _ in 0..rand::random_range(0..12) {
                if let Some(ServerFrame::Entry(entry)) =
                    reader.listen(Duration::from_millis(5)).await.expect("open")
                {
                    seen.push(entry);
                }
            }
            reader.leave(room).await.expect("left");
            while let Some(frame) = reader.listen(Duration::ZERO).await.expect("open") {
                if let ServerFrame::Entry(entry) = frame {
                    seen.push(entry);
                }
            }
        }
        seen
    };
    let ((), seen) = tokio::join!(writer, read);
    let seqs: Vec<u64> = seen.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=404).collect::<Vec<_>>());
    let kept = scene.room(room).await;
    assert!(seen.iter().zip(&kept).all(|(seen, kept)| seen.hash == kept.hash));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_while_somebody_leaves_is_heard_or_heard_of() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut reader = scene.client.socket_at(&scene.server, Vec::new()).await;
    for round in 0..5 * ROUNDS {
        reader.join(at_head(room)).await.expect("joined");
        let post = ask::post(room, format!("{round}"));
        let leave = async {
            for _ in 0..rand::random_range(0..30) {
                tokio::task::yield_now().await;
            }
            reader.leave(room).await.expect("left");
        };
        let post = scene.freelancer.socket.command_as::<Posted>(new_client_id(), post);
        let (posted, ()) = tokio::join!(post, leave);
        let last = posted.expect("posted").seq;
        let reaches = |frame: &ServerFrame| match frame {
            ServerFrame::Entry(entry) => entry.seq == last,
            ServerFrame::Activity { head, .. } => *head == last,
            _ => false,
        };
        reader.wait_for("word of the last message", reaches).await.expect("heard or heard of");
    }
}

/// `ANTEROOM_RACE_ROUNDS`: how many interleavings are tried (200; `make proof` takes 10,000). `ANTEROOM_RACE_SEED`: the seed of what happens
/// in them, as a failed run printed it.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// How one reader comes in.
#[derive(Debug, Clone)]
struct Entrance {
    cursors: Vec<Cursor>,
    by_hello: bool,
    /// Reads nothing before everything was written, through a small window.
    is_slow: bool,
    waits: u32,
}

/// Where a reader is in a room it has joined.
struct Place {
    next: u64,
    gap: Option<(u64, u64)>,
    is_reset: bool,
}

/// One reader, held to the promise: per room what follows the cursor, in order, without a hole or a repeat.
struct Reader {
    socket: Socket,
    cursors: Vec<Cursor>,
    places: HashMap<RoomRef, Place>,
    heard: HashMap<(RoomRef, u64), Hash>,
}

impl Reader {
    async fn come(base: &str, token: &str, entrance: Entrance) -> Self {
        for _ in 0..entrance.waits {
            tokio::task::yield_now().await;
        }
        let receive_buffer = entrance.is_slow.then_some(4_096);
        let options = SocketOptions { receive_buffer, ..SocketOptions::default() };
        let mut socket = Socket::connect_with(base, &options).await.expect("a socket");
        let hello = if entrance.by_hello { entrance.cursors.clone() } else { Vec::new() };
        let welcome = socket.hello(token, hello).await.expect("a welcome");
        let (places, heard) = (HashMap::new(), HashMap::new());
        let mut reader = Self { socket, cursors: entrance.cursors, places, heard };
        for result in welcome.rooms {
            let JoinResult::Joined(joined) = result else { panic!("{result:?}") };
            reader.joined(&joined);
        }
        if !entrance.by_hello {
            for cursor in &reader.cursors {
                let join = ClientFrame::Join(cursor.clone());
                reader.socket.send_frame(&join, Some(&cursor.room.to_string())).await.expect("sent");
            }
        }
        reader
    }

    fn joined(&mut self, joined: &Joined) {
        let cursor = self.cursors.iter().find(|cursor| cursor.room == joined.room).expect("asked for");
        let Joined { room, head, mode } = *joined;
        let after = cursor.after;
        let place = |next| Place { next, gap: None, is_reset: true };
        let place = match mode {
            JoinMode::Live => {
                assert!(after.is_none_or(|after| after == head), "{cursor:?} {joined:?}");
                place(head + 1)
            }
            JoinMode::Resumed => {
                assert!(after.is_some_and(|after| after < head), "{cursor:?} {joined:?}");
                place(after.expect("a number") + 1)
            }
            JoinMode::Gap => {
                let from = after.expect("a number") + 1;
                Place { gap: Some((from, head)), ..place(head + 1) }
            }
            JoinMode::Reset => {
                assert!(after.is_some_and(|after| after > head), "{cursor:?} {joined:?}");
                Place { is_reset: false, ..place(head + 1) }
            }
        };
        assert!(self.places.insert(room, place).is_none(), "one answer to each join");
    }

    fn take(&mut self, frame: ServerFrame) {
        match frame {
            ServerFrame::Ok { data, .. } => {
                let joined: Joined = serde_json::from_value(data).expect("joined");
                self.joined(&joined);
            }
            ServerFrame::Entry(entry) => {
                let place = self.places.get_mut(&entry.room).expect("the answer comes first");
                assert!(place.gap.is_none() && place.is_reset, "the gap and the reset come first");
                assert_eq!(entry.seq, place.next, "in order, no hole, no repeat, in {}", entry.room);
                place.next += 1;
                self.heard.insert((entry.room, entry.seq), entry.hash);
            }
            ServerFrame::Gap { room, from, to } => {
                let place = self.places.get_mut(&room).expect("the answer comes first");
                assert_eq!(place.gap.take(), Some((from, to)));
            }
            ServerFrame::Reset { room, .. } => {
                let place = self.places.get_mut(&room.expect("of a room")).expect("the answer comes first");
                assert!(!std::mem::replace(&mut place.is_reset, true), "reset once");
            }
            ServerFrame::Activity { room, .. } => {
                assert!(!self.places.contains_key(&room), "a room that was joined is not told as growth");
            }
            other => panic!("{other:?}"),
        }
    }

    /// Reads on until all of these rooms were read to their ends, and looks that nothing comes after that.
    async fn read_to(&mut self, heads: &HashMap<RoomRef, u64>) {
        let is_whole = |places: &HashMap<RoomRef, Place>| {
            heads.iter().all(|(room, head)| places.get(room).is_some_and(|place| place.next > *head))
        };
        while !is_whole(&self.places) {
            let frame = self.socket.next().await.expect("a frame");
            self.take(frame);
        }
        self.socket.ping().await.expect("a pong");
        while let Some(frame) = self.socket.listen(Duration::ZERO).await.expect("open") {
            self.take(frame);
        }
        assert!(
            self.places.values().all(|place| place.gap.is_none() && place.is_reset),
            "nothing is missing"
        );
        for (room, head) in heads {
            assert_eq!(self.places[room].next, head + 1, "nothing came twice or from nowhere");
        }
    }
}

/// Cursors at every boundary there is and somewhere in between.
fn entrance(dice: &mut StdRng, heads: &HashMap<RoomRef, u64>) -> Entrance {
    let mut rooms: Vec<(RoomRef, u64)> = heads.iter().map(|(room, head)| (*room, *head)).collect();
    rooms.sort_unstable();
    let cursors = rooms.into_iter().map(|(room, head)| {
        let after = match dice.random_range(0..7) {
            0 => None,
            1 => Some(0),
            2 => Some(head - 1),
            3 => Some(head),
            4 => Some(head + 1),
            5 => Some(head + dice.random_range(2..6)),
            _ => Some(dice.random_range(0..head)),
        };
        Cursor { room, after, hash: None }
    });
    let cursors = cursors.collect();
    let waits = dice.random_range(0..40);
    Entrance { cursors, by_hello: dice.random(), is_slow: dice.random_range(0..4) == 0, waits }
}

/// What is written meanwhile: now and then more at once than a socket's queue holds.
fn burst(dice: &mut StdRng, rooms: &[RoomRef]) -> Vec<(RoomRef, String)> {
    let (count, bytes) =
        if dice.random_range(0..6) == 0 { (30, 3_000) } else { (dice.random_range(1..16), 40) };
    (0..count).map(|at| (rooms[dice.random_range(0..rooms.len())], format!("{at:0>bytes$}"))).collect()
}

/// Comes in and reads while others write, or after it, until all that was written was read.
async fn read_along(
    base: &str,
    token: &str,
    entrance: Entrance,
    mut written: oneshot::Receiver<HashMap<RoomRef, u64>>,
) -> Reader {
    let is_slow = entrance.is_slow;
    let mut reader = Reader::come(base, token, entrance).await;
    let heads = loop {
        tokio::select! {
            heads = &mut written => break heads.expect("written"),
            frame = reader.socket.next(), if !is_slow => {
                let frame = frame.expect("a frame");
                reader.take(frame);
            }
        }
    };
    reader.read_to(&heads).await;
    reader
}

const ROOMS_AT_ONCE: usize = 3;
/// Rounds in the same rooms: long enough to grow, too short for a gap each time.
const ROUNDS_IN_A_ROOM: u64 = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_commits_joins_and_reads_fall_together_nothing_is_lost_or_doubled() {
    let rounds = number("ANTEROOM_RACE_ROUNDS").unwrap_or(200);
    let seed = number("ANTEROOM_RACE_SEED").unwrap_or_else(rand::random);
    eprintln!("ANTEROOM_RACE_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let server = TestServer::start_with(|config| config.limits.outbox_bytes = 32 * 1024).await;
    let mut scene = Scene::on(server, Door::Socket).await;
    let reader = &scene.client.user;
    let (base, token) = (scene.server.base_of(reader), scene.server.token(reader));
    let figures = scene.server.figures_of(reader);
    let (mut rooms, mut heads): (Vec<RoomRef>, HashMap<RoomRef, u64>) = (Vec::new(), HashMap::new());
    for round in 0..rounds {
        if round % ROUNDS_IN_A_ROOM == 0 {
            rooms.clear();
            heads.clear();
            for number in 0..ROOMS_AT_ONCE {
                scene.job = scene.another_job(&format!("job-{round}-{number}")).await;
                let (_, room) = scene.talking().await;
                rooms.push(room);
                heads.insert(room, 4);
            }
        }
        let entrance = entrance(&mut dice, &heads);
        let told = format!("round {round} of seed {seed}: {entrance:?}");
        let (written, end) = oneshot::channel();
        let (base, token) = (base.clone(), token.clone());
        let reader = tokio::spawn(async move { read_along(&base, &token, entrance, end).await });
        let posts = burst(&mut dice, &rooms);
        let answers = post_everywhere(&mut scene.freelancer.socket, posts).await;
        for (_, answer) in &answers {
            heads.insert(answer.room, answer.seq);
        }
        assert!(written.send(heads.clone()).is_ok(), "{told}");
        let reader = reader.await.unwrap_or_else(|error| panic!("{told}: {error}"));
        for (_, answer) in answers {
            let heard = reader.heard.get(&(answer.room, answer.seq));
            assert!(heard.is_none_or(|hash| *hash == answer.hash), "{told}");
        }
    }
    let figures = Http::anonymous(&figures).raw("GET", "/metrics", &[], None).await;
    let figures = figures.expect("figures").text;
    assert!(
        rounds < 100 || figures.contains(r#"anteroom_offers_total{outcome="behind"}"#),
        "some fell behind"
    );
}
