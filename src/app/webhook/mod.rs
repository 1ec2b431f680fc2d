//! Webhooks, as the marketplace makes and looks at them.

mod courier;
mod letter;
mod round;

use std::time::Duration;

use anteroom_protocol::id::WebhookId;
use anteroom_protocol::limits;
use anteroom_protocol::webhook::{
    Channel, ChannelState, DeliveryNumber, DeliveryOutcome, DeliveryView, WebhookDraft, WebhookSecret,
    WebhookView,
};
use uuid::Uuid;

pub use self::courier::deliver;
pub use self::letter::Seals;
use super::cursor::Purpose;
use super::{App, AppError};
use crate::domain::refusal::Refusal;
use crate::domain::webhook::{Target, Webhook};
use crate::store::{Begin, Page};
use crate::wire::event::ping as ping_event;

/// How long the secret before a rotation signs as well: a receiver has a day to learn the new one.
const ROTATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes a webhook, or changes one.
pub async fn put(app: &App, id: WebhookId, draft: WebhookDraft) -> Result<WebhookView, AppError> {
    let begin = match &draft.after {
        None => Begin::Now,
        Some(cursor) => Begin::After(app.cursors.open(Purpose::Events, cursor).ok_or_else(|| {
            Refusal::Invalid("after: it is no cursor of events that this server gave".into())
        })?),
    };
    let target = Target::check(draft)?;
    app.outbound.check(&target.url).await.map_err(|refused| AppError::Address(refused.0))?;
    let all = app.store.webhooks().await?;
    if all.len() >= limits::WEBHOOKS && all.iter().all(|webhook| webhook.id != id) {
        return Err(AppError::Limit("there are as many webhooks as there may be"));
    }
    let webhook = app.store.put_webhook(&id, &target, begin, app.clock.now()).await?;
    app.telling.stir();
    Ok(webhook.view())
}

/// One webhook.
pub async fn get(app: &App, id: &WebhookId) -> Result<WebhookView, AppError> {
    Ok(there(app.store.webhook(id).await?)?.view())
}

/// All of them.
pub async fn list(app: &App) -> Result<Vec<WebhookView>, AppError> {
    Ok(app.store.webhooks().await?.into_iter().map(Webhook::view).collect())
}

/// Forgets one. What is under way to it may still arrive.
pub async fn delete(app: &App, id: &WebhookId) -> Result<WebhookView, AppError> {
    Ok(there(app.store.delete_webhook(id).await?)?.view())
}

/// Goes on with one that waits or is disabled, at once.
pub async fn resume(app: &App, id: &WebhookId) -> Result<WebhookView, AppError> {
    let webhook = there(app.store.resume_webhook(id).await?)?;
    app.telling.stir();
    Ok(webhook.view())
}

/// What its deliveries are signed with.
pub async fn secret(app: &App, id: &WebhookId) -> Result<WebhookSecret, AppError> {
    let webhook = there(app.store.webhook(id).await?)?;
    Ok(app.seals.told(&webhook, app.clock.now()))
}

/// Gives it a new secret.
pub async fn rotate(app: &App, id: &WebhookId) -> Result<WebhookSecret, AppError> {
    let now = app.clock.now();
    let until = now.plus_seconds(ROTATION.as_secs().cast_signed());
    let webhook = there(app.store.rotate_webhook(id, until).await?)?;
    Ok(app.seals.told(&webhook, now))
}

/// Sends a test event, whatever state the webhook is in, and tells what came of it. It is not kept, and has no number.
pub async fn ping(app: &App, id: &WebhookId) -> Result<DeliveryView, AppError> {
    let webhook = there(app.store.webhook(id).await?)?;
    let now = app.clock.now();
    let event = ping_event(id, format!("evt_{}", Uuid::new_v4().simple()), now);
    Ok(letter::send(app, &webhook, &event, 1).await.0)
}

/// What was sent to it.
pub async fn deliveries(
    app: &App,
    id: &WebhookId,
    outcome: Option<DeliveryOutcome>,
    page: Page<DeliveryNumber>,
) -> Result<Vec<DeliveryView>, AppError> {
    there(app.store.webhook(id).await?)?;
    Ok(app.store.deliveries(id, outcome, page).await?)
}

/// Has an event sent once more.
pub async fn again(app: &App, id: &WebhookId, number: DeliveryNumber) -> Result<DeliveryView, AppError> {
    let delivery = app.store.deliver_again(id, number, app.clock.now()).await?;
    app.telling.stir();
    Ok(delivery)
}

/// Holds a channel back, or lets it go on.
pub async fn put_channel(app: &App, channel: Channel, state: ChannelState) -> Result<ChannelState, AppError> {
    app.store.hold_channel(channel, state.paused).await?;
    app.telling.stir();
    Ok(state)
}

/// Whether a channel is held back.
pub async fn channel(app: &App, channel: Channel) -> Result<ChannelState, AppError> {
    Ok(ChannelState { paused: app.store.is_held(channel).await? })
}

fn there(webhook: Option<Webhook>) -> Result<Webhook, Refusal> {
    webhook.ok_or(Refusal::NotFound)
}
