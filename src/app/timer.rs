//! The scheduler: does what is due by itself. What is due stands in the database, so a restart forgets nothing; and what was done is due no
//! more, so nothing happens twice, whoever else looks.

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use tokio::time::sleep;

use super::rule::About;
use super::writer::CaseJob;
use super::{App, AppError};
use crate::domain::candidacy::{Case, Decision};
use crate::domain::job::Job;
use crate::domain::refusal::Refusal;
use crate::domain::timer;
use crate::store::{CaseKey, Due};

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How much is done before it is looked again: others write in between.
const AT_A_TIME: u32 = 64;

/// Does what is due, for ever.
pub async fn keep_time(app: Arc<App>) {
    loop {
        match look(&app).await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => sleep(LOOK_EVERY).await,
            Err(error) => {
                tracing::error!(%error, "what is due cannot be done");
                sleep(LOOK_EVERY * 5).await;
            }
        }
    }
}

/// Does some of what is due now. Whether there may be more.
///
/// # Errors
/// The database cannot be read or written.
pub async fn look(app: &App) -> Result<bool, AppError> {
    let due = app.store.due(app.clock.now(), AT_A_TIME).await?;
    let more = due.len() == AT_A_TIME as usize;
    for due in due {
        match due {
            Due::Job(job) => app.store.job_ended(&job).await?,
            Due::Candidacy(candidacy) => {
                let decide =
                    |case: Case, now: Time| happens(case, now).map(|decisions| (decisions, Side::Client));
                let job = CaseJob {
                    intent: None,
                    about: About::One(CaseKey::Candidacy(candidacy)),
                    decide: Box::new(decide),
                };
                match app.writer.change(job).outcome().await {
                    // Somebody's command has done it in between.
                    Ok(_) | Err(AppError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(more)
}

/// What happens to a case by itself now.
fn happens(case: Case, now: Time) -> Result<Vec<Decision>, Refusal> {
    let settled = timer::settle(case.clone(), now);
    let case = settled.as_ref().map_or(case, |decision| decision.case.clone());
    let closed = if takes_nobody(&case.job) { timer::close(case, now) } else { None };
    let decisions: Vec<Decision> = settled.into_iter().chain(closed).collect();
    if decisions.is_empty() { Err(Refusal::NotFound) } else { Ok(decisions) }
}

fn takes_nobody(job: &Job) -> bool {
    job.must_be_open().is_err()
}
