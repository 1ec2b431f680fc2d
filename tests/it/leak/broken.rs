//! The search is worth what it notices: projections that show a client what is the freelancer's, each of which is found under its origin.

use std::sync::Arc;

use anteroom::domain::log::{Log, LogEntry};
use anteroom::store::{PageSize, Range};
use anteroom::wire::to_wire::{Audience, EncodedEntry, entry_frame};
use anteroom_protocol::id::RoomRef;

use super::life::{Life, by_tiers};
use super::planted::{Planted, Said};
use super::salts;

/// One whole life, and what is secret in it.
async fn one_life() -> Life {
    let mut life = Life::begin().await;
    by_tiers(&mut life).await;
    salts(&mut life).await;
    life
}

/// It is told that something leaks here.
fn is_found(planted: &Planted, origin: &str, text: &str) {
    let leaks = planted.leaks(&[Said::new(origin, text)]);
    assert!(!leaks.is_empty(), "{origin}: {text}");
    assert!(leaks.iter().all(|leak| leak.starts_with(origin)), "{leaks:?}");
}

/// And here nothing does.
fn is_clean(planted: &Planted, origin: &str, text: &str) {
    assert_eq!(planted.leaks(&[Said::new(origin, text)]), Vec::<String>::new());
}

/// The entries of a log as they are kept, that have a private part.
async fn kept(life: &Life, room: RoomRef) -> Vec<LogEntry> {
    let size = PageSize { entries: 200, bytes: 10_000_000 };
    let log = Log::named(room, &life.freelancer.user);
    let entries = life.scene.server.app().store.entries(&log, Range::After(0), size).await.expect("entries");
    entries.into_iter().filter(|entry| entry.private.is_some()).collect()
}

#[tokio::test]
async fn an_entry_or_a_notice_that_is_encoded_for_the_wrong_audience_is_found() {
    let life = one_life().await;
    let room = life.cases[0].1.room.expect("a room");
    for (room, least) in [(room, 7), (RoomRef::Inbox, 5)] {
        let entries = kept(&life, room).await;
        assert!(entries.len() >= least, "{} in {room}", entries.len());
        for entry in entries {
            let origin = format!("{} of {room}", entry.kind);
            let page = |audience| serde_json::to_string(&entry_frame(&entry, audience, true)).expect("JSON");
            is_found(&life.planted, &origin, &page(Audience::Freelancer));
            is_clean(&life.planted, &origin, &page(Audience::Client));
            let encoded = EncodedEntry::new(Arc::new(entry.clone()));
            is_found(&life.planted, &origin, &encoded.text(Audience::Freelancer));
            is_clean(&life.planted, &origin, &encoded.text(Audience::Client));
        }
    }
}

#[tokio::test]
async fn a_view_that_keeps_its_fee_is_found() {
    let life = one_life().await;
    let (things, _) = &life.cases[0];
    for template in [
        "/v1/invitations",
        "/v1/invitations/{invitation}",
        "/v1/proposals",
        "/v1/proposals/{proposal}",
        "/v1/candidacies",
        "/v1/candidacies/{candidacy}",
        "/v1/candidacies/{candidacy}/terms",
        "/v1/offers/{offer}",
        "/v1/contracts/{contract}",
    ] {
        let path = things.path(template);
        let seen = life.scene.freelancer.http.raw("GET", &path, &[], None).await.expect("an answer");
        is_found(&life.planted, &path, &seen.text);
        let seen = life.scene.client.http.raw("GET", &path, &[], None).await.expect("an answer");
        assert_eq!(seen.status, 200);
        is_clean(&life.planted, &path, &seen.text);
    }
}

#[tokio::test]
async fn a_room_that_is_shown_to_others_on_the_clients_side_as_to_the_freelancer_is_found() {
    let life = one_life().await;
    let (things, _) = &life.cases[0];
    let others = [&life.member, &life.crossed[0].seat];
    for query in ["entries", "entries?proof=true", "transcript?format=jsonl", "transcript?format=html"] {
        let path = format!("{}/{query}", things.path("/v1/rooms/{room}"));
        let seen = life.scene.freelancer.http.raw("GET", &path, &[], None).await.expect("an answer");
        is_found(&life.planted, &path, &seen.text);
        for other in others {
            let http = life.scene.server.marketplace.as_user(&other.user);
            let seen = http.raw("GET", &path, &[], None).await.expect("an answer");
            assert_eq!(seen.status, 200);
            is_clean(&life.planted, &path, &seen.text);
        }
    }
}

#[tokio::test]
async fn a_socket_that_goes_on_as_one_of_the_freelancers_is_found() {
    let mut life = one_life().await;
    let (before, after) = life.crossed[0].heard().await;
    assert_eq!(life.planted.leaks(&after), Vec::<String>::new());
    let entries = before.iter().filter(|said| said.text.contains(r#""private":{"#));
    let entries: Vec<_> = entries.collect();
    assert!(entries.len() >= 4, "{}", entries.len());
    for said in entries {
        is_found(&life.planted, &said.origin, &said.text);
    }
}

#[tokio::test]
async fn a_sentence_a_header_and_a_salt_in_any_form_are_found() {
    let life = one_life().await;
    for text in [
        r#"{"detail":"terms.amount: you would keep 3000001"}"#,
        r#"{"detail":"you would keep $30,000.01 of it"}"#,
        "x-billed: none",
        "x-so-far: 424243",
        r#"{"data":"{\"fee\":0}"}"#,
        r#"{"private":null}"#,
    ] {
        is_found(&life.planted, "an answer", text);
    }
    for form in life.planted.every_form_of_a_salt() {
        is_found(&life.planted, "a proof", &format!(r#"{{"salt":"{form}"}}"#));
    }
}
