//! What the marketplace tells, and what the server keeps for itself: the part of the port that writes single rows.

use anteroom_protocol::fee::{Billing, FeeSchedule};
use anteroom_protocol::id::{FeeScheduleId, JobId, UserId};
use anteroom_protocol::job::JobPosting;
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::UserProfile;
use async_trait::async_trait;

use crate::store::{Appended, Moment, Person, StoreError};

/// The marketplace's part of the port.
#[async_trait]
pub trait Marketplace: Send + Sync + 'static {
    /// Makes or replaces a person, and the person's inbox, which tells of a change of standing; what it was told, if anything. Tokens
    /// that were taken back stay so.
    async fn put_user(
        &self,
        user: &UserId,
        profile: &UserProfile,
        moment: Moment,
    ) -> Result<Vec<Appended>, StoreError>;

    /// Makes or replaces a way to compute fees. Candidacies that have begun keep theirs.
    async fn put_fee_schedule(&self, id: &FeeScheduleId, schedule: &FeeSchedule) -> Result<(), StoreError>;

    /// Says how much a client was charged for a freelancer so far; both have to be known, or it is refused `NotFound`.
    async fn put_billing(
        &self,
        client: &UserId,
        freelancer: &UserId,
        billing: &Billing,
    ) -> Result<(), StoreError>;

    /// Makes or replaces a job. A job never changes hands: refused `Invalid`. One that takes nobody any more is due from now on.
    async fn put_job(&self, job: &JobId, posting: &JobPosting, now: Time) -> Result<bool, StoreError>;

    /// Takes back the person's tokens issued up to this moment, or up to a later one that was said before. `None`: there is no such
    /// person.
    async fn revoke_tokens(&self, user: &UserId, now: Time) -> Result<Option<Person>, StoreError>;

    /// Keeps a public key, and tells all that were ever kept, the first one first.
    async fn public_keys(&self, current: PublicKey, now: Time) -> Result<Vec<PublicKey>, StoreError>;

    /// The key of this name: the one kept, or this fresh one, kept from now on.
    async fn key(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError>;

    /// Nobody is a candidate for this job any more whose candidacy its end would end: it is not due any more.
    async fn job_ended(&self, job: &JobId) -> Result<(), StoreError>;
}
