//! What is told, to whom, and how it is signed.

use std::time::Duration;

use anteroom_protocol::event::MEDIA_TYPE;
use anteroom_protocol::fee::FeeSchedule;
use serde_json::{Value, json};
use standardwebhooks::Webhook as Verifier;

use super::{Hooks, in_order_without_holes, kinds, scene};
use crate::support::ask;
use crate::support::receiver::{Heard, Receiver};

fn verifies(heard: &Heard, secret: &str) -> bool {
    Verifier::new(secret).expect("a secret").verify(heard.body.as_bytes(), &heard.headers).is_ok()
}

#[tokio::test]
async fn everything_that_happens_is_told_once_in_the_order_of_each_log() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    Hooks::of(&scene.server).put("crm", &receiver, json!({})).await;
    let (_, room) = scene.talking().await;
    scene.client.posted(room, "When could you start?").await;
    scene.freelancer.posted(room, "On Monday.").await;
    let logs = [scene.client.inbox().await, scene.freelancer.inbox().await, scene.client.log(room).await];
    let heard = receiver.took(logs.iter().map(Vec::len).sum()).await;
    in_order_without_holes(&receiver);
    assert!(kinds(&heard).contains(&"inbox.invitation.sent"), "{:?}", kinds(&heard));
    assert!(kinds(&heard).contains(&"room.message.posted"), "{:?}", kinds(&heard));
    let last = heard
        .iter()
        .rfind(|heard| heard.event.kind == "anteroom.room.message.posted.v1")
        .expect("the last words");
    let entry = last.event.data.entry.as_ref().expect("an entry");
    assert_eq!(
        serde_json::from_str::<Value>(entry.data.get()).expect("JSON"),
        json!({ "body": "On Monday." })
    );
    assert_eq!(last.event.subject, format!("rooms/{room}"));
    let case = last.event.data.case.as_ref().expect("a case");
    assert_eq!((&case.client, &case.freelancer), (&scene.client.user, &scene.freelancer.user));
    // The same entries as the two read, each under an id of its own.
    let mut ids: Vec<&str> = heard.iter().map(|heard| heard.event.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), heard.len());
    for entry in logs.iter().flatten() {
        assert!(
            heard.iter().any(|heard| heard
                .event
                .data
                .entry
                .as_ref()
                .is_some_and(|told| told.hash == entry.hash))
        );
    }
}

#[tokio::test]
async fn a_delivery_is_a_cloud_event_that_the_public_package_verifies() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({ "types": ["anteroom.inbox.invitation.sent.v1"] })).await;
    let secret = hooks.secret("crm").await;
    assert!(secret.secret.starts_with("whsec_") && secret.former.is_none());
    scene.invited(None).await;
    let heard = receiver.took(2).await;
    for heard in &heard {
        assert!(verifies(heard, &secret.secret));
        assert!(!verifies(heard, &hooks_secret_of_another(&scene.server, &receiver).await));
        let header = |name: &str| heard.headers[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), MEDIA_TYPE);
        assert_eq!(header("webhook-id"), heard.event.id);
        let mut tampered = heard.clone();
        tampered.body = tampered.body.replace("clara", "klara");
        assert!(!verifies(&tampered, &secret.secret));
        let event: Value = serde_json::from_str(&heard.body).expect("JSON");
        // The required attributes of CloudEvents 1.0.
        for name in ["id", "source", "specversion", "type"] {
            assert!(event[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {event}");
        }
        assert_eq!(event["specversion"], "1.0");
    }
}

async fn hooks_secret_of_another(server: &crate::support::TestServer, receiver: &Receiver) -> String {
    let hooks = Hooks::of(server);
    hooks.put("another", receiver, json!({ "paused": true })).await;
    hooks.secret("another").await.secret
}

#[tokio::test]
async fn for_a_day_after_a_rotation_both_secrets_verify_and_then_the_new_one_alone() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({ "types": ["anteroom.room.message.posted.v1"] })).await;
    let (_, room) = scene.talking().await;
    let first = hooks.secret("crm").await.secret;
    let rotated: anteroom_protocol::webhook::WebhookSecret =
        hooks.service.post("/v1/webhooks/crm/rotate").await.expect("rotated");
    assert_eq!(rotated.former.as_deref(), Some(first.as_str()));
    assert_ne!(rotated.secret, first);
    let before = receiver.took(1).await.len();
    scene.client.posted(room, "signed twice").await;
    let both = receiver.took(before + 1).await.pop().expect("one");
    assert!(verifies(&both, &first) && verifies(&both, &rotated.secret));
    scene.server.clock.advance_seconds(24 * 60 * 60 + 1);
    let told = hooks.secret("crm").await;
    assert_eq!((told.secret, told.former), (rotated.secret.clone(), None));
    scene.client.posted(room, "signed once").await;
    let once = receiver.took(before + 2).await.pop().expect("one");
    // The package looks at the time of day, which has moved for the server alone: so its signature is looked at.
    let signatures = once.headers["webhook-signature"].to_str().expect("text");
    assert_eq!(signatures.split(' ').count(), 1);
    let timestamp = once.headers["webhook-timestamp"].to_str().expect("text").parse().expect("seconds");
    let signed = |secret: &str| {
        let verifier = Verifier::new(secret).expect("a secret");
        verifier.sign(&once.event.id, timestamp, once.body.as_bytes()).expect("signed")
    };
    assert_eq!(signatures, signed(&rotated.secret));
    assert_ne!(signatures, signed(&first));
}

/// Rule 10, at the third door.
#[tokio::test]
async fn what_a_freelancer_takes_home_reaches_no_webhook_of_the_client_side() {
    let mut scene = scene().await;
    scene.fees_are(&FeeSchedule::Flat { basis_points: 1_000 }).await;
    let hooks = Hooks::of(&scene.server);
    let receivers = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
    for (audience, receiver) in ["client", "freelancer", "marketplace"].into_iter().zip(&receivers) {
        hooks.put(audience, receiver, json!({ "audience": audience })).await;
    }
    let (_, room) = scene.hired(ask::hourly(26_664)).await;
    scene.client.posted(room, "Welcome").await;
    let [client, freelancer, marketplace] = &receivers;
    let count = |logs: &[&Vec<anteroom_protocol::entry::EntryFrame>]| logs.iter().map(|log| log.len()).sum();
    let (room, theirs, his) =
        (scene.client.log(room).await, scene.client.inbox().await, scene.freelancer.inbox().await);
    let to_client = client.took(count(&[&room, &theirs])).await;
    let to_freelancer = freelancer.took(count(&[&room, &his])).await;
    let to_all = marketplace.took(count(&[&room, &theirs, &his])).await;
    let figures = ["take_home", "basis_points", "private", ":23998", ":2666,", ":2666}", "\"fee\""];
    for heard in &to_client {
        for figure in figures {
            assert!(!heard.body.contains(figure), "{figure}: {}", heard.body);
        }
        assert_ne!(heard.event.data.inbox_of.as_ref(), Some(&scene.freelancer.user));
    }
    for told in [&to_freelancer, &to_all] {
        assert!(told.iter().any(|heard| heard.body.contains("take_home")));
    }
    assert!(to_freelancer.iter().all(|heard| heard.event.data.inbox_of.as_ref() != Some(&scene.client.user)));
}

#[tokio::test]
async fn a_text_that_was_deleted_before_it_was_told_is_told_by_nobody() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({ "paused": true })).await;
    let (_, room) = scene.talking().await;
    let secret = scene.client.posted(room, "my password is hunter2").await;
    scene.client.say(ask::redact(room, secret.seq)).await.expect("redacted");
    hooks.put("crm", &receiver, json!({})).await;
    let logs = [scene.client.inbox().await, scene.freelancer.inbox().await, scene.client.log(room).await];
    let heard = receiver.took(logs.iter().map(Vec::len).sum()).await;
    assert!(kinds(&heard).contains(&"room.message.redacted"));
    assert!(heard.iter().all(|heard| !heard.body.contains("hunter2")));
    let gone =
        heard.iter().find(|heard| heard.event.subject.starts_with("rooms/") && heard.seq() == secret.seq);
    let entry = gone.expect("told of").event.data.entry.clone().expect("an entry");
    assert_eq!(entry.data.get(), "null");
}

#[tokio::test]
async fn a_slow_receiver_keeps_nobody_else_waiting() {
    let mut scene = scene().await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.answers_after(|_| (204, Duration::from_secs(5)));
    let hooks = Hooks::of(&scene.server);
    hooks.put("slow", &slow, json!({})).await;
    hooks.put("quick", &quick, json!({})).await;
    let (_, room) = scene.talking().await;
    let begun = std::time::Instant::now();
    for number in 0..20 {
        scene.client.posted(room, &number.to_string()).await;
    }
    quick.took(20 + scene.client.log(room).await.len().saturating_sub(20)).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "it did not wait for the slow one");
    assert!(slow.taken().len() < quick.taken().len());
}
