//! Looking back: what was written since a moment, by whomever. What nobody was told of is found so.

use anteroom_protocol::id::UserId;

use crate::domain::log::Log;
use crate::store::Position;

/// A log that has grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grown {
    /// Which.
    pub log: Log,
    /// Its first entry of that time.
    pub from: u64,
    /// Its last.
    pub to: u64,
}

/// What was written since a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookBack {
    /// Logs that have grown.
    pub logs: Vec<Grown>,
    /// People whose account, or which of whose tokens count, has changed.
    pub people: Vec<UserId>,
    /// Where the next look begins.
    pub position: Position,
}
