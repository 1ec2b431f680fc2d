//! Receivers that are down, that do not take something, and that are gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anteroom_protocol::webhook::{DeliveryOutcome, WebhookDisabled, WebhookState};
use serde_json::json;

use super::{Hooks, in_order_without_holes, is_disabled, scene};
use crate::support::receiver::Receiver;
use crate::support::{Scene, soon};

/// Time goes by in steps, as the server sees it, until this is so.
async fn time_goes_on(scene: &Scene, step: i64, mut until: impl FnMut() -> bool) {
    soon("what comes in time", async {
        while !until() {
            scene.server.clock.advance_seconds(step);
            // It is looked once a second by the time of day that everybody has; here an hour takes less.
            scene.server.app().telling.stir();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
}

/// It answers a message with the word poison like this, until it is mended.
fn poisoned(receiver: &Receiver, status: u16) -> Arc<AtomicBool> {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = is_mended.clone();
    receiver.answers(move |event| {
        let is_poison = event.data.entry.as_ref().is_some_and(|entry| entry.data.get().contains("poison"));
        if is_poison && !mended.load(Ordering::SeqCst) { status } else { 204 }
    });
    is_mended
}

#[tokio::test]
async fn whoever_was_down_for_an_hour_is_told_everything_in_the_order_of_each_log() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let is_up = Arc::new(AtomicBool::new(false));
    let up = is_up.clone();
    receiver.answers(move |_| if up.load(Ordering::SeqCst) { 204 } else { 503 });
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({})).await;
    let (_, room) = scene.talking().await;
    let mut later = Vec::new();
    for minute in 0..60 {
        scene.client.posted(room, &format!("minute {minute}")).await;
        if minute % 10 == 0 {
            let open = scene.server.marketplace.open_room(&format!("later-{minute}")).await.expect("a room");
            later.push((open.room, open.freelancer));
        }
        scene.server.clock.advance_seconds(60);
    }
    receiver.came(1).await;
    let down = hooks.until("crm", |view| view.failing_since.is_some()).await;
    assert_eq!(down.state, WebhookState::Active);
    assert_eq!((down.held_logs, down.parked), (0, 0), "it waits as a whole");
    assert!(receiver.heard().len() < 60, "it is not asked with every event: {}", receiver.heard().len());
    is_up.store(true, Ordering::SeqCst);
    let mut expected = vec![(format!("rooms/{room}"), scene.client.log(room).await.len())];
    for person in [&scene.client, &scene.freelancer] {
        expected.push((format!("users/{}/inbox", person.user), person.inbox().await.len()));
    }
    for (room, freelancer) in later {
        let log =
            scene.server.marketplace.as_user(&freelancer).all_entries(room, false).await.expect("a log");
        expected.push((format!("rooms/{room}"), log.len()));
    }
    let is_told = || {
        let told = receiver.taken_by_log();
        expected.iter().all(|(log, count)| told.get(log).is_some_and(|seqs| seqs.len() >= *count))
    };
    time_goes_on(&scene, 60, is_told).await;
    hooks.until("crm", |view| view.failing_since.is_none()).await;
    in_order_without_holes(&receiver);
    let told = receiver.taken_by_log();
    assert!(expected.iter().all(|(log, count)| told[log].len() == *count), "{expected:?}: {told:?}");
}

#[tokio::test]
async fn an_event_that_is_not_taken_holds_up_its_own_room_alone_and_the_order_of_that_room_is_kept() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({ "types": ["anteroom.room.*"] })).await;
    let is_mended = poisoned(&receiver, 422);
    let (_, room) = scene.talking().await;
    scene.client.posted(room, "poison").await;
    scene.client.posted(room, "behind it").await;
    hooks.until("crm", |view| view.held_logs == 1).await;
    // Others go on.
    let of_another = scene.server.marketplace.open_room("elsewhere").await.expect("a room");
    let subject = format!("rooms/{}", of_another.room);
    soon("the other room", async {
        while receiver.taken_by_log().get(&subject).is_none_or(Vec::is_empty) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    let log = scene.client.log(room).await.len();
    assert_eq!(receiver.taken_by_log()[&format!("rooms/{room}")].len(), log - 2);
    scene.client.posted(room, "and some more").await;
    is_mended.store(true, Ordering::SeqCst);
    let subject = format!("rooms/{room}");
    time_goes_on(&scene, 60, || receiver.taken_by_log()[&subject].len() > log).await;
    in_order_without_holes(&receiver);
    hooks.until("crm", |view| view.held_logs == 0).await;
}

#[tokio::test]
async fn an_event_that_is_never_taken_is_parked_after_ten_attempts_and_can_be_sent_again() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({ "types": ["anteroom.room.*"] })).await;
    let is_mended = poisoned(&receiver, 400);
    let (_, room) = scene.talking().await;
    scene.client.posted(room, "poison").await;
    scene.client.posted(room, "behind it").await;
    let subject = format!("rooms/{room}");
    let log = scene.client.log(room).await.len();
    receiver.came(1).await;
    // A day and a half at a time: longer than any of the waits.
    let is_told = || receiver.taken_by_log().get(&subject).is_some_and(|seqs| seqs.contains(&(log as u64)));
    time_goes_on(&scene, 36 * 60 * 60, is_told).await;
    let parked = hooks.deliveries("crm", "?outcome=parked").await;
    let [parked] = &parked[..] else { panic!("one event: {parked:?}") };
    assert_eq!((parked.attempt, parked.status), (10, Some(400)));
    assert_eq!(parked.response.as_deref(), Some("status 400"));
    let view = hooks.until("crm", |view| view.held_logs == 0).await;
    assert_eq!((view.parked, view.state), (1, WebhookState::Active));
    let attempts = receiver.heard().iter().filter(|heard| heard.event.id == parked.event).count();
    assert_eq!(attempts, 10);

    // Once more while it is as it was, and then when it is mended.
    let again = format!("/v1/webhooks/crm/deliveries/{}/again", parked.number);
    let asked: anteroom_protocol::webhook::DeliveryView =
        hooks.service.post(&again).await.expect("asked for");
    assert!(asked.again);
    receiver.came(receiver.heard().len() + 1).await;
    assert_eq!(hooks.until("crm", |_| true).await.parked, 1);
    is_mended.store(true, Ordering::SeqCst);
    let _: anteroom_protocol::webhook::DeliveryView = soon("another one", async {
        loop {
            let delivery = hooks.deliveries("crm", "?outcome=parked").await.remove(0);
            if !delivery.again {
                return hooks.service.post(&again).await.expect("asked for");
            }
        }
    })
    .await;
    hooks.until("crm", |view| view.parked == 0).await;
    assert!(receiver.taken().iter().any(|heard| heard.event.id == parked.event));
    let redelivered = hooks.deliveries("crm", "?outcome=redelivered").await;
    assert_eq!(redelivered.len(), 1);
    assert_eq!(redelivered[0].outcome, DeliveryOutcome::Redelivered);
}

#[tokio::test]
async fn whoever_fails_for_five_days_is_disabled_somebody_hears_of_it_and_a_resumed_one_misses_nothing() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| 500);
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({ "notify": scene.client.user, "description": "The CRM" })).await;
    let (_, room) = scene.talking().await;
    receiver.came(1).await;
    for _ in 0..5 {
        let before = receiver.heard().len();
        assert!(!is_disabled(&hooks.get("crm").await));
        scene.server.clock.advance_seconds(24 * 60 * 60);
        receiver.came(before + 1).await;
    }
    let view = hooks.until("crm", is_disabled).await;
    let because = view.disabled_because.expect("a reason");
    assert!(because.contains("5 days") && because.contains("500"), "{because}");
    let notice = soon("a notice", async {
        loop {
            if let Some(notice) =
                scene.client.inbox().await.into_iter().find(|entry| entry.kind == "webhook.disabled")
            {
                return notice;
            }
        }
    })
    .await;
    let told: WebhookDisabled = serde_json::from_str(notice.data.get()).expect("a webhook");
    assert_eq!((told.webhook.as_str(), &told.because), ("crm", &because));
    let heard = receiver.heard().len();
    scene.client.posted(room, "nobody is told").await;
    scene.server.clock.advance_seconds(24 * 60 * 60);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(receiver.heard().len(), heard, "nothing is tried any more");
    // Telling of it again changes nothing.
    let view = hooks.put("crm", &receiver, json!({})).await;
    assert!(is_disabled(&view));

    receiver.answers(|_| 204);
    assert_eq!(hooks.resume("crm").await.state, WebhookState::Active);
    let logs = [scene.client.inbox().await, scene.freelancer.inbox().await, scene.client.log(room).await];
    receiver.took(logs.iter().map(Vec::len).sum()).await;
    in_order_without_holes(&receiver);
}

#[tokio::test]
async fn whoever_says_that_it_is_gone_is_disabled_at_once() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| 410);
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({})).await;
    scene.invited(None).await;
    let view = hooks.until("crm", is_disabled).await;
    assert!(view.disabled_because.expect("a reason").contains("410"));
}

#[tokio::test]
async fn what_is_held_back_by_an_operator_or_paused_by_the_marketplace_is_told_afterwards() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({})).await;
    let held: serde_json::Value =
        hooks.service.put("/v1/outbox/webhooks", &json!({ "paused": true })).await.expect("held");
    assert_eq!(held, json!({ "paused": true }));
    let (_, room) = scene.talking().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(receiver.heard().len(), 0);
    hooks.put("crm", &receiver, json!({ "paused": true })).await;
    let _: serde_json::Value =
        hooks.service.put("/v1/outbox/webhooks", &json!({ "paused": false })).await.expect("goes on");
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(receiver.heard().len(), 0, "the marketplace has paused it");
    hooks.put("crm", &receiver, json!({})).await;
    let logs = [scene.client.inbox().await, scene.freelancer.inbox().await, scene.client.log(room).await];
    receiver.took(logs.iter().map(Vec::len).sum()).await;
    in_order_without_holes(&receiver);
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_nothing_and_keeps_the_order() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    receiver.answers_after(|_| (204, std::time::Duration::from_millis(20)));
    Hooks::of(&scene.server).put("crm", &receiver, json!({})).await;
    let (_, room) = scene.talking().await;
    for number in 0..100 {
        scene.client.posted(room, &number.to_string()).await;
    }
    receiver.took(10).await;
    let scene = scene.restarted(crate::support::Door::Http).await;
    let logs = [scene.client.inbox().await, scene.freelancer.inbox().await, scene.client.log(room).await];
    receiver.took(logs.iter().map(Vec::len).sum()).await;
    // Whoever goes down in order waits for what is under way, and keeps it.
    in_order_without_holes(&receiver);
    assert_eq!(receiver.taken_by_log()[&format!("rooms/{room}")].len(), logs[2].len());
}
