//! Push notifications: a new invitation reaches whoever is not there; what was read elsewhere reaches nobody twice.

use std::time::Duration;

use anteroom_load_tests::client::{Http, at_head};
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::Launcher;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::push::{PushKind, PushView};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::support::push_service::{Answer, Browser, PushService};
use crate::support::{Door, Scene, TestServer, ask, hasty, id, problem, soon};

/// How long something may be unread, and a bit.
const DELAY: i64 = 31;

async fn scene() -> (Scene, PushService) {
    (Scene::on(TestServer::in_development().await, Door::Http).await, PushService::start().await)
}

async fn subscribe(http: &Http, browser: &Browser) -> PushView {
    http.post_json("/v1/push/subscribe", &browser.subscription()).await.expect("subscribed")
}

/// Time goes by, and everything that is due has had its time.
async fn later(scene: &Scene, seconds: i64) {
    scene.server.clock.advance_seconds(seconds);
    // It is looked once a second, by every node.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
}

/// Nobody of the freelancer's is there: without a socket.
async fn gone_offline(scene: &mut Scene) {
    let elsewhere = scene.client.socket_at(&scene.server, Vec::new()).await;
    let socket = std::mem::replace(&mut scene.freelancer.socket, elsewhere);
    drop(socket);
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn an_invitation_to_somebody_who_is_not_there_is_pushed_once_to_each_browser() {
    let (mut scene, service) = scene().await;
    let (one, two) = (service.browser("one"), service.browser("two"));
    for browser in [&one, &two, &one] {
        subscribe(&scene.freelancer.http, browser).await;
    }
    gone_offline(&mut scene).await;
    let (_, invitation) = scene.invited(None).await;
    later(&scene, 2).await;
    let taken = service.came(2).await;
    for browser in [&one, &two] {
        let [message] = &browser.all(&service)[..] else { panic!("one for each") };
        let shown = &message.notification;
        assert_eq!((message.web_push, shown.title.as_str()), (8030, "You have a new invitation"));
        assert_eq!((shown.data.kind, shown.data.invitation), (PushKind::Invitations, Some(invitation)));
        assert_eq!(shown.navigate, format!("/#/invitation/{invitation}"));
        // What stands on a lock screen is read by others, too.
        let words = format!("{} {:?}", shown.title, shown.body);
        assert!(!words.contains("clara") && !words.contains("landing page"), "{words}");
    }
    for taken in &taken {
        assert_eq!(taken.header("content-encoding"), "aes128gcm");
        assert_eq!((taken.header("urgency"), taken.header("ttl")), ("high", "259200"));
        assert_eq!(taken.header("topic"), "", "an invitation takes no other one's place");
        assert!(taken.body.len() <= 4_096);
    }
    later(&scene, DELAY).await;
    later(&scene, 24 * 60 * 60).await;
    assert_eq!(service.taken().len(), 2, "once");
}

/// RFC 8292, read by hand.
#[tokio::test]
async fn a_push_is_signed_for_its_service_with_the_key_that_browsers_subscribe_with() {
    let (mut scene, service) = scene().await;
    let browser = service.browser("one");
    let view = subscribe(&scene.freelancer.http, &browser).await;
    gone_offline(&mut scene).await;
    scene.invited(None).await;
    later(&scene, 2).await;
    let taken = service.came(1).await.remove(0);
    let given = taken.header("authorization").strip_prefix("vapid t=").expect("the scheme");
    let (token, key) = given.split_once(", k=").expect("two parts");
    assert_eq!(key, view.key);
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let (header, claims) = signed.split_once('.').expect("two parts");
    let part = |text: &str| -> Value {
        serde_json::from_slice(&BASE64.decode(text).expect("Base64")).expect("JSON")
    };
    assert_eq!(part(header), json!({ "typ": "JWT", "alg": "ES256" }));
    let claims = part(claims);
    assert!(browser.endpoint.starts_with(claims["aud"].as_str().expect("an origin")));
    assert_eq!(claims["aud"].as_str().expect("an origin").matches('/').count(), 2, "an origin has no path");
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, BASE64.decode(key).expect("Base64"));
    key.verify(signed.as_bytes(), &BASE64.decode(signature).expect("Base64")).expect("signed with it");
    // The same key after a restart: browsers are bound to it.
    let scene = scene.restarted(Door::Http).await;
    let again: PushView = scene.freelancer.see("/v1/push").await;
    assert_eq!((again.key, again.subscriptions), (view.key, 1));
}

#[tokio::test]
async fn whoever_is_there_and_reads_is_not_pushed_and_whoever_does_not_is_after_the_delay() {
    let (mut scene, service) = scene().await;
    let browser = service.browser("one");
    subscribe(&scene.freelancer.http, &browser).await;
    let mut socket = scene.freelancer.socket_at(&scene.server, vec![at_head(RoomRef::Inbox)]).await;
    scene.invited(None).await;
    let heard = socket.next_entry().await.expect("the invitation");
    later(&scene, 3).await;
    assert!(service.taken().is_empty(), "it is on a screen");
    let read = json!({ "seq": heard.seq });
    let _: Value = scene.freelancer.http.post_json("/v1/rooms/inbox/read", &read).await.expect("read");
    later(&scene, DELAY).await;
    assert!(service.taken().is_empty(), "and was read");

    // The next one comes to a page that nobody looks at.
    let job = scene.another_job("another").await;
    scene.client.case(ask::invite(&job, &scene.freelancer.user, None)).await;
    socket.next_entry().await.expect("the invitation");
    later(&scene, 3).await;
    assert!(service.taken().is_empty());
    later(&scene, DELAY).await;
    service.came(1).await;
    assert_eq!(browser.all(&service).len(), 1);
}

#[tokio::test]
async fn of_three_messages_in_one_room_there_is_one_notification_and_of_what_was_read_elsewhere_none() {
    let (mut scene, service) = scene().await;
    let (_, room) = scene.talking().await;
    let (hers, his) = (service.browser("hers"), service.browser("his"));
    subscribe(&scene.client.http, &hers).await;
    subscribe(&scene.freelancer.http, &his).await;
    // What was there before is nothing new.
    later(&scene, DELAY).await;
    let before = service.taken().len();
    for words in ["Are you there?", "It is about Monday.", "Call me."] {
        scene.client.posted(room, words).await;
    }
    later(&scene, 20).await;
    assert_eq!(service.taken().len(), before, "there is time to read it");
    later(&scene, 11).await;
    service.came(before + 1).await;
    let [.., message] = &his.all(&service)[..] else { panic!("one") };
    let shown = &message.notification;
    assert_eq!(shown.data.kind, PushKind::Messages);
    assert!(shown.data.unread >= 3 && shown.title.contains("new messages"), "{shown:?}");
    assert_eq!(shown.navigate, format!("/#/room/{room}"));
    later(&scene, DELAY).await;
    later(&scene, DELAY).await;
    assert_eq!(service.taken().len(), before + 1, "one for all three, and none for their author");
    let topic = service.taken().last().expect("one").header("topic").to_owned();
    assert_eq!(topic, room.to_string().replace('-', ""));

    // Read on another device within the delay: none.
    let last = scene.client.posted(room, "Never mind.").await;
    later(&scene, 10).await;
    let read = json!({ "seq": last.seq });
    let _: Value =
        scene.freelancer.http.post_json(&format!("/v1/rooms/{room}/read"), &read).await.expect("read");
    later(&scene, DELAY).await;
    assert_eq!(service.taken().len(), before + 1);

    // And the next one is news again.
    scene.client.posted(room, "One more thing.").await;
    later(&scene, DELAY).await;
    service.came(before + 2).await;
}

#[tokio::test]
async fn what_is_muted_deleted_or_withdrawn_is_not_pushed() {
    let (mut scene, service) = scene().await;
    let (_, room) = scene.talking().await;
    let browser = service.browser("one");
    subscribe(&scene.freelancer.http, &browser).await;
    later(&scene, DELAY).await;
    let before = service.taken().len();
    let http = scene.freelancer.http.clone();
    let mute =
        async |what: Value| -> PushView { http.post_json("/v1/push/mute", &what).await.expect("said") };
    let RoomRef::Room(room_id) = room else { panic!("a room") };

    let view = mute(json!({ "kind": "messages", "muted": true })).await;
    assert_eq!(view.muted_kinds, [PushKind::Messages]);
    scene.client.posted(room, "muted by its kind").await;
    later(&scene, DELAY).await;
    mute(json!({ "kind": "messages", "muted": false })).await;
    let view = mute(json!({ "room": room_id, "muted": true })).await;
    assert_eq!((view.muted_kinds.len(), view.muted_rooms), (0, vec![room_id]));
    scene.client.posted(room, "muted by its room").await;
    later(&scene, DELAY).await;
    mute(json!({ "room": room_id, "muted": false })).await;

    let anger = scene.client.posted(room, "said in anger").await;
    scene.client.say(ask::redact(room, anger.seq)).await.expect("deleted");
    later(&scene, DELAY).await;

    gone_offline(&mut scene).await;
    let _: Value = scene
        .server
        .marketplace
        .service()
        .put("/v1/outbox/push", &json!({ "paused": true }))
        .await
        .expect("held");
    let job = scene.another_job("another").await;
    let case = scene.client.case(ask::invite(&job, &scene.freelancer.user, None)).await;
    scene.client.case(ask::withdraw(case.invitation.expect("an invitation"))).await;
    let _: Value = scene
        .server
        .marketplace
        .service()
        .put("/v1/outbox/push", &json!({ "paused": false }))
        .await
        .expect("on");
    later(&scene, DELAY).await;
    assert_eq!(service.taken().len(), before);

    let strangers = json!({ "room": "00000000-0000-7000-8000-000000000000", "muted": true });
    let refused =
        http.post_json::<Value>("/v1/push/mute", &strangers).await.expect_err("not a room of theirs");
    assert_eq!(problem(&refused).code.as_str(), "not_found");
    let both = json!({ "room": room_id, "kind": "terms", "muted": true });
    assert!(http.post_json::<Value>("/v1/push/mute", &both).await.is_err());
}

#[tokio::test]
async fn what_is_held_back_by_an_operator_is_pushed_afterwards_if_it_is_still_news() {
    let (mut scene, service) = scene().await;
    let browser = service.browser("one");
    subscribe(&scene.freelancer.http, &browser).await;
    gone_offline(&mut scene).await;
    let marketplace = scene.server.marketplace.service().clone();
    let _: Value = marketplace.put("/v1/outbox/push", &json!({ "paused": true })).await.expect("held");
    scene.invited(None).await;
    later(&scene, DELAY).await;
    assert!(service.taken().is_empty());
    let _: Value = marketplace.put("/v1/outbox/push", &json!({ "paused": false })).await.expect("goes on");
    service.came(1).await;
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten_and_a_service_that_asks_for_time_is_given_it() {
    let (mut scene, service) = scene().await;
    let browser = service.browser("one");
    let view = subscribe(&scene.freelancer.http, &browser).await;
    assert_eq!(view.subscriptions, 1);
    gone_offline(&mut scene).await;
    service.answers(Answer { retry_after: Some(600), ..Answer::of(429) });
    scene.invited(None).await;
    later(&scene, 2).await;
    service.came(1).await;
    later(&scene, 500).await;
    assert_eq!(service.taken().len(), 1, "it asked for ten minutes");
    service.answers(Answer::of(503));
    later(&scene, 101).await;
    service.came(2).await;
    service.answers(Answer::of(410));
    later(&scene, 60).await;
    service.came(3).await;
    let gone = async {
        while scene.freelancer.see::<PushView>("/v1/push").await.subscriptions > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("a browser that is forgotten", gone).await;
    service.answers(Answer::of(201));
    later(&scene, 24 * 60 * 60).await;
    assert_eq!(service.taken().len(), 3);
}

#[tokio::test]
async fn a_browser_is_its_last_persons_and_takes_the_place_of_the_one_it_was() {
    let (mut scene, service) = scene().await;
    let (browser, renewed) = (service.browser("one"), service.browser("renewed"));
    subscribe(&scene.freelancer.http, &browser).await;
    gone_offline(&mut scene).await;
    // Somebody else signs in there: what is for the first one is not for these eyes.
    let view = subscribe(&scene.client.http, &browser).await;
    assert_eq!(view.subscriptions, 1);
    assert_eq!(scene.freelancer.see::<PushView>("/v1/push").await.subscriptions, 0);
    scene.invited(None).await;
    later(&scene, DELAY).await;
    assert!(service.taken().is_empty());

    let mut subscription = renewed.subscription();
    subscription["instead_of"] = json!(browser.endpoint);
    let view: PushView =
        scene.client.http.post_json("/v1/push/subscribe", &subscription).await.expect("renewed");
    assert_eq!(view.subscriptions, 1);
    let endpoint = json!({ "endpoint": renewed.endpoint });
    let view: PushView = scene.client.http.post_json("/v1/push/unsubscribe", &endpoint).await.expect("done");
    assert_eq!(view.subscriptions, 0);
    for number in 0..25 {
        subscribe(&scene.client.http, &service.browser(&number.to_string())).await;
    }
    assert_eq!(scene.client.see::<PushView>("/v1/push").await.subscriptions, 20);
}

#[tokio::test]
async fn an_address_that_is_no_push_services_and_keys_that_are_no_browsers_are_refused() {
    let server = TestServer::start().await;
    let scene = Scene::on(server, Door::Http).await;
    let service = PushService::start().await;
    let browser = service.browser("one");
    for (endpoint, code) in [
        (browser.endpoint.as_str(), "address_refused"),
        ("https://169.254.169.254/latest/meta-data/", "address_refused"),
        ("https://fcm.googleapis.com.evil.example/", "address_refused"),
        ("https://evil.example/?fcm.googleapis.com", "address_refused"),
        ("https://fcm.googleapis.com@127.0.0.1/", "address_refused"),
        ("https://1.1.1.1\\.push.apple.com/", "address_refused"),
        ("https://1.1.1.1/.push.apple.com/", "address_refused"),
        ("http://fcm.googleapis.com/send/1", "address_refused"),
        ("not an address", "address_refused"),
    ] {
        let mut subscription = browser.subscription();
        subscription["endpoint"] = json!(endpoint);
        let refused = scene.client.http.post_json::<Value>("/v1/push/subscribe", &subscription).await;
        assert_eq!(problem(&refused.expect_err(endpoint)).code.as_str(), code, "{endpoint}");
    }
    for (field, wrong) in [("p256dh", "AAAA"), ("p256dh", "not Base64!"), ("auth", "AAAA"), ("auth", "")] {
        let mut subscription = browser.subscription();
        subscription["keys"][field] = json!(wrong);
        let refused = scene.client.http.post_json::<Value>("/v1/push/subscribe", &subscription).await;
        let refused = problem(&refused.expect_err(wrong));
        assert_eq!(refused.code.as_str(), "bad_request");
        assert!(refused.message.contains(field), "{}", refused.message);
    }
    assert!(service.taken().is_empty());
}

/// Row by row: a row that was being delivered when the server died is delivered once more, and no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_in_the_middle_of_a_push_repeats_that_one_once_and_loses_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let launcher = hasty(Launcher::new(env!("CARGO_BIN_EXE_anteroom"), directory.path()));
    let mut server = launcher.start().await.expect("a server");
    let mint = server.mint().expect("a mint");
    let marketplace = Marketplace::new(server.base_url(), &mint);
    let service = PushService::start().await;
    let (client, freelancer): (UserId, UserId) = (id("clara"), id("felix"));
    for user in [&client, &freelancer] {
        marketplace.put_user(user, "Somebody").await.expect("told");
    }
    marketplace.put_job(&id("job"), &client, "A job").await.expect("told");
    let browsers = [service.browser("one"), service.browser("two")];
    for browser in &browsers {
        subscribe(&marketplace.as_user(&freelancer), browser).await;
    }
    // It takes its time to answer, and the server dies meanwhile.
    service.answers(Answer { wait: Duration::from_secs(5), ..Answer::of(201) });
    marketplace.invite(&id("job"), &client, &freelancer).await.expect("invited");
    service.came(2).await;
    server.kill().await.expect("killed");
    service.answers(Answer::of(201));
    let _server = launcher.start().await.expect("a server");
    service.came(4).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    for browser in &browsers {
        let all = browser.all(&service);
        assert_eq!(all.len(), 2, "once before, once again, and no more");
        assert_eq!(all[0].notification.tag, all[1].notification.tag, "and shown once");
    }
}
