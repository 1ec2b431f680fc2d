//! Changes: which of a reader's logs have grown since a place in the order of all commits. What was committed is told at least once, whatever is asked meanwhile.

use std::collections::HashMap;

use anteroom::domain::log::Log;
use anteroom::store::{Growth, Position};
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::room::RoomChange;
use proptest::collection::vec;
use proptest::test_runner::TestRunner;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::block_in_place;

use super::kept_property;
use super::world::{ALL, Post, World, inbox, user};

async fn ask(world: &World, name: &str, after: Option<Position>, limit: u32) -> Growth {
    world.settled().await;
    let changes = world.store().changes(&user(name), after, limit).await.expect("read");
    assert!(changes.items.len() <= limit as usize);
    changes
}

fn rooms(changes: &Growth) -> Vec<RoomRef> {
    changes.items.iter().map(|change| change.room).collect()
}

/// Every page from this place on, and the place behind them.
async fn pages(
    world: &World,
    name: &str,
    after: Option<Position>,
    limit: u32,
) -> (Vec<RoomChange>, Position) {
    let mut changes = ask(world, name, after, limit).await;
    let mut items = std::mem::take(&mut changes.items);
    while changes.has_more {
        changes = ask(world, name, Some(changes.position), limit).await;
        assert!(!changes.reset, "the place of a page is one of this database");
        items.extend(std::mem::take(&mut changes.items));
    }
    (items, changes.position)
}

pub(super) async fn without_a_place_every_log_with_entries_is_told_and_with_it_what_has_grown_since(
    world: World,
) {
    let nothing = ask(&world, "mallory", None, ALL).await;
    assert!(nothing.items.is_empty() && !nothing.has_more && !nothing.reset);
    assert!(ask(&world, "mallory", Some(nothing.position), ALL).await.items.is_empty());

    let (one, two) = (world.room("one", "felix").await, world.room("two", "felix").await);
    let all = ask(&world, "felix", None, ALL).await;
    for room in [RoomRef::Room(one), RoomRef::Room(two), RoomRef::Inbox] {
        assert!(rooms(&all).contains(&room), "{all:?}");
    }
    assert_eq!(all.items.len(), 3);
    let end = world.store().changes_end().await.expect("read");
    assert_eq!(all.position, end, "everything was told");
    assert_eq!(ask(&world, "felix", Some(end), ALL).await, Growth { items: Vec::new(), ..all.clone() });

    // What others do elsewhere moves the end and tells nothing.
    world.room("three", "fiona").await;
    let quiet = ask(&world, "felix", Some(end), ALL).await;
    assert!(quiet.items.is_empty() && quiet.position != end);

    let told = world.posted("clara", one, "news").await;
    let grown = ask(&world, "felix", Some(quiet.position), ALL).await;
    assert_eq!(rooms(&grown), [RoomRef::Room(one)]);
    assert_eq!(grown.items[0].head, told.seq);
    assert_eq!(ask(&world, "felix", Some(quiet.position), ALL).await, grown, "asking takes nothing away");
    assert_eq!(ask(&world, "felix", Some(end), ALL).await.items, grown.items, "nor does an older place");
}

pub(super) async fn of_three_hundred_rooms_exactly_the_forty_that_have_grown_are_told_oldest_first(
    world: World,
) {
    let rooms_of_clara = world.rooms(300).await;
    let before = world.store().changes_end().await.expect("read");
    let changed: Vec<RoomId> = (0..40).map(|number| rooms_of_clara[number * 7919 % 300]).collect();
    for room in &changed {
        world.posted("felix", *room, "news").await;
    }
    let told = ask(&world, "clara", Some(before), 200).await;
    assert_eq!(rooms(&told), changed.iter().map(|room| RoomRef::Room(*room)).collect::<Vec<_>>());
    assert!(!told.has_more && !told.reset);
    let opened = world.entries(&Log::Room(changed[0])).await.len() as u64;
    for change in &told.items {
        // The freelancer's first words, and the news.
        assert_eq!((change.head, change.unread), (opened, 2));
    }
    // One that grows again is the last one then.
    world.posted("felix", changed[3], "more").await;
    let again = ask(&world, "clara", Some(before), 200).await;
    let mut expected = changed.clone();
    let grown = expected.remove(3);
    expected.push(grown);
    assert_eq!(rooms(&again), expected.into_iter().map(RoomRef::Room).collect::<Vec<_>>());

    for limit in [1, 7, 39, 40, 41] {
        let (items, position) = pages(&world, "clara", Some(before), limit).await;
        assert_eq!(items, again.items, "in pages of {limit}");
        assert_eq!(position, again.position);
    }
    let all = ask(&world, "clara", None, 200).await;
    assert!(all.has_more);
    assert_eq!(pages(&world, "clara", None, 200).await.0.len(), 301, "all rooms and the inbox");
}

pub(super) async fn a_log_is_told_to_its_people_alone(world: World) {
    world.room("one", "felix").await;
    let other = world.room("two", "fiona").await;
    world.posted("fiona", other, "between us").await;
    let (felix, _) = pages(&world, "felix", None, 2).await;
    assert!(felix.iter().all(|change| change.room != RoomRef::Room(other)));
    assert_eq!(felix.len(), 2, "the own room and inbox");
    assert!(ask(&world, "mallory", None, ALL).await.items.is_empty());
    assert!(ask(&world, "nobody", None, ALL).await.items.is_empty());
}

pub(super) async fn a_place_that_is_not_of_this_database_is_reset_and_everything_told(world: World) {
    let other = world.another().await;
    world.rooms(3).await;
    other.rooms(2).await;
    let all = ask(&world, "felix", None, ALL).await;
    let (own, foreign) = (all.position, other.store().changes_end().await.expect("read"));
    let bent = |at: usize| {
        let mut bytes = own.bytes().to_vec();
        bytes[at] ^= 1;
        Position::new(&bytes)
    };
    let ends = [0xff, 0x7f, 1].map(|byte| Position::new(&[byte; 16]));
    for place in (0..own.bytes().len()).map(bent).chain(ends).chain([foreign]) {
        let reset = ask(&world, "felix", Some(place), ALL).await;
        assert!(reset.reset, "{place:?}");
        assert_eq!((&reset.items, reset.position), (&all.items, all.position), "{place:?}");
    }
    // The pages of a reset are asked for with the new place.
    let first = ask(&world, "felix", Some(foreign), 2).await;
    assert!(first.reset && first.has_more);
    let rest = ask(&world, "felix", Some(first.position), 2).await;
    assert!(!rest.reset);
    assert_eq!([first.items, rest.items].concat(), all.items);
    assert!(!ask(&world, "felix", Some(own), ALL).await.reset, "the own place is still good");
}

pub(super) async fn a_place_is_good_after_the_database_was_opened_again(mut world: World) {
    let room = world.room("one", "felix").await;
    let place = world.store().changes_end().await.expect("read");
    world.open_again().await;
    assert!(ask(&world, "felix", Some(place), ALL).await.items.is_empty());
    world.posted("clara", room, "news").await;
    assert_eq!(rooms(&ask(&world, "felix", Some(place), ALL).await), [RoomRef::Room(room)]);
}

/// A client that asks page by page while others write. It always asks with the last place it was given.
async fn follow(world: &World, rooms: &[RoomId], steps: &[(usize, u32)]) {
    let mut since = world.store().changes_end().await.expect("read");
    let mut told: HashMap<RoomRef, u64> = HashMap::new();
    let mut heads: HashMap<RoomRef, u64> = HashMap::new();
    let mut learn = |changes: &Growth, written: &HashMap<RoomRef, u64>| {
        for change in &changes.items {
            assert!(change.head <= written[&change.room], "nothing is told before it is there");
            let known = told.insert(change.room, change.head);
            assert!(known.is_none_or(|known| known <= change.head), "what is told never goes back");
        }
    };
    for (place, limit) in steps {
        let room = rooms[place % rooms.len()];
        let answer = world.posted(if place % 2 == 0 { "clara" } else { "felix" }, room, "words").await;
        heads.insert(answer.room, answer.seq);
        if *limit > 0 {
            let changes = ask(world, "felix", Some(since), *limit).await;
            learn(&changes, &heads);
            since = changes.position;
        }
    }
    loop {
        let changes = ask(world, "felix", Some(since), 2).await;
        learn(&changes, &heads);
        since = changes.position;
        if !changes.has_more {
            break;
        }
    }
    assert_eq!(told, heads, "every room is known as far as it reaches");
}

pub(super) async fn what_is_committed_between_two_pages_is_never_left_out(world: World) {
    let rooms = world.rooms(6).await;
    let world = Mutex::new(world);
    let handle = Handle::current();
    let outcome = block_in_place(|| {
        TestRunner::new(kept_property(32)).run(&vec((0..12_usize, 0..4_u32), 1..40), |steps| {
            handle.block_on(async { follow(&*world.lock().await, &rooms, &steps).await });
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

pub(super) async fn what_is_committed_while_asking_is_never_left_out(world: World) {
    let rooms = world.rooms(5).await;
    let start = world.store().changes_end().await.expect("read");
    let write = async {
        let mut heads = HashMap::new();
        for number in 0..300_usize {
            let posts: Vec<Post> = (0..=number % 3)
                .map(|more| world.post("clara", rooms[(number + more) % 5], "words"))
                .collect();
            for done in world.commit(&posts).await {
                let answer = super::world::message_answer(&done.expect("written"));
                heads.insert(answer.room, answer.seq);
            }
        }
        heads
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    let read = async {
        let (mut since, mut told) = (start, HashMap::new());
        loop {
            let last = done.load(std::sync::atomic::Ordering::SeqCst);
            let changes = ask(&world, "felix", Some(since), 3).await;
            assert!(!changes.reset);
            for change in &changes.items {
                let known = told.insert(change.room, change.head);
                assert!(known.is_none_or(|known| known <= change.head));
            }
            since = changes.position;
            if last && !changes.has_more {
                return told;
            }
            tokio::task::yield_now().await;
        }
    };
    let write = async {
        let heads = write.await;
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        heads
    };
    let (heads, told) = tokio::join!(write, read);
    assert_eq!(told, heads);
    assert!(world.entries(&inbox("felix")).await.len() > 4);
}
