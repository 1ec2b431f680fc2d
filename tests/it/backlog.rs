//! Somebody who was away for long and comes back to a great deal: told what was missed, and the server does not carry it around.
//!
//! `ANTEROOM_BACKLOG_ENTRIES`: how many entries were missed in all (2,000; `make proof` takes 100,000).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anteroom_load_tests::client::{Socket, from_start};
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::{Launcher, ServerProcess};
use anteroom_protocol::id::{JobId, RoomRef, UserId};
use anteroom_protocol::limits::RESUME_ENTRIES;
use anteroom_protocol::room::{JoinMode, JoinResult};
use anteroom_protocol::server::ServerFrame;
use std::time::Duration;

use crate::support::{hasty, id, post_everywhere};

const ROOMS: usize = 64;
/// Entries with which every room begins.
const BEGINNING: u64 = 4;
/// Bytes of a message: what was missed is far more than the server may grow by.
const BYTES: usize = 1_000;
/// How many come back at the same time.
const READERS: usize = 16;
/// What the server may grow by while they do, in bytes.
const GROWTH: u64 = 48 * 1024 * 1024;

fn entries() -> usize {
    let told = std::env::var("ANTEROOM_BACKLOG_ENTRIES").ok();
    told.map_or(2_000, |text| text.parse().expect("a number"))
}

async fn rooms(marketplace: &Marketplace, client: &UserId, freelancer: &UserId) -> Vec<RoomRef> {
    for user in [client, freelancer] {
        marketplace.put_user(user, "Somebody").await.expect("told");
    }
    let mut rooms = Vec::with_capacity(ROOMS);
    for number in 0..ROOMS {
        let job: JobId = id(&format!("job-{number}"));
        marketplace.put_job(&job, client, "A job").await.expect("told");
        let room = marketplace.open_room_between(job, client.clone(), freelancer.clone()).await;
        rooms.push(room.expect("a room").room);
    }
    rooms
}

/// Writes it all: enough into the first room for a gap, and the rest into all of them in turn. Where each room ends.
async fn write(marketplace: &Marketplace, freelancer: &UserId, rooms: &[RoomRef]) -> HashMap<RoomRef, u64> {
    let at_first = usize::try_from(RESUME_ENTRIES).expect("small") + 1;
    let places =
        (0..entries()).map(|number| if number < at_first { rooms[0] } else { rooms[number % ROOMS] });
    let posts: Vec<(RoomRef, String)> =
        places.enumerate().map(|(number, room)| (room, format!("{number:0>BYTES$}"))).collect();
    let mut heads: HashMap<RoomRef, u64> = rooms.iter().map(|room| (*room, BEGINNING)).collect();
    for part in posts.chunks(1_000) {
        // Each part on a socket of its own: they are told of the growth of every room, and keep what nobody asks for.
        let (mut socket, _) = marketplace.socket(freelancer, Vec::new()).await.expect("a socket");
        for (_, answer) in post_everywhere(&mut socket, part.to_vec()).await {
            heads.insert(answer.room, answer.seq);
        }
    }
    heads
}

/// Comes back with nothing and reads whatever is sent until every room is whole or told as a gap. How many rooms were gaps.
async fn come_back(base: String, token: String, heads: HashMap<RoomRef, u64>) -> usize {
    let cursors = heads.keys().map(|room| from_start(*room)).collect();
    let (mut socket, welcome) = Socket::connect(&base, &token, cursors).await.expect("a welcome");
    socket.set_timeout(Duration::from_secs(60));
    let mut next: HashMap<RoomRef, u64> = heads.keys().map(|room| (*room, 1)).collect();
    let mut gaps = 0;
    for result in welcome.rooms {
        let JoinResult::Joined(joined) = result else { panic!("{result:?}") };
        assert_eq!(joined.head, heads[&joined.room]);
        let mode = if joined.head > RESUME_ENTRIES { JoinMode::Gap } else { JoinMode::Resumed };
        assert_eq!(joined.mode, mode, "{joined:?}");
        gaps += usize::from(mode == JoinMode::Gap);
    }
    while next.iter().any(|(room, next)| *next <= heads[room]) {
        let frame = socket.next().await.expect("a frame");
        if let ServerFrame::Entry(entry) = &frame {
            assert_eq!(
                next.insert(entry.room, entry.seq + 1),
                Some(entry.seq),
                "in order, no hole, no repeat"
            );
        } else if let ServerFrame::Gap { room, from, to } = &frame {
            assert_eq!((next.insert(*room, to + 1), *from, *to), (Some(1), 1, heads[room]));
        } else {
            assert!(!matches!(frame, ServerFrame::Reset { .. } | ServerFrame::Error { .. }), "{frame:?}");
        }
    }
    gaps
}

/// The most memory the server has had while this was done.
async fn most_memory<T>(server: &ServerProcess, work: impl Future<Output = T>) -> (u64, T) {
    let (most, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let look = async {
        while !done.load(Ordering::SeqCst) {
            most.fetch_max(server.rss_bytes().expect("it runs"), Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let work = async {
        let given = work.await;
        done.store(true, Ordering::SeqCst);
        given
    };
    let ((), given) = tokio::join!(look, work);
    (most.into_inner(), given)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_great_backlog_in_64_rooms_is_told_to_many_at_once_and_the_server_stays_small() {
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = hasty(Launcher::new(env!("CARGO_BIN_EXE_anteroom"), directory.path()));
    let launcher = launcher.env("ANTEROOM_LIMITS__SOCKETS_PER_USER", "64").env("ANTEROOM_LOG", "error");
    let server = launcher.start().await.expect("a server");
    let marketplace = Marketplace::new(server.base_url(), &server.mint().expect("a mint"));
    let (client, freelancer): (UserId, UserId) = (id("clara"), id("felix"));
    let rooms = rooms(&marketplace, &client, &freelancer).await;
    let heads = write(&marketplace, &freelancer, &rooms).await;
    assert_eq!(heads.values().sum::<u64>(), entries() as u64 + BEGINNING * ROOMS as u64);

    let back = || come_back(server.base_url().to_owned(), marketplace.token(&client), heads.clone());
    let (before, gaps) = most_memory(&server, back()).await;
    assert!(gaps > 0, "some of it is too much to be sent");
    let all = async {
        let readers: Vec<_> = (0..READERS).map(|_| tokio::spawn(back())).collect();
        for reader in readers {
            assert_eq!(reader.await.expect("read"), gaps);
        }
        // What was too much is paged, and it is the log.
        let http = marketplace.as_user(&client);
        for room in &rooms {
            let entries = http.all_entries(*room, false).await.expect("a log");
            assert!(entries.iter().map(|entry| entry.seq).eq(1..=heads[room]));
        }
    };
    let (most, ()) = most_memory(&server, all).await;
    assert!(most < before + GROWTH, "{before} bytes became {most}");
}
