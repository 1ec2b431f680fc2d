//! Read markers: how far somebody is in a log.

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::marker::{Mark as MarkFrame, MarkAnswer};
use anteroom_protocol::server::{Receipt, ServerFrame};

use super::{App, AppError, COMMIT_DEADLINE};
use crate::domain::actor::Actor;
use crate::domain::log::Log;
use crate::hub::Hub;
use crate::hub::outbox::News;
use crate::store::{Mark, Marked, Place, Reach};

/// `read`.
pub fn read(
    app: &App,
    actor: &Actor,
    mark: &MarkFrame,
) -> impl Future<Output = Result<MarkAnswer, AppError>> + Send + use<> {
    go(app, actor, mark.room, Place::Read(mark.seq))
}

/// `mark_unread`.
pub fn mark_unread(
    app: &App,
    actor: &Actor,
    mark: &MarkFrame,
) -> impl Future<Output = Result<MarkAnswer, AppError>> + Send + use<> {
    go(app, actor, mark.room, Place::Unread(mark.seq))
}

/// A client has this entry. Nobody waits for the outcome: what does not get into the database is said again by the next ping.
pub fn delivered(app: &App, actor: &Actor, log: Log, seq: u64) {
    let mark = Mark { log, user: actor.user.clone(), place: Place::Delivered(seq) };
    drop(app.writer.mark(mark));
}

fn go(
    app: &App,
    actor: &Actor,
    room: RoomRef,
    place: Place,
) -> impl Future<Output = Result<MarkAnswer, AppError>> + Send + use<> {
    let mark = Mark { log: Log::named(room, &actor.user), user: actor.user.clone(), place };
    // It is with the writer when this returns, in the order in which it was given.
    let receiver = app.writer.mark(mark);
    async move {
        let outcome = tokio::time::timeout(COMMIT_DEADLINE, receiver?).await;
        let outcome = outcome.map_err(|_| AppError::Unknown("the commit takes too long".into()))?;
        let Marked { reach, marker, unread, .. } =
            outcome.map_err(|_| AppError::Unknown("the writer has ended".into()))??;
        Ok(MarkAnswer { room, read: reach.read, marker, unread })
    }
}

/// Tells the log's people how far one of them is: the others what is for them, the person's own sockets all of it.
pub fn tell(hub: &Hub, mark: &Mark, marked: &Marked) {
    if !marked.moved {
        return;
    }
    let room = mark.log.reference();
    let own = receipt(room, &marked.reach, Some(marked.marker));
    hub.news_everywhere(std::slice::from_ref(&mark.user), &mark.log, &own);
    if !matches!(mark.place, Place::Unread(_)) {
        let others: Vec<_> = marked.readers.iter().filter(|reader| **reader != mark.user).cloned().collect();
        hub.news_everywhere(&others, &mark.log, &receipt(room, &marked.reach, None));
    }
}

/// What others, or with the marker the person alone, are told.
pub fn receipt(room: RoomRef, reach: &Reach, marker: Option<u64>) -> News {
    let Reach { user, delivered, read } = reach.clone();
    News::new(user.clone(), ServerFrame::Receipt(Receipt { room, user, delivered, read, marker }))
}
