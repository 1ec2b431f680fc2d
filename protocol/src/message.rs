//! Messages: the words two people write.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RoomRef;
use crate::limits;
use crate::log::Hash;
use crate::time::Time;

/// `message.post`: one message into a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessagePost {
    /// The room to write into.
    pub room: RoomRef,
    /// The text, kept byte for byte: 1 to 8,192 bytes, not only white space, no control characters but tab and line ends.
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub body: String,
}

/// `message.edit`: another text for one's own message, while the policy's window lasts. The versions before it are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageEdit {
    /// The room it stands in.
    pub room: RoomRef,
    /// The number of the message.
    pub seq: u64,
    /// The new text, under the rules of a message.
    #[schemars(length(min = 1, max = limits::BODY_BYTES))]
    pub body: String,
}

/// `message.redact`: the text of a message and of its edits is deleted for ever; number, digest and chain stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRedact {
    /// The room it stands in.
    pub room: RoomRef,
    /// The number of the message.
    pub seq: u64,
    /// Why, for all to read: 1 to 500 bytes in one line.
    #[schemars(length(min = 1, max = limits::REASON_BYTES))]
    pub reason: String,
}

/// The answer to every command on messages: the entry it wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageAnswer {
    /// The room.
    pub room: RoomRef,
    /// The number of the entry.
    pub seq: u64,
    /// When it was committed.
    pub at: Time,
    /// The hash of the entry.
    pub hash: Hash,
}
