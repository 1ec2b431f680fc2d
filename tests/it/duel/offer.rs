//! The acceptance of an offer against whatever ends, changes or forbids it at the same moment.

use anteroom::app::timer::look;
use anteroom_load_tests::client::Case;
use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::contract::{ContractSealed, ContractView};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::OfferId;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::Hash;
use anteroom_protocol::offer::OfferView;
use anteroom_protocol::user::Side;
use tokio::task::yield_now;

use super::{Arena, Blow, Struck, one_winner};
use crate::support::replay::log_and_views_agree;
use crate::support::{Scene, ask, kinds, newest, soon};

/// What an acceptance writes.
const ACCEPTED: [&str; 3] = ["offer.accepted", "contract.sealed", "phase.changed"];

/// The only contract is the one on this version, in the log and in both views.
async fn is_hired_on(scene: &Scene, case: &Case, entries: &[EntryFrame], (version, hash): (u32, Hash)) {
    let sealed: Vec<&EntryFrame> = entries.iter().filter(|entry| entry.kind == "contract.sealed").collect();
    let [sealed] = sealed[..] else { panic!("one seal: {:?}", kinds(entries)) };
    let sealed: ContractSealed = serde_json::from_value(sealed.data()).expect("a seal");
    assert_eq!((sealed.seal.version, sealed.seal.terms), (version, hash));
    for person in [&scene.client, &scene.freelancer] {
        let contract = case.contract.as_ref().expect("a contract");
        let seen: ContractView = person.see(&format!("/v1/contracts/{contract}")).await;
        assert_eq!((seen.terms.version, seen.terms.hash), (version, hash));
        assert_eq!(seen.sealed, sealed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_is_changed_and_accepted_at_once_binds_nobody_to_what_was_not_accepted() {
    let mut arena = Arena::open().await;
    while arena.next_round().await {
        let (case, room) = arena.scene.offered(ask::hourly(9_000)).await;
        let (offer, seen) = (case.offer.expect("an offer"), newest(&case));
        let counter = ask::propose_terms(case.candidacy, 1, ask::hourly(8_000));
        let other = newest(&arena.scene.client.case(counter).await);
        let before = arena.scene.room(room).await.len();
        let change = Blow::says(Side::Client, ask::change_offer(offer, other.0, other.1));
        let accept = Blow::says(Side::Freelancer, ask::accept_offer(offer, seen.0, seen.1));
        let (won, done, refused) = one_winner(arena.at_once(vec![change, accept]).await);
        let entries = arena.scene.room(room).await;
        if won == 0 {
            arena.came("changed");
            assert_eq!(kinds(&entries)[before..], ["offer.changed"]);
            assert_eq!(
                (done.phase, done.contract, refused.code),
                (Phase::Offered, None, ErrorCode::TermsStale)
            );
            let current = refused.current.expect("the current version");
            assert_eq!((current.current_version, current.current_hash), (other.0, Some(other.1)));
            let view: OfferView = arena.scene.freelancer.see(&format!("/v1/offers/{offer}")).await;
            assert_eq!((view.terms.version, view.terms.hash), other);
        } else {
            arena.came("accepted");
            assert_eq!(kinds(&entries)[before..], ACCEPTED);
            assert_eq!(done.phase, Phase::Hired);
            let codes = [ErrorCode::OfferNotStanding, ErrorCode::WrongPhase];
            assert!(codes.contains(&refused.code), "{refused:?}");
            is_hired_on(&arena.scene, &done, &entries, seen).await;
        }
        log_and_views_agree(&arena.scene, case.candidacy, &entries).await;
    }
    arena.every_outcome_came(&["changed", "accepted"]);
}

/// What ends an offer beside its acceptance: by whom, how, and what it writes.
fn end(number: usize, case: &Case, offer: OfferId) -> (Side, Command, &'static [&'static str]) {
    match number % 4 {
        0 => (Side::Client, ask::withdraw_offer(offer), &["offer.withdrawn", "phase.changed"]),
        1 => (Side::Freelancer, ask::decline_offer(offer, None), &["offer.declined", "phase.changed"]),
        2 => (Side::Client, ask::decline_candidacy(case.candidacy), &["phase.changed"]),
        _ => (Side::Freelancer, ask::withdraw_candidacy(case.candidacy), &["phase.changed"]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_is_accepted_and_ended_at_once_is_one_of_the_two_for_everybody() {
    let mut arena = Arena::open().await;
    while arena.next_round().await {
        let (case, room) = arena.scene.offered(ask::hourly(9_000)).await;
        let (offer, (version, hash)) = (case.offer.expect("an offer"), newest(&case));
        let before = arena.scene.room(room).await.len();
        let (side, end, told) = end(arena.rounds.fought, &case, offer);
        let name = end.name();
        let accept = Blow::says(Side::Freelancer, ask::accept_offer(offer, version, hash));
        let (won, done, refused) = one_winner(arena.at_once(vec![accept, Blow::says(side, end)]).await);
        let codes = [ErrorCode::OfferNotStanding, ErrorCode::WrongPhase];
        assert!(codes.contains(&refused.code), "{name}: {refused:?}");
        let entries = arena.scene.room(room).await;
        if won == 0 {
            arena.came(&format!("accepted before {name}"));
            assert_eq!((&kinds(&entries)[before..], done.phase), (&ACCEPTED[..], Phase::Hired));
            is_hired_on(&arena.scene, &done, &entries, (version, hash)).await;
        } else {
            arena.came(&format!("{name} before accepted"));
            assert_eq!((&kinds(&entries)[before..], done.contract), (told, None), "{name}");
        }
        log_and_views_agree(&arena.scene, case.candidacy, &entries).await;
    }
    let ends = ["offer.withdraw", "offer.decline", "candidacy.decline", "candidacy.withdraw"];
    let outcomes: Vec<String> = ends
        .iter()
        .flat_map(|end| [format!("accepted before {end}"), format!("{end} before accepted")])
        .collect();
    arena.every_outcome_came(&outcomes.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Waits until the scheduler has come to what is due.
async fn has_closed(scene: &Scene, case: &Case) {
    let closed = async {
        loop {
            look(scene.server.app()).await.expect("looked");
            let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
            if seen.phase == Phase::Closed {
                break;
            }
            yield_now().await;
        }
    };
    soon("the end of the candidacy", closed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_is_accepted_while_its_job_ends_is_a_contract_or_is_closed_and_never_both() {
    let mut arena = Arena::open().await;
    while arena.next_round().await {
        let (case, room) = arena.scene.offered(ask::hourly(9_000)).await;
        let (version, hash) = newest(&case);
        let before = arena.scene.room(room).await.len();
        let status =
            if arena.rounds.fought.is_multiple_of(2) { JobStatus::Closed } else { JobStatus::Filled };
        let accept = ask::accept_offer(case.offer.expect("an offer"), version, hash);
        let blows = vec![Blow::says(Side::Freelancer, accept), Blow::Tells(status)];
        let struck = <[Struck; 2]>::try_from(arena.at_once(blows).await).expect("two");
        let (accepted_first, ended_first) =
            (struck[0].was_before(&struck[1]), struck[1].was_before(&struck[0]));
        let [accepted, _] = struck;
        match accepted.answer {
            Ok(done) => {
                arena.came("hired");
                assert!(!ended_first, "nobody is hired for a job that has ended");
                let done: Case = serde_json::from_value(done).expect("a case");
                while look(arena.scene.server.app()).await.expect("looked") {}
                let entries = arena.scene.room(room).await;
                assert_eq!((&kinds(&entries)[before..], done.phase), (&ACCEPTED[..], Phase::Hired));
                is_hired_on(&arena.scene, &done, &entries, (version, hash)).await;
                log_and_views_agree(&arena.scene, case.candidacy, &entries).await;
            }
            Err(refused) => {
                arena.came("closed");
                assert!(!accepted_first && refused.code == ErrorCode::JobNotOpen, "{refused:?}");
                has_closed(&arena.scene, &case).await;
                let entries = arena.scene.room(room).await;
                assert_eq!(kinds(&entries)[before..], ["phase.changed"]);
                log_and_views_agree(&arena.scene, case.candidacy, &entries).await;
            }
        }
    }
    arena.every_outcome_came(&["hired", "closed"]);
}
