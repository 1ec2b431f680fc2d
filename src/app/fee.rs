//! Fee schedules and lifetime billings, as the marketplace tells them.

use anteroom_protocol::fee::{Billing, BillingView, FeeSchedule, FeeScheduleView};
use anteroom_protocol::id::{FeeScheduleId, UserId};

use super::{App, AppError};
use crate::domain::fee;

/// Makes or replaces a schedule.
pub async fn put_schedule(
    app: &App,
    id: FeeScheduleId,
    schedule: FeeSchedule,
) -> Result<FeeScheduleView, AppError> {
    let schedule = fee::check(schedule)?;
    app.store.put_fee_schedule(&id, &schedule).await?;
    Ok(FeeScheduleView { id, schedule })
}

/// Says how much a client was charged for a freelancer so far.
pub async fn put_billing(
    app: &App,
    (client, freelancer): (UserId, UserId),
    billing: Billing,
) -> Result<BillingView, AppError> {
    let billing = fee::check_billing(billing)?;
    app.store.put_billing(&client, &freelancer, &billing).await?;
    Ok(BillingView { client, freelancer, billing })
}
