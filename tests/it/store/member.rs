//! Further people of a room, as the next decision finds them.

use anteroom::domain::log::{COUNTED, Log, LogEntry};
use anteroom::store::{CaseKey, Mark, Place};
use anteroom_protocol::user::{Side, UserStatus};

use super::story::{ANSWER, BRING_IN, SEND_AWAY, SUBMIT, go_on, stage, told};
use super::world::{World, refusal, room_of, user};

pub(super) async fn a_command_on_a_room_finds_whom_and_what_it_names(world: World) {
    let job = stage(&world).await;
    let room = room_of(&told(&world, &job, &[SUBMIT, ANSWER]).await);
    for (name, known) in [("tina", true), ("felix", true), ("nobody", false)] {
        let found = world.look_at(&CaseKey::RoomAndUser(room, user(name))).await;
        assert_eq!(found.named.map(|party| party.user), known.then(|| user(name)), "{name}");
        assert_eq!(found.pointed, None);
    }
    let entries = world.sound(&Log::Room(room)).await;
    let end = entries.last().expect("entries").seq;
    for seq in 0..end + 2 {
        let entry = entries.iter().find(|entry| entry.seq == seq);
        let expected = entry.map(|entry| (entry.seq, entry.kind.to_string(), entry.by.clone()));
        let found = world.look_at(&CaseKey::RoomAndEntry(room, seq)).await;
        assert_eq!(found.pointed.map(|pointed| (pointed.seq, pointed.kind, pointed.by)), expected);
        assert_eq!(found.named, None);
    }
}

pub(super) async fn whoever_was_brought_in_again_reads_all_and_goes_on_from_the_own_marker(mut world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER, BRING_IN]).await;
    let (room, tina) = (room_of(&case), user("tina"));
    let log = Log::Room(room);
    let read = world.posted("clara", room, "read by Tina").await.seq;
    let mark = Mark { log: log.clone(), user: tina.clone(), place: Place::Read(read) };
    world.store().mark(&[mark]).await.remove(0).expect("marked");
    let case = go_on(&world, &job, case, &[SEND_AWAY]).await;
    world.posted("clara", room, "not for Tina, as it seemed").await;
    go_on(&world, &job, case, &[BRING_IN]).await;
    for _ in 0..2 {
        let end = world.posted("felix", room, "hello again").await.seq;
        let view = world.store().room(&tina, room).await.expect("read").expect("hers again");
        assert_eq!((view.head, view.marker), (end, read));
        let counts = |entry: &&LogEntry| {
            entry.seq > read && entry.by.as_ref() != Some(&tina) && COUNTED.contains(&entry.kind.as_ref())
        };
        let unread = world.entries(&log).await.iter().filter(counts).count();
        assert_eq!(view.unread, u64::try_from(unread).expect("small"), "also what was written without her");
        let sides: Vec<Side> = view.members.iter().map(|member| member.side).collect();
        assert_eq!(sides.iter().filter(|side| **side == Side::Client).count(), 2);
        assert!(world.access("tina", &log).await.is_some_and(|access| access.side == Some(Side::Client)));
        world.open_again().await;
    }
}

pub(super) async fn a_member_is_decided_on_as_the_marketplace_told_last(world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER, BRING_IN]).await;
    let room = room_of(&case);
    for (status, writes) in
        [(UserStatus::Active, true), (UserStatus::Suspended, false), (UserStatus::Active, true)]
    {
        world.tell_of("tina", status).await;
        let said = world.commit(&[world.post("tina", room, "hello")]).await.remove(0);
        assert_eq!(said.is_ok(), writes, "while {status:?}");
        if let Err(error) = said {
            refusal(error);
        }
        let found = world.look_at(&CaseKey::Room(room)).await;
        assert_eq!(found.members.len(), 1);
        assert_eq!(found.members[0].party.user, user("tina"));
        assert_eq!(found.members[0].party.standing.may_write().is_ok(), writes);
    }
    world.sound(&Log::Room(room)).await;
}
