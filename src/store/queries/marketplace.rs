//! The parts of the port that write by themselves: what the marketplace tells, what the server keeps, and what owners of ledgers are told.

use anteroom_protocol::fee::{Billing, FeeSchedule};
use anteroom_protocol::id::{FeeScheduleId, JobId, UserId};
use anteroom_protocol::job::JobPosting;
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Side, UserProfile};
use async_trait::async_trait;

use super::dialect::{Adapter, transact};
use super::{contract, fee, job, ledger, timer, user};
use crate::domain::ledger::Row;
use crate::store::{
    Appended, DecideResponsiveness, Ledger, LedgerItem, LedgerPlace, Marketplace, Moment, Page, Person,
    StoreError,
};

#[async_trait]
impl Marketplace for Adapter {
    async fn put_user(
        &self,
        user: &UserId,
        profile: &UserProfile,
        moment: Moment,
    ) -> Result<Vec<Appended>, StoreError> {
        transact!(self, connection => user::put(connection, user, profile, moment))
    }

    async fn put_fee_schedule(&self, id: &FeeScheduleId, schedule: &FeeSchedule) -> Result<(), StoreError> {
        transact!(self, connection => fee::put_schedule(connection, id, schedule))
    }

    async fn put_billing(
        &self,
        client: &UserId,
        freelancer: &UserId,
        billing: &Billing,
    ) -> Result<(), StoreError> {
        transact!(self, connection => fee::put_billing(connection, (client, freelancer), billing))
    }

    async fn put_job(&self, job: &JobId, posting: &JobPosting, now: Time) -> Result<bool, StoreError> {
        transact!(self, connection => job::put(connection, job, posting, now))
    }

    async fn job_ended(&self, job: &JobId) -> Result<(), StoreError> {
        transact!(self, connection => timer::job_ended(connection, job))
    }

    async fn revoke_tokens(&self, user: &UserId, now: Time) -> Result<Option<Person>, StoreError> {
        transact!(self, connection => user::revoke_tokens(connection, user, now))
    }

    async fn public_keys(&self, current: PublicKey, now: Time) -> Result<Vec<PublicKey>, StoreError> {
        transact!(self, connection => contract::public_keys(connection, current, now))
    }

    async fn key(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        transact!(self, connection => contract::key(connection, name, fresh))
    }
}

#[async_trait]
impl Ledger for Adapter {
    async fn ledger(
        &self,
        owner: &UserId,
        side: Side,
        page: Page<LedgerPlace>,
    ) -> Result<Vec<LedgerItem>, StoreError> {
        ledger::list(&self.readers, owner, side, page).await
    }

    async fn ledger_window(&self, owner: &UserId, side: Side, since: Time) -> Result<Vec<Row>, StoreError> {
        Ok(ledger::window(&self.readers, (owner, side), since).await?)
    }

    async fn responsiveness_due(&self, now: Time, limit: u32) -> Result<Vec<(UserId, Side)>, StoreError> {
        ledger::due(&self.readers, now, limit).await
    }

    async fn tell_responsiveness(
        &self,
        owner: (&UserId, Side),
        since: Time,
        moment: Moment,
        decide: DecideResponsiveness<'_>,
    ) -> Result<Vec<Appended>, StoreError> {
        transact!(self, connection => ledger::tell(connection, owner, since, moment, decide))
    }
}
