//! Push notifications to browsers (Web Push: RFC 8030, 8291, 8292).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CandidacyId, InvitationId, RoomId, RoomRef};
use crate::limits;

/// The body of `POST /v1/push/subscribe`: what a browser's `PushSubscription` is in JSON. Other fields of it are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PushSubscription {
    /// Where its push service takes what is pushed.
    #[schemars(length(min = 1, max = limits::URL_BYTES))]
    pub endpoint: String,
    /// What that is encrypted with.
    pub keys: PushKeys,
    /// The subscription that this one takes the place of: `pushsubscriptionchange` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
}

/// A browser's keys, in Base64 for URLs without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PushKeys {
    /// Its public key on the curve P-256, uncompressed.
    pub p256dh: String,
    /// Its secret, 16 bytes.
    pub auth: String,
}

/// The body of `POST /v1/push/unsubscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PushUnsubscribe {
    /// Which subscription; one that is not there is no error.
    pub endpoint: String,
}

/// What a push is about. Each can be muted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushKind {
    /// A new invitation.
    Invitations,
    /// A message.
    Messages,
    /// A version of the terms.
    Terms,
    /// An offer, or a request to change one.
    Offers,
}

/// The body of `POST /v1/push/mute`: one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PushMute {
    /// Everything of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PushKind>,
    /// Everything of this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// Whether it is muted from now on.
    pub muted: bool,
}

/// `GET /v1/push`, and the answer of everything that changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PushView {
    /// What browsers subscribe with (`applicationServerKey`): the server's public key, in Base64 for URLs.
    pub key: String,
    /// How many browsers of this person are pushed to.
    pub subscriptions: u32,
    /// Kinds that are not pushed.
    pub muted_kinds: Vec<PushKind>,
    /// Rooms of which nothing is pushed.
    pub muted_rooms: Vec<RoomId>,
}

/// What is pushed, as the service worker reads it. It is a declarative push message as well, for browsers that need no service worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushMessage {
    /// Says that it is declarative: 8030.
    pub web_push: u32,
    /// What is shown.
    pub notification: PushNotification,
}

/// What is shown. The words say no more than that there is something: a lock screen is read by others, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushNotification {
    /// The line above.
    pub title: String,
    /// The line below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Where one gets to.
    pub navigate: String,
    /// Of notifications with the same tag the newest is shown alone.
    pub tag: String,
    /// For the service worker.
    pub data: PushData,
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushData {
    /// The kind.
    pub kind: PushKind,
    /// The log.
    pub room: RoomRef,
    /// The entry.
    pub seq: u64,
    /// How much of the log is unread.
    pub unread: u64,
    /// The candidacy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidacy: Option<CandidacyId>,
    /// The invitation that can be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
}
