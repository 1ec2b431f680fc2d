//! The port to the other nodes: wakes them with what was committed here. The bus is a hint: a publication may be lost, late, doubled
//! or forged, and no entry is lost for it, because receivers go by the numbers and read the log.
//!
//! This node's own readers never wait for the bus: they are served from the hub right after the commit. What the bus adds is to say
//! when a hint was lost ([`heard::Missed`]): then, and only then, somebody has to look into the database.

pub mod heard;
pub mod local;
pub mod redis;
pub mod shard;

use std::fmt;
use std::sync::Arc;

use anteroom_protocol::id::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::log::Log;
use crate::store::Appended;

/// Tells the other nodes. Nothing here waits, and nothing fails: what cannot be told now is found by the others.
pub trait Bus: Send + Sync + 'static {
    /// Tells them of these entries, which are committed.
    fn announce(&self, appended: &[Appended]);

    /// Tells them that something about this person has changed, the account or which tokens count: whoever has a socket of the person's
    /// looks. As with entries, a hint that was lost is noticed.
    fn person_changed(&self, user: &UserId);

    /// Has them look: something may have been committed here that can be announced by nobody, because its outcome is unknown.
    fn doubt(&self);

    /// Tells them something that is not kept. It is the first to go, and nobody notices.
    fn whisper(&self, whisper: &Whisper);
}

/// One run of a node's process: after a restart it is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub Uuid);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// News of a log for some of its people, wherever their sockets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whisper {
    /// Which log.
    pub log: Log,
    /// About whom.
    pub about: UserId,
    /// For whom.
    pub people: Arc<[UserId]>,
    /// What.
    pub word: Word,
}

/// What is told and not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// How far the person has got the log, and read it.
    Receipt {
        /// The last entry that reached one of the person's devices.
        delivered: u64,
        /// The last entry the person has read.
        read: u64,
        /// For the person's own sockets: what stands behind this counts as unread.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<u64>,
    },
    /// The person is writing.
    Typing,
    /// The person has come, and asks which of the others are there.
    Asking,
    /// The person has come or gone.
    Presence {
        /// Whether a socket of the person's reads the log, on the node that says so.
        online: bool,
    },
}
