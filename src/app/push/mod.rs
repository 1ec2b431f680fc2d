//! Push notifications, as people ask for them.

mod courier;
mod letter;

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::limits;
use anteroom_protocol::push::{PushKind, PushMute, PushSubscription, PushUnsubscribe, PushView};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use web_push_native::p256::PublicKey;

pub use self::courier::push;
pub use self::letter::{Sender, secret_of};
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::refusal::Refusal;
use crate::outbound::Refused;
use crate::store::{Browser, PushWishes};

/// Every kind, for reading what was muted.
const KINDS: [PushKind; 4] = [PushKind::Invitations, PushKind::Messages, PushKind::Terms, PushKind::Offers];

/// What a kind is called where mutes are kept.
pub(super) fn word(kind: PushKind) -> &'static str {
    match kind {
        PushKind::Invitations => "invitations",
        PushKind::Messages => "messages",
        PushKind::Terms => "terms",
        PushKind::Offers => "offers",
    }
}

/// What this person is pushed.
pub async fn view(app: &App, actor: &Actor) -> Result<PushView, AppError> {
    let PushWishes { browsers, mutes } = app.store.push_wishes(&actor.user).await?;
    let is_muted = |kind: &PushKind| mutes.iter().any(|what| what == word(*kind));
    Ok(PushView {
        key: app.pushes.public_key(),
        subscriptions: browsers,
        muted_kinds: KINDS.into_iter().filter(is_muted).collect(),
        muted_rooms: mutes.iter().filter_map(|what| what.parse().ok()).collect(),
    })
}

/// Has a browser pushed to.
pub async fn subscribe(app: &App, actor: &Actor, asked: PushSubscription) -> Result<PushView, AppError> {
    let PushSubscription { endpoint, keys, instead_of } = asked;
    if endpoint.len() > limits::URL_BYTES {
        return Err(Refusal::TooLarge { field: "endpoint", limit: limits::URL_BYTES }.into());
    }
    let wrong = |field: &str| Refusal::Invalid(format!("keys.{field}: it is no key of a browser"));
    let bytes = |text: &str| BASE64.decode(text.trim_end_matches('=')).ok();
    let p256dh = bytes(&keys.p256dh).filter(|key| PublicKey::from_sec1_bytes(key).is_ok());
    let p256dh = p256dh.ok_or_else(|| wrong("p256dh"))?;
    let auth = bytes(&keys.auth).filter(|auth| auth.len() == 16).ok_or_else(|| wrong("auth"))?;
    let refused = |refused: Refused| AppError::Address(refused.0);
    if !app.pushes.is_service(&app.outbound.host(&endpoint).map_err(refused)?) {
        return Err(AppError::Address("endpoint: this is no push service that this server knows".into()));
    }
    app.outbound.check(&endpoint).await.map_err(refused)?;
    let browser = Browser { endpoint, p256dh, auth };
    app.store.push_to(&actor.user, &browser, instead_of.as_deref(), app.clock.now()).await?;
    view(app, actor).await
}

/// Has a browser pushed to no more.
pub async fn unsubscribe(app: &App, actor: &Actor, asked: PushUnsubscribe) -> Result<PushView, AppError> {
    app.store.push_no_more(&actor.user, &asked.endpoint).await?;
    view(app, actor).await
}

/// Mutes something, or does not any more. A room has to be the person's own.
pub async fn mute(app: &App, actor: &Actor, asked: PushMute) -> Result<PushView, AppError> {
    let what = match (asked.kind, asked.room) {
        (Some(kind), None) => word(kind).to_owned(),
        (None, Some(room)) => {
            super::room::get(app, actor, RoomRef::Room(room)).await?;
            room.to_string()
        }
        _ => return Err(Refusal::Invalid("kind, room: one of them".into()).into()),
    };
    app.store.mute(&actor.user, &what, asked.muted).await?;
    view(app, actor).await
}
