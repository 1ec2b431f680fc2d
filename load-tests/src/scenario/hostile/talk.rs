//! The honest people: in each room a message is due every 100 ms, and in one room, the busy one, large messages every 5 ms.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anteroom_protocol::command::Command;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::message::MessagePost;
use anteroom_protocol::server::ServerFrame;
use hdrhistogram::Histogram;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval_at, sleep, timeout};

use crate::client::{Socket, SocketReceiver, SocketSender, at_head, new_client_id};
use crate::history::Logs;
use crate::history::trial::Trial;
use crate::marketplace::OpenRoom;
use crate::scenario::target::Target;

/// Between two messages of a room.
const EVERY: Duration = Duration::from_millis(100);
/// Between two messages of the busy room.
const BUSY_EVERY: Duration = Duration::from_millis(5);
/// Bytes of a message of the busy room.
const BUSY_BYTES: usize = 4 * 1_024;
/// How long a message may be on its way before it counts as missing.
const LATE: Duration = Duration::from_secs(10);

/// What the honest people noticed in one phase.
pub(super) struct Delays {
    /// From when a message was due to its arrival at the other person, in microseconds.
    pub(super) histogram: Histogram<u64>,
    /// Those that did not arrive in time.
    pub(super) missing: u64,
}

/// The people, and what they write down of what they do and are told.
pub(super) struct Talk {
    seats: Vec<Seat>,
    busy: OpenRoom,
    talker: JoinHandle<()>,
    crowd: JoinSet<()>,
    board: Arc<Board>,
    trial: Trial,
}

struct Seat {
    room: RoomRef,
    sender: SocketSender,
}

/// Where arrivals are written down.
struct Board {
    began: Instant,
    state: Mutex<State>,
}

struct State {
    delays: Histogram<u64>,
}

impl Board {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A message that says when it was due has arrived.
    fn arrived(&self, body: &str) {
        let due = body.split(' ').next().and_then(|due| due.parse::<u64>().ok());
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if let Some(due) = due {
            self.lock().delays.saturating_record(now.saturating_sub(due).max(1));
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("these bounds are good"))
}

impl Talk {
    /// Opens the rooms, connects everybody, and lets the busy room talk.
    pub(super) async fn begin(target: &Target, rooms: usize) -> anyhow::Result<Self> {
        let market = target.marketplace();
        let mut open = market.open_rooms(rooms + 1, "honest").await?;
        let mut trial = Trial::begin("hostile", None);
        for room in &open {
            trial.room(&market, room).await?;
        }
        let busy = open.pop().ok_or_else(|| anyhow::anyhow!("no rooms"))?;
        let board =
            Arc::new(Board { began: Instant::now(), state: Mutex::new(State { delays: histogram() }) });
        let (mut seats, mut crowd) = (Vec::new(), JoinSet::new());
        for room in &open {
            let (sender, echo) = come(target, &mut trial, room.room, &room.client).await?.split();
            let (keep, receiver) = come(target, &mut trial, room.room, &room.freelancer).await?.split();
            crowd.spawn(read_on(echo, None));
            let board = board.clone();
            crowd.spawn(async move {
                let _keep = keep;
                read_on(receiver, Some(board)).await;
            });
            seats.push(Seat { room: room.room, sender });
        }
        let (sender, echo) = come(target, &mut trial, busy.room, &busy.client).await?.split();
        crowd.spawn(read_on(echo, None));
        let talker = tokio::spawn(talk_without_end(sender, busy.room));
        Ok(Self { seats, busy, talker, crowd, board, trial })
    }

    /// The room in which somebody talks without end.
    pub(super) fn busy(&self) -> &OpenRoom {
        &self.busy
    }

    /// Talks for this long, and tells how it was.
    pub(super) async fn phase(&mut self, span: Duration) -> anyhow::Result<Delays> {
        self.board.lock().delays = histogram();
        let mut sent = 0;
        let began = Instant::now();
        let gap = EVERY / u32::try_from(self.seats.len().max(1))?;
        let mut ticks = interval_at(began, gap);
        let mut turn = 0;
        while began.elapsed() < span {
            let due = ticks.tick().await;
            let due = due.duration_since(self.board.began).as_micros();
            let seats = self.seats.len();
            let seat = &mut self.seats[turn % seats];
            let command = Command::MessagePost(MessagePost { room: seat.room, body: format!("{due} hello") });
            seat.sender.send_command(new_client_id(), command).await?;
            (turn, sent) = (turn + 1, sent + 1);
        }
        let arrived = || self.board.lock().delays.len();
        let _ = timeout(LATE, async {
            while arrived() < sent {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let histogram = self.board.lock().delays.clone();
        let missing = sent.saturating_sub(histogram.len());
        Ok(Delays { histogram, missing })
    }

    /// Nobody talks any more, and everything is read afresh: what everybody wrote down.
    pub(super) async fn end(mut self, target: &Target) -> anyhow::Result<Logs> {
        // What is on its way is answered before anything is read.
        self.talker.abort();
        let logs = self.trial.end(&target.marketplace()).await?;
        self.crowd.shutdown().await;
        Ok(logs)
    }
}

/// A socket of this person in this room.
async fn come(target: &Target, trial: &mut Trial, room: RoomRef, user: &UserId) -> anyhow::Result<Socket> {
    let token = target.marketplace().token(user);
    Ok(trial.device(user).connect(target.base(), &token, vec![at_head(room)]).await?.0)
}

/// Reads to the end of the connection.
async fn read_on(mut receiver: SocketReceiver, board: Option<Arc<Board>>) {
    receiver.set_timeout(Duration::from_secs(3_600));
    while let Ok(frame) = receiver.next().await {
        if let (ServerFrame::Entry(entry), Some(board)) = (frame, &board)
            && let Some(body) = entry.data()["body"].as_str()
        {
            board.arrived(body);
        }
    }
}

async fn talk_without_end(mut sender: SocketSender, room: RoomRef) {
    let mut ticks = interval_at(Instant::now(), BUSY_EVERY);
    let body = "x".repeat(BUSY_BYTES);
    loop {
        ticks.tick().await;
        let command = Command::MessagePost(MessagePost { room, body: body.clone() });
        if sender.send_command(new_client_id(), command).await.is_err() {
            return;
        }
    }
}
