//! Webhooks: what is kept of each, who works for it, and what came of a round of deliveries.
//!
//! Nothing is kept of what is still to be told: it stands in the logs, behind the webhook's place. Kept are the place, the logs that are held
//! up, and the last attempts. One worker has a webhook at a time; what a worker keeps whose lease is another's by now is refused as
//! [`Kept::Lost`].

use std::collections::HashSet;
use std::time::Duration;

use anteroom_protocol::id::WebhookId;
use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{Channel, DeliveryNumber, DeliveryOutcome, DeliveryView};
use async_trait::async_trait;
use uuid::Uuid;

use crate::domain::webhook::{Health, Target, Webhook};
use crate::store::{Appended, LogKey, LogPlace, Moment, Page, PageSize, Position, StoreError, Told};

/// Where a new webhook begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// With what is committed from now on.
    Now,
    /// Behind this place.
    After(Position),
}

/// A log that is held up.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldLog {
    /// Which.
    pub log: LogKey,
    /// How often its next entry was tried.
    pub attempts: u32,
    /// Its entries from there on, as far as the webhook's place; at most a page of them.
    pub entries: Vec<Told>,
    /// Whether there are more.
    pub has_more: bool,
}

/// What one round of deliveries has to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// The webhook as it stands now.
    pub webhook: Webhook,
    /// Logs that were held up and are tried again now.
    pub due: Vec<HeldLog>,
    /// All logs that are held up, those among them.
    pub held: HashSet<LogKey>,
    /// What comes next in the order of all commits.
    pub page: Vec<Told>,
    /// Whether more comes behind it.
    pub has_more: bool,
    /// What is to be sent once more, by the number of its attempt.
    pub again: Vec<(DeliveryNumber, Told)>,
}

/// What becomes of a log that was held up, or is from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// It is held up at this entry, after so many attempts, until then.
    Held {
        /// The entry.
        seq: u64,
        /// Attempts.
        attempts: u32,
        /// When it is tried again.
        until: Time,
    },
    /// It is held up no more.
    Free,
}

/// One attempt that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The entry.
    pub at: LogPlace,
    /// What is shown of it; its number is given when it is kept.
    pub view: DeliveryView,
}

/// What came of a round.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// The last entry that the webhook was told of or passes over, if that is another one now.
    pub place: Option<LogPlace>,
    /// What became of logs.
    pub lanes: Vec<(LogKey, Lane)>,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
    /// What was to be sent once more and was, and whether it was taken.
    pub again: Vec<(DeliveryNumber, bool)>,
    /// How the webhook is doing.
    pub health: Health,
    /// It is disabled, for this reason.
    pub disabled: Option<String>,
}

impl Settled {
    /// How many events were given up.
    pub fn parked(&self) -> u64 {
        self.attempts.iter().filter(|attempt| attempt.view.outcome == DeliveryOutcome::Parked).count() as u64
    }
}

/// What came of keeping that.
#[derive(Debug)]
pub enum Kept {
    /// It is kept; these entries say so in an inbox. Whether the worker may go on.
    Yes {
        /// The entries.
        appended: Vec<Appended>,
        /// Whether the webhook is still active and its channel open.
        goes_on: bool,
    },
    /// The webhook is another worker's by now, or nobody's.
    Lost,
}

/// How long a worker has a webhook when it is not heard of any more.
pub const LEASE: Duration = Duration::from_secs(30);

/// This part of the port.
#[async_trait]
pub trait Webhooks: Send + Sync + 'static {
    /// Makes a webhook, or changes where, what and for whom it is. Refused: somebody to notify who is not known, a place that is not of this database
    /// (`Invalid`), or one webhook too many (`LimitReached`).
    async fn put_webhook(
        &self,
        id: &WebhookId,
        target: &Target,
        begin: Begin,
        now: Time,
    ) -> Result<Webhook, StoreError>;

    /// One webhook.
    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// All of them, by their ids.
    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError>;

    /// Forgets one, with its deliveries. What it was, if it was there.
    async fn delete_webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// Gives it a new secret. With the one before is signed as well until then.
    async fn rotate_webhook(&self, id: &WebhookId, former_until: Time)
    -> Result<Option<Webhook>, StoreError>;

    /// Tries everything of it that waits at once, and makes a disabled one active.
    async fn resume_webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// Its attempts, newest first.
    async fn deliveries(
        &self,
        id: &WebhookId,
        outcome: Option<DeliveryOutcome>,
        page: Page<DeliveryNumber>,
    ) -> Result<Vec<DeliveryView>, StoreError>;

    /// Has the entry of this attempt sent once more. A test ping is no entry: `NotFound`, like an attempt that is not kept any more.
    async fn deliver_again(
        &self,
        id: &WebhookId,
        number: DeliveryNumber,
        now: Time,
    ) -> Result<DeliveryView, StoreError>;

    /// Holds a channel back, or lets it go on.
    async fn hold_channel(&self, channel: Channel, is_held: bool) -> Result<(), StoreError>;

    /// Whether it is held back.
    async fn is_held(&self, channel: Channel) -> Result<bool, StoreError>;

    /// Gives this worker a webhook for which there is something to do, and which nobody has; none of those that it is busy with. The lease ends after
    /// [`LEASE`], by the database's own clock.
    async fn claim_webhook(
        &self,
        worker: Uuid,
        busy: &[WebhookId],
        now: Time,
    ) -> Result<Option<WebhookId>, StoreError>;

    /// What there is to do for it now; `None`: there is no such webhook any more.
    async fn round(&self, id: &WebhookId, now: Time, size: PageSize) -> Result<Option<Round>, StoreError>;

    /// Keeps what came of a round, and the lease for another while.
    async fn settle(
        &self,
        worker: Uuid,
        id: &WebhookId,
        settled: &Settled,
        moment: Moment,
    ) -> Result<Kept, StoreError>;

    /// Keeps the lease for another while. Whether it is still the worker's.
    async fn hold_webhook(&self, worker: Uuid, id: &WebhookId) -> Result<bool, StoreError>;

    /// Gives it back.
    async fn leave_webhook(&self, worker: Uuid, id: &WebhookId) -> Result<(), StoreError>;
}
