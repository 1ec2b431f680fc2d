//! Messages against the seal: both sides go on writing while the freelancer accepts.

use std::sync::atomic::{AtomicBool, Ordering};

use anteroom_load_tests::client::{Case, Posted, Socket, after, new_client_id};
use anteroom_protocol::contract::ContractSealed;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ContractId, RoomRef};
use anteroom_protocol::log::{Hash, chain_name, verify_chain};
use anteroom_protocol::signature::Keys;
use futures_util::future::join_all;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use tokio::task::yield_now;

use super::{Arena, Way};
use crate::support::replay::log_and_views_agree;
use crate::support::{Door, Person, Scene, ask, newest};

/// So many messages each writer still writes when it knows of the contract.
const AFTERWARDS: usize = 2;

/// A message that was acknowledged, and where the acceptance was when it was sent and when its answer came.
struct Written {
    answer: Posted,
    answered_before: bool,
    sent_after: bool,
}

/// How far the acceptance is.
#[derive(Default)]
struct Acceptance {
    sent: AtomicBool,
    answered: AtomicBool,
}

/// Writes one message after the other until some while after the acceptance. None is refused.
async fn write_on(way: &mut Way, room: RoomRef, acceptance: &Acceptance) -> Vec<Written> {
    let mut written: Vec<Written> = Vec::new();
    while written.iter().filter(|written| written.sent_after).count() < AFTERWARDS {
        let sent_after = acceptance.answered.load(Ordering::SeqCst);
        let post = ask::post(room, format!("message {}", written.len()));
        let answer = way.say(new_client_id(), &post).await.expect("acknowledged");
        let answered_before = !acceptance.sent.load(Ordering::SeqCst);
        let answer: Posted = serde_json::from_value(answer).expect("an answer");
        written.push(Written { answer, answered_before, sent_after });
    }
    written
}

/// Accepts the offer while everybody else writes.
async fn accept_meanwhile(arena: &mut Arena, case: &Case, room: RoomRef) -> (Case, Vec<Vec<Written>>) {
    let (version, hash) = newest(case);
    let accept = ask::accept_offer(case.offer.expect("an offer"), version, hash);
    let waits = arena.dice.random_range(0..800);
    let [client, freelancer] = &mut arena.ways;
    freelancer.shuffle(&mut arena.dice);
    let (accepting, writing) = freelancer.split_first_mut().expect("three ways");
    let acceptance = Acceptance::default();
    let write = join_all(client.iter_mut().chain(writing).map(|way| write_on(way, room, &acceptance)));
    let accept = async {
        for _ in 0..waits {
            yield_now().await;
        }
        acceptance.sent.store(true, Ordering::SeqCst);
        let done = accepting.say(new_client_id(), &accept).await.expect("accepted");
        acceptance.answered.store(true, Ordering::SeqCst);
        serde_json::from_value(done).expect("a case")
    };
    let (done, written) = tokio::join!(accept, write);
    (done, written)
}

/// What somebody who listened all the while has heard: the log, in order and without a hole.
async fn heard_all(socket: &mut Socket, room: RoomRef, from: usize, entries: &[EntryFrame]) {
    for kept in &entries[from..] {
        let heard = socket.next_entry().await.expect("an entry");
        assert_eq!((heard.room, heard.seq, heard.hash), (room, kept.seq, kept.hash));
    }
}

/// The seal covers the log up to the acceptance, whoever computes it.
fn sealed_at(entries: &[EntryFrame], keys: &Keys, room: RoomRef, person: &Person) -> u64 {
    let at = entries.iter().position(|entry| entry.kind == "contract.sealed").expect("a seal");
    let sealed: ContractSealed = serde_json::from_value(entries[at].data()).expect("a seal");
    assert!(keys.items.iter().any(|key| sealed.is_of(&key.public_key)));
    assert_eq!(entries[at - 1].kind, "offer.accepted");
    let covered = verify_chain(&chain_name(room, &person.user), (0, Hash::GENESIS), &entries[..at]);
    assert_eq!(covered.expect("a chain that holds"), (sealed.seal.position, sealed.seal.head));
    assert_eq!(sealed.seal.position, entries[at - 1].seq);
    sealed.seal.position
}

/// Every message stands where its answer said, on the side of the seal that it was sent on. How many it covers, and how many not.
fn all_stand(written: &[Vec<Written>], entries: &[EntryFrame], position: u64) -> (usize, usize) {
    for Written { answer, answered_before, sent_after } in written.iter().flatten() {
        let kept = &entries[usize::try_from(answer.seq).expect("few") - 1];
        assert_eq!((kept.kind.as_str(), kept.hash), ("message.posted", answer.hash));
        assert!(!answered_before || answer.seq < position, "acknowledged before, so covered");
        assert!(!sent_after || answer.seq > position + 2, "sent afterwards, so not covered");
    }
    assert!(written.iter().all(|of_one| of_one.windows(2).all(|two| two[0].answer.seq < two[1].answer.seq)));
    let covered = written.iter().flatten().filter(|written| written.answer.seq <= position).count();
    (covered, written.iter().flatten().count() - covered)
}

/// A seal, and how it reads to both.
struct Evidence {
    room: RoomRef,
    contract: ContractId,
    position: u64,
    texts: Vec<String>,
}

impl Evidence {
    /// The acceptance and the seal with their proofs, and the contract: as the server sends them to each of the two.
    async fn read(scene: &Scene, room: RoomRef, contract: &ContractId, position: u64) -> Vec<String> {
        let mut texts = Vec::new();
        let entries = format!("/v1/rooms/{room}/entries?after={}&limit=2&proof=true", position - 1);
        for person in [&scene.client, &scene.freelancer] {
            for path in [entries.clone(), format!("/v1/contracts/{contract}")] {
                let text = person.http.raw("GET", &path, &[], None).await.expect("an answer").text;
                // How far the log goes by now is no part of it.
                texts.push(text.split(r#"],"head":"#).next().unwrap_or_default().to_owned());
            }
        }
        assert!(texts.iter().all(|text| text.contains("signature")), "{texts:?}");
        texts
    }

    async fn reads_the_same(&self, scene: &Scene) {
        assert_eq!(Self::read(scene, self.room, &self.contract, self.position).await, self.texts);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_sent_while_the_offer_is_accepted_are_kept_and_the_seal_covers_what_stands_before_it() {
    let mut arena = Arena::open().await;
    let keys: Keys = arena.scene.client.see("/v1/keys").await;
    let (mut seals, mut inside, mut outside) = (Vec::new(), 0, 0);
    while arena.next_round().await {
        let (case, room) = arena.scene.offered(ask::hourly(9_000)).await;
        let before = arena.scene.room(room).await;
        let cursor = vec![after(before.last().expect("an entry"))];
        let mut listening = [
            arena.scene.client.socket_at(&arena.scene.server, cursor.clone()).await,
            arena.scene.freelancer.socket_at(&arena.scene.server, cursor).await,
        ];
        let (done, written) = accept_meanwhile(&mut arena, &case, room).await;
        let contract = done.contract.expect("a contract");
        let entries = arena.scene.room(room).await;
        let all = written.iter().flatten().count();
        assert_eq!(
            entries.len(),
            before.len() + all + 3,
            "every message once, and what the acceptance writes"
        );
        let position = sealed_at(&entries, &keys, room, &arena.scene.client);
        let (covered, later) = all_stand(&written, &entries, position);
        (inside, outside) = (inside + covered, outside + later);
        for socket in &mut listening {
            heard_all(socket, room, before.len(), &entries).await;
        }
        log_and_views_agree(&arena.scene, case.candidacy, &entries).await;

        let texts = Evidence::read(&arena.scene, room, &contract, position).await;
        let evidence = Evidence { room, contract, position, texts };
        arena.scene.client.posted(room, "Let us begin.").await;
        arena.scene.freelancer.posted(room, "With pleasure.").await;
        evidence.reads_the_same(&arena.scene).await;
        seals.push(evidence);
    }
    eprintln!("{inside} messages inside of {} seals, {outside} outside", seals.len());
    assert!(inside > 0 && outside > 0);
    let scene = arena.scene.restarted(Door::Http).await;
    for evidence in seals {
        evidence.reads_the_same(&scene).await;
    }
}
