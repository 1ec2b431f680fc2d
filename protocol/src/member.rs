//! Further people in a room: a client's team, an agency's managers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{RoomRef, UserId};
use crate::user::Side;

/// `member.add`: one of the two sides brings somebody of its own into the room, who reads all of its history and writes from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberAdd {
    /// Which room.
    pub room: RoomRef,
    /// Whom.
    pub user: UserId,
    /// On which side: one's own, also when it is left out. The marketplace says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
}

/// `member.remove`: the side that somebody was brought in by, that person, or the marketplace ends it. Nobody removes the two whose
/// candidacy it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRemove {
    /// Which room.
    pub room: RoomRef,
    /// Whom.
    pub user: UserId,
}

/// `member.added`: from here on somebody else reads and writes. `member.removed`: the last entry that this person gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberNamed {
    /// Who.
    pub user: UserId,
    /// On which side.
    pub side: Side,
}
