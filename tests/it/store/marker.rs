//! Markers: how far somebody is, for the others to see, and what counts as unread behind one's own.

use std::collections::HashMap;

use anteroom::domain::log::{Log, LogEntry};
use anteroom::domain::refusal::Refusal;
use anteroom::store::{CommitError, Mark, Marked, Place, Position, Reach};
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::room::RoomView;
use anteroom_protocol::user::UserStatus;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::block_in_place;

use super::kept_property;
use super::world::{ALL, World, inbox, message_answer, refusal, room_of, user};
use crate::support::ask;

fn a_mark(name: &str, log: &Log, place: Place) -> Mark {
    Mark { log: log.clone(), user: user(name), place }
}

async fn mark(world: &World, name: &str, log: &Log, place: Place) -> Result<Marked, CommitError> {
    let mut outcomes = world.store().mark(&[a_mark(name, log, place)]).await;
    assert_eq!(outcomes.len(), 1, "one outcome");
    outcomes.remove(0)
}

async fn marked(world: &World, name: &str, log: &Log, place: Place) -> Marked {
    mark(world, name, log, place).await.expect("marked")
}

async fn view(world: &World, name: &str, room: RoomId) -> RoomView {
    world.store().room(&user(name), room).await.expect("read").expect("a room")
}

/// How far this person is, as everybody who may know is told.
async fn reach(world: &World, log: &Log, name: &str) -> Reach {
    let mut seen = Vec::new();
    for reader in ["clara", "felix"] {
        let people = world.access(reader, log).await.expect("theirs").people;
        assert_eq!(people.len(), 2);
        seen.push(people.into_iter().find(|reach| reach.user == user(name)).expect("one of the room"));
        if let Log::Room(room) = log {
            let members = view(world, reader, *room).await.members;
            let member = members.iter().find(|member| member.user == user(name)).expect("a member");
            seen.push(Reach { user: user(name), delivered: member.delivered, read: member.read });
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    seen.remove(0)
}

/// A room of Clara and Felix with this many messages in turn, Clara's first.
async fn talk(world: &World, messages: u32) -> (RoomId, Log) {
    let room = world.room("garden", "felix").await;
    for number in 0..messages {
        world.posted(if number % 2 == 0 { "clara" } else { "felix" }, room, &format!("{number}")).await;
    }
    (room, Log::Room(room))
}

/// What counts as unread behind this place, counted one by one.
fn counted(entries: &[LogEntry], reader: &str, marker: u64) -> u64 {
    let counts = |entry: &&LogEntry| {
        let counted = ["message.posted", "terms.proposed"].contains(&&*entry.kind);
        let of_others = entry.by.as_ref().is_none_or(|by| by.as_str() != reader);
        entry.seq > marker && of_others && (counted || matches!(entry.log, Log::Inbox(_)))
    };
    entries.iter().filter(counts).count() as u64
}

pub(super) async fn what_was_read_only_rises_and_everybody_of_the_room_sees_it(world: World) {
    let (room, log) = talk(&world, 6).await;
    let nothing = Reach { user: user("felix"), delivered: 0, read: 0 };
    assert_eq!(reach(&world, &log, "felix").await, nothing);
    let steps = [
        (Place::Delivered(4), (4, 0, 0), true),
        (Place::Read(3), (4, 3, 3), true),
        (Place::Read(2), (4, 3, 3), false),
        (Place::Delivered(1), (4, 3, 3), false),
        (Place::Read(3), (4, 3, 3), false),
        (Place::Read(8), (8, 8, 8), true),
        (Place::Read(0), (8, 8, 8), false),
        (Place::Delivered(9), (9, 8, 8), true),
    ];
    for (place, (delivered, read, marker), moved) in steps {
        let done = marked(&world, "felix", &log, place).await;
        let expected = Reach { user: user("felix"), delivered, read };
        assert_eq!((&done.reach, done.marker, done.moved), (&expected, marker, moved), "{place:?}");
        assert_eq!(*done.readers, [user("clara"), user("felix")], "those who are to be told");
        assert_eq!(reach(&world, &log, "felix").await, expected, "{place:?}");
        let own = view(&world, "felix", room).await;
        assert_eq!((own.read, own.marker, own.unread), (read, marker, done.unread), "{place:?}");
    }
    assert_eq!(reach(&world, &log, "clara").await, Reach { user: user("clara"), ..nothing });
}

pub(super) async fn marking_unread_goes_back_for_oneself_alone_and_the_next_reading_goes_on(world: World) {
    let (room, log) = talk(&world, 8).await;
    let head = world.entries(&log).await.len() as u64;
    marked(&world, "felix", &log, Place::Read(head)).await;
    let back = marked(&world, "felix", &log, Place::Unread(5)).await;
    assert_eq!((back.reach.read, back.marker, back.moved), (head, 4, true));
    assert_eq!(back.unread, counted(&world.entries(&log).await, "felix", 4));
    assert_eq!(reach(&world, &log, "felix").await.read, head, "the others see no change");
    let other = view(&world, "clara", room).await;
    assert_eq!((other.read, other.marker), (0, 0), "each has a marker of one's own");

    assert!(!marked(&world, "felix", &log, Place::Unread(5)).await.moved, "it is there already");
    let on = marked(&world, "felix", &log, Place::Read(6)).await;
    assert_eq!((on.reach.read, on.marker), (head, 6), "reading goes on from where the marker was");
    let behind = marked(&world, "felix", &log, Place::Read(2)).await;
    assert_eq!((behind.marker, behind.moved), (6, false), "reading never goes back");
    let ahead = marked(&world, "felix", &log, Place::Unread(head)).await;
    assert_eq!((ahead.marker, ahead.reach.read), (head - 1, head), "marking may also go on");
    assert_eq!(marked(&world, "felix", &log, Place::Unread(1)).await.marker, 0);
}

pub(super) async fn unread_is_what_counting_one_by_one_gives_at_every_place(world: World) {
    let job = world.job("garden", "clara", Default::default()).await;
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), Some(ask::hourly(4_500)))).await;
    let accept = ask::accept(sent.invitation.expect("its id"), Some(ask::hourly(5_000)));
    let room = room_of(&world.done("felix", &accept).await);
    for name in ["clara", "felix", "felix", "clara", "felix"] {
        world.posted(name, room, "words").await;
    }
    world.tell_of("felix", UserStatus::Suspended).await;
    world.tell_of("felix", UserStatus::Active).await;
    for (name, log) in [
        ("clara", Log::Room(room)),
        ("felix", Log::Room(room)),
        ("clara", inbox("clara")),
        ("felix", inbox("felix")),
    ] {
        let entries = world.sound(&log).await;
        let head = entries.len() as u64;
        assert!(head > 1, "{log}");
        let place = |seq| if seq == head { Place::Read(head) } else { Place::Unread(seq + 1) };
        for seq in (0..=head).chain((0..=head).rev()) {
            let done = marked(&world, name, &log, place(seq)).await;
            assert_eq!(done.marker, seq);
            assert_eq!(done.unread, counted(&entries, name, seq), "{name} at {seq} of {log}");
        }
    }
    // Two terms, his own first words and three more messages of his.
    let unread = marked(&world, "clara", &Log::Room(room), Place::Unread(1)).await.unread;
    assert_eq!(unread, 1 + 1 + 3, "what the example comes to, so that the counting itself is checked");
}

pub(super) async fn a_mark_of_a_stranger_is_refused_like_one_in_a_room_that_is_not_there(world: World) {
    let (room, log) = talk(&world, 2).await;
    let missing = Log::Room(RoomId(world.fresh()));
    let before = (view(&world, "clara", room).await, view(&world, "felix", room).await);
    for place in
        [Place::Delivered(1), Place::Read(1), Place::Unread(1), Place::Read(u64::MAX), Place::Unread(0)]
    {
        for (name, log) in [
            ("mallory", &log),
            ("nobody", &log),
            ("felix", &missing),
            ("mallory", &inbox("felix")),
            ("felix", &inbox("nobody")),
        ] {
            let refused = mark(&world, name, log, place).await.expect_err("refused");
            assert_eq!(refusal(refused), Refusal::NotFound, "{name} in {log}: {place:?}");
        }
    }
    assert_eq!((view(&world, "clara", room).await, view(&world, "felix", room).await), before);
}

pub(super) async fn a_mark_beyond_the_end_is_refused_and_moves_nothing(world: World) {
    let (_, log) = talk(&world, 2).await;
    let head = world.entries(&log).await.len() as u64;
    for place in [
        Place::Delivered(head + 1),
        Place::Read(head + 1),
        Place::Unread(head + 1),
        Place::Read(u64::MAX),
        Place::Unread(0),
    ] {
        let refused = refusal(mark(&world, "felix", &log, place).await.expect_err("refused"));
        assert!(matches!(refused, Refusal::Invalid(_)), "{place:?}: {refused:?}");
    }
    let empty = mark(&world, "mallory", &inbox("mallory"), Place::Read(1)).await.expect_err("refused");
    assert!(matches!(refusal(empty), Refusal::Invalid(_)), "an inbox that is empty");
    assert_eq!(reach(&world, &log, "felix").await.delivered, 0);
}

pub(super) async fn several_marks_of_one_person_in_one_batch_are_done_in_turn(world: World) {
    let (room, log) = talk(&world, 6).await;
    let entries = world.entries(&log).await;
    let other = Log::Room(world.room("roof", "felix").await);
    let batch = [
        a_mark("felix", &log, Place::Read(7)),
        a_mark("felix", &log, Place::Unread(3)),
        a_mark("felix", &log, Place::Read(u64::MAX)),
        a_mark("clara", &log, Place::Read(5)),
        a_mark("mallory", &log, Place::Read(5)),
        a_mark("felix", &other, Place::Read(1)),
        a_mark("felix", &log, Place::Read(4)),
        a_mark("felix", &log, Place::Read(4)),
    ];
    let outcomes = world.store().mark(&batch).await;
    let told: Vec<Option<(u64, u64, u64, bool)>> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().ok().map(|m| (m.reach.read, m.marker, m.unread, m.moved)))
        .collect();
    let unread = |name, marker| counted(&entries, name, marker);
    assert_eq!(
        told,
        [
            Some((7, 7, unread("felix", 7), true)),
            Some((7, 2, unread("felix", 2), true)),
            None,
            Some((5, 5, unread("clara", 5), true)),
            None,
            Some((1, 1, 0, true)),
            Some((7, 4, unread("felix", 4), true)),
            Some((7, 4, unread("felix", 4), false)),
        ]
    );
    let own = view(&world, "felix", room).await;
    assert_eq!((own.read, own.marker, own.unread), (7, 4, unread("felix", 4)));
    assert!(world.store().mark(&[]).await.is_empty());
}

pub(super) async fn markers_are_there_after_the_database_was_opened_again(mut world: World) {
    let (room, log) = talk(&world, 6).await;
    marked(&world, "felix", &log, Place::Read(7)).await;
    marked(&world, "felix", &log, Place::Unread(4)).await;
    marked(&world, "clara", &log, Place::Delivered(2)).await;
    marked(&world, "felix", &inbox("felix"), Place::Read(1)).await;
    let before = (view(&world, "clara", room).await, view(&world, "felix", room).await);
    world.open_again().await;
    assert_eq!((view(&world, "clara", room).await, view(&world, "felix", room).await), before);
    assert!(!marked(&world, "felix", &inbox("felix"), Place::Read(1)).await.moved);
    world.posted("clara", room, "one more").await;
    assert_eq!(view(&world, "felix", room).await.unread, before.1.unread + 1);
}

pub(super) async fn a_suspended_person_reads_on(world: World) {
    let (_, log) = talk(&world, 3).await;
    world.tell_of("felix", UserStatus::Suspended).await;
    assert_eq!(marked(&world, "felix", &log, Place::Read(5)).await.reach.read, 5);
    assert_eq!(marked(&world, "felix", &log, Place::Unread(2)).await.marker, 1);
}

#[derive(Debug, Clone)]
enum Op {
    Post { by: &'static str, room: usize },
    Amend { by: &'static str, room: usize, seq: u64, redact: bool },
    Mark { by: &'static str, log: usize, place: Place },
    OpenAgain,
}

fn op() -> impl Strategy<Value = Op> {
    let who = || select(vec!["clara", "felix"]);
    let place = prop_oneof![
        (0..16_u64).prop_map(Place::Delivered),
        (0..16_u64).prop_map(Place::Read),
        (0..16_u64).prop_map(Place::Unread),
    ];
    prop_oneof![
        6 => (who(), 0..2_usize).prop_map(|(by, room)| Op::Post { by, room }),
        2 => (who(), 0..2_usize, 1..16_u64, any::<bool>())
            .prop_map(|(by, room, seq, redact)| Op::Amend { by, room, seq, redact }),
        6 => (who(), 0..3_usize, place).prop_map(|(by, log, place)| Op::Mark { by, log, place }),
        1 => Just(Op::OpenAgain),
    ]
}

/// The markers of a simple model: how far each has got and read, and the own marker.
#[derive(Default)]
struct Model(HashMap<(&'static str, Log), (u64, u64, u64)>);

impl Model {
    /// Whether the mark is one, and what the marker is after it.
    fn mark(&mut self, by: &'static str, log: &Log, place: Place, head: u64) -> Option<(u64, u64, u64)> {
        let stand = self.0.entry((by, log.clone())).or_default();
        let (delivered, read, marker) = *stand;
        *stand = match place {
            Place::Delivered(seq) if seq <= head => (delivered.max(seq), read, marker),
            Place::Read(seq) if seq <= head => (delivered.max(seq), read.max(seq), marker.max(seq)),
            Place::Unread(seq) if (1..=head).contains(&seq) => (delivered, read, seq - 1),
            Place::Delivered(_) | Place::Read(_) | Place::Unread(_) => return None,
        };
        Some(*stand)
    }
}

fn log_of(rooms: &[RoomId], log: usize, by: &str) -> Log {
    rooms.get(log).map_or_else(|| inbox(by), |room| Log::Room(*room))
}

async fn step(world: &mut World, model: &mut Model, rooms: &[RoomId], op: &Op) {
    match op {
        Op::Post { by, room } => {
            world.posted(by, rooms[*room], "words").await;
        }
        Op::Amend { by, room, seq, redact } => {
            let room = RoomRef::Room(rooms[*room]);
            let command =
                if *redact { ask::redact(room, *seq) } else { ask::edit(room, *seq, "other words") };
            let outcome = world.act(&super::deed::person(by), world.client_id(), &command).await;
            assert!(outcome.as_ref().map_or(true, |done| message_answer(done).seq > *seq));
        }
        Op::Mark { by, log, place } => {
            let of = log_of(rooms, *log, by);
            let entries = world.entries(&of).await;
            let expected = model.mark(by, &of, *place, entries.len() as u64);
            let told = mark(world, by, &of, *place).await.ok();
            let told = told.map(|m| ((m.reach.delivered, m.reach.read, m.marker), m.unread));
            let expected = expected.map(|stand| (stand, counted(&entries, by, stand.2)));
            assert_eq!(told, expected, "{op:?}");
        }
        Op::OpenAgain => world.open_again().await,
    }
}

async fn story(world: &mut World, model: &mut Model, rooms: &[RoomId], since: Position, ops: &[Op]) {
    for op in ops {
        step(world, model, rooms, op).await;
    }
    for by in ["clara", "felix"] {
        for room in rooms {
            let stand = model.0.get(&(by, Log::Room(*room)));
            let (delivered, read, marker) = stand.copied().unwrap_or_default();
            let entries = world.sound(&Log::Room(*room)).await;
            let own = view(world, by, *room).await;
            let unread = counted(&entries, by, marker);
            assert_eq!((own.read, own.marker, own.unread), (read, marker, unread), "{by}");
            assert_eq!(reach(world, &Log::Room(*room), by).await.delivered, delivered);
            let changes = world.store().changes(&user(by), Some(since), ALL).await.expect("read").items;
            let change = changes.iter().find(|change| change.room == RoomRef::Room(*room)).expect("listed");
            assert_eq!((change.head, change.unread), (entries.len() as u64, unread));
        }
    }
}

pub(super) async fn whatever_is_marked_the_markers_are_those_of_a_simple_model(world: World) {
    let all = Mutex::new((world, Model::default(), 0));
    let handle = Handle::current();
    let tell = async |ops: &[Op]| {
        let (world, model, stories) = &mut *all.lock().await;
        *stories += 1;
        // What earlier stories have left need not be told again.
        let since = world.store().changes_end().await.expect("read");
        let mut rooms = Vec::new();
        for which in ["one", "two"] {
            rooms.push(world.room(&format!("{which}-{stories}"), "felix").await);
        }
        story(world, model, &rooms, since, ops).await;
    };
    let outcome = block_in_place(|| {
        TestRunner::new(kept_property(24)).run(&vec(op(), 1..24), |ops| {
            handle.block_on(tell(&ops));
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
