//! Probes. Liveness: the process turns. Readiness: the database can be written, and the server does not go down.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;
use crate::drain::Drain;

/// `GET /livez`
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// `GET /readyz`
pub(super) async fn readyz(
    State(app): State<Arc<App>>,
    Extension(drain): Extension<Arc<Drain>>,
) -> (StatusCode, &'static str) {
    if drain.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match app.store.ready().await {
        Ok(()) if app.writer.is_alive() => (StatusCode::OK, "ok\n"),
        Ok(()) => (StatusCode::SERVICE_UNAVAILABLE, "the writer has ended\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be written\n")
        }
    }
}
