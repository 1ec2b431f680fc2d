//! What the marketplace's own systems tell: people, jobs, and what fees are computed by.

use std::sync::Arc;

use anteroom_protocol::contract::ContractView;
use anteroom_protocol::fee::{BillingView, FeeScheduleView};
use anteroom_protocol::job::JobView;
use anteroom_protocol::report::ReportView;
use anteroom_protocol::user::UserView;
use axum::Json;
use axum::extract::{Request, State};

use super::error::Problem;
use super::extract::{Named, Service, id, json};
use super::read::{Asked, List, ListQuery};
use crate::app::{App, AppError, contract, fee, job, report, user};

/// Does something to its end, also when the client goes away meanwhile: what was kept is then told to everybody whom it concerns.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, AppError>> + Send + 'static,
) -> Result<Json<T>, Problem> {
    let done = tokio::spawn(work).await;
    Ok(Json(done.unwrap_or_else(|error| Err(AppError::Internal(error.to_string())))?))
}

/// `PUT /v1/users/{user}`
pub(super) async fn put_user(
    State(app): State<Arc<App>>,
    _: Service,
    Named(user): Named<String>,
    request: Request,
) -> Result<Json<UserView>, Problem> {
    let (id, profile) = (id(&user)?, json(request).await?);
    to_its_end(async move { user::put(&app, id, profile).await }).await
}

/// `POST /v1/users/{user}/revoke`
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    _: Service,
    Named(user): Named<String>,
) -> Result<Json<UserView>, Problem> {
    let id = id(&user)?;
    to_its_end(async move { user::revoke(&app, id).await }).await
}

/// `PUT /v1/jobs/{job}`
pub(super) async fn put_job(
    State(app): State<Arc<App>>,
    _: Service,
    Named(job): Named<String>,
    request: Request,
) -> Result<Json<JobView>, Problem> {
    let (id, posting) = (id(&job)?, json(request).await?);
    to_its_end(async move { job::put(&app, id, posting).await }).await
}

/// `GET /v1/contracts`
pub(super) async fn contracts(
    State(app): State<Arc<App>>,
    _: Service,
    Asked(asked): Asked<ListQuery>,
) -> Result<Json<List<ContractView>>, Problem> {
    let page = asked.page()?;
    let items = contract::list(&app, page.clone()).await?;
    Ok(List::new(items, &page, |view| view.id.to_string()))
}

/// `GET /v1/reports`
pub(super) async fn reports(
    State(app): State<Arc<App>>,
    _: Service,
    Asked(asked): Asked<ListQuery>,
) -> Result<Json<List<ReportView>>, Problem> {
    let page = asked.page()?;
    let items = report::list(&app, page).await?;
    Ok(List::new(items, &page, |view| view.id.to_string()))
}

/// `PUT /v1/fee-schedules/{schedule}`
pub(super) async fn put_fee_schedule(
    State(app): State<Arc<App>>,
    _: Service,
    Named(schedule): Named<String>,
    request: Request,
) -> Result<Json<FeeScheduleView>, Problem> {
    let (id, schedule) = (id(&schedule)?, json(request).await?);
    to_its_end(async move { fee::put_schedule(&app, id, schedule).await }).await
}

/// `PUT /v1/billings/{client}/{freelancer}`
pub(super) async fn put_billing(
    State(app): State<Arc<App>>,
    _: Service,
    Named((client, freelancer)): Named<(String, String)>,
    request: Request,
) -> Result<Json<BillingView>, Problem> {
    let (people, billing) = ((id(&client)?, id(&freelancer)?), json(request).await?);
    to_its_end(async move { fee::put_billing(&app, people, billing).await }).await
}
