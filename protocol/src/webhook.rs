//! Webhooks: addresses of other systems that are told every event, signed as Standard Webhooks has it.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::EventAudience;
use crate::id::{UserId, WebhookId};
use crate::limits;
use crate::time::Time;

/// The body of `PUT /v1/webhooks/{webhook}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDraft {
    /// Where events are posted to: `https://…`, at an address that everybody can reach. No redirect is followed.
    #[schemars(length(min = 1, max = limits::URL_BYTES))]
    pub url: String,
    /// For whom; absent: for the marketplace, which is told everything.
    #[serde(default)]
    pub audience: EventAudience,
    /// Only events of these types; a `*` at the end stands for anything. Absent or empty: all.
    #[serde(default)]
    #[schemars(length(max = limits::WEBHOOK_TYPES))]
    pub types: Vec<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TITLE_BYTES))]
    pub description: Option<String>,
    /// In whose inbox it is said when the webhook is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<UserId>,
    /// Nothing is sent while this is set, and nothing is lost.
    #[serde(default)]
    pub paused: bool,
    /// Where a new webhook begins: behind the place of this cursor of `GET /v1/events`. Absent: with what happens from now on. Without
    /// meaning for a webhook that is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Whether a webhook is sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It is.
    Active,
    /// The marketplace has paused it.
    Paused,
    /// It failed for too long, or said that it is gone. `POST /v1/webhooks/{webhook}/resume` goes on where it stopped.
    Disabled,
}

/// A webhook as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookView {
    /// Its id.
    pub id: WebhookId,
    /// Where it is.
    pub url: String,
    /// For whom it is.
    pub audience: EventAudience,
    /// What it is told; empty: all.
    pub types: Vec<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// In whose inbox it is said when it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<UserId>,
    /// Whether it is sent anything.
    pub state: WebhookState,
    /// Since when nothing has got through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Time>,
    /// While it fails: when it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Time>,
    /// Why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_because: Option<String>,
    /// Logs whose next event it did not take, while it takes those of others.
    pub held_logs: u64,
    /// Events that it never took: see its deliveries.
    pub parked: u64,
}

/// What a webhook's deliveries are signed with (Standard Webhooks 1.0.0, symmetric).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookSecret {
    /// The secret: `whsec_` and 32 bytes in Base64.
    pub secret: String,
    /// After a rotation: the one before, with which is signed as well …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// … until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former_until: Option<Time>,
}

/// What came of one attempt to deliver an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// It was taken (2xx).
    Delivered,
    /// It was not; it will be tried again.
    Failed,
    /// It was not, and this was the last attempt. The log goes on without it. It can be sent again.
    Parked,
    /// It was parked, and taken when it was sent again.
    Redelivered,
}

/// The number of an attempt among those of its webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DeliveryNumber(pub u64);

impl FromStr for DeliveryNumber {
    type Err = ParseIntError;
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for DeliveryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryView {
    /// Its number.
    pub number: DeliveryNumber,
    /// The event's id.
    pub event: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event's log.
    pub subject: String,
    /// When.
    pub at: Time,
    /// How long the answer took, in milliseconds.
    pub took_ms: u64,
    /// Which attempt at this event it was, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: DeliveryOutcome,
    /// The status that was answered, if any was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why no answer came, if none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The beginning of what was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Whether it waits to be sent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// What is sent out by itself, and can be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Webhooks.
    Webhooks,
    /// Push notifications.
    Push,
}

/// Whether a channel is held back: the body and the answer of `PUT /v1/outbox/{channel}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelState {
    /// Nothing is sent while this is set, and nothing is lost.
    pub paused: bool,
}

/// In the inbox of whom a webhook is to notify: it was disabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDisabled {
    /// The webhook.
    pub webhook: WebhookId,
    /// Why.
    pub because: String,
    /// Since when nothing had got through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Time>,
}
