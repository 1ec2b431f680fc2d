//! Push notifications: whose browsers are pushed to, what is due, and what came of it.

use std::time::Duration;

use anteroom_protocol::id::UserId;
use anteroom_protocol::time::Time;
use async_trait::async_trait;
use uuid::Uuid;

use crate::domain::log::Log;
use crate::store::{LogKey, StoreError, Told};

/// A browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browser {
    /// Where its push service is.
    pub endpoint: String,
    /// Its public key, uncompressed.
    pub p256dh: Vec<u8>,
    /// Its secret.
    pub auth: Vec<u8>,
}

/// What somebody has said of pushes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushWishes {
    /// Browsers that are pushed to.
    pub browsers: u32,
    /// What is not pushed: words of kinds, and ids of rooms.
    pub mutes: Vec<String>,
}

/// Something that is due for one browser.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// Which.
    pub key: PushKey,
    /// The browser.
    pub browser: Browser,
    /// Whose it is.
    pub user: UserId,
    /// The entry.
    pub told: Told,
    /// How often it was tried.
    pub attempts: u32,
    /// How far the person has read.
    pub read: u64,
    /// How much of the log is unread.
    pub unread: u64,
    /// What the person has muted.
    pub mutes: Vec<String>,
}

/// The name of something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PushKey {
    /// The browser.
    pub subscription: Uuid,
    /// The log.
    pub log: LogKey,
    /// The entry.
    pub seq: u64,
}

/// What came of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is done with: taken, or no news any more.
    Over,
    /// There is no such browser any more.
    Gone,
    /// It is to be tried again then.
    Again(Time),
}

/// This part of the port.
#[async_trait]
pub trait Pushes: Send + Sync + 'static {
    /// Has a browser pushed to, whoever's it was before; one that this one takes the place of is forgotten, and so is the person's oldest when there are
    /// too many.
    async fn push_to(
        &self,
        user: &UserId,
        browser: &Browser,
        instead_of: Option<&str>,
        now: Time,
    ) -> Result<(), StoreError>;

    /// Forgets a browser of this person.
    async fn push_no_more(&self, user: &UserId, endpoint: &str) -> Result<(), StoreError>;

    /// Mutes something, or does not any more.
    async fn mute(&self, user: &UserId, what: &str, muted: bool) -> Result<(), StoreError>;

    /// What this person has said.
    async fn push_wishes(&self, user: &UserId) -> Result<PushWishes, StoreError>;

    /// Looks at some of what was committed up to a moment, in the order of the commits, and makes due what is still unread of it: for each person and
    /// log once, however much that is. Whether there may be more.
    async fn find_pushes(&self, up_to: Time, now: Time) -> Result<bool, StoreError>;

    /// The invitation in this entry is on a socket of its freelancer's: nothing of it is due before then.
    async fn postpone_push(&self, log: &Log, seq: u64, until: Time) -> Result<(), StoreError>;

    /// Gives this worker some of what is due, which nobody else has. Its lease ends after [`PUSH_LEASE`].
    async fn claim_pushes(&self, worker: Uuid, now: Time) -> Result<Vec<Push>, StoreError>;

    /// Keeps what came of one, if it is still this worker's.
    async fn settle_push(&self, worker: Uuid, key: PushKey, pushed: Pushed) -> Result<(), StoreError>;
}

/// How long a worker has what it was given.
pub const PUSH_LEASE: Duration = Duration::from_secs(30);
