//! Edits and redactions over the wire: what the others see of them, live and later, and what is refused.

use anteroom_load_tests::client::{Posted, at_head, from_start, new_client_id};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::message::{MessageEdit, MessageRedact};
use anteroom_protocol::user::UserStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Scene, ask, data, over_both_doors};

over_both_doors![
    an_edit_is_told_live_and_named_at_the_message_it_is_of,
    a_redaction_is_told_live_and_leaves_nothing_of_the_text_in_any_page,
    an_amendment_that_is_not_allowed_is_refused_with_its_code,
    an_amendment_repeated_gets_the_same_answer,
    the_marketplace_deletes_a_message_of_anybody,
    a_redacted_message_that_is_sent_again_is_known_and_stays_deleted,
];

fn posted(answer: Value) -> Posted {
    serde_json::from_value(answer).expect("an answer")
}

/// A room that both read, with one message of the freelancer's: number 5.
async fn said(scene: &mut Scene, words: &str) -> RoomRef {
    let (_, room) = scene.talking().await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.join(at_head(room)).await.expect("joined");
    }
    assert_eq!(scene.freelancer.posted(room, words).await.seq, 5);
    for person in [&mut scene.client, &mut scene.freelancer] {
        assert_eq!(person.hears(room).await.seq, 5);
    }
    room
}

async fn an_edit_is_told_live_and_named_at_the_message_it_is_of(mut scene: Scene) {
    let room = said(&mut scene, "first").await;
    let key = new_client_id();
    let answer = scene.freelancer.say_as(key, ask::edit(room, 5, "second")).await.expect("edited");
    let answer = posted(answer);
    assert_eq!((answer.room, answer.seq, answer.duplicate), (room, 6, false));
    for person in [&mut scene.client, &mut scene.freelancer] {
        let heard = person.hears(room).await;
        assert_eq!((heard.kind.as_str(), heard.seq, heard.hash), ("message.edited", 6, answer.hash));
        assert_eq!((heard.data(), heard.client_id), (json!({"seq": 5, "body": "second"}), Some(key)));
        assert_eq!(heard.by.expect("an author").as_str(), "felix");
    }
    let entries = scene.room(room).await;
    assert_eq!((data(&entries, 5), entries[4].amended_by), (json!({"body": "first"}), Some(6)));
    assert_eq!(entries[5].amended_by, None);
    // A resuming reader gets the same.
    let mut late = scene.client.socket_at(&scene.server, vec![from_start(room)]).await;
    for entry in &entries {
        let heard = late.next_entry().await.expect("an entry");
        assert_eq!((heard.seq, heard.amended_by, heard.data()), (entry.seq, entry.amended_by, entry.data()));
    }
}

async fn a_redaction_is_told_live_and_leaves_nothing_of_the_text_in_any_page(mut scene: Scene) {
    let room = said(&mut scene, "the secret").await;
    scene.freelancer.say(ask::edit(room, 5, "another secret")).await.expect("edited");
    let answer = posted(scene.freelancer.say(ask::redact(room, 5)).await.expect("deleted"));
    assert_eq!(answer.seq, 7);
    for person in [&mut scene.client, &mut scene.freelancer] {
        assert_eq!(person.hears(room).await.seq, 6);
        let heard = person.hears(room).await;
        let expected = json!({"seq": 5, "reason": "said in anger", "on_behalf": "author"});
        assert_eq!((heard.kind.as_str(), heard.data()), ("message.redacted", expected));
    }
    // The chain of both is computed from the page with its proof.
    let entries = scene.room(room).await;
    for seq in [5, 6] {
        assert_eq!(data(&entries, seq), Value::Null);
        let proof = entries[seq - 1].proof.as_ref().expect("a proof");
        assert!(proof.public_salt.is_none() && proof.public_digest.is_some(), "{proof:?}");
    }
    assert_eq!(entries[4].amended_by, Some(7));
    for query in ["", "?proof=true", "?after=4", "?before=7&limit=2"] {
        let path = format!("/v1/rooms/{room}/entries{query}");
        let page = scene.client.http.raw("GET", &path, &[], None).await.expect("a page").text;
        assert!(page.contains(r#""data":null"#) && !page.contains("secret"), "{page}");
    }
    let mut late = scene.client.socket_at(&scene.server, vec![from_start(room)]).await;
    for entry in &entries {
        let heard: EntryFrame = late.next_entry().await.expect("an entry");
        assert_eq!((heard.seq, heard.data(), heard.amended_by), (entry.seq, entry.data(), entry.amended_by));
    }
}

async fn an_amendment_that_is_not_allowed_is_refused_with_its_code(mut scene: Scene) {
    let room = said(&mut scene, "mine").await;
    for command in [ask::edit(room, 5, "yours"), ask::redact(room, 5)] {
        scene.client.refused_with(ErrorCode::NotTheAuthor, command).await;
    }
    let foreign = scene.server.marketplace.open_room("foreign").await.expect("a room").room;
    let missing = RoomRef::Room(RoomId(Uuid::now_v7()));
    for (room, seq, code) in [
        (room, 1, ErrorCode::NotAMessage),
        (room, 0, ErrorCode::BadRequest),
        (room, 6, ErrorCode::BadRequest),
        (foreign, 4, ErrorCode::NotFound),
        (missing, 4, ErrorCode::NotFound),
        (RoomRef::Inbox, 1, ErrorCode::BadRequest),
    ] {
        for command in [ask::edit(room, seq, "words"), ask::redact(room, seq)] {
            scene.freelancer.refused_with(code, command).await;
        }
    }
    for body in ["", " \n ", "a\0b"] {
        scene.freelancer.refused_with(ErrorCode::BadRequest, ask::edit(room, 5, body)).await;
    }
    scene.freelancer.refused_with(ErrorCode::TooLarge, ask::edit(room, 5, "x".repeat(8_193))).await;
    for (reason, code) in [
        ("", ErrorCode::BadRequest),
        ("two\nlines", ErrorCode::BadRequest),
        (&"x".repeat(501), ErrorCode::TooLarge),
    ] {
        let command = Command::MessageRedact(MessageRedact { room, seq: 5, reason: reason.into() });
        scene.freelancer.refused_with(code, command).await;
    }
    scene.server.retell(&scene.freelancer, |profile| profile.status = UserStatus::Suspended).await;
    for command in [ask::edit(room, 5, "words"), ask::redact(room, 5)] {
        scene.freelancer.refused_with(ErrorCode::AccountSuspended, command).await;
    }
    scene.server.retell(&scene.freelancer, |_| {}).await;
    scene.server.clock.advance_seconds(15 * 60 + 1);
    scene.freelancer.refused_with(ErrorCode::EditWindowOver, ask::edit(room, 5, "words")).await;
    scene.freelancer.say(ask::redact(room, 5)).await.expect("deleting has no window");
    scene.freelancer.refused_with(ErrorCode::AlreadyRedacted, ask::redact(room, 5)).await;
    assert_eq!(scene.room(room).await.len(), 6, "what was refused uses up no number");
}

async fn an_amendment_repeated_gets_the_same_answer(mut scene: Scene) {
    let room = said(&mut scene, "first").await;
    for command in [ask::edit(room, 5, "second"), ask::redact(room, 5)] {
        let key = new_client_id();
        let first = scene.freelancer.say_as(key, command.clone()).await.expect("done");
        let mut again = scene.freelancer.say_as(key, command).await.expect("repeated");
        assert_eq!(std::mem::replace(&mut again["duplicate"], json!(false)), json!(true));
        assert_eq!(again, first);
        let other = Command::MessageEdit(MessageEdit { room, seq: 5, body: "third".into() });
        let refused = scene.freelancer.say_as(key, other).await.expect_err("refused");
        assert!(matches!(refused.code, ErrorCode::ClientIdReused), "{refused:?}");
    }
    assert_eq!(scene.room(room).await.len(), 7);
}

async fn the_marketplace_deletes_a_message_of_anybody(mut scene: Scene) {
    let room = said(&mut scene, "the secret").await;
    let service = scene.server.marketplace.service().clone();
    let edit = service.command::<Value>(new_client_id(), &ask::edit(room, 5, "no")).await;
    assert!(edit.is_err(), "it edits nothing");
    let (key, command) = (new_client_id(), ask::redact(room, 5));
    let answer: Posted = service.command(key, &command).await.expect("deleted");
    assert_eq!((answer.seq, answer.duplicate), (6, false));
    let again: Posted = service.command(key, &command).await.expect("repeated");
    assert_eq!((again.seq, again.duplicate), (6, true));
    for person in [&mut scene.client, &mut scene.freelancer] {
        let heard = person.hears(room).await;
        assert_eq!(
            (heard.seq, heard.by.as_ref(), &heard.data()["on_behalf"]),
            (6, None, &json!("marketplace"))
        );
    }
    assert_eq!(data(&scene.room(room).await, 5), Value::Null);
}

async fn a_redacted_message_that_is_sent_again_is_known_and_stays_deleted(mut scene: Scene) {
    let room = said(&mut scene, "first").await;
    let key = new_client_id();
    let post = |words: &str| ask::post(room, words);
    let first = posted(scene.freelancer.say_as(key, post("the secret")).await.expect("posted"));
    scene.freelancer.say(ask::redact(room, first.seq)).await.expect("deleted");
    for words in ["the secret", "something else"] {
        let again = posted(scene.freelancer.say_as(key, post(words)).await.expect("known"));
        assert_eq!((again.seq, again.hash, again.duplicate), (first.seq, first.hash, true));
    }
    let entries = scene.room(room).await;
    assert_eq!((entries.len(), data(&entries, 6)), (7, Value::Null));
}
