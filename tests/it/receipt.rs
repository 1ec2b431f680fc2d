//! Receipts: how far the others are, how far one is oneself, and what the author of a message learns.

use std::collections::BTreeMap;

use anteroom_load_tests::client::{Socket, at_head, from_start};
use anteroom_protocol::client::{ClientFrame, Ping};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomId, RoomRef, UserId};
use anteroom_protocol::limits::PING_HEADS;
use anteroom_protocol::marker::{Mark, MarkAnswer};
use anteroom_protocol::room::RoomView;
use anteroom_protocol::server::{Receipt, ServerFrame};
use anteroom_protocol::user::UserStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::database::tamper;
use crate::support::{Door, Person, Scene, ask, over_both_doors};

over_both_doors![
    reading_is_answered_and_told_to_the_others_and_to_ones_own_devices,
    marking_unread_is_nobody_elses_business,
    a_mark_that_is_none_is_refused_and_told_to_nobody,
    reading_is_never_refused_to_a_suspended_person,
    the_inbox_is_read_like_a_room,
];

/// Somebody's mark, through the door of the test.
async fn mark(person: &mut Person, unread: bool, room: RoomRef, seq: u64) -> Result<MarkAnswer, ErrorCode> {
    match person.door() {
        Door::Socket => {
            let mark = Mark { room, seq };
            let frame = if unread { ClientFrame::MarkUnread(mark) } else { ClientFrame::Read(mark) };
            let answer = person.socket.ask(&frame).await;
            let answer = answer.map_err(|error| error.refusal().expect("a refusal").code)?;
            Ok(serde_json::from_value(answer).expect("an answer"))
        }
        Door::Http => {
            let path = format!("/v1/rooms/{room}/{}", if unread { "unread" } else { "read" });
            let answer = person.http.raw("POST", &path, &[], Some(json!({"seq": seq}).to_string())).await;
            let answer = answer.expect("an answer");
            let body: Value = serde_json::from_str(&answer.text).expect("JSON");
            if answer.status == 200 {
                return Ok(serde_json::from_value(body).expect("an answer"));
            }
            Err(serde_json::from_value(body["code"].clone()).expect("a code"))
        }
    }
}

async fn read(person: &mut Person, room: RoomRef, seq: u64) -> MarkAnswer {
    mark(person, false, room, seq).await.expect("read")
}

/// The next receipt about this person.
async fn hears_of(socket: &mut Socket, user: &UserId) -> Receipt {
    let wanted =
        |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(receipt) if receipt.user == *user);
    match socket.wait_for("receipt", wanted).await {
        Ok(ServerFrame::Receipt(receipt)) => receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

/// Everything this socket was told before now: what was committed before this is asked came earlier.
async fn told(socket: &mut Socket) -> Vec<ServerFrame> {
    // What waits goes out behind the first answer and before the second.
    for _ in 0..2 {
        socket.ping().await.expect("a pong");
    }
    let mut frames = Vec::new();
    while let Some(frame) = socket.listen(std::time::Duration::ZERO).await.expect("open") {
        frames.push(frame);
    }
    frames
}

/// The two of a scene in their room, both reading it, after three messages of the client's.
async fn both_read(scene: &mut Scene) -> RoomRef {
    let (_, room) = scene.talking().await;
    for number in 0..3 {
        scene.client.posted(room, &format!("{number}")).await;
    }
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.join(at_head(room)).await.expect("joined");
    }
    room
}

async fn reading_is_answered_and_told_to_the_others_and_to_ones_own_devices(mut scene: Scene) {
    let room = both_read(&mut scene).await;
    let felix = scene.freelancer.user.clone();
    let mut device = scene.freelancer.socket_at(&scene.server, vec![at_head(room)]).await;
    let mut elsewhere = scene.freelancer.socket_at(&scene.server, Vec::new()).await;
    let answer = read(&mut scene.freelancer, room, 6).await;
    assert_eq!(answer, MarkAnswer { room, read: 6, marker: 6, unread: 1 });
    let receipt = Receipt { room, user: felix.clone(), delivered: 6, read: 6, marker: None };
    assert_eq!(hears_of(&mut scene.client.socket, &felix).await, receipt, "the others learn how far");
    let own = Receipt { marker: Some(6), ..receipt.clone() };
    assert_eq!(hears_of(&mut device, &felix).await, own, "the own device learns the marker too");
    assert_eq!(hears_of(&mut scene.freelancer.socket, &felix).await, own);
    let is_receipt = |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(_));
    assert!(!told(&mut elsewhere).await.iter().any(is_receipt), "nobody who has not joined");

    // Reading less, or the same again, is answered with where one is and told to nobody.
    for seq in [2, 6, 0] {
        assert_eq!(read(&mut scene.freelancer, room, seq).await, answer);
    }
    for socket in [&mut scene.client.socket, &mut device, &mut scene.freelancer.socket] {
        assert!(!told(socket).await.iter().any(is_receipt));
    }
    let view: RoomView = scene.client.see(&format!("/v1/rooms/{room}")).await;
    let member = view.members.iter().find(|member| member.user == felix).expect("a member");
    assert_eq!((member.read, member.delivered, view.read, view.unread), (6, 6, 0, 1));
    let view: RoomView = scene.freelancer.see(&format!("/v1/rooms/{room}")).await;
    assert_eq!((view.read, view.marker, view.unread), (6, 6, 1));
}

async fn marking_unread_is_nobody_elses_business(mut scene: Scene) {
    let room = both_read(&mut scene).await;
    let felix = scene.freelancer.user.clone();
    read(&mut scene.freelancer, room, 7).await;
    hears_of(&mut scene.client.socket, &felix).await;
    let mut device = scene.freelancer.socket_at(&scene.server, vec![at_head(room)]).await;
    let back = mark(&mut scene.freelancer, true, room, 6).await.expect("marked");
    assert_eq!(back, MarkAnswer { room, read: 7, marker: 5, unread: 2 });
    let own = Receipt { room, user: felix.clone(), delivered: 7, read: 7, marker: Some(5) };
    assert_eq!(hears_of(&mut device, &felix).await, own);
    let heard = told(&mut scene.client.socket).await;
    assert!(!heard.iter().any(|frame| matches!(frame, ServerFrame::Receipt(_))), "{heard:?}");
    assert_eq!(read(&mut scene.freelancer, room, 6).await.marker, 6, "the next reading goes on");
}

async fn a_mark_that_is_none_is_refused_and_told_to_nobody(mut scene: Scene) {
    let room = both_read(&mut scene).await;
    let foreign = scene.server.marketplace.open_room("foreign").await.expect("a room").room;
    let missing = RoomRef::Room(RoomId(Uuid::now_v7()));
    for unread in [false, true] {
        for (room, seq, code) in [
            (room, 8, ErrorCode::BadRequest),
            (room, u64::MAX, ErrorCode::BadRequest),
            (foreign, 1, ErrorCode::NotFound),
            (foreign, 99, ErrorCode::NotFound),
            (missing, 1, ErrorCode::NotFound),
        ] {
            assert_eq!(mark(&mut scene.freelancer, unread, room, seq).await, Err(code), "{room} {seq}");
        }
    }
    assert_eq!(mark(&mut scene.freelancer, true, room, 0).await, Err(ErrorCode::BadRequest));
    let heard = told(&mut scene.client.socket).await;
    assert!(!heard.iter().any(|frame| matches!(frame, ServerFrame::Receipt(_))), "{heard:?}");
}

async fn reading_is_never_refused_to_a_suspended_person(mut scene: Scene) {
    let room = both_read(&mut scene).await;
    scene.server.retell(&scene.freelancer, |profile| profile.status = UserStatus::Suspended).await;
    assert_eq!(read(&mut scene.freelancer, room, 7).await.read, 7);
    assert_eq!(mark(&mut scene.freelancer, true, room, 7).await.expect("marked").unread, 1);
    assert_eq!(hears_of(&mut scene.client.socket, &scene.freelancer.user).await.read, 7);
}

async fn the_inbox_is_read_like_a_room(mut scene: Scene) {
    for number in 0..3 {
        scene.job = scene.another_job(&format!("job-{number}")).await;
        scene.invited(None).await;
    }
    let mut device = scene.freelancer.socket_at(&scene.server, vec![at_head(RoomRef::Inbox)]).await;
    let answer = read(&mut scene.freelancer, RoomRef::Inbox, 2).await;
    assert_eq!(answer, MarkAnswer { room: RoomRef::Inbox, read: 2, marker: 2, unread: 1 });
    let own = hears_of(&mut device, &scene.freelancer.user).await;
    assert_eq!((own.room, own.read, own.marker), (RoomRef::Inbox, 2, Some(2)));
    // The client's inbox has the client's own doings in it, which do not count.
    let answer = mark(&mut scene.client, true, RoomRef::Inbox, 1).await.expect("marked");
    assert_eq!((answer.marker, answer.unread), (0, 0));
    assert_eq!(mark(&mut scene.client, false, RoomRef::Inbox, 4).await, Err(ErrorCode::BadRequest));
}

fn heads(of: impl IntoIterator<Item = (RoomRef, u64)>) -> ClientFrame {
    ClientFrame::Ping(Ping { heads: of.into_iter().collect::<BTreeMap<_, _>>() })
}

async fn pinged(socket: &mut Socket, of: impl IntoIterator<Item = (RoomRef, u64)>) {
    socket.send_frame(&heads(of), None).await.expect("sent");
    socket.ping().await.expect("a pong");
}

#[tokio::test]
async fn a_ping_that_names_what_has_arrived_tells_the_author() {
    let mut scene = Scene::new(Door::Socket).await;
    let room = both_read(&mut scene).await;
    let felix = scene.freelancer.user.clone();
    pinged(&mut scene.freelancer.socket, [(room, 6)]).await;
    let receipt = Receipt { room, user: felix.clone(), delivered: 6, read: 0, marker: None };
    assert_eq!(hears_of(&mut scene.client.socket, &felix).await, receipt);
    // The same again says nothing new; a number that is not there is no number.
    pinged(&mut scene.freelancer.socket, [(room, 6), (RoomRef::Inbox, 0)]).await;
    pinged(&mut scene.freelancer.socket, [(room, 5)]).await;
    read(&mut scene.freelancer, room, 7).await;
    let receipt = Receipt { delivered: 7, read: 7, ..receipt };
    assert_eq!(hears_of(&mut scene.client.socket, &felix).await, receipt, "reading is arriving");
    let foreign = scene.server.marketplace.open_room("foreign").await.expect("a room").room;
    pinged(&mut scene.freelancer.socket, [(foreign, 1), (room, 7)]).await;
    let view: RoomView = scene
        .server
        .marketplace
        .as_user(&crate::support::id("foreign-client"))
        .get(&format!("/v1/rooms/{foreign}"))
        .await
        .expect("a room");
    assert!(view.members.iter().all(|member| member.delivered == 0));
}

/// A number from nowhere was taken for the last one that had arrived, and what arrived after it was told to nobody.
#[tokio::test]
async fn regression_a_ping_that_names_what_is_not_there_says_nothing_and_is_in_nobodys_way() {
    let mut scene = Scene::new(Door::Socket).await;
    let room = both_read(&mut scene).await;
    let felix = scene.freelancer.user.clone();
    for seq in [0, 8, 99, u64::MAX] {
        pinged(&mut scene.freelancer.socket, [(room, seq)]).await;
    }
    let heard = told(&mut scene.client.socket).await;
    assert!(!heard.iter().any(|frame| matches!(frame, ServerFrame::Receipt(_))), "{heard:?}");
    scene.client.posted(room, "number 8").await;
    pinged(&mut scene.freelancer.socket, [(room, 8)]).await;
    let receipt = Receipt { room, user: felix.clone(), delivered: 8, read: 0, marker: None };
    assert_eq!(hears_of(&mut scene.client.socket, &felix).await, receipt);
}

/// The socket remembered what it had handed to the writer, and not what was kept: where the commit failed, the author was told nothing
/// before something newer had arrived.
#[tokio::test]
async fn regression_what_has_arrived_is_said_again_by_the_same_ping_after_its_commit_failed() {
    let mut scene = Scene::embedded(Door::Socket).await;
    let room = both_read(&mut scene).await;
    let felix = scene.freelancer.user.clone();
    let unmarkable =
        "CREATE TRIGGER unmarkable BEFORE INSERT ON markers BEGIN SELECT RAISE(ABORT, 'not now'); END";
    tamper(&scene.server.database(), unmarkable).await;
    pinged(&mut scene.freelancer.socket, [(room, 7)]).await;
    // It is behind that in the writer's queue, and fails as well.
    assert_eq!(mark(&mut scene.freelancer, false, room, 7).await, Err(ErrorCode::Busy));
    tamper(&scene.server.database(), "DROP TRIGGER unmarkable").await;
    pinged(&mut scene.freelancer.socket, [(room, 7)]).await;
    let receipt = Receipt { room, user: felix.clone(), delivered: 7, read: 0, marker: None };
    assert_eq!(hears_of(&mut scene.client.socket, &felix).await, receipt);
}

#[tokio::test]
async fn a_ping_with_too_many_heads_is_refused_and_closes_nothing() {
    let mut scene = Scene::new(Door::Socket).await;
    let room = both_read(&mut scene).await;
    let many = (0..=PING_HEADS).map(|_| (RoomRef::Room(RoomId(Uuid::now_v7())), 1));
    let refused = scene.client.socket.ask(&heads(many)).await.expect_err("refused");
    assert_eq!(refused.refusal().map(|error| error.code), Some(ErrorCode::BadRequest));
    scene.freelancer.posted(room, "still there?").await;
    assert_eq!(scene.client.hears(room).await.seq, 8);
}

#[tokio::test]
async fn whoever_joins_learns_how_far_the_others_are() {
    let mut scene = Scene::new(Door::Socket).await;
    let room = both_read(&mut scene).await;
    let felix = scene.freelancer.user.clone();
    read(&mut scene.freelancer, room, 6).await;
    pinged(&mut scene.freelancer.socket, [(room, 7)]).await;
    scene.freelancer.posted(room, "and now?").await;
    let expected = Receipt { room, user: felix.clone(), delivered: 7, read: 6, marker: None };
    let mut early = scene.client.socket_at(&scene.server, vec![from_start(room)]).await;
    let mut late = scene.client.socket_at(&scene.server, Vec::new()).await;
    late.join(at_head(room)).await.expect("joined");
    for socket in [&mut early, &mut late] {
        assert_eq!(hears_of(socket, &felix).await, expected);
    }
    // Nobody is told of somebody who has got nothing yet, nor of oneself.
    let mut other = scene.freelancer.socket_at(&scene.server, vec![at_head(room)]).await;
    let heard = told(&mut other).await;
    assert!(!heard.iter().any(|frame| matches!(frame, ServerFrame::Receipt(_))), "{heard:?}");
}

#[tokio::test]
async fn receipts_of_a_room_reach_nobody_outside_it() {
    let mut scene = Scene::new(Door::Socket).await;
    let room = both_read(&mut scene).await;
    let stranger = scene.server.marketplace.open_room("foreign").await.expect("a room");
    let mut stranger = Person::come(&scene.server, stranger.client, Door::Socket).await;
    assert!(stranger.socket.join(at_head(room)).await.is_err());
    read(&mut scene.freelancer, room, 7).await;
    hears_of(&mut scene.client.socket, &scene.freelancer.user).await;
    assert_eq!(told(&mut stranger.socket).await, [], "not even growth");
    let error = stranger.refused(ask::post(room, "may I?")).await;
    assert_eq!(error.code, ErrorCode::NotFound);
}
