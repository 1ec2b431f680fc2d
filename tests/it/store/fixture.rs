//! Databases of earlier versions. Each file in `tests/fixtures` was written by the version whose last migration it is named after, with a
//! record of what was in it, and is never written again: what that version promised, this one keeps.
//!
//! With `ANTEROOM_WRITE_FIXTURES=1` the file of this version is written, if it is not there.

use std::path::{Path, PathBuf};

use anteroom::domain::log::Log;
use anteroom::wire::to_wire::{Audience, entry_frame};
use anteroom_protocol::candidacy::CaseAnswer;
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomId, RoomRef};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::user::UserStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deed::person;
use super::sqlite::database;
use super::world::{ALL, PEOPLE, World, first, inbox, room_of, told, user};
use crate::support::ask;

const ROAD: &str = "road-0001";

/// What was in a database when it was frozen.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    rooms: Vec<(RoomId, Vec<EntryFrame>)>,
    inboxes: Vec<(String, Vec<EntryFrame>)>,
    commands: Vec<Done>,
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
    let record = std::fs::read(fixture(&format!("{ROAD}.json"))).expect("the record of the fixture");
    let record: Record = serde_json::from_slice(&record).expect("a record");
    let file = database();
    std::fs::copy(fixture(&format!("{ROAD}.db")), file.path()).expect("copied");
    let mut world = World::empty(file).await;
    world.live_on();

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

    for room in [talk, room_of(&answered), room_of(&accepted)] {
        record.rooms.push((room, frames(&world, &Log::Room(room)).await));
    }
    for name in PEOPLE {
        record.inboxes.push((name.into(), frames(&world, &inbox(name)).await));
    }
    world.store().key("commands", [7; 32]).await.expect("kept");
    let directory = world.close();
    std::fs::create_dir_all(fixture("")).expect("the folder");
    super::sqlite::compact_copy(&path, &fixture(&format!("{ROAD}.db"))).await;
    let record = serde_json::to_value(&record).expect("JSON");
    let text = serde_json::to_string_pretty::<Value>(&record).expect("JSON");
    std::fs::write(fixture(&format!("{ROAD}.json")), text + "\n").expect("written");
    drop(directory);
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
