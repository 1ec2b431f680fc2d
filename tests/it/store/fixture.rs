//! Databases of earlier versions. Each file in `tests/fixtures` was written by the version whose last migration it is named after, with a
//! record of what was in it, and is never written again: what that version promised, this one keeps.
//!
//! With `ANTEROOM_WRITE_FIXTURES=1` the file of this version is written, if it is not there.

use std::path::{Path, PathBuf};

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::store::{Mark, Place, Position};
use anteroom::wire::to_wire::{Audience, entry_frame};
use anteroom_protocol::candidacy::CaseAnswer;
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomId, RoomRef};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::{from_hex, to_hex};
use anteroom_protocol::message::MessageAnswer;
use anteroom_protocol::room::{RoomChange, RoomView};
use anteroom_protocol::user::UserStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deed::person;
use super::sqlite::database;
use super::world::{ALL, PEOPLE, World, first, inbox, refusal, room_of, told, user};
use crate::support::ask;

const ROAD: &str = "road-0001";
const ROOM: &str = "room-0003";

/// What was in a database when it was frozen.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    rooms: Vec<(RoomId, Vec<EntryFrame>)>,
    inboxes: Vec<(String, Vec<EntryFrame>)>,
    commands: Vec<Done>,
    /// How each sees the own rooms: how far everybody is, and what is unread.
    #[serde(default)]
    views: Vec<(String, Vec<RoomView>)>,
    /// Somebody, a place in the order of all commits, and what had grown since.
    #[serde(default)]
    changes: Vec<(String, String, Vec<RoomChange>)>,
    /// What a word had found, by its numbers in the first room.
    #[serde(default)]
    found: Vec<(String, Vec<u64>)>,
}

/// A command that was done, and its answer, byte for byte.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    by: String,
    client_id: ClientId,
    command: Command,
    answer: String,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("fixtures").join(name)
}

#[tokio::test]
async fn a_database_of_the_road_is_opened_with_all_that_was_promised_in_it() {
    if std::env::var_os("ANTEROOM_WRITE_FIXTURES").is_some() && !fixture("road-0001.db").exists() {
        write_the_road().await;
    }
    let (record, mut world) = thaw(ROAD).await;
    for _ in 0..2 {
        the_logs_are_those_of(&record, &world).await;
        what_is_unread_of_the_road_is_right(&record, &world).await;
        for Done { by, client_id, command, answer } in &record.commands {
            let again = world.act(&person(by), *client_id, command).await.expect("repeated");
            assert!(again.duplicate, "{command:?}");
            assert_eq!(told(&again), *answer, "{command:?}");
        }
        world.open_again().await;
    }
    life_goes_on(&record, &world).await;
}

#[tokio::test]
async fn a_database_of_the_room_is_opened_with_all_that_was_promised_in_it() {
    if std::env::var_os("ANTEROOM_WRITE_FIXTURES").is_some() && !fixture("room-0003.db").exists() {
        write_the_room().await;
    }
    let (record, mut world) = thaw(ROOM).await;
    for _ in 0..2 {
        the_logs_are_those_of(&record, &world).await;
        for Done { by, client_id, command, answer } in &record.commands {
            let again = world.act(&person(by), *client_id, command).await.expect("repeated");
            assert!(again.duplicate && told(&again) == *answer, "{command:?}");
        }
        what_is_shown_is_that_of(&record, &world).await;
        world.open_again().await;
    }
    the_room_goes_on(&record, &world).await;
}

/// The record of a fixture, and the world it was written in, a day later.
async fn thaw(name: &str) -> (Record, World) {
    let record = std::fs::read(fixture(&format!("{name}.json"))).expect("the record of the fixture");
    let record: Record = serde_json::from_slice(&record).expect("a record");
    let file = database();
    std::fs::copy(fixture(&format!("{name}.db")), file.path()).expect("copied");
    let world = World::empty(file).await;
    world.live_on();
    (record, world)
}

async fn what_is_shown_is_that_of(record: &Record, world: &World) {
    for (name, expected) in &record.views {
        assert_eq!(world.store().rooms(&user(name), first(ALL)).await.expect("read"), *expected, "{name}");
    }
    for (name, cursor, expected) in &record.changes {
        let changes = world.store().changes(&user(name), Some(position(cursor)), ALL).await.expect("read");
        assert_eq!((changes.reset, &changes.items), (false, expected), "{name}");
    }
    for (word, expected) in &record.found {
        assert_eq!(found(world, record.rooms[0].0, word).await, *expected, "{word}");
    }
}

/// A place as that version wrote it for clients: the number of the entry, and the beginning of its hash. They are sealed since, and still
/// stand for the same place.
fn position(text: &str) -> Position {
    let (number, hash) = text.split_once('.').expect("a number and a hash");
    let number = i64::from_str_radix(number, 16).expect("a number").to_be_bytes();
    let bytes = [number, from_hex(hash).expect("a hash")].concat();
    Position(bytes.try_into().expect("16 bytes"))
}

fn text_of(Position(bytes): Position) -> String {
    let (number, hash) = bytes.split_first_chunk().expect("16 bytes");
    format!("{:x}.{}", i64::from_be_bytes(*number), to_hex(hash))
}

/// The numbers of the messages of this room that have this word, newest first.
async fn found(world: &World, room: RoomId, word: &str) -> Vec<u64> {
    let found = world.store().search(&user("clara"), Some(room), &[word.to_owned()], first(ALL)).await;
    found.expect("searched").entries.iter().map(|(_, entry)| entry.seq).collect()
}

/// What was edited can be deleted, with all its words; what was marked goes on from where it was.
async fn the_room_goes_on(record: &Record, world: &World) {
    let room = record.rooms[0].0;
    let log = Log::Room(room);
    let edited = found(world, room, "monday").await[0];
    let late = ask::edit(RoomRef::Room(room), edited, "too late");
    assert_eq!(refusal(world.refused("clara", &late).await), Refusal::EditWindowOver);
    let redact = ask::redact(RoomRef::Room(room), edited);
    world.act(&person("clara"), world.client_id(), &redact).await.expect("deleted");
    assert!(found(world, room, "monday").await.is_empty() && found(world, room, "tuesday").await.is_empty());
    let before = world.store().room(&user("felix"), room).await.expect("read").expect("a room");
    let head = world.posted("clara", room, "On Wednesday then?").await.seq;
    while world.store().index(ALL).await.expect("indexed") {}
    assert_eq!(found(world, room, "wednesday").await, [head]);
    let mark = |place| Mark { log: log.clone(), user: user("felix"), place };
    let marks = [mark(Place::Delivered(0)), mark(Place::Read(head))];
    let marked: Vec<_> = world.store().mark(&marks).await.into_iter().map(|m| m.expect("marked")).collect();
    assert_eq!(
        (marked[0].reach.read, marked[0].marker, marked[0].unread),
        (before.read, before.marker, before.unread + 1)
    );
    assert_eq!((marked[1].reach.read, marked[1].marker, marked[1].unread), (head, head, 0));
    world.sound(&log).await;
}

async fn the_logs_are_those_of(record: &Record, world: &World) {
    for (room, expected) in &record.rooms {
        assert_eq!(frames(world, &Log::Room(*room)).await, *expected);
    }
    for (name, expected) in &record.inboxes {
        assert_eq!(frames(world, &inbox(name)).await, *expected);
    }
}

/// That version had no markers: everything that others wrote and that counts is unread.
async fn what_is_unread_of_the_road_is_right(record: &Record, world: &World) {
    let rooms: Vec<RoomRef> = record.rooms.iter().map(|(room, _)| RoomRef::Room(*room)).collect();
    let (talk, answered, ended) = (rooms[0], rooms[1], rooms[2]);
    for (name, expected) in [
        ("clara", vec![(talk, 3), (answered, 2), (ended, 1)]),
        ("felix", vec![(talk, 3), (ended, 0)]),
        ("fiona", vec![(answered, 1), (RoomRef::Inbox, 2)]),
        ("mallory", vec![]),
    ] {
        let changes = world.store().changes(&user(name), None, ALL).await.expect("read").items;
        for (room, unread) in expected {
            let change = changes.iter().find(|change| change.room == room).expect("one of the logs");
            assert_eq!(change.unread, unread, "{name} in {room}");
        }
    }
}

async fn life_goes_on(record: &Record, world: &World) {
    let mut written = 0;
    for (room, entries) in &record.rooms {
        let outcome = world.commit(&[world.post("clara", *room, "still there?")]).await.remove(0);
        let after = world.sound(&Log::Room(*room)).await.len();
        assert_eq!(after, entries.len() + usize::from(outcome.is_ok()));
        written += usize::from(outcome.is_ok());
    }
    assert_eq!(written, 2, "two rooms are open, one has ended");
    let (fiona, now) = (user("fiona"), world.now());
    let invitations = world.store().invitations(&fiona, None, first(ALL), now).await.expect("read");
    let waiting = invitations.iter().find(|view| view.room.is_none()).expect("one that she ignored");
    room_of(&world.done("fiona", &ask::accept(waiting.id, None)).await);
}

async fn frames(world: &World, log: &Log) -> Vec<EntryFrame> {
    let entries = world.sound(log).await;
    entries.iter().map(|entry| entry_frame(entry, Audience::Freelancer, true)).collect()
}

/// Some of everything, written down as it is done.
async fn write_the_road() {
    let file = database();
    let path = file.path();
    let world = World::new(file).await;
    let mut record = Record::default();
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = ask::invite(&job, &user("felix"), Some(ask::hourly(4_500)));
    let sent = case(&mut record, &world, "clara", sent).await;
    let accept = ask::accept(sent.invitation.expect("its id"), Some(ask::hourly(5_000)));
    let talk = room_of(&case(&mut record, &world, "felix", accept).await);
    for (name, words) in [("clara", "Grüß Gott"), ("felix", "日本語\n\"quoted\""), ("clara", "When?")] {
        done(&mut record, &world, name, ask::post(RoomRef::Room(talk), words)).await;
    }
    let submitted = case(&mut record, &world, "fiona", ask::propose(&job, ask::hourly(6_000))).await;
    let answered = ask::answer(submitted.proposal.expect("its id"));
    let answered = case(&mut record, &world, "clara", answered).await;
    done(&mut record, &world, "fiona", ask::post(RoomRef::Room(room_of(&answered)), "Gladly")).await;

    let roof = world.job("roof", "clara", JobStatus::Open).await;
    let sent = case(&mut record, &world, "clara", ask::invite(&roof, &user("fiona"), None)).await;
    case(&mut record, &world, "fiona", ask::archive(sent.invitation.expect("its id"))).await;
    let sent = case(&mut record, &world, "clara", ask::invite(&roof, &user("felix"), None)).await;
    let decline = ask::decline(sent.invitation.expect("its id"), DeclineReason::Other, Some("a wedding"));
    case(&mut record, &world, "felix", decline).await;
    let sent = case(&mut record, &world, "clara", ask::invite(&roof, &user("felix"), None)).await;
    let accepted = ask::accept(sent.invitation.expect("its id"), None);
    let accepted = case(&mut record, &world, "felix", accepted).await;
    case(&mut record, &world, "clara", ask::decline_candidacy(accepted.candidacy)).await;
    world.tell_of("dora", UserStatus::Suspended).await;

    freeze(world, &path, record, ROAD, &[talk, room_of(&answered), room_of(&accepted)]).await;
}

/// Writes down what is in these rooms and in every inbox, and keeps the record and the database under this name.
async fn freeze(world: World, path: &Path, mut record: Record, name: &str, rooms: &[RoomId]) {
    for room in rooms {
        record.rooms.push((*room, frames(&world, &Log::Room(*room)).await));
    }
    for name in PEOPLE {
        record.inboxes.push((name.into(), frames(&world, &inbox(name)).await));
    }
    world.store().key("commands", [7; 32]).await.expect("kept");
    let directory = world.close();
    std::fs::create_dir_all(fixture("")).expect("the folder");
    super::sqlite::compact_copy(path, &fixture(&format!("{name}.db"))).await;
    let record = serde_json::to_value(&record).expect("JSON");
    let text = serde_json::to_string_pretty::<Value>(&record).expect("JSON");
    std::fs::write(fixture(&format!("{name}.json")), text + "\n").expect("written");
    drop(directory);
}

/// What a room shows: edits, redactions, markers, a change of standing, words that can be found.
async fn write_the_room() {
    let file = database();
    let path = file.path();
    let world = World::new(file).await;
    let mut record = Record::default();
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = ask::invite(&job, &user("felix"), Some(ask::hourly(4_500)));
    let sent = case(&mut record, &world, "clara", sent).await;
    let accept = ask::accept(sent.invitation.expect("its id"), Some(ask::hourly(5_000)));
    let talk = room_of(&case(&mut record, &world, "felix", accept).await);
    let name = RoomRef::Room(talk);
    let monday = say(&mut record, &world, "clara", ask::post(name, "On Monday?")).await;
    let anger = say(&mut record, &world, "felix", ask::post(name, "Never with you!")).await;
    say(&mut record, &world, "clara", ask::edit(name, monday, "On Tuesday?")).await;
    say(&mut record, &world, "felix", ask::edit(name, anger, "Never, I fear")).await;
    while world.store().index(ALL).await.expect("indexed") {}
    say(&mut record, &world, "felix", ask::edit(name, anger, "Never before Easter")).await;
    say(&mut record, &world, "felix", ask::redact(name, anger)).await;
    let other = room_of(&{
        let submitted = case(&mut record, &world, "fiona", ask::propose(&job, ask::hourly(6_000))).await;
        case(&mut record, &world, "clara", ask::answer(submitted.proposal.expect("its id"))).await
    });
    let place = world.store().changes_end().await.expect("read");
    world.tell_of("felix", UserStatus::Suspended).await;
    world.tell_of("felix", UserStatus::Active).await;
    let last = say(&mut record, &world, "clara", ask::post(name, "I understand")).await;
    let (room, inbox) = (Log::Room(talk), inbox("felix"));
    let marks = [
        ("felix", &room, Place::Read(last - 1)),
        ("felix", &room, Place::Unread(monday)),
        ("clara", &room, Place::Delivered(last)),
        ("felix", &inbox, Place::Read(1)),
    ];
    let marks = marks.map(|(name, log, place)| Mark { log: log.clone(), user: user(name), place });
    assert!(world.store().mark(&marks).await.iter().all(Result::is_ok));
    while world.store().index(ALL).await.expect("indexed") {}
    for name in PEOPLE {
        record.views.push((name.into(), world.store().rooms(&user(name), first(ALL)).await.expect("read")));
        let changes = world.store().changes(&user(name), Some(place), ALL).await.expect("read");
        record.changes.push((name.into(), text_of(place), changes.items));
    }
    for (word, expected) in [("monday", 1), ("tuesday", 1), ("never", 0), ("easter", 0), ("understand", 1)] {
        let seqs = found(&world, talk, word).await;
        assert_eq!(seqs.len(), expected, "{word}");
        record.found.push((word.into(), seqs));
    }
    // Nothing that was deleted may be in the record either: what is sent again in its place stands for it.
    for done in &mut record.commands {
        forget(&mut done.command);
    }
    freeze(world, &path, record, ROOM, &[talk, other]).await;
}

/// Whatever comes under the id of a command whose text was deleted is that command.
fn forget(command: &mut Command) {
    let forget = |body: &mut String| {
        if body.starts_with("Never") {
            "something else".clone_into(body);
        }
    };
    if let Command::MessagePost(post) = command {
        forget(&mut post.body);
    } else if let Command::MessageEdit(edit) = command {
        forget(&mut edit.body);
    }
}

/// Does a command on messages, and gives back the number of its entry.
async fn say(record: &mut Record, world: &World, by: &str, command: Command) -> u64 {
    done(record, world, by, command).await;
    let answer = &record.commands.last().expect("just done").answer;
    let answer: MessageAnswer = serde_json::from_str(answer).expect("the answer of a message");
    answer.seq
}

async fn done(record: &mut Record, world: &World, by: &str, command: Command) {
    let client_id = world.client_id();
    let done = world.act(&person(by), client_id, &command).await.expect("done");
    record.commands.push(Done { by: by.into(), client_id, command, answer: told(&done) });
}

async fn case(record: &mut Record, world: &World, by: &str, command: Command) -> CaseAnswer {
    done(record, world, by, command).await;
    let answer = &record.commands.last().expect("just done").answer;
    serde_json::from_str(answer).expect("the answer of a case")
}
