//! Reading rooms and inboxes.

use anteroom_protocol::entry::EntryPage;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::limits;
use anteroom_protocol::room::{Changes, RoomView};

use super::cursor::Purpose;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::log::Log;
use crate::domain::refusal::Refusal;
use crate::store::{CaseKey, Growth, Page, PageSize, Range};
use crate::wire::to_wire::{Audience, entry_frame};

/// Bytes of the parts in one page of entries.
const PAGE_BYTES: usize = 512 * 1024;

/// The reader's logs that have grown since a cursor.
pub async fn changes(
    app: &App,
    actor: &Actor,
    after: Option<&str>,
    limit: Option<u32>,
) -> Result<Changes, AppError> {
    let limit = limit.unwrap_or(limits::CHANGES).clamp(1, limits::CHANGES);
    let asked = after.map(|cursor| app.cursors.open(Purpose::Changes, cursor));
    // One that was not sealed here is of another database, as far as anybody can tell: everything is told.
    let foreign = asked == Some(None);
    let Growth { items, position, has_more, reset } =
        app.store.changes(&actor.user, asked.flatten(), limit).await?;
    let cursor = app.cursors.seal(Purpose::Changes, position);
    Ok(Changes { items, cursor, has_more, reset: reset || foreign })
}

/// What a `welcome` says of changes: since the cursor, or, without one, only where to begin from now.
pub async fn changes_at_hello(app: &App, actor: &Actor, after: Option<&str>) -> Result<Changes, AppError> {
    match after {
        Some(_) => changes(app, actor, after, None).await,
        None => {
            let cursor = app.cursors.seal(Purpose::Changes, app.store.changes_end().await?);
            Ok(Changes { items: Vec::new(), cursor, has_more: false, reset: false })
        }
    }
}

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

/// The room of this case, if it has one and it is the reader's.
pub async fn of_case(app: &App, actor: &Actor, key: &CaseKey) -> Result<Option<RoomView>, AppError> {
    match app.store.room_of(key).await? {
        Some(room) => Ok(app.store.room(&actor.user, room).await?),
        None => Ok(None),
    }
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
    let size = PageSize { entries: limit, bytes: PAGE_BYTES };
    let entries = app.store.entries(&log, range, size).await?;
    // A commit may have come between the two questions.
    let head = entries.last().map_or(access.head.seq, |last| last.seq.max(access.head.seq));
    // Numbers have no holes.
    let has_more = match (range, entries.first(), entries.last()) {
        (Range::After(_), _, Some(last)) => last.seq < head,
        (Range::Before(_), Some(first), _) => first.seq > 1,
        (Range::After(_) | Range::Before(_), _, _) => false,
    };
    let audience = Audience::of(&log, access.side);
    let items = entries.iter().map(|entry| entry_frame(entry, audience, proof)).collect();
    Ok(EntryPage { items, head, has_more })
}
