//! Cursors: where a reader says to be in a log, and since when a reader asks for changes.
//!
//! An input is a letter and a text: `j` and cursors of `hello`, one a line, or `c` and a `changes_after`. `ROOM` in it stands for the room,
//! `HASH3` for the hash of its third entry, `END` for the cursor behind everything.

use anteroom::app::cursor::Purpose;
use anteroom::app::resume::{self, Follow};
use anteroom::app::room::{changes, changes_at_hello};
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::limits;
use anteroom_protocol::room::Cursor;

use super::world::World;

thread_local! {
    static WORLD: World = World::new();
}

/// Every cursor gets the answer that its reader needs, and no text is an error.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    WORLD.with(|world| match text.split_at_checked(1) {
        Some(("j", text)) => joins(world, text),
        Some(("c", text)) => since(world, text),
        Some(_) | None => {}
    });
}

fn joins(world: &World, text: &str) {
    let mut text = text.replace("ROOM", &world.room.to_string());
    for entry in &world.entries {
        text = text.replace(&format!("HASH{}\"", entry.seq), &format!("{}\"", entry.hash));
    }
    let cursors: Vec<Cursor> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).take(limits::HELLO_ROOMS).collect();
    let joined = world.runtime.block_on(resume::join(&world.server.app, &world.reader, &cursors));
    let joined = joined.expect("the database is there");
    assert_eq!(joined.len(), cursors.len());
    for (cursor, joined) in cursors.iter().zip(joined) {
        match joined {
            Ok(joined) if cursor.room == world.room => {
                assert_eq!(joined.head, world.head());
                let expected = follows(world, cursor);
                assert!(same(&joined.follow, &expected), "{cursor:?}: {:?}, not {expected:?}", joined.follow);
            }
            Ok(_) => assert_eq!(cursor.room, RoomRef::Inbox),
            Err(_) => assert!(![world.room, RoomRef::Inbox].contains(&cursor.room), "{cursor:?}"),
        }
    }
}

/// What follows in the room, from the words of the protocol.
fn follows(world: &World, cursor: &Cursor) -> Follow {
    let Some(after) = cursor.after else { return Follow::Nothing };
    let there = world.entries.iter().find(|entry| entry.seq == after);
    let other = |hash| there.is_some_and(|entry| entry.hash != hash);
    if after > world.head() || cursor.hash.is_some_and(other) {
        Follow::Reset("")
    } else if after == world.head() {
        Follow::Nothing
    } else {
        Follow::After(after)
    }
}

fn same(one: &Follow, other: &Follow) -> bool {
    one == other || matches!((one, other), (Follow::Reset(_), Follow::Reset(_)))
}

fn since(world: &World, text: &str) {
    world.runtime.block_on(async {
        let app = &world.server.app;
        let end = app.store.changes_end().await.expect("an end");
        let sealed = changes_at_hello(app, &world.reader, None).await.expect("a cursor").cursor;
        let asked = text.replace("END", &sealed);
        let all = changes(app, &world.reader, None, None).await.expect("all");
        let told = changes(app, &world.reader, Some(&asked), None).await;
        let told = told.expect("no text is an error");
        assert_eq!(app.cursors.open(Purpose::Changes, &told.cursor), Some(end));
        assert_eq!(told.reset, asked != sealed, "{asked:?}: what was not sealed here is no cursor of ours");
        if told.reset {
            assert_eq!(told.items, all.items);
        } else {
            assert!(told.items.is_empty(), "{told:?}");
        }
    });
}
