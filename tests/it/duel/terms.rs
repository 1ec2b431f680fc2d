//! Two sets of terms against the same version, and one intention that is sent on every way there is.

use anteroom_load_tests::client::new_client_id;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::user::Side;
use rand::RngExt as _;
use serde_json::{Value, json};

use super::{Arena, Blow, Struck, one_winner};
use crate::support::replay::{Told, log_and_views_agree};
use crate::support::{ask, kinds, newest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sets_of_terms_against_one_version_one_is_the_next_and_the_other_is_told_of_it() {
    let mut arena = Arena::open().await;
    while arena.next_round().await {
        let (case, room) = arena.scene.negotiating(ask::hourly(9_000)).await;
        for expected in 1..4 {
            let before = arena.scene.room(room).await.len();
            // Both sides, or one person on two devices.
            let sides = [(); 2].map(|()| if arena.dice.random() { Side::Client } else { Side::Freelancer });
            let terms = [0, 1].map(|rival| ask::hourly(10_000 + 2 * i64::from(expected) + rival));
            let propose = |rival: usize| {
                Blow::says(sides[rival], ask::propose_terms(case.candidacy, expected, terms[rival].clone()))
            };
            let (won, done, refused) = one_winner(arena.at_once(vec![propose(0), propose(1)]).await);
            arena.came(&format!("{:?} before {:?}", sides[won], sides[1 - won]));
            let next = (expected + 1, terms[won].hash());
            assert_eq!(newest(&done), next);
            assert_eq!(refused.code, ErrorCode::TermsStale, "{refused:?}");
            let current = refused.current.expect("the current version");
            assert_eq!((current.current_version, current.current_hash), (next.0, Some(next.1)));

            let entries = arena.scene.room(room).await;
            assert_eq!(kinds(&entries)[before..], ["terms.proposed"]);
            let versions = Told::by(&arena.scene.freelancer.user, &entries).versions;
            let numbers: Vec<u32> = versions.iter().map(|(version, _)| *version).collect();
            assert_eq!((numbers, versions.last()), ((1..=expected + 1).collect(), Some(&next)));
            log_and_views_agree(&arena.scene, case.candidacy, &entries).await;
        }
    }
    arena.every_outcome_came(&[
        "Client before Freelancer",
        "Freelancer before Client",
        "Client before Client",
        "Freelancer before Freelancer",
    ]);
}

/// Of answers to one intention one is the first, and the others say the same. Which was first.
fn one_is_the_first(struck: &[Struck]) -> usize {
    let mut answers: Vec<Value> = struck
        .iter()
        .map(|struck| struck.answer.clone().unwrap_or_else(|error| panic!("{error:?}")))
        .collect();
    let word = |answer: &mut Value| answer.as_object_mut().expect("an object").remove("duplicate");
    let words: Vec<Option<Value>> = answers.iter_mut().map(word).collect();
    let first: Vec<usize> = (0..words.len()).filter(|at| words[*at] == Some(json!(false))).collect();
    assert!(first.len() == 1 && words.iter().flatten().all(Value::is_boolean), "{words:?}");
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert!(!struck.iter().any(|other| other.was_before(&struck[first[0]])), "{struck:?}");
    first[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_intention_sent_on_three_ways_at_once_is_done_once_and_answered_alike() {
    let mut arena = Arena::open().await;
    while arena.next_round().await {
        let (case, room) = arena.scene.talking().await;
        let terms = ask::hourly(9_000);
        let three = |command: Command| {
            let key = new_client_id();
            (0..3).map(|_| Blow::Says(Side::Freelancer, key, Box::new(command.clone()))).collect::<Vec<_>>()
        };
        let before = arena.scene.room(room).await.len();
        let propose = ask::propose_terms(case.candidacy, 0, terms.clone());
        let first = one_is_the_first(&arena.at_once(three(propose)).await);
        let offered = arena.scene.client.case(ask::offer(case.candidacy, 1, terms.hash())).await;
        let accept = ask::accept_offer(offered.offer.expect("an offer"), 1, terms.hash());
        one_is_the_first(&arena.at_once(three(accept)).await);
        arena.came(&format!("the {first}. first"));
        let entries = arena.scene.room(room).await;
        assert_eq!(
            kinds(&entries)[before..],
            [
                "terms.proposed",
                "offer.made",
                "phase.changed",
                "offer.accepted",
                "contract.sealed",
                "phase.changed"
            ]
        );
        log_and_views_agree(&arena.scene, case.candidacy, &entries).await;
    }
    arena.every_outcome_came(&["the 0. first", "the 1. first", "the 2. first"]);
}
