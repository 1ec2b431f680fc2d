//! What a request brings: who asks, and what.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::error::{ErrorBody, ErrorCode};
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::audit::Asker;
use super::error::Problem;
use super::rate::{Told, tell};
use crate::app::identity::{Unbelieved, bearer};
use crate::app::{App, AppError};
use crate::domain::actor::{Actor, Scope};
use crate::domain::refusal::Refusal;

/// Bytes of a request's body.
const BODY_BYTES: usize = 64 * 1024;

/// How long a request's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whoever holds a valid token.
pub(super) struct Anyone(pub(super) Actor);

/// A person who reads, and does not read too fast.
pub(super) struct Person(pub(super) Actor);

/// Such a person, or one of the marketplace's systems.
pub(super) struct PersonOrService;

/// One of the marketplace's systems.
pub(super) struct Service;

/// What a path names. Bytes that are no text name nothing.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let named = Path::<T>::from_request_parts(parts, state).await;
        named.map(|Path(named)| Self(named)).map_err(|_| AppError::Refused(Refusal::NotFound).into())
    }
}

impl FromRequestParts<Arc<App>> for Anyone {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).ok_or(AppError::Identity(Unbelieved::Invalid))?;
        let actor = app.authenticate(token).await?.actor;
        if let Some(asker) = parts.extensions.get::<Asker>() {
            asker.is(&actor);
        }
        Ok(Self(actor))
    }
}

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Anyone(actor) = Anyone::from_request_parts(parts, app).await?;
        if actor.scope == Scope::User { not_too_fast(parts, app, actor).map(Self) } else { Err(forbidden()) }
    }
}

impl FromRequestParts<Arc<App>> for PersonOrService {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Anyone(actor) = Anyone::from_request_parts(parts, app).await?;
        match actor.scope {
            Scope::User => not_too_fast(parts, app, actor).map(|_| Self),
            Scope::Service => Ok(Self),
            Scope::Staff => Err(forbidden()),
        }
    }
}

/// This person, unless it is too soon for one more request.
fn not_too_fast(parts: &Parts, app: &App, actor: Actor) -> Result<Actor, Problem> {
    let allowance = app.rates.requests.take(&actor);
    tell(parts.extensions.get::<Told>(), allowance);
    match allowance.and_then(|allowance| allowance.refused_for) {
        Some(wait) => Err(AppError::RateLimited(wait).into()),
        None => Ok(actor),
    }
}

impl FromRequestParts<Arc<App>> for Service {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Anyone(actor) = Anyone::from_request_parts(parts, app).await?;
        if actor.scope == Scope::Service { Ok(Self) } else { Err(forbidden()) }
    }
}

fn forbidden() -> Problem {
    AppError::Refused(Refusal::Forbidden).into()
}

/// A wrong request, and what is wrong.
pub(super) fn bad(why: impl Into<String>) -> Problem {
    Problem(ErrorBody::new(ErrorCode::BadRequest, why))
}

/// An id in a path. What is no id names nothing.
pub(super) fn id<T: FromStr>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| AppError::Refused(Refusal::NotFound).into())
}

/// The body of a request, which has to arrive in time: whoever sends a byte now and then takes one of the server's connections.
pub(super) async fn body(request: Request) -> Result<Bytes, Problem> {
    let body = timeout(BODY_TIMEOUT, to_bytes(request.into_body(), BODY_BYTES)).await;
    body.map_err(|_| bad("the body did not arrive in time"))?.map_err(|_| {
        Problem(ErrorBody::new(ErrorCode::TooLarge, format!("a body has at most {BODY_BYTES} bytes")))
    })
}

/// A body in JSON.
pub(super) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    serde_json::from_slice(&body(request).await?).map_err(|error| bad(error.to_string()))
}
