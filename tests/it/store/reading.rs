//! Reading: access to many logs at once, stretches of a log, and their measure.

use anteroom::domain::log::{Log, LogEntry};
use anteroom::store::{PageSize, Range};
use anteroom_protocol::entry::MessagePosted;
use anteroom_protocol::id::{RoomId, UserId};
use anteroom_protocol::user::{Side, UserStatus};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::kept_property;
use super::world::{Post, World, inbox, size, told, user};

/// A room of a few hundred entries.
async fn long_room(world: &World) -> (Log, Vec<LogEntry>) {
    let room = world.room("garden", "felix").await;
    let log = Log::Room(room);
    let before = world.entries(&log).await.len();
    let posts: Vec<Post> =
        (before..300).map(|number| world.post("felix", room, &"ä".repeat(number * 31 % 97 + 1))).collect();
    assert!(world.commit(&posts).await.iter().all(Result::is_ok));
    let entries = world.sound(&log).await;
    assert_eq!(entries.len(), 300);
    (log, entries)
}

pub(super) async fn access_to_sixty_four_logs_is_answered_in_their_order(world: World) {
    let mut asked: Vec<(Log, u64)> = Vec::new();
    let mut expected = Vec::new();
    for number in 0..8 {
        let own = world.room(&format!("own-{number}"), "felix").await;
        let foreign = world.room(&format!("foreign-{number}"), "fiona").await;
        let logs = [
            Log::Room(own),
            inbox("felix"),
            Log::Room(RoomId(world.fresh())),
            Log::Room(foreign),
            inbox("clara"),
            Log::Room(own),
            inbox("nobody"),
            inbox("felix"),
        ];
        asked.extend(logs.into_iter().map(|log| (log, 0)));
        let (theirs, inbox) = (Some(Some(Side::Freelancer)), Some(None));
        expected.extend([theirs, inbox, None, None, None, theirs, None, inbox]);
    }
    asked.rotate_left(3);
    expected.rotate_left(3);
    assert_eq!(asked.len(), 64);
    let found = world.store().access(&user("felix"), &asked).await.expect("read");
    let sides: Vec<Option<Option<Side>>> =
        found.iter().map(|access| access.as_ref().map(|access| access.side)).collect();
    assert_eq!(sides, expected);
    for ((log, _), access) in asked.iter().zip(&found) {
        if let Some(access) = access {
            let last = world.entries(log).await.pop().expect("an entry");
            assert_eq!(access.head, last.head());
        }
    }
    let client = world.access("clara", &asked[asked.len() - 3].0).await.expect("hers");
    assert_eq!(client.side, Some(Side::Client));
    assert!(world.store().access(&user("felix"), &[]).await.expect("read").is_empty());
}

pub(super) async fn access_tells_the_hash_of_the_entry_that_was_asked_about(world: World) {
    let (log, entries) = long_room(&world).await;
    let places = [0, 1, 2, 150, 299, 300, 301, 10_000, 1 << 62, u64::MAX];
    let asked: Vec<(Log, u64)> = places.iter().map(|place| (log.clone(), *place)).collect();
    let found = world.store().access(&user("clara"), &asked).await.expect("read");
    for (place, access) in places.into_iter().zip(found) {
        let access = access.expect("hers");
        let there = entries.iter().find(|entry| entry.seq == place).map(|entry| entry.hash);
        assert_eq!(access.hash_at, there, "at {place}");
        assert_eq!(access.head.seq, 300);
    }
}

/// What a stretch has to be.
fn stretch(entries: &[LogEntry], range: Range, limit: u32) -> Vec<u64> {
    let limit = usize::try_from(limit).expect("a limit");
    let numbers = entries.iter().map(|entry| entry.seq);
    match range {
        Range::After(bound) => numbers.filter(|seq| *seq > bound).take(limit).collect(),
        Range::Before(bound) => {
            let below: Vec<u64> = numbers.filter(|seq| *seq < bound).collect();
            below[below.len().saturating_sub(limit)..].to_vec()
        }
    }
}

async fn stretch_is_right(world: &World, (log, entries): &(Log, Vec<LogEntry>), range: Range, limit: u32) {
    let read = world.store().entries(log, range, size(limit)).await.expect("read");
    let numbers: Vec<u64> = read.iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, stretch(entries, range, limit), "{range:?}, {limit}");
    for entry in read {
        let index = usize::try_from(entry.seq - 1).expect("small");
        assert_eq!(entry, entries[index]);
    }
}

pub(super) async fn a_stretch_of_a_log_is_what_its_bounds_say_at_every_boundary(world: World) {
    let room = long_room(&world).await;
    for bound in [0, 1, 2, 150, 298, 299, 300, 301, 302, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX] {
        for limit in [0, 1, 2, 299, 300, 301, u32::MAX] {
            for range in [Range::After(bound), Range::Before(bound)] {
                stretch_is_right(&world, &room, range, limit).await;
            }
        }
    }
}

pub(super) async fn a_stretch_of_a_log_is_what_its_bounds_say(world: World) {
    let room = long_room(&world).await;
    let bound = || prop_oneof![8 => 0..=305_u64, 1 => any::<u64>()];
    let range = prop_oneof![bound().prop_map(Range::After), bound().prop_map(Range::Before)];
    let handle = Handle::current();
    let outcome = block_in_place(|| {
        TestRunner::new(kept_property(128)).run(&(range, 0..=310_u32), |(range, limit)| {
            handle.block_on(stretch_is_right(&world, &room, range, limit));
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

pub(super) async fn the_measure_of_a_stretch_is_the_bytes_of_its_parts(world: World) {
    let (log, entries) = long_room(&world).await;
    let place = || prop_oneof![4 => 0..=305_u64, 1 => select(vec![0, 1, 299, 300, 301, u64::MAX])];
    let handle = Handle::current();
    let outcome = block_in_place(|| {
        TestRunner::new(kept_property(128)).run(&(place(), place()), |(after, up_to)| {
            let inside = entries.iter().filter(|entry| entry.seq > after && entry.seq <= up_to);
            let bytes = inside
                .map(|entry| {
                    entry.public.json().len() + entry.private.as_ref().map_or(0, |part| part.json().len())
                })
                .sum::<usize>();
            let measured = handle.block_on(world.store().measure(&log, after, up_to)).expect("read");
            assert_eq!(measured, u64::try_from(bytes).expect("bytes"), "after {after} up to {up_to}");
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

pub(super) async fn a_page_ends_at_its_bytes_and_never_before_one_entry(world: World) {
    let (log, entries) = long_room(&world).await;
    let bytes = |entry: &LogEntry| {
        entry.public.json().len() + entry.private.as_ref().map_or(0, |part| part.json().len())
    };
    /// As many of these as fit, and one in any case.
    fn fitting(sizes: impl Iterator<Item = usize>, most: usize) -> usize {
        let ends = sizes.scan(0, |sum, size| {
            *sum += size;
            Some(*sum)
        });
        ends.take_while(|end| *end <= most).count().max(1)
    }
    for most in [0, 1, 50, bytes(&entries[150]), bytes(&entries[150]) + 1, 1_000, 10_000, usize::MAX] {
        for limit in [1, 7, 300] {
            let size = PageSize { entries: limit, bytes: most };
            let limit = usize::try_from(limit).expect("small");
            let after = world.store().entries(&log, Range::After(150), size).await.expect("read");
            let count = fitting(entries[150..].iter().map(bytes), most).min(limit);
            assert_eq!(after, entries[150..150 + count], "{size:?}");
            let before = world.store().entries(&log, Range::Before(151), size).await.expect("read");
            let count = fitting(entries[..150].iter().rev().map(bytes), most).min(limit);
            assert_eq!(before, entries[150 - count..150], "{size:?}");
        }
    }
}

pub(super) async fn a_text_is_kept_byte_for_byte(mut world: World) {
    let room = world.room("garden", "felix").await;
    let mut texts: Vec<String> = [
        r#"{"body":"not \u0041 escape"}"#,
        r"\ \\ \n \u0000 \'",
        "'; DROP TABLE entries; -- \" %s $1 ?",
        " \t leading, trailing and\r\nbetween \n ",
        "日本語 עברית العربية \u{202e}e\u{301}\u{feff} 👩\u{200d}👩\u{200d}👧 \u{10ffff}\u{fffd}\u{2028}\u{7f40}",
        "1e3",
        "null",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("\u{1f4a9}".repeat(2_048));
    let before = world.entries(&Log::Room(room)).await.len();
    let posts: Vec<Post> = texts.iter().map(|text| world.post("felix", room, text)).collect();
    let done = world.commit(&posts).await;
    world.open_again().await;
    let kept = world.sound(&Log::Room(room)).await;
    for ((text, done), kept) in texts.iter().zip(done).zip(&kept[before..]) {
        let data: MessagePosted = serde_json::from_str(kept.public.json()).expect("JSON");
        assert_eq!(data.body, *text);
        assert_eq!(*done.expect("written").appended[0].entry, *kept);
    }
    for again in world.commit(&posts).await {
        assert!(again.expect("repeated").duplicate);
    }
}

pub(super) async fn an_id_that_looks_like_something_else_is_an_id_like_any_other(world: World) {
    for name in ["007", "1e3", "-1", "null", "true", "[]", "{}", "x'00'", "O'Brien;--", "$1", "%_", "inbox"] {
        world.tell_of(name, UserStatus::Active).await;
        let room = world.room(name, name).await;
        let post = world.post(name, room, name);
        let first = world.commit(std::slice::from_ref(&post)).await.remove(0).expect("written");
        let again = world.commit(&[post]).await.remove(0).expect("repeated");
        assert!(again.duplicate && told(&again) == told(&first), "{name}");
        assert_eq!(world.sound(&Log::Room(room)).await.last().expect("it").by, Some(user(name)));
        assert_eq!(world.sound(&inbox(name)).await.len(), 2, "{name}");
        let asked = [(Log::Room(room), 1), (inbox(name), 1), (inbox("felix"), 1)];
        let found = world.store().access(&user(name), &asked).await.expect("read");
        let theirs: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(theirs, [true, true, false], "{name}");
    }
}

pub(super) async fn a_log_that_is_empty_or_missing_has_no_entries(world: World) {
    let owner: UserId = user("mallory");
    let access = world.access("mallory", &Log::Inbox(owner.clone())).await.expect("an inbox of one's own");
    assert_eq!((access.side, access.head.seq, access.hash_at), (None, 0, None));
    for log in [Log::Inbox(owner), inbox("nobody"), Log::Room(RoomId(world.fresh()))] {
        for range in [Range::After(0), Range::Before(u64::MAX)] {
            assert!(world.store().entries(&log, range, size(10)).await.expect("read").is_empty());
        }
        assert_eq!(world.store().measure(&log, 0, u64::MAX).await.expect("read"), 0);
    }
}
