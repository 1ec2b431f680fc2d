//! Terms: proposed, countered, answered and acknowledged from both seats; each through both doors.

use anteroom_load_tests::client::{after, new_client_id};
use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::fee::FeeSchedule;
use anteroom_protocol::terms::{Terms, TermsStatus, TermsView};
use anteroom_protocol::user::Side;
use serde_json::{Value, json};

use crate::support::{Door, Person, Scene, TestServer, ask, data, kinds, newest, over_both_doors};

over_both_doors![
    a_freelancers_terms_stand_at_once_and_reach_both_seats_and_the_clients_inbox,
    a_clients_terms_wait_until_the_freelancer_accepts_them,
    a_counter_ends_in_one_way_and_is_answered_no_more_after_it,
    terms_written_against_an_outdated_version_are_refused_with_the_current_one,
    a_freelancer_improves_a_proposal_that_the_client_has_not_answered,
    an_answer_to_a_proposal_may_be_other_terms_or_an_offer,
    what_is_different_is_told_field_by_field,
    taking_note_is_something_else_than_reading,
    a_freelancer_may_say_what_to_take_home_and_a_client_may_not,
    a_cover_letter_is_never_changed,
    terms_that_change_nothing_are_refused,
];

async fn candidacy(person: &Person, case: &anteroom_load_tests::client::Case) -> CandidacyView {
    person.see(&format!("/v1/candidacies/{}", case.candidacy)).await
}

async fn a_freelancers_terms_stand_at_once_and_reach_both_seats_and_the_clients_inbox(mut scene: Scene) {
    scene.fees_are(&FeeSchedule::Flat { basis_points: 1_000 }).await;
    let (case, room) = scene.talking().await;
    let start = scene.room(room).await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.socket.join(after(start.last().expect("an entry"))).await.expect("joined");
    }
    let terms = ask::hourly(26_664);
    let proposed = scene.freelancer.case(ask::propose_terms(case.candidacy, 0, terms.clone())).await;
    assert_eq!((proposed.phase, newest(&proposed)), (Phase::Active, (1, terms.hash())));

    let at_the_client = scene.client.hears(room).await;
    let at_the_freelancer = scene.freelancer.hears(room).await;
    assert_eq!((at_the_client.seq, at_the_client.hash), (at_the_freelancer.seq, at_the_freelancer.hash));
    assert_eq!(at_the_client.data(), json!({"version": 1, "hash": terms.hash(), "terms": terms}));
    assert!(at_the_client.private.is_none(), "fees are no client's business");
    let private: Value =
        serde_json::from_str(at_the_freelancer.private.expect("the fee").get()).expect("JSON");
    let fee = json!({"schedule": {"kind": "flat", "basis_points": 1_000}, "charged": 26_664, "fee": 2_666, "take_home": 23_998});
    assert_eq!(private, fee);

    let notice = scene.client.inbox().await.pop().expect("a notice");
    assert_eq!((notice.kind.as_str(), &notice.data()["terms"]["terms"]), ("terms.proposed", &json!(terms)));
    assert_ne!(scene.freelancer.inbox().await.pop().expect("a notice").kind, "terms.proposed");
    for person in [&scene.client, &scene.freelancer] {
        let seen = candidacy(person, &case).await;
        let standing = seen.terms.expect("terms");
        assert_eq!((standing.version, standing.status), (1, Some(TermsStatus::Standing)));
        assert_eq!(standing.fee.is_some(), seen.role == Side::Freelancer);
        assert_eq!(seen.turn.map(|turn| turn.side), Some(Side::Client));
    }
}

async fn a_clients_terms_wait_until_the_freelancer_accepts_them(mut scene: Scene) {
    scene.fees_are(&FeeSchedule::Flat { basis_points: 1_000 }).await;
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let counter = ask::hourly(8_000);
    let countered = scene.client.case(ask::propose_terms(case.candidacy, 1, counter.clone())).await;
    assert_eq!(newest(&countered), (2, counter.hash()));
    let seen = candidacy(&scene.client, &case).await;
    assert_eq!(seen.terms.expect("terms").version, 1, "what the freelancer asked for stands");
    let waiting = seen.counter.expect("a counter");
    assert_eq!((waiting.version, waiting.status), (2, Some(TermsStatus::Pending)));
    assert_eq!(seen.turn.map(|turn| (turn.side, turn.until)), Some((Side::Freelancer, waiting.expires_at)));
    let notice = scene.freelancer.inbox().await.pop().expect("a notice");
    assert_eq!(notice.kind, "terms.proposed");
    let fee: Value =
        serde_json::from_str(notice.private.expect("the fee, in the own inbox").get()).expect("JSON");
    assert_eq!(fee["take_home"], 7_200);

    scene
        .client
        .refused_with(ErrorCode::WrongSide, ask::accept_terms(case.candidacy, 2, counter.hash()))
        .await;
    let other = ask::accept_terms(case.candidacy, 2, ask::hourly(9_000).hash());
    scene.freelancer.refused_with(ErrorCode::TermsStale, other).await;
    scene.freelancer.case(ask::accept_terms(case.candidacy, 2, counter.hash())).await;
    let seen = candidacy(&scene.freelancer, &case).await;
    assert_eq!((seen.terms.expect("terms").version, seen.counter), (2, None));
    let entries = scene.client.log(room).await;
    assert_eq!(entries.last().expect("an entry").data(), json!({"version": 2, "hash": counter.hash()}));
    assert_eq!(scene.client.inbox().await.pop().expect("a notice").kind, "terms.accepted");
}

async fn a_counter_ends_in_one_way_and_is_answered_no_more_after_it(mut scene: Scene) {
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let id = case.candidacy;
    for (version, end) in
        [(2, "declined"), (3, "withdrawn"), (4, "answered"), (6, "replaced"), (8, "accepted")]
    {
        let countered = scene
            .client
            .case(ask::propose_terms(id, version - 1, ask::hourly(8_000 + i64::from(version))))
            .await;
        let (newest, hash) = newest(&countered);
        assert_eq!(newest, version);
        match end {
            "declined" => drop(scene.freelancer.case(ask::decline_terms(id, version)).await),
            "withdrawn" => {
                scene.freelancer.refused_with(ErrorCode::WrongSide, ask::withdraw_terms(id, version)).await;
                scene.client.case(ask::withdraw_terms(id, version)).await;
            }
            "answered" => {
                scene.freelancer.case(ask::propose_terms(id, version, ask::hourly(8_900))).await;
                let late = scene.freelancer.refused(ask::accept_terms(id, version, hash)).await;
                assert_eq!(late.code, ErrorCode::TermsStale);
                continue;
            }
            "replaced" => {
                scene.client.case(ask::propose_terms(id, version, ask::hourly(8_100))).await;
                scene.freelancer.refused_with(ErrorCode::TermsStale, ask::decline_terms(id, version)).await;
                continue;
            }
            _ => drop(scene.freelancer.case(ask::accept_terms(id, version, hash)).await),
        }
        for late in [ask::accept_terms(id, version, hash), ask::decline_terms(id, version)] {
            scene.freelancer.refused_with(ErrorCode::TermsNotPending, late).await;
        }
        scene.client.refused_with(ErrorCode::TermsNotPending, ask::withdraw_terms(id, version)).await;
    }
    let versions: Vec<TermsView> =
        serde_json::from_value(json!(scene.client.list(&format!("/v1/candidacies/{id}/terms")).await))
            .expect("versions");
    let numbers: Vec<u32> = versions.iter().map(|version| version.version).collect();
    assert_eq!(
        numbers,
        (1..=versions.len()).rev().map(|version| u32::try_from(version).expect("few")).collect::<Vec<_>>()
    );
    assert!(scene.room(room).await.len() > 10);
}

async fn terms_written_against_an_outdated_version_are_refused_with_the_current_one(mut scene: Scene) {
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let before = scene.room(room).await.len();
    for outdated in [0, 2, u32::MAX] {
        let propose = ask::propose_terms(case.candidacy, outdated, ask::hourly(1_000));
        for person in [&mut scene.client, &mut scene.freelancer] {
            let stale = person.refused_with(ErrorCode::TermsStale, propose.clone()).await;
            let current = stale.current.expect("the current version");
            assert_eq!((current.current_version, current.current_hash), (1, Some(ask::hourly(9_000).hash())));
        }
    }
    assert_eq!(scene.room(room).await.len(), before, "and nothing was written");
    let nothing = scene.another_job("job-2").await;
    scene.job = nothing;
    let (case, _) = scene.talking().await;
    let stale = scene
        .client
        .refused_with(ErrorCode::TermsStale, ask::offer(case.candidacy, 1, ask::hourly(1).hash()))
        .await;
    assert_eq!(stale.current.map(|current| (current.current_version, current.current_hash)), Some((0, None)));
}

async fn a_freelancer_improves_a_proposal_that_the_client_has_not_answered(mut scene: Scene) {
    let (case, proposal) = scene.proposed().await;
    let better = ask::hourly(6_500);
    let improved = scene.freelancer.case(ask::propose_terms(case.candidacy, 1, better.clone())).await;
    assert_eq!(
        (improved.phase, improved.room, newest(&improved)),
        (Phase::Submitted, None, (2, better.hash()))
    );
    assert_eq!(scene.client.inbox().await.pop().expect("a notice").kind, "terms.proposed");
    let too_early = ask::propose_terms(case.candidacy, 2, ask::hourly(5_000));
    scene.client.refused_with(ErrorCode::WrongPhase, too_early).await;

    let answered = scene.client.case(ask::answer(proposal)).await;
    let entries = scene.room(answered.room.expect("a room")).await;
    assert_eq!(
        kinds(&entries),
        ["proposal.submitted", "terms.proposed", "terms.proposed", "phase.changed", "message.posted"]
    );
    assert_eq!(data(&entries, 3)["changes"], json!([{"field": "amount", "from": 7_000, "to": 6_500}]));
}

async fn an_answer_to_a_proposal_may_be_other_terms_or_an_offer(mut scene: Scene) {
    let (case, proposal) = scene.proposed().await;
    let empty = ask::answer_with(proposal, None, None, None);
    scene.client.refused_with(ErrorCode::BadRequest, empty).await;
    let both =
        ask::answer_with(proposal, None, Some((ask::hourly(1), 1)), Some((1, ask::hourly(7_000).hash())));
    scene.client.refused_with(ErrorCode::BadRequest, both).await;
    let stale = ask::answer_with(proposal, Some("Rather so."), Some((ask::hourly(6_000), 0)), None);
    scene.client.refused_with(ErrorCode::TermsStale, stale).await;
    let counter = ask::answer_with(proposal, Some("Rather so."), Some((ask::hourly(6_000), 1)), None);
    let countered = scene.client.case(counter).await;
    assert_eq!((countered.phase, newest(&countered).0), (Phase::Active, 2));
    let entries = scene.room(countered.room.expect("a room")).await;
    assert_eq!(kinds(&entries)[3..], ["message.posted", "terms.proposed"]);
    assert_eq!(entries.iter().filter(|entry| entry.client_id.is_some()).count(), 1);
    scene.freelancer.case(ask::accept_terms(case.candidacy, 2, ask::hourly(6_000).hash())).await;

    scene.job = scene.another_job("job-2").await;
    let (_, proposal) = scene.proposed().await;
    let offer = ask::answer_with(proposal, None, None, Some((1, ask::hourly(7_000).hash())));
    let offered = scene.client.case(offer).await;
    assert_eq!(offered.phase, Phase::Offered);
    let entries = scene.room(offered.room.expect("a room")).await;
    assert_eq!(kinds(&entries)[2..], ["phase.changed", "offer.made", "phase.changed"]);
    let hired = scene
        .freelancer
        .case(ask::accept_offer(offered.offer.expect("an offer"), 1, ask::hourly(7_000).hash()))
        .await;
    assert_eq!(hired.phase, Phase::Hired);
}

async fn what_is_different_is_told_field_by_field(mut scene: Scene) {
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let other = Terms { weekly_hours: None, scope: Some("The whole site".into()), ..ask::hourly(9_000) };
    scene.client.case(ask::propose_terms(case.candidacy, 1, other)).await;
    let entries = scene.room(room).await;
    assert_eq!(
        data(&entries, entries.len())["changes"],
        json!([{"field": "scope", "to": "The whole site"}, {"field": "weekly_hours", "from": 20}])
    );
}

async fn taking_note_is_something_else_than_reading(mut scene: Scene) {
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let acknowledge = ask::acknowledge_terms(case.candidacy, 1);
    scene.freelancer.refused_with(ErrorCode::WrongSide, acknowledge.clone()).await;
    scene.client.refused_with(ErrorCode::TermsStale, ask::acknowledge_terms(case.candidacy, 2)).await;
    scene.client.case(acknowledge.clone()).await;
    scene.client.refused_with(ErrorCode::TermsNotPending, acknowledge).await;
    let entries = scene.room(room).await;
    let last = entries.last().expect("an entry");
    assert_eq!(
        (last.kind.as_str(), last.by.as_ref().map(|by| by.as_str())),
        ("terms.acknowledged", Some("clara"))
    );
    assert_eq!(scene.freelancer.inbox().await.pop().expect("a notice").kind, "terms.acknowledged");
    let seen = candidacy(&scene.client, &case).await;
    assert_eq!(seen.terms.expect("terms").status, Some(TermsStatus::Standing), "it binds nobody");
}

async fn a_freelancer_may_say_what_to_take_home_and_a_client_may_not(mut scene: Scene) {
    scene.fees_are(&FeeSchedule::OnTop { basis_points: 1_500 }).await;
    let (case, _) = scene.talking().await;
    let asked = scene.freelancer.case(ask::propose_take_home(case.candidacy, 0, ask::hourly(9_000))).await;
    assert_eq!(newest(&asked), (1, ask::hourly(10_350).hash()), "what the client is charged");
    let seen = candidacy(&scene.freelancer, &case).await.terms.expect("terms");
    assert_eq!((seen.terms.amount, seen.fee.map(|fee| fee.whole.take_home)), (10_350, Some(9_000)));
    let seen = candidacy(&scene.client, &case).await.terms.expect("terms");
    assert_eq!((seen.terms.amount, seen.fee), (10_350, None));
    let command = ask::propose_take_home(case.candidacy, 1, ask::hourly(8_000));
    scene.client.refused_with(ErrorCode::WrongSide, command).await;
}

async fn a_cover_letter_is_never_changed(mut scene: Scene) {
    let (case, proposal) = scene.proposed().await;
    let mut rewrite = ask::propose_terms(case.candidacy, 1, ask::hourly(6_000));
    if let Command::TermsPropose(propose) = &mut rewrite {
        propose.cover_letter = Some("On second thought".into());
    }
    scene.freelancer.refused_with(ErrorCode::CoverLetterFixed, rewrite).await;
    let room = scene.client.case(ask::answer(proposal)).await.room.expect("a room");
    let edit = ask::edit(room, 1, "On second thought");
    scene.freelancer.refused_with(ErrorCode::CoverLetterFixed, edit).await;
    assert_eq!(data(&scene.room(room).await, 1)["cover_letter"], "I have done this before.");
}

async fn terms_that_change_nothing_are_refused(mut scene: Scene) {
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let before = scene.room(room).await.len();
    for person in [&mut scene.client, &mut scene.freelancer] {
        let same = ask::propose_terms(case.candidacy, 1, ask::hourly(9_000));
        person.refused_with(ErrorCode::BadRequest, same).await;
    }
    assert_eq!(scene.room(room).await.len(), before);
}

#[tokio::test]
async fn terms_proposed_twice_under_one_id_are_one_version() {
    let mut scene = Scene::new(Door::Socket).await;
    let (case, room) = scene.talking().await;
    let (id, propose) = (new_client_id(), ask::propose_terms(case.candidacy, 0, ask::hourly(9_000)));
    let first = scene.freelancer.say_as(id, propose.clone()).await.expect("done");
    scene.client.case(ask::propose_terms(case.candidacy, 1, ask::hourly(8_000))).await;
    let before = scene.room(room).await.len();
    let mut again = scene.freelancer.say_as(id, propose).await.expect("known");
    assert_eq!(again["duplicate"], true);
    again["duplicate"] = false.into();
    assert_eq!(again, first, "also when it would be refused by now");
    assert_eq!(scene.room(room).await.len(), before);
}

/// Without an end one person could make a case so long that every look at it, and every command on it, took the server a second.
#[tokio::test]
async fn regression_each_side_proposes_as_many_versions_as_the_policy_says() {
    let server = TestServer::start_with(|config| config.policy.terms_versions = 3).await;
    let mut scene = Scene::on(server, Door::Http).await;
    let (case, _) = scene.talking().await;
    for version in 0..3 {
        let terms = ask::hourly(9_000 + version);
        scene.freelancer.case(ask::propose_terms(case.candidacy, version as u32, terms)).await;
    }
    let one_more = ask::propose_terms(case.candidacy, 3, ask::hourly(8_000));
    scene.freelancer.refused_with(ErrorCode::TermsLimit, one_more.clone()).await;
    scene.client.case(one_more).await;
    let seen = candidacy(&scene.client, &case).await;
    assert_eq!((seen.terms_version, seen.terms.expect("terms").version), (4, 3));
    let counter = seen.counter.expect("the client has its own three");
    let accept = ask::accept_terms(case.candidacy, counter.version, counter.hash);
    scene.freelancer.case(accept).await;
    let all = scene.client.list(&format!("/v1/candidacies/{}/terms", case.candidacy)).await;
    assert_eq!(all.len(), 4, "also those that neither stand nor wait");
}
