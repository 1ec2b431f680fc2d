//! Rooms: joining a log, and how a reader sees one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::candidacy::Phase;
use crate::error::ErrorBody;
use crate::id::{CandidacyId, RoomRef, UserId};
use crate::job::JobSummary;
use crate::log::Hash;
use crate::user::Side;

/// Where a reader is in a log: in `hello.rooms` and in `join`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cursor {
    /// Which log.
    pub room: RoomRef,
    /// The number of the last entry the reader has; 0: none; absent: begin at the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The hash of that entry: proves that it is the same log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
}

/// What follows a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinMode {
    /// Nothing was missed.
    Live,
    /// What was missed follows as entries.
    Resumed,
    /// Too much was missed: a `gap` frame names it.
    Gap,
    /// The cursor is not of this log: a `reset` frame follows.
    Reset,
}

impl JoinMode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Resumed => "resumed",
            Self::Gap => "gap",
            Self::Reset => "reset",
        }
    }
}

/// The answer to one join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// Which log.
    pub room: RoomRef,
    /// The number of its last entry at that moment.
    pub head: u64,
    /// What follows.
    pub mode: JoinMode,
}

/// The answer to one cursor of `hello`: joined, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum JoinResult {
    /// The socket reads this log now.
    Joined(Joined),
    /// It does not.
    Refused {
        /// Which log.
        room: RoomRef,
        /// Why not.
        error: ErrorBody,
    },
}

/// One room as a member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomView {
    /// Its id.
    pub room: RoomRef,
    /// The candidacy it belongs to.
    pub candidacy: CandidacyId,
    /// The candidacy's phase: says who may write.
    pub phase: Phase,
    /// The job.
    pub job: JobSummary,
    /// Who is in it.
    pub members: Vec<MemberView>,
    /// The number of its last entry.
    pub head: u64,
    /// The entry this view is true at (equal to `head`).
    pub as_of: u64,
    /// What the others see of the reader: the last entry that was read.
    #[serde(default)]
    pub read: u64,
    /// The reader's own marker: what stands behind it counts as unread.
    #[serde(default)]
    pub marker: u64,
    /// How many messages and terms of others stand behind it.
    #[serde(default)]
    pub unread: u64,
}

/// A log of one's own that has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomChange {
    /// Which log.
    pub room: RoomRef,
    /// The number of its last entry.
    pub head: u64,
    /// How many messages and terms of others are unread in it.
    pub unread: u64,
}

/// The answer of `GET /v1/changes`: which logs have grown since a cursor, the one that waited longest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The logs.
    pub items: Vec<RoomChange>,
    /// What the next question is asked with. Opaque.
    pub cursor: String,
    /// Whether there are more, from `cursor` on.
    pub has_more: bool,
    /// The cursor asked with is not of this database (it was restored): drop everything; these are all logs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// One person in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberView {
    /// Who.
    pub user: UserId,
    /// The name others see.
    pub name: String,
    /// The side the person is on.
    pub side: Side,
    /// The last entry the person has read.
    #[serde(default)]
    pub read: u64,
    /// The last entry that has reached one of the person's devices.
    #[serde(default)]
    pub delivered: u64,
}
