//! What other systems are told: the entries of all logs, in the order of all commits.

use anteroom_protocol::event::EventCase;
use async_trait::async_trait;

use crate::domain::log::LogEntry;
use crate::store::{PageSize, Position, StoreError};

/// An entry, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The entry.
    pub entry: LogEntry,
    /// The case that its room is of; an inbox is of none.
    pub case: Option<EventCase>,
    /// Where it stands in its log.
    pub at: LogPlace,
}

/// The place of an entry, in its adapter's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogPlace {
    /// The log.
    pub log: LogKey,
    /// The entry's number.
    pub seq: u64,
}

/// A log, in its adapter's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogKey(pub(in crate::store) i64);

/// A page of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// The entries. Those of one log stand in its order.
    pub items: Vec<Told>,
    /// The place behind the last of them, or, where there are none, the one that was asked about.
    pub position: Position,
    /// Whether there are more.
    pub has_more: bool,
    /// The place that was asked about is not of this database: these are the first ones.
    pub reset: bool,
}

/// This part of the port.
#[async_trait]
pub trait Feed: Send + Sync + 'static {
    /// The entries behind this place; without one, from the beginning. Each is told once: what is not settled yet is told when it is, and nothing
    /// ever comes in before what was told.
    async fn events(&self, after: Option<Position>, size: PageSize) -> Result<Events, StoreError>;
}
