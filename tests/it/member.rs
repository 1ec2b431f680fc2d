//! Further people in a room: brought in, reading and writing, and removed; each through both doors.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "frames that say nothing of the room are let pass, whatever they are"
)]

use std::collections::BTreeMap;

use anteroom_load_tests::client::{Case, Socket, SocketOptions, after, at_head, from_start, new_client_id};
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::client::{ClientFrame, Ping};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::fee::FeeSchedule;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::room::RoomView;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::{Side, UserStatus};
use serde_json::json;

use crate::support::{Door, Person, Scene, ask, id, over_both_doors, post_all};

over_both_doors![
    somebody_who_is_brought_in_reads_all_of_the_history_and_writes,
    a_member_sees_what_the_own_side_sees_and_does_not_negotiate,
    each_side_brings_in_its_own_people_and_nobody_removes_the_two,
    the_entry_of_a_removal_is_the_last_thing_that_the_removed_one_gets,
    a_member_leaves_a_room_and_may_be_brought_in_again,
    the_marketplace_says_on_which_side_it_brings_somebody_in,
];

/// Tina, of Clara's team.
async fn tina(scene: &Scene) -> Person {
    Person::arrive(&scene.server, "tina", scene.client.door()).await
}

async fn somebody_who_is_brought_in_reads_all_of_the_history_and_writes(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    let mut tina = tina(&scene).await;
    tina.refused_with(ErrorCode::NotFound, ask::post(room, "Let me in")).await;
    scene.client.case(ask::add_member(room, &tina.user, None)).await;
    let told = tina.hears(RoomRef::Inbox).await;
    assert_eq!(
        (told.kind.as_str(), &told.data()["room"], &told.data()["phase"]),
        ("member.added", &json!(room), &json!("active"))
    );
    tina.socket.join(from_start(room)).await.expect("joined");
    assert_eq!(tina.hears(room).await.seq, 1, "from the beginning");
    tina.posted(room, "Good morning.").await;
    let entries = scene.room(room).await;
    assert_eq!(entries, tina.log(room).await, "what the client sees");
    let [.., added, posted] = &entries[..] else { panic!("too few entries") };
    assert_eq!(
        (added.kind.as_str(), added.data()),
        ("member.added", json!({"user": "tina", "side": "client"}))
    );
    assert_eq!(posted.by, Some(tina.user.clone()));
    let seen: RoomView = tina.see(&format!("/v1/rooms/{room}")).await;
    assert_eq!((seen.candidacy, seen.members.len()), (case.candidacy, 3));
    assert_eq!(tina.list("/v1/rooms").await.len(), 1);

    scene.server.retell(&tina, |profile| profile.status = UserStatus::Suspended).await;
    tina.refused_with(ErrorCode::AccountSuspended, ask::post(room, "Still here?")).await;
    tina.log(room).await;
}

async fn a_member_sees_what_the_own_side_sees_and_does_not_negotiate(mut scene: Scene) {
    scene.fees_are(&FeeSchedule::Flat { basis_points: 1_000 }).await;
    let (case, room) = scene.negotiating(ask::hourly(33_336)).await;
    let mut tina = tina(&scene).await;
    let mut max = Person::arrive(&scene.server, "max", scene.client.door()).await;
    scene.client.case(ask::add_member(room, &tina.user, None)).await;
    scene.freelancer.case(ask::add_member(room, &max.user, Some(Side::Freelancer))).await;
    let (team, agency) = (json!(tina.log(room).await).to_string(), json!(max.log(room).await).to_string());
    assert!(!team.contains("30002") && !team.contains("take_home"), "{team}");
    assert!(agency.contains("30002"), "{agency}");
    let (version, hash) = crate::support::newest(&case);
    tina.refused_with(ErrorCode::NotFound, ask::offer(case.candidacy, version, hash)).await;
    let other = ask::propose_terms(case.candidacy, version, ask::hourly(1));
    max.refused_with(ErrorCode::NotFound, other).await;
    max.refused_with(ErrorCode::NotFound, ask::withdraw_candidacy(case.candidacy)).await;
}

async fn each_side_brings_in_its_own_people_and_nobody_removes_the_two(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    let mut tina = tina(&scene).await;
    let before = scene.room(room).await.len();
    let other_side = ask::add_member(room, &tina.user, Some(Side::Freelancer));
    scene.client.refused_with(ErrorCode::WrongSide, other_side).await;
    scene.client.refused_with(ErrorCode::BadRequest, ask::add_member(room, &id("nobody"), None)).await;
    scene.client.refused_with(ErrorCode::BadRequest, ask::add_member(RoomRef::Inbox, &tina.user, None)).await;
    scene
        .client
        .refused_with(ErrorCode::MemberExists, ask::add_member(room, &scene.freelancer.user, None))
        .await;
    tina.refused_with(ErrorCode::NotFound, ask::add_member(room, &tina.user, None)).await;
    scene.client.case(ask::add_member(room, &tina.user, None)).await;
    scene.client.refused_with(ErrorCode::MemberExists, ask::add_member(room, &tina.user, None)).await;
    tina.refused_with(ErrorCode::NotFound, ask::add_member(room, &id("max"), None)).await;
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::remove_member(room, &tina.user)).await;
    for user in [&scene.client.user.clone(), &scene.freelancer.user.clone(), &id("nobody")] {
        scene.client.refused_with(ErrorCode::NotAMember, ask::remove_member(room, user)).await;
    }
    assert_eq!(scene.room(room).await.len(), before + 1);
    scene.client.case(ask::decline_candidacy(case.candidacy)).await;
    let late =
        scene.client.refused_with(ErrorCode::WrongPhase, ask::add_member(room, &id("max"), None)).await;
    assert_eq!(late.phase, Some(Phase::Declined));
}

async fn the_entry_of_a_removal_is_the_last_thing_that_the_removed_one_gets(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let mut tina = tina(&scene).await;
    scene.client.case(ask::add_member(room, &tina.user, None)).await;
    let before = tina.log(room).await;
    tina.socket.join(after(before.last().expect("an entry"))).await.expect("joined");
    scene.client.posted(room, "The last one for you.").await;
    scene.client.case(ask::remove_member(room, &tina.user)).await;
    scene.freelancer.posted(room, "Who was that?").await;
    assert_eq!(tina.hears(room).await.kind, "message.posted");
    let last = tina.hears(room).await;
    assert_eq!(
        (last.kind.as_str(), last.data()),
        ("member.removed", json!({"user": "tina", "side": "client"}))
    );
    assert_eq!(tina.inbox().await.pop().expect("a notice").kind, "member.removed");

    tina.refused_with(ErrorCode::NotFound, ask::post(room, "Wait")).await;
    let gone =
        tina.http.get::<serde_json::Value>(&format!("/v1/rooms/{room}/entries")).await.expect_err("refused");
    assert_eq!(gone.code(), Some(ErrorCode::NotFound));
    assert!(tina.list("/v1/rooms").await.is_empty() && tina.list("/v1/search?q=last").await.is_empty());
    let refused = tina.socket.join(from_start(room)).await.expect_err("refused");
    assert_eq!(refused.code(), Some(ErrorCode::NotFound));
    scene.client.posted(room, "Nobody.").await;
    let heads = [(room, last.seq)].into_iter().collect();
    tina.socket.send_frame(&ClientFrame::Ping(Ping { heads }), Some("ping")).await.expect("sent");
    loop {
        match tina.socket.next().await.expect("a frame") {
            ServerFrame::Pong { .. } => break,
            ServerFrame::Entry(entry) => assert_eq!(entry.room, RoomRef::Inbox, "{entry:?}"),
            ServerFrame::Activity { room: grown, head } => {
                assert!(grown == RoomRef::Inbox || head <= last.seq, "{grown} has grown to {head}");
            }
            _ => {}
        }
    }
}

async fn a_member_leaves_a_room_and_may_be_brought_in_again(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let mut tina = tina(&scene).await;
    scene.client.case(ask::add_member(room, &tina.user, None)).await;
    tina.case(ask::remove_member(room, &tina.user.clone())).await;
    tina.refused_with(ErrorCode::NotFound, ask::remove_member(room, &tina.user.clone())).await;
    scene.client.case(ask::add_member(room, &tina.user, None)).await;
    tina.socket.join(from_start(room)).await.expect("joined");
    let all = scene.room(room).await.len() as u64;
    for seq in 1..=all {
        assert_eq!(tina.hears(room).await.seq, seq, "the earlier removal is history");
    }
    scene.freelancer.posted(room, "Welcome back.").await;
    assert_eq!(tina.hears(room).await.seq, all + 1);
}

/// Whoever was removed from the freelancer's side and brought in on the client's, before a slow socket had come to either, was
/// taken for somebody who had never been away: the socket went on getting what only the freelancer's side may see.
#[tokio::test]
async fn regression_whoever_comes_back_on_the_other_side_is_not_sent_what_only_the_first_may_see() {
    const POSTS: usize = 300;
    let mut scene = Scene::new(Door::Http).await;
    scene.fees_are(&FeeSchedule::Flat { basis_points: 1_000 }).await;
    let (case, room) = scene.talking().await;
    let max = Person::arrive(&scene.server, "max", Door::Http).await;
    let service = scene.server.marketplace.service().clone();
    let add = |side| ask::add_member(room, &max.user, Some(side));
    service.command::<Case>(new_client_id(), &add(Side::Freelancer)).await.expect("added");
    let options = SocketOptions { receive_buffer: Some(4_096), ..SocketOptions::default() };
    let mut slow = Socket::connect_with(&scene.server.base_of(&max.user), &options).await.expect("a socket");
    slow.hello(&scene.server.token(&max.user), vec![at_head(room)]).await.expect("a welcome");
    let mut writes = scene.client.socket_at(&scene.server, Vec::new()).await;
    post_all(&mut writes, room, (0..POSTS).map(|number| format!("{number:0>8000}"))).await;
    let remove = ask::remove_member(room, &max.user);
    service.command::<Case>(new_client_id(), &remove).await.expect("removed");
    service.command::<Case>(new_client_id(), &add(Side::Client)).await.expect("added again");
    scene.freelancer.case(ask::propose_terms(case.candidacy, 0, ask::hourly(33_336))).await;
    scene.client.posted(room, "What do you keep of it?").await;

    let mut kinds = Vec::new();
    slow.send_frame(&ClientFrame::Ping(Ping { heads: BTreeMap::new() }), Some("ping")).await.expect("sent");
    loop {
        match slow.next().await.expect("a frame") {
            ServerFrame::Entry(entry) if entry.room == room => {
                assert!(entry.private.is_none(), "{entry:?}");
                kinds.push(entry.kind);
            }
            ServerFrame::Pong { .. } if kinds.last().is_some_and(|kind| kind == "member.removed") => break,
            ServerFrame::Pong { .. } => {
                let ping = ClientFrame::Ping(Ping { heads: BTreeMap::new() });
                slow.send_frame(&ping, Some("ping")).await.expect("sent");
            }
            _ => {}
        }
    }
    assert_eq!(kinds.len(), POSTS + 1, "and nothing behind it");
    slow.join(at_head(room)).await.expect("joined, as one of the client's side");
}

async fn the_marketplace_says_on_which_side_it_brings_somebody_in(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let max = Person::arrive(&scene.server, "max", Door::Http).await;
    let service = scene.server.marketplace.service().clone();
    let unsaid = ask::add_member(room, &max.user, None);
    let refused = service.command::<Case>(new_client_id(), &unsaid).await.expect_err("refused");
    assert_eq!(refused.code(), Some(ErrorCode::BadRequest));
    let add = ask::add_member(room, &max.user, Some(Side::Freelancer));
    service.command::<Case>(new_client_id(), &add).await.expect("added");
    let remove = ask::remove_member(room, &max.user);
    service.command::<Case>(new_client_id(), &remove).await.expect("removed");
    let entries = scene.room(room).await;
    for entry in &entries[entries.len() - 2..] {
        assert_eq!((&entry.by, entry.data()), (&None, json!({"user": "max", "side": "freelancer"})));
    }
    scene.client.posted(room, "Hm.").await;
}

/// A removal that another node wrote and that was not heard of passed for told as soon as somebody on this node wrote behind it. All others
/// found it missing before that entry; whoever was removed got neither, and stood in the room for as long as the socket was open.
#[tokio::test]
async fn regression_a_removal_that_was_not_heard_of_is_told_also_when_somebody_here_writes_behind_it() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    // Where there are two nodes, she comes to the freelancer's, and is removed on the client's.
    let mut tina = Person::arrive(&scene.server, "tina", Door::Socket).await;
    scene.client.case(ask::add_member(room, &tina.user, None)).await;
    tina.socket.join(at_head(room)).await.expect("joined");
    scene.freelancer.posted(room, "Who is that?").await;
    assert_eq!(tina.hears(room).await.kind, "message.posted");
    scene.client.case(ask::remove_member(room, &tina.user)).await;
    scene.freelancer.posted(room, "And who was that?").await;
    assert_eq!(tina.hears(room).await.kind, "member.removed");
}
