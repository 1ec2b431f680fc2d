//! What other systems are told, and who tells them: each entry once, in the order of its log; and one worker for a webhook at a time.

use std::collections::HashMap;

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::domain::webhook::{Health, Target};
use anteroom::store::{Attempt, Begin, Kept, Lane, LogPlace, Page, Position, Settled, StoreError, Told};
use anteroom_protocol::event::EventAudience;
use anteroom_protocol::id::{UserId, WebhookId};
use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{Channel, DeliveryNumber, DeliveryOutcome, DeliveryView, WebhookState};
use uuid::Uuid;

use super::world::{World, size, user};
use crate::support::id;

pub(super) fn hook(name: &str) -> WebhookId {
    id(name)
}

fn target(notify: Option<UserId>) -> Target {
    Target {
        url: "https://market.example/".to_owned(),
        audience: EventAudience::Marketplace,
        types: vec!["anteroom.*".to_owned()],
        description: Some("A system".to_owned()),
        notify,
        paused: false,
    }
}

/// Everything that is told behind this place, in pages of so many; and the place behind.
async fn told(world: &World, mut after: Option<Position>, limit: u32) -> (Vec<Told>, Option<Position>) {
    let mut items = Vec::new();
    loop {
        world.settled().await;
        let events = world.store().events(after, size(limit)).await.expect("read");
        assert!(!events.reset && events.items.len() <= limit as usize);
        items.extend(events.items);
        after = Some(events.position);
        if !events.has_more {
            return (items, after);
        }
    }
}

/// The numbers of each log, in the order in which they were told.
fn by_log(items: &[Told]) -> HashMap<String, Vec<u64>> {
    let mut logs: HashMap<String, Vec<u64>> = HashMap::new();
    for told in items {
        logs.entry(told.entry.log.to_string()).or_default().push(told.entry.seq);
    }
    logs
}

pub(super) async fn every_entry_is_told_once_in_the_order_of_its_log_however_it_is_paged(world: World) {
    assert!(told(&world, None, 10).await.0.is_empty());
    let rooms = world.rooms(5).await;
    for number in 0..20 {
        world.posted("felix", rooms[number * 7 % 5], &number.to_string()).await;
    }
    let (all, end) = told(&world, None, 1_000).await;
    for (log, seqs) in by_log(&all) {
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "{log}");
    }
    let of_rooms = all.iter().filter(|told| told.case.is_some()).count();
    let entries = async |room| world.entries(&Log::Room(room)).await.len();
    let mut expected = 0;
    for room in &rooms {
        expected += entries(*room).await;
    }
    assert_eq!(of_rooms, expected);
    for limit in [1, 3, 7, 50] {
        let (paged, place) = told(&world, None, limit).await;
        assert_eq!(paged, all, "in pages of {limit}");
        assert_eq!(place, end);
    }
    // From there on only what is new.
    let posted = world.posted("felix", rooms[0], "news").await;
    let (news, _) = told(&world, end, 10).await;
    assert_eq!(
        news.iter().map(|told| (told.entry.seq, told.entry.hash)).collect::<Vec<_>>(),
        [(posted.seq, posted.hash)]
    );
    let case = news[0].case.as_ref().expect("the case of a room");
    assert_eq!((&case.client, &case.freelancer), (&user("clara"), &user("felix")));
}

pub(super) async fn a_place_of_another_database_is_answered_with_a_reset_and_everything(world: World) {
    world.rooms(1).await;
    let (all, _) = told(&world, None, 100).await;
    let other = world.another().await;
    other.rooms(2).await;
    let (_, foreign) = told(&other, None, 100).await;
    for place in [foreign.expect("a place"), Position::new(&[7; 32]), Position::new(&[1, 2, 3])] {
        let events = world.store().events(Some(place), size(100)).await.expect("read");
        assert!(events.reset);
        assert_eq!(events.items, all);
        let refused =
            world.store().put_webhook(&hook("crm"), &target(None), Begin::After(place), world.now()).await;
        assert!(matches!(refused, Err(StoreError::Refused(Refusal::Invalid(_)))), "{refused:?}");
    }
}

pub(super) async fn a_webhook_is_kept_as_it_was_told_last_and_goes_on_where_it_was(world: World) {
    world.rooms(1).await;
    world.settled().await;
    let store = world.store();
    let made = store.put_webhook(&hook("crm"), &target(None), Begin::Now, world.now()).await.expect("kept");
    assert_eq!((made.state, made.rotations, made.health), (WebhookState::Active, 0, Health::default()));
    assert_eq!(made.target, target(None));
    let changed =
        Target { url: "https://elsewhere.example/".into(), paused: true, ..target(Some(user("clara"))) };
    let kept = store.put_webhook(&hook("crm"), &changed, Begin::Now, world.now()).await.expect("kept");
    assert_eq!((kept.made_at, kept.state, &kept.target), (made.made_at, WebhookState::Paused, &changed));
    let nobody =
        store.put_webhook(&hook("crm"), &target(Some(user("nobody"))), Begin::Now, world.now()).await;
    assert!(nobody.is_err());
    assert_eq!(world.store().webhooks().await.expect("read"), std::slice::from_ref(&kept));
    let until = world.now();
    let rotated = world.store().rotate_webhook(&hook("crm"), until).await.expect("kept").expect("there");
    assert_eq!((rotated.rotations, rotated.former_until), (1, Some(until)));
    assert_eq!(world.store().webhook(&hook("other")).await.expect("read"), None);
    assert_eq!(world.store().delete_webhook(&hook("crm")).await.expect("done"), Some(rotated));
    assert_eq!(world.store().delete_webhook(&hook("crm")).await.expect("done"), None);
}

/// A webhook that begins at the beginning.
pub(super) async fn from_the_first(world: &World, name: &str) -> WebhookId {
    let beginning = Begin::After(Position::new(&[0; 32]));
    world
        .store()
        .put_webhook(&hook(name), &target(Some(user("clara"))), beginning, world.now())
        .await
        .expect("kept");
    hook(name)
}

pub(super) fn attempt(at: LogPlace, outcome: DeliveryOutcome, now: Time) -> Attempt {
    let view = DeliveryView {
        number: DeliveryNumber(0),
        event: format!("evt_{}", at.seq),
        kind: "anteroom.room.message.posted.v1".to_owned(),
        subject: "rooms/1".to_owned(),
        at: now,
        took_ms: 12,
        attempt: 1,
        outcome,
        status: Some(204),
        error: None,
        response: Some("thanks, 100 % \"fine\"\n".to_owned()),
        again: false,
    };
    Attempt { at, view }
}

pub(super) async fn one_worker_has_a_webhook_at_a_time_and_what_another_one_keeps_is_lost(world: World) {
    world.rooms(1).await;
    world.settled().await;
    let id = from_the_first(&world, "crm").await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let claim = async |worker, busy: &[WebhookId]| {
        world.store().claim_webhook(worker, busy, world.same_moment()).await.expect("asked")
    };
    assert_eq!(claim(one, &[]).await, Some(id.clone()));
    assert_eq!(claim(two, &[]).await, None, "it is somebody's");
    assert_eq!(
        claim(one, std::slice::from_ref(&id)).await,
        None,
        "whose it is knows that it is busy with it"
    );
    assert!(world.store().hold_webhook(one, &id).await.expect("asked"));
    assert!(!world.store().hold_webhook(two, &id).await.expect("asked"));
    let settled = Settled { health: Health { attempts: 7, ..Health::default() }, ..Settled::default() };
    let lost = world.store().settle(two, &id, &settled, world.moment()).await.expect("asked");
    assert!(matches!(lost, Kept::Lost));
    world.store().leave_webhook(two, &id).await.expect("nothing");
    assert_eq!(claim(two, &[]).await, None);
    let kept = world.store().settle(one, &id, &settled, world.moment()).await.expect("asked");
    assert!(matches!(kept, Kept::Yes { goes_on: true, .. }));
    assert_eq!(world.store().webhook(&id).await.expect("read").expect("there").health.attempts, 7);
    world.store().leave_webhook(one, &id).await.expect("left");
    assert_eq!(claim(two, &[]).await, Some(id.clone()));
    world.store().leave_webhook(two, &id).await.expect("left");

    // Nobody has anything to do for one that is paused, held back, or told everything.
    world.store().hold_channel(Channel::Webhooks, true).await.expect("held");
    assert_eq!(claim(one, &[]).await, None);
    world.store().hold_channel(Channel::Webhooks, false).await.expect("goes on");
    let round = world.store().round(&id, world.same_moment(), size(100)).await.expect("read").expect("there");
    let last = round.page.last().expect("entries").at;
    assert_eq!(claim(one, &[]).await, Some(id.clone()));
    let all = Settled { place: Some(last), ..Settled::default() };
    world.store().settle(one, &id, &all, world.moment()).await.expect("kept");
    world.store().leave_webhook(one, &id).await.expect("left");
    assert_eq!(claim(two, &[]).await, None);
}

pub(super) async fn a_round_has_what_comes_next_and_what_was_held_up_and_leaves_the_rest(world: World) {
    let rooms = world.rooms(2).await;
    for number in 0..4 {
        world.posted("felix", rooms[number % 2], &number.to_string()).await;
    }
    world.settled().await;
    let id = from_the_first(&world, "crm").await;
    let (worker, now) = (Uuid::from_u128(1), world.now());
    world.store().claim_webhook(worker, &[], now).await.expect("asked").expect("given");
    let round = async |now| {
        world.settled().await;
        world.store().round(&id, now, size(1_000)).await.expect("read").expect("there")
    };
    let first = round(now).await;
    let (all, _) = told(&world, None, 1_000).await;
    assert_eq!(first.page, all);
    assert!(first.due.is_empty() && first.held.is_empty() && first.again.is_empty() && !first.has_more);
    // A room is held up at its second entry, everything else was told.
    let of_the_room: Vec<&Told> =
        all.iter().filter(|told| told.entry.log.to_string() == rooms[0].to_string()).collect();
    let (log, later) = (of_the_room[1].at.log, Time::from_micros(now.as_micros() + 60_000_000));
    let settled = Settled {
        place: Some(all.last().expect("an entry").at),
        lanes: vec![(log, Lane::Held { seq: 2, attempts: 1, until: later })],
        attempts: vec![
            attempt(of_the_room[0].at, DeliveryOutcome::Delivered, now),
            attempt(of_the_room[1].at, DeliveryOutcome::Parked, now),
        ],
        ..Settled::default()
    };
    world.store().settle(worker, &id, &settled, world.moment()).await.expect("kept");
    let waits = round(now).await;
    assert!(waits.page.is_empty() && waits.due.is_empty());
    assert!(waits.held.contains(&log) && waits.webhook.held_logs == 1 && waits.webhook.parked == 1);
    world.posted("felix", rooms[0], "behind").await;
    let due = round(later).await;
    assert_eq!(due.page.len(), 1, "what is new comes in its order, too, and is passed over");
    let [held] = &due.due[..] else { panic!("one log: {due:?}") };
    assert_eq!((held.log, held.attempts, held.has_more), (log, 1, false));
    let expected: Vec<Told> = of_the_room[1..].iter().map(|told| (*told).clone()).collect();
    assert_eq!(held.entries, expected, "as far as the webhook has come elsewhere");
    let free = Settled { lanes: vec![(log, Lane::Free)], place: Some(due.page[0].at), ..Settled::default() };
    world.store().settle(worker, &id, &free, world.moment()).await.expect("kept");
    let nothing = round(later).await;
    assert!(nothing.page.is_empty() && nothing.due.is_empty() && nothing.held.is_empty());
    what_was_tried_can_be_sent_once_more(&world, &id, of_the_room[1], &settled.attempts[1]).await;
}

/// The second attempt of this webhook, at this entry, is kept as it was, and comes again in a round when it is asked for.
async fn what_was_tried_can_be_sent_once_more(world: &World, id: &WebhookId, entry: &Told, tried: &Attempt) {
    let (worker, now) = (Uuid::from_u128(1), world.now());
    let round = async || world.store().round(id, now, size(10)).await.expect("read").expect("there");
    let asked = Page { before: None, limit: 10 };
    let kept = world.store().deliveries(id, None, asked).await.expect("read");
    let numbers: Vec<u64> = kept.iter().map(|delivery| delivery.number.0).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(DeliveryView { number: DeliveryNumber(0), ..kept[0].clone() }, tried.view);
    world.store().deliver_again(id, DeliveryNumber(2), now).await.expect("asked for");
    assert!(world.store().deliver_again(id, DeliveryNumber(3), now).await.is_err());
    assert_eq!(round().await.again, [(DeliveryNumber(2), entry.clone())]);
    let done = Settled { again: vec![(DeliveryNumber(2), true)], ..Settled::default() };
    world.store().settle(worker, id, &done, world.moment()).await.expect("kept");
    assert!(round().await.again.is_empty());
    let kept = world
        .store()
        .deliveries(id, Some(DeliveryOutcome::Redelivered), Page { before: None, limit: 10 })
        .await;
    assert_eq!(kept.expect("read").len(), 1);
}

pub(super) async fn a_thousand_attempts_are_kept_and_what_is_parked_for_as_long_as_it_is(world: World) {
    world.room("garden", "felix").await;
    world.settled().await;
    let id = from_the_first(&world, "crm").await;
    let (worker, now) = (Uuid::from_u128(1), world.now());
    world.store().claim_webhook(worker, &[], now).await.expect("asked").expect("given");
    let (all, _) = told(&world, None, 100).await;
    let at = all.last().expect("an entry").at;
    let mut attempts = vec![attempt(at, DeliveryOutcome::Parked, now)];
    for _ in 0..3 {
        attempts.extend((0..400).map(|_| attempt(at, DeliveryOutcome::Delivered, now)));
        let settled = Settled { attempts: std::mem::take(&mut attempts), ..Settled::default() };
        world.store().settle(worker, &id, &settled, world.moment()).await.expect("kept");
    }
    let mut kept = Vec::new();
    let mut before = None;
    loop {
        let page = world.store().deliveries(&id, None, Page { before, limit: 200 }).await.expect("read");
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        kept.extend(page.iter().map(|delivery| delivery.number.0));
    }
    let expected: Vec<u64> = (202..=1_201).rev().chain([1]).collect();
    assert_eq!(kept, expected);
}

pub(super) async fn a_disabled_webhook_is_told_of_in_an_inbox_once_and_nobody_works_for_it(world: World) {
    world.rooms(1).await;
    world.settled().await;
    let id = from_the_first(&world, "crm").await;
    let (worker, now) = (Uuid::from_u128(1), world.now());
    world.store().claim_webhook(worker, &[], now).await.expect("asked").expect("given");
    let disabled = Settled { disabled: Some("it answered 410".to_owned()), ..Settled::default() };
    for expected in [1, 0] {
        let kept = world.store().settle(worker, &id, &disabled, world.moment()).await.expect("kept");
        let Kept::Yes { appended, goes_on: false } = kept else { panic!("{kept:?}") };
        assert_eq!(appended.len(), expected);
        assert!(appended.iter().all(|appended| &*appended.entry.kind == "webhook.disabled"));
    }
    world.store().leave_webhook(worker, &id).await.expect("left");
    assert_eq!(world.store().claim_webhook(worker, &[], now).await.expect("asked"), None);
    world.sound(&Log::Inbox(user("clara"))).await;
    let put = world.store().put_webhook(&id, &target(None), Begin::Now, now).await.expect("kept");
    assert_eq!(put.state, WebhookState::Disabled, "telling of it again does not enable it");
    let resumed = world.store().resume_webhook(&id).await.expect("done").expect("there");
    assert_eq!((resumed.state, resumed.because), (WebhookState::Active, None));
    assert!(world.store().claim_webhook(worker, &[], now).await.expect("asked").is_some());
}
