//! Offers: made, changed, asked about and answered from both seats; each through both doors.

use anteroom_load_tests::client::Case;
use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::OfferId;
use anteroom_protocol::offer::{OfferStatus, OfferView};
use anteroom_protocol::user::Side;
use serde_json::json;

use crate::support::{Person, Scene, ask, kinds, newest, over_both_doors};

over_both_doors![
    an_offer_names_a_version_and_reaches_both_sides,
    only_what_stands_or_the_clients_own_counter_is_offered,
    an_offer_is_accepted_by_the_version_and_hash_that_it_names,
    an_offer_that_was_changed_is_accepted_only_as_it_is_now,
    each_side_ends_an_offer_in_its_own_way_and_the_talk_goes_on,
    talk_and_other_terms_go_on_while_an_offer_stands,
    changes_of_an_offer_are_asked_for_three_times_an_hour_and_for_seven_days,
    a_change_may_be_asked_for_with_terms_that_the_client_offers_then,
    an_offer_that_was_replaced_is_answered_no_more,
    an_offer_ends_within_what_policy_allows,
];

async fn offer_of(person: &Person, offer: OfferId) -> OfferView {
    person.see(&format!("/v1/offers/{offer}")).await
}

fn its_offer(case: &Case) -> OfferId {
    case.offer.expect("an offer")
}

async fn an_offer_names_a_version_and_reaches_both_sides(mut scene: Scene) {
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    assert_eq!(case.phase, Phase::Offered);
    let entries = scene.room(room).await;
    let [.., made, moved] = &entries[..] else { panic!("too few entries") };
    assert_eq!((made.kind.as_str(), moved.kind.as_str()), ("offer.made", "phase.changed"));
    assert!(made.client_id.is_some() && moved.client_id.is_none());
    for (person, role) in [(&scene.client, Side::Client), (&scene.freelancer, Side::Freelancer)] {
        let seen = offer_of(person, its_offer(&case)).await;
        assert_eq!((seen.status, seen.role, seen.terms.version), (OfferStatus::Standing, role, 1));
        assert_eq!(
            made.data(),
            json!({"offer": seen.id, "version": 1, "hash": seen.terms.hash, "expires_at": seen.expires_at})
        );
        assert_eq!(person.inbox().await.pop().expect("a notice").kind, "offer.made");
        let view: CandidacyView = person.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
        assert_eq!(
            view.turn.map(|turn| (turn.side, turn.until)),
            Some((Side::Freelancer, Some(seen.expires_at)))
        );
        assert_eq!(
            person.list(&format!("/v1/rooms?offer={}", seen.id)).await.len(),
            1,
            "the room is found by it"
        );
    }
}

async fn only_what_stands_or_the_clients_own_counter_is_offered(mut scene: Scene) {
    let (case, _) = scene.negotiating(ask::hourly(9_000)).await;
    let id = case.candidacy;
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::offer(id, 1, ask::hourly(9_000).hash())).await;
    scene.freelancer.case(ask::propose_terms(id, 1, ask::hourly(9_500))).await;
    for (version, hash) in
        [(1, ask::hourly(9_000).hash()), (2, ask::hourly(9_000).hash()), (3, ask::hourly(9_500).hash())]
    {
        scene.client.refused_with(ErrorCode::TermsStale, ask::offer(id, version, hash)).await;
    }
    let declined = scene.client.case(ask::propose_terms(id, 2, ask::hourly(7_000))).await;
    let (version, hash) = newest(&declined);
    scene.freelancer.case(ask::decline_terms(id, version)).await;
    // Nothing is newer: told that it is outdated, a client would ask for the very same again.
    scene.client.refused_with(ErrorCode::TermsNotPending, ask::offer(id, version, hash)).await;
    let countered = scene.client.case(ask::propose_terms(id, 3, ask::hourly(8_000))).await;
    let (version, hash) = newest(&countered);
    let offered = scene.client.case(ask::offer(id, version, hash)).await;
    let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{id}")).await;
    assert_eq!(seen.counter, None, "an offer names it: it waits for nothing else");
    assert_eq!(seen.terms.expect("terms").version, 2, "what the freelancer asked for still stands");
    let hired = scene.freelancer.case(ask::accept_offer(its_offer(&offered), version, hash)).await;
    assert_eq!(hired.phase, Phase::Hired);
}

async fn an_offer_is_accepted_by_the_version_and_hash_that_it_names(mut scene: Scene) {
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    let (offer, hash) = (its_offer(&case), ask::hourly(9_000).hash());
    scene.client.refused_with(ErrorCode::WrongSide, ask::accept_offer(offer, 1, hash)).await;
    for (version, hash) in [(2, hash), (1, ask::hourly(9_001).hash())] {
        let stale = scene
            .freelancer
            .refused_with(ErrorCode::TermsStale, ask::accept_offer(offer, version, hash))
            .await;
        assert_eq!(stale.current.map(|current| current.current_version), Some(1));
    }
    let hired = scene.freelancer.case(ask::accept_offer(offer, 1, hash)).await;
    assert_eq!((hired.phase, hired.contract.is_some()), (Phase::Hired, true));
    assert_eq!(offer_of(&scene.client, offer).await.status, OfferStatus::Accepted);
    scene.freelancer.refused_with(ErrorCode::OfferNotStanding, ask::accept_offer(offer, 1, hash)).await;
    let entries = scene.room(room).await;
    assert_eq!(kinds(&entries)[entries.len() - 3..], ["offer.accepted", "contract.sealed", "phase.changed"]);
}

async fn an_offer_that_was_changed_is_accepted_only_as_it_is_now(mut scene: Scene) {
    let (case, _) = scene.offered(ask::hourly(9_000)).await;
    let offer = its_offer(&case);
    let countered = scene.client.case(ask::propose_terms(case.candidacy, 1, ask::hourly(8_000))).await;
    let (version, hash) = newest(&countered);
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::change_offer(offer, version, hash)).await;
    let changed = scene.client.case(ask::change_offer(offer, version, hash)).await;
    assert_eq!((changed.phase, changed.offer), (Phase::Offered, Some(offer)), "it is the same offer");
    let stale = ask::accept_offer(offer, 1, ask::hourly(9_000).hash());
    let stale = scene.freelancer.refused_with(ErrorCode::TermsStale, stale).await;
    assert_eq!(
        stale.current.map(|current| (current.current_version, current.current_hash)),
        Some((2, Some(hash)))
    );
    scene.freelancer.case(ask::accept_offer(offer, version, hash)).await;
}

async fn each_side_ends_an_offer_in_its_own_way_and_the_talk_goes_on(mut scene: Scene) {
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    let first = its_offer(&case);
    scene.client.refused_with(ErrorCode::WrongSide, ask::decline_offer(first, None)).await;
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::withdraw_offer(first)).await;
    let ended = scene.freelancer.case(ask::decline_offer(first, Some("Too few hours."))).await;
    assert_eq!(
        (ended.phase, offer_of(&scene.client, first).await.status),
        (Phase::Active, OfferStatus::Declined)
    );
    scene.client.refused_with(ErrorCode::OfferNotStanding, ask::withdraw_offer(first)).await;
    let again = scene.client.case(ask::offer(case.candidacy, 1, ask::hourly(9_000).hash())).await;
    let second = its_offer(&again);
    assert_ne!(second, first);
    scene.client.case(ask::withdraw_offer(second)).await;
    assert_eq!(offer_of(&scene.freelancer, second).await.status, OfferStatus::Withdrawn);
    let accept = ask::accept_offer(second, 1, ask::hourly(9_000).hash());
    scene.freelancer.refused_with(ErrorCode::OfferNotStanding, accept).await;
    scene.freelancer.posted(room, "What happened?").await;
    let told = scene.room(room).await;
    let reasons: Vec<_> = told
        .iter()
        .filter(|entry| entry.kind == "offer.declined")
        .map(|entry| entry.data()["reason"].clone())
        .collect();
    assert_eq!(reasons, [json!("Too few hours.")]);
}

async fn talk_and_other_terms_go_on_while_an_offer_stands(mut scene: Scene) {
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    scene.client.posted(room, "Take your time.").await;
    scene.freelancer.posted(room, "Thank you.").await;
    scene.freelancer.case(ask::propose_terms(case.candidacy, 1, ask::hourly(9_500))).await;
    scene.client.case(ask::propose_terms(case.candidacy, 2, ask::hourly(9_200))).await;
    let seen = offer_of(&scene.freelancer, its_offer(&case)).await;
    assert_eq!((seen.status, seen.terms.version), (OfferStatus::Standing, 1), "a counter does not end it");
    let hired =
        scene.freelancer.case(ask::accept_offer(its_offer(&case), 1, ask::hourly(9_000).hash())).await;
    assert_eq!(hired.phase, Phase::Hired);
    for late in [
        ask::propose_terms(case.candidacy, 3, ask::hourly(1)),
        ask::accept_terms(case.candidacy, 3, ask::hourly(9_200).hash()),
    ] {
        let late = scene.freelancer.refused_with(ErrorCode::WrongPhase, late).await;
        assert_eq!(late.phase, Some(Phase::Hired), "terms are frozen");
    }
}

async fn changes_of_an_offer_are_asked_for_three_times_an_hour_and_for_seven_days(mut scene: Scene) {
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    let offer = its_offer(&case);
    let ask_again = ask::request_change(offer, None);
    scene.client.refused_with(ErrorCode::WrongSide, ask_again.clone()).await;
    for _ in 0..3 {
        scene.server.clock.advance_seconds(60);
        assert_eq!(scene.freelancer.case(ask_again.clone()).await.phase, Phase::Offered);
    }
    let limit = scene.freelancer.refused_with(ErrorCode::ChangeRequestLimit, ask_again.clone()).await;
    assert_eq!((limit.retryable, limit.retry_after_ms), (true, Some((3_600 - 120) * 1_000)));
    scene.server.clock.advance_seconds(3_600 - 120);
    scene.freelancer.case(ask_again.clone()).await;
    scene.freelancer.refused_with(ErrorCode::ChangeRequestLimit, ask_again.clone()).await;
    scene.server.clock.advance_seconds(7 * 24 * 3_600);
    scene.freelancer.refused_with(ErrorCode::ChangeRequestsOver, ask_again).await;
    assert_eq!(offer_of(&scene.client, offer).await.status, OfferStatus::Standing);
    let asked = scene.room(room).await.iter().filter(|entry| entry.kind == "offer.change_requested").count();
    assert_eq!(asked, 4);
}

async fn a_change_may_be_asked_for_with_terms_that_the_client_offers_then(mut scene: Scene) {
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    let (offer, wanted) = (its_offer(&case), ask::hourly(9_700));
    let alone = ask::request_change(offer, Some((wanted.clone(), 0)));
    scene.freelancer.refused_with(ErrorCode::TermsStale, alone).await;
    let asked = scene.freelancer.case(ask::request_change(offer, Some((wanted.clone(), 1)))).await;
    assert_eq!((asked.phase, newest(&asked)), (Phase::Offered, (2, wanted.hash())));
    let entries = scene.room(room).await;
    let [.., terms, request] = &entries[..] else { panic!("too few entries") };
    assert_eq!((terms.kind.as_str(), request.kind.as_str()), ("terms.proposed", "offer.change_requested"));
    assert_eq!(request.data()["version"], 2);
    let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
    assert_eq!(seen.turn.map(|turn| turn.side), Some(Side::Client), "now the client is asked");
    scene.client.case(ask::change_offer(offer, 2, wanted.hash())).await;
    scene.freelancer.case(ask::accept_offer(offer, 2, wanted.hash())).await;
}

async fn an_offer_that_was_replaced_is_answered_no_more(mut scene: Scene) {
    let (case, _) = scene.offered(ask::hourly(9_000)).await;
    let first = its_offer(&case);
    scene.client.case(ask::withdraw_offer(first)).await;
    scene.client.case(ask::offer(case.candidacy, 1, ask::hourly(9_000).hash())).await;
    for late in [
        ask::accept_offer(first, 1, ask::hourly(9_000).hash()),
        ask::decline_offer(first, None),
        ask::request_change(first, None),
    ] {
        scene.freelancer.refused_with(ErrorCode::OfferNotStanding, late).await;
    }
}

async fn an_offer_ends_within_what_policy_allows(mut scene: Scene) {
    let (case, _) = scene.negotiating(ask::hourly(9_000)).await;
    let (version, hash) = newest(&case);
    let now = anteroom::clock::Clock::now(&*scene.server.clock);
    let until = |seconds: i64| {
        let mut offer = ask::offer(case.candidacy, version, hash);
        if let Command::OfferMake(offer) = &mut offer {
            offer.expires_at = Some(now.plus_seconds(seconds));
        }
        offer
    };
    for outside in [-1, 0, 14 * 24 * 3_600 + 1] {
        scene.client.refused_with(ErrorCode::BadRequest, until(outside)).await;
    }
    let offered = scene.client.case(until(3_600)).await;
    assert_eq!(offer_of(&scene.freelancer, its_offer(&offered)).await.expires_at, now.plus_seconds(3_600));
    scene.server.clock.advance_seconds(3_600);
    let late = ask::accept_offer(its_offer(&offered), version, hash);
    scene.freelancer.refused_with(ErrorCode::OfferExpired, late).await;
    // The scheduler may have come to it or not: it is over either way, and another can be made.
    let again = scene.client.case(ask::offer(case.candidacy, version, hash)).await;
    assert_eq!(again.phase, Phase::Offered);
    assert_eq!(offer_of(&scene.client, its_offer(&offered)).await.status, OfferStatus::Expired);
}
