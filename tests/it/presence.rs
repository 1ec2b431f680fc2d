//! Presence and typing over real sockets. What needs a clock (the grace of ten seconds, the three seconds between two words of somebody's
//! typing) is tested beside the code it is in, on a clock that tests can turn.

use anteroom_load_tests::client::{Socket, at_head, from_start};
use anteroom_protocol::client::{ClientFrame, Typing};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::server::ServerFrame;
use serde_json::json;
use std::time::Duration;

use crate::support::{Door, Person, Scene};

fn presence(room: RoomRef, user: &UserId, online: bool) -> ServerFrame {
    ServerFrame::Presence { room, user: user.clone(), online }
}

fn is_news(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Presence { .. } | ServerFrame::Typing { .. })
}

/// The news this socket was told before now. Whatever was told before this is asked has come then.
async fn news(socket: &mut Socket) -> Vec<ServerFrame> {
    // What waits goes out behind the first answer and before the second.
    for _ in 0..2 {
        socket.ping().await.expect("a pong");
    }
    let mut frames = Vec::new();
    while let Some(frame) = socket.listen(Duration::ZERO).await.expect("open") {
        if is_news(&frame) {
            frames.push(frame);
        }
    }
    frames
}

async fn hears(socket: &mut Socket, expected: &ServerFrame) {
    socket.wait_for("news", |frame| frame == expected).await.expect("news");
}

/// This is the next news, and the only one. It may be another node that knows it.
async fn hears_only(socket: &mut Socket, expected: &ServerFrame) {
    let told = socket.wait_for("news", is_news).await.expect("news");
    assert_eq!(told, *expected);
    assert_eq!(news(socket).await, []);
}

async fn type_in(socket: &mut Socket, room: RoomRef) {
    let answer = socket.ask(&ClientFrame::Typing(Typing { room })).await.expect("an answer");
    assert_eq!(answer, json!({}));
}

#[tokio::test]
async fn whoever_joins_is_seen_and_sees_who_is_there() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let (clara, felix) = (scene.client.user.clone(), scene.freelancer.user.clone());
    assert!(news(&mut scene.client.socket).await.is_empty(), "an open socket alone is nobody's presence");
    scene.client.socket.join(at_head(room)).await.expect("joined");
    assert!(news(&mut scene.client.socket).await.is_empty(), "nobody else is there");
    scene.freelancer.socket.join(from_start(room)).await.expect("joined");
    hears(&mut scene.client.socket, &presence(room, &felix, true)).await;
    hears_only(&mut scene.freelancer.socket, &presence(room, &clara, true)).await;

    // One more device of the same person is nothing new to the others, and sees who is there.
    let mut device = scene.freelancer.socket_at(&scene.server, vec![at_head(room)]).await;
    hears_only(&mut device, &presence(room, &clara, true)).await;
    // Nor is joining again.
    device.join(at_head(room)).await.expect("joined");
    assert!(news(&mut scene.client.socket).await.is_empty());
}

#[tokio::test]
async fn of_two_devices_that_join_at_the_same_time_the_others_hear_once() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let felix = scene.freelancer.user.clone();
    scene.client.socket.join(at_head(room)).await.expect("joined");
    let mut one = scene.freelancer.socket_at(&scene.server, Vec::new()).await;
    let mut other = scene.freelancer.socket_at(&scene.server, Vec::new()).await;
    let (first, second) = tokio::join!(one.join(at_head(room)), other.join(at_head(room)));
    assert!(first.is_ok() && second.is_ok());
    for socket in [&mut one, &mut other] {
        news(socket).await;
    }
    hears_only(&mut scene.client.socket, &presence(room, &felix, true)).await;
}

#[tokio::test]
async fn a_short_absence_is_not_told() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let (clara, felix) = (scene.client.user.clone(), scene.freelancer.user.clone());
    scene.client.socket.join(at_head(room)).await.expect("joined");
    scene.freelancer.socket.join(at_head(room)).await.expect("joined");
    hears(&mut scene.client.socket, &presence(room, &felix, true)).await;
    hears_only(&mut scene.freelancer.socket, &presence(room, &clara, true)).await;
    for round in 0..3 {
        if round % 2 == 0 {
            scene.freelancer.socket.leave(room).await.expect("left");
        } else {
            let Person { user, socket, .. } = scene.freelancer;
            socket.close().await.expect("closed");
            scene.freelancer = Person::come(&scene.server, user, Door::Socket).await;
        }
        // Somebody who comes meanwhile sees the one who has not been gone for long.
        let mut late = scene.client.socket_at(&scene.server, vec![at_head(room)]).await;
        hears_only(&mut late, &presence(room, &felix, true)).await;
        scene.freelancer.socket.join(at_head(room)).await.expect("joined");
        hears_only(&mut scene.freelancer.socket, &presence(room, &clara, true)).await;
        assert!(news(&mut scene.client.socket).await.is_empty(), "round {round}");
    }
}

#[tokio::test]
async fn typing_is_told_to_the_others_who_have_joined_and_not_with_every_key() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let (clara, felix) = (scene.client.user.clone(), scene.freelancer.user.clone());
    let mut device = scene.freelancer.socket_at(&scene.server, vec![at_head(room)]).await;
    let mut elsewhere = scene.client.socket_at(&scene.server, Vec::new()).await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.join(at_head(room)).await.expect("joined");
    }
    for (socket, other) in
        [(&mut device, &clara), (&mut scene.client.socket, &felix), (&mut scene.freelancer.socket, &clara)]
    {
        hears(socket, &presence(room, other, true)).await;
        news(socket).await;
    }
    // The clock of sockets goes on, so each of these may fall behind the three seconds; all of them together are the bound.
    let began = std::time::Instant::now();
    for _ in 0..50 {
        type_in(&mut scene.freelancer.socket, room).await;
    }
    let most = 1 + began.elapsed().as_secs() / 3;
    let typing = ServerFrame::Typing { room, user: felix };
    let first = scene.client.socket.wait_for("news", is_news).await.expect("news");
    let further = news(&mut scene.client.socket).await;
    assert!(first == typing && further.iter().all(|frame| *frame == typing), "{first:?} {further:?}");
    assert!((further.len() as u64) < most, "{} within {most} spans", further.len() + 1);
    assert!(news(&mut device).await.is_empty(), "nobody is told of one's own typing");
    assert!(news(&mut scene.freelancer.socket).await.is_empty());
    assert!(news(&mut elsewhere).await.is_empty(), "nor is who has not joined");
}

#[tokio::test]
async fn typing_in_a_room_one_has_not_joined_is_refused() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    scene.client.socket.join(at_head(room)).await.expect("joined");
    let foreign = scene.server.marketplace.open_room("foreign").await.expect("a room").room;
    for room in [room, foreign] {
        let error =
            scene.freelancer.socket.ask(&ClientFrame::Typing(Typing { room })).await.expect_err("refused");
        assert_eq!(error.refusal().map(|error| error.code), Some(ErrorCode::BadRequest));
    }
    type_in(&mut scene.freelancer.socket, RoomRef::Inbox).await;
    assert!(news(&mut scene.client.socket).await.is_empty());
}
