//! What happened, for other systems that ask.

use anteroom_protocol::event::{EventAudience, EventPage};

use super::cursor::Purpose;
use super::{App, AppError};
use crate::store::{Events, PageSize};
use crate::wire::event::of_entry;

/// Bytes of the parts in one page of events.
const PAGE_BYTES: usize = 512 * 1024;

/// What happened behind this cursor, for this audience. A page may have fewer events than entries were looked at, or none.
pub async fn list(
    app: &App,
    after: Option<&str>,
    audience: EventAudience,
    limit: u32,
) -> Result<EventPage, AppError> {
    let asked = after.map(|cursor| app.cursors.open(Purpose::Events, cursor));
    // One that was not sealed here is of another database, as far as anybody can tell: everything is told.
    let foreign = asked == Some(None);
    let size = PageSize { entries: limit, bytes: PAGE_BYTES };
    let Events { items, position, has_more, reset } = app.store.events(asked.flatten(), size).await?;
    let items = items.iter().filter_map(|told| of_entry(&told.entry, told.case.as_ref(), audience)).collect();
    let cursor = app.cursors.seal(Purpose::Events, position);
    Ok(EventPage { items, cursor, has_more, reset: reset || foreign })
}
