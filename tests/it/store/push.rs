//! Push notifications: what is unread becomes due once, whoever looks; one worker has it, and what came of it is kept.

use anteroom::domain::log::Log;
use anteroom::store::{Browser, Push, PushWishes, Pushed};
use anteroom_protocol::id::RoomId;
use anteroom_protocol::time::Time;
use uuid::Uuid;

use super::world::{World, user};
use crate::support::ask;

pub(super) fn browser(name: &str) -> Browser {
    Browser { endpoint: format!("https://push.example/{name}"), p256dh: vec![4; 65], auth: vec![7; 16] }
}

async fn subscribed(world: &World, name: &str, browsers: &[&str]) {
    for one in browsers {
        world.store().push_to(&user(name), &browser(one), None, world.now()).await.expect("kept");
    }
}

/// Everything is looked at that was committed by now.
pub(super) async fn look(world: &World) {
    world.settled().await;
    let now = world.now();
    while world.store().find_pushes(now, now).await.expect("looked") {}
}

/// What is due now, for this worker.
async fn claim(world: &World, worker: u128) -> Vec<Push> {
    let later = Time::from_micros(world.same_moment().as_micros() + 60_000_000);
    world.store().claim_pushes(Uuid::from_u128(worker), later).await.expect("asked")
}

fn of(pushes: &[Push]) -> Vec<(&str, u64)> {
    let mut of: Vec<(&str, u64)> = pushes
        .iter()
        .map(|push| (push.browser.endpoint.rsplit('/').next().unwrap_or_default(), push.told.at.seq))
        .collect();
    of.sort_unstable();
    of
}

async fn done(world: &World, worker: u128, pushes: &[Push], pushed: Pushed) {
    for push in pushes {
        world.store().settle_push(Uuid::from_u128(worker), push.key, pushed).await.expect("kept");
    }
}

async fn read(world: &World, room: RoomId, name: &str, seq: u64) {
    use anteroom::store::{Mark, Place};
    let mark = Mark { log: Log::Room(room), user: user(name), place: Place::Read(seq) };
    assert!(world.store().mark(&[mark]).await[0].is_ok());
}

pub(super) async fn what_is_unread_of_a_log_is_due_once_on_each_browser_and_nothing_of_ones_own(
    world: World,
) {
    let room = world.room("garden", "felix").await;
    look(&world).await;
    subscribed(&world, "felix", &["one", "two"]).await;
    subscribed(&world, "clara", &["hers"]).await;
    let mut last = 0;
    for words in ["one", "two", "three"] {
        last = world.posted("clara", room, words).await.seq;
    }
    look(&world).await;
    let due = claim(&world, 1).await;
    assert_eq!(of(&due), [("one", last), ("two", last)]);
    for push in &due {
        assert_eq!((&push.user, push.attempts, push.mutes.len()), (&user("felix"), 0, 0));
        assert!(push.unread >= 3 && push.read < last);
        assert_eq!(push.told.case.as_ref().expect("a case").client, user("clara"));
    }
    assert!(claim(&world, 2).await.is_empty(), "somebody has them");
    done(&world, 1, &due, Pushed::Over).await;
    look(&world).await;
    assert!(claim(&world, 1).await.is_empty(), "once");

    // What was read meanwhile is not news, and what comes afterwards is.
    let again = world.posted("clara", room, "four").await.seq;
    read(&world, room, "felix", again).await;
    look(&world).await;
    assert!(claim(&world, 1).await.is_empty());
    let more = world.posted("clara", room, "five").await.seq;
    look(&world).await;
    assert_eq!(of(&claim(&world, 1).await), [("one", more), ("two", more)]);
}

pub(super) async fn an_invitation_is_due_with_its_commit_and_later_when_it_is_on_a_screen(world: World) {
    subscribed(&world, "felix", &["one"]).await;
    subscribed(&world, "clara", &["hers"]).await;
    world.done("clara", &ask::invite(&"garden".parse().expect("an id"), &user("felix"), None)).await;
    let due = claim(&world, 1).await;
    let [push] = &due[..] else { panic!("one: {due:?}") };
    assert_eq!((&*push.told.entry.kind, &push.user), ("invitation.sent", &user("felix")));
    let at = Time::from_micros(world.same_moment().as_micros() + 3_600_000_000);
    done(&world, 1, &due, Pushed::Again(at)).await;
    assert!(claim(&world, 1).await.is_empty());
    world.wait(7_200);
    let again = claim(&world, 2).await;
    assert_eq!(again[0].attempts, 1);
    // Whoever was given it before has nothing to say any more.
    done(&world, 1, &again, Pushed::Over).await;
    done(&world, 2, &again, Pushed::Again(world.now())).await;
    let once_more = claim(&world, 3).await;
    assert_eq!(once_more[0].attempts, 2);
    done(&world, 3, &once_more, Pushed::Gone).await;
    assert_eq!(world.store().push_wishes(&user("felix")).await.expect("read"), PushWishes::default());

    subscribed(&world, "fiona", &["hers too"]).await;
    world.done("clara", &ask::invite(&"garden".parse().expect("an id"), &user("fiona"), None)).await;
    let until = Time::from_micros(world.same_moment().as_micros() + 3_600_000_000);
    world.store().postpone_push(&Log::Inbox(user("fiona")), 1, until).await.expect("kept");
    assert!(claim(&world, 1).await.is_empty());
    world.wait(3_600);
    assert_eq!(claim(&world, 1).await.len(), 1);
}

pub(super) async fn a_browser_is_its_last_persons_alone_and_a_person_has_twenty(world: World) {
    let room = world.room("garden", "felix").await;
    look(&world).await;
    subscribed(&world, "felix", &["shared"]).await;
    world.posted("clara", room, "for felix").await;
    look(&world).await;
    subscribed(&world, "mallory", &["shared"]).await;
    assert!(claim(&world, 1).await.is_empty(), "what was for him is not for her");
    assert_eq!(world.store().push_wishes(&user("felix")).await.expect("read").browsers, 0);
    for number in 0..25 {
        subscribed(&world, "felix", &[&format!("number {number:02}")]).await;
    }
    assert_eq!(world.store().push_wishes(&user("felix")).await.expect("read").browsers, 20);
    let (felix, new) = (user("felix"), browser("new"));
    let instead_of = Some("https://push.example/number 24");
    world.store().push_to(&felix, &new, instead_of, world.now()).await.expect("kept");
    assert_eq!(world.store().push_wishes(&user("felix")).await.expect("read").browsers, 20);
    world.store().push_no_more(&user("mallory"), "https://push.example/new").await.expect("nothing of hers");
    assert_eq!(world.store().push_wishes(&user("felix")).await.expect("read").browsers, 20);
    for muted in [true, true, false] {
        world.store().mute(&user("felix"), "messages", muted).await.expect("kept");
        world.store().mute(&user("felix"), "a room", true).await.expect("kept");
    }
    assert_eq!(world.store().push_wishes(&user("felix")).await.expect("read").mutes, ["a room"]);
}
