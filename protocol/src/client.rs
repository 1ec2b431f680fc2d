//! Frames from a client, and how text becomes one.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::command::Command;
use crate::error::ErrorCode;
use crate::id::{ClientId, RoomRef};
use crate::limits;
use crate::marker::Mark;
use crate::room::Cursor;
use crate::time::Time;

/// One frame from a client, without its `id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// Who I am and where I was. The first frame, once.
    Hello(Hello),
    /// Read a log from a position on.
    Join(Cursor),
    /// Read it no more.
    Leave(Leave),
    /// Are you there? And this is how far I am.
    Ping(Ping),
    /// I have a new token.
    Refresh(Refresh),
    /// I have read this far, for all to see.
    Read(Mark),
    /// For me alone: from here on it is unread.
    MarkUnread(Mark),
    /// I am writing.
    Typing(Typing),
    /// Do something and keep it.
    Command(Envelope, Command),
}

/// What a command comes in: whose intention it is, and whether its author means it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// The author's id for it.
    pub client_id: ClientId,
    /// Whether contact information that a text gives away is meant, where that is only warned of (`contact_unconfirmed`).
    pub confirmed: bool,
}

impl From<ClientId> for Envelope {
    fn from(client_id: ClientId) -> Self {
        Self { client_id, confirmed: false }
    }
}

/// `hello`: authenticates and resumes in one frame.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// A JSON Web Token of the marketplace. Absent: the one that the upgrade carried as `Authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The logs to read, at most [`limits::HELLO_ROOMS`], each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::HELLO_ROOMS))]
    pub rooms: Vec<Cursor>,
    /// The `changes_cursor` of the last `welcome` or page of changes: asks which logs have grown since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_after: Option<String>,
    /// What the client calls itself, for the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// Without the token, which must not reach a log.
impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("rooms", &self.rooms)
            .field("changes_after", &self.changes_after)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// `ping`: a sign of life, and what the client has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Ping {
    /// The number of the last entry the client has, for at most [`limits::PING_HEADS`] of the logs it reads. What the server has not
    /// sent yet follows, and the other side learns that its entries have arrived.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = limits::PING_HEADS, "propertyNames" = RoomRef::names()))]
    pub heads: BTreeMap<RoomRef, u64>,
}

/// `refresh`: a new token for the open socket, of the same person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refresh {
    /// A JSON Web Token of the marketplace.
    pub token: String,
}

/// The answer to `refresh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefreshAnswer {
    /// When the new token ends, and the socket with it.
    pub token_expires_at: Time,
}

/// Without the token, which must not reach a log.
impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}

/// `typing`: shown to the others in the room for [`limits::TYPING_MS`]. Never kept, and the first thing to be dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Typing {
    /// Where; a room this socket reads.
    pub room: RoomRef,
}

/// `leave`: this socket reads a log no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leave {
    /// Which log.
    pub room: RoomRef,
}

/// Why a text is not a frame. The `id` is there when it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The frame's `id`, to answer to.
    pub id: Option<String>,
    /// `bad_frame`, `unknown_type` or `bad_request`.
    pub code: ErrorCode,
    /// What is wrong, for the client's author.
    pub detail: String,
}

/// What all frames have, each part as it stands: one that cannot be read must not hide the others.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    client_id: Option<&'a RawValue>,
    #[serde(borrow)]
    confirmed: Option<&'a RawValue>,
}

/// Reads one text frame: its `id` and what it says.
///
/// # Errors
/// `bad_frame` when it is not a JSON object with a `type`, `unknown_type`, or `bad_request` when a field is missing or wrong.
pub fn decode(text: &str) -> Result<(Option<String>, ClientFrame), DecodeError> {
    let broken = |id, detail| DecodeError { id, code: ErrorCode::BadFrame, detail };
    if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return Err(broken(None, "a frame is a JSON object".into()));
    }
    let head: Head<'_> =
        serde_json::from_str(text).map_err(|error| broken(None, format!("not a frame: {error}")))?;
    let id = frame_id(head.id).map_err(|detail| broken(None, detail))?;
    let Some(kind) = head.kind.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()) else {
        return Err(broken(id, "a frame has a type, a string".into()));
    };
    match payload(&kind, &head, text) {
        Ok(frame) => Ok((id, frame)),
        Err((code, detail)) => Err(DecodeError { id, code, detail }),
    }
}

fn frame_id(raw: Option<&RawValue>) -> Result<Option<String>, String> {
    let Some(raw) = raw else { return Ok(None) };
    match serde_json::from_str::<String>(raw.get()) {
        Ok(id) if (1..=limits::FRAME_ID_BYTES).contains(&id.len()) => Ok(Some(id)),
        _ => Err(format!("an id is a string of 1 to {} bytes", limits::FRAME_ID_BYTES)),
    }
}

fn payload(kind: &str, head: &Head<'_>, text: &str) -> Result<ClientFrame, (ErrorCode, String)> {
    let wrong = |error: serde_json::Error| (ErrorCode::BadRequest, format!("{kind}: {error}"));
    match kind {
        "hello" => serde_json::from_str(text).map(ClientFrame::Hello).map_err(wrong),
        "join" => serde_json::from_str(text).map(ClientFrame::Join).map_err(wrong),
        "leave" => serde_json::from_str(text).map(ClientFrame::Leave).map_err(wrong),
        "ping" => serde_json::from_str(text).map(ClientFrame::Ping).map_err(wrong),
        "refresh" => serde_json::from_str(text).map(ClientFrame::Refresh).map_err(wrong),
        "read" => serde_json::from_str(text).map(ClientFrame::Read).map_err(wrong),
        "mark_unread" => serde_json::from_str(text).map(ClientFrame::MarkUnread).map_err(wrong),
        "typing" => serde_json::from_str(text).map(ClientFrame::Typing).map_err(wrong),
        _ => {
            let Some(command) = Command::decode(kind, text) else {
                return Err((
                    ErrorCode::UnknownType,
                    format!("no frame has the type {:?}", kind.chars().take(64).collect::<String>()),
                ));
            };
            let command = command.map_err(wrong)?;
            let client_id =
                head.client_id.and_then(|raw| serde_json::from_str(raw.get()).ok()).ok_or_else(|| {
                    (ErrorCode::BadRequest, format!("{kind}: a command needs a client_id, a UUID"))
                })?;
            let confirmed = head.confirmed.map_or(Ok(None), |raw| serde_json::from_str(raw.get()));
            let confirmed = confirmed
                .map_err(|_| (ErrorCode::BadRequest, format!("{kind}: confirmed is true or false")))?
                .unwrap_or(false);
            Ok(ClientFrame::Command(Envelope { client_id, confirmed }, command))
        }
    }
}

/// The types a client can send beside the commands.
pub const CONTROL_TYPES: [&str; 8] =
    ["hello", "join", "leave", "ping", "refresh", "read", "mark_unread", "typing"];

impl ClientFrame {
    /// The `type` on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Join(_) => "join",
            Self::Leave(_) => "leave",
            Self::Ping(_) => "ping",
            Self::Refresh(_) => "refresh",
            Self::Read(_) => "read",
            Self::MarkUnread(_) => "mark_unread",
            Self::Typing(_) => "typing",
            Self::Command(_, command) => command.name(),
        }
    }

    /// The frame as text, for those who write clients in Rust.
    pub fn encode(&self, id: Option<&str>) -> String {
        #[derive(Serialize)]
        struct Out<'a, T> {
            #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
            kind: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            client_id: Option<ClientId>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            confirmed: bool,
            #[serde(flatten)]
            payload: T,
        }
        let kind = Some(self.name());
        let text = match self {
            Self::Hello(payload) => {
                serde_json::to_string(&Out { kind, id, client_id: None, confirmed: false, payload })
            }
            Self::Join(payload) => {
                serde_json::to_string(&Out { kind, id, client_id: None, confirmed: false, payload })
            }
            Self::Leave(payload) => {
                serde_json::to_string(&Out { kind, id, client_id: None, confirmed: false, payload })
            }
            Self::Ping(payload) => {
                serde_json::to_string(&Out { kind, id, client_id: None, confirmed: false, payload })
            }
            Self::Refresh(payload) => {
                serde_json::to_string(&Out { kind, id, client_id: None, confirmed: false, payload })
            }
            Self::Read(payload) | Self::MarkUnread(payload) => {
                serde_json::to_string(&Out { kind, id, client_id: None, confirmed: false, payload })
            }
            Self::Typing(payload) => {
                serde_json::to_string(&Out { kind, id, client_id: None, confirmed: false, payload })
            }
            Self::Command(Envelope { client_id, confirmed }, payload) => {
                let (client_id, confirmed) = (Some(*client_id), *confirmed);
                serde_json::to_string(&Out { kind: None, id, client_id, confirmed, payload })
            }
        };
        text.expect("a frame of strings and numbers can be written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ping() -> ClientFrame {
        ClientFrame::Ping(Ping::default())
    }

    fn refusal(text: &str) -> (ErrorCode, Option<String>) {
        let error = decode(text).expect_err("no frame");
        (error.code, error.id)
    }

    #[test]
    fn a_part_that_cannot_be_read_hides_no_other_part() {
        let seven = || Some("7".to_owned());
        assert_eq!(refusal(r#"{"id":"7"}"#), (ErrorCode::BadFrame, seven()));
        assert_eq!(refusal(r#"{"id":"7","type":1}"#), (ErrorCode::BadFrame, seven()));
        assert_eq!(refusal(r#"{"id":"7","type":"dance"}"#), (ErrorCode::UnknownType, seven()));
        for client_id in ["", r#","client_id":null"#, r#","client_id":"x""#, r#","client_id":[5]"#] {
            let text = format!(r#"{{"id":"7","type":"message.post","room":"inbox","body":"x"{client_id}}}"#);
            assert_eq!(refusal(&text), (ErrorCode::BadRequest, seven()), "{text}");
        }
    }

    #[test]
    fn only_an_object_is_a_frame() {
        for text in [r#"["ping"]"#, r#"["ping","7",null]"#, r#""ping""#, "null", "", " ", "{", "{} {}"] {
            assert_eq!(refusal(text), (ErrorCode::BadFrame, None), "{text}");
        }
        assert_eq!(decode("\n\t {\"type\":\"ping\"} \r"), Ok((None, ping())));
    }

    #[test]
    fn an_id_may_be_absent_null_or_written_with_escapes_and_nothing_longer_than_its_bound() {
        assert_eq!(decode(r#"{"type":"ping","id":null}"#), Ok((None, ping())));
        let escaped = r#"{"type":"\u0070ing","id":"\u00e4\n\""}"#;
        assert_eq!(decode(escaped), Ok((Some("ä\n\"".into()), ping())));
        let longest = "x".repeat(limits::FRAME_ID_BYTES);
        assert!(decode(&format!(r#"{{"type":"ping","id":"{longest}"}}"#)).is_ok());
        for id in [r#""""#, "7", "[]", r#""\ud800""#, &format!("\"{longest}x\"")] {
            assert_eq!(
                refusal(&format!(r#"{{"type":"ping","id":{id}}}"#)),
                (ErrorCode::BadFrame, None),
                "{id}"
            );
        }
    }
}
