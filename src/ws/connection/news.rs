//! What is told and not kept: how far somebody is, who is writing, who is there.

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
use crate::app::{AppError, marker, resume};
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
        let mut read = Vec::new();
        for (room, seq) in ping.heads {
            let log = Log::named(room, &self.actor.user);
            if matches!(room, RoomRef::Room(_))
                && self.session.is_news(&log, seq)
                && marker::delivered(&self.door.app, &self.actor, room, seq)
            {
                self.session.arrived(&log, seq);
            }
            if self.session.cursor(&log).is_some() {
                read.push(log);
            }
        }
        if !read.is_empty() {
            self.audit(read).await;
        }
        Ok(())
    }

    /// Owes this socket whatever the database holds beyond what was sent. What cannot be read now is found by the next ping.
    async fn audit(&mut self, logs: Vec<Log>) {
        let heads = {
            let _permit = self.door.resume_permit().await;
            resume::heads(&self.door.app, &self.actor, logs).await
        };
        match heads {
            Ok(heads) => heads.iter().for_each(|(log, head)| self.session.owe(log, *head)),
            Err(error) => tracing::warn!(%error, "heads cannot be compared"),
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
