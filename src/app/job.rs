//! Jobs, as the marketplace tells them.

use std::time::Duration;

use anteroom_protocol::id::JobId;
use anteroom_protocol::job::{JobPosting, JobView};

use super::{App, AppError, timer};
use crate::domain::actor::Actor;
use crate::domain::job;
use crate::domain::refusal::Refusal;

/// How often it is looked what is still to be ended before a job can be opened again: enough for tens of thousands of candidacies.
const LOOKS: u32 = 1_000;
/// How long it is waited when something could not be done: all in all about as long as a request may take.
const PAUSE: Duration = Duration::from_millis(25);

/// Makes or replaces a job. Before one is opened that was filled or closed, all that its end has to end is ended.
pub async fn put(app: &App, id: JobId, posting: JobPosting) -> Result<JobView, AppError> {
    let posting = job::check(posting)?;
    for _ in 0..LOOKS {
        if app.store.put_job(&id, &posting, app.clock.now()).await? {
            return Ok(JobView { id, posting });
        }
        // What else is due and cannot be done is no matter of this job's; what it has to wait for shows at the next attempt.
        if timer::look(app).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Err(AppError::Busy("the end of the job is still being told".into()))
}

/// A job this reader may see.
pub async fn get(app: &App, actor: &Actor, id: &JobId) -> Result<JobView, AppError> {
    app.store.job(&actor.user, id).await?.ok_or(AppError::Refused(Refusal::NotFound))
}

/// Open jobs and the reader's own.
pub async fn list(app: &App, actor: &Actor, limit: u32) -> Result<Vec<JobView>, AppError> {
    Ok(app.store.jobs(&actor.user, limit).await?)
}
