//! Versions of terms: one behind the other, each kept as it was proposed, and shown as it stands now.

use std::sync::Arc;

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom_protocol::candidacy::CaseAnswer;
use anteroom_protocol::command::Command;
use anteroom_protocol::terms::{TermsStatus, TermsView};
use anteroom_protocol::user::Side;
use tokio::task::JoinSet;

use super::deed::person;
use super::story::{AGREE, ANSWER, ASK_FOR, COUNTER, SUBMIT, Step, newest, stage, told};
use super::world::{World, case_answer, refusal, room_of, user};
use crate::support::ask;

const TASKS: i64 = 8;

pub(super) async fn of_many_versions_that_follow_the_same_one_exactly_one_is_kept(world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER]).await;
    let (world, mut tasks) = (Arc::new(world), JoinSet::new());
    for task in 0..TASKS {
        let name = if task % 2 == 0 { "clara" } else { "felix" };
        let propose = ask::propose_terms(case.candidacy, newest(&case).0, ask::hourly(6_000 + task));
        let world = world.clone();
        tasks.spawn(async move { world.act(&person(name), world.client_id(), &propose).await });
    }
    let (kept, late): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(kept.len(), 1);
    let kept = case_answer(kept[0].as_ref().expect("kept"));
    for late in late {
        let (version, hash) = newest(&kept);
        let stale = Refusal::TermsStale { version, hash: Some(hash) };
        assert_eq!(refusal(late.expect_err("late")), stale, "it is told what came first");
    }
    let versions = world.store().terms(&user("felix"), case.candidacy).await.expect("read").expect("his");
    assert_eq!(versions.iter().map(|view| view.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((versions[0].version, versions[0].hash), newest(&kept));
    let entries = world.sound(&Log::Room(room_of(&case))).await;
    assert_eq!(entries.iter().filter(|entry| &*entry.kind == "terms.proposed").count(), 2);
}

/// Goes a step further.
async fn step(world: &World, case: &CaseAnswer, (name, command): Step) -> CaseAnswer {
    let job = "garden".parse().expect("a job id");
    let command: Command = command(&job, case);
    world.done(name, &command).await
}

/// Each version as both sides see it, the newest first.
async fn versions(world: &World, case: &CaseAnswer) -> Vec<TermsView> {
    let mut seen = Vec::new();
    for name in ["clara", "felix"] {
        let views = world.store().terms(&user(name), case.candidacy).await.expect("read").expect("theirs");
        let without_fee = views.into_iter().map(|view| TermsView { fee: None, ..view });
        seen.push(without_fee.collect::<Vec<_>>());
    }
    assert_eq!(seen[0], seen[1]);
    seen.remove(0)
}

pub(super) async fn versions_are_listed_newest_first_each_as_it_stands_now(mut world: World) {
    use TermsStatus::{Past, Pending, Standing};
    let job = stage(&world).await;
    let mut case = told(&world, &job, &[SUBMIT, ANSWER]).await;
    let mut before: Vec<TermsView> = versions(&world, &case).await;
    assert_eq!((before.len(), before[0].status, before[0].by), (1, Some(Standing), Side::Freelancer));
    for (next, by, expected) in [
        (COUNTER, Side::Client, &[Pending, Standing][..]),
        (AGREE, Side::Client, &[Standing, Past]),
        (ASK_FOR, Side::Freelancer, &[Standing, Past, Past]),
        (COUNTER, Side::Client, &[Pending, Standing, Past, Past]),
    ] {
        case = step(&world, &case, next).await;
        world.open_again().await;
        let now = versions(&world, &case).await;
        let statuses: Vec<TermsStatus> = now.iter().map(|view| view.status.expect("said")).collect();
        assert_eq!(statuses, expected);
        assert_eq!((now[0].version, now[0].hash, now[0].by), (newest(&case).0, newest(&case).1, by));
        assert_eq!(now[0].expires_at.is_some(), by == Side::Client, "only the client's has an end");
        let same = now.iter().rev().zip(before.iter().rev());
        assert!(
            same.clone().all(|(now, before)| TermsView { status: before.status, ..now.clone() } == *before)
        );
        let candidacy = world.store().candidacy(&user("clara"), case.candidacy).await.expect("read");
        let candidacy = candidacy.expect("hers");
        let with = |status| now.iter().find(|view| view.status == Some(status)).cloned();
        assert_eq!((candidacy.terms, candidacy.counter), (with(Standing), with(Pending)));
        before = now;
    }
}
