//! Offers: each kept as it ended, and answered once.

use std::sync::Arc;

use anteroom::domain::log::Log;
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::offer::OfferStatus;
use tokio::task::JoinSet;

use super::deed::person;
use super::story::{ANSWER, ASK_TO_CHANGE, CHANGE, OFFER, REFUSE_OFFER, SIGN, SUBMIT, TAKE_OFFER_BACK};
use super::story::{go_on, stage, told};
use super::world::{World, refusal, room_of, user};

const DAY: i64 = 24 * 60 * 60;
const TASKS: usize = 8;

pub(super) async fn every_offer_of_a_candidacy_is_read_as_it_ended(mut world: World) {
    let job = stage(&world).await;
    let mut case = told(&world, &job, &[SUBMIT, ANSWER]).await;
    let mut expected = Vec::new();
    for (steps, status) in [
        (&[TAKE_OFFER_BACK][..], OfferStatus::Withdrawn),
        (&[REFUSE_OFFER], OfferStatus::Declined),
        (&[], OfferStatus::Expired),
        (&[ASK_TO_CHANGE, CHANGE, SIGN], OfferStatus::Accepted),
    ] {
        case = go_on(&world, &job, case, &[OFFER]).await;
        let offer = case.offer.expect("offered");
        case = go_on(&world, &job, case, steps).await;
        if status == OfferStatus::Expired {
            world.wait(15 * DAY);
            world.all_happens().await;
        }
        let version = if status == OfferStatus::Accepted { 2 } else { 1 };
        expected.push((offer, status, version));
        world.open_again().await;
        for (offer, status, version) in &expected {
            for name in ["clara", "felix"] {
                let seen = world.store().offer(&user(name), *offer).await.expect("read").expect("theirs");
                assert_eq!((seen.id, seen.status, seen.terms.version), (*offer, *status, *version), "{name}");
            }
        }
        let view = world.store().candidacy(&user("clara"), case.candidacy).await.expect("read");
        let latest = view.expect("hers").offer.expect("the latest");
        assert_eq!((latest.id, latest.status), (offer, status));
    }
}

pub(super) async fn of_many_answers_to_an_offer_exactly_one_is_kept(world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER, OFFER]).await;
    let (world, mut tasks) = (Arc::new(world), JoinSet::new());
    for task in 0..TASKS {
        let (name, command) = [SIGN, TAKE_OFFER_BACK, REFUSE_OFFER][task % 3];
        let (world, command) = (world.clone(), command(&job, &case));
        tasks.spawn(async move { world.act(&person(name), world.client_id(), &command).await });
    }
    let (kept, late): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((kept.len(), late.len()), (1, TASKS - 1));
    for late in late {
        refusal(late.expect_err("late"));
    }
    let view = world.store().candidacy(&user("felix"), case.candidacy).await.expect("read").expect("his");
    let signed = view.offer.expect("there").status == OfferStatus::Accepted;
    assert_eq!((view.phase == Phase::Hired, view.contract.is_some()), (signed, signed));
    let entries = world.sound(&Log::Room(room_of(&case))).await;
    let ends = ["offer.accepted", "offer.withdrawn", "offer.declined"];
    assert_eq!(entries.iter().filter(|entry| ends.contains(&entry.kind.as_ref())).count(), 1);
    let seals = entries.iter().filter(|entry| &*entry.kind == "contract.sealed").count();
    assert_eq!(seals, usize::from(signed));
}
