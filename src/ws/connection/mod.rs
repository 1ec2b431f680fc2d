//! One socket's life: the first word, then one loop, then one line in the log.
//!
//! The loop is a single task. It never awaits a commit (answers come back through `underway`) and it never lets a slow reader hold
//! up a writer (entries wait in the outbox, or in the log). What it reads, it reads for this socket alone.

mod joining;
mod leaving;

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::client::{self, ClientFrame};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::ClientId;
use anteroom_protocol::limits;
use anteroom_protocol::room::Cursor as JoinCursor;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::time::Time;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use uuid::Uuid;

use super::greeting::{Ended, Greeting, Received, Socket, greet, receive, say_goodbye};
use super::session::{Arrival, Cursor, Session};
use super::{Door, HEARTBEAT, Place, SILENCE, WRITE_STALL};
use crate::app::identity::LEEWAY_SECONDS;
use crate::app::{AppError, dispatch};
use crate::domain::actor::Actor;
use crate::domain::log::{Log, LogEntry};
use crate::hub::Seat;
use crate::hub::outbox::Waiting;
use crate::store::{Committed, Range};
use crate::wire::to_wire::{Audience, frame_text};

/// Characters of the client's name for itself that reach the log.
const CLIENT_NAME: usize = 64;

/// Lives one socket's life, to its end.
///
/// The rare parts are boxed: a socket that only waits should not carry room for them.
pub(super) async fn run(
    door: Arc<Door>,
    mut socket: Socket,
    permit: OwnedSemaphorePermit,
    _place: Option<Place>,
) {
    let began = Instant::now();
    let ended = match Box::pin(greet(&door, &mut socket)).await {
        Ok(Greeting { id, hello, actor, expires_at }) => {
            drop(permit);
            let mut connection = Connection::new(door.clone(), socket, actor, expires_at);
            door.app.metrics.connected();
            let client: String = hello.client.unwrap_or_default().chars().take(CLIENT_NAME).collect();
            let ended = connection.live(id, hello.rooms).await;
            door.app.metrics.disconnected();
            connection.log_end(ended, began, &client);
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
    outcome: Result<Committed, AppError>,
}

/// A socket that has said hello.
struct Connection {
    door: Arc<Door>,
    socket: Socket,
    seat: Seat,
    actor: Actor,
    name: Uuid,
    session: Session,
    underway: FuturesUnordered<Underway>,
    expires_at: Time,
    ends_at: Instant,
    /// When it is closed because the server goes down.
    leaves_at: Option<Instant>,
    next_ping: Instant,
    frames_in: u64,
    entries_out: u64,
}

impl Connection {
    fn new(door: Arc<Door>, socket: Socket, actor: Actor, expires_at: Time) -> Self {
        let seat = door.app.hub.sit(&actor.user);
        seat.outbox().hear();
        let left = expires_at.plus_seconds(LEEWAY_SECONDS).as_micros() - door.app.clock.now().as_micros();
        let left = Duration::from_micros(left.max(0).unsigned_abs());
        // The first ping comes at a random moment, so that sockets which came together do not beat together.
        let next_ping = Instant::now() + HEARTBEAT.mul_f64(rand::random());
        Self {
            // A deadline this far away is as good as none, and nearer than what the clock can hold.
            ends_at: Instant::now() + left.min(Duration::from_secs(10 * 365 * 24 * 3600)),
            seat,
            door,
            socket,
            actor,
            name: Uuid::now_v7(),
            session: Session::default(),
            underway: FuturesUnordered::new(),
            expires_at,
            leaves_at: None,
            next_ping,
            frames_in: 0,
            entries_out: 0,
        }
    }

    fn log_end(&self, ended: Ended, began: Instant, client: &str) {
        tracing::info!(
            connection = %self.name,
            user = %self.actor.user,
            client,
            reason = ended.reason(),
            seconds = began.elapsed().as_secs(),
            frames_in = self.frames_in,
            entries_out = self.entries_out,
            "connection ended"
        );
    }

    async fn live(&mut self, hello_id: Option<String>, cursors: Vec<JoinCursor>) -> Ended {
        if let Err(ended) = Box::pin(self.welcome(hello_id, &cursors)).await {
            return ended;
        }
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
            () = sleep_until(alarm) => self.on_alarm().await?,
            Some(answered) = self.underway.next() => self.on_answer(answered).await?,
            () = self.seat.outbox().wait() => {}
            received = receive(&mut self.socket), if room_for_more => {
                self.seat.outbox().hear();
                if let Received::Text(text) = received? {
                    self.on_text(&text).await?;
                }
            }
        }
        self.drain().await
    }

    /// Sends what waits, with one flush for all of it.
    async fn drain(&mut self) -> Result<(), Ended> {
        while let Some(Some(answered)) = self.underway.next().now_or_never() {
            self.on_answer(answered).await?;
        }
        let Waiting { entries, behind, activity, close } = self.seat.outbox().take();
        for encoded in entries {
            let entry = encoded.entry();
            match self.session.arrival(&entry.log, entry.seq) {
                Arrival::Old => {}
                Arrival::Next(audience) => {
                    self.feed(Message::Text(encoded.text(audience))).await?;
                    self.sent(&entry.log, entry.seq);
                }
                Arrival::Ahead(cursor) => Box::pin(self.refill(&entry.log, cursor, entry.seq)).await?,
            }
        }
        for (log, head) in behind {
            if let Some(cursor) = self.session.cursor(&log).filter(|cursor| cursor.next <= head) {
                Box::pin(self.refill(&log, cursor, head)).await?;
            }
        }
        for (room, head) in activity {
            // A log that was joined meanwhile has told how far it reaches.
            if self.session.cursor(&Log::named(room, &self.actor.user)).is_none() {
                self.tell(&ServerFrame::Activity { room, head }).await?;
            }
        }
        self.flush().await?;
        close.map_or(Ok(()), |code| Err(code.into()))
    }

    /// Reads entries from the log that did not come through the outbox.
    async fn refill(&mut self, log: &Log, cursor: Cursor, up_to: u64) -> Result<(), Ended> {
        self.door.app.metrics.refilled();
        self.send_range(log, cursor.next - 1, up_to, cursor.audience).await
    }

    async fn send_range(
        &mut self,
        log: &Log,
        mut after: u64,
        up_to: u64,
        audience: Audience,
    ) -> Result<(), Ended> {
        while after < up_to {
            let limit = u32::try_from(up_to - after).unwrap_or(u32::MAX).min(limits::PAGE_ITEMS);
            let page = {
                // For the reading alone: a socket that does not take what was read must not keep others from reading.
                let _permit = self.door.resume_permit().await;
                self.door.app.store.entries(log, Range::After(after), limit).await
            };
            let page: Vec<LogEntry> = page.map_err(|error| {
                tracing::error!(%error, "cannot read a log");
                CloseCode::Internal
            })?;
            let Some(last) = page.last() else {
                return Err(CloseCode::Internal.into());
            };
            after = last.seq;
            for entry in &page {
                self.feed(Message::Text(frame_text(entry, audience))).await?;
                self.sent(log, entry.seq);
            }
        }
        Ok(())
    }

    fn sent(&mut self, log: &Log, seq: u64) {
        self.session.sent(log, seq);
        self.entries_out += 1;
    }

    async fn on_alarm(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if self.leaves_at.is_some_and(|leaves_at| now >= leaves_at) {
            return Box::pin(self.leave()).await;
        }
        if now >= self.ends_at {
            return Err(CloseCode::TokenExpired.into());
        }
        if now.duration_since(self.seat.outbox().last_heard()) >= SILENCE {
            return Err(CloseCode::HeartbeatLost.into());
        }
        self.next_ping = now + HEARTBEAT;
        self.feed(Message::Ping(Bytes::new())).await
    }

    async fn on_text(&mut self, text: &str) -> Result<(), Ended> {
        self.frames_in += 1;
        match client::decode(text) {
            Ok((id, ClientFrame::Command(client_id, command))) => {
                self.on_command(id, client_id, command);
                Ok(())
            }
            Ok((id, ClientFrame::Join(cursor))) => Box::pin(self.on_join(id, cursor)).await,
            Ok((id, ClientFrame::Leave(leave))) => {
                let log = Log::named(leave.room, &self.actor.user);
                self.seat.outbox().unread(&log);
                self.session.leave(&log);
                self.answer(id, Ok(json!({}))).await
            }
            Ok((id, ClientFrame::Ping(_))) => {
                let server_time = self.door.app.clock.now();
                self.tell(&ServerFrame::Pong { id, server_time }).await
            }
            Ok((
                id,
                ClientFrame::Refresh(_)
                | ClientFrame::Read(_)
                | ClientFrame::MarkUnread(_)
                | ClientFrame::Typing(_),
            )) => {
                let error = ErrorBody::new(ErrorCode::UnknownType, "this server does not do that yet");
                self.answer(id, Err(error)).await
            }
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
    fn on_command(&mut self, id: Option<String>, client_id: ClientId, command: Command) {
        let lane =
            if let Command::MessagePost(post) = &command { Some(self.session.lane(post.room)) } else { None };
        let outcome = dispatch::perform(&self.door.app, &self.actor, client_id, command, lane);
        self.underway.push(async move { Answered { id, outcome: outcome.await } }.boxed());
    }

    async fn on_answer(&mut self, Answered { id, outcome }: Answered) -> Result<(), Ended> {
        let answer = match outcome {
            Ok(done) => Ok(done.data()),
            Err(error) => Err(error.body()),
        };
        self.answer(id, answer).await
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
        written(&timeout(WRITE_STALL, self.socket.feed(message)).await)
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        written(&timeout(WRITE_STALL, self.socket.flush()).await)
    }
}

fn written(outcome: &Result<tungstenite::Result<()>, tokio::time::error::Elapsed>) -> Result<(), Ended> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(tungstenite::Error::WriteBufferFull(_))) | Err(_) => Err(CloseCode::Slow.into()),
        Ok(Err(_)) => Err(Ended(None)),
    }
}
