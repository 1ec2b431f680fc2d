//! Nothing acknowledged is lost: a real server is killed in the middle of its work, again and again, and each time its people come back
//! to where they were. What they were told and given, over all its lives, is judged by the history checker.
//!
//! `ANTEROOM_CRASH_ROUNDS`: how often it is killed (20). `ANTEROOM_CRASH_SEED`: the seed of when, as a failed run printed it.

use std::collections::VecDeque;
use std::sync::Arc;

use anteroom_load_tests::client::{Socket, SocketSender, after, at_head, new_client_id};
use anteroom_load_tests::history::scribe::Scribe;
use anteroom_load_tests::history::trial::Trial;
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::{Launcher, ServerProcess};
use anteroom_protocol::client::ClientFrame;
use anteroom_protocol::id::{ClientId, RoomRef, UserId};
use anteroom_protocol::log::{Hash, verify_chain};
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::Semaphore;

use crate::support::{ask, hasty, soon};

const ROOMS: usize = 4;
/// Posts of one writer that are not answered yet.
const WINDOW: usize = 16;
/// Entries with which every room begins.
const BEGINNING: usize = 4;

/// Somebody who writes in a room and reads it.
struct Desk {
    room: RoomRef,
    scribe: Scribe,
    /// Where this reader is.
    cursor: Cursor,
    sent: usize,
    /// Sent and not answered, in the order of sending: to be sent again under the same ids.
    unanswered: VecDeque<(ClientId, String)>,
}

/// Posts on their way, by the id of their frame.
type UnderWay = VecDeque<(String, (ClientId, String))>;

impl Desk {
    fn new(room: RoomRef, scribe: Scribe) -> Self {
        Self { room, scribe, cursor: at_head(room), sent: 0, unanswered: VecDeque::new() }
    }

    /// The next post: one that was not answered, or else a new one.
    fn next(&mut self, new_ones: bool) -> Option<(ClientId, String)> {
        if let Some(again) = self.unanswered.pop_front() {
            return Some(again);
        }
        new_ones.then(|| {
            self.sent += 1;
            (new_client_id(), format!("{} writes number {}", self.scribe.user(), self.sent))
        })
    }

    async fn connect(&self, marketplace: &Marketplace) -> Option<Socket> {
        let (base, token) = (marketplace.service().base(), marketplace.token(self.scribe.user()));
        Some(self.scribe.connect(base, &token, vec![self.cursor.clone()]).await.ok()?.0)
    }

    /// Writes until the server is gone, or until everything is answered. Every acknowledgement is a permit.
    async fn write(mut self, marketplace: Marketplace, new_ones: bool, told: Arc<Semaphore>) -> Self {
        let Some(socket) = self.connect(&marketplace).await else { return self };
        let (mut sender, mut receiver) = socket.split();
        let mut under_way = UnderWay::new();
        loop {
            self.fill(&mut sender, &mut under_way, new_ones).await;
            if under_way.is_empty() {
                return self;
            }
            let Ok(frame) = receiver.next().await else {
                // The server is gone. What was under way comes before what was not sent yet.
                let rest = under_way.into_iter().map(|(_, post)| post);
                let later = std::mem::take(&mut self.unanswered);
                self.unanswered = rest.chain(later).collect();
                return self;
            };
            self.take(frame, &mut under_way, &told);
        }
    }

    async fn fill(&mut self, sender: &mut SocketSender, under_way: &mut UnderWay, new_ones: bool) {
        while under_way.len() < WINDOW
            && let Some((key, body)) = self.next(new_ones)
        {
            let sent = sender.send_command(key, ask::post(self.room, body.clone())).await;
            under_way.push_back((sent.unwrap_or_default(), (key, body)));
        }
    }

    fn take(&mut self, frame: ServerFrame, under_way: &mut UnderWay, told: &Semaphore) {
        let mut settled = |id: &str| {
            let at = under_way.iter().position(|(of, _)| of == id);
            under_way.remove(at.expect("an answer to something")).expect("there").1
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "receipts and the like are not looked at")]
        match frame {
            ServerFrame::Ok { id, .. } => {
                settled(&id);
                told.add_permits(1);
            }
            ServerFrame::Error { id: Some(id), error } => {
                assert!(error.retryable, "{error:?}");
                self.unanswered.push_back(settled(&id));
            }
            ServerFrame::Entry(entry) => self.cursor = after(&entry),
            ServerFrame::Gap { .. } | ServerFrame::Reset { .. } => {
                panic!("so much was not missed: {frame:?}")
            }
            _ => {}
        }
    }

    /// Comes back once more and reads on to this entry.
    async fn read_to(&mut self, marketplace: &Marketplace, head: u64) {
        let mut socket = self.connect(marketplace).await.expect("a socket");
        while self.cursor.after != Some(head) {
            self.cursor = after(&soon("an entry", socket.next_entry()).await.expect("an entry"));
        }
    }
}

/// A seed that is printed with a failure, and what it makes.
fn dice() -> (u64, StdRng) {
    let seed = number("ANTEROOM_CRASH_SEED").unwrap_or_else(rand::random);
    eprintln!("ANTEROOM_CRASH_SEED={seed}");
    (seed, StdRng::seed_from_u64(seed))
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

fn launcher(directory: &std::path::Path) -> Launcher {
    hasty(Launcher::new(env!("CARGO_BIN_EXE_anteroom"), directory)).env("ANTEROOM_LOG", "error")
}

async fn start(launcher: &Launcher) -> (ServerProcess, Marketplace) {
    let server = launcher.start().await.expect("a server");
    let mint = server.mint().expect("a mint");
    let marketplace = Marketplace::new(server.base_url(), &mint);
    (server, marketplace)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_over_twenty_kills() {
    let rounds = number("ANTEROOM_CRASH_ROUNDS").unwrap_or(20);
    let (seed, mut dice) = dice();
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = launcher(directory.path());
    let (mut server, mut marketplace) = start(&launcher).await;
    let rooms = marketplace.open_rooms(ROOMS, "crash").await.expect("rooms");
    let mut trial = Trial::begin("crash", Some(seed));
    let mut desks = Vec::new();
    for room in &rooms {
        trial.room(&marketplace, room).await.expect("a room");
        desks.extend([&room.client, &room.freelancer].map(|user| Desk::new(room.room, trial.device(user))));
    }
    for round in 0..=rounds {
        let last = round == rounds;
        let told = Arc::new(Semaphore::new(0));
        let write = |desk: Desk| tokio::spawn(desk.write(marketplace.clone(), !last, told.clone()));
        let writers: Vec<_> = desks.into_iter().map(write).collect();
        let mut breaking = None;
        if !last {
            let acknowledgements = dice.random_range(1..300);
            soon("acknowledgements", told.acquire_many(acknowledgements)).await.expect("open").forget();
            breaking = Some(trial.breaks("kill"));
            server.kill().await.expect("killed");
        }
        desks = Vec::new();
        for writer in writers {
            desks.push(soon("a writer's end", writer).await.expect("a desk"));
        }
        if !last {
            (server, marketplace) = start(&launcher).await;
        }
        drop(breaking);
    }
    for room in &rooms {
        let log = marketplace.as_user(&room.client).all_entries(room.room, true).await.expect("a log");
        verify_chain(&room.room.to_string(), (0, Hash::GENESIS), &log).expect("a chain that holds");
        for desk in desks.iter_mut().filter(|desk| desk.room == room.room) {
            desk.read_to(&marketplace, log.len() as u64).await;
        }
    }
    let verdict = trial.prove(&marketplace).await.unwrap_or_else(|found| panic!("seed {seed}:\n{found}"));
    let sent: usize = desks.iter().map(|desk| desk.sent).sum();
    assert_eq!((verdict.counts.ok, verdict.counts.disconnects >= rounds), (sent as u64, true));
    eprintln!("{rounds} kills\n{}", verdict.text());
    assert!(server.terminate().await.expect("an end").success());
}

/// A case, and the client id under which it is accepted.
type Accepting = (anteroom_load_tests::client::Case, ClientId);

/// Each case is wholly accepted or wholly not; those in `must` are. Returns how many are.
async fn whole(marketplace: &Marketplace, cases: &[Accepting], must: &[ClientId]) -> usize {
    let people = ["clara", "felix"].map(|name| name.parse::<UserId>().expect("an id"));
    let mut accepted = 0;
    let (mut inboxes, mut rooms) = (Vec::new(), Vec::new());
    for user in &people {
        let http = marketplace.as_user(user);
        let inbox = http.all_entries(RoomRef::Inbox, true).await.expect("an inbox");
        verify_chain(&format!("inbox:{user}"), (0, Hash::GENESIS), &inbox).expect("a chain that holds");
        inboxes.push(inbox);
        let list: serde_json::Value = http.get("/v1/rooms?limit=200").await.expect("rooms");
        rooms.push(list["items"].as_array().expect("items").len());
    }
    for (case, key) in cases {
        for (user, inbox) in people.iter().zip(&inboxes) {
            let http = marketplace.as_user(user);
            let seen: anteroom_protocol::candidacy::CandidacyView =
                http.get(&format!("/v1/candidacies/{}", case.candidacy)).await.expect("a candidacy");
            let mine = inbox.iter().filter(|entry| entry.data()["candidacy"] == case.candidacy.to_string());
            let kinds: Vec<&str> = mine.map(|entry| entry.kind.as_str()).collect();
            if let Some(room) = seen.room {
                assert_eq!((seen.phase.as_str(), seen.head), ("active", Some(BEGINNING as u64)));
                assert_eq!(kinds, ["invitation.sent", "invitation.accepted"]);
                let entries = http.all_entries(room, true).await.expect("a log");
                verify_chain(&room.to_string(), (0, Hash::GENESIS), &entries).expect("a chain that holds");
                assert_eq!((entries.len(), entries[3].client_id), (BEGINNING, Some(*key)));
                accepted += 1;
            } else {
                assert_eq!((seen.phase.as_str(), kinds), ("invited", vec!["invitation.sent"]));
                assert!(!must.contains(key), "acknowledged and lost");
            }
        }
    }
    assert_eq!(rooms, [accepted / 2, accepted / 2], "a room for each, and no other");
    accepted / 2
}

/// Accepts these one behind the other until the server is gone; returns those that were acknowledged.
async fn accept_all(marketplace: Marketplace, cases: Vec<Accepting>, told: Arc<Semaphore>) -> Vec<ClientId> {
    let http = marketplace.as_user(&"felix".parse().expect("an id"));
    let mut acknowledged = Vec::new();
    for (case, key) in cases {
        let command = ask::accept(case.invitation.expect("an invitation"), None);
        match http.command::<anteroom_load_tests::client::Case>(key, &command).await {
            Ok(answer) => assert_eq!(answer.candidacy, case.candidacy),
            Err(error) if error.problem().is_none() => break,
            Err(error) => panic!("{error}"),
        }
        acknowledged.push(key);
        told.add_permits(1);
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_during_accept_leaves_every_case_whole() {
    const CASES: usize = 12;
    let (_, mut dice) = dice();
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = launcher(directory.path());
    let (mut server, mut marketplace) = start(&launcher).await;
    let (clara, felix) = ("clara".parse().expect("an id"), "felix".parse().expect("an id"));
    for user in [&clara, &felix] {
        marketplace.put_user(user, "Somebody").await.expect("told");
    }
    let mut all: Vec<Accepting> = Vec::new();
    for round in 0..5 {
        let mut cases: Vec<Accepting> = Vec::new();
        for number in 0..CASES {
            let job = format!("job-{round}-{number}").parse().expect("an id");
            marketplace.put_job(&job, &clara, "A job").await.expect("told");
            cases.push((marketplace.invite(&job, &clara, &felix).await.expect("invited"), new_client_id()));
        }
        let told = Arc::new(Semaphore::new(0));
        let accept =
            |cases: &[Accepting]| tokio::spawn(accept_all(marketplace.clone(), cases.to_vec(), told.clone()));
        let tasks: Vec<_> = cases.chunks(CASES / 4).map(accept).collect();
        let enough = dice.random_range(0..u32::try_from(CASES).expect("small"));
        soon("acknowledgements", told.acquire_many(enough)).await.expect("open").forget();
        server.kill().await.expect("killed");
        let mut must: Vec<ClientId> = all.iter().map(|(_, key)| *key).collect();
        for task in tasks {
            must.extend(soon("an end", task).await.expect("acknowledged"));
        }
        all.extend(cases);
        (server, marketplace) = start(&launcher).await;
        whole(&marketplace, &all, &must).await;
        let again = accept_all(marketplace.clone(), all.clone(), told).await;
        assert_eq!(again.len(), all.len(), "the retry finishes what was begun");
        assert_eq!(whole(&marketplace, &all, &again).await, all.len());
    }
    assert!(server.terminate().await.expect("an end").success());
}

/// The commit was made and the author never heard of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_whose_answer_a_crash_has_swallowed_is_known_when_it_is_sent_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = launcher(directory.path());
    let (mut server, marketplace) = start(&launcher).await;
    let room = marketplace.open_room("swallowed").await.expect("a room");
    let (mut socket, _) = marketplace.socket(&room.client, Vec::new()).await.expect("a socket");
    let (key, post) = (new_client_id(), ask::post(room.room, "Did you get this?"));
    socket.send_frame(&ClientFrame::Command(key.into(), post), Some("p")).await.expect("sent");
    let reader = marketplace.as_user(&room.freelancer);
    let seq = soon("the commit", async {
        loop {
            let entries = reader.all_entries(room.room, false).await.expect("a log");
            if let Some(entry) = entries.iter().find(|entry| entry.client_id == Some(key)) {
                return entry.seq;
            }
        }
    })
    .await;
    server.kill().await.expect("killed");
    drop(socket);

    let (_server, marketplace) = start(&launcher).await;
    let (mut socket, _) = marketplace.socket(&room.client, Vec::new()).await.expect("a socket");
    let again = socket.post(room.room, key, "Did you get this?").await.expect("known");
    assert_eq!((again.seq, again.duplicate), (seq, true));
    let entries = marketplace.as_user(&room.client).all_entries(room.room, false).await.expect("a log");
    assert_eq!(entries.iter().filter(|entry| entry.client_id == Some(key)).count(), 1);
}
