//! Read markers: how far a person has read a room, and what others may know of it.
//!
//! Two numbers belong to each person and log. `read` only rises and is shown to the others of the room. `marker` is the person's own:
//! what counts as unread begins behind it, and it may go back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RoomRef;

/// `read` and `mark_unread`: a place in a log. Both may be sent again at any time, so neither needs a `client_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// Which log.
    pub room: RoomRef,
    /// With `read`: the last entry that was read. With `mark_unread`: the first that is to count as unread.
    pub seq: u64,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// `read`.
    Read,
    /// `mark_unread`.
    Unread,
}

/// One row of the table of markers: its name on the socket and its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkSpec {
    /// Which it is.
    pub kind: MarkKind,
    /// The `type` on the socket.
    pub name: &'static str,
    /// The path of its `POST` route.
    pub path: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
}

/// The table. It drives the router, the documents and the access tests.
pub const MARKS: [MarkSpec; 2] = [
    MarkSpec {
        kind: MarkKind::Read,
        name: "read",
        path: "/v1/rooms/{room}/read",
        summary: "Say how far one has read, for all to see.",
    },
    MarkSpec {
        kind: MarkKind::Unread,
        name: "mark_unread",
        path: "/v1/rooms/{room}/unread",
        summary: "For oneself alone: from here on it is unread.",
    },
];

/// The answer to both: where one stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MarkAnswer {
    /// Which log.
    pub room: RoomRef,
    /// What the others see: the last entry that was read.
    pub read: u64,
    /// One's own: what stands behind this number counts as unread.
    pub marker: u64,
    /// How many messages and terms of others stand behind it.
    pub unread: u64,
}
