//! Response speed: one's own ledger, and what all see of a person.

use std::sync::Arc;

use anteroom_protocol::ledger::{LedgerPage, ProfileView};
use anteroom_protocol::user::Side;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::error::Problem;
use super::extract::{Named, Person, PersonOrService, id};
use super::read::{Asked, ListQuery};
use crate::app::{App, ledger};

#[derive(Deserialize)]
pub(super) struct SideQuery {
    side: Option<Side>,
}

/// `GET /v1/me/ledger`
pub(super) async fn own(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(of): Asked<SideQuery>,
    Asked(asked): Asked<ListQuery>,
) -> Result<Json<LedgerPage>, Problem> {
    let side = of.side.unwrap_or(Side::Freelancer);
    Ok(Json(ledger::list(&app, &actor, side, asked.page()?).await?))
}

/// `GET /v1/users/{user}/profile`
pub(super) async fn profile(
    State(app): State<Arc<App>>,
    _: PersonOrService,
    Named(user): Named<String>,
) -> Result<Json<ProfileView>, Problem> {
    Ok(Json(ledger::profile(&app, id(&user)?).await?))
}
