//! Messages.

use std::sync::Arc;

use anteroom_protocol::message::MessagePost;

use super::writer::{EntryJob, Lane};
use super::{App, Pending};
use crate::domain::actor::Actor;
use crate::domain::log::Log;
use crate::domain::message::{Body, post as decide};
use crate::store::{Intent, Write};

/// `message.post`.
pub fn post(
    app: &App,
    actor: &Actor,
    intent: Intent,
    command: MessagePost,
    lane: Option<Arc<Lane>>,
) -> Pending {
    let body = match Body::parse("body", command.body) {
        Ok(body) => body,
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    let (by, client_id) = (actor.user.clone(), intent.client_id);
    app.writer.append(EntryJob {
        write: Write { log: Log::named(command.room, &actor.user), intent },
        decide: Box::new(move |room| decide(room, &by, client_id, &body)),
        lane,
    })
}
