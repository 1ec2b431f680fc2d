//! The ledger: a row is kept with the change that brings it about, its owner alone reads it, and of what the rows show the owner is told once.

use anteroom::domain::ledger::{How, Row};
use anteroom::domain::log::Log;
use anteroom::store::{LedgerItem, LedgerPlace, Page};
use anteroom_protocol::candidacy::CaseAnswer;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::ledger::{ResponseTime, Responsiveness};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use serde_json::json;

use super::deed::MARKETPLACE;
use super::story::{ACCEPT, ARCHIVE, DECLINE, SEND, SUBMIT, Step, told};
use super::world::{ALL, World, first, inbox, user};
use crate::support::ask;

const DAY: i64 = 24 * 60 * 60;
const FAST: Responsiveness =
    Responsiveness { response_time: ResponseTime::WithinADay, answered_within_24h: 100 };

/// After everything.
fn ever() -> Time {
    Time::from_micros(i64::MAX)
}

impl World {
    /// The rows of this person on this side, newest first.
    pub(super) async fn rows(&self, name: &str, side: Side) -> Vec<LedgerItem> {
        self.store().ledger(&user(name), side, first(ALL)).await.expect("read")
    }

    /// The steps on a job of their own.
    async fn on(&self, job: &str, steps: &[Step]) -> CaseAnswer {
        let job = self.job(job, "clara", JobStatus::Open).await;
        told(self, &job, steps).await
    }

    /// Whose figures are due at this time.
    async fn figures_due(&self, at: Time) -> Vec<(String, Side)> {
        let due = self.store().responsiveness_due(at, ALL).await.expect("read");
        due.into_iter().map(|(user, side)| (user.to_string(), side)).collect()
    }

    /// Tells what this person's rows show now, and when that can next change; how many entries that made.
    pub(super) async fn tells(
        &self,
        name: &str,
        shown: Option<Responsiveness>,
        again: Option<Time>,
    ) -> usize {
        let decide = |_: &[Row]| (shown, again);
        let (owner, moment) = (user(name), self.moment());
        let told = self.store().tell_responsiveness(
            (&owner, Side::Freelancer),
            Time::from_micros(0),
            moment,
            &decide,
        );
        told.await.expect("told").len()
    }

    /// What this person was told of the own figure, in order.
    async fn told_of_figures(&self, name: &str) -> Vec<serde_json::Value> {
        let entries = self.sound(&inbox(name)).await;
        let of_figures = entries.iter().filter(|entry| &*entry.kind == "responsiveness.changed");
        of_figures.map(|entry| serde_json::from_str(entry.public.json()).expect("JSON")).collect()
    }
}

pub(super) async fn a_row_is_kept_with_what_brings_it_about_and_its_owner_alone_reads_it(mut world: World) {
    let declined = world.on("one", &[SEND, ARCHIVE, DECLINE]).await;
    let accepted = world.on("two", &[SEND, ACCEPT]).await;
    let proposed = world.on("three", &[SUBMIT]).await;
    for _ in 0..2 {
        let [newest, oldest] = &world.rows("felix", Side::Freelancer).await[..] else { panic!("two rows") };
        for (item, case, job, how) in
            [(oldest, &declined, "one", How::Declined), (newest, &accepted, "two", How::Accepted)]
        {
            assert_eq!(
                (item.candidacy, item.invitation, item.proposal),
                (case.candidacy, case.invitation, None)
            );
            assert_eq!((item.job.id.as_str(), item.row.round, item.row.side), (job, 1, Side::Freelancer));
            let (felix, invitation) = (user("felix"), case.invitation.expect("its id"));
            let view = world
                .store()
                .invitation(&felix, invitation, world.now())
                .await
                .expect("read")
                .expect("theirs");
            assert_eq!((item.row.started_at, item.row.until), (view.sent_at, view.expires_at));
            let stop = item.row.stopped.expect("answered");
            assert_eq!((Some(stop.at), stop.how), (view.answered_at, how));
        }
        let [asked] = &world.rows("clara", Side::Client).await[..] else { panic!("one row") };
        assert_eq!(
            (asked.candidacy, asked.invitation, asked.proposal),
            (proposed.candidacy, None, proposed.proposal)
        );
        assert_eq!((asked.row.side, asked.row.stopped), (Side::Client, None));
        for (name, side) in
            [("felix", Side::Client), ("clara", Side::Freelancer), ("mallory", Side::Freelancer)]
        {
            assert_eq!(world.rows(name, side).await, [], "{name} {side:?}");
        }
        world.open_again().await;
    }
    world.job("three", "clara", JobStatus::Closed).await;
    world.all_happens().await;
    let closed = world.rows("clara", Side::Client).await[0].row.stopped.expect("closed");
    assert_eq!(closed.how, How::JobClosed);
}

pub(super) async fn pages_of_a_ledger_give_every_row_once_newest_first(world: World) {
    let mut sent = Vec::new();
    for number in 0..4 {
        sent.push(world.on(&format!("job-{number}"), &[SEND]).await);
    }
    world.wait(20 * DAY);
    world.all_happens().await;
    for case in &sent[..2] {
        world.done(MARKETPLACE, &ask::reopen(case.candidacy)).await;
    }
    let all = world.rows("felix", Side::Freelancer).await;
    let rounds: Vec<_> = all.iter().map(|item| (item.candidacy, item.row.round)).collect();
    let expected: Vec<_> = [(1, 2), (0, 2), (3, 1), (2, 1), (1, 1), (0, 1)]
        .map(|(at, round)| (sent[at].candidacy, round))
        .into();
    assert_eq!(rounds, expected);
    for limit in 1..=7 {
        let (mut paged, mut before): (Vec<LedgerItem>, Option<LedgerPlace>) = (Vec::new(), None);
        loop {
            let (felix, page) = (user("felix"), Page { before, limit });
            let page = world.store().ledger(&felix, Side::Freelancer, page).await.expect("read");
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            before = Some(last.place());
            paged.extend(page);
        }
        assert_eq!(paged, all, "by {limit}");
    }
    let middle = all[2].row.started_at;
    let window = world.store().ledger_window(&user("felix"), Side::Freelancer, middle).await.expect("read");
    assert_eq!(window, [all[0].row, all[1].row], "those that began after it");
}

pub(super) async fn whoever_s_row_changes_is_due_and_told_once_of_what_is_shown(mut world: World) {
    assert_eq!(world.figures_due(ever()).await, []);
    world.on("one", &[SEND]).await;
    assert_eq!(
        world.figures_due(ever()).await,
        [("felix".to_owned(), Side::Freelancer)],
        "the one who is asked"
    );
    assert_eq!(world.tells("felix", None, None).await, 0, "nothing was shown, and nothing is");
    assert_eq!(world.figures_due(ever()).await, []);

    world.on("two", &[SEND, DECLINE]).await;
    let in_a_week = world.same_moment().plus_seconds(7 * DAY);
    assert_eq!(world.figures_due(world.same_moment()).await.len(), 1, "many changes are one thing to do");
    assert_eq!(world.tells("felix", Some(FAST), Some(in_a_week)).await, 1);
    assert_eq!(world.tells("felix", None, None).await, 0, "it is not due, so it is not even looked at");
    world.open_again().await;
    assert_eq!(world.figures_due(Time::from_micros(in_a_week.as_micros() - 1)).await, []);
    assert_eq!(world.figures_due(in_a_week).await.len(), 1, "by itself, also after a restart");
    world.wait(8 * DAY);
    assert_eq!(world.tells("felix", Some(FAST), None).await, 0, "the same as before");
    assert_eq!(world.figures_due(ever()).await, []);

    world.on("three", &[SEND, ACCEPT]).await;
    assert_eq!(world.tells("felix", None, None).await, 1);
    let shown = json!({"response_time": "<24h", "answered_within_24h": 100});
    let expected = [json!({"side": "freelancer", "responsiveness": shown}), json!({"side": "freelancer"})];
    assert_eq!(world.told_of_figures("felix").await, expected);
    assert_eq!(world.told_of_figures("clara").await.len(), 0, "nobody else is told");
}

pub(super) async fn of_many_who_tell_at_once_one_does_and_it_counts_for_nothing_unread(world: World) {
    world.on("one", &[SEND, DECLINE]).await;
    let unread = async |world: &World| {
        let changes = world.store().changes(&user("felix"), None, ALL).await.expect("read");
        changes.items.iter().map(|change| change.unread).sum::<u64>()
    };
    let before = unread(&world).await;
    let (world, mut tasks) = (std::sync::Arc::new(world), tokio::task::JoinSet::new());
    for _ in 0..8 {
        let world = world.clone();
        tasks.spawn(async move {
            let decide = |rows: &[Row]| {
                assert_eq!(rows.len(), 1);
                (Some(FAST), None)
            };
            let (owner, moment) = (user("felix"), world.moment());
            let owner = (&owner, Side::Freelancer);
            world.store().tell_responsiveness(owner, Time::from_micros(0), moment, &decide).await
        });
    }
    let told: Vec<usize> = tasks.join_all().await.into_iter().map(|told| told.expect("told").len()).collect();
    assert_eq!(told.iter().sum::<usize>(), 1, "{told:?}");
    assert_eq!(unread(&world).await, before);
    let posted = world.on("two", &[SEND]).await;
    assert!(posted.invitation.is_some(), "the inbox goes on behind it");
    assert_eq!(unread(&world).await, before + 1);
    world.sound(&Log::Inbox(user("felix"))).await;
}
