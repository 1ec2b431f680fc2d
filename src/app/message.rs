//! Messages.

use std::sync::Arc;

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::message::{MessageEdit, MessagePost, MessageRedact};

use super::lane::Lane;
use super::writer::{AmendJob, EntryJob};
use super::{App, Pending};
use crate::domain::actor::Actor;
use crate::domain::guard::Said;
use crate::domain::log::{Event, Log, LogEntry};
use crate::domain::message::{self, Amending, Body, By, Reason, post as decide};
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;
use crate::store::{Intent, Write};

/// `message.post`.
pub fn post(
    app: &App,
    actor: &Actor,
    intent: Intent,
    (command, said): (MessagePost, Said),
    lane: Option<Arc<Lane>>,
) -> Pending {
    let body = match Body::parse("body", command.body) {
        Ok(body) => body,
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    let by = By { user: actor.user.clone(), client_id: intent.client_id, contact: app.policy.contact, said };
    app.writer.append(EntryJob {
        write: Write { log: Log::named(command.room, &actor.user), intent },
        decide: Box::new(move |room| decide(room, &by, &body)),
        lane,
    })
}

/// `message.edit`.
pub fn edit(app: &App, actor: &Actor, intent: Intent, command: MessageEdit, said: Said) -> Pending {
    let body = match Body::parse("body", command.body) {
        Ok(body) => body,
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    amend(app, actor, intent, (command.room, command.seq), said, move |room, target, by| {
        message::edit(room, target, by, &body)
    })
}

/// `message.redact`.
pub fn redact(app: &App, actor: &Actor, intent: Intent, command: MessageRedact, said: Said) -> Pending {
    let reason = match Reason::parse(command.reason) {
        Ok(reason) => reason,
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    amend(app, actor, intent, (command.room, command.seq), said, move |room, target, by| {
        message::redact(room, target, by, &reason)
    })
}

/// Hands the writer an amendment of the entry of this number.
fn amend(
    app: &App,
    actor: &Actor,
    intent: Intent,
    (room, target): (RoomRef, u64),
    said: Said,
    decide: impl Fn(&Room, Option<&LogEntry>, &Amending) -> Result<Event, Refusal> + Send + Sync + 'static,
) -> Pending {
    let (actor, policy, client_id) = (actor.clone(), app.policy.clone(), intent.client_id);
    app.writer.amend(AmendJob {
        write: Write { log: Log::named(room, &actor.user), intent },
        target,
        decide: Box::new(move |room, target, now| {
            let (actor, policy, said) = (actor.clone(), policy.clone(), said.clone());
            let by = Amending { actor, client_id, now, policy, said };
            decide(room, target, &by)
        }),
    })
}
