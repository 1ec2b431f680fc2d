//! Contracts: what an accepted offer becomes, what the marketplace forms itself, and the whole way there, from both seats.

use anteroom_load_tests::client::{Case, Http, new_client_id};
use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::contract::{ContractSealed, ContractView};
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::fee::{FeeSchedule, Tier};
use anteroom_protocol::id::{ContractId, RoomRef};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::signature::Keys;
use anteroom_protocol::terms::{Milestone, Terms, TermsKind};
use serde_json::{Value, json};

use crate::support::replay::log_and_views_agree;
use crate::support::{Door, Person, Scene, ask, id, kinds, newest, over_both_doors};
use crate::transcript::{file, verified};

over_both_doors![
    from_an_invitation_to_the_end_of_the_contract,
    a_contract_is_sealed_with_a_key_that_the_server_tells,
    the_marketplace_binds_a_contract_that_it_formed_itself,
    the_marketplace_ends_a_contract_once,
    the_room_is_found_by_all_that_it_is_about,
];

/// Twenty per cent up to $500, ten up to $10,000, five above.
fn by_lifetime(currency: &str) -> FeeSchedule {
    let tier = |up_to, basis_points| Tier { up_to, basis_points };
    let tiers = vec![tier(Some(50_000), 2_000), tier(Some(1_000_000), 1_000), tier(None, 500)];
    FeeSchedule::Tiered { currency: currency.into(), tiers }
}

fn fixed(amounts: &[i64]) -> Terms {
    let part = |amount: &i64| Milestone { title: "A part".into(), amount: *amount, due_date: None };
    Terms {
        kind: TermsKind::Fixed,
        amount: amounts.iter().sum(),
        weekly_hours: None,
        milestones: Some(amounts.iter().map(part).collect()),
        ..ask::hourly(1)
    }
}

async fn contract_of(person: &Person, contract: &ContractId) -> ContractView {
    person.see(&format!("/v1/contracts/{contract}")).await
}

/// What the marketplace's own systems do.
async fn tells(scene: &Scene, command: &Command) -> Case {
    scene.server.marketplace.service().command(new_client_id(), command).await.expect("done")
}

/// What its log holds in the end.
const THE_WHOLE_WAY: [&str; 21] = [
    "invitation.sent",
    "terms.proposed",
    "invitation.accepted",
    "terms.proposed",
    "phase.changed",
    "message.posted",
    "terms.proposed",
    "terms.proposed",
    "terms.proposed",
    "offer.made",
    "phase.changed",
    "terms.proposed",
    "offer.change_requested",
    "offer.changed",
    "offer.accepted",
    "contract.sealed",
    "phase.changed",
    "message.posted",
    "message.posted",
    "contract.ended",
    "phase.changed",
];

async fn from_an_invitation_to_the_end_of_the_contract(mut scene: Scene) {
    scene.fees_are(&by_lifetime("EUR")).await;
    let (_, invitation) = scene.invited(Some(ask::hourly(5_000))).await;
    let other = fixed(&[40_000, 20_000]);
    let case = scene.freelancer.case(ask::accept(invitation, Some(other.clone()))).await;
    let room = case.room.expect("a room");
    let counters = [
        (fixed(&[30_000, 20_000]), true),
        (fixed(&[35_000, 20_000]), false),
        (fixed(&[33_000, 20_000]), true),
    ];
    for (version, (terms, by_client)) in (2..).zip(counters) {
        let person = if by_client { &mut scene.client } else { &mut scene.freelancer };
        person.case(ask::propose_terms(case.candidacy, version, terms)).await;
        log_and_views_agree(&scene, case.candidacy, &scene.room(room).await).await;
    }
    let last = fixed(&[33_000, 20_000]);
    let offered = scene.client.case(ask::offer(case.candidacy, 5, last.hash())).await;
    let offer = offered.offer.expect("an offer");
    let wanted = fixed(&[34_000, 20_000]);
    scene.freelancer.case(ask::request_change(offer, Some((wanted.clone(), 5)))).await;
    scene.client.case(ask::change_offer(offer, 6, wanted.hash())).await;
    log_and_views_agree(&scene, case.candidacy, &scene.room(room).await).await;
    let hired = scene.freelancer.case(ask::accept_offer(offer, 6, wanted.hash())).await;
    let contract = hired.contract.clone().expect("a contract");
    scene.client.posted(room, "Let us begin.").await;
    scene.freelancer.posted(room, "With pleasure.").await;
    log_and_views_agree(&scene, case.candidacy, &scene.room(room).await).await;
    assert_eq!(tells(&scene, &ask::end_contract(&contract)).await.phase, Phase::Closed);

    let entries = scene.room(room).await;
    log_and_views_agree(&scene, case.candidacy, &entries).await;
    assert_eq!(kinds(&entries), THE_WHOLE_WAY);
    for person in [&scene.client, &scene.freelancer] {
        let report = verified(&scene, &file(&scene, person, room).await).await;
        assert_eq!((report.head, report.seals.len()), (entries.len() as u64, 1), "exported and verified");
        assert_eq!((report.seals[0].position, report.seals[0].version), (15, 6));
    }
    for person in [&mut scene.client, &mut scene.freelancer] {
        let late = person.refused_with(ErrorCode::WrongPhase, ask::post(room, "One more thing")).await;
        assert_eq!(late.phase, Some(Phase::Closed));
        assert_eq!(person.inbox().await.pop().expect("a notice").kind, "contract.ended");
    }
}

/// The seal in this log.
fn seal_in(entries: &[EntryFrame]) -> (usize, ContractSealed) {
    let at = entries.iter().position(|entry| entry.kind == "contract.sealed").expect("a seal");
    (at, serde_json::from_value(entries[at].data()).expect("a seal"))
}

async fn a_contract_is_sealed_with_a_key_that_the_server_tells(mut scene: Scene) {
    scene.fees_are(&FeeSchedule::Flat { basis_points: 1_000 }).await;
    let (case, room) = scene.hired(ask::hourly(33_336)).await;
    let keys: Keys = Http::new(&scene.server.base, String::new()).get("/v1/keys").await.expect("keys");
    let [key] = &keys.items[..] else { panic!("one key: {keys:?}") };
    assert_eq!(key.id, key.public_key.fingerprint());
    let entries = scene.room(room).await;
    let (at, sealed) = seal_in(&entries);
    assert!(sealed.is_of(&key.public_key));
    let acceptance = &entries[at - 1];
    assert_eq!((sealed.seal.position, sealed.seal.head), (acceptance.seq, acceptance.hash));
    assert_eq!(acceptance.kind, "offer.accepted");
    assert_eq!(sealed.seal.terms, ask::hourly(33_336).hash());
    for person in [&scene.client, &scene.freelancer] {
        let seen = contract_of(person, case.contract.as_ref().expect("a contract")).await;
        assert_eq!((&seen.sealed, seen.terms.version), (&sealed, 1));
        let take_home = seen.terms.fee.map(|fee| fee.whole.take_home);
        assert_eq!(take_home, (person.user.as_str() == "felix").then_some(30_002));
    }
    let scene = scene.restarted(Door::Http).await;
    let after: Keys = scene.client.see("/v1/keys").await;
    assert_eq!(after, keys, "a restart signs with the same key");
}

async fn the_marketplace_binds_a_contract_that_it_formed_itself(mut scene: Scene) {
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let (version, hash) = newest(&case);
    let contract: ContractId = id("C-1042");
    let service = scene.server.marketplace.service().clone();
    let form = ask::form_contract(case.candidacy, &contract, version, ask::hourly(1).hash());
    let stale = service.command::<Value>(new_client_id(), &form).await.expect_err("refused");
    assert_eq!(stale.code(), Some(ErrorCode::TermsStale));
    for person in [&mut scene.client, &mut scene.freelancer] {
        let form = ask::form_contract(case.candidacy, &contract, version, hash);
        person.refused_with(ErrorCode::Forbidden, form).await;
    }
    let formed = tells(&scene, &ask::form_contract(case.candidacy, &contract, version, hash)).await;
    assert_eq!((formed.phase, formed.contract), (Phase::Hired, Some(contract.clone())));
    let entries = scene.room(room).await;
    let (at, sealed) = seal_in(&entries);
    assert_eq!(kinds(&entries)[at - 1..], ["contract.formed", "contract.sealed", "phase.changed"]);
    assert_eq!(
        (sealed.seal.contract.clone(), sealed.seal.offer, sealed.seal.position),
        (contract.clone(), None, at as u64)
    );
    assert_eq!(contract_of(&scene.client, &contract).await.sealed, sealed);

    scene.job = scene.another_job("job-2").await;
    let (other, _) = scene.talking().await;
    let again = ask::form_contract_on(other.candidacy, &contract, ask::hourly(100));
    let taken = service.command::<Value>(new_client_id(), &again).await.expect_err("refused");
    assert_eq!(taken.code(), Some(ErrorCode::ContractExists));
    let formed =
        tells(&scene, &ask::form_contract_on(other.candidacy, &id("C-1043"), ask::hourly(100))).await;
    assert_eq!(
        (formed.phase, newest(&formed)),
        (Phase::Hired, (1, ask::hourly(100).hash())),
        "on terms of its own"
    );
}

async fn the_marketplace_ends_a_contract_once(mut scene: Scene) {
    let (case, room) = scene.hired(ask::hourly(9_000)).await;
    let contract = case.contract.expect("a contract");
    let service = scene.server.marketplace.service().clone();
    tells(&scene, &ask::end_contract(&contract)).await;
    let again =
        service.command::<Value>(new_client_id(), &ask::end_contract(&contract)).await.expect_err("refused");
    assert_eq!(again.code(), Some(ErrorCode::ContractOver));
    let missing = service
        .command::<Value>(new_client_id(), &ask::end_contract(&id("no-such")))
        .await
        .expect_err("refused");
    assert_eq!(missing.code(), Some(ErrorCode::NotFound));
    assert!(contract_of(&scene.freelancer, &contract).await.ended_at.is_some());
    assert_eq!(scene.room(room).await.pop().expect("an entry").data(), json!({"phase": "closed"}));
}

async fn the_room_is_found_by_all_that_it_is_about(mut scene: Scene) {
    let (case, room) = scene.hired(ask::hourly(9_000)).await;
    let stranger = Person::arrive(&scene.server, "mallory", Door::Http).await;
    for query in [
        format!("candidacy={}", case.candidacy),
        format!("proposal={}", case.proposal.expect("its id")),
        format!("offer={}", case.offer.expect("its id")),
        format!("contract={}", case.contract.expect("its id")),
    ] {
        for person in [&scene.client, &scene.freelancer] {
            let found = person.list(&format!("/v1/rooms?{query}")).await;
            assert_eq!(
                found.iter().map(|view| view["room"].clone()).collect::<Vec<_>>(),
                [json!(room)],
                "{query}"
            );
        }
        assert!(stranger.list(&format!("/v1/rooms?{query}")).await.is_empty(), "{query}");
    }
    assert!(scene.client.list("/v1/rooms?contract=no-such").await.is_empty());
}

#[tokio::test]
async fn a_job_that_is_filled_ends_its_other_candidacies_and_tells_nobody_who_was_hired() {
    let mut scene = Scene::new(Door::Http).await;
    let (hired, room) = scene.hired(ask::hourly(9_000)).await;
    let contract = hired.contract.expect("a contract").to_string();
    let mut others = Vec::new();
    for number in 0..70 {
        let mut other = Person::arrive(&scene.server, &format!("other-{number}"), Door::Http).await;
        let case = other.case(ask::propose(&scene.job, ask::hourly(7_000))).await;
        let proposal = case.proposal.expect("a proposal");
        let room = if number % 2 == 0 { scene.client.case(ask::answer(proposal)).await.room } else { None };
        others.push((other, case, room));
    }
    scene.job_is(JobStatus::Filled).await;
    for (other, case, room) in &mut others {
        while other.hears(RoomRef::Inbox).await.kind != "phase.changed" {}
        let told = other.inbox().await.pop().expect("a notice");
        assert_eq!((&told.by, &told.data()["phase"]), (&None, &json!("closed")));
        let mut shown = serde_json::to_string(&told).expect("JSON");
        if let Some(room) = room {
            let last = other.log(*room).await.pop().expect("an entry");
            assert_eq!(
                (last.kind.as_str(), &last.by, last.data()),
                ("phase.changed", &None, json!({"phase": "closed"}))
            );
            shown += &serde_json::to_string(&last).expect("JSON");
        }
        let seen: Value = other.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
        shown += &seen.to_string();
        for secret in ["felix", &contract, "hired", "offer"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    assert_eq!(
        scene.room(room).await.pop().expect("an entry").data(),
        json!({"phase": "hired"}),
        "the contract goes on"
    );
    scene.freelancer.posted(room, "Still here.").await;
}

/// Which of the two the marketplace tells first made a difference: told first that the job is filled, the one who was hired was closed out.
#[tokio::test]
async fn regression_a_contract_is_formed_after_its_job_was_filled_as_well() {
    let mut scene = Scene::new(Door::Http).await;
    let (case, room) = scene.negotiating(ask::hourly(9_000)).await;
    let (version, hash) = newest(&case);
    scene.job_is(JobStatus::Filled).await;
    while scene.freelancer.hears(RoomRef::Inbox).await.kind != "phase.changed" {}
    scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::post(room, "But I was hired!")).await;
    let form = ask::form_contract(case.candidacy, &id("C-7"), version, hash);
    let service = scene.server.marketplace.service().clone();
    let formed: Case = service.command(new_client_id(), &form).await.expect("formed");
    assert_eq!(formed.phase, Phase::Hired);
    let entries = scene.room(room).await;
    assert_eq!(
        kinds(&entries[entries.len() - 4..]),
        ["phase.changed", "contract.formed", "contract.sealed", "phase.changed"]
    );
    scene.freelancer.posted(room, "Here we go.").await;
}

/// Opened again before all candidacies had been told of the end, the rest of them was never told: which ones was a matter of milliseconds.
#[tokio::test]
async fn regression_a_job_that_is_opened_again_at_once_has_ended_all_of_its_candidacies() {
    let mut scene = Scene::new(Door::Http).await;
    let mut cases = Vec::new();
    for number in 0..70 {
        let mut other = Person::arrive(&scene.server, &format!("other-{number}"), Door::Http).await;
        cases.push(other.case(ask::propose(&scene.job, ask::hourly(7_000))).await.candidacy);
    }
    scene.job_is(JobStatus::Closed).await;
    scene.job_is(JobStatus::Open).await;
    for candidacy in cases {
        let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{candidacy}")).await;
        assert_eq!(seen.phase, Phase::Closed);
    }
    let (_, room) = scene.talking().await;
    scene.freelancer.posted(room, "The job is open, and so are we.").await;
}

#[tokio::test]
async fn the_marketplace_learns_of_every_contract_and_ends_it() {
    let mut scene = Scene::new(Door::Http).await;
    scene.fees_are(&FeeSchedule::Flat { basis_points: 1_000 }).await;
    let (first, _) = scene.hired(ask::hourly(9_000)).await;
    scene.job = scene.another_job("job-2").await;
    scene.server.clock.advance_seconds(60);
    let (case, room) = scene.negotiating(ask::hourly(8_000)).await;
    let (version, hash) = newest(&case);
    let service = scene.server.marketplace.service().clone();
    let form = ask::form_contract(case.candidacy, &id("0-is-before-all-others"), version, hash);
    service.command::<Case>(new_client_id(), &form).await.expect("formed");

    let page: Value = service.get("/v1/contracts?limit=1").await.expect("a page");
    assert_eq!(page["items"][0]["id"], "0-is-before-all-others", "the one that was formed last");
    let rest: Value = service
        .get(&format!("/v1/contracts?before={}", page["next"].as_str().expect("there is more")))
        .await
        .expect("a page");
    let [older] = &rest["items"].as_array().expect("items")[..] else { panic!("one: {rest}") };
    assert_eq!(older["id"], json!(first.contract));
    assert!(rest.get("next").is_none() && !rest.to_string().contains("take_home"), "{rest}");
    let seen: Value =
        scene.client.see(&format!("/v1/contracts/{}", first.contract.as_ref().expect("one"))).await;
    assert_eq!(*older, seen, "as its client sees it");

    let end = ask::end_contract(&first.contract.expect("one"));
    assert_eq!(service.command::<Case>(new_client_id(), &end).await.expect("ended").phase, Phase::Closed);
    for person in [&scene.client, &scene.freelancer] {
        let refused = person.http.get::<Value>("/v1/contracts").await.expect_err("refused");
        assert_eq!(refused.code(), Some(ErrorCode::Forbidden));
    }
    scene.freelancer.posted(room, "The other one goes on.").await;
}
