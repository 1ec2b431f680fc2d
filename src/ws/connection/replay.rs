//! Entries that do not come through the outbox: what was missed before a join, and what a slow socket could not take. They are read page by
//! page beside everything else the connection does, and the logs take turns.

use anteroom_protocol::close::CloseCode;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use super::super::greeting::Ended;
use super::super::session::Stretch;
use super::Connection;
use crate::domain::log::LogEntry;
use crate::store::{PageSize, Range, StoreError};
use crate::wire::to_wire::frame_text;

/// What is read at a time. A page waits for its socket in memory, so it is small.
const PAGE: PageSize = PageSize { entries: 200, bytes: 64 * 1024 };

/// A page and the stretch it begins.
pub(super) type Read = (Stretch, Result<Vec<LogEntry>, StoreError>);

/// A page on its way from the database. A task of its own: what waits in this socket is looked after only between two of its turns, and a
/// turn to read that was given to somebody who does not look after it is given to nobody else.
pub(super) type Reading = AbortOnDropHandle<Read>;

/// The page that is on its way; for ever, when there is none.
pub(super) async fn page(reading: &mut Option<Reading>) -> Result<Read, JoinError> {
    match reading {
        Some(page) => page.await,
        None => std::future::pending().await,
    }
}

impl Connection {
    /// Asks for the next page, unless one is on its way.
    pub(super) fn read_on(&mut self) {
        if self.reading.is_some() {
            return;
        }
        let Some(stretch) = self.session.next_owed() else { return };
        let door = self.door.clone();
        let read = async move {
            let entries = u32::try_from(stretch.count).unwrap_or(u32::MAX).min(PAGE.entries);
            // For the reading alone: a socket that does not take what was read must not keep others from reading.
            let _permit = door.resume_permit().await;
            let size = PageSize { entries, ..PAGE };
            let page = door.app.store.entries(&stretch.log, Range::After(stretch.after), size).await;
            (stretch, page)
        };
        self.reading = Some(AbortOnDropHandle::new(tokio::spawn(read)));
    }

    /// Sends a page, unless its log was left or joined anew meanwhile.
    pub(super) async fn on_page(&mut self, read: Result<Read, JoinError>) -> Result<(), Ended> {
        self.reading = None;
        // A reading that panicked has been told of where it did.
        let (stretch, page) = read.map_err(|_| CloseCode::Internal)?;
        let page = page.map_err(|error| {
            tracing::error!(%error, "cannot read a log");
            CloseCode::Internal
        })?;
        if let Some(audience) = self.session.read(&stretch) {
            if page.is_empty() {
                tracing::error!(log = %stretch.log, after = stretch.after, "a log ends before its head");
                return Err(CloseCode::Internal.into());
            }
            for entry in &page {
                self.give(entry, frame_text(entry, audience)).await?;
                // Whoever was removed reads no further.
                if self.session.cursor(&stretch.log).is_none() {
                    break;
                }
            }
        }
        self.session.rest_owed(stretch.log);
        Ok(())
    }
}
