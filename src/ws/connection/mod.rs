//! One socket's life: the first word, then one loop, then one line in the log.
//!
//! The loop is a single task. It never awaits a commit (answers come back through `underway`) and it never lets a slow reader hold
//! up a writer (entries wait in the outbox, or in the log). What it reads, it reads for this socket alone.

mod account;
mod haste;
mod joining;
mod leaving;
mod member;
mod news;
mod replay;
mod sending;

use std::net::IpAddr;
use std::sync::Arc;

use anteroom_protocol::client::{self, ClientFrame, Envelope};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::{ErrorBody, ErrorCode};

use anteroom_protocol::limits;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Account;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};
use uuid::Uuid;

use self::replay::Reading;
use self::sending::Patience;
use super::greeting::{Ended, Received, Socket, greet, receive, say_goodbye};
use super::meter::Progress;
use super::session::{Arrival, Session};
use super::{Door, HEARTBEAT, Lease, SILENCE, Unproven};
use crate::app::audit::{self, Refused};
use crate::app::dispatch::{self, Performed};
use crate::app::identity::Verified;
use crate::app::marker;
use crate::domain::actor::Actor;
use crate::domain::log::{Log, LogEntry};
use crate::hub::Seat;
use crate::hub::outbox::Waiting;

/// Pings without any sign of life since. Fewer say nothing of a client that is silent: while a slow socket is written, none are sent.
const UNANSWERED: u32 = 2;

/// Lives one socket's life, to its end.
///
/// What it does is boxed: a socket that only waits should not carry room for it. The socket itself is boxed because it goes from hand to
/// hand, and each hand would have room for it.
pub(super) async fn run(
    door: Arc<Door>,
    mut socket: Box<Socket>,
    unproven: Unproven,
    lease: Lease,
    presented: Option<Verified>,
) {
    let began = Instant::now();
    let ended = match Box::pin(greet(&door, &mut socket, presented, lease.address)).await {
        Ok(greeting) => {
            drop(unproven);
            let mut connection =
                Connection::new(door.clone(), socket, greeting.verified.clone(), lease.address);
            door.app.metrics.connected();
            // What hello said goes with the answer to it: a token, for one, is in memory no longer than it is needed.
            let welcomed = Box::pin(connection.welcome(greeting)).await;
            let ended = if let Err(ended) = welcomed { ended } else { connection.live().await };
            door.app.metrics.disconnected();
            connection.log_end(ended, began);
            socket = connection.socket;
            ended
        }
        Err(ended) => {
            tracing::info!(reason = ended.reason(), "connection ended before hello");
            ended
        }
    };
    door.app.metrics.closed(ended.reason());
    Box::pin(say_goodbye(&mut socket, ended)).await;
}

/// A command on its way, and what its answer goes to.
type Underway = BoxFuture<'static, Answered>;

struct Answered {
    id: Option<String>,
    asked: Asked,
    answer: Result<Value, ErrorBody>,
}

/// What a frame asked for: its type, and the id it names.
#[derive(Debug, Clone, Copy)]
struct Asked {
    what: &'static str,
    which: Option<Uuid>,
}

/// A socket that has said hello.
struct Connection {
    door: Arc<Door>,
    socket: Box<Socket>,
    address: IpAddr,
    /// When the other side last took bytes.
    progress: Progress,
    seat: Seat,
    actor: Actor,
    name: Uuid,
    /// What the client calls itself, for the log.
    client: String,
    session: Session,
    underway: FuturesUnordered<Underway>,
    /// A page of a log, on its way from the database.
    reading: Option<Reading>,
    expires_at: Time,
    issued_at: Option<Time>,
    ends_at: Instant,
    /// The account as the client was last told.
    told: Option<Account>,
    /// When it is closed because the server goes down.
    leaves_at: Option<Instant>,
    next_ping: Instant,
    /// Pings since it was last heard.
    unanswered: u32,
    frames_in: u64,
    entries_out: u64,
}

impl Connection {
    fn new(door: Arc<Door>, socket: Box<Socket>, verified: Verified, address: IpAddr) -> Self {
        let Verified { actor, expires_at, issued_at } = verified;
        let seat = door.app.hub.sit(&actor.user);
        seat.outbox().hear();
        // The first ping comes at a random moment, so that sockets which came together do not beat together.
        let next_ping = Instant::now() + HEARTBEAT.mul_f64(rand::random());
        Self {
            ends_at: account::end_of(&door, expires_at),
            seat,
            door,
            progress: socket.get_ref().progress(),
            socket,
            address,
            actor,
            name: Uuid::now_v7(),
            client: String::new(),
            session: Session::default(),
            underway: FuturesUnordered::new(),
            reading: None,
            expires_at,
            issued_at,
            told: None,
            leaves_at: None,
            next_ping,
            unanswered: 0,
            frames_in: 0,
            entries_out: 0,
        }
    }

    fn log_end(&self, ended: Ended, began: Instant) {
        tracing::info!(
            connection = %self.name,
            user = %self.actor.user,
            client = self.client,
            reason = ended.reason(),
            seconds = began.elapsed().as_secs(),
            frames_in = self.frames_in,
            entries_out = self.entries_out,
            "connection ended"
        );
    }

    async fn live(&mut self) -> Ended {
        loop {
            if let Err(ended) = self.turn().await {
                return ended;
            }
        }
    }

    /// One turn of the loop. The arms are tried in random order: neither a busy room nor a busy client keeps the other waiting.
    async fn turn(&mut self) -> Result<(), Ended> {
        let alarm = self.next_ping.min(self.leaves_at.unwrap_or(self.ends_at)).min(self.ends_at);
        let room_for_more = self.underway.len() < limits::COMMANDS_IN_FLIGHT;
        tokio::select! {
            plan = self.door.drain.begun(), if self.leaves_at.is_none() => Box::pin(self.on_drain(plan)).await?,
            () = sleep_until(alarm) => Box::pin(self.on_alarm()).await?,
            Some(answered) = self.underway.next() => Box::pin(self.on_answer(answered)).await?,
            () = self.seat.outbox().wait() => {}
            read = replay::page(&mut self.reading) => Box::pin(self.on_page(read)).await?,
            received = receive(&mut self.socket), if room_for_more => Box::pin(self.on_received(received?)).await?,
        }
        Box::pin(self.drain()).await
    }

    /// Sends what waits, with one flush for all of it.
    async fn drain(&mut self) -> Result<(), Ended> {
        while let Some(Some(answered)) = self.underway.next().now_or_never() {
            self.on_answer(answered).await?;
        }
        let Waiting { entries, behind, activity, news, person, close } = self.seat.outbox().take();
        if person {
            // Before anything else: to whose token was taken back, nothing more is given.
            Box::pin(self.on_person()).await?;
        }
        if let Some(code) = close {
            return Err(code.into());
        }
        for encoded in entries {
            let entry = encoded.entry();
            match self.session.arrival(&entry.log, entry.seq) {
                Arrival::Old => {}
                Arrival::Next(audience) => self.give(entry, encoded.text(audience)).await?,
                Arrival::Owed => self.door.app.metrics.refilled(),
            }
        }
        for (log, head) in behind {
            self.door.app.metrics.refilled();
            self.session.owe(&log, head);
        }
        for (room, head) in activity {
            // A log that was joined meanwhile has told how far it reaches.
            if self.session.cursor(&Log::named(room, &self.actor.user)).is_none() {
                self.tell(&ServerFrame::Activity { room, head }).await?;
            }
        }
        for ((room, ..), frame) in news {
            // Who was removed by one of the entries is told nothing more of the room.
            if self.session.cursor(&Log::named(room, &self.actor.user)).is_some() {
                self.tell(&frame).await?;
            }
        }
        self.read_on();
        self.flush().await
    }

    /// Sends an entry. Those before it can have taken long; to whose token was taken back meanwhile, nothing more is given.
    async fn give(&mut self, entry: &LogEntry, text: Utf8Bytes) -> Result<(), Ended> {
        if self.seat.outbox().take_person() {
            Box::pin(self.on_person()).await?;
        }
        self.feed(Message::Text(text)).await?;
        self.session.sent(&entry.log, entry.seq);
        self.entries_out += 1;
        if matches!(&*entry.kind, "member.added" | "member.removed") {
            Box::pin(self.on_member(entry)).await;
        }
        Ok(())
    }

    async fn on_alarm(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if self.leaves_at.is_some_and(|leaves_at| now >= leaves_at) {
            return Box::pin(self.leave()).await;
        }
        if now >= self.ends_at {
            return Err(CloseCode::TokenExpired.into());
        }
        let silent = now.duration_since(self.seat.outbox().last_heard());
        if silent >= SILENCE && self.unanswered >= UNANSWERED {
            // What it said while it was written may still wait to be read.
            return match unconstrained(receive(&mut self.socket)).now_or_never() {
                Some(received) => self.on_received(received?).await,
                None => Err(CloseCode::HeartbeatLost.into()),
            };
        }
        self.next_ping = now + HEARTBEAT;
        self.unanswered += 1;
        self.feed(Message::Ping(Bytes::new())).await
    }

    async fn on_received(&mut self, received: Received) -> Result<(), Ended> {
        self.seat.outbox().hear();
        self.unanswered = 0;
        match received {
            Received::Text(text) => Box::pin(self.on_text(&text)).await,
            Received::Sign => Ok(()),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), Ended> {
        self.still_holds()?;
        self.frames_in += 1;
        let decoded = client::decode(text);
        if let Ok((id, frame)) = &decoded
            && let Some(wait) = self.haste(frame)
        {
            return self.on_haste(id.clone(), wait).await;
        }
        match decoded {
            Ok((id, ClientFrame::Command(envelope, command))) => self.on_command(id, envelope, command),
            Ok((id, ClientFrame::Join(cursor))) => Box::pin(self.on_join(id, cursor)).await,
            Ok((id, ClientFrame::Leave(leave))) => {
                let log = Log::named(leave.room, &self.actor.user);
                self.seat.leave(&log);
                self.session.leave(&log);
                self.answer(id, Ok(json!({}))).await
            }
            Ok((id, ClientFrame::Ping(ping))) => Box::pin(self.on_ping(id, ping)).await,
            Ok((id, ClientFrame::Read(mark))) => {
                let asked = Asked { what: "read", which: audit::room(mark.room) };
                self.on_mark(id, asked, marker::read(&self.door.app, &self.actor, &mark));
                Ok(())
            }
            Ok((id, ClientFrame::MarkUnread(mark))) => {
                let asked = Asked { what: "mark_unread", which: audit::room(mark.room) };
                self.on_mark(id, asked, marker::mark_unread(&self.door.app, &self.actor, &mark));
                Ok(())
            }
            Ok((id, ClientFrame::Typing(typing))) => self.on_typing(id, typing.room).await,
            Ok((id, ClientFrame::Refresh(refresh))) => Box::pin(self.on_refresh(id, refresh)).await,
            Ok((id, ClientFrame::Hello(_))) => {
                let error = ErrorBody::new(ErrorCode::OutOfTurn, "hello is said once");
                self.answer(id, Err(error)).await?;
                self.flush().await?;
                Err(CloseCode::Malformed.into())
            }
            Err(error) => {
                // A frame that is merely newer than this server, or wrong, closes nothing.
                let too_many = error.code == ErrorCode::BadFrame && self.session.broke(Instant::now());
                self.tell(&ServerFrame::Error {
                    id: error.id,
                    error: ErrorBody::new(error.code, error.detail),
                })
                .await?;
                self.flush().await?;
                if too_many { Err(CloseCode::Malformed.into()) } else { Ok(()) }
            }
        }
    }

    /// Gives the command to its function. It has its place in the order when this returns.
    fn on_command(&mut self, id: Option<String>, envelope: Envelope, command: Command) -> Result<(), Ended> {
        let lane = if let Command::MessagePost(post) = &command {
            Some(self.session.lanes.of(post.room))
        } else {
            None
        };
        let asked = Asked { what: command.name(), which: audit::subject(&command) };
        let Performed { hasty, outcome, .. } =
            dispatch::perform(&self.door.app, &self.actor, envelope, command, lane);
        self.underway.push(
            async move {
                let answer = outcome.await.map(|done| done.data()).map_err(|error| error.body());
                Answered { id, asked, answer }
            }
            .boxed(),
        );
        if hasty && self.session.hurried(Instant::now()) {
            return Err(CloseCode::RateLimited.into());
        }
        Ok(())
    }

    async fn on_answer(&mut self, Answered { id, asked, answer }: Answered) -> Result<(), Ended> {
        if let Err(error) = &answer {
            self.refused(asked, error.code);
        }
        self.answer(id, answer).await
    }

    /// For the log: what this person was refused.
    fn refused(&self, Asked { what, which }: Asked, code: ErrorCode) {
        let (address, who) = (self.address, Some(&self.actor));
        self.door.app.audit.refused(&Refused { address, who, what, which, code });
    }

    /// Answers a frame that had an id.
    async fn answer(&mut self, id: Option<String>, answer: Result<Value, ErrorBody>) -> Result<(), Ended> {
        match (id, answer) {
            (Some(id), Ok(data)) => self.tell(&ServerFrame::Ok { id, data }).await,
            (Some(id), Err(error)) => self.tell(&ServerFrame::Error { id: Some(id), error }).await,
            (None, _) => Ok(()),
        }
    }

    async fn tell(&mut self, frame: &ServerFrame) -> Result<(), Ended> {
        self.feed(Message::text(frame.encode())).await
    }

    async fn feed(&mut self, message: Message) -> Result<(), Ended> {
        self.still_holds()?;
        let Self { socket, progress, seat, ends_at, .. } = self;
        Patience { progress, outbox: seat.outbox(), ends_at: *ends_at }.with(socket.feed(message)).await
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        let Self { socket, progress, seat, ends_at, .. } = self;
        Patience { progress, outbox: seat.outbox(), ends_at: *ends_at }.with(socket.flush()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Run<F> = fn(Arc<Door>, Box<Socket>, Unproven, Lease, Option<Verified>) -> F;

    /// How much room what it returns takes.
    fn room<F>(_: Run<F>) -> usize {
        size_of::<F>()
    }

    /// What an idle socket costs is a published figure, and its task was the largest part of it: one future that is not boxed where it is
    /// awaited is room for it in every socket that waits.
    #[test]
    fn a_task_has_room_for_the_connection_and_for_waiting_and_not_for_what_is_done_in_between() {
        let room = room(run);
        assert!(room < size_of::<Connection>() + 1_024, "{room} bytes");
    }
}
