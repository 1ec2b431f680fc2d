//! Push notifications, as people ask for them.

use std::sync::Arc;

use anteroom_protocol::push::PushView;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};

use super::error::Problem;
use super::extract::{Person, json};
use crate::app::{App, push};

type Answer = Result<Json<PushView>, Problem>;

/// All of them.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/push", get(view))
        .route("/v1/push/subscribe", post(subscribe))
        .route("/v1/push/unsubscribe", post(unsubscribe))
        .route("/v1/push/mute", post(mute))
}

async fn view(State(app): State<Arc<App>>, Person(actor): Person) -> Answer {
    Ok(Json(push::view(&app, &actor).await?))
}

async fn subscribe(State(app): State<Arc<App>>, Person(actor): Person, request: Request) -> Answer {
    Ok(Json(push::subscribe(&app, &actor, json(request).await?).await?))
}

async fn unsubscribe(State(app): State<Arc<App>>, Person(actor): Person, request: Request) -> Answer {
    Ok(Json(push::unsubscribe(&app, &actor, json(request).await?).await?))
}

async fn mute(State(app): State<Arc<App>>, Person(actor): Person, request: Request) -> Answer {
    Ok(Json(push::mute(&app, &actor, json(request).await?).await?))
}
