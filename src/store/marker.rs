//! Markers at the port: what is asked to be moved, and where it stands afterwards.

use std::sync::Arc;

use anteroom_protocol::id::UserId;

use crate::domain::log::Log;

/// How far somebody says to be in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// This entry has arrived.
    Delivered(u64),
    /// It was read.
    Read(u64),
    /// It is to count as unread, with all that follows; for the reader alone.
    Unread(u64),
}

/// A marker to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// In which log.
    pub log: Log,
    /// Whose.
    pub user: UserId,
    /// Where to.
    pub place: Place,
}

/// Where a marker stands after it was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// How far the person is, for all to see.
    pub reach: Reach,
    /// The person's own: what stands behind it counts as unread.
    pub marker: u64,
    /// How many entries of others that count stand behind it.
    pub unread: u64,
    /// Whether anything moved.
    pub moved: bool,
    /// The log's people.
    pub readers: Arc<[UserId]>,
}

/// How far somebody is in a log, for the others of the log to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Who.
    pub user: UserId,
    /// The last entry that arrived.
    pub delivered: u64,
    /// The last entry that was read.
    pub read: u64,
}
