//! Probes. Liveness: the process turns. Readiness: the database can be written, and the server does not go down.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::app::App;
use crate::drain::Drain;

/// How long an answer of the database counts: however many ask, it is asked once.
const COUNTS: Duration = Duration::from_secs(1);

/// What the database answered last, and when.
#[derive(Default)]
pub(super) struct Probe(Mutex<Option<(Instant, bool)>>);

impl Probe {
    async fn can_write(&self, app: &App) -> bool {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, answer)) if at.elapsed() < COUNTS => answer,
            _ => {
                let answer = app.store.ready().await;
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
    if probe.can_write(&app).await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be written\n")
    }
}
