//! What is told and not kept: how far somebody is, who is writing, who is there.

use std::collections::HashMap;

use anteroom_protocol::client::Ping;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::limits;
use anteroom_protocol::marker::MarkAnswer;
use anteroom_protocol::server::ServerFrame;
use futures_util::FutureExt as _;
use serde_json::json;
use tokio::time::Instant;

use super::super::greeting::Ended;
use super::{Answered, Asked, Connection};
use crate::app::resume::{self, Known};
use crate::app::{AppError, marker};
use crate::domain::log::Log;
use crate::hub::outbox::News;
use crate::store::Reach;

impl Connection {
    /// Waits for a marker to be moved beside everything else.
    pub(super) fn on_mark(
        &mut self,
        id: Option<String>,
        asked: Asked,
        outcome: impl Future<Output = Result<MarkAnswer, AppError>> + Send + 'static,
    ) {
        let answered = async move {
            let answer = outcome.await.map(|answer| json!(answer)).map_err(|error| error.body());
            Answered { id, asked, answer }
        };
        self.underway.push(answered.boxed());
    }

    pub(super) async fn on_typing(&mut self, id: Option<String>, room: RoomRef) -> Result<(), Ended> {
        let log = Log::named(room, &self.actor.user);
        if self.session.cursor(&log).is_none() {
            let error = ErrorBody::new(ErrorCode::BadRequest, "room: join it first");
            return self.answer(id, Err(error)).await;
        }
        if self.session.may_type(&log, Instant::now()) {
            let user = self.actor.user.clone();
            self.seat.typing(&log, &News::new(user.clone(), ServerFrame::Typing { room, user }));
        }
        self.answer(id, Ok(json!({}))).await
    }

    /// Answers, tells the authors what has arrived, and finds out what this socket should have got and has not.
    pub(super) async fn on_ping(&mut self, id: Option<String>, ping: Ping) -> Result<(), Ended> {
        if ping.heads.len() > limits::PING_HEADS {
            let why = format!("heads: at most {}", limits::PING_HEADS);
            return self.answer(id, Err(ErrorBody::new(ErrorCode::BadRequest, why))).await;
        }
        let server_time = self.door.app.clock.now();
        self.tell(&ServerFrame::Pong { id, server_time }).await?;
        let arrived: HashMap<Log, u64> = ping
            .heads
            .into_iter()
            .map(|(room, seq)| (Log::named(room, &self.actor.user), seq))
            .filter(|(log, _)| self.session.cursor(log).is_some())
            .collect();
        if !arrived.is_empty() {
            self.compare(arrived).await;
        }
        Ok(())
    }

    /// Compares what has arrived with what the database knows: it is told what is new to it, and what it holds beyond what was sent is owed
    /// to this socket. What cannot be read or kept now is found by the next ping.
    async fn compare(&mut self, arrived: HashMap<Log, u64>) {
        let known = {
            let _permit = self.door.resume_permit().await;
            resume::known(&self.door.app, &self.actor, arrived.keys().cloned().collect()).await
        };
        let known = match known {
            Ok(known) => known,
            Err(error) => return tracing::warn!(%error, "heads cannot be compared"),
        };
        for Known { log, head, delivered } in known {
            self.session.owe(&log, head);
            let seq = arrived.get(&log).copied().unwrap_or_default();
            // What is beyond the end has not arrived, and is not kept.
            if matches!(log, Log::Room(_)) && seq > delivered && seq <= head {
                marker::delivered(&self.door.app, &self.actor, log, seq);
            }
        }
    }

    /// Tells who of a room that was joined is there, and how far each is.
    pub(super) async fn tell_people(
        &mut self,
        log: &Log,
        room: RoomRef,
        people: Vec<Reach>,
    ) -> Result<(), Ended> {
        if matches!(room, RoomRef::Inbox) {
            return Ok(());
        }
        for reach in &people {
            if reach.user != self.actor.user && reach.delivered > 0 {
                self.tell(marker::receipt(room, reach, None).frame()).await?;
            }
        }
        let people = people.into_iter().map(|reach| reach.user).collect();
        for there in self.seat.join(log, people) {
            self.tell(there.frame()).await?;
        }
        Ok(())
    }
}
