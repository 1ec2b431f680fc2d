//! Each command once: a repeat writes nothing and gets the same answer, another command under its id is refused, and what was refused
//! leaves no trace.

use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::store::{CommitError, Committed};
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::user::UserStatus;

use super::deed::person;
use super::world::{Post, World, told, user};
use crate::support::ask;

fn is_repeat_of(again: &Committed, first: &Committed) {
    assert!(again.duplicate && again.appended.is_empty(), "a repeat writes nothing");
    assert_eq!(told(again), told(first), "a repeat gets the same answer");
}

async fn count(world: &World, room: RoomId) -> usize {
    world.sound(&Log::Room(room)).await.len()
}

pub(super) async fn a_command_twice_in_a_batch_is_done_once_and_answered_twice(world: World) {
    let room = world.room("garden", "felix").await;
    let before = count(&world, room).await;
    let post = world.post("felix", room, "hello");
    let batch = [post.clone(), world.post("clara", room, "hi"), post.clone(), post];
    let done: Vec<Committed> =
        world.commit(&batch).await.into_iter().map(|done| done.expect("done")).collect();
    assert!(!done[0].duplicate && !done[1].duplicate);
    is_repeat_of(&done[2], &done[0]);
    is_repeat_of(&done[3], &done[0]);
    assert_eq!(count(&world, room).await, before + 2);
}

pub(super) async fn a_command_repeated_in_a_later_batch_gets_the_same_answer_and_writes_nothing(
    world: World,
) {
    let room = world.room("garden", "felix").await;
    let posts: Vec<Post> = (0..70).map(|number| world.post("felix", room, &format!("{number}"))).collect();
    let first = world.commit(&posts).await;
    let before = world.everything().await;
    let again = world.commit(&posts).await;
    for (first, again) in first.iter().zip(&again) {
        is_repeat_of(again.as_ref().expect("repeated"), first.as_ref().expect("done"));
    }
    assert_eq!(world.everything().await, before);
}

pub(super) async fn a_command_repeated_after_the_database_was_opened_again_gets_the_same_answer(
    mut world: World,
) {
    let room = world.room("garden", "felix").await;
    let job = world.job("roof", "clara", Default::default()).await;
    let post = world.post("felix", room, "hello");
    let (actor, id, invite) = (person("clara"), world.client_id(), ask::invite(&job, &user("fiona"), None));
    let posted = world.commit(std::slice::from_ref(&post)).await.remove(0).expect("done");
    let invited = world.act(&actor, id, &invite).await.expect("done");
    world.open_again().await;
    let before = world.everything().await;
    is_repeat_of(&world.commit(&[post]).await.remove(0).expect("repeated"), &posted);
    is_repeat_of(&world.act(&actor, id, &invite).await.expect("repeated"), &invited);
    assert_eq!(world.everything().await, before);
}

pub(super) async fn the_same_id_of_another_actor_is_another_command(world: World) {
    let room = world.room("garden", "felix").await;
    let before = count(&world, room).await;
    let felix = world.post("felix", room, "hello");
    let clara = Post { actor: person("clara"), ..felix.clone() };
    let service = Post {
        actor: Actor { user: user("felix"), scope: Scope::Service },
        body: "no".into(),
        ..felix.clone()
    };
    for done in world.commit(&[felix, clara.clone(), service]).await {
        assert!(!done.expect("written").duplicate);
    }
    assert!(world.commit(&[clara]).await.remove(0).expect("repeated").duplicate);
    assert_eq!(count(&world, room).await, before + 3);
}

pub(super) async fn another_command_under_a_used_id_is_refused_and_the_first_one_stands(world: World) {
    let rooms = world.rooms(2).await;
    let first = world.post("felix", rooms[0], "one");
    let elsewhere = Post { room: RoomRef::Room(rooms[1]), ..first.clone() };
    let otherwise = Post { body: "two".into(), ..first.clone() };
    let batch = [first.clone(), otherwise.clone(), elsewhere.clone(), first.clone()];
    let done = world.commit(&batch).await;
    let written = done[0].as_ref().expect("written");
    assert!(matches!(done[1], Err(CommitError::Reused)), "in the same batch");
    assert!(matches!(done[2], Err(CommitError::Reused)), "also into another room");
    is_repeat_of(done[3].as_ref().expect("repeated"), written);

    let before = world.everything().await;
    let done = world.commit(&[otherwise, first, elsewhere]).await;
    assert!(matches!(done[0], Err(CommitError::Reused)), "in a later batch");
    is_repeat_of(done[1].as_ref().expect("repeated"), written);
    assert!(matches!(done[2], Err(CommitError::Reused)));
    assert_eq!(world.everything().await, before);
}

pub(super) async fn a_refused_command_leaves_no_trace_and_its_id_can_be_used_for_something_else(
    world: World,
) {
    let room = world.room("garden", "felix").await;
    let everything = world.everything().await;
    let nowhere = world.post("felix", RoomId(world.fresh()), "into nowhere");
    let blank = world.post("felix", room, " ");
    for (post, done) in
        [&nowhere, &blank].into_iter().zip(world.commit(&[nowhere.clone(), blank.clone()]).await)
    {
        assert!(matches!(done, Err(CommitError::Refused(_))), "{post:?}");
    }
    assert_eq!(world.everything().await, everything);

    let [there, said] = [nowhere, blank].map(|post| Post {
        room: RoomRef::Room(room),
        body: "something else".into(),
        ..post
    });
    for done in world.commit(&[there, said]).await {
        assert!(!done.expect("written").duplicate);
    }

    let refused = world.post("felix", room, " ");
    let same_batch = [refused.clone(), Post { body: "at once".into(), ..refused }];
    let done = world.commit(&same_batch).await;
    assert!(matches!(done[0], Err(CommitError::Refused(Refusal::Invalid(_)))));
    assert!(!done[1].as_ref().expect("written").duplicate);
    world.sound(&Log::Room(room)).await;
}

pub(super) async fn an_item_that_is_not_done_changes_nothing_for_its_neighbours(world: World) {
    let rooms = world.rooms(3).await;
    let used = world.post("felix", rooms[0], "used");
    world.commit(std::slice::from_ref(&used)).await.remove(0).expect("written");
    let disturbances = [
        world.post("mallory", rooms[0], "I am no member"),
        world.post("felix", RoomId(world.fresh()), "into nowhere"),
        world.post("clara", rooms[1], "\u{1b}"),
        Post { body: "another".into(), ..used.clone() },
        used,
    ];
    for place in 0..=disturbances.len() {
        let good: Vec<Post> = (0..12)
            .map(|number| world.post("clara", rooms[number % rooms.len()], &format!("{place} {number}")))
            .collect();
        let mut heads = Vec::new();
        for room in &rooms {
            heads.push(u64::try_from(count(&world, *room).await).expect("a count"));
        }
        let mut batch = good.clone();
        for (at, disturbance) in disturbances.iter().enumerate() {
            batch.insert((place * 3 + at * 2) % batch.len(), disturbance.clone());
        }
        let done = world.commit(&batch).await;
        for (post, done) in batch.iter().zip(done) {
            let Some(number) = good.iter().position(|good| good.client_id == post.client_id) else {
                assert!(done.map_or(true, |done| done.duplicate));
                continue;
            };
            let turn = u64::try_from(number / rooms.len()).expect("small") + 1;
            let seq = done.expect("written").appended[0].entry.seq;
            assert_eq!(seq, heads[number % rooms.len()] + turn, "as if it had no neighbours");
        }
    }
}

pub(super) async fn posts_and_changes_share_the_ids_of_their_author(world: World) {
    let room = world.room("garden", "felix").await;
    let job = world.job("roof", "clara", Default::default()).await;
    let (actor, invite) = (person("clara"), ask::invite(&job, &user("felix"), None));
    let post = world.post("clara", room, "hello");
    world.commit(std::slice::from_ref(&post)).await.remove(0).expect("written");
    let reused = world.act(&actor, post.client_id, &invite).await;
    assert_eq!(reused.expect_err("reused"), CommitError::Reused);
    let id = world.client_id();
    world.act(&actor, id, &invite).await.expect("sent");
    let reused = world.commit(&[Post { client_id: id, ..post }]).await.remove(0);
    assert_eq!(reused.expect_err("reused"), CommitError::Reused);
}

pub(super) async fn a_repeat_is_answered_as_before_even_when_it_would_be_refused_by_now(world: World) {
    let (candidacy, room) = world.case("garden", "felix").await;
    let post = world.post("felix", room, "hello");
    let posted = world.commit(std::slice::from_ref(&post)).await.remove(0).expect("written");
    let (actor, id, end) = (person("felix"), world.client_id(), ask::withdraw_candidacy(candidacy));
    let ended = world.act(&actor, id, &end).await.expect("ended");
    world.tell_of("felix", UserStatus::Suspended).await;
    let late = world.post("felix", room, "wait");
    let done = world.commit(&[post, late]).await;
    is_repeat_of(done[0].as_ref().expect("repeated"), &posted);
    assert!(matches!(done[1], Err(CommitError::Refused(Refusal::Account(_)))));
    is_repeat_of(&world.act(&actor, id, &end).await.expect("repeated"), &ended);
}
