//! Read markers over HTTP.

use std::sync::Arc;

use anteroom_protocol::marker::{Mark, MarkAnswer, MarkKind, MarkSpec};
use axum::Json;
use axum::extract::{Request, State};
use serde::Deserialize;

use super::error::Problem;
use super::extract::{Named, Person, id, json};
use crate::app::{App, marker};

#[derive(Deserialize)]
struct Place {
    seq: u64,
}

/// Moves the marker of this row of the table.
pub(super) async fn run(
    spec: &'static MarkSpec,
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(room): Named<String>,
    request: Request,
) -> Result<Json<MarkAnswer>, Problem> {
    let room = id(&room)?;
    let Place { seq } = json(request).await?;
    let mark = Mark { room, seq };
    let answer = match spec.kind {
        MarkKind::Read => marker::read(&app, &actor, &mark).await,
        MarkKind::Unread => marker::mark_unread(&app, &actor, &mark).await,
    };
    Ok(Json(answer?))
}
