//! What the marketplace's own systems tell: people and jobs.

use std::sync::Arc;

use anteroom_protocol::job::JobView;
use anteroom_protocol::user::UserView;
use axum::Json;
use axum::extract::{Request, State};

use super::error::Problem;
use super::extract::{Named, Service, id, json};
use crate::app::{App, AppError, job, user};

/// Does something to its end, also when the client goes away meanwhile: what was kept is then told to everybody whom it concerns.
async fn to_its_end<T: Send + 'static>(
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
