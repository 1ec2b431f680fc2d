//! What has changed since one was here, for somebody with more rooms than one joins; and what a ping finds out.

use std::collections::BTreeMap;

use anteroom_load_tests::client::{Socket, at_head, from_start};
use anteroom_protocol::client::{ClientFrame, Hello, Ping};
use anteroom_protocol::id::{JobId, RoomId, RoomRef, UserId};
use anteroom_protocol::room::Changes;
use anteroom_protocol::server::{ServerFrame, Welcome};
use anteroom_protocol::user::UserStatus;
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::support::{Door, Person, Scene, TestServer, id, post_all, post_everywhere, soon};

/// Says hello with this cursor of changes, and gives back the first frame there is.
async fn hello(server: &TestServer, user: &UserId, changes_after: Option<&str>) -> (Socket, Welcome) {
    let mut socket = Socket::connect_raw(&server.base_of(user)).await.expect("a socket");
    let hello = Hello {
        token: Some(server.token(user)),
        rooms: Vec::new(),
        changes_after: changes_after.map(str::to_owned),
        client: None,
    };
    socket.send_frame(&ClientFrame::Hello(hello), None).await.expect("sent");
    match socket.next().await {
        Ok(ServerFrame::Welcome(welcome)) => (socket, welcome),
        other => panic!("no welcome: {other:?}"),
    }
}

/// Rooms of one client with this many freelancers.
async fn many_rooms(server: &TestServer, client: &UserId, count: usize) -> Vec<(RoomRef, UserId)> {
    server.marketplace.put_user(client, "A client").await.expect("told");
    let open = |number: usize| async move {
        let (freelancer, job): (UserId, JobId) =
            (id(&format!("freelancer-{number}")), id(&format!("job-{number}")));
        server.marketplace.put_user(&freelancer, "A freelancer").await.expect("told");
        server.marketplace.put_job(&job, client, "A job").await.expect("told");
        let room = server.marketplace.open_room_between(job, client.clone(), freelancer.clone()).await;
        (room.expect("a room").room, freelancer)
    };
    stream::iter(0..count).map(open).buffered(16).collect().await
}

/// The cursor behind which nothing is told. While something is under way in the database server, also in another database of it, what was
/// told may be told again.
async fn told_to_the_end(server: &TestServer, user: &UserId, mut cursor: Option<String>) -> String {
    let telling = async {
        loop {
            let (_, again) = hello(server, user, cursor.as_deref()).await;
            if again.changes.is_empty() {
                return again.changes_cursor.expect("a cursor");
            }
            cursor = again.changes_cursor;
        }
    };
    soon("that what was told is told", telling).await
}

#[tokio::test]
async fn of_three_hundred_rooms_the_welcome_names_the_forty_that_have_changed_in_one_round_trip() {
    let server = TestServer::start().await;
    let clara: UserId = id("clara");
    let rooms = many_rooms(&server, &clara, 300).await;
    let (_, welcome) = hello(&server, &clara, None).await;
    assert!(welcome.changes.is_empty() && !welcome.changes_more, "without a cursor only a new one comes");
    let cursor = told_to_the_end(&server, &clara, welcome.changes_cursor).await;

    let changed: Vec<usize> = (0..40).map(|number| (number * 7_919 + 13) % 300).collect();
    for at in &changed {
        let (room, freelancer) = &rooms[*at];
        let http = server.marketplace.as_user(freelancer);
        let post = crate::support::ask::post(*room, "news");
        http.command::<serde_json::Value>(anteroom_load_tests::client::new_client_id(), &post)
            .await
            .expect("posted");
    }
    let (mut socket, welcome) = hello(&server, &clara, Some(&cursor)).await;
    let told: Vec<RoomRef> = welcome.changes.iter().map(|change| change.room).collect();
    assert_eq!(
        told,
        changed.iter().map(|at| rooms[*at].0).collect::<Vec<_>>(),
        "exactly those, oldest first"
    );
    for change in &welcome.changes {
        assert_eq!((change.head, change.unread), (5, 2), "the first words and the news");
    }
    assert!(!welcome.changes_more);
    told_to_the_end(&server, &clara, welcome.changes_cursor).await;
    // From here on the socket is told of what grows, without having joined anything.
    let (room, freelancer) = &rooms[7];
    let mut freelancer = Person::come(&server, freelancer.clone(), Door::Socket).await;
    let head = freelancer.posted(*room, "live").await.seq;
    let activity = ServerFrame::Activity { room: *room, head };
    assert_eq!(socket.next().await.expect("activity"), activity);
}

#[tokio::test]
async fn more_changes_than_a_welcome_holds_are_paged_over_http() {
    let server = TestServer::start().await;
    let clara: UserId = id("clara");
    let (_, welcome) = {
        server.marketplace.put_user(&clara, "A client").await.expect("told");
        hello(&server, &clara, None).await
    };
    let rooms = many_rooms(&server, &clara, 230).await;
    told_to_the_end(&server, &clara, welcome.changes_cursor.clone()).await;
    let (_, welcome) = hello(&server, &clara, welcome.changes_cursor.as_deref()).await;
    assert_eq!((welcome.changes.len(), welcome.changes_more), (200, true));
    let http = server.marketplace.as_user(&clara);
    let mut told: Vec<RoomRef> = welcome.changes.iter().map(|change| change.room).collect();
    let mut cursor = welcome.changes_cursor.expect("a cursor");
    loop {
        let page: Changes = http.get(&format!("/v1/changes?after={cursor}&limit=7")).await.expect("a page");
        assert!(page.items.len() <= 7 && !page.reset);
        told.extend(page.items.iter().map(|change| change.room));
        cursor = page.cursor;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(told.len(), 231, "every room and the inbox, each once");
    assert!(rooms.iter().all(|(room, _)| told.contains(room)));
    let all: Changes = http.get("/v1/changes").await.expect("a page");
    assert_eq!((all.items.len(), all.has_more), (200, true));
}

#[tokio::test]
async fn a_cursor_of_another_database_is_answered_with_a_reset_of_everything() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let other = TestServer::start().await;
    other.marketplace.open_room("other").await.expect("a room");
    let (_, foreign) = hello(&other, &id("other-client"), None).await;
    let foreign = foreign.changes_cursor.expect("a cursor");
    let (_, own) = hello(&scene.server, &scene.client.user, None).await;
    let mut bent = own.changes_cursor.expect("a cursor");
    let other_digit = if bent.ends_with('0') { "1" } else { "0" };
    bent.replace_range(bent.len() - 1.., other_digit);
    // The last but one is what servers gave once.
    for cursor in [foreign.as_str(), "", "rubbish", "1.ffffffffffffffff", &bent] {
        let (mut socket, welcome) = hello(&scene.server, &scene.client.user, Some(cursor)).await;
        let told: Vec<RoomRef> = welcome.changes.iter().map(|change| change.room).collect();
        assert!(told.contains(&room) && told.contains(&RoomRef::Inbox), "everything is told");
        let reset = socket.next().await.expect("a reset");
        assert!(matches!(reset, ServerFrame::Reset { room: None, .. }), "{cursor:?}: {reset:?}");
        let (mut socket, _) =
            hello(&scene.server, &scene.client.user, welcome.changes_cursor.as_deref()).await;
        socket.ping().await.expect("a pong");
        assert_eq!(
            socket.listen(std::time::Duration::ZERO).await.expect("open"),
            None,
            "the new one is good"
        );
    }
    let page: Changes = scene.client.see(&format!("/v1/changes?after={foreign}")).await;
    assert!(page.reset && page.items.len() == 2);
}

/// A cursor held the number of entries in all logs: whoever came twice knew how much others write.
#[tokio::test]
async fn regression_a_cursor_does_not_tell_how_much_is_written_or_whether_anything_was() {
    let server = TestServer::start().await;
    let clara: UserId = id("clara");
    server.marketplace.put_user(&clara, "A client").await.expect("told");
    let ask = async || hello(&server, &clara, None).await.1.changes_cursor.expect("a cursor");
    let (empty, still_empty) = (ask().await, ask().await);
    many_rooms(&server, &clara, 5).await;
    told_to_the_end(&server, &clara, Some(still_empty.clone())).await;
    let (full, still_full) = (ask().await, ask().await);
    let cursors = [&empty, &still_empty, &full, &still_full];
    for (at, cursor) in cursors.iter().enumerate() {
        assert_eq!(cursor.len(), empty.len(), "as long for five as for none");
        assert!(!cursors[..at].contains(cursor), "the same place is never written the same way");
    }
    for (cursor, grown) in [(empty, 6), (still_empty, 6), (full, 0), (still_full, 0)] {
        let (_, welcome) = hello(&server, &clara, Some(&cursor)).await;
        assert_eq!((welcome.changes.len(), welcome.changes_reset), (grown, false));
    }
}

#[tokio::test]
async fn a_cursor_is_good_after_the_server_was_started_again() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let (_, welcome) = hello(&scene.server, &scene.client.user, None).await;
    let cursor = told_to_the_end(&scene.server, &scene.client.user, welcome.changes_cursor).await;
    let mut scene = scene.restarted(Door::Http).await;
    let (_, quiet) = hello(&scene.server, &scene.client.user, Some(&cursor)).await;
    assert!(quiet.changes.is_empty() && !quiet.changes_reset);
    scene.freelancer.posted(room, "news").await;
    let (_, grown) = hello(&scene.server, &scene.client.user, Some(&cursor)).await;
    assert_eq!(grown.changes.iter().map(|change| change.room).collect::<Vec<_>>(), [room]);
}

#[tokio::test]
async fn a_change_of_standing_is_an_entry_of_the_inbox_and_a_change_like_any_other() {
    let mut scene = Scene::new(Door::Http).await;
    let felix = scene.freelancer.user.clone();
    let (_, welcome) = hello(&scene.server, &felix, None).await;
    let mut late = scene.freelancer.socket_at(&scene.server, Vec::new()).await;
    let suspend = |profile: &mut anteroom_protocol::user::UserProfile| {
        profile.status = UserStatus::Suspended;
        profile.status_reason = Some("a complaint".into());
        profile.status_reversible = Some(true);
    };
    scene.server.retell(&scene.freelancer, suspend).await;
    let heard = scene.freelancer.hears(RoomRef::Inbox).await;
    assert_eq!((heard.kind.as_str(), heard.seq, heard.by.as_ref()), ("account.changed", 1, None));
    let expected = json!({"status": "suspended", "status_reason": "a complaint", "status_reversible": true});
    assert_eq!(heard.data(), expected);
    let activity = ServerFrame::Activity { room: RoomRef::Inbox, head: 1 };
    late.wait_for("activity", |frame| *frame == activity).await.expect("told of growth");
    let inbox = scene.freelancer.inbox().await;
    assert_eq!((inbox.len(), inbox[0].hash), (1, heard.hash));
    let (_, welcome) = hello(&scene.server, &felix, welcome.changes_cursor.as_deref()).await;
    let [change] = &welcome.changes[..] else { panic!("{welcome:?}") };
    assert_eq!((change.room, change.head, change.unread), (RoomRef::Inbox, 1, 1), "it counts as unread");
    // Told again without a change, it is no news.
    scene.server.retell(&scene.freelancer, suspend).await;
    assert_eq!(scene.freelancer.inbox().await.len(), 1);
    assert_eq!(scene.client.inbox().await.len(), 0, "it is nobody else's business");
}

fn heads(of: &[(RoomRef, u64)]) -> ClientFrame {
    ClientFrame::Ping(Ping { heads: of.iter().copied().collect::<BTreeMap<_, _>>() })
}

/// A frame in a word, for the order in which they came.
fn word(frame: &ServerFrame) -> String {
    if let ServerFrame::Entry(entry) = frame {
        return format!("{} {}", entry.room, entry.seq);
    }
    if let ServerFrame::Pong { id, .. } = frame { format!("pong {id:?}") } else { format!("{frame:?}") }
}

/// A few long rooms of which each is several pages, so that what is asked for meanwhile has many turns to come in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_long_rooms_are_replayed_answers_and_another_room_do_not_wait_for_their_end() {
    const LONG: usize = 5;
    const ENTRIES: usize = 400;
    const BYTES: usize = 520;
    let mut scene = Scene::new(Door::Socket).await;
    let mut rooms = Vec::new();
    for number in 0..=LONG {
        scene.job = scene.another_job(&format!("job-{number}")).await;
        rooms.push(scene.talking().await.1);
    }
    let (short, long) = (rooms[LONG], &rooms[..LONG]);
    let posts = (0..LONG * ENTRIES).map(|number| (long[number % LONG], "x".repeat(BYTES)));
    post_everywhere(&mut scene.freelancer.socket, posts.collect()).await;

    // Sent in one go, so that the server has the questions before it has read the first page.
    let mut socket = Socket::connect_raw(&scene.server.base_of(&scene.client.user)).await.expect("a socket");
    let rooms = long.iter().map(|room| from_start(*room)).collect();
    let token = Some(scene.server.token(&scene.client.user));
    let hello = ClientFrame::Hello(Hello { token, rooms, changes_after: None, client: None });
    let (sender, _) = socket.halves();
    for (frame, frame_id) in
        [(hello, "hello"), (ClientFrame::Join(from_start(short)), "short"), (heads(&[]), "ping")]
    {
        sender.feed_text(frame.encode(Some(frame_id))).await.expect("sent");
    }
    sender.flush().await.expect("sent");
    let mut came = Vec::new();
    for _ in 0..3 + 4 + LONG * (ENTRIES + 4) {
        came.push(word(&socket.next().await.expect("a frame")));
    }
    let place = |wanted: &str| came.iter().position(|frame| frame == wanted).expect("it came");
    let head = 4 + ENTRIES as u64;
    let end = long.iter().map(|room| place(&format!("{room} {head}"))).max().expect("some");
    assert!(place(r#"pong Some("ping")"#) < end);
    assert!(place(&format!("{short} 4")) < end);
    for (room, head) in long.iter().map(|room| (*room, head)).chain([(short, 4)]) {
        let prefix = format!("{room} ");
        let heard = came.iter().filter(|frame| frame.starts_with(&prefix));
        let expected: Vec<String> = (1..=head).map(|seq| format!("{room} {seq}")).collect();
        assert!(heard.eq(&expected), "in order, no hole, no repeat");
    }
}

/// Puts one more entry into the database of a running server behind its back: as if word of a commit had been lost on its way.
async fn write_unheard(server: &TestServer, room: RoomRef) {
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(server.database()).create_if_missing(false);
    let mut connection = options.connect().await.expect("opened");
    let RoomRef::Room(RoomId(room)) = room else { panic!("an inbox") };
    let copy = "INSERT INTO entries (log, seq, kind, at, by, client_id, hash, public_salt, public, policy)
        SELECT e.log, e.seq + 1, e.kind, e.at, e.by, NULL, e.hash, e.public_salt, e.public, e.policy
        FROM entries e JOIN logs l ON l.id = e.log AND l.seq = e.seq WHERE l.room = $1";
    let moved = "UPDATE logs SET seq = seq + 1 WHERE room = $1";
    for sql in [copy, moved] {
        let done = sqlx::query(sql).bind(room.as_bytes().as_slice()).execute(&mut connection).await;
        assert_eq!(done.expect("written").rows_affected(), 1);
    }
    connection.close().await.expect("closed");
}

#[tokio::test]
async fn a_ping_that_says_what_one_has_brings_what_was_lost_on_its_way() {
    let mut scene = Scene::embedded(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut reader = scene.client.socket_at(&scene.server, vec![from_start(room)]).await;
    let head = scene.freelancer.posted(room, "heard").await.seq;
    for seq in 1..=head {
        assert_eq!(reader.next_entry().await.expect("an entry").seq, seq);
    }
    write_unheard(&scene.server, room).await;
    write_unheard(&scene.server, room).await;
    reader.ping().await.expect("a pong");
    assert_eq!(reader.listen(std::time::Duration::ZERO).await.expect("open"), None, "nobody has told it");
    for _ in 0..2 {
        reader.send_frame(&heads(&[(room, head)]), None).await.expect("sent");
    }
    for seq in [head + 1, head + 2] {
        assert_eq!(reader.next_entry().await.expect("an entry").seq, seq, "once, and in its place");
    }
    reader.send_frame(&heads(&[(room, head + 2)]), None).await.expect("sent");
    reader.ping().await.expect("a pong");
    let is_entry = |frame: &ServerFrame| matches!(frame, ServerFrame::Entry(_));
    while let Some(frame) = reader.listen(std::time::Duration::ZERO).await.expect("open") {
        assert!(!is_entry(&frame), "{frame:?}");
    }
}

/// Each of these pings asks the database, while entries are on their way through the queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_with_heads_while_others_write_lose_and_double_nothing() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let mut reader = scene.client.socket_at(&scene.server, vec![at_head(room)]).await;
    let bodies = (0..400).map(|number| number.to_string());
    let write = post_all(&mut scene.freelancer.socket, room, bodies);
    let read = async {
        let mut next = 5;
        while next <= 404 {
            reader.send_frame(&heads(&[(room, next - 1)]), None).await.expect("sent");
            for _ in 0..next % 7 {
                if next <= 404 {
                    assert_eq!(reader.next_entry().await.expect("an entry").seq, next);
                    next += 1;
                }
            }
            if next % 7 == 0 {
                assert_eq!(reader.next_entry().await.expect("an entry").seq, next);
                next += 1;
            }
        }
    };
    let (_, ()) = tokio::join!(write, read);
    reader.ping().await.expect("a pong");
    let is_entry = |frame: &ServerFrame| matches!(frame, ServerFrame::Entry(_));
    while let Some(frame) = reader.listen(std::time::Duration::ZERO).await.expect("open") {
        assert!(!is_entry(&frame), "{frame:?}");
    }
}
