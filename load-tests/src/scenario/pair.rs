//! One room with both of its people connected: posts, waits until each post is answered and seen by both, and writes down its history.
//!
//! This is the hot path of the load, and it shares the machine with the server: frames are written as text and read into a small
//! borrowed form.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anteroom_protocol::error::ErrorBody;
use anteroom_protocol::id::{ClientId, RoomRef, UserId};
use anteroom_protocol::log::Hash;
use anteroom_protocol::room::JoinResult;
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;
use uuid::Builder;

use crate::client::{Http, HttpError, Socket, SocketError, at_head};
use crate::history::record::{Cid, Digest, Member, Recv, Role, Room, User, Via, What, Word};
use crate::history::recorder::{ClientLog, Part, Recorder};
use crate::marketplace::{Marketplace, OpenRoom};

use super::Random;

/// How long a turn may take before it is given up: what is missing then is the checker's to name.
pub(super) const TURN: Duration = Duration::from_secs(10);

/// What was measured, over any number of rooms.
#[derive(Debug)]
pub(super) struct Timing {
    /// Posts sent.
    pub(super) sent: u64,
    /// Entries that arrived at the other seat.
    pub(super) deliveries: u64,
    /// From sending to the answer, in microseconds.
    pub(super) ack: Histogram<u64>,
    /// From sending to the arrival at the other seat, in microseconds.
    pub(super) delivery: Histogram<u64>,
    /// Refusals by code.
    pub(super) refusals: BTreeMap<&'static str, u64>,
    /// Turns that were given up.
    pub(super) overdue: u64,
}

impl Timing {
    pub(super) fn new() -> Self {
        let empty = || Histogram::new(3).expect("three digits are allowed");
        let (ack, delivery) = (empty(), empty());
        Self { sent: 0, deliveries: 0, ack, delivery, refusals: BTreeMap::new(), overdue: 0 }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.deliveries += other.deliveries;
        self.overdue += other.overdue;
        // Both grow as needed: nothing is out of range.
        let _ = self.ack.add(other.ack);
        let _ = self.delivery.add(other.delivery);
        for (code, count) in other.refusals {
            *self.refusals.entry(code).or_default() += count;
        }
    }
}

#[derive(Debug)]
struct Seat {
    socket: Socket,
    http: Http,
    log: ClientLog,
    id: UserId,
    user: User,
}

/// Names that every entry needs, looked up once.
#[derive(Debug, Clone, Copy)]
struct Words {
    room: Room,
    post: Word,
    posted: Word,
}

/// What the present turn still waits for.
#[derive(Debug, Default)]
struct Turn {
    author: usize,
    /// The first post of the turn.
    first: usize,
    sent_at: Vec<Instant>,
    answers: usize,
    entries: [usize; 2],
}

impl Turn {
    fn is_open(&self) -> bool {
        self.answers > 0 || self.entries != [0, 0]
    }

    /// Which post of this turn that is, if it is one.
    fn position(&self, index: usize) -> Option<usize> {
        index.checked_sub(self.first).filter(|at| *at < self.sent_at.len())
    }
}

/// A room and its two seats.
#[derive(Debug)]
pub(super) struct Pair {
    room: RoomRef,
    words: Words,
    seats: [Seat; 2],
    /// Whether each post was answered.
    posts: Vec<bool>,
    turn: Turn,
    key: u64,
    filler: String,
    /// Why it sends no more.
    pub(super) broken: Option<String>,
}

/// As much of a frame as this load looks at.
#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(rename = "type")]
    name: &'a str,
    id: Option<&'a str>,
    seq: Option<u64>,
    kind: Option<&'a str>,
    by: Option<&'a str>,
    hash: Option<Hash>,
    client_id: Option<ClientId>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Ack {
    seq: u64,
    hash: Hash,
    duplicate: bool,
}

impl Pair {
    /// Connects both people of a room, each at a node, and joins it at its head.
    pub(super) async fn connect(
        at: [&Marketplace; 2],
        open: &OpenRoom,
        body_bytes: usize,
        seed: u64,
        recorder: &Recorder,
    ) -> anyhow::Result<Self> {
        let mut random = Random(seed);
        let mut seats = Vec::with_capacity(2);
        let words = Words {
            room: recorder.room(open.room, &open.client),
            post: recorder.word("message.post"),
            posted: recorder.word("message.posted"),
        };
        for (marketplace, id) in at.into_iter().zip([&open.client, &open.freelancer]) {
            let http = marketplace.as_user(id);
            let log = recorder.client(id.as_str(), Some(id), Role::Client);
            let began = recorder.now();
            let cursor = at_head(open.room);
            let (socket, welcome) = marketplace.socket(id, vec![cursor.clone()]).await?;
            let (room, user) = (words.room, recorder.user(id));
            log.note(1, What::Conn);
            match welcome.rooms.first() {
                Some(JoinResult::Joined(joined)) => {
                    log.joined(1, room, &cursor, joined, began);
                    log.note(0, What::Before { room, head: joined.head });
                }
                answer => anyhow::bail!("{id} did not join {}: {answer:?}", open.room),
            }
            log.note(0, What::Member(Member { room, user, on: true, seq: 0, began: 0 }));
            seats.push(Seat { socket, http, log, id: id.clone(), user });
        }
        let seats = seats.try_into().map_err(|_| anyhow::anyhow!("a room has two seats"))?;
        let (key, filler) = (random.next(), random.prose(body_bytes));
        let turn = Turn::default();
        Ok(Self { room: open.room, words, seats, posts: Vec::new(), turn, key, filler, broken: None })
    }

    /// The room's name in the findings.
    pub(super) fn name(&self) -> String {
        self.room.to_string()
    }

    /// Lets one seat send `burst` posts and waits until each is answered and has reached both seats. The seats take turns.
    pub(super) async fn turn(&mut self, burst: usize, timing: &mut Timing) -> Result<(), SocketError> {
        self.turn = Turn {
            author: 1 - self.turn.author,
            first: self.posts.len(),
            sent_at: Vec::with_capacity(burst),
            answers: burst,
            entries: [burst; 2],
        };
        for _ in 0..burst {
            let text = self.next_post();
            self.turn.sent_at.push(Instant::now());
            self.seats[self.turn.author].socket.halves().0.feed_text(text).await?;
            timing.sent += 1;
        }
        self.seats[self.turn.author].socket.halves().0.flush().await?;
        match timeout(TURN, self.settle(timing)).await {
            Ok(result) => result,
            Err(_) => {
                timing.overdue += 1;
                Ok(())
            }
        }
    }

    /// The frame of the next post. Written by hand: nothing in it needs escaping.
    fn next_post(&mut self) -> String {
        let index = self.posts.len();
        let author = self.turn.author;
        let client_id = ClientId(self.client_id(index));
        // The number in front makes every body another one.
        let body = format!("{index:08} {}", self.filler.get(9..).unwrap_or_default());
        let text = format!(
            r#"{{"type":"message.post","id":"{index}","client_id":"{client_id}","room":"{}","body":"{body}"}}"#,
            self.room
        );
        self.posts.push(false);
        let Words { room, post, .. } = self.words;
        let digest = Digest::of_body(&body);
        self.seats[author].log.note(1, What::Invoke { room, cid: client_id.into(), kind: post, digest });
        text
    }

    /// A UUID whose last four bytes tell which post it is.
    fn client_id(&self, index: usize) -> uuid::Uuid {
        let wide = u128::from(self.key) << 64 | u128::try_from(index).unwrap_or_default() & 0xFFFF_FFFF;
        Builder::from_random_bytes(wide.to_be_bytes()).into_uuid()
    }

    fn index_of(&self, client_id: ClientId) -> Option<usize> {
        let index = usize::try_from(client_id.0.as_u128() & 0xFFFF_FFFF).ok()?;
        (index < self.posts.len() && self.client_id(index) == client_id.0).then_some(index)
    }

    async fn settle(&mut self, timing: &mut Timing) -> Result<(), SocketError> {
        while self.turn.is_open() {
            let [one, other] = &mut self.seats;
            let (seat, text) = tokio::select! {
                biased;
                text = one.socket.halves().1.next_text() => (0, text?),
                text = other.socket.halves().1.next_text() => (1, text?),
            };
            self.take(seat, &text, timing)?;
        }
        Ok(())
    }

    /// Notes one frame; returns whether it is the pong of [`Self::drain`].
    fn take(&mut self, seat: usize, text: &str, timing: &mut Timing) -> Result<bool, SocketError> {
        let odd = |problem: String| SocketError::Unreadable { text: text.to_owned(), problem };
        let frame: Incoming<'_> = serde_json::from_str(text).map_err(|error| odd(error.to_string()))?;
        match frame.name {
            "entry" => self.on_entry(seat, &frame, timing),
            "ok" | "error" => {
                let index = frame.id.and_then(|id| id.parse::<usize>().ok());
                let index = index.filter(|index| *index < self.posts.len());
                let index = index.ok_or_else(|| odd("an answer to nothing that was sent".into()))?;
                if std::mem::replace(&mut self.posts[index], true) {
                    return Err(odd("a second answer to one post".into()));
                }
                self.on_answer((seat, index), &frame, timing).map_err(|error| odd(error.to_string()))?;
            }
            "activity" | "receipt" | "presence" | "typing" | "account" | "goaway" => {}
            "pong" => return Ok(true),
            _ => return Err(odd("a frame that a reader at the head does not get".into())),
        }
        Ok(false)
    }

    fn on_entry(&mut self, seat: usize, frame: &Incoming<'_>, timing: &mut Timing) {
        let recv = self.received(frame);
        self.seats[seat].log.note(1, What::Recv(recv));
        let index = frame.client_id.and_then(|client_id| self.index_of(client_id));
        let Some(at) = index.and_then(|index| self.turn.position(index)) else {
            return;
        };
        self.turn.entries[seat] = self.turn.entries[seat].saturating_sub(1);
        if seat != self.turn.author {
            timing.deliveries += 1;
            record(&mut timing.delivery, self.turn.sent_at[at]);
        }
    }

    /// An entry as the history has it. Entries come often: their names are seldom looked up.
    fn received(&self, frame: &Incoming<'_>) -> Recv {
        let recorder = self.seats[0].log.recorder();
        let part = frame.data.map_or_else(Part::default, |data| Part::read(data.get()));
        let by = frame.by.and_then(|by| {
            let seat = self.seats.iter().find(|seat| seat.id.as_str() == by).map(|seat| seat.user);
            seat.or_else(|| by.parse().ok().map(|by| recorder.user(&by)))
        });
        Recv {
            room: self.words.room,
            seq: frame.seq.unwrap_or_default(),
            hash: frame.hash.map_or(Digest::NONE, Into::into),
            cid: frame.client_id.map(Into::into),
            by,
            kind: match frame.kind {
                Some("message.posted") => self.words.posted,
                kind => recorder.word(kind.unwrap_or_default()),
            },
            digest: part.digest(),
            version: part.version(),
            via: Via::Live,
        }
    }

    fn on_answer(
        &mut self,
        (seat, index): (usize, usize),
        frame: &Incoming<'_>,
        timing: &mut Timing,
    ) -> serde_json::Result<()> {
        let position = self.turn.position(index);
        if position.is_some() {
            self.turn.answers = self.turn.answers.saturating_sub(1);
        }
        let cid = Cid::from(ClientId(self.client_id(index)));
        if frame.name == "ok" {
            let ack: Ack = serde_json::from_str(frame.data.map_or("", RawValue::get))?;
            let (room, seq, hash, dup) = (self.words.room, ack.seq, ack.hash.into(), ack.duplicate);
            self.seats[seat].log.note(1, What::Ok { room, cid, seq, hash, dup });
            if let Some(at) = position {
                record(&mut timing.ack, self.turn.sent_at[at]);
            }
            return Ok(());
        }
        let error: ErrorBody = serde_json::from_str(frame.error.map_or("", RawValue::get))?;
        *timing.refusals.entry(error.code.as_str()).or_default() += 1;
        self.seats[seat].log.refused(1, cid, &error);
        // What may have been done stays unknown, and so it is not waited for either.
        if position.is_some() {
            self.turn.entries = self.turn.entries.map(|entries| entries.saturating_sub(1));
        }
        Ok(())
    }

    /// Reads what is still on its way to both seats: a ping and everything before its pong.
    pub(super) async fn drain(&mut self, timing: &mut Timing) -> Result<(), SocketError> {
        for seat in 0..2 {
            let rest = async {
                self.seats[seat].socket.send_text(r#"{"type":"ping","id":"last"}"#).await?;
                loop {
                    let text = self.seats[seat].socket.halves().1.next_text().await?;
                    if self.take(seat, &text, timing)? {
                        return Ok(());
                    }
                }
            };
            let late = SocketError::Timeout { awaited: "last pong", after: TURN };
            timeout(TURN, rest).await.unwrap_or(Err(late))?;
        }
        Ok(())
    }

    /// Reads the whole log afresh over HTTP, each second time as the other person, and ends the logs.
    pub(super) async fn finish(self) -> Result<(), HttpError> {
        let reader = &self.seats[self.posts.len() % 2];
        let room = self.words.room;
        let (entries, head) = reader.http.whole_log(self.room, false).await?;
        let name = format!("reader-{}", self.room);
        let log = reader.log.recorder().client(&name, Some(&reader.id), Role::Reader);
        for entry in &entries {
            log.entry(0, room, Via::Fresh, entry);
        }
        log.note(0, What::Final { room, head });
        log.end();
        let is_whole = self.broken.is_none();
        for seat in self.seats {
            if is_whole {
                seat.log.note(0, What::Final { room, head });
            }
            seat.log.end();
        }
        Ok(())
    }
}

fn record(times: &mut Histogram<u64>, since: Instant) {
    // It grows as needed: nothing is out of range.
    let _ = times.record(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
}
