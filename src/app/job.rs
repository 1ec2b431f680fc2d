//! Jobs, as the marketplace tells them.

use anteroom_protocol::id::JobId;
use anteroom_protocol::job::{JobPosting, JobView};

use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::job;
use crate::domain::refusal::Refusal;

/// Makes or replaces a job.
pub async fn put(app: &App, id: JobId, posting: JobPosting) -> Result<JobView, AppError> {
    let posting = job::check(posting)?;
    app.store.put_job(&id, &posting, app.clock.now()).await?;
    Ok(JobView { id, posting })
}

/// A job this reader may see.
pub async fn get(app: &App, actor: &Actor, id: &JobId) -> Result<JobView, AppError> {
    app.store.job(&actor.user, id).await?.ok_or(AppError::Refused(Refusal::NotFound))
}

/// Open jobs and the reader's own.
pub async fn list(app: &App, actor: &Actor, limit: u32) -> Result<Vec<JobView>, AppError> {
    Ok(app.store.jobs(&actor.user, limit).await?)
}
