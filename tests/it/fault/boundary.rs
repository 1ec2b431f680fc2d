//! What is written on one node at the moment when something begins or ends on another one: a reader comes in, somebody is removed, a room
//! is closed for good.

use std::time::Duration;

use anteroom_load_tests::client::{Case, Posted, Socket, SocketError, after, at_head, new_client_id};
use anteroom_load_tests::marketplace::{Marketplace, OpenRoom};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::room::{Cursor, JoinMode, Joined};
use anteroom_protocol::server::ServerFrame;
use tokio::time::{Instant, sleep};

use super::{Fleet, asked};
use crate::duel::Way;
use crate::duel::member::{all_stand_before, rest_of, write_until_refused};
use crate::support::ask;

/// How often something ends, and how often somebody comes in; a night has time for more.
fn times() -> (usize, usize) {
    (asked("ANTEROOM_ENDS", 100), asked("ANTEROOM_JOINS", 2_000))
}

/// Somewhere in the time that the other one takes.
async fn a_moment(longest: Duration) {
    sleep(longest.mul_f64(rand::random())).await;
}

/// The two people of a room, and one room of theirs after the other.
struct Pair {
    first: OpenRoom,
    rooms: usize,
}

impl Pair {
    async fn come(marketplace: &Marketplace, name: &str) -> Self {
        Self { first: marketplace.open_room(name).await.expect("a room"), rooms: 0 }
    }

    async fn another_room(&mut self, marketplace: &Marketplace) -> OpenRoom {
        self.rooms += 1;
        let (client, freelancer) = (self.first.client.clone(), self.first.freelancer.clone());
        let job = format!("{}-{}", self.first.job, self.rooms).parse().expect("an id");
        marketplace.put_job(&job, &client, "A job").await.expect("a job");
        marketplace.open_room_between(job, client, freelancer).await.expect("a room")
    }
}

/// A socket of this person at this node.
async fn socket(fleet: &Fleet, node: usize, user: &UserId) -> Socket {
    fleet.nodes[node].marketplace.socket(user, Vec::new()).await.expect("a socket").0
}

/// The whole log, as this node tells it to this person.
async fn log(fleet: &Fleet, node: usize, user: &UserId, room: RoomRef) -> Vec<EntryFrame> {
    fleet.nodes[node].marketplace.as_user(user).all_entries(room, true).await.expect("a log")
}

/// The listener has heard all of this, in order, and nothing else of the room.
async fn heard_all(listener: &mut Socket, room: RoomRef, entries: &[EntryFrame]) {
    for kept in entries {
        let heard = listener.next_entry().await.expect("an entry");
        assert_eq!((heard.room, heard.seq, heard.hash), (room, kept.seq, kept.hash));
    }
    let last = entries.last().expect("an entry").seq;
    assert_eq!(rest_of(listener, room, last).await, [], "nothing of the room behind {last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn what_is_written_while_a_room_is_closed_at_another_node_stands_before_the_end_or_is_refused() {
    let fleet = Fleet::start(2).await;
    let marketplace = &fleet.nodes[0].marketplace;
    let mut pair = Pair::come(marketplace, "closed").await;
    let mut listener = socket(&fleet, 1, &pair.first.client).await;
    let mut writers = [
        Way::Socket(socket(&fleet, 0, &pair.first.freelancer).await),
        Way::Socket(socket(&fleet, 1, &pair.first.freelancer).await),
    ];
    let (ends, mut kept, mut closed) = (times().0, 0, Vec::new());
    for _ in 0..ends {
        let OpenRoom { room, candidacy, client, .. } = pair.another_room(marketplace).await;
        let before = listener.join(at_head(room)).await.expect("joined").head;
        let [here, there] = &mut writers;
        let end = async {
            a_moment(Duration::from_millis(20)).await;
            let decline = ask::decline_candidacy(candidacy);
            marketplace.as_user(&client).command::<Case>(new_client_id(), &decline).await.expect("closed")
        };
        let (_, here, there) = tokio::join!(
            end,
            write_until_refused(here, room, ErrorCode::WrongPhase),
            write_until_refused(there, room, ErrorCode::WrongPhase)
        );
        let entries = log(&fleet, 1, &client, room).await;
        let last = entries.last().expect("an entry");
        assert_eq!(last.kind, "phase.changed", "nothing stands behind the end");
        let written = [here, there];
        all_stand_before(&written, &entries, last.seq);
        let acknowledged: usize = written.iter().map(Vec::len).sum();
        assert_eq!(entries.len() as u64, before + acknowledged as u64 + 1, "each once, and the end");
        heard_all(&mut listener, room, &entries[usize::try_from(before).expect("few")..]).await;
        listener.leave(room).await.expect("left");
        kept += acknowledged;
        closed.push((room, client, last.seq, last.hash));
    }
    eprintln!("{ends} rooms closed; {kept} messages stand before the ends, {} were refused", 2 * ends);
    assert!(kept > ends, "they met: {kept}");
    for (at, (room, client, seq, hash)) in closed.iter().enumerate() {
        let last = log(&fleet, at % 2, client, *room).await.pop().expect("an entry");
        assert_eq!((last.seq, last.hash), (*seq, *hash), "what it was closed with");
    }
    fleet.is_dense().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn whoever_is_removed_at_one_node_while_writing_at_both_has_nothing_behind_the_removal() {
    let fleet = Fleet::start(2).await;
    let marketplace = &fleet.nodes[0].marketplace;
    let mut pair = Pair::come(marketplace, "removed").await;
    let tina: UserId = "removed-tina".parse().expect("an id");
    marketplace.put_user(&tina, "Tina").await.expect("known");
    let mut listener = socket(&fleet, 1, &tina).await;
    let mut writers =
        [Way::Socket(socket(&fleet, 0, &tina).await), Way::Socket(socket(&fleet, 1, &tina).await)];
    let mut other = socket(&fleet, 1, &pair.first.freelancer).await;
    let (ends, mut kept, mut behind, mut longest) = (times().0, 0, 0, Duration::ZERO);
    for _ in 0..ends {
        let OpenRoom { room, client, .. } = pair.another_room(marketplace).await;
        let client_http = marketplace.as_user(&client);
        let add = ask::add_member(room, &tina, None);
        client_http.command::<Case>(new_client_id(), &add).await.expect("added");
        let added = log(&fleet, 1, &client, room).await.pop().expect("an entry");
        listener.join(after(&added)).await.expect("joined");
        let [here, there] = &mut writers;
        let removal = async {
            a_moment(Duration::from_millis(20)).await;
            let remove = ask::remove_member(room, &tina);
            let since = Instant::now();
            client_http.command::<Case>(new_client_id(), &remove).await.expect("removed");
            since.elapsed()
        };
        let others = async {
            for number in 0..8 {
                other.post(room, new_client_id(), number.to_string()).await.expect("posted");
            }
        };
        let (took, (), here, there) = tokio::join!(
            removal,
            others,
            write_until_refused(here, room, ErrorCode::NotFound),
            write_until_refused(there, room, ErrorCode::NotFound)
        );
        other.post(room, new_client_id(), "Who was that?".to_owned()).await.expect("posted");
        let entries = log(&fleet, 1, &client, room).await;
        let removed = entries.iter().find(|entry| entry.kind == "member.removed").expect("a removal").seq;
        let written = [here, there];
        all_stand_before(&written, &entries, removed);
        let acknowledged: usize = written.iter().map(Vec::len).sum();
        let by_tina = entries.iter().filter(|entry| entry.by.as_ref() == Some(&tina)).count();
        assert_eq!(by_tina, acknowledged, "what stands was acknowledged, and the other way round");
        let [from, to] = [added.seq, removed].map(|seq| usize::try_from(seq).expect("few"));
        heard_all(&mut listener, room, &entries[from..to]).await;
        kept += acknowledged;
        behind += entries.len() - to;
        longest = longest.max(took);
    }
    eprintln!(
        "{ends} removals; {kept} messages of whoever was removed stand before them, {behind} of others behind; the longest took {longest:?}"
    );
    assert!(kept > ends && behind > ends + ends / 20, "they met: {kept}, {behind}");
    fleet.is_dense().await;
}

/// The next entry of the room, which is joined; others are told of its growth when it is not.
async fn next_of(reader: &mut Socket) -> Result<EntryFrame, SocketError> {
    loop {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "a frame that is not expected fails, whatever it is"
        )]
        match reader.next().await? {
            ServerFrame::Entry(entry) => return Ok(entry),
            ServerFrame::Activity { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn whoever_comes_in_while_something_is_committed_at_another_node_gets_it_once() {
    let fleet = Fleet::start(2).await;
    let OpenRoom { room, client, freelancer, .. } =
        fleet.nodes[0].marketplace.open_room("joined").await.expect("a room");
    let mut reader = socket(&fleet, 0, &client).await;
    let mut writer = socket(&fleet, 1, &freelancer).await;
    let mut cursor = Cursor { room, after: Some(0), hash: None };
    let joined = reader.join(cursor.clone()).await.expect("joined");
    for seq in 1..=joined.head {
        let entry = next_of(&mut reader).await.expect("an entry");
        assert_eq!(entry.seq, seq);
        cursor = after(&entry);
    }
    let (joins, mut before) = (times().1, 0);
    for number in 0..joins {
        reader.leave(room).await.expect("left");
        let mine = cursor.after.expect("a number");
        let write = async {
            a_moment(Duration::from_millis(2)).await;
            writer.post(room, new_client_id(), number.to_string()).await.expect("posted")
        };
        let join = async {
            a_moment(Duration::from_millis(4)).await;
            reader.join(cursor.clone()).await.expect("joined")
        };
        let (posted, joined): (Posted, Joined) = tokio::join!(write, join);
        assert_eq!(posted.seq, mine + 1);
        let was_there = joined.head == posted.seq;
        assert!(was_there || joined.head == mine, "{joined:?}");
        assert_eq!(joined.mode, if was_there { JoinMode::Resumed } else { JoinMode::Live });
        let entry = next_of(&mut reader).await.expect("an entry");
        assert_eq!((entry.seq, entry.hash), (posted.seq, posted.hash), "round {number}: in order, once");
        cursor = after(&entry);
        before += usize::from(was_there);
    }
    eprintln!("{joins} times: {before} times committed before the head was read, else after it");
    assert!(before > joins / 20 && before < joins - joins / 20, "they met: {before}");
    fleet.is_dense().await;
}
