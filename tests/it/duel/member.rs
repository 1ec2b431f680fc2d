//! Somebody who is removed while writing: every message stands before the removal or was refused, and the removal is the last thing that
//! person gets.

use std::collections::BTreeMap;

use anteroom_load_tests::client::{Posted, Socket, after, new_client_id};
use anteroom_protocol::client::{ClientFrame, Ping};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::server::ServerFrame;
use futures_util::future::join_all;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use tokio::task::yield_now;

use super::{Arena, Way, forget};
use crate::support::{Door, Person, ask};

/// So many messages somebody tries to write at most: more than there is time for before the end.
const AT_MOST: usize = 400;

/// Writes until refused, with this code; what was acknowledged.
pub(crate) async fn write_until_refused(way: &mut Way, room: RoomRef, code: ErrorCode) -> Vec<Posted> {
    let mut written = Vec::new();
    for number in 0..AT_MOST {
        match way.say(new_client_id(), &ask::post(room, format!("message {number}"))).await {
            Ok(answer) => written.push(serde_json::from_value(answer).expect("an answer")),
            Err(refused) => {
                assert_eq!(refused.code, code, "{refused:?}");
                return written;
            }
        }
    }
    panic!("never refused");
}

/// Reads what comes of the room until a ping is answered.
pub(crate) async fn rest_of(socket: &mut Socket, room: RoomRef, seq: u64) -> Vec<EntryFrame> {
    let heads = BTreeMap::from([(room, seq)]);
    socket.send_frame(&ClientFrame::Ping(Ping { heads }), Some("ping")).await.expect("sent");
    let mut heard = Vec::new();
    loop {
        let frame = socket.next().await.expect("a frame");
        if let ServerFrame::Entry(entry) = frame {
            heard.extend((entry.room == room).then_some(entry));
        } else if let ServerFrame::Pong { .. } = frame {
            return heard;
        }
    }
}

/// Everything that was acknowledged stands where it was said to, before this entry.
pub(crate) fn all_stand_before(written: &[Vec<Posted>], entries: &[EntryFrame], end: u64) {
    for answer in written.iter().flatten() {
        let kept = &entries[usize::try_from(answer.seq).expect("few") - 1];
        assert!(answer.seq < end && kept.hash == answer.hash, "{answer:?} is not before {end}");
    }
}

/// One removal while its person writes on every way there is. How many messages it was too late for.
async fn remove_meanwhile(
    arena: &mut Arena,
    tina: &Person,
    listener: &mut Socket,
    ways: &mut [Way; 3],
) -> usize {
    let (_, room) = arena.scene.talking().await;
    arena.scene.client.case(ask::add_member(room, &tina.user, None)).await;
    let added = arena.scene.client.log(room).await.pop().expect("an entry");
    forget(listener).await;
    listener.join(after(&added)).await.expect("joined");
    // Before anybody has written, among the messages, or behind all that others write.
    let waits = arena.dice.random_range(0..10) * 10_usize.pow(arena.dice.random_range(0..5));
    let remove = ask::remove_member(room, &tina.user);
    ways.shuffle(&mut arena.dice);
    let [client, freelancer] = &mut arena.ways;
    let removal = async {
        for _ in 0..waits {
            yield_now().await;
        }
        client[0].say(new_client_id(), &remove).await.expect("removed")
    };
    let others = async {
        for number in 0..6 {
            freelancer[0].say(new_client_id(), &ask::post(room, format!("{number}"))).await.expect("posted");
        }
    };
    // Like a room that is not there.
    let writing = join_all(ways.iter_mut().map(|way| write_until_refused(way, room, ErrorCode::NotFound)));
    let (_, (), written) = tokio::join!(removal, others, writing);

    let entries = arena.scene.client.log(room).await;
    let removed = entries.iter().find(|entry| entry.kind == "member.removed").expect("a removal").seq;
    let acknowledged: usize = written.iter().map(Vec::len).sum();
    let by_tina = entries.iter().filter(|entry| entry.by.as_ref() == Some(&tina.user)).count();
    assert_eq!(by_tina, acknowledged, "what stands was acknowledged, and what was acknowledged stands");
    all_stand_before(&written, &entries, removed);
    for seq in added.seq + 1..=removed {
        assert_eq!(listener.next_entry().await.expect("an entry").seq, seq, "in order, and no hole");
    }
    arena.scene.freelancer.posted(room, "Who was that?").await;
    assert_eq!(rest_of(listener, room, removed).await, [], "nothing of the room behind the removal");
    usize::try_from(entries.len() as u64 - removed).expect("few")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_removed_while_writing_gets_the_removal_last_and_has_nothing_behind_it() {
    let mut arena = Arena::open().await;
    let tina = Person::arrive(&arena.scene.server, "tina", Door::Http).await;
    let mut listener = tina.socket_at(&arena.scene.server, Vec::new()).await;
    let mut ways = Way::all(&arena.scene.server, &tina).await;
    while arena.next_round().await {
        for way in &mut ways {
            if let Way::Socket(socket) = way {
                forget(socket).await;
            }
        }
        let behind = remove_meanwhile(&mut arena, &tina, &mut listener, &mut ways).await;
        arena.came(if behind > 0 { "in the middle" } else { "at the end" });
    }
    arena.every_outcome_came(&["in the middle", "at the end"]);
}
