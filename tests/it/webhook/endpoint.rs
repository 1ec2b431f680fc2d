//! Webhooks as the marketplace makes and looks at them.

use anteroom_protocol::webhook::{DeliveryOutcome, DeliveryView, WebhookState, WebhookView};
use serde_json::{Value, json};

use super::{Hooks, scene};
use crate::support::receiver::Receiver;
use crate::support::{TestServer, problem};

#[tokio::test]
async fn a_webhook_is_made_changed_looked_at_and_taken_away() {
    let scene = scene().await;
    let hooks = Hooks::of(&scene.server);
    let (one, two) = (Receiver::start().await, Receiver::start().await);
    let made = hooks.put("crm", &one, json!({ "audience": "client", "types": ["anteroom.room.*"] })).await;
    assert_eq!((made.id.as_str(), made.state), ("crm", WebhookState::Active));
    let changed = hooks.put("crm", &two, json!({ "description": "The CRM", "paused": true })).await;
    assert_eq!((changed.url.as_str(), changed.state), (two.url.as_str(), WebhookState::Paused));
    assert!(changed.types.is_empty());
    assert_eq!(hooks.get("crm").await, changed);
    hooks.put("billing", &one, json!({})).await;
    let all: Value = hooks.service.get("/v1/webhooks").await.expect("all");
    let ids: Vec<&str> =
        all["items"].as_array().expect("a list").iter().filter_map(|hook| hook["id"].as_str()).collect();
    assert_eq!(ids, ["billing", "crm"]);
    let gone: WebhookView = hooks.service.delete("/v1/webhooks/crm").await.expect("deleted");
    assert_eq!(gone, changed);
    for path in ["/v1/webhooks/crm", "/v1/webhooks/crm/secret", "/v1/webhooks/crm/deliveries"] {
        let refused = hooks.service.get::<Value>(path).await.expect_err(path);
        assert_eq!(problem(&refused).code.as_str(), "not_found", "{path}");
    }
    let refused = hooks.service.delete::<Value>("/v1/webhooks/crm").await.expect_err("gone");
    assert_eq!(problem(&refused).code.as_str(), "not_found");
}

#[tokio::test]
async fn what_cannot_be_a_webhook_is_refused_by_name_and_nothing_is_kept() {
    let scene = scene().await;
    let hooks = Hooks::of(&scene.server);
    let good = "http://127.0.0.1:1/";
    for (draft, code, word) in [
        (json!({}), "bad_request", "url"),
        (json!({ "url": "not an address" }), "address_refused", "address"),
        (json!({ "url": "ftp://127.0.0.1/" }), "address_refused", "https"),
        (json!({ "url": "http://10.0.0.1/" }), "address_refused", "10.0.0.1"),
        (json!({ "url": format!("{good}{}", "x".repeat(2_048)) }), "too_large", "url"),
        (json!({ "url": good, "audience": "everybody" }), "bad_request", "everybody"),
        (json!({ "url": good, "types": ["no type"] }), "bad_request", "no type"),
        (json!({ "url": good, "types": vec!["anteroom.*"; 65] }), "bad_request", "types"),
        (json!({ "url": good, "notify": "nobody-there" }), "bad_request", "notify"),
        (json!({ "url": good, "after": "made-up" }), "bad_request", "after"),
        (json!({ "url": good, "description": "two\nlines" }), "bad_request", "description"),
    ] {
        let refused = hooks.service.put::<Value>("/v1/webhooks/crm", &draft).await.expect_err(word);
        let refused = problem(&refused);
        assert_eq!(refused.code.as_str(), code, "{draft}: {refused:?}");
        assert!(refused.message.contains(word), "{word}: {}", refused.message);
    }
    let all: Value = hooks.service.get("/v1/webhooks").await.expect("all");
    assert_eq!(all["items"], json!([]));
}

/// Row 76 of the matrix of faults, at the door: with a secret of its own, a server posts to nobody's own network.
#[tokio::test]
async fn with_a_configured_secret_addresses_that_are_not_everybodys_are_refused_when_they_are_named() {
    let server = TestServer::start().await;
    let hooks = Hooks::of(&server);
    let receiver = Receiver::start().await;
    let of_the_receiver = receiver.url.replace("http://", "https://");
    for url in [
        receiver.url.as_str(),
        of_the_receiver.as_str(),
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.168.1.1/",
        "https://2130706433/",
    ] {
        let refused =
            hooks.service.put::<Value>("/v1/webhooks/crm", &json!({ "url": url })).await.expect_err(url);
        assert_eq!(problem(&refused).code.as_str(), "address_refused", "{url}");
    }
    assert_eq!(receiver.heard().len(), 0);
}

#[tokio::test]
async fn a_ping_tells_at_once_what_came_of_it_also_of_a_webhook_that_is_paused() {
    let scene = scene().await;
    let hooks = Hooks::of(&scene.server);
    let receiver = Receiver::start().await;
    hooks.put("crm", &receiver, json!({ "paused": true })).await;
    let ping: DeliveryView = hooks.service.post("/v1/webhooks/crm/ping").await.expect("pinged");
    assert_eq!((ping.outcome, ping.status), (DeliveryOutcome::Delivered, Some(204)));
    let heard = receiver.took(1).await.remove(0);
    assert_eq!((heard.event.id, heard.event.kind), (ping.event, ping.kind));
    assert_eq!(heard.event.data.webhook.expect("the webhook").as_str(), "crm");
    receiver.answers(|_| 500);
    let failed: DeliveryView = hooks.service.post("/v1/webhooks/crm/ping").await.expect("pinged");
    assert_eq!((failed.outcome, failed.status), (DeliveryOutcome::Failed, Some(500)));
    drop(receiver);
    let nobody: DeliveryView = hooks.service.post("/v1/webhooks/crm/ping").await.expect("pinged");
    assert!(nobody.status.is_none() && nobody.error.is_some(), "{nobody:?}");
}

#[tokio::test]
async fn the_deliveries_show_every_attempt_newest_first_with_what_was_answered() {
    let mut scene = scene().await;
    let hooks = Hooks::of(&scene.server);
    let receiver = Receiver::start().await;
    hooks.put("crm", &receiver, json!({ "types": ["anteroom.inbox.invitation.sent.v1"] })).await;
    scene.invited(None).await;
    let heard = receiver.took(2).await;
    let page = hooks.until("crm", |_| true).await;
    assert_eq!(page.parked, 0);
    let deliveries = crate::support::soon("two deliveries", async {
        loop {
            let deliveries = hooks.deliveries("crm", "").await;
            if deliveries.len() == 2 {
                return deliveries;
            }
        }
    })
    .await;
    for delivery in &deliveries {
        assert_eq!(
            (delivery.outcome, delivery.status, delivery.attempt),
            (DeliveryOutcome::Delivered, Some(204), 1)
        );
        assert!(heard.iter().any(|heard| heard.event.id == delivery.event));
        assert!(delivery.subject.starts_with("users/"));
    }
    assert!(deliveries[0].number > deliveries[1].number);
    let first = hooks.deliveries("crm", "?limit=1").await;
    let second = hooks.deliveries("crm", &format!("?limit=1&before={}", first[0].number)).await;
    assert_eq!([&first[0], &second[0]], [&deliveries[0], &deliveries[1]]);
    assert!(hooks.deliveries("crm", "?outcome=failed").await.is_empty());
    let refused =
        hooks.service.post::<Value>("/v1/webhooks/crm/deliveries/99/again").await.expect_err("no such");
    assert_eq!(problem(&refused).code.as_str(), "not_found");
}
