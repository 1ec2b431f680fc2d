//! Joining and resuming: what follows a cursor, and that nothing is missed or repeated whatever happens meanwhile.

use std::collections::BTreeMap;

use anteroom_load_tests::client::{Socket, after, at_head, from_start};
use anteroom_protocol::client::{ClientFrame, Ping};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::limits::{RESUME_BYTES, RESUME_ENTRIES};
use anteroom_protocol::log::Hash;
use anteroom_protocol::room::{Cursor, JoinMode, JoinResult, Joined};
use anteroom_protocol::server::ServerFrame;
use uuid::Uuid;

use crate::support::{Door, Person, Scene, TestServer, id, post_all, soon};

/// The two ways to join.
#[derive(Debug, Clone, Copy)]
enum Way {
    Hello,
    Join,
}

const WAYS: [Way; 2] = [Way::Hello, Way::Join];

/// A new socket of this person that has joined in this way.
async fn enter(scene: &Scene, way: Way, cursor: Cursor) -> (Socket, Joined) {
    let token = scene.server.token(&scene.client.user);
    match way {
        Way::Hello => {
            let (socket, welcome) =
                Socket::connect(&scene.server.base_of(&scene.client.user), &token, vec![cursor])
                    .await
                    .expect("a welcome");
            let [JoinResult::Joined(joined)] = &welcome.rooms[..] else { panic!("{welcome:?}") };
            let joined = joined.clone();
            (socket, joined)
        }
        Way::Join => {
            let (mut socket, _) =
                Socket::connect(&scene.server.base_of(&scene.client.user), &token, Vec::new())
                    .await
                    .expect("a welcome");
            let joined = socket.join(cursor).await.expect("joined");
            (socket, joined)
        }
    }
}

/// Word that the inbox has grown may come whenever that was found, where it was not heard.
fn is_late(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Activity { room: RoomRef::Inbox, .. })
}

/// The next frame is this entry, and no other.
async fn next_is(socket: &mut Socket, entry: &EntryFrame) {
    match socket.wait_for("a frame", |frame| !is_late(frame)).await {
        Ok(ServerFrame::Entry(heard)) => {
            assert_eq!((heard.room, heard.seq, heard.hash), (entry.room, entry.seq, entry.hash));
            assert_eq!(heard.data.get(), entry.data.get());
        }
        other => panic!("no entry {}: {other:?}", entry.seq),
    }
}

/// Joins at this cursor in both ways: this mode, these entries or this frame, and then what is live.
async fn follows(scene: &mut Scene, cursor: Cursor, mode: JoinMode) {
    for way in WAYS {
        let entries = scene.client.log(cursor.room).await;
        let head = entries.len() as u64;
        let (mut socket, joined) = enter(scene, way, cursor.clone()).await;
        assert_eq!(joined, Joined { room: cursor.room, head, mode }, "{way:?} {cursor:?}");
        let missed = usize::try_from(cursor.after.unwrap_or(head)).unwrap_or(usize::MAX);
        match mode {
            JoinMode::Live => {}
            JoinMode::Resumed => {
                for entry in &entries[missed..] {
                    next_is(&mut socket, entry).await;
                }
            }
            JoinMode::Gap => {
                let gap = ServerFrame::Gap { room: cursor.room, from: missed as u64 + 1, to: head };
                assert_eq!(socket.next().await.expect("a gap"), gap);
            }
            JoinMode::Reset => {
                let frame = socket.next().await.expect("a reset");
                assert!(
                    matches!(frame, ServerFrame::Reset { room: Some(room), .. } if room == cursor.room),
                    "{frame:?}"
                );
            }
        }
        scene.freelancer.posted(cursor.room, "live").await;
        next_is(&mut socket, &scene.client.log(cursor.room).await[entries.len()]).await;
    }
}

fn cursor(room: RoomRef, after: u64, hash: Option<Hash>) -> Cursor {
    Cursor { room, after: Some(after), hash }
}

async fn filled(scene: &mut Scene, count: usize, body: &str) -> (RoomRef, Vec<EntryFrame>) {
    let (_, room) = scene.talking().await;
    post_all(&mut scene.freelancer.socket, room, vec![body.to_owned(); count]).await;
    (room, scene.client.log(room).await)
}

#[tokio::test]
async fn without_a_number_one_joins_at_the_head() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, _) = filled(&mut scene, 3, "x").await;
    follows(&mut scene, at_head(room), JoinMode::Live).await;
}

#[tokio::test]
async fn from_number_zero_everything_follows() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, _) = filled(&mut scene, 3, "x").await;
    follows(&mut scene, from_start(room), JoinMode::Resumed).await;
    follows(&mut scene, cursor(room, 0, Some(Hash::GENESIS)), JoinMode::Resumed).await;
}

#[tokio::test]
async fn from_a_number_below_the_head_the_rest_follows() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 3, "x").await;
    follows(&mut scene, after(&entries[entries.len() - 2]), JoinMode::Resumed).await;
    follows(&mut scene, cursor(room, 1, None), JoinMode::Resumed).await;
}

#[tokio::test]
async fn at_the_head_nothing_was_missed() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 3, "x").await;
    let head = entries.last().expect("an entry");
    let (mut socket, joined) = enter(&scene, Way::Join, after(head)).await;
    assert_eq!(joined, Joined { room, head: head.seq, mode: JoinMode::Live });
    let (_, joined) = enter(&scene, Way::Hello, cursor(room, head.seq, None)).await;
    assert_eq!(joined.mode, JoinMode::Live);
    scene.freelancer.posted(room, "live").await;
    next_is(&mut socket, &scene.client.log(room).await[entries.len()]).await;
}

#[tokio::test]
async fn a_cursor_that_is_not_of_this_log_is_reset() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 3, "x").await;
    let head = entries.len() as u64;
    let (first, last) = (entries[0].hash, entries[entries.len() - 1].hash);
    follows(&mut scene, cursor(room, head, Some(first)), JoinMode::Reset).await;
    follows(&mut scene, cursor(room, 2, Some(last)), JoinMode::Reset).await;
    follows(&mut scene, cursor(room, u64::MAX, None), JoinMode::Reset).await;
    for way in WAYS {
        let head = scene.client.log(room).await.len() as u64;
        let (_, joined) = enter(&scene, way, cursor(room, head + 1, None)).await;
        assert_eq!(joined.mode, JoinMode::Reset, "one beyond the head");
    }
}

#[tokio::test]
async fn five_hundred_missed_entries_follow_and_one_more_is_a_gap() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, entries) = filled(&mut scene, 520, "x").await;
    for way in WAYS {
        let last = scene.client.log(entries[0].room).await;
        let at = last.len() - usize::try_from(RESUME_ENTRIES).expect("small");
        let (mut socket, joined) = enter(&scene, way, after(&last[at - 1])).await;
        assert_eq!(joined.mode, JoinMode::Resumed);
        for entry in &last[at..] {
            next_is(&mut socket, entry).await;
        }
    }
    let at = entries.len() - usize::try_from(RESUME_ENTRIES).expect("small");
    follows(&mut scene, after(&entries[at - 2]), JoinMode::Gap).await;
}

#[tokio::test]
async fn missed_entries_of_256_kib_follow_and_more_is_a_gap() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 31, &"x".repeat(8_192)).await;
    let cursor = after(&entries[3]);
    let size =
        |entries: &[EntryFrame]| entries.iter().map(|entry| entry.data.get().len() as u64).sum::<u64>();
    let rest = RESUME_BYTES - size(&entries[4..]);
    let frame = r#"{"body":""}"#.len() as u64;
    scene.freelancer.posted(room, &"y".repeat(usize::try_from(rest - frame).expect("small"))).await;
    let entries = scene.client.log(room).await;
    assert_eq!(size(&entries[4..]), RESUME_BYTES);
    let (mut socket, joined) = enter(&scene, Way::Hello, cursor.clone()).await;
    assert_eq!(joined.mode, JoinMode::Resumed);
    for entry in &entries[4..] {
        next_is(&mut socket, entry).await;
    }
    scene.freelancer.posted(room, "z").await;
    follows(&mut scene, cursor, JoinMode::Gap).await;
}

#[tokio::test]
async fn a_gap_is_paged_over_http() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, _) = filled(&mut scene, 510, "x").await;
    let (mut socket, _) = enter(&scene, Way::Hello, cursor(room, 3, None)).await;
    let Ok(ServerFrame::Gap { from, to, .. }) = socket.next().await else { panic!("no gap") };
    let mut paged = Vec::new();
    while paged.last().is_none_or(|last: &EntryFrame| last.seq < to) {
        let after = paged.last().map_or(from - 1, |last| last.seq);
        paged.extend(
            scene.client.http.entries(room, Some(after), Some(200), false).await.expect("a page").items,
        );
    }
    scene.freelancer.posted(room, "live").await;
    paged.push(socket.next_entry().await.expect("an entry"));
    let seqs: Vec<u64> = paged.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (from..=to + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_inbox_is_resumed_like_a_room() {
    let mut scene = Scene::new(Door::Http).await;
    for number in 0..6 {
        scene.job = scene.another_job(&format!("job-{number}")).await;
        scene.invited(None).await;
    }
    let inbox = scene.client.inbox().await;
    let cases = [
        (at_head(RoomRef::Inbox), JoinMode::Live, 6),
        (after(&inbox[5]), JoinMode::Live, 6),
        (after(&inbox[1]), JoinMode::Resumed, 2),
        (from_start(RoomRef::Inbox), JoinMode::Resumed, 0),
        (cursor(RoomRef::Inbox, 7, None), JoinMode::Reset, 6),
        (cursor(RoomRef::Inbox, 2, Some(inbox[0].hash)), JoinMode::Reset, 6),
    ];
    for (cursor, mode, have) in cases {
        for way in WAYS {
            let (mut socket, joined) = enter(&scene, way, cursor.clone()).await;
            assert_eq!(joined, Joined { room: RoomRef::Inbox, head: 6, mode }, "{way:?} {cursor:?}");
            for entry in &inbox[have..] {
                assert_eq!(socket.next_entry().await.expect("an entry").hash, entry.hash);
            }
        }
    }
    let (mut socket, _) = enter(&scene, Way::Hello, after(&inbox[4])).await;
    scene.job = scene.another_job("job-live").await;
    scene.invited(None).await;
    for entry in &scene.client.inbox().await[5..] {
        next_is(&mut socket, entry).await;
    }
}

#[tokio::test]
async fn one_hello_joins_several_logs_and_refuses_each_foreign_one_in_its_place() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 2, "x").await;
    let foreign = scene.server.marketplace.open_room("foreign").await.expect("a room").room;
    let missing = RoomRef::Room(RoomId(Uuid::now_v7()));
    let cursors = [at_head(RoomRef::Inbox), from_start(foreign), from_start(room), at_head(missing)];
    let token = scene.server.token(&scene.client.user);
    let (mut socket, welcome) =
        Socket::connect(&scene.server.base_of(&scene.client.user), &token, cursors.to_vec())
            .await
            .expect("a welcome");
    let asked: Vec<RoomRef> = cursors.iter().map(|cursor| cursor.room).collect();
    let told = welcome.rooms.iter().map(|result| match result {
        JoinResult::Joined(joined) => (joined.room, Ok(joined.mode)),
        JoinResult::Refused { room, error } => (*room, Err(error.clone())),
    });
    let (rooms, outcomes): (Vec<_>, Vec<_>) = told.unzip();
    assert_eq!(rooms, asked);
    assert_eq!((&outcomes[0], &outcomes[2]), (&Ok(JoinMode::Live), &Ok(JoinMode::Resumed)));
    assert_eq!(outcomes[1], outcomes[3], "foreign and missing are the same");
    assert_eq!(outcomes[1].as_ref().expect_err("refused").code, ErrorCode::NotFound);
    for entry in &entries {
        next_is(&mut socket, entry).await;
    }
    // What happens in the foreign room stays there.
    let mut stranger = Person::come(&scene.server, id("foreign-client"), Door::Http).await;
    stranger.posted(foreign, "between us").await;
    scene.freelancer.posted(room, "live").await;
    next_is(&mut socket, &scene.client.log(room).await[entries.len()]).await;
}

#[tokio::test]
async fn a_restart_in_between_changes_nothing_for_a_cursor() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 5, "x").await;
    let mut scene = scene.restarted(Door::Http).await;
    scene.freelancer.posted(room, "after the restart").await;
    follows(&mut scene, after(&entries[4]), JoinMode::Resumed).await;
    follows(&mut scene, cursor(room, 5, Some(entries[0].hash)), JoinMode::Reset).await;
}

#[tokio::test]
async fn joining_again_from_an_earlier_number_sends_those_entries_again() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 5, "x").await;
    let (mut socket, _) = enter(&scene, Way::Hello, from_start(room)).await;
    for entry in &entries {
        next_is(&mut socket, entry).await;
    }
    let joined = socket.join(after(&entries[6])).await.expect("joined");
    assert_eq!(joined.mode, JoinMode::Resumed);
    for entry in &entries[7..] {
        next_is(&mut socket, entry).await;
    }
    scene.freelancer.posted(room, "live").await;
    next_is(&mut socket, &scene.client.log(room).await[entries.len()]).await;
}

#[tokio::test]
async fn whoever_leaves_is_told_of_growth_and_gets_no_entries_until_coming_back() {
    let mut scene = Scene::new(Door::Http).await;
    let (room, entries) = filled(&mut scene, 1, "x").await;
    let (mut socket, _) = enter(&scene, Way::Hello, at_head(room)).await;
    socket.leave(room).await.expect("left");
    scene.freelancer.posted(room, "unheard").await;
    let head = entries.len() as u64 + 1;
    let told = socket.wait_for("activity", |frame| !is_late(frame)).await;
    assert_eq!(told.expect("activity"), ServerFrame::Activity { room, head });
    let joined = socket.join(after(&entries[entries.len() - 1])).await.expect("joined");
    assert_eq!(joined, Joined { room, head, mode: JoinMode::Resumed });
    next_is(&mut socket, &scene.client.log(room).await[entries.len()]).await;
    // Leaving what one does not read is no error, and leaving twice is leaving.
    for _ in 0..2 {
        socket.leave(room).await.expect("left");
    }
    socket.leave(RoomRef::Room(RoomId(Uuid::now_v7()))).await.expect("left");
}

/// A page waited in its socket, and the socket waited for a turn to read something else. A turn that was given to the page then was given to
/// nobody else, and whoever looked after the page waited behind it: with as many such sockets as turns, nobody read anything any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regression_a_page_that_waits_in_its_socket_keeps_no_turn_to_read() {
    const MANY: u64 = 300;
    let server = TestServer::start_with(|config| {
        config.limits.resumes = 1;
        // Nothing is queued: every entry is read from the log.
        config.limits.outbox_bytes = 1;
    })
    .await;
    let mut scene = Scene::on(server, Door::Socket).await;
    let (_, room) = scene.talking().await;
    let head = scene.client.socket.join(at_head(room)).await.expect("joined").head;
    let Scene { client, freelancer, .. } = &mut scene;
    let (sender, receiver) = client.socket.halves();
    let asks = async {
        let heads = BTreeMap::from([(room, 0)]);
        for _ in 0..MANY {
            let ping = ClientFrame::Ping(Ping { heads: heads.clone() });
            sender.send_frame(&ping, Some("ping")).await.expect("sent");
        }
    };
    let writes = post_all(&mut freelancer.socket, room, (0..MANY).map(|number| number.to_string()));
    let hears = async {
        let (mut pongs, mut last) = (0, head);
        while pongs < MANY || last < head + MANY {
            let frame = soon("a frame", receiver.next()).await.expect("a frame");
            pongs += u64::from(matches!(frame, ServerFrame::Pong { .. }));
            if let ServerFrame::Entry(entry) = frame
                && entry.room == room
            {
                last = entry.seq;
            }
        }
    };
    tokio::join!(asks, writes, hears);
    enter(&scene, Way::Hello, from_start(room)).await;
}
