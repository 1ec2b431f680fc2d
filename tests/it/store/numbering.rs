//! Numbers without holes, neighbours in turn, batches of any size.

use std::sync::Mutex;

use anteroom::domain::log::{Head, Log};
use anteroom::domain::message;
use anteroom::domain::refusal::Refusal;
use anteroom::domain::room::Room;
use anteroom::store::{CommitError, Write};
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::log::Hash;

use super::deed::{body, by, person};
use super::world::{Post, World, inbox, message_answer, user};
use crate::support::ask;

pub(super) async fn numbers_have_no_holes_whatever_is_refused_or_repeated_in_between(world: World) {
    let rooms = world.rooms(2).await;
    let mut expected = Vec::new();
    for room in &rooms {
        expected.push(world.sound(&Log::Room(*room)).await.len());
    }
    let mut earlier: Vec<Post> = Vec::new();
    for round in 0..6 {
        let mut batch = Vec::new();
        for (place, room) in rooms.iter().enumerate() {
            let one = world.post("felix", *room, &format!("{round}"));
            let other = Post { body: "another".into(), ..one.clone() };
            batch.extend([
                world.post("mallory", *room, "I am no member"),
                one.clone(),
                one.clone(),
                other,
                world.post("clara", *room, " "),
                world.post("clara", *room, "yes"),
                world.post("felix", RoomId(world.fresh()), "into nowhere"),
            ]);
            batch.extend(earlier.iter().cloned());
            expected[place] += 2;
            earlier.push(one);
        }
        let done = world.commit(&batch).await;
        let written: usize = done.iter().flatten().map(|done| done.appended.len()).sum();
        assert_eq!(written, 2 * rooms.len());
        for (room, expected) in rooms.iter().zip(&expected) {
            assert_eq!(world.sound(&Log::Room(*room)).await.len(), *expected, "after round {round}");
        }
    }
}

pub(super) async fn commands_of_one_log_are_decided_in_turn_each_on_the_result_of_the_one_before(
    world: World,
) {
    let rooms = world.rooms(2).await;
    let posts: Vec<Post> = (0..40)
        .map(|number| {
            let name = if number % 7 == 3 { "mallory" } else { "felix" };
            world.post(name, rooms[number % 2], &format!("{number}"))
        })
        .collect();
    let seen: Mutex<Vec<Option<Head>>> = Mutex::new(vec![None; posts.len()]);
    let watched = |index: usize, room: &Room| {
        seen.lock().expect("no panic")[index] = Some(room.head);
        let Post { actor, client_id, body: text, .. } = &posts[index];
        message::post(room, &by(&actor.user, *client_id), &body(text)?)
    };
    let writes: Vec<Write> = posts.iter().map(Post::write).collect();
    let done = world.store().commit(&writes, world.moment(), &watched).await;

    let seen = seen.into_inner().expect("no panic");
    for (place, room) in rooms.iter().enumerate() {
        let entries = world.sound(&Log::Room(*room)).await;
        let hash = |seq: u64| {
            let before = usize::try_from(seq).expect("small").checked_sub(1);
            before.map_or(Hash::GENESIS, |index| entries[index].hash)
        };
        let mut head = None;
        for index in (0..posts.len()).filter(|index| index % 2 == place) {
            let seen = seen[index].expect("decided");
            assert_eq!(seen.hash, hash(seen.seq), "a decision sees a head that is in the log");
            assert_eq!(head.unwrap_or(seen.seq), seen.seq, "what the one before has left");
            head = Some(seen.seq);
            match &done[index] {
                Ok(done) => {
                    assert_eq!(message_answer(done).seq, seen.seq + 1);
                    head = Some(seen.seq + 1);
                }
                Err(error) => assert_eq!(*error, CommitError::Refused(Refusal::NotFound)),
            }
        }
    }
}

pub(super) async fn a_batch_of_any_size_over_many_logs_is_written_whole(world: World) {
    let rooms = world.rooms(9).await;
    for size in [0, 1, 2, 63, 64, 65, 300] {
        let posts: Vec<Post> = (0..size)
            .map(|number| {
                let name = if number % 2 == 0 { "clara" } else { "felix" };
                world.post(name, rooms[number * number % rooms.len()], &format!("{number} of {size}"))
            })
            .collect();
        let done = world.commit(&posts).await;
        for (post, done) in posts.iter().zip(done) {
            let done = done.expect("written");
            assert!(!done.duplicate);
            let answer = message_answer(&done);
            assert_eq!(answer.room, post.room);
            let [appended] = done.appended.as_slice() else { panic!("one entry") };
            assert_eq!((appended.entry.seq, appended.entry.hash), (answer.seq, answer.hash));
        }
        let mut kept = 0;
        for room in &rooms {
            let entries = world.sound(&Log::Room(*room)).await;
            let of_this_size = format!("of {size}\"}}");
            kept += entries.iter().filter(|entry| entry.public.json().ends_with(&of_this_size)).count();
        }
        assert_eq!(kept, size);
    }
}

pub(super) async fn every_entry_is_announced_exactly_as_it_is_kept_and_to_the_people_of_its_log(
    world: World,
) {
    let room = world.room("garden", "felix").await;
    let posts: Vec<Post> = (0..5).map(|number| world.post("clara", room, &format!("{number}"))).collect();
    let mut announced = Vec::new();
    for done in world.commit(&posts).await {
        announced.extend(done.expect("written").appended);
    }
    let kept = world.sound(&Log::Room(room)).await;
    let newest = &kept[kept.len() - 5..];
    assert!(announced.iter().map(|appended| appended.entry.as_ref()).eq(newest));
    for appended in &announced {
        assert_eq!(*appended.readers, [user("clara"), user("felix")]);
    }

    let job = world.job("roof", "clara", Default::default()).await;
    let invite = ask::invite(&job, &user("fiona"), None);
    let sent = world.act(&person("clara"), world.client_id(), &invite).await.expect("sent");
    let mut inboxes = Vec::new();
    for appended in &sent.appended {
        let kept = world.sound(&appended.entry.log).await;
        assert_eq!(kept.last(), Some(appended.entry.as_ref()));
        let [reader] = &*appended.readers else { panic!("one reader") };
        assert_eq!(appended.entry.log, Log::Inbox(reader.clone()));
        inboxes.push(reader.to_string());
    }
    inboxes.sort();
    assert_eq!(inboxes, ["clara", "fiona"]);
}

pub(super) async fn numbers_go_on_after_the_database_was_opened_again(mut world: World) {
    let room = world.room("garden", "felix").await;
    let first = world.posted("clara", room, "before").await;
    world.open_again().await;
    let second = world.posted("felix", room, "after").await;
    assert_eq!(second.seq, first.seq + 1);
    assert_eq!(second.room, RoomRef::Room(room));
    world.sound(&Log::Room(room)).await;
    for name in ["clara", "felix"] {
        assert!(!world.sound(&inbox(name)).await.is_empty());
    }
}
