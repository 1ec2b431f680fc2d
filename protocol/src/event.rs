//! What other systems hear: every entry of every log as one event, in the form of CloudEvents 1.0.
//!
//! A webhook is sent one event at a time, `GET /v1/events` pages of them. Each audience is told what it may know, and nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::EntryFrame;
use crate::id::{CandidacyId, JobId, RoomRef, UserId, WebhookId};
use crate::log::{Hash, to_hex};
use crate::time::Time;

/// The media type of one event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The `type` of the event that a test ping sends.
pub const PINGED: &str = "anteroom.webhook.pinged.v1";

/// For whom events are told: what stands in private parts (what a freelancer takes home) never reaches the client side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventAudience {
    /// What clients may know: rooms without private parts, and clients' inboxes.
    Client,
    /// What freelancers may know: rooms whole, and freelancers' inboxes.
    Freelancer,
    /// Everything: the marketplace's own systems.
    #[default]
    Marketplace,
}

impl EventAudience {
    /// Its word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Freelancer => "freelancer",
            Self::Marketplace => "marketplace",
        }
    }
}

/// One event (CloudEvents 1.0).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The version of CloudEvents: `1.0`.
    pub specversion: String,
    /// Its id: the same whenever, however often and to whomever it is told. Whoever has it already skips it.
    pub id: String,
    /// Where it comes from: `anteroom`.
    pub source: String,
    /// What happened: `anteroom.room.<kind>.v1` or `anteroom.inbox.<kind>.v1`, with the kind of the entry.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which log: `rooms/<id>` or `users/<id>/inbox`. Events of one log are told in its order.
    pub subject: String,
    /// When it was committed.
    pub time: Time,
    /// What `data` is: `application/json`.
    pub datacontenttype: String,
    /// What happened.
    pub data: EventData,
}

/// What an event tells.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EventData {
    /// The entry, as this audience reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryFrame>,
    /// Of an entry of an inbox: whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox_of: Option<UserId>,
    /// The case that the log, or the notice, is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<EventCase>,
    /// Of a test ping: the webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookId>,
}

/// The case that something belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventCase {
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// Its job.
    pub job: JobId,
    /// Whose job it is.
    pub client: UserId,
    /// The candidate.
    pub freelancer: UserId,
}

/// `GET /v1/events`: what happened since a place, in the order of its commits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// The events.
    pub items: Vec<Event>,
    /// What the next page is asked for with, also when there is nothing more yet. Opaque.
    pub cursor: String,
    /// Whether there is more already.
    pub has_more: bool,
    /// Whether `after` is of no place in this database (it was restored, or moved): these are events from the beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// The id of the event of an entry: of the entry's hash, so it is another one where a restored database has gone another way.
pub fn id_of(hash: &Hash) -> String {
    let (beginning, _) = hash.0.split_at(16);
    format!("evt_{}", to_hex(beginning))
}

/// The type of the event of an entry of this kind.
pub fn type_of(room: RoomRef, kind: &str) -> String {
    match room {
        RoomRef::Room(_) => format!("anteroom.room.{kind}.v1"),
        RoomRef::Inbox => format!("anteroom.inbox.{kind}.v1"),
    }
}
