//! Many writers at once, as the port allows them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::job::JobStatus;
use tokio::task::JoinSet;

use super::deed::person;
use super::world::{Post, World, message_answer, refusal, told, user};
use crate::support::ask;

const TASKS: usize = 8;
const COMMITS: usize = 50;

pub(super) async fn of_many_writers_with_overlapping_ids_each_id_gets_one_number(world: World) {
    let rooms = world.rooms(3).await;
    let mut before = 0;
    for room in &rooms {
        before += world.entries(&Log::Room(*room)).await.len();
    }
    // Each post is tried by three or four of the writers.
    let posts: Vec<Post> = (0..TASKS * COMMITS / 2)
        .map(|number| {
            let name = if number % 2 == 0 { "clara" } else { "felix" };
            world.post(name, rooms[number % rooms.len()], &format!("{number}"))
        })
        .collect();
    let (world, posts) = (Arc::new(world), Arc::new(posts));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (world, posts) = (world.clone(), posts.clone());
        tasks.spawn(async move {
            let mut outcomes = Vec::new();
            for commit in 0..COMMITS {
                let first = (task / 2) * COMMITS + commit;
                let chosen = [first, first + 7, first + COMMITS].map(|number| number % posts.len());
                let batch: Vec<Post> = chosen.iter().map(|number| posts[*number].clone()).collect();
                let done = world.commit(&batch).await;
                outcomes.extend(chosen.into_iter().zip(done.into_iter().map(|done| done.expect("done"))));
            }
            outcomes
        });
    }
    let outcomes = tasks.join_all().await;
    let mut answers: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut written = BTreeSet::new();
    for (number, done) in outcomes.iter().flatten() {
        answers.entry(*number).or_default().insert(told(done));
        if !done.duplicate {
            let answer = message_answer(done);
            assert!(written.insert(*number), "{number} was written twice");
            assert_eq!(done.appended[0].entry.seq, answer.seq);
        }
    }
    assert_eq!(answers.len(), posts.len());
    assert!(answers.values().all(|answers| answers.len() == 1), "every repeat gets the same answer");
    assert_eq!(written.len(), posts.len());
    let mut after = 0;
    for room in &rooms {
        after += world.sound(&Log::Room(*room)).await.len();
    }
    assert_eq!(after, before + posts.len());
}

pub(super) async fn of_many_acceptances_at_once_one_opens_the_room(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), None)).await;
    let accept = ask::accept(sent.invitation.expect("its id"), None);
    let (world, mut tasks) = (Arc::new(world), JoinSet::new());
    for _ in 0..TASKS {
        let (world, accept) = (world.clone(), accept.clone());
        tasks.spawn(async move { world.act(&person("felix"), world.client_id(), &accept).await });
    }
    let (accepted, late): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(accepted.len(), 1);
    for late in late {
        assert_eq!(refusal(late.expect_err("late")), Refusal::WrongPhase(Phase::Active));
    }
    let rooms = world.store().rooms(&user("felix"), super::world::first(10)).await.expect("read");
    assert_eq!(rooms.len(), 1);
}
