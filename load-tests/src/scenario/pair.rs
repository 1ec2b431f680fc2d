//! One room with both of its people connected: posts, waits until each post is answered and seen by both, and keeps the record.
//!
//! This is the hot path of the load, and it shares the machine with the server: frames are written as text and read into a small
//! borrowed form.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anteroom_protocol::error::ErrorBody;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::room::JoinResult;
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;
use uuid::Builder;

use crate::checker::{Fate, Post, RoomRecord, Seen, fingerprint};
use crate::client::{Http, HttpError, Socket, SocketError, at_head};
use crate::marketplace::{Marketplace, OpenRoom};

use super::Random;

/// How long a turn may take before it is given up: what is missing then is the checker's to name.
const TURN: Duration = Duration::from_secs(10);

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
    seen: Vec<Seen>,
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
    start: u64,
    seats: [Seat; 2],
    posts: Vec<Post>,
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
    client_id: Option<ClientId>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Ack {
    seq: u64,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    body: Cow<'a, str>,
}

impl Pair {
    /// Connects both people of a room and joins it at its head.
    pub(super) async fn connect(
        marketplace: &Marketplace,
        open: &OpenRoom,
        body_bytes: usize,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let mut random = Random(seed);
        let mut seats = Vec::with_capacity(2);
        let mut start = 0;
        for user in [&open.client, &open.freelancer] {
            let http = marketplace.as_user(user);
            let (socket, welcome) = marketplace.socket(user, vec![at_head(open.room)]).await?;
            start = match welcome.rooms.first() {
                Some(JoinResult::Joined(joined)) => joined.head,
                answer => anyhow::bail!("{user} did not join {}: {answer:?}", open.room),
            };
            seats.push(Seat { socket, http, seen: Vec::new() });
        }
        let seats = seats.try_into().map_err(|_| anyhow::anyhow!("a room has two seats"))?;
        let (key, filler) = (random.next(), random.prose(body_bytes));
        Ok(Self {
            room: open.room,
            start,
            seats,
            posts: Vec::new(),
            turn: Turn::default(),
            key,
            filler,
            broken: None,
        })
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
        self.posts.push(Post { client_id, author, body: fingerprint(&body), fate: Fate::Unknown });
        text
    }

    /// A UUID whose last four bytes tell which post it is.
    fn client_id(&self, index: usize) -> uuid::Uuid {
        let wide = u128::from(self.key) << 64 | u128::try_from(index).unwrap_or_default() & 0xFFFF_FFFF;
        Builder::from_random_bytes(wide.to_be_bytes()).into_uuid()
    }

    fn index_of(&self, client_id: ClientId) -> Option<usize> {
        let index = usize::try_from(client_id.0.as_u128() & 0xFFFF_FFFF).ok()?;
        self.posts.get(index).is_some_and(|post| post.client_id == client_id).then_some(index)
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
                if self.posts[index].fate != Fate::Unknown {
                    return Err(odd("a second answer to one post".into()));
                }
                self.on_answer(index, &frame, timing).map_err(|error| odd(error.to_string()))?;
            }
            "activity" => {}
            "pong" => return Ok(true),
            _ => return Err(odd("a frame that a reader at the head does not get".into())),
        }
        Ok(false)
    }

    fn on_entry(&mut self, seat: usize, frame: &Incoming<'_>, timing: &mut Timing) {
        let seen = Seen {
            seq: frame.seq.unwrap_or_default(),
            client_id: frame.client_id,
            body: frame.data.map_or(0, body_of),
        };
        self.seats[seat].seen.push(seen);
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

    fn on_answer(
        &mut self,
        index: usize,
        frame: &Incoming<'_>,
        timing: &mut Timing,
    ) -> serde_json::Result<()> {
        let position = self.turn.position(index);
        if position.is_some() {
            self.turn.answers = self.turn.answers.saturating_sub(1);
        }
        if frame.name == "ok" {
            let ack: Ack = serde_json::from_str(frame.data.map_or("", RawValue::get))?;
            self.posts[index].fate = Fate::Acknowledged { seq: ack.seq };
            if let Some(at) = position {
                record(&mut timing.ack, self.turn.sent_at[at]);
            }
            return Ok(());
        }
        let error: ErrorBody = serde_json::from_str(frame.error.map_or("", RawValue::get))?;
        *timing.refusals.entry(error.code.as_str()).or_default() += 1;
        // What may have been done stays unknown, and so it is not waited for either.
        if error.code != anteroom_protocol::error::ErrorCode::Unknown {
            self.posts[index].fate = Fate::Refused;
        }
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

    /// Reads the whole log afresh over HTTP, each second time as the other person, and gives the record.
    pub(super) async fn record(self) -> Result<RoomRecord, HttpError> {
        let reader = self.posts.len() % 2;
        let entries = self.seats[reader].http.all_entries(self.room, false).await?;
        let log = entries.iter().map(|entry| Seen {
            seq: entry.seq,
            client_id: entry.client_id,
            body: body_of(&entry.data),
        });
        Ok(RoomRecord {
            start: self.start,
            posts: self.posts,
            log: log.collect(),
            readers: self.seats.into_iter().map(|seat| seat.seen).collect(),
        })
    }
}

fn body_of(data: &RawValue) -> u64 {
    serde_json::from_str(data.get()).map_or(0, |body: Body<'_>| fingerprint(&body.body))
}

fn record(times: &mut Histogram<u64>, since: Instant) {
    // It grows as needed: nothing is out of range.
    let _ = times.record(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
}
