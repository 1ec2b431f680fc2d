//! What happens by itself: told when its time has come, in order, and no more when it has happened.

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::store::{CaseKey, Due};
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::id::{CandidacyId, JobId};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::offer::OfferStatus;
use anteroom_protocol::time::Time;

use super::deed;
use super::story::{ACCEPT, ANSWER, ARCHIVE, COUNTER, OFFER, SEND, SIGN, SUBMIT, Step, told};
use super::world::{World, inbox, refusal, room_of};
use crate::support::ask;

const DAY: i64 = 24 * 60 * 60;

fn candidacies(due: &[Due]) -> Vec<CandidacyId> {
    due.iter()
        .map(|due| match due {
            Due::Candidacy(candidacy) => *candidacy,
            Due::Job(job) => panic!("{job} is due"),
        })
        .collect()
}

/// A candidacy for a job of its own, and when it is due.
async fn waiting(world: &World, job: &str, steps: &[Step]) -> (CandidacyId, Option<Time>) {
    let job = world.job(job, "clara", JobStatus::Open).await;
    let candidacy = told(world, &job, steps).await.candidacy;
    let case = world.look_at(&CaseKey::Candidacy(candidacy)).await;
    (candidacy, anteroom::domain::timer::due_at(&case))
}

pub(super) async fn what_is_due_is_told_the_longest_due_first_and_nothing_else(mut world: World) {
    let mut expected = Vec::new();
    for (job, steps) in [
        ("one", &[SUBMIT, ANSWER, COUNTER][..]),
        ("two", &[SEND]),
        ("three", &[SUBMIT, ANSWER, OFFER]),
        ("four", &[SEND, ARCHIVE]),
    ] {
        let (candidacy, due) = waiting(&world, job, steps).await;
        expected.push((candidacy, due.expect("it waits for something")));
        world.wait(DAY);
    }
    for (job, steps) in
        [("five", &[SUBMIT][..]), ("six", &[SUBMIT, ANSWER]), ("seven", &[SUBMIT, ANSWER, OFFER, SIGN])]
    {
        assert_eq!(waiting(&world, job, steps).await.1, None, "nothing happens by itself");
    }
    world.open_again().await;
    for (so_far, (_, at)) in expected.iter().enumerate() {
        let ids: Vec<CandidacyId> = expected[..=so_far].iter().map(|(candidacy, _)| *candidacy).collect();
        let before = Time::from_micros(at.as_micros() - 1);
        assert_eq!(candidacies(&world.due(before).await), ids[..so_far]);
        assert_eq!(candidacies(&world.due(*at).await), ids, "from its moment on");
    }
    let (ids, ever): (Vec<CandidacyId>, _) =
        (expected.iter().map(|(candidacy, _)| *candidacy).collect(), Time::from_micros(i64::MAX));
    for limit in 0..=4_u32 {
        let due = world.store().due(ever, limit).await.expect("read");
        assert_eq!(candidacies(&due), ids[..usize::try_from(limit).expect("small")], "at most {limit}");
    }
}

pub(super) async fn what_has_happened_is_due_no_more_and_happens_once(mut world: World) {
    for (job, steps, phase, kind) in [
        ("one", &[SEND][..], Phase::Expired, "invitation.expired"),
        ("two", &[SEND, ARCHIVE], Phase::Expired, "invitation.expired"),
        ("three", &[SUBMIT, ANSWER, COUNTER], Phase::Active, "terms.expired"),
        ("four", &[SUBMIT, ANSWER, OFFER], Phase::Active, "offer.expired"),
        ("five", &[SUBMIT, ANSWER, OFFER, COUNTER], Phase::Active, "offer.expired"),
    ] {
        let (candidacy, due) = waiting(&world, job, steps).await;
        let key = CaseKey::Candidacy(candidacy);
        world.wait(15 * DAY);
        assert_eq!(candidacies(&world.due(world.same_moment()).await), [candidacy], "{job}");
        let happened = world.happen(candidacy).await;
        assert!(happened.appended.iter().any(|appended| &*appended.entry.kind == kind), "{job}");
        assert!(happened.appended.iter().all(|appended| appended.entry.by.is_none()));
        let everything = world.everything().await;
        for _ in 0..2 {
            assert_eq!(world.due(Time::from_micros(i64::MAX)).await, [], "{job}");
            let moment = world.moment();
            let decide = |case| {
                let side = anteroom_protocol::user::Side::Client;
                deed::happens(case, moment.now).map(|decisions| (decisions, side))
            };
            let again = world.store().change(None, &key, moment, &decide).await;
            assert_eq!(refusal(again.expect_err("nothing is due")), Refusal::NotFound);
            world.open_again().await;
        }
        assert_eq!(world.everything().await, everything);
        let case = world.look_at(&key).await;
        assert!(due.is_some() && case.pending.is_none());
        assert_eq!(case.candidacy.expect("there").phase, phase, "{job}");
        assert!(case.offer.is_none_or(|offer| offer.status == OfferStatus::Expired));
    }
    for name in ["clara", "felix"] {
        world.sound(&inbox(name)).await;
    }
}

pub(super) async fn a_command_that_comes_first_leaves_nothing_due(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = told(&world, &job, &[SEND]).await;
    assert_eq!(world.due(Time::from_micros(i64::MAX)).await, [Due::Candidacy(sent.candidacy)]);
    world.done("felix", &ask::accept(sent.invitation.expect("its id"), None)).await;
    assert_eq!(world.due(Time::from_micros(i64::MAX)).await, []);
}

pub(super) async fn the_end_of_a_job_is_due_until_it_has_ended_all_that_it_ends(mut world: World) {
    let garden = world.job("garden", "clara", JobStatus::Open).await;
    let hired = told(&world, &garden, &[SEND, ACCEPT, OFFER, SIGN]).await;
    let talk = world.done("fiona", &ask::propose(&garden, ask::hourly(6_000))).await;
    let talk = world.done("clara", &ask::answer(talk.proposal.expect("its id"))).await;
    let invited = world.done("clara", &ask::invite(&garden, &super::world::user("dora"), None)).await;
    let roof = world.job("roof", "clara", JobStatus::Open).await;
    let elsewhere = told(&world, &roof, &[SUBMIT]).await;
    assert_eq!(world.due(world.same_moment()).await, []);

    world.job("garden", "clara", JobStatus::Filled).await;
    let mut open = vec![talk.candidacy, invited.candidacy];
    let ended = |job: &JobId| Due::Job(job.clone());
    while let Some(next) = open.first().copied() {
        let mut due = candidacies(&world.due(world.same_moment()).await);
        due.sort_unstable();
        assert_eq!(due, open);
        assert_eq!(world.store().due(world.same_moment(), 1).await.expect("read").len(), 1);
        world.store().job_ended(&garden).await.expect("asked too early");
        world.open_again().await;
        assert_eq!(world.due(world.same_moment()).await.len(), open.len(), "it is not over");
        world.happen(next).await;
        open.remove(0);
    }
    assert_eq!(world.due(world.same_moment()).await, [ended(&garden)]);
    world.store().job_ended(&garden).await.expect("kept");
    assert_eq!(world.due(world.same_moment()).await, []);
    for (case, phase) in [(&hired, Phase::Hired), (&talk, Phase::Closed), (&elsewhere, Phase::Submitted)] {
        let found = world.look_at(&CaseKey::Candidacy(case.candidacy)).await;
        assert_eq!(found.candidacy.expect("there").phase, phase);
    }
    world.sound(&Log::Room(room_of(&talk))).await;

    world.job("roof", "clara", JobStatus::Closed).await;
    world.job("roof", "clara", JobStatus::Open).await;
    let due = world.due(world.same_moment()).await;
    assert_eq!(
        due,
        [Due::Candidacy(elsewhere.candidacy)],
        "it is not opened before it has ended all of them"
    );
    world.happen(elsewhere.candidacy).await;
    world.job("roof", "clara", JobStatus::Open).await;
    assert_eq!(world.due(world.same_moment()).await, [], "a job that is open again ends nothing");
}

/// A candidacy whose own time had come on a job that had ended was told twice, and jobs behind whatever had its own time.
pub(super) async fn regression_what_is_due_for_two_reasons_is_told_once_and_in_its_order(world: World) {
    let (roof, garden): (JobId, JobId) =
        ("roof".parse().expect("a job id"), "garden".parse().expect("a job id"));
    let (offered, _) = waiting(&world, "roof", &[SUBMIT, ANSWER, OFFER]).await;
    world.wait(15 * DAY);
    world.job("roof", "clara", JobStatus::Closed).await;
    assert_eq!(world.due(world.same_moment()).await, [Due::Candidacy(offered)]);
    assert_eq!(world.happen(offered).await.appended.len(), 7, "both, in one go");
    world.job("garden", "clara", JobStatus::Closed).await;
    let (invited, _) = waiting(&world, "cellar", &[SEND]).await;
    world.wait(15 * DAY);
    let expected = [Due::Job(roof), Due::Job(garden), Due::Candidacy(invited)];
    assert_eq!(world.due(world.same_moment()).await, expected);
    for limit in 0..3_u32 {
        let due = world.store().due(world.same_moment(), limit).await.expect("read");
        assert_eq!(due, expected[..usize::try_from(limit).expect("small")]);
    }
}

pub(super) async fn what_is_due_happens_once_however_many_look(world: World) {
    let (candidacy, _) = waiting(&world, "garden", &[SUBMIT, ANSWER, OFFER]).await;
    world.wait(15 * DAY);
    let (world, mut tasks) = (std::sync::Arc::new(world), tokio::task::JoinSet::new());
    for _ in 0..8 {
        let world = world.clone();
        tasks.spawn(async move {
            let moment = world.moment();
            let side = anteroom_protocol::user::Side::Client;
            let decide = |case| deed::happens(case, moment.now).map(|decisions| (decisions, side));
            world.store().change(None, &CaseKey::Candidacy(candidacy), moment, &decide).await
        });
    }
    let (happened, late): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(happened.len(), 1);
    for late in late {
        assert_eq!(refusal(late.expect_err("late")), Refusal::NotFound);
    }
    let room = world.look_at(&CaseKey::Candidacy(candidacy)).await.candidacy.and_then(|it| it.room);
    let entries = world.sound(&Log::Room(room.expect("a room"))).await;
    assert_eq!(entries.iter().filter(|entry| &*entry.kind == "offer.expired").count(), 1);
}
