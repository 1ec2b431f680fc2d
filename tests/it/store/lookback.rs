//! Looking back: what was written since a moment is found, by whomever it was written, and by nothing but the log itself.

use anteroom::domain::log::Log;
use anteroom::store::{Grown, LookBack, Position};
use anteroom_protocol::id::UserId;
use anteroom_protocol::user::UserStatus;

use super::story::{ANSWER, BRING_IN, SEND_AWAY, SUBMIT, go_on, stage, told};
use super::world::{Post, World, inbox, room_of, user};

async fn begin(world: &World) -> Position {
    world.settled().await;
    world.store().look_back(None, &[]).await.expect("read").position
}

async fn look(world: &World, since: Position, people: &[&str]) -> LookBack {
    let people: Vec<UserId> = people.iter().map(|name| user(name)).collect();
    world.settled().await;
    let mut back = world.store().look_back(Some(since), &people).await.expect("read");
    back.logs.sort_by_key(|grown| grown.log.to_string());
    back
}

pub(super) async fn what_was_written_since_is_found_for_those_whose_it_is(world: World) {
    let rooms = [world.room("own", "felix").await, world.room("other", "fiona").await];
    let since = begin(&world).await;
    let nothing = look(&world, since, &["clara", "felix", "fiona"]).await;
    assert_eq!((nothing.logs, nothing.people), (vec![], vec![]));
    let posts: Vec<Post> = (0..3).map(|number| world.post("felix", rooms[0], &number.to_string())).collect();
    assert!(world.commit(&posts).await.iter().all(Result::is_ok));
    let last = world.posted("fiona", rooms[1], "hello").await.seq;
    let end = world.access("felix", &Log::Room(rooms[0])).await.expect("his").head.seq;
    let own = Grown { log: Log::Room(rooms[0]), from: end - 2, to: end };
    let other = Grown { log: Log::Room(rooms[1]), from: last, to: last };
    assert_eq!(look(&world, since, &["felix"]).await.logs, std::slice::from_ref(&own));
    assert_eq!(look(&world, since, &["fiona", "mallory"]).await.logs, std::slice::from_ref(&other));
    let mut both = vec![own, other];
    both.sort_by_key(|grown| grown.log.to_string());
    let all = look(&world, since, &["clara"]).await;
    assert_eq!(all.logs, both);
    assert_eq!(
        look(&world, all.position, &["clara"]).await.logs,
        [],
        "a look begins where the last one ended"
    );
    assert_eq!(look(&world, since, &[]).await.logs, [], "nobody is here");
}

pub(super) async fn an_inbox_that_has_grown_is_found_for_its_owner(world: World) {
    let since = begin(&world).await;
    world.tell_of("felix", UserStatus::Suspended).await;
    let back = look(&world, since, &["felix", "clara"]).await;
    let head = world.access("felix", &inbox("felix")).await.expect("his").head.seq;
    assert_eq!(back.logs, [Grown { log: inbox("felix"), from: head, to: head }]);
    assert_eq!(look(&world, since, &["clara"]).await.logs, []);
}

/// The one who was removed is not of the room any more, and has to get the entry that says so.
pub(super) async fn a_removal_is_found_whoever_is_asked_for(world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER, BRING_IN]).await;
    let log = Log::Room(room_of(&case));
    let since = begin(&world).await;
    go_on(&world, &job, case, &[SEND_AWAY]).await;
    let back = look(&world, since, &["tina"]).await;
    assert!(back.logs.iter().any(|grown| grown.log == log), "{back:?}");
    assert!(!world.store().readers(&log).await.expect("read").contains(&user("tina")));
}

pub(super) async fn the_people_of_a_log_are_those_of_now(world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER, BRING_IN]).await;
    let log = Log::Room(room_of(&case));
    let mut people = world.store().readers(&log).await.expect("read");
    people.sort();
    assert_eq!(people, [user("clara"), user("felix"), user("tina")]);
    assert_eq!(world.store().readers(&inbox("clara")).await.expect("read"), [user("clara")]);
    let nowhere = Log::Room(anteroom_protocol::id::RoomId(world.fresh()));
    assert_eq!(world.store().readers(&nowhere).await.expect("read"), []);
}
