//! Ids. To a client all of them are opaque strings.
//!
//! The marketplace's own ids ([`UserId`], [`JobId`]) are its strings; ids made by the server are UUIDs (version 7, so that they sort
//! by birth); a [`ClientId`] is a UUID made by the author of a command.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a string is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The marketplace's ids are 1 to 64 visible ASCII characters without `/`, `"` and `\`.
    #[error("an id is 1 to 64 visible ASCII characters without slash, backslash or quote")]
    Name,
    /// Ids made by the server and by clients are UUIDs.
    #[error("an id of this kind is a UUID")]
    Uuid,
}

/// Characters of a marketplace's id.
const NAME_LENGTH: usize = 64;

fn is_name(text: &str) -> bool {
    (1..=NAME_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'"' | b'\\'))
}

macro_rules! name_id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as the marketplace wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(IdError::Name) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!($($doc,)*).trim_ascii(),
                    "type": "string",
                    "minLength": 1,
                    "maxLength": NAME_LENGTH,
                    "pattern": r"^[!#-.0-\[\]-~]+$",
                })
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self).map_err(|_| IdError::Uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!($($doc,)*).trim_ascii(),
                    "type": "string",
                    "format": "uuid",
                })
            }
        }
    };
}

name_id! {
    /// A person, by the id the marketplace gave.
    UserId
}
name_id! {
    /// A client's posting, by the id the marketplace gave.
    JobId
}
name_id! {
    /// A way to compute fees, by the id the marketplace gave.
    FeeScheduleId
}
name_id! {
    /// An address that is told events, by the id the marketplace gave.
    WebhookId
}
name_id! {
    /// A contract: the id the marketplace gave, or one made here.
    ContractId
}
uuid_id! {
    /// One log: the message room of a candidacy, or a person's inbox.
    RoomId
}
uuid_id! {
    /// One invitation to interview.
    InvitationId
}
uuid_id! {
    /// One answer of a freelancer to a job.
    ProposalId
}
uuid_id! {
    /// One freelancer's case on one job.
    CandidacyId
}
uuid_id! {
    /// One offer of a client's.
    OfferId
}
uuid_id! {
    /// One report to the marketplace.
    ReportId
}
uuid_id! {
    /// What an author made once for one intention: the idempotency key of every command.
    ClientId
}

/// How a frame or a route names a log: a room's id, or `inbox` for one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoomRef {
    /// The reader's own log of invitations and candidacies.
    Inbox,
    /// The message room of a candidacy.
    Room(RoomId),
}

/// The word that names a person's own inbox wherever a room is named.
pub const INBOX: &str = "inbox";

impl FromStr for RoomRef {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == INBOX { Ok(Self::Inbox) } else { text.parse().map(Self::Room) }
    }
}

impl fmt::Display for RoomRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inbox => f.write_str(INBOX),
            Self::Room(id) => id.fmt(f),
        }
    }
}

impl JsonSchema for RoomRef {
    fn schema_name() -> Cow<'static, str> {
        "RoomRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A log: the id of a room, or `inbox` for the reader's own.",
            "anyOf": [{ "const": INBOX }, { "type": "string", "format": "uuid" }],
        })
    }
}

impl RoomRef {
    /// The schema of names of properties that are references.
    pub(crate) fn names() -> Schema {
        json_schema!({ "anyOf": [{ "const": INBOX }, { "format": "uuid" }] })
    }
}

impl Serialize for RoomRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RoomRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marketplace_id_is_short_visible_and_fits_a_path() {
        for good in ["a", "user:42", "x".repeat(64).as_str(), "Ana.B+1@example"] {
            assert!(good.parse::<UserId>().is_ok(), "{good}");
        }
        for bad in ["", "x".repeat(65).as_str(), "a b", "a/b", "ä", "a\n", "a\"", "a\\"] {
            assert_eq!(bad.parse::<UserId>(), Err(IdError::Name), "{bad:?}");
        }
    }

    #[test]
    fn a_room_is_named_by_its_id_or_the_word_inbox() {
        assert_eq!("inbox".parse(), Ok(RoomRef::Inbox));
        assert!("Inbox".parse::<RoomRef>().is_err());
        let id = RoomId(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(RoomRef::Room(id)));
    }
}
