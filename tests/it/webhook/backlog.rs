//! Much to be told at once, and nodes that die while they tell it.
//!
//! `ANTEROOM_PENDING_EVENTS`: how many events wait (2,000; `make proof` takes 100,000).

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::{Launcher, ServerProcess};
use anteroom_protocol::id::RoomRef;
use serde_json::{Value, json};

use crate::support::receiver::{Heard, Receiver};
use crate::support::{hasty, post_everywhere};

/// Rooms that they stand in.
const ROOMS: usize = 64;
/// Bytes of a message: what waits is far more than a server may grow by.
const BYTES: usize = 1_000;
/// What a server may grow by while it tells them, in bytes.
const GROWTH: u64 = 48 * 1024 * 1024;
/// Entries of one round: as many may be told again by a node that died in the middle of it.
const ROUND: usize = 128;
/// How long nothing may come before something is wrong. Whoever has a webhook of a node that died waits for the end of its lease.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many wait.
pub(crate) fn pending() -> usize {
    let told = std::env::var("ANTEROOM_PENDING_EVENTS").ok();
    told.map_or(2_000, |text| text.parse().expect("a number"))
}

/// A webhook that is paused, and what waits for it. How many messages each room has.
pub(crate) async fn pile_up(
    marketplace: &Marketplace,
    receiver: &Receiver,
    messages: usize,
) -> HashMap<String, usize> {
    pause(marketplace, receiver, true).await;
    let rooms = marketplace.open_rooms(ROOMS, "pile").await.expect("rooms");
    let mut counts = HashMap::new();
    for (number, room) in rooms.iter().enumerate() {
        let count = messages / ROOMS + usize::from(number < messages % ROOMS);
        let (mut socket, _) = marketplace.socket(&room.freelancer, Vec::new()).await.expect("a socket");
        let posts: Vec<(RoomRef, String)> =
            (0..count).map(|number| (room.room, format!("{number:0>BYTES$}"))).collect();
        for part in posts.chunks(1_000) {
            post_everywhere(&mut socket, part.to_vec()).await;
        }
        counts.insert(format!("rooms/{}", room.room), count);
    }
    counts
}

/// Holds the webhook back, or lets it go on.
pub(crate) async fn pause(marketplace: &Marketplace, receiver: &Receiver, paused: bool) {
    let draft =
        json!({ "url": receiver.url, "types": ["anteroom.room.message.posted.v1"], "paused": paused });
    // A node that was killed a moment ago may still be coming back.
    let put = marketplace.service().put::<Value>("/v1/webhooks/crm", &draft).await;
    put.expect("put");
}

/// Waits until so many different events came, and looks meanwhile. How long it took.
pub(crate) async fn drained(receiver: &Receiver, events: usize, mut look: impl FnMut()) -> Duration {
    let (begun, mut last) = (Instant::now(), (0, Instant::now()));
    loop {
        let taken = receiver.different();
        if taken >= events {
            return begun.elapsed();
        }
        if taken > last.0 {
            last = (taken, Instant::now());
        }
        assert!(last.1.elapsed() < PATIENCE, "{taken} of {events} came, and nothing more");
        look();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Everything came, in the order of each room. How many came again.
pub(crate) fn all_in_order(heard: &[Heard], expected: &HashMap<String, usize>) -> usize {
    let (mut known, mut again) = (HashSet::new(), 0);
    let mut last: HashMap<&str, u64> = HashMap::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for heard in heard {
        if !known.insert(heard.event.id.as_str()) {
            again += 1;
            continue;
        }
        let before = last.insert(&heard.event.subject, heard.seq());
        assert!(
            before.is_none_or(|before| before < heard.seq()),
            "{}: {before:?}, {}",
            heard.event.subject,
            heard.seq()
        );
        // All messages but those that opened the room, which came by as well.
        *counts.entry(heard.event.subject.clone()).or_default() += 1;
    }
    for (room, count) in expected {
        // Each room was opened with one message.
        assert_eq!(counts.get(room).copied().unwrap_or_default(), count + 1, "{room}");
    }
    again
}

/// The most memory of these servers so far.
pub(crate) fn memory<'a>(servers: impl Iterator<Item = &'a ServerProcess>) -> u64 {
    servers.map(|server| server.rss_bytes().unwrap_or_default()).max().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_pending_events_drain_in_order_and_the_server_stays_small() {
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = hasty(Launcher::new(env!("CARGO_BIN_EXE_anteroom"), directory.path()));
    let server = launcher.env("ANTEROOM_LOG", "error").start().await.expect("a server");
    let marketplace = Marketplace::new(server.base_url(), &server.mint().expect("a mint"));
    let receiver = Receiver::start().await;
    let expected = pile_up(&marketplace, &receiver, pending()).await;
    let before = memory([&server].into_iter());
    let mut most = before;
    pause(&marketplace, &receiver, false).await;
    let events = pending() + ROOMS;
    let took = drained(&receiver, events, || most = most.max(memory([&server].into_iter()))).await;
    assert_eq!(all_in_order(&receiver.taken(), &expected), 0, "told once");
    let rate = events as f64 / took.as_secs_f64();
    eprintln!(
        "{events} events in {took:.1?}, {rate:.0}/s; memory {} MiB, at most {} MiB",
        before >> 20,
        most >> 20
    );
    assert!(most < before + GROWTH, "{before} bytes became {most}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_tells_leaves_nothing_out_and_repeats_no_more_than_it_was_about_to_write_down()
 {
    const KILLS: usize = 5;
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = hasty(Launcher::new(env!("CARGO_BIN_EXE_anteroom"), directory.path()));
    let launcher = launcher.env("ANTEROOM_LOG", "error");
    let mut server = launcher.start().await.expect("a server");
    let mint = server.mint().expect("a mint");
    let receiver = Receiver::start().await;
    receiver.answers_after(|_| (204, Duration::from_millis(2)));
    let events = 1_200;
    let expected = pile_up(&Marketplace::new(server.base_url(), &mint), &receiver, events).await;
    pause(&Marketplace::new(server.base_url(), &mint), &receiver, false).await;
    for kill in 1..=KILLS {
        let before = receiver.different();
        let some = events / (KILLS + 2);
        drained(&receiver, (before + some).min(events), || {}).await;
        server.kill().await.expect("killed");
        server = launcher.start().await.expect("a server");
        assert!(
            receiver.different() < events + ROOMS,
            "there is something left to be told after kill {kill}"
        );
    }
    drained(&receiver, events + ROOMS, || {}).await;
    let again = all_in_order(&receiver.taken(), &expected);
    eprintln!("{again} events came again, of {KILLS} rounds that were not written down");
    assert!(again <= KILLS * ROUND, "{again}");
}
