//! The scheduler: does what is due by itself. What is due stands in the database, so a restart forgets nothing; and what was done is due no
//! more, so nothing happens twice, whoever else looks.

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use tokio::time::sleep;

use super::rule::About;
use super::writer::CaseJob;
use super::{App, AppError, ledger};
use crate::domain::candidacy::{Case, Decision};
use crate::domain::job::Job;
use crate::domain::timer;
use crate::store::{CaseKey, Due};

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it is waited after something could not be done.
const AFTER_AN_ERROR: Duration = Duration::from_secs(5);
/// How much is done before it is looked again: others write in between.
const AT_A_TIME: u32 = 64;

/// Does what is due, for ever.
pub async fn keep_time(app: Arc<App>) {
    loop {
        match look(&app).await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => sleep(LOOK_EVERY).await,
            Err(error) => {
                tracing::error!(%error, "what is due waits");
                sleep(AFTER_AN_ERROR).await;
            }
        }
    }
}

/// Does some of what is due now. Whether there may be more.
///
/// # Errors
/// The database cannot be read, or something that is due could not be done: the last of these errors. It held up nothing else.
pub async fn look(app: &App) -> Result<bool, AppError> {
    let due = app.store.due(app.clock.now(), AT_A_TIME).await?;
    let more = due.len() == AT_A_TIME as usize;
    let mut result = Ok(more);
    for due in due {
        if let Err(error) = act(app, &due).await {
            tracing::error!(?due, %error, "what is due was not done");
            result = Err(error);
        }
    }
    // Behind what has changed rows by now.
    let figures = app.store.responsiveness_due(app.clock.now(), AT_A_TIME).await?;
    let more = figures.len() == AT_A_TIME as usize;
    for (user, side) in figures {
        if let Err(error) = ledger::tell(app, &user, side).await {
            tracing::error!(%user, ?side, %error, "a figure that is due was not looked at");
            result = Err(error);
        }
    }
    result.map(|so_far| so_far || more)
}

async fn act(app: &App, due: &Due) -> Result<(), AppError> {
    let candidacy = match due {
        Due::Job(job) => return Ok(app.store.job_ended(job).await?),
        Due::Candidacy(candidacy) => *candidacy,
    };
    let decide = |case: Case, now: Time| Ok((happens(case, now), Side::Client));
    let about = About::One(CaseKey::Candidacy(candidacy));
    app.writer.change(CaseJob { intent: None, about, decide: Box::new(decide) }).outcome().await.map(drop)
}

/// What happens to a case by itself now. Nothing, when somebody's command has done it in between: then it is kept as it is, with when
/// the next thing is due.
fn happens(case: Case, now: Time) -> Vec<Decision> {
    let settled = timer::settle(case.clone(), now);
    let case = settled.as_ref().map_or(case, |decision| decision.case.clone());
    let closed = if takes_nobody(&case.job) { timer::close(case.clone(), now) } else { None };
    let mut decisions: Vec<Decision> = settled.into_iter().chain(closed).collect();
    if decisions.is_empty() {
        decisions.push(Decision::new(Vec::new(), Vec::new(), case));
    }
    decisions
}

fn takes_nobody(job: &Job) -> bool {
    job.must_be_open().is_err()
}
