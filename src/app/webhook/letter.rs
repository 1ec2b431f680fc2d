//! One event on its way to one webhook: written, signed as Standard Webhooks 1.0.0 has it (symmetric, `v1`), and sent.

use anteroom_protocol::event::{Event, MEDIA_TYPE};
use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{DeliveryNumber, DeliveryOutcome, DeliveryView, WebhookSecret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::time::Instant;

use crate::app::App;
use crate::domain::webhook::{Webhook, health};
use crate::outbound::{Post, Reply};

/// Makes the secrets of webhooks. None is kept: each is made anew of the server's key, the webhook, and how often it was changed.
pub struct Seals([u8; 32]);

impl Seals {
    /// With the server's key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The secret of a webhook after so many rotations.
    fn key(&self, webhook: &Webhook, rotations: u64) -> [u8; 32] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        hmac.update(&webhook.made_at.as_micros().to_be_bytes());
        hmac.update(&rotations.to_be_bytes());
        hmac.update(webhook.id.as_str().as_bytes());
        hmac.finalize().into_bytes().into()
    }

    /// What signs now: the secret, and the one before as long as it does.
    fn keys(&self, webhook: &Webhook, now: Time) -> Vec<[u8; 32]> {
        let is_former_good = webhook.former_until.is_some_and(|until| now < until);
        let former = webhook.rotations.checked_sub(1).filter(|_| is_former_good);
        [Some(webhook.rotations), former]
            .into_iter()
            .flatten()
            .map(|count| self.key(webhook, count))
            .collect()
    }

    /// What its receiver has to know.
    pub fn told(&self, webhook: &Webhook, now: Time) -> WebhookSecret {
        let mut keys = self.keys(webhook, now).into_iter().map(|key| format!("whsec_{}", BASE64.encode(key)));
        let (secret, former) = (keys.next().unwrap_or_default(), keys.next());
        WebhookSecret { secret, former_until: webhook.former_until.filter(|_| former.is_some()), former }
    }

    /// The three headers of a signed delivery.
    fn headers(&self, webhook: &Webhook, id: &str, now: Time, body: &[u8]) -> [(&'static str, String); 3] {
        let timestamp = now.as_seconds().to_string();
        let signed = |key: [u8; 32]| {
            let mut hmac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                hmac.update(part);
            }
            format!("v1,{}", BASE64.encode(hmac.finalize().into_bytes()))
        };
        let signatures: Vec<String> = self.keys(webhook, now).into_iter().map(signed).collect();
        let id = ("webhook-id", id.to_owned());
        [id, ("webhook-timestamp", timestamp), ("webhook-signature", signatures.join(" "))]
    }
}

/// Sends an event: what is shown of the attempt, and what was answered.
pub(super) async fn send(
    app: &App,
    webhook: &Webhook,
    event: &Event,
    attempt: u32,
) -> (DeliveryView, Option<Reply>) {
    let (now, begun) = (app.clock.now(), Instant::now());
    let body = serde_json::to_vec(event).expect("an event is JSON");
    let mut headers = vec![("content-type", MEDIA_TYPE.to_owned())];
    headers.extend(app.seals.headers(webhook, &event.id, now, &body));
    let answered = app.outbound.post(Post { url: webhook.target.url.clone(), headers, body }).await;
    let (reply, error) = match answered {
        Ok(reply) => (Some(reply), None),
        Err(failure) => (None, Some(failure.to_string())),
    };
    let status = reply.as_ref().map(|reply| reply.status);
    let is_taken = health::is_taken(status);
    let outcome = if is_taken { DeliveryOutcome::Delivered } else { DeliveryOutcome::Failed };
    app.metrics.webhook_attempt(if is_taken { "delivered" } else { "failed" });
    let response = reply.as_ref().map(|reply| reply.text.clone()).filter(|text| !text.is_empty());
    let view = DeliveryView {
        number: DeliveryNumber(0),
        event: event.id.clone(),
        kind: event.kind.clone(),
        subject: event.subject.clone(),
        at: now,
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        attempt,
        outcome,
        status,
        error,
        response,
        again: false,
    };
    (view, reply)
}
