//! What happened, page by page, for the marketplace's own systems.

use std::sync::Arc;

use anteroom_protocol::event::{EventAudience, EventPage};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::error::Problem;
use super::extract::Service;
use super::read::Asked;
use crate::app::{App, event, page_limit};

#[derive(Deserialize)]
pub(super) struct EventsQuery {
    after: Option<String>,
    #[serde(default)]
    audience: EventAudience,
    limit: Option<u32>,
}

/// `GET /v1/events`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Service,
    Asked(asked): Asked<EventsQuery>,
) -> Result<Json<EventPage>, Problem> {
    let limit = page_limit(asked.limit);
    Ok(Json(event::list(&app, asked.after.as_deref(), asked.audience, limit).await?))
}
