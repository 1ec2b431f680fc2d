//! What happens by itself: once, at its time, whoever looks and however often the server was restarted.

use anteroom::app::timer::look;
use anteroom_load_tests::client::{Case, after};
use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::error::ErrorCode;
use serde_json::json;

use crate::support::database::tamper;
use crate::support::{Door, Scene, ask, kinds, newest, soon};

const DAY: i64 = 24 * 3_600;

#[tokio::test]
async fn an_offer_and_a_counter_expire_once_each_at_their_time_and_live_sockets_hear_it() {
    let mut scene = Scene::new(Door::Http).await;
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    scene.server.clock.advance_seconds(DAY);
    scene.client.case(ask::propose_terms(case.candidacy, 1, ask::hourly(8_000))).await;
    let before = scene.room(room).await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.join(after(before.last().expect("an entry"))).await.expect("joined");
    }
    scene.server.clock.advance_seconds(13 * DAY);
    for person in [&mut scene.client, &mut scene.freelancer] {
        let expired = person.hears(room).await;
        assert_eq!((expired.kind.as_str(), &expired.by, &expired.client_id), ("offer.expired", &None, &None));
        assert_eq!(person.hears(room).await.data(), json!({"phase": "active"}));
    }
    scene.server.clock.advance_seconds(DAY);
    for person in [&mut scene.client, &mut scene.freelancer] {
        assert_eq!(person.hears(room).await.kind, "terms.expired");
        let told = person.inbox().await;
        assert_eq!(kinds(&told)[told.len() - 2..], ["offer.expired", "terms.expired"]);
    }
    let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
    assert_eq!((seen.phase, seen.counter), (Phase::Active, None));
    scene
        .freelancer
        .refused_with(
            ErrorCode::TermsNotPending,
            ask::accept_terms(case.candidacy, 2, ask::hourly(8_000).hash()),
        )
        .await;
    look(scene.server.app()).await.expect("looked");
    assert_eq!(scene.room(room).await.len(), before.len() + 3, "each once");
}

#[tokio::test]
async fn what_came_due_while_the_server_was_down_happens_once_when_it_is_back() {
    let mut scene = Scene::new(Door::Http).await;
    let (invited, _) = scene.invited(None).await;
    scene.job = scene.another_job("job-2").await;
    let (_, room) = scene.offered(ask::hourly(9_000)).await;
    let before = scene.room(room).await.len();
    let scene = scene.restarted_after(15 * DAY, Door::Http).await;
    let gone = async {
        loop {
            let seen: CandidacyView =
                scene.client.see(&format!("/v1/candidacies/{}", invited.candidacy)).await;
            if seen.phase == Phase::Expired && scene.client.log(room).await.len() == before + 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("everything due", gone).await;
    for _ in 0..3 {
        look(scene.server.app()).await.expect("looked");
    }
    let mut scene = scene.restarted(Door::Http).await;
    scene.server.clock.advance_seconds(30 * DAY);
    look(scene.server.app()).await.expect("looked");
    assert_eq!(kinds(&scene.room(room).await)[before..], ["offer.expired", "phase.changed"]);
    for person in [&scene.client, &scene.freelancer] {
        let told = person.inbox().await;
        assert_eq!(kinds(&told).iter().filter(|kind| kind.ends_with(".expired")).count(), 2, "each once");
    }
    scene.freelancer.posted(room, "Never mind.").await;
}

#[tokio::test]
async fn many_who_look_at_once_and_a_command_that_comes_between_make_it_happen_once() {
    for round in 0..40_u64 {
        let mut scene = Scene::new(Door::Http).await;
        let (case, room) = scene.offered(ask::hourly(9_000)).await;
        let before = scene.room(room).await.len();
        let (version, hash) = newest(&case);
        scene.server.clock.advance_seconds(14 * DAY);
        let app = scene.server.app();
        let counter = ask::propose_terms(case.candidacy, version, ask::hourly(8_000));
        let command = async {
            for _ in 0..round * 3 {
                tokio::task::yield_now().await;
            }
            scene.client.say(counter).await.expect("proposed")
        };
        let (one, two, _) = tokio::join!(look(app), look(app), command);
        one.and(two).expect("looked");
        look(app).await.expect("looked");
        let entries = scene.room(room).await;
        let mut told = kinds(&entries)[before..].to_vec();
        told.sort_unstable();
        assert_eq!(told, ["offer.expired", "phase.changed", "terms.proposed"]);
        let late = ask::accept_offer(case.offer.expect("an offer"), version, hash);
        scene.freelancer.refused_with(ErrorCode::OfferExpired, late).await;
        // Not forty servers and their connections at a time.
        scene.server.stop().await;
    }
}

/// One case that could not be written was the end of every look: whatever came due behind it waited for as long as that lasted.
#[tokio::test]
async fn regression_a_case_that_cannot_be_written_holds_up_no_other() {
    let mut scene = Scene::embedded(Door::Http).await;
    let (stuck, _) = scene.invited(None).await;
    scene.job = scene.another_job("job-2").await;
    scene.server.clock.advance_seconds(60);
    let (next, _) = scene.invited(None).await;
    let file = scene.server.database();
    let stuck_id = stuck.candidacy.0.simple();
    let refuse = format!(
        "CREATE TRIGGER stuck BEFORE UPDATE ON candidacies WHEN OLD.id = x'{stuck_id}'
         BEGIN SELECT RAISE(ABORT, 'stuck'); END"
    );
    tamper(&file, &refuse).await;
    scene.server.clock.advance_seconds(15 * DAY);
    assert!(look(scene.server.app()).await.is_err(), "told of what was not done");
    let phase = async |case: &Case| {
        let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
        seen.phase
    };
    assert_eq!((phase(&stuck).await, phase(&next).await), (Phase::Invited, Phase::Expired));
    tamper(&file, "DROP TRIGGER stuck").await;
    look(scene.server.app()).await.expect("looked");
    assert_eq!(phase(&stuck).await, Phase::Expired);
}
