//! Probes. Liveness: the process turns. Readiness: the database can be written, and the server does not go down.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::app::App;
use crate::app::follow::pulse::Pulse;
use crate::drain::Drain;
use crate::store::StoreError;

/// How long an answer of the database counts: however many ask, it is asked once.
const COUNTS: Duration = Duration::from_secs(1);

/// What the database answered last, and when.
#[derive(Default)]
pub(super) struct Probe(Mutex<Option<(Instant, bool)>>);

impl Probe {
    /// Puts this question to the database, unless it was put a moment ago. Whoever comes meanwhile waits for the same answer.
    async fn ask(&self, question: impl Future<Output = Result<(), StoreError>>) -> bool {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, answer)) if at.elapsed() < COUNTS => answer,
            _ => {
                let answer = question.await;
                if let Err(error) = &answer {
                    tracing::error!(%error, "not ready");
                }
                *last = Some((Instant::now(), answer.is_ok()));
                answer.is_ok()
            }
        }
    }
}

/// `GET /livez`. A server without its writer does not come right by itself.
pub(super) async fn livez(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.writer.is_alive() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the writer has ended\n")
    }
}

/// `GET /readyz`
pub(super) async fn readyz(
    State(app): State<Arc<App>>,
    Extension(drain): Extension<Arc<Drain>>,
    Extension(probe): Extension<Arc<Probe>>,
) -> (StatusCode, &'static str) {
    if drain.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    if !app.writer.is_alive() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the writer has ended\n");
    }
    if probe.ask(app.store.ready()).await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be written\n")
    }
}

/// `GET /delivery`, for operators. No probe of the process: a node whose entries come late is to be mended, and not to be taken out, least of
/// all with all others because Redis is away.
pub(super) async fn delivery(State(pulse): State<Arc<Pulse>>) -> (StatusCode, String) {
    match pulse.check() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(impaired) => (StatusCode::SERVICE_UNAVAILABLE, format!("{impaired}\n")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    /// Each probe took the right to write for itself: whoever sent enough of them kept everybody else from writing.
    #[tokio::test(start_paused = true)]
    async fn regression_of_however_many_probes_one_asks_the_database() {
        let (probe, asked) = (Probe::default(), AtomicU32::new(0));
        for round in 1..=4 {
            let is_ready = round != 2;
            let question = || async {
                asked.fetch_add(1, Ordering::Relaxed);
                sleep(COUNTS / 2).await;
                if is_ready { Ok(()) } else { Err(StoreError::Database("no".into())) }
            };
            for _ in 0..2 {
                let answers = join_all((0..1_000).map(|_| probe.ask(question()))).await;
                assert!(answers.iter().all(|answer| *answer == is_ready), "a no counts as long as a yes");
            }
            assert_eq!(asked.load(Ordering::Relaxed), round);
            advance(COUNTS).await;
        }
    }
}
