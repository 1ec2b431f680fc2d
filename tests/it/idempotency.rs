//! Exactly once: a command under a client id is done once, whatever way and however often it is sent.

use std::sync::Arc;

use anteroom_load_tests::client::{Case, Posted, Socket, new_client_id};
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{ClientId, RoomRef};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{Door, Person, Scene, TestServer, ask, over_both_doors};

over_both_doors![
    a_message_sent_again_is_answered_again_and_written_once,
    every_command_on_a_case_sent_again_is_answered_again,
    another_command_under_a_used_client_id_is_refused,
    two_people_may_use_the_same_client_id,
    the_client_id_of_a_refused_command_can_be_used_again,
];

/// An answer without the word on repeats.
fn bare(mut answer: Value, duplicate: bool) -> Value {
    let word = answer.as_object_mut().expect("an object").remove("duplicate");
    assert_eq!(word, Some(json!(duplicate)));
    answer
}

async fn a_message_sent_again_is_answered_again_and_written_once(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let (key, command) = (new_client_id(), ask::post(room, "hello"));
    let first = scene.freelancer.say_as(key, command.clone()).await.expect("posted");
    let first = bare(first, false);
    scene.freelancer.posted(room, "in between").await;
    for _ in 0..3 {
        let again = scene.freelancer.say_as(key, command.clone()).await.expect("known");
        assert_eq!(bare(again, true), first);
    }
    let mut other = scene.freelancer.socket_at(&scene.server, Vec::new()).await;
    let again = other.command(key, command.clone()).await.expect("known");
    assert_eq!(bare(again, true), first, "on another socket");
    let again = scene.freelancer.http.command(key, &command).await.expect("known");
    assert_eq!(bare(again, true), first, "over HTTP");
    assert_eq!(scene.room(room).await.len(), 6);
}

async fn every_command_on_a_case_sent_again_is_answered_again(mut scene: Scene) {
    let invite = ask::invite(&scene.job, &scene.freelancer.user, None);
    let key = new_client_id();
    let first = scene.client.say_as(key, invite.clone()).await.expect("invited");
    let first = bare(first, false);
    let invitation = serde_json::from_value(first["invitation"].clone()).expect("an invitation");
    let accept = ask::accept(invitation, None);
    let accepted = scene.freelancer.say_as(key, accept.clone()).await.expect("accepted");
    let accepted = bare(accepted, false);
    // Even after the case has moved on, the answer is what it was.
    let again = scene.client.say_as(key, invite).await.expect("known");
    assert_eq!(bare(again, true), first);
    let again = scene.freelancer.say_as(key, accept).await.expect("known");
    assert_eq!(bare(again, true), accepted);
    assert_eq!(scene.client.list("/v1/rooms").await.len(), 1);
    assert_eq!(scene.client.inbox().await.len(), 2);
}

async fn another_command_under_a_used_client_id_is_refused(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    let key = new_client_id();
    scene.freelancer.say_as(key, ask::post(room, "hello")).await.expect("posted");
    for other in [ask::post(room, "hello!"), ask::withdraw_candidacy(case.candidacy)] {
        let error = scene.freelancer.say_as(key, other).await.expect_err("refused");
        assert_eq!((error.code, error.retryable), (ErrorCode::ClientIdReused, false));
    }
    let entries = scene.room(room).await;
    assert_eq!(entries.len(), 5, "nothing was written");
    assert_eq!(entries[4].data(), json!({"body": "hello"}));
    let error = scene.freelancer.say_as(key, ask::post(RoomRef::Inbox, "hello")).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::ClientIdReused, "the same text in another room is another command");
}

async fn two_people_may_use_the_same_client_id(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let key = new_client_id();
    for (seq, person) in [(5, &mut scene.client), (6, &mut scene.freelancer)] {
        let answer = person.say_as(key, ask::post(room, "hello")).await.expect("posted");
        assert_eq!((&answer["seq"], &answer["duplicate"]), (&json!(seq), &json!(false)));
    }
}

async fn the_client_id_of_a_refused_command_can_be_used_again(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let key = new_client_id();
    let error = scene.freelancer.say_as(key, ask::post(room, " ")).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::BadRequest);
    let mut unpayable = ask::propose(&scene.another_job("job-2").await, ask::hourly(1));
    if let Command::ProposalSubmit(submit) = &mut unpayable {
        submit.terms.currency = "XYZ0".into();
    }
    scene.freelancer.say_as(key, unpayable).await.expect_err("refused");
    let answer = scene.freelancer.say_as(key, ask::post(room, "hello")).await.expect("posted");
    assert_eq!(answer["duplicate"], false);
}

#[tokio::test]
async fn a_repeat_after_a_restart_is_known() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let key = new_client_id();
    let first = scene.freelancer.say_as(key, ask::post(room, "hello")).await.expect("posted");
    let invite = ask::invite(&scene.another_job("job-2").await, &scene.freelancer.user, None);
    let invited = scene.client.say_as(key, invite.clone()).await.expect("invited");
    let mut scene = scene.restarted(Door::Http).await;
    let again = scene.freelancer.say_as(key, ask::post(room, "hello")).await.expect("known");
    assert_eq!(bare(again, true), bare(first, false));
    let again = scene.client.say_as(key, invite).await.expect("known");
    assert_eq!(bare(again, true), bare(invited, false));
    let error = scene.freelancer.say_as(key, ask::post(room, "hello!")).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::ClientIdReused);
    assert_eq!(scene.room(room).await.len(), 5);
}

/// Two sockets of one person that send the same at the same moment: how each was answered.
async fn at_once<T: serde::de::DeserializeOwned + Send + 'static>(
    sockets: [Socket; 2],
    key: ClientId,
    command: Command,
) -> ([Socket; 2], [T; 2]) {
    let barrier = Arc::new(Barrier::new(2));
    let race = |mut socket: Socket| {
        let (barrier, command) = (barrier.clone(), command.clone());
        tokio::spawn(async move {
            barrier.wait().await;
            let answer = socket.command_as(key, command).await.expect("an answer");
            (socket, answer)
        })
    };
    let tasks = sockets.map(race);
    let [one, two] = tasks;
    let ((socket_one, one), (socket_two, two)) = (one.await.expect("done"), two.await.expect("done"));
    ([socket_one, socket_two], [one, two])
}

async fn two_sockets(server: &TestServer, person: &Person) -> [Socket; 2] {
    [person.socket_at(server, Vec::new()).await, person.socket_at(server, Vec::new()).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sockets_that_send_the_same_at_once_write_it_once() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut sockets = two_sockets(&scene.server, &scene.freelancer).await;
    for round in 0..100 {
        let key = new_client_id();
        let (back, [one, two]) = at_once::<Posted>(sockets, key, ask::post(room, format!("{round}"))).await;
        sockets = back;
        assert!(one.duplicate != two.duplicate, "one new and one repeat: {one:?} {two:?}");
        assert_eq!((one.seq, one.hash, one.at), (two.seq, two.hash, two.at));
        assert_eq!(one.seq, 5 + round);
    }
    assert_eq!(scene.room(room).await.len(), 104);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sockets_that_accept_at_once_open_one_room() {
    let mut scene = Scene::new(Door::Http).await;
    let mut sockets = two_sockets(&scene.server, &scene.freelancer).await;
    for round in 0..20 {
        scene.job = scene.another_job(&format!("job-{round}")).await;
        let (_, invitation) = scene.invited(None).await;
        let accept = ask::accept(invitation, None);
        let (back, [one, two]) = at_once::<Case>(sockets, new_client_id(), accept).await;
        sockets = back;
        assert!(one.duplicate != two.duplicate, "one new and one repeat: {one:?} {two:?}");
        assert_eq!((one.room, one.proposal), (two.room, two.proposal));
        assert_eq!(scene.room(one.room.expect("a room")).await.len(), 4);
    }
    assert_eq!(scene.client.list("/v1/rooms").await.len(), 20);
}

#[tokio::test]
async fn the_order_of_fields_and_fields_nobody_knows_make_no_other_command() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let key = new_client_id();
    for (id, text) in [
        (
            "1",
            format!(r#"{{"type":"message.post","id":"1","client_id":"{key}","room":"{room}","body":"hi"}}"#),
        ),
        (
            "2",
            format!(
                r#"{{"body":"h\u0069","mood":7,"room":"{room}","client_id":"{key}","id":"2","type":"message.post"}}"#
            ),
        ),
    ] {
        scene.freelancer.socket.send_text(text).await.expect("sent");
        let (_, receiver) = scene.freelancer.socket.halves();
        let answer = receiver.answer(id).await.expect("an answer");
        assert_eq!((&answer["seq"], &answer["duplicate"]), (&json!(5), &json!(id == "2")));
    }
}

#[tokio::test]
async fn a_command_over_http_needs_an_idempotency_key_that_is_a_uuid() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let path = format!("/v1/rooms/{room}/messages");
    let body = || Some(r#"{"body":"hello"}"#.to_owned());
    for headers in [vec![], vec![("Idempotency-Key", "")], vec![("Idempotency-Key", "once")]] {
        let answer = scene.freelancer.http.raw("POST", &path, &headers, body()).await.expect("an answer");
        assert_eq!((answer.status, answer.content_type.as_str()), (400, "application/problem+json"));
        let problem: Value = serde_json::from_str(&answer.text).expect("a problem");
        assert_eq!(problem["code"], "idempotency_key_required");
    }
    // With the quotes of the header's draft or without them, it is the same key.
    let key = new_client_id().to_string();
    for (value, duplicate) in [(format!("\"{key}\""), false), (key, true)] {
        let headers = [("Idempotency-Key", value.as_str())];
        let answer = scene.freelancer.http.raw("POST", &path, &headers, body()).await.expect("an answer");
        let answer: Value = serde_json::from_str(&answer.text).expect("an answer");
        assert_eq!(answer["duplicate"], duplicate);
    }
}
