//! A new version goes over all nodes while people write; and everybody of a node comes to another one at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anteroom_load_tests::client::{Posted, Socket, at_head, new_client_id};
use anteroom_load_tests::marketplace::OpenRoom;
use anteroom_protocol::id::UserId;
use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::play::Play;
use super::{Fleet, lasting};
use crate::support::ask;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn three_nodes_are_restarted_one_by_one_and_nobody_loses_anything() {
    const DRAIN: u64 = 5;
    let mut fleet = Fleet::start_with(3, &[("ANTEROOM_DRAIN_SECONDS", &DRAIN.to_string())]).await;
    let play = Play::begin(&fleet, "rolling").await;
    for at in 0..fleet.nodes.len() {
        play.goes_on(60).await;
        let node = &mut fleet.nodes[at];
        let since = Instant::now();
        let ended = node.server.terminate().await.expect("ended");
        assert_eq!(ended.code(), Some(0), "{}", node.server.log());
        eprintln!("node {at} took its leave within {:?}", since.elapsed());
        assert!(since.elapsed() < Duration::from_secs(DRAIN + 15));
        let launcher = node.launcher.clone();
        node.server = launcher.start().await.expect("back");
        fleet.until_together().await;
    }
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(Duration::from_secs(4));
    for (_, account) in &played.accounts {
        assert!(account.connections > 1, "the fault has hit: {account:?}");
        assert!(account.closes.keys().all(|code| *code == 1012), "{account:?}");
    }
}

/// Sockets at two nodes.
const SOCKETS: usize = 5_000;
/// Of one person.
const DEVICES: usize = 4;
/// What a node does at a time, beside which it refuses.
const HANDSHAKES: &str = "256";

/// Comes in wherever it is let in, as a client does: again after a random time out of a span that doubles. How often it was refused.
async fn come(doors: &[String], token: &str, room: &OpenRoom) -> (Socket, usize) {
    let mut refused = 0;
    loop {
        let door = &doors[refused % doors.len()];
        match Socket::connect(door, token, vec![at_head(room.room)]).await {
            Ok((socket, _)) => return (socket, refused),
            Err(_) => {
                let span = Duration::from_millis(500).saturating_mul(1 << refused.min(6));
                refused += 1;
                sleep(span.mul_f64(rand::random())).await;
            }
        }
    }
}

/// What the sockets of a run share.
struct Crowd {
    fleet: Fleet,
    rooms: Vec<OpenRoom>,
    here: AtomicUsize,
    refused: AtomicUsize,
}

impl Crowd {
    fn person(&self, number: usize) -> (&OpenRoom, &UserId) {
        let room = &self.rooms[number / DEVICES / 2];
        (room, if (number / DEVICES).is_multiple_of(2) { &room.client } else { &room.freelancer })
    }

    /// One socket, at its node, and when that one ends at whichever lets it in, until it is over.
    async fn device(self: Arc<Self>, number: usize, over: watch::Receiver<bool>) {
        let (room, user) = self.person(number);
        let home = number % 2;
        let mut doors: Vec<String> =
            self.fleet.nodes.iter().map(|node| node.server.base_url().to_owned()).collect();
        doors.rotate_left(home);
        let token = self.fleet.nodes[home].marketplace.token(user);
        loop {
            let (mut socket, refused) = come(&doors, &token, room).await;
            self.refused.fetch_add(refused, Ordering::Relaxed);
            self.here.fetch_add(1, Ordering::Relaxed);
            socket.set_timeout(Duration::from_secs(3_600));
            let mut over = over.clone();
            tokio::select! {
                _ = over.wait_for(|over| *over) => return,
                _ = socket.closed() => {}
            }
            self.here.fetch_sub(1, Ordering::Relaxed);
            // Not all at the same moment, says the protocol.
            sleep(Duration::from_secs(1).mul_f64(rand::random())).await;
        }
    }

    async fn until_here(&self) -> Duration {
        let since = Instant::now();
        while self.here.load(Ordering::Relaxed) < SOCKETS {
            assert!(since.elapsed() < Duration::from_secs(300), "{} here", self.here.load(Ordering::Relaxed));
            sleep(Duration::from_millis(20)).await;
        }
        since.elapsed()
    }

    /// Writes at the second node until it is over; the times to each answer.
    async fn survivor(self: Arc<Self>, over: watch::Receiver<bool>) -> Vec<Duration> {
        let room = &self.rooms[0];
        let http = self.fleet.nodes[1].marketplace.as_user(&room.freelancer);
        let mut times = Vec::new();
        while !*over.borrow() {
            let since = Instant::now();
            let post = ask::post(room.room, format!("number {}", times.len()));
            http.command::<Posted>(new_client_id(), &post).await.expect("posted");
            times.push(since.elapsed());
            sleep(Duration::from_millis(50)).await;
        }
        times.sort();
        times
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn when_a_node_dies_all_its_sockets_come_to_the_other_one_and_who_was_there_notices_little() {
    let limits = [("ANTEROOM_LIMITS__HANDSHAKES", HANDSHAKES), ("ANTEROOM_LIMITS__CONNECTIONS", "12000")];
    let fleet = Fleet::start_with(2, &limits).await;
    let marketplace = &fleet.nodes[0].marketplace;
    let opening = (0..SOCKETS / DEVICES / 2)
        .map(|number| async move { marketplace.open_room(&format!("storm-{number}")).await });
    let rooms = stream::iter(opening).buffered(8).map(|room| room.expect("a room")).collect().await;
    let (here, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let crowd = Arc::new(Crowd { fleet, rooms, here, refused });
    let over = watch::Sender::new(false);
    let mut devices = JoinSet::new();
    for number in 0..SOCKETS {
        devices.spawn(crowd.clone().device(number, over.subscribe()));
        // At first they come as people do.
        sleep(Duration::from_millis(2)).await;
    }
    crowd.until_here().await;
    let survivor = tokio::spawn(crowd.clone().survivor(over.subscribe()));
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 3)).await;
    let before = crowd.refused.load(Ordering::Relaxed);
    // By its number: what it is part of is shared with everybody.
    let pid = crowd.fleet.nodes[0].server.pid().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().expect("kill").success());
    while crowd.here.load(Ordering::Relaxed) > SOCKETS * 3 / 4 {
        sleep(Duration::from_millis(5)).await;
    }
    let gone = SOCKETS - crowd.here.load(Ordering::Relaxed);
    let all = crowd.until_here().await;
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'anteroom' AND backend_type = 'client backend'";
    let connections: usize = crowd.fleet.query(sessions).await.parse().expect("a number");
    over.send_replace(true);
    let times = survivor.await.expect("a survivor");
    let p99 = times[times.len() * 99 / 100];
    let refused = crowd.refused.load(Ordering::Relaxed) - before;
    eprintln!(
        "at least {gone} sockets gone, all {SOCKETS} here again after {all:?}; {refused} attempts refused; {connections} sessions; of {} posts p99 {p99:?}",
        times.len()
    );
    assert!(gone > SOCKETS / 5 && refused > 0, "the fault has hit");
    assert!(all < Duration::from_secs(60) && p99 < Duration::from_secs(1), "{all:?}, {p99:?}");
    assert!(connections <= 2 * (6 + 8), "{connections}");
    devices.shutdown().await;
}
