//! The HTTP door: the same commands, answers and errors as on the socket, and the pages that a socket does not carry. Every route here has
//! its row in [`anteroom_protocol::route`].

mod audit;
mod command;
mod documents;
pub mod error;
mod event;
mod extract;
mod health;
mod ledger;
mod marker;
mod push;
mod rate;
mod read;
mod service;
mod transcript;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::command::Command;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::marker::MARKS;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Router};
use tower_http::cors::{AllowOrigin, CorsLayer};

use self::error::Problem;
use self::rate::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::app::App;
use crate::app::follow::pulse::Pulse;
use crate::drain::Drain;
use crate::telemetry::Metrics;

/// How long a browser may remember what it was told of pages from elsewhere.
const PREFLIGHT_HOLDS: Duration = Duration::from_secs(60 * 60);

/// Every route of `/v1` but the socket's, and the answers to probes. Pages of these origins may use `/v1`.
pub fn router(app: Arc<App>, origins: &[String], drain: Arc<Drain>) -> Router {
    let mut commands = Router::new();
    for spec in Command::ALL {
        let handler = move |state, actor, path, request| command::run(spec, state, actor, path, request);
        commands = commands.route(spec.path, post(handler));
    }
    let reads = Router::new()
        .route("/v1/me", get(read::me))
        .route("/v1/me/ledger", get(ledger::own))
        .route("/v1/jobs", get(read::jobs))
        .route("/v1/jobs/{job}", get(read::job).put(service::put_job))
        .route("/v1/users/{user}", put(service::put_user))
        .route("/v1/users/{user}/profile", get(ledger::profile))
        .route("/v1/users/{user}/revoke", post(service::revoke))
        .route("/v1/rooms", get(read::rooms))
        .route("/v1/rooms/{room}", get(read::room))
        .route("/v1/rooms/{room}/entries", get(read::entries))
        .route("/v1/rooms/{room}/transcript", get(transcript::get))
        .route("/v1/changes", get(read::changes))
        .route("/v1/search", get(read::search))
        .route("/v1/invitations", get(read::invitations))
        .route("/v1/invitations/{invitation}", get(read::invitation))
        .route("/v1/proposals", get(read::proposals))
        .route("/v1/proposals/{proposal}", get(read::proposal))
        .route("/v1/candidacies", get(read::candidacies))
        .route("/v1/candidacies/{candidacy}", get(read::candidacy))
        .route("/v1/candidacies/{candidacy}/terms", get(read::terms))
        .route("/v1/offers/{offer}", get(read::offer))
        .route("/v1/contracts", get(service::contracts))
        .route("/v1/contracts/{contract}", get(read::contract))
        .route("/v1/keys", get(read::keys))
        .route("/v1/reports", get(service::reports))
        .route("/v1/events", get(event::list))
        .route("/v1/fee-schedules/{schedule}", put(service::put_fee_schedule))
        .route("/v1/billings/{client}/{freelancer}", put(service::put_billing));
    let reads = MARKS.iter().fold(reads, |routes, spec| {
        let handler = move |state, actor, path, request| marker::run(spec, state, actor, path, request);
        routes.route(spec.path, post(handler))
    });
    let health = Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .layer(Extension(drain))
        .layer(Extension(Arc::new(health::Probe::default())));
    let documents = Router::new()
        .route("/openapi.json", get(documents::openapi))
        .route("/asyncapi.json", get(documents::asyncapi));
    let metrics = app.metrics.clone();
    commands
        .merge(reads)
        .merge(webhook::routes())
        .merge(push::routes())
        // Before the layer, which has to answer a method of its own.
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn(rate::show))
        .layer(middleware::from_fn_with_state(app.clone(), audit::watch))
        .layer(cors(origins))
        .merge(health)
        .merge(documents)
        .method_not_allowed_fallback(no_such_method)
        .with_state(app)
        .layer(middleware::from_fn_with_state(metrics, count))
}

/// What browsers are told of pages from elsewhere. Who does not call from a page is not concerned.
fn cors(origins: &[String]) -> CorsLayer {
    let listed = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(listed))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("traceparent"),
        ])
        .expose_headers([RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY])
        .max_age(PREFLIGHT_HOLDS)
}

/// The answer where there is no route.
pub async fn no_such_route() -> Response {
    Problem(ErrorBody::new(ErrorCode::UnknownType, "there is no such route")).into_response()
}

/// The answer where a route does not take the method.
pub async fn no_such_method() -> Response {
    let body = ErrorBody::new(ErrorCode::UnknownType, "this route does not take this method");
    Problem(body).under(StatusCode::METHOD_NOT_ALLOWED)
}

/// The figures as OpenMetrics text, and whether entries get through, for a listener of its own.
pub fn metrics_router(metrics: Arc<Metrics>, pulse: Arc<Pulse>) -> Router {
    const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let figures = |State(metrics): State<Arc<Metrics>>| async move {
        ([(axum::http::header::CONTENT_TYPE, FORM)], metrics.text())
    };
    Router::new()
        .route("/metrics", get(figures))
        .with_state(metrics)
        .route("/delivery", get(health::delivery).with_state(pulse))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
}

async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    metrics.answered(response.status().as_u16());
    response
}
