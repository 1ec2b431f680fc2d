//! Webhooks, for the marketplace's own systems.

use std::sync::Arc;

use anteroom_protocol::id::WebhookId;
use anteroom_protocol::webhook::{
    Channel, ChannelState, DeliveryNumber, DeliveryOutcome, DeliveryView, WebhookSecret, WebhookView,
};
use axum::Json;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use axum::{Router, routing};
use serde::Deserialize;
use serde::de::value::StrDeserializer;

use super::error::Problem;
use super::extract::{Named, Service, id, json};
use super::read::{Asked, List, ListQuery};
use super::service::to_its_end;
use crate::app::{App, AppError, webhook};
use crate::domain::refusal::Refusal;

type Answer<T> = Result<Json<T>, Problem>;

/// All of them.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/webhooks", get(list))
        .route("/v1/webhooks/{webhook}", routing::get(one).put(put).delete(delete))
        .route("/v1/webhooks/{webhook}/resume", post(resume))
        .route("/v1/webhooks/{webhook}/secret", get(secret))
        .route("/v1/webhooks/{webhook}/rotate", post(rotate))
        .route("/v1/webhooks/{webhook}/ping", post(ping))
        .route("/v1/webhooks/{webhook}/deliveries", get(deliveries))
        .route("/v1/webhooks/{webhook}/deliveries/{delivery}/again", post(again))
        .route("/v1/outbox/{channel}", get(channel).put(put_channel))
}

async fn list(State(app): State<Arc<App>>, _: Service) -> Answer<List<WebhookView>> {
    Ok(List::whole(webhook::list(&app).await?))
}

async fn one(State(app): State<Arc<App>>, _: Service, Named(name): Named<String>) -> Answer<WebhookView> {
    Ok(Json(webhook::get(&app, &id(&name)?).await?))
}

async fn put(
    State(app): State<Arc<App>>,
    _: Service,
    Named(name): Named<String>,
    request: Request,
) -> Answer<WebhookView> {
    let (id, draft) = (id::<WebhookId>(&name)?, json(request).await?);
    to_its_end(async move { webhook::put(&app, id, draft).await }).await
}

async fn delete(State(app): State<Arc<App>>, _: Service, Named(name): Named<String>) -> Answer<WebhookView> {
    let id = id::<WebhookId>(&name)?;
    to_its_end(async move { webhook::delete(&app, &id).await }).await
}

async fn resume(State(app): State<Arc<App>>, _: Service, Named(name): Named<String>) -> Answer<WebhookView> {
    let id = id::<WebhookId>(&name)?;
    to_its_end(async move { webhook::resume(&app, &id).await }).await
}

async fn secret(
    State(app): State<Arc<App>>,
    _: Service,
    Named(name): Named<String>,
) -> Answer<WebhookSecret> {
    Ok(Json(webhook::secret(&app, &id(&name)?).await?))
}

async fn rotate(
    State(app): State<Arc<App>>,
    _: Service,
    Named(name): Named<String>,
) -> Answer<WebhookSecret> {
    let id = id::<WebhookId>(&name)?;
    to_its_end(async move { webhook::rotate(&app, &id).await }).await
}

async fn ping(State(app): State<Arc<App>>, _: Service, Named(name): Named<String>) -> Answer<DeliveryView> {
    Ok(Json(webhook::ping(&app, &id(&name)?).await?))
}

#[derive(Deserialize)]
struct DeliveriesQuery {
    outcome: Option<DeliveryOutcome>,
}

async fn deliveries(
    State(app): State<Arc<App>>,
    _: Service,
    Named(name): Named<String>,
    Asked(of): Asked<DeliveriesQuery>,
    Asked(asked): Asked<ListQuery>,
) -> Answer<List<DeliveryView>> {
    let page = asked.page()?;
    let items = webhook::deliveries(&app, &id(&name)?, of.outcome, page).await?;
    Ok(List::new(items, &page, |view| view.number.to_string()))
}

async fn again(
    State(app): State<Arc<App>>,
    _: Service,
    Named((name, number)): Named<(String, String)>,
) -> Answer<DeliveryView> {
    let (id, number) = (id::<WebhookId>(&name)?, id::<DeliveryNumber>(&number)?);
    to_its_end(async move { webhook::again(&app, &id, number).await }).await
}

async fn channel(
    State(app): State<Arc<App>>,
    _: Service,
    Named(name): Named<String>,
) -> Answer<ChannelState> {
    Ok(Json(webhook::channel(&app, word(&name)?).await?))
}

async fn put_channel(
    State(app): State<Arc<App>>,
    _: Service,
    Named(name): Named<String>,
    request: Request,
) -> Answer<ChannelState> {
    let (channel, state) = (word(&name)?, json(request).await?);
    to_its_end(async move { webhook::put_channel(&app, channel, state).await }).await
}

/// A channel by its word. Another word names nothing.
fn word(name: &str) -> Result<Channel, Problem> {
    let word = Channel::deserialize(StrDeserializer::<serde::de::value::Error>::new(name));
    word.map_err(|_| AppError::Refused(Refusal::NotFound).into())
}
