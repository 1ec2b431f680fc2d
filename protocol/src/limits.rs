//! The bounds a client must know. They are part of the wire: `welcome.limits` carries those that a client acts on.
//!
//! What an operator sets is in the server's configuration; what is here is the same on every server of this version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of one text frame from a client.
pub const FRAME_BYTES: usize = 16 * 1024;
/// Bytes of a message, a cover letter, an invitation's text or a scope.
pub const BODY_BYTES: usize = 8 * 1024;
/// Bytes of a frame's `id`.
pub const FRAME_ID_BYTES: usize = 64;
/// Bytes of a title.
pub const TITLE_BYTES: usize = 200;
/// Bytes of a name.
pub const NAME_BYTES: usize = 100;
/// Bytes of a job's description.
pub const DESCRIPTION_BYTES: usize = 8 * 1024;
/// Bytes of a reason in words.
pub const REASON_BYTES: usize = 500;
/// Cursors in one `hello`.
pub const HELLO_ROOMS: usize = 64;
/// Logs one socket reads at a time.
pub const JOINED_ROOMS: usize = 1_000;
/// Commands of one socket that are not answered yet; the server stops reading the socket at this number.
pub const COMMANDS_IN_FLIGHT: usize = 64;
/// Entries sent inline after a join; more is a `gap`.
pub const RESUME_ENTRIES: u64 = 500;
/// Bytes of entries sent inline after a join; more is a `gap`.
pub const RESUME_BYTES: u64 = 256 * 1024;
/// Logs in one `ping`.
pub const PING_HEADS: usize = 16;
/// Changes in one `welcome`; the rest is paged.
pub const CHANGES: u32 = 200;
/// How long somebody is shown as writing, in milliseconds.
pub const TYPING_MS: u64 = 5_000;
/// Between two `typing` frames of one socket into one room, in milliseconds; what comes sooner is not passed on.
pub const TYPING_EVERY_MS: u64 = 3_000;
/// Bytes of the words to search for.
pub const SEARCH_BYTES: usize = 200;
/// Items of a page at most.
pub const PAGE_ITEMS: u32 = 200;
/// Items of a page when none is asked for.
pub const PAGE_DEFAULT: u32 = 50;
/// Milestones of one version of terms.
pub const MILESTONES: usize = 50;
/// The largest amount of money, in minor units.
pub const AMOUNT: i64 = 100_000_000_000_000;

/// Places that one refusal of contact information names.
pub const CONTACT_SPANS: usize = 16;
/// Bytes of the words that each of them quotes.
pub const CONTACT_TEXT_BYTES: usize = 100;
/// People of a room at most.
pub const MEMBERS: usize = 50;
/// Candidacies in one command about several.
pub const CANDIDACIES: usize = 100;
/// Basis points of a fee: it leaves something.
pub const BASIS_POINTS: u16 = 9_000;
/// Tiers of one fee schedule.
pub const TIERS: usize = 10;

/// The bounds a client must know: `welcome.limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Bytes of one text frame from a client.
    pub frame_bytes: usize,
    /// Bytes of a message, a cover letter, an invitation's text or a scope.
    pub body_bytes: usize,
    /// Logs one socket reads at a time.
    pub joined_rooms: usize,
    /// Commands of one socket that are not answered yet.
    pub commands_in_flight: usize,
    /// Items of a page at most.
    pub page_items: u32,
}

impl Limits {
    /// The bounds of this version.
    pub const CURRENT: Self = Self {
        frame_bytes: FRAME_BYTES,
        body_bytes: BODY_BYTES,
        joined_rooms: JOINED_ROOMS,
        commands_in_flight: COMMANDS_IN_FLIGHT,
        page_items: PAGE_ITEMS,
    };
}
/// Bytes of an address.
pub const URL_BYTES: usize = 2_048;
/// Types that one webhook names.
pub const WEBHOOK_TYPES: usize = 64;
/// Browsers of one person that are pushed to; one more takes the place of the oldest.
pub const PUSH_SUBSCRIPTIONS: u32 = 20;
/// Webhooks.
pub const WEBHOOKS: usize = 100;
