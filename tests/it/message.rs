//! Messages: kept byte for byte, numbered in order, acknowledged when they are kept.

use anteroom_load_tests::client::{Posted, at_head, new_client_id};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::limits::JOINED_ROOMS;
use anteroom_protocol::server::ServerFrame;
use serde_json::json;
use uuid::Uuid;

use crate::support::database::WriteLock;
use crate::support::{Door, Person, Scene, TestServer, ask, data, over_both_doors, post_all};

over_both_doors![
    a_message_is_acknowledged_kept_and_told_to_both,
    a_message_is_kept_byte_for_byte,
    a_message_of_8192_bytes_is_kept_and_one_byte_more_is_too_large,
    what_is_no_message_is_refused_and_uses_up_no_number,
    nobody_writes_into_an_inbox,
];

async fn a_message_is_acknowledged_kept_and_told_to_both(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.join(at_head(room)).await.expect("joined");
    }
    let key = new_client_id();
    let answer = scene.freelancer.say_as(key, ask::post(room, "hello")).await.expect("posted");
    let answer: Posted = serde_json::from_value(answer).expect("an answer");
    assert_eq!((answer.room, answer.seq, answer.duplicate), (room, 5, false));
    // What is acknowledged can be read at once, by anybody, from the log.
    let kept = scene.room(room).await.pop().expect("an entry");
    assert_eq!((kept.seq, kept.hash, kept.at), (answer.seq, answer.hash, answer.at));
    assert_eq!((kept.kind.as_str(), kept.data()), ("message.posted", json!({"body": "hello"})));
    for person in [&mut scene.client, &mut scene.freelancer] {
        let entry = person.hears(room).await;
        assert_eq!((entry.seq, entry.hash, entry.client_id), (answer.seq, answer.hash, Some(key)));
        assert_eq!(entry.by.expect("an author").as_str(), "felix");
        assert!(entry.private.is_none() && entry.proof.is_none());
    }
}

async fn a_message_is_kept_byte_for_byte(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    scene.client.socket.join(at_head(room)).await.expect("joined");
    let bodies = [
        " leading, trailing \n",
        "line\nline\r\nline\ttab",
        "日本語 العربية עברית हिन्दी",
        "\u{202e}right to left\u{202c} and \u{200d}joined 👩🏽\u{200d}💻",
        "e\u{301} is not \u{e9}",
        "\u{feff}a mark at the beginning, \u{2028} and a line separator",
        r#"{"type":"hello"} \u0041 \\ " </script>"#,
        "\u{10ffff}",
    ];
    for body in bodies {
        scene.freelancer.posted(room, body).await;
        assert_eq!(scene.client.hears(room).await.data(), json!({"body": body}));
    }
    let entries = scene.room(room).await;
    for (at, body) in bodies.iter().enumerate() {
        assert_eq!(data(&entries, 5 + at), json!({"body": body}));
    }
}

async fn a_message_of_8192_bytes_is_kept_and_one_byte_more_is_too_large(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let limit = "ä".repeat(4_096);
    scene.freelancer.posted(room, &limit).await;
    let over = ask::post(room, format!("{limit}x"));
    let error = scene.freelancer.refused_with(ErrorCode::TooLarge, over).await;
    assert!(error.message.contains("8192"), "{error:?}");
    assert_eq!(scene.room(room).await.len(), 5);
}

async fn what_is_no_message_is_refused_and_uses_up_no_number(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    for body in ["", " \n\t ", "a\0b", "\u{1b}[2J", "\u{85}"] {
        scene.freelancer.refused_with(ErrorCode::BadRequest, ask::post(room, body)).await;
    }
    assert_eq!(scene.freelancer.posted(room, "hello").await.seq, 5);
}

async fn nobody_writes_into_an_inbox(mut scene: Scene) {
    let error =
        scene.freelancer.refused_with(ErrorCode::BadRequest, ask::post(RoomRef::Inbox, "Note to self")).await;
    assert!(error.message.contains("inbox"), "{error:?}");
    assert_eq!(scene.freelancer.inbox().await.len(), 0);
}

#[tokio::test]
async fn two_hundred_posts_in_a_row_are_all_answered_and_stand_in_their_order() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    scene.client.socket.join(at_head(room)).await.expect("joined");
    let bodies = (0..200).map(|number| format!("number {number}"));
    let posted = post_all(&mut scene.freelancer.socket, room, bodies).await;
    assert_eq!(posted.len(), 200);
    let entries = scene.room(room).await;
    assert_eq!(entries.len(), 204);
    for (at, (key, answer)) in posted.iter().enumerate() {
        let kept = &entries[4 + at];
        assert_eq!((kept.seq, kept.hash, kept.client_id), (answer.seq, answer.hash, Some(*key)));
        assert_eq!((kept.seq, kept.data()), (5 + at as u64, json!({"body": format!("number {at}")})));
        assert_eq!(scene.client.hears(room).await.seq, kept.seq);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_write_at_once_see_the_same_order() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.join(at_head(room)).await.expect("joined");
    }
    let texts = |who: &'static str| (0..100).map(move |number| format!("{who} {number}"));
    let (mine, yours) = tokio::join!(
        post_all(&mut scene.client.socket, room, texts("clara")),
        post_all(&mut scene.freelancer.socket, room, texts("felix")),
    );
    let entries = scene.room(room).await;
    assert_eq!(entries.len(), 204);
    for posted in [&mine, &yours] {
        assert!(posted.is_sorted_by_key(|(_, answer)| answer.seq), "each in the order of sending");
    }
    for kept in &entries[4..] {
        for person in [&mut scene.client, &mut scene.freelancer] {
            let heard = person.hears(room).await;
            assert_eq!((heard.seq, heard.hash), (kept.seq, kept.hash), "everybody hears it at its place");
        }
    }
}

#[tokio::test]
async fn a_post_whose_author_goes_away_is_kept() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    scene.client.socket.join(at_head(room)).await.expect("joined");
    let (user, key) = (scene.freelancer.user.clone(), new_client_id());
    let (sender, _) = scene.freelancer.socket.halves();
    sender.send_command(key, ask::post(room, "and off")).await.expect("sent");
    drop(scene.freelancer);
    assert_eq!(scene.client.hears(room).await.client_id, Some(key));
    let mut back = Person::come(&scene.server, user, Door::Socket).await;
    let again = back.say_as(key, ask::post(room, "and off")).await.expect("known");
    assert_eq!((&again["duplicate"], &again["seq"]), (&json!(true), &json!(5)));
}

#[tokio::test]
async fn whoever_has_not_joined_a_room_is_told_that_it_has_grown() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    scene.client.hears_of(room, 4).await;
    post_all(&mut scene.freelancer.socket, room, (0..10).map(|number| number.to_string())).await;
    let is_last = |frame: &ServerFrame| *frame == ServerFrame::Activity { room, head: 14 };
    scene.client.socket.wait_for("activity", is_last).await.expect("told of the last");
}

/// While commits failed, a client could post to ever more rooms, and the server remembered the order of each for as long as the socket
/// lived.
#[tokio::test]
async fn regression_posts_that_fail_in_more_rooms_than_have_an_order_of_their_own_hold_each_other() {
    let server = TestServer::embedded(|config| config.limits.writer_queue = 1).await;
    let mut scene = Scene::on(server, Door::Socket).await;
    let (_, room) = scene.talking().await;
    let lock = WriteLock::take(&scene.server.database()).await;
    let (sender, receiver) = scene.client.socket.halves();
    let waits = sender.send_command(new_client_id(), ask::post(room, "for its commit")).await.expect("sent");
    // Behind it the queue is full, but for one place.
    let posts: Vec<_> = (1..JOINED_ROOMS + 50)
        .map(|_| (new_client_id(), ask::post(RoomRef::Room(RoomId(Uuid::now_v7())), "too much")))
        .collect();
    let mut ids = Vec::new();
    for (key, post) in &posts {
        ids.push(sender.send_command(*key, post.clone()).await.expect("sent"));
    }
    let first = JOINED_ROOMS - 1;
    for (at, id) in ids.iter().enumerate().skip(first) {
        let refused = receiver.answer(id).await.expect_err("put off");
        let refused = refused.refusal().expect("a refusal");
        let held = (ErrorCode::Held, Some(posts[first].0));
        let expected = if at == first { (ErrorCode::Busy, None) } else { held };
        assert_eq!((refused.code, refused.held_by), expected, "{at}");
    }
    lock.give_back().await;
    receiver.answer(&waits).await.expect("posted");
    // Sent again in the order that was named, each comes as far as to a room that is not there.
    for (key, post) in &posts[first..] {
        let refused = scene.client.say_as(*key, post.clone()).await.expect_err("refused");
        assert_eq!(refused.code, ErrorCode::NotFound);
    }
}
