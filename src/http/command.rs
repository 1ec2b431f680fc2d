//! Commands over HTTP: the route's row of the table of commands says which, the body brings the fields, the path may bring one, and
//! `Idempotency-Key` is the client id.

use std::collections::HashMap;
use std::sync::Arc;

use anteroom_protocol::client::Envelope;
use anteroom_protocol::command::{Command, CommandSpec};
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::ClientId;
use axum::Json;
use axum::extract::{Request, State};
use serde_json::{Map, Value};

use super::error::Problem;
use super::extract::{Anyone, Named, bad, body};
use super::rate::{Told, tell};
use crate::app::App;
use crate::app::dispatch::{self, Performed};

/// Runs the command of this row.
pub(super) async fn run(
    spec: &'static CommandSpec,
    State(app): State<Arc<App>>,
    Anyone(actor): Anyone,
    Named(path): Named<HashMap<String, String>>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let client_id = client_id(&request)?;
    let told = request.extensions().get::<Told>().cloned();
    let mut fields = fields(request).await?;
    if let Some(name) = spec.path_field() {
        let value = Value::String(path.get(name).cloned().unwrap_or_default());
        if fields.get(name).is_some_and(|said| *said != value) {
            return Err(bad(format!("{name}: the body says another one than the path")));
        }
        fields.insert(name.to_owned(), value);
    }
    let confirmed = match fields.remove("confirmed") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(confirmed)) => confirmed,
        Some(_) => return Err(bad(format!("{}: confirmed is true or false", spec.name))),
    };
    let envelope = Envelope { client_id, confirmed };
    let command =
        Command::from_fields(spec.name, fields).map_err(|error| bad(format!("{}: {error}", spec.name)))?;
    let Performed { allowance, outcome, .. } = dispatch::perform(&app, &actor, envelope, command, None);
    tell(told.as_ref(), allowance);
    Ok(Json(outcome.await?.data()))
}

fn client_id(request: &Request) -> Result<ClientId, Problem> {
    let header = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok());
    header.and_then(|value| value.trim().trim_matches('"').parse().ok()).ok_or_else(|| {
        let why = "a command needs the header Idempotency-Key: a UUID, made once per intention";
        Problem(ErrorBody::new(ErrorCode::IdempotencyKeyRequired, why))
    })
}

async fn fields(request: Request) -> Result<Map<String, Value>, Problem> {
    let body = body(request).await?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&body).map_err(|error| bad(format!("the body is not a JSON object: {error}")))
}
