//! Reading rooms and inboxes.

use anteroom_protocol::entry::EntryPage;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::room::RoomView;

use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::log::Log;
use crate::domain::refusal::Refusal;
use crate::store::{Page, Range};
use crate::wire::to_wire::{Audience, entry_frame};

/// One of the reader's rooms. An inbox is no room.
pub async fn get(app: &App, actor: &Actor, room: RoomRef) -> Result<RoomView, AppError> {
    let view = match room {
        RoomRef::Room(id) => app.store.room(&actor.user, id).await?,
        RoomRef::Inbox => None,
    };
    view.ok_or(AppError::Refused(Refusal::NotFound))
}

/// The reader's rooms.
pub async fn list(app: &App, actor: &Actor, page: Page<RoomId>) -> Result<Vec<RoomView>, AppError> {
    Ok(app.store.rooms(&actor.user, page).await?)
}

/// A page of one of the reader's logs.
pub async fn entries(
    app: &App,
    actor: &Actor,
    room: RoomRef,
    (range, limit): (Range, u32),
    proof: bool,
) -> Result<EntryPage, AppError> {
    let log = Log::named(room, &actor.user);
    let access = app.store.access(&actor.user, &[(log.clone(), 0)]).await?;
    let access = access.into_iter().next().flatten().ok_or(AppError::Refused(Refusal::NotFound))?;
    // One more than asked for tells whether there are more.
    let mut entries = app.store.entries(&log, range, limit + 1).await?;
    let has_more = entries.len() > limit as usize;
    if has_more {
        match range {
            Range::After(_) => drop(entries.pop()),
            Range::Before(_) => drop(entries.remove(0)),
        }
    }
    // A commit may have come between the two questions.
    let head = entries.last().map_or(access.head.seq, |last| last.seq.max(access.head.seq));
    let audience = Audience::of(access.side);
    let items = entries.iter().map(|entry| entry_frame(entry, audience, proof)).collect();
    Ok(EntryPage { items, head, has_more })
}
