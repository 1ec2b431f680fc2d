//! What the marketplace's own systems tell: people and jobs.

use std::sync::Arc;

use anteroom_protocol::job::JobView;
use anteroom_protocol::user::UserView;
use axum::Json;
use axum::extract::{Request, State};

use super::error::Problem;
use super::extract::{Named, Service, id, json};
use crate::app::{App, job, user};

/// `PUT /v1/users/{user}`
pub(super) async fn put_user(
    State(app): State<Arc<App>>,
    _: Service,
    Named(user): Named<String>,
    request: Request,
) -> Result<Json<UserView>, Problem> {
    Ok(Json(user::put(&app, id(&user)?, json(request).await?).await?))
}

/// `POST /v1/users/{user}/revoke`
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    _: Service,
    Named(user): Named<String>,
) -> Result<Json<UserView>, Problem> {
    Ok(Json(user::revoke(&app, id(&user)?).await?))
}

/// `PUT /v1/jobs/{job}`
pub(super) async fn put_job(
    State(app): State<Arc<App>>,
    _: Service,
    Named(job): Named<String>,
    request: Request,
) -> Result<Json<JobView>, Problem> {
    Ok(Json(job::put(&app, id(&job)?, json(request).await?).await?))
}
