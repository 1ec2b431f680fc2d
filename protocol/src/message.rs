//! Messages: the words two people write.

use serde::{Deserialize, Serialize};

use crate::id::RoomRef;
use crate::log::Hash;
use crate::time::Time;

/// `message.post`: one message into a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePost {
    /// The room to write into.
    pub room: RoomRef,
    /// The text, kept byte for byte: 1 to 8,192 bytes, not only white space, no control characters but tab and line ends.
    pub body: String,
}

/// The answer to `message.post`: where the message stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAnswer {
    /// The room.
    pub room: RoomRef,
    /// The number of its entry.
    pub seq: u64,
    /// When it was committed.
    pub at: Time,
    /// The hash of its entry.
    pub hash: Hash,
}
