//! Joining: a socket takes its place in the hub first, and then reads what it missed.

use anteroom_protocol::client::Hello;
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::limits::{self, Limits};
use anteroom_protocol::room::{Cursor, JoinResult, Joined as JoinedFrame};
use anteroom_protocol::server::{ServerFrame, Welcome};
use serde_json::json;

use super::super::HEARTBEAT;
use super::super::greeting::{Ended, Greeting};
use super::{Asked, Connection};
use crate::app::AppError;
use crate::app::audit;
use crate::app::resume::{Follow, Joined, join};
use crate::app::room::changes_at_hello;
use crate::domain::log::Log;

/// Characters of the client's name for itself that reach the log.
const CLIENT_NAME: usize = 64;

impl Connection {
    pub(super) async fn on_join(&mut self, id: Option<String>, cursor: Cursor) -> Result<(), Ended> {
        let joined = self.join_all(std::slice::from_ref(&cursor)).await.map(|mut joined| joined.pop());
        match joined {
            Ok(Some(Ok(joined))) => {
                let data = json!({ "room": cursor.room, "head": joined.head, "mode": joined.follow.mode() });
                self.answer(id, Ok(data)).await?;
                Box::pin(self.follow(cursor.room, joined)).await
            }
            Ok(Some(Err(error))) | Err(error) => {
                let error = error.body();
                self.refused(asked(cursor.room), error.code);
                self.answer(id, Err(error)).await
            }
            Ok(None) => Err(CloseCode::Internal.into()),
        }
    }

    /// Joins the hello's logs and answers it.
    pub(super) async fn welcome(&mut self, greeting: Box<Greeting>) -> Result<(), Ended> {
        let Greeting { id, hello, .. } = *greeting;
        let Hello { rooms: cursors, changes_after, client, .. } = hello;
        self.client = client.unwrap_or_default().chars().take(CLIENT_NAME).collect();
        let joined = self.join_all(&cursors).await.map_err(|error| {
            tracing::error!(%error, "cannot join");
            CloseCode::Internal
        })?;
        let changes = {
            let (door, actor) = (self.door.clone(), self.actor.clone());
            let _permit = door.resume_permit().await;
            changes_at_hello(&door.app, &actor, changes_after.as_deref()).await
        };
        let changes = changes.map_err(|error| {
            tracing::error!(%error, "cannot tell what has changed");
            CloseCode::Internal
        })?;
        let account = self.greeted_account(id.as_ref()).await?;
        let rooms = cursors.iter().zip(&joined).map(|(cursor, joined)| result(cursor.room, joined)).collect();
        let welcome = Welcome {
            id,
            connection: self.name.to_string(),
            user: self.actor.user.clone(),
            heartbeat_ms: u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
            token_expires_at: self.expires_at,
            server_time: self.door.app.clock.now(),
            limits: Limits::CURRENT,
            rooms,
            account: Some(account),
            changes: changes.items,
            changes_cursor: Some(changes.cursor),
            changes_reset: changes.reset,
            changes_more: changes.has_more,
        };
        self.tell(&ServerFrame::Welcome(welcome)).await?;
        if changes.reset {
            let reason = "the cursor of changes is not of this database".to_owned();
            self.tell(&ServerFrame::Reset { room: None, reason }).await?;
        }
        for (cursor, joined) in cursors.iter().zip(joined) {
            match joined {
                Ok(joined) => Box::pin(self.follow(cursor.room, joined)).await?,
                Err(error) => self.refused(asked(cursor.room), error.body().code),
            }
        }
        self.read_on();
        self.flush().await
    }

    /// Takes its place in the hub first, then reads: what is committed in between comes live.
    async fn join_all(&mut self, cursors: &[Cursor]) -> Result<Vec<Result<Joined, AppError>>, AppError> {
        let outbox = self.seat.outbox().clone();
        let new: Vec<Log> = cursors
            .iter()
            .map(|cursor| Log::named(cursor.room, &self.actor.user))
            .filter(|log| self.session.cursor(log).is_none())
            .collect();
        if outbox.reading() + new.len() > limits::JOINED_ROOMS {
            return Ok(cursors
                .iter()
                .map(|_| Err(AppError::Limit("joined_rooms: leave some first")))
                .collect());
        }
        new.iter().for_each(|log| outbox.read(log.clone()));
        let joined = {
            let _permit = self.door.resume_permit().await;
            join(&self.door.app, &self.actor, cursors).await
        };
        for log in new {
            let reads = joined.iter().flatten().flatten().any(|joined| joined.log == log);
            if !reads {
                outbox.unread(&log);
            }
        }
        joined
    }

    /// Sends what a join owes and sets the cursor.
    async fn follow(&mut self, room: RoomRef, joined: Joined) -> Result<(), Ended> {
        let Joined { log, audience, head, follow, people } = joined;
        match follow {
            Follow::Nothing => self.session.join(log.clone(), head + 1, audience),
            Follow::After(after) => {
                self.session.join(log.clone(), after + 1, audience);
                self.session.owe(&log, head);
            }
            Follow::Gap { from } => {
                self.tell(&ServerFrame::Gap { room, from, to: head }).await?;
                self.session.join(log.clone(), head + 1, audience);
            }
            Follow::Reset(reason) => {
                self.tell(&ServerFrame::Reset { room: Some(room), reason: reason.into() }).await?;
                self.session.join(log.clone(), head + 1, audience);
            }
        }
        self.tell_people(&log, room, people).await
    }
}

fn asked(room: RoomRef) -> Asked {
    Asked { what: "join", which: audit::room(room) }
}

fn result(room: RoomRef, joined: &Result<Joined, AppError>) -> JoinResult {
    match joined {
        Ok(joined) => JoinResult::Joined(JoinedFrame { room, head: joined.head, mode: joined.follow.mode() }),
        Err(error) => JoinResult::Refused { room, error: error.body() },
    }
}
