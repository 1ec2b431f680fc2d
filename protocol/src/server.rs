//! Frames from the server.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::entry::EntryFrame;
use crate::error::ErrorBody;
use crate::id::{RoomRef, UserId};
use crate::limits::Limits;
use crate::room::{JoinResult, RoomChange};
use crate::time::Time;
use crate::user::Account;

/// One frame from the server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `hello`.
    Welcome(Welcome),
    /// The answer to a frame that was done.
    Ok {
        /// The `id` of the frame.
        id: String,
        /// The answer.
        data: Value,
    },
    /// The answer to a frame that was not done, or (without `id`) to something that was no frame.
    Error {
        /// The `id` of the frame, when it had one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Why not.
        error: ErrorBody,
    },
    /// One entry of a log this socket reads.
    Entry(EntryFrame),
    /// Entries this socket must page over HTTP.
    Gap {
        /// Which log.
        room: RoomRef,
        /// The first missing number.
        from: u64,
        /// The last missing number.
        to: u64,
    },
    /// Drop what you hold of this log.
    Reset {
        /// Which log; absent: all of them, with what else is kept.
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<RoomRef>,
        /// Why, for the log.
        reason: String,
    },
    /// A log of yours that this socket does not read has grown.
    Activity {
        /// Which log.
        room: RoomRef,
        /// The number of its last entry.
        head: u64,
    },
    /// I am here.
    Pong {
        /// The `id` of the ping, when it had one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The server's wall clock.
        server_time: Time,
    },
    /// What the marketplace says of your account has changed.
    Account(Account),
    /// Somebody has got or read more of a room this socket reads.
    Receipt(Receipt),
    /// Somebody is writing in a room this socket reads. Forget it after [`crate::limits::TYPING_MS`].
    Typing {
        /// Which room.
        room: RoomRef,
        /// Who.
        user: UserId,
    },
    /// Somebody of a room this socket reads has come or gone.
    Presence {
        /// Which room.
        room: RoomRef,
        /// Who.
        user: UserId,
        /// Whether a socket of that person reads the room.
        online: bool,
    },
    /// This server goes down: connect again after this time, and resume. Each socket is told another time.
    Goaway {
        /// When, in milliseconds.
        reconnect_in_ms: u64,
    },
}

/// `receipt`: how far somebody has got a room, and read it. Numbers only rise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// Which room.
    pub room: RoomRef,
    /// Who.
    pub user: UserId,
    /// The last entry that reached one of that person's devices.
    pub delivered: u64,
    /// The last entry that person has read.
    pub read: u64,
    /// To one's own sockets only: what stands behind this number counts as unread. This one may fall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<u64>,
}

/// `welcome`: the answer to `hello`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// The `id` of the hello, when it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// This connection's name in the server's log.
    pub connection: String,
    /// Who you are.
    pub user: UserId,
    /// How often the server pings, in milliseconds.
    pub heartbeat_ms: u64,
    /// When the token ends, and the socket with it.
    pub token_expires_at: Time,
    /// The server's wall clock.
    pub server_time: Time,
    /// The bounds a client must know.
    pub limits: Limits,
    /// One answer for each of the hello's rooms, in the order asked.
    pub rooms: Vec<JoinResult>,
    /// Whether you may act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// To a hello with `changes_after`: the logs that have grown since, at most [`crate::limits::CHANGES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<RoomChange>,
    /// What the next hello says as `changes_after`. Opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_cursor: Option<String>,
    /// The cursor asked with is not of this database (it was restored): drop everything. A `reset` frame without a room says it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes_reset: bool,
    /// There are more changes: ask `GET /v1/changes?after=` with the cursor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes_more: bool,
}

/// The types a server can send.
pub const TYPES: [&str; 13] = [
    "welcome", "ok", "error", "entry", "gap", "reset", "activity", "pong", "account", "receipt", "typing",
    "presence", "goaway",
];

impl ServerFrame {
    /// The frame as text.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a frame of strings and numbers can be written")
    }
}

/// Reads one text frame, for those who write clients in Rust.
///
/// Written by hand, because what serde derives for a tagged enum reads a frame through a buffer in which the untouched JSON text of
/// an entry's parts does not survive.
///
/// # Errors
/// When it is not JSON, its `type` is none of [`TYPES`], or a field is missing or wrong.
pub fn decode(text: &str) -> Result<ServerFrame, serde_json::Error> {
    let Head { kind } = serde_json::from_str(text)?;
    Ok(match &*kind {
        "welcome" => ServerFrame::Welcome(serde_json::from_str(text)?),
        "ok" => {
            let Done { id, data } = serde_json::from_str(text)?;
            ServerFrame::Ok { id, data }
        }
        "error" => {
            let Failed { id, error } = serde_json::from_str(text)?;
            ServerFrame::Error { id, error }
        }
        "entry" => ServerFrame::Entry(serde_json::from_str(text)?),
        "gap" => {
            let Missed { room, from, to } = serde_json::from_str(text)?;
            ServerFrame::Gap { room, from, to }
        }
        "reset" => {
            let Dropped { room, reason } = serde_json::from_str(text)?;
            ServerFrame::Reset { room, reason }
        }
        "activity" => {
            let Grown { room, head } = serde_json::from_str(text)?;
            ServerFrame::Activity { room, head }
        }
        "pong" => {
            let Here { id, server_time } = serde_json::from_str(text)?;
            ServerFrame::Pong { id, server_time }
        }
        "account" => ServerFrame::Account(serde_json::from_str(text)?),
        "receipt" => ServerFrame::Receipt(serde_json::from_str(text)?),
        "typing" => {
            let Writing { room, user } = serde_json::from_str(text)?;
            ServerFrame::Typing { room, user }
        }
        "presence" => {
            let Present { room, user, online } = serde_json::from_str(text)?;
            ServerFrame::Presence { room, user, online }
        }
        "goaway" => {
            let Leaving { reconnect_in_ms } = serde_json::from_str(text)?;
            ServerFrame::Goaway { reconnect_in_ms }
        }
        unknown => {
            return Err(serde_json::Error::custom(format!("no frame has the type {unknown:?}")));
        }
    })
}

/// Only for what `serde_json` reads: see [`decode`].
impl<'de> Deserialize<'de> for ServerFrame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        decode(text.get()).map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Done {
    id: String,
    data: Value,
}

#[derive(Deserialize)]
struct Failed {
    id: Option<String>,
    error: ErrorBody,
}

#[derive(Deserialize)]
struct Missed {
    room: RoomRef,
    from: u64,
    to: u64,
}

#[derive(Deserialize)]
struct Writing {
    room: RoomRef,
    user: UserId,
}

#[derive(Deserialize)]
struct Present {
    room: RoomRef,
    user: UserId,
    online: bool,
}

#[derive(Deserialize)]
struct Leaving {
    reconnect_in_ms: u64,
}

#[derive(Deserialize)]
struct Dropped {
    room: Option<RoomRef>,
    reason: String,
}

#[derive(Deserialize)]
struct Grown {
    room: RoomRef,
    head: u64,
}

#[derive(Deserialize)]
struct Here {
    id: Option<String>,
    server_time: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = concat!(
        r#"{"type":"entry","room":"inbox","seq":1,"kind":"message.posted","at":"2026-11-02T09:00:00.000000Z","#,
        r#""hash":"0000000000000000000000000000000000000000000000000000000000000000","data":{"b": 1.50, "a":"x"}}"#,
    );

    #[test]
    fn the_text_of_an_entrys_part_survives_untouched() {
        let through_serde: ServerFrame = serde_json::from_str(ENTRY).expect("an entry");
        for frame in [decode(ENTRY).expect("an entry"), through_serde] {
            let ServerFrame::Entry(entry) = &frame else { panic!("{frame:?}") };
            assert_eq!(entry.data.get(), r#"{"b": 1.50, "a":"x"}"#);
            assert_eq!(frame.encode(), ENTRY);
        }
    }

    #[test]
    fn a_frame_can_stand_inside_other_json_and_in_a_value() {
        let frames: Vec<ServerFrame> =
            serde_json::from_str(&format!("[{ENTRY},{ENTRY}]")).expect("two entries");
        let value = serde_json::to_value(&frames[0]).expect("a value");
        assert_eq!(serde_json::from_value::<ServerFrame>(value).expect("an entry"), frames[1]);
    }

    #[test]
    fn what_no_server_of_this_version_sends_is_an_error_and_no_panic() {
        for text in
            ["", "{}", "[]", r#"{"type":1}"#, r#"{"type":"dance"}"#, r#"{"type":"gap","room":"inbox"}"#]
        {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
