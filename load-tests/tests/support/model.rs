//! A server and its clients in a few lines, without time, threads or sockets: it writes the history that a right server would give.
//! The clients post, lose answers, are told `busy`, `held`, `unknown` and no, drop, come back from where they were or from below,
//! overlap two connections, and repeat what was acknowledged.

use std::collections::HashMap;

use anteroom_load_tests::history::Logs;
use anteroom_load_tests::history::record::{
    Cid, Digest, Join, Member, Nanos, Record, Recv, Role, Room, Run, User, Via, What, Word,
};
use anteroom_protocol::room::JoinMode;

const STEPS: usize = 300;

/// Numbers that are the same for the same seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("small")
    }
}

/// A history of some rooms and clients.
pub(crate) fn history(seed: u64) -> Logs {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.finish()
}

#[derive(Clone, Copy)]
struct Entry {
    cid: Cid,
    by: User,
    digest: Digest,
    hash: Digest,
}

#[derive(Clone, Copy)]
struct Unsettled {
    cid: Cid,
    digest: Digest,
    /// The connection it was sent on.
    n: u32,
}

struct Client {
    log: Vec<Record>,
    user: User,
    connections: u32,
    /// The connections it has, with what each was sent of each room.
    open: Vec<(u32, HashMap<Room, u64>)>,
    has: HashMap<Room, u64>,
    /// Posts without a last answer, oldest first.
    unsettled: HashMap<Room, Vec<Unsettled>>,
    settled: Vec<(Room, Unsettled)>,
}

struct World {
    random: Random,
    logs: Logs,
    t: Nanos,
    rooms: Vec<Room>,
    entries: HashMap<Room, Vec<Entry>>,
    clients: Vec<Client>,
    made: u64,
    posted: Word,
    post: Word,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut logs = Logs::default();
        let rooms: Vec<Room> =
            (0..=random.below(3)).map(|room| logs.names.room(&format!("r{room}"))).collect();
        let mut header = Vec::new();
        // No bound on arrivals: here time is a count of steps. And what is refused is no failure of the plan.
        let run = Run { plan: Some(1), bound_ms: Some(60_000), ..Run::default() };
        header.push(Record { t: 0, i: 0, n: 0, what: What::Run(Box::new(run)) });
        let mut clients = Vec::new();
        for number in 0..2 + random.below(3) {
            let user = logs.names.user(&format!("u{number}"));
            let client = logs.names.word(&format!("c{number}"));
            for room in &rooms {
                let member = Member { room: *room, user, on: true, seq: 0, began: 0 };
                header.push(Record { t: 0, i: 0, n: 0, what: What::Member(member) });
            }
            let start = What::Start { client, user: Some(user), role: Role::Client };
            clients.push(Client {
                log: vec![Record { t: 0, i: 0, n: 0, what: start }],
                user,
                connections: 0,
                open: Vec::new(),
                has: HashMap::new(),
                unsettled: HashMap::new(),
                settled: Vec::new(),
            });
        }
        logs.logs.push(header);
        let (posted, post) = (logs.names.word("message.posted"), logs.names.word("message.post"));
        let (t, made, entries) = (0, 0, HashMap::new());
        Self { random, logs, t, rooms, entries, clients, made, posted, post }
    }

    fn step(&mut self) {
        let who = self.random.below(self.clients.len());
        let room = self.rooms[self.random.below(self.rooms.len())];
        if self.clients[who].open.is_empty() {
            self.connect(who);
            return;
        }
        match self.random.below(16) {
            0..5 => self.post(who, room),
            5..11 => self.deliver(who, room),
            11..13 => self.resend(who, room),
            13 => self.repeat(who),
            14 => self.disconnect(who, 1006),
            _ if self.clients[who].open.len() < 2 => self.connect(who),
            _ => self.disconnect(who, 1012),
        }
    }

    fn note(&mut self, who: usize, n: u32, what: What) {
        self.t += 1 + self.random.next() % 1_000_000;
        let log = &mut self.clients[who].log;
        let i = u32::try_from(log.len()).expect("small");
        log.push(Record { t: self.t, i, n, what });
    }

    fn head(&self, room: Room) -> u64 {
        self.entries.get(&room).map_or(0, |entries| entries.len() as u64)
    }

    fn connect(&mut self, who: usize) {
        self.clients[who].connections += 1;
        let n = self.clients[who].connections;
        self.note(who, n, What::Conn);
        let mut sent = HashMap::new();
        for room in self.rooms.clone() {
            self.t += 1;
            let began = self.t;
            let has = self.clients[who].has.get(&room).copied().unwrap_or(0);
            // Sometimes it wrote down less than it had.
            let after = has.saturating_sub(self.random.next() % 2 * (self.random.next() % 4));
            let head = self.head(room);
            let mode = match head - after {
                0 => JoinMode::Live,
                missed if missed > 6 => JoinMode::Gap,
                _ => JoinMode::Resumed,
            };
            self.note(who, n, What::Join(Join { room, after: Some(after), mode, head, began }));
            sent.insert(room, if mode == JoinMode::Gap { head } else { after });
            if mode == JoinMode::Gap {
                self.note(who, n, What::Gap { room, from: after + 1, to: head });
                for seq in after + 1..=head {
                    self.receive(who, n, room, seq, Via::Gapfill);
                }
            }
        }
        self.clients[who].open.push((n, sent));
    }

    fn disconnect(&mut self, who: usize, code: u16) {
        let which = self.random.below(self.clients[who].open.len());
        let (n, _) = self.clients[who].open.remove(which);
        self.note(who, n, What::Disc { code });
    }

    /// The latest connection: posts go there.
    fn latest(&self, who: usize) -> Option<u32> {
        self.clients[who].open.last().map(|(n, _)| *n)
    }

    fn post(&mut self, who: usize, room: Room) {
        let Some(n) = self.latest(who) else { return };
        let elsewhere = |posts: &Vec<Unsettled>| posts.iter().any(|post| post.n != n);
        if self.clients[who].unsettled.get(&room).is_some_and(elsewhere) {
            // On a new connection, what is unsettled goes first.
            self.resend(who, room);
        }
        self.made += 1;
        let cid = Cid(u128::from(self.made).to_be_bytes());
        let digest = Digest((u128::from(self.made) << 64 | 0xD1).to_be_bytes());
        let post = Unsettled { cid, digest, n };
        self.invoke(who, n, room, post);
        let waits = self.clients[who].unsettled.get(&room).is_some_and(|posts| !posts.is_empty());
        if waits {
            // What came before is to be sent again first.
            self.refuse(who, n, cid, "held", true);
            self.clients[who].unsettled.entry(room).or_default().push(post);
            return;
        }
        match self.random.below(10) {
            0 => self.refuse(who, n, cid, "wrong_phase", false),
            1 => {
                self.refuse(who, n, cid, "busy", true);
                self.clients[who].unsettled.entry(room).or_default().push(post);
            }
            2 => {
                self.commit(who, room, post);
                self.refuse(who, n, cid, "unknown", true);
                self.clients[who].unsettled.entry(room).or_default().push(post);
            }
            3 => {
                // The connection breaks before the answer; the post may have been stored.
                if self.random.below(2) == 0 {
                    self.commit(who, room, post);
                }
                self.clients[who].unsettled.entry(room).or_default().push(post);
                let which = self.clients[who].open.len() - 1;
                self.clients[who].open.remove(which);
                self.note(who, n, What::Disc { code: 1006 });
            }
            _ => {
                self.commit(who, room, post);
                self.acknowledge(who, n, room, post, false);
            }
        }
    }

    /// Sends everything unsettled of a room again, in order.
    fn resend(&mut self, who: usize, room: Room) {
        let Some(n) = self.latest(who) else { return };
        let posts = self.clients[who].unsettled.remove(&room).unwrap_or_default();
        for post in posts {
            self.invoke(who, n, room, post);
            let stored = self.seq_of(room, post.cid).is_some();
            if !stored {
                self.commit(who, room, post);
            }
            self.acknowledge(who, n, room, post, stored);
        }
    }

    /// Sends again what was acknowledged.
    fn repeat(&mut self, who: usize) {
        let Some(n) = self.latest(who) else { return };
        let count = self.clients[who].settled.len();
        if count == 0 {
            return;
        }
        let (room, post) = self.clients[who].settled[self.random.below(count)];
        self.invoke(who, n, room, post);
        self.acknowledge(who, n, room, post, true);
    }

    fn deliver(&mut self, who: usize, room: Room) {
        let which = self.random.below(self.clients[who].open.len());
        let n = self.clients[who].open[which].0;
        let next = self.clients[who].open[which].1.get(&room).copied().unwrap_or(0) + 1;
        if next <= self.head(room) && self.may_take(who, room, next) {
            self.clients[who].open[which].1.insert(room, next);
            self.receive(who, n, room, next, Via::Live);
        }
    }

    /// A connection that is ahead of what the client has waits for the other: a client takes entries in order.
    fn may_take(&self, who: usize, room: Room, seq: u64) -> bool {
        seq <= self.clients[who].has.get(&room).copied().unwrap_or(0) + 1
    }

    fn receive(&mut self, who: usize, n: u32, room: Room, seq: u64, via: Via) {
        let recv = self.recv(room, seq, via);
        self.note(who, n, What::Recv(recv));
        let has = self.clients[who].has.entry(room).or_default();
        *has = (*has).max(seq);
    }

    fn recv(&self, room: Room, seq: u64, via: Via) -> Recv {
        let entry = self.entries[&room][usize::try_from(seq - 1).expect("small")];
        let Entry { cid, by, digest, hash } = entry;
        Recv { room, seq, hash, cid: Some(cid), by: Some(by), kind: self.posted, digest, version: 0, via }
    }

    fn invoke(&mut self, who: usize, n: u32, room: Room, post: Unsettled) {
        let (kind, Unsettled { cid, digest, .. }) = (self.post, post);
        self.note(who, n, What::Invoke { room, cid, kind, digest });
    }

    fn commit(&mut self, who: usize, room: Room, post: Unsettled) {
        let hash = Digest((u128::from(self.random.next()) << 64 | 0xA1).to_be_bytes());
        let Unsettled { cid, digest, .. } = post;
        let by = self.clients[who].user;
        self.entries.entry(room).or_default().push(Entry { cid, by, digest, hash });
    }

    fn seq_of(&self, room: Room, cid: Cid) -> Option<u64> {
        let entries = self.entries.get(&room)?;
        entries.iter().position(|entry| entry.cid == cid).map(|at| at as u64 + 1)
    }

    fn acknowledge(&mut self, who: usize, n: u32, room: Room, post: Unsettled, dup: bool) {
        let cid = post.cid;
        let seq = self.seq_of(room, cid).expect("stored");
        let hash = self.recv(room, seq, Via::Live).hash;
        self.note(who, n, What::Ok { room, cid, seq, hash, dup });
        self.clients[who].settled.push((room, post));
    }

    fn refuse(&mut self, who: usize, n: u32, cid: Cid, code: &str, retry: bool) {
        let code = self.logs.names.word(code);
        self.note(who, n, What::Nack { cid, code, retry });
    }

    /// The final phase: everybody settles and reads to the end, and somebody fresh reads all.
    fn finish(mut self) -> Logs {
        for who in 0..self.clients.len() {
            if self.clients[who].open.is_empty() {
                self.connect(who);
            }
            for room in self.rooms.clone() {
                self.resend(who, room);
            }
        }
        if self.posts_are_missing() {
            self.post_one();
        }
        for who in 0..self.clients.len() {
            self.read_to_the_end(who);
            self.note(who, 0, What::End);
        }
        for room in self.rooms.clone() {
            self.read_afresh(room);
        }
        let logs = self.clients.into_iter().map(|client| client.log);
        self.logs.logs.extend(logs);
        self.logs
    }

    fn posts_are_missing(&self) -> bool {
        self.clients.iter().all(|client| client.settled.is_empty())
    }

    /// A history in which nothing was acknowledged proves nothing.
    fn post_one(&mut self) {
        let (room, n) = (self.rooms[0], self.latest(0).expect("connected"));
        let post = Unsettled { cid: Cid([9; 16]), digest: Digest([8; 16]), n };
        self.invoke(0, n, room, post);
        self.commit(0, room, post);
        self.acknowledge(0, n, room, post, false);
    }

    fn read_to_the_end(&mut self, who: usize) {
        for room in self.rooms.clone() {
            let head = self.head(room);
            while self.clients[who].has.get(&room).copied().unwrap_or(0) < head {
                self.deliver(who, room);
            }
            self.note(who, 0, What::Final { room, head });
        }
    }

    fn read_afresh(&mut self, room: Room) {
        let client = self.logs.names.word("reader");
        let user = Some(self.clients[0].user);
        let mut log = vec![What::Start { client, user, role: Role::Reader }];
        let head = self.head(room);
        log.extend((1..=head).map(|seq| What::Recv(self.recv(room, seq, Via::Fresh))));
        log.extend([What::Final { room, head }, What::End]);
        let t = self.t;
        let records = (0..).zip(log).map(|(i, what)| Record { t, i, n: 0, what });
        self.logs.logs.push(records.collect());
    }
}
