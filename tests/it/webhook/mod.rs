//! Webhooks: the marketplace's own systems hear everything that happened, in the order of each log, also when they were away for a while.

pub(crate) mod backlog;
mod endpoint;
mod events;
mod failing;
mod told;

use anteroom_load_tests::client::Http;
use anteroom_protocol::webhook::{DeliveryView, WebhookSecret, WebhookState, WebhookView};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::receiver::{Heard, Receiver};
use crate::support::{Door, Scene, TestServer, soon};

/// A scene on a server that posts to this machine.
async fn scene() -> Scene {
    Scene::on(TestServer::in_development().await, Door::Http).await
}

/// The marketplace's way to the webhooks.
struct Hooks {
    service: Http,
}

#[derive(Deserialize)]
struct Deliveries {
    items: Vec<DeliveryView>,
}

impl Hooks {
    fn of(server: &TestServer) -> Self {
        Self { service: server.marketplace.service().clone() }
    }

    /// Has this receiver told everything from now on, with these fields changed.
    async fn put(&self, id: &str, receiver: &Receiver, fields: Value) -> WebhookView {
        let mut draft = json!({ "url": receiver.url });
        draft.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        self.service.put(&format!("/v1/webhooks/{id}"), &draft).await.expect("put")
    }

    async fn get(&self, id: &str) -> WebhookView {
        self.service.get(&format!("/v1/webhooks/{id}")).await.expect("a webhook")
    }

    async fn secret(&self, id: &str) -> WebhookSecret {
        self.service.get(&format!("/v1/webhooks/{id}/secret")).await.expect("a secret")
    }

    async fn resume(&self, id: &str) -> WebhookView {
        self.service.post(&format!("/v1/webhooks/{id}/resume")).await.expect("resumed")
    }

    /// Its attempts, newest first; `query` begins with `?`, or is empty.
    async fn deliveries(&self, id: &str, query: &str) -> Vec<DeliveryView> {
        let page: Deliveries =
            self.service.get(&format!("/v1/webhooks/{id}/deliveries{query}")).await.expect("deliveries");
        page.items
    }

    /// Waits until the webhook is as it is to be.
    async fn until(&self, id: &str, is: impl Fn(&WebhookView) -> bool) -> WebhookView {
        soon("a webhook that is as it is to be", async {
            loop {
                let view = self.get(id).await;
                if is(&view) {
                    return view;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await
    }
}

/// Nothing was left out, told twice or in another order, in any log.
fn in_order_without_holes(receiver: &Receiver) {
    for (log, seqs) in receiver.taken_by_log() {
        let expected: Vec<u64> = (seqs[0]..).take(seqs.len()).collect();
        assert_eq!(seqs, expected, "{log}");
    }
}

/// The types of what was heard of rooms and inboxes, without their beginning and version.
fn kinds(heard: &[Heard]) -> Vec<&str> {
    heard
        .iter()
        .map(|heard| {
            let kind = heard.event.kind.strip_prefix("anteroom.").expect("ours");
            kind.strip_suffix(".v1").expect("the first version")
        })
        .collect()
}

/// Whether a webhook is disabled.
fn is_disabled(view: &WebhookView) -> bool {
    view.state == WebhookState::Disabled
}
