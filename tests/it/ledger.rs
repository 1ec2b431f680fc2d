//! Response speed over a year: every rule of the ledger has its row and its reason, the figure comes and goes with them, and its owner is
//! told once of each change.

use std::collections::BTreeMap;

use anteroom::app::timer::look;
use anteroom::clock::Clock as _;
use anteroom_load_tests::client::{Case, new_client_id};
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{CandidacyId, InvitationId, ProposalId};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::ledger::LedgerReason::{
    self, Accepted, Declined, Expired, JobClosed, Overdue, Removed, Reported, Retracted, Withdrawn,
    WithdrawnEarly,
};
use anteroom_protocol::ledger::LedgerVerdict::{self, Answered, Unanswered, Void, Waiting};
use anteroom_protocol::ledger::{LedgerPage, LedgerRow, ProfileView};
use anteroom_protocol::user::Side;
use serde_json::{Value, json};

use crate::support::{Door, Person, Scene, ask};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The owner's whole ledger on this side, by pages of three, and the figure that stands on each of them.
async fn ledger(owner: &Person, side: &str) -> LedgerPage {
    let path = format!("/v1/me/ledger?side={side}&limit=3");
    let mut all: LedgerPage = owner.see(&path).await;
    while let Some(next) = all.next.take() {
        let page: LedgerPage = owner.see(&format!("{path}&before={next}")).await;
        assert_eq!(page.figure, all.figure);
        all.items.extend(page.items);
        all.next = page.next;
    }
    let newest_first = |pair: &[LedgerRow]| pair[0].started_at >= pair[1].started_at;
    assert!(all.items.windows(2).all(newest_first));
    all
}

/// What a row says: whether it counts and why, and after how many seconds it was answered.
type Says = (LedgerVerdict, LedgerReason, Option<u64>);

/// By candidacy and round.
fn by_case(page: &LedgerPage) -> BTreeMap<(CandidacyId, u32), Says> {
    let says = |row: &LedgerRow| {
        assert_eq!(row.counts, matches!(row.verdict, Answered | Unanswered));
        assert_eq!(row.stopped_at.is_none(), row.verdict == Waiting);
        ((row.candidacy, row.round), (row.verdict, row.reason, row.response_seconds))
    };
    let all: BTreeMap<_, _> = page.items.iter().map(says).collect();
    assert_eq!(all.len(), page.items.len(), "each once");
    all
}

/// What the inbox was told of the figure, in order.
async fn told(owner: &Person) -> Vec<Value> {
    let entries = owner.inbox().await;
    entries.iter().filter(|entry| entry.kind == "responsiveness.changed").map(|entry| entry.data()).collect()
}

async fn profile(reader: &Person, of: &Person) -> ProfileView {
    reader.see(&format!("/v1/users/{}/profile", of.user)).await
}

impl Scene {
    /// An invitation to a job of its own.
    async fn invited_to(&mut self, job: &str) -> (Case, InvitationId) {
        self.job = self.another_job(job).await;
        self.invited(None).await
    }

    /// A proposal to a job of its own.
    async fn proposed_to(&mut self, job: &str) -> (Case, ProposalId) {
        self.job = self.another_job(job).await;
        self.proposed().await
    }

    async fn pass(&self, seconds: i64) {
        self.server.clock.advance_seconds(seconds);
        while look(self.server.app()).await.expect("looked") {}
    }

    async fn the_marketplace(&self, command: &anteroom_protocol::command::Command) -> Case {
        self.server.marketplace.service().command(new_client_id(), command).await.expect("done")
    }
}

/// Fourteen invitations, and what becomes of each until the second day.
async fn two_days(scene: &mut Scene) -> Vec<(Case, InvitationId)> {
    let mut all = Vec::new();
    for number in 0..14 {
        all.push(scene.invited_to(&format!("job-{number}")).await);
    }
    let id = |number: usize| all[number].1;
    scene.pass(HOUR).await;
    for (number, command) in [
        (0, ask::accept(id(0), None)),
        (2, ask::report_invitation(id(2), None)),
        (7, ask::decline(id(7), DeclineReason::TooBusy, None)),
        (8, ask::accept(id(8), None)),
        (12, ask::report_invitation(id(12), None)),
        (13, ask::propose(&crate::support::id("job-13"), ask::hourly(7_000))),
        (3, ask::archive(id(3))),
    ] {
        assert_eq!(scene.freelancer.case(command).await.candidacy, all[number].0.candidacy);
    }
    scene.pass(22 * HOUR).await;
    scene.client.case(ask::withdraw(id(5))).await;
    scene.client.case(ask::withdraw(id(12))).await;
    let retracted = scene.client.case(ask::retract(id(7))).await;
    assert_eq!(retracted.phase, Phase::Declined, "it ends nothing and begins nothing");
    let [waits, reported] = [id(1), id(2)].map(ask::retract);
    let waits = scene.client.refused_with(ErrorCode::WrongPhase, waits).await;
    let reported = scene.client.refused_with(ErrorCode::WrongPhase, reported).await;
    assert_eq!(waits, reported, "that it was reported is nothing its client learns");
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::retract(id(7))).await;
    scene.pass(HOUR).await;
    scene.client.refused_with(ErrorCode::LedgerFinal, ask::retract(id(8))).await;
    scene.client.case(ask::retract(id(7))).await;
    scene.pass(HOUR).await;
    scene.client.case(ask::withdraw(id(6))).await;
    scene.job = crate::support::id("job-9");
    scene.job_is(JobStatus::Closed).await;
    scene.the_marketplace(&ask::remove_invitation(id(10))).await;
    scene.pass(23 * HOUR).await;
    scene.freelancer.case(ask::decline(id(1), DeclineReason::TooBusy, None)).await;
    scene.freelancer.case(ask::accept(id(2), None)).await;
    all
}

/// The spring: every invitation of a freelancer has its row and its reason.
async fn invitations(scene: &mut Scene) {
    let all = two_days(scene).await;
    scene.pass(18 * DAY).await;
    scene.the_marketplace(&ask::reopen(all[11].0.candidacy)).await;
    scene.pass(HOUR).await;
    scene.freelancer.case(ask::decline(all[11].1, DeclineReason::TooBusy, None)).await;
    scene.pass(0).await;

    let page = ledger(&scene.freelancer, "freelancer").await;
    let an_hour = Some(3_600);
    let expected = [
        (0, 1, (Answered, Accepted, an_hour)),
        (1, 1, (Answered, Declined, Some(48 * 3_600))),
        (2, 1, (Answered, Reported, an_hour)),
        (3, 1, (Unanswered, Expired, None)),
        (4, 1, (Unanswered, Expired, None)),
        (5, 1, (Void, WithdrawnEarly, None)),
        (6, 1, (Unanswered, Withdrawn, None)),
        (7, 1, (Void, Retracted, None)),
        (8, 1, (Answered, Accepted, an_hour)),
        (9, 1, (Void, JobClosed, None)),
        (10, 1, (Void, Removed, None)),
        (11, 1, (Unanswered, Expired, None)),
        (11, 2, (Answered, Declined, an_hour)),
        (12, 1, (Void, Retracted, None)),
        (13, 1, (Answered, Accepted, an_hour)),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(number, round, says)| ((all[number].0.candidacy, round), says)).collect();
    assert_eq!(by_case(&page), expected);
    for row in &page.items {
        assert_eq!((row.side, row.proposal, row.in_window), (Side::Freelancer, None, true));
        assert_eq!(
            all.iter().find(|(case, _)| case.candidacy == row.candidacy).map(|it| it.1),
            row.invitation
        );
        assert_eq!(row.final_at, row.started_at.plus_seconds(DAY));
        if row.reason == Expired {
            assert_eq!(row.stopped_at, Some(row.started_at.plus_seconds(14 * DAY)), "when it was due");
        }
    }
    let figure = &page.figure;
    assert_eq!((figure.counted, figure.answered_within_24h), (10, 5));
    assert_eq!(figure.median_seconds, Some(24 * 3_600 + 1_800), "between the fifth and the sixth");
    assert_eq!(json!(figure.shown), json!({"response_time": "<3d", "answered_within_24h": 50}));
    assert_eq!(ledger(&scene.client, "client").await.items, [], "the proposals that came of it asked nobody");
    assert_eq!(ledger(&scene.client, "freelancer").await.items, []);
    assert_eq!(profile(&scene.client, &scene.freelancer).await.as_freelancer, figure.shown);
}

/// The autumn: every proposal to a client has its row and its reason.
async fn proposals(scene: &mut Scene) {
    let mut all = Vec::new();
    for number in 0..7 {
        all.push(scene.proposed_to(&format!("autumn-{number}")).await);
    }
    let id = |number: usize| all[number].1;
    scene.pass(HOUR).await;
    scene.client.case(ask::answer(id(0))).await;
    scene.client.case(ask::decline_proposal(id(1))).await;
    scene.client.case(ask::archive_proposal(id(2))).await;
    scene.pass(22 * HOUR).await;
    scene.freelancer.case(ask::withdraw_proposal(id(3))).await;
    scene.pass(2 * HOUR).await;
    scene.freelancer.case(ask::withdraw_proposal(id(4))).await;
    scene.job = crate::support::id("autumn-5");
    scene.job_is(JobStatus::Filled).await;
    scene.pass(23 * HOUR).await;
    scene.client.say(ask::decline_each(vec![all[6].0.candidacy])).await.expect("declined");
    scene.pass(0).await;
    scene.pass(28 * DAY).await;
    assert_eq!(scene.client.case(ask::answer(id(2))).await.phase, Phase::Active, "late, and still an answer");
    scene.pass(HOUR).await;

    let page = ledger(&scene.client, "client").await;
    let expected = [
        (Answered, LedgerReason::Answered, Some(3_600)),
        (Answered, Declined, Some(3_600)),
        (Unanswered, Overdue, None),
        (Void, WithdrawnEarly, None),
        (Unanswered, Withdrawn, None),
        (Unanswered, JobClosed, None),
        (Answered, Declined, Some(48 * 3_600)),
    ];
    let expected: BTreeMap<_, _> =
        all.iter().zip(expected).map(|((case, _), says)| ((case.candidacy, 1), says)).collect();
    assert_eq!(by_case(&page), expected);
    for row in &page.items {
        assert_eq!((row.side, row.invitation), (Side::Client, None));
        assert_eq!(row.until, row.started_at.plus_seconds(30 * DAY));
        if row.reason == Overdue {
            assert_eq!(row.stopped_at, Some(row.until), "when it was due, and not when it was answered");
        }
    }
    let text = serde_json::to_string(&page).expect("JSON");
    assert!(!text.contains("fee") && !text.contains("take_home") && !text.contains("7000"), "{text}");
    scene.pass(90 * DAY).await;
    assert_eq!(
        told(&scene.client).await,
        [
            json!({"side": "client", "responsiveness": {"response_time": "<3d", "answered_within_24h": 40}}),
            json!({"side": "client", "responsiveness": {"response_time": "3d+", "answered_within_24h": 33}}),
            json!({"side": "client"}),
        ],
        "at the fifth, when the time of one is over, and when all are too old"
    );
    let page = ledger(&scene.client, "client").await;
    assert_eq!((page.items.len(), page.figure.counted), (7, 0), "the rows stay");
    assert!(page.items.iter().all(|row| !row.in_window));
}

/// Both ledgers, whose rows and figures a restart leaves as they are.
async fn restarted(scene: Scene) -> Scene {
    let before = (ledger(&scene.freelancer, "freelancer").await, ledger(&scene.client, "client").await);
    let notices = (told(&scene.freelancer).await, told(&scene.client).await);
    let scene = scene.restarted(Door::Http).await;
    scene.pass(0).await;
    let after = (ledger(&scene.freelancer, "freelancer").await, ledger(&scene.client, "client").await);
    assert_eq!(after, before);
    assert_eq!((told(&scene.freelancer).await, told(&scene.client).await), notices);
    scene
}

#[tokio::test]
async fn over_a_year_every_rule_has_its_row_and_its_reason_and_keeps_it() {
    let mut scene = Scene::new(Door::Http).await;
    let began = scene.server.clock.now();
    invitations(&mut scene).await;
    let spring = by_case(&ledger(&scene.freelancer, "freelancer").await);
    let mut scene = restarted(scene).await;

    scene.pass(100 * DAY).await;
    let summer = ledger(&scene.freelancer, "freelancer").await;
    assert_eq!(by_case(&summer), spring, "what was, stays");
    assert!(summer.items.iter().all(|row| !row.in_window) && summer.figure.shown.is_none());

    proposals(&mut scene).await;
    let autumn = by_case(&ledger(&scene.client, "client").await);
    // Some wait while the server is down, and one whose time is over meanwhile.
    let (late, _) = scene.invited_to("winter-0").await;
    for number in 1..6 {
        scene.invited_to(&format!("winter-{number}")).await;
    }
    let mut scene = restarted(scene).await;
    for invitation in scene.freelancer.list("/v1/invitations?status=pending").await {
        if invitation["candidacy"] != json!(late.candidacy) {
            let id = serde_json::from_value(invitation["id"].clone()).expect("an id");
            scene.freelancer.case(ask::accept(id, None)).await;
        }
    }
    scene.pass(HOUR).await;
    let shown = profile(&scene.client, &scene.freelancer).await.as_freelancer;
    assert_eq!(json!(shown), json!({"response_time": "<24h", "answered_within_24h": 100}));
    let scene = scene.restarted_after(15 * DAY, Door::Http).await;
    scene.pass(0).await;
    let winter = by_case(&ledger(&scene.freelancer, "freelancer").await);
    assert_eq!(winter[&(late.candidacy, 1)], (Unanswered, Expired, None));
    let shown = profile(&scene.client, &scene.freelancer).await.as_freelancer;
    assert_eq!(json!(shown), json!({"response_time": "<24h", "answered_within_24h": 83}));

    let a_year = began.plus_seconds(365 * DAY);
    let left = a_year.as_seconds() - scene.server.clock.now().as_seconds();
    assert!(left > 60 * DAY, "{left} s of the year are left");
    scene.pass(left).await;
    let last = by_case(&ledger(&scene.freelancer, "freelancer").await);
    assert_eq!(last, winter, "every row of the year, as it was");
    assert!(spring.iter().all(|(row, says)| last[row] == *says) && last.len() == spring.len() + 6);
    assert_eq!(by_case(&ledger(&scene.client, "client").await), autumn);
    restarted(scene).await;
}

/// A client who takes an invitation back every day and asks again makes one row of it, not one a day.
#[tokio::test]
async fn what_is_taken_back_and_asked_again_is_one_asking() {
    let mut scene = Scene::new(Door::Http).await;
    let (case, invitation) = scene.invited_to("job").await;
    for _ in 0..3 {
        scene.pass(25 * HOUR).await;
        scene.client.case(ask::withdraw(invitation)).await;
        let row = ((case.candidacy, 1), (Unanswered, Withdrawn, None));
        assert_eq!(by_case(&ledger(&scene.freelancer, "freelancer").await), BTreeMap::from([row]));
        scene.client.case(ask::reopen(case.candidacy)).await;
    }
    scene.pass(HOUR).await;
    scene.freelancer.case(ask::accept(invitation, None)).await;
    let row = ((case.candidacy, 1), (Answered, Accepted, Some(3_600)));
    assert_eq!(by_case(&ledger(&scene.freelancer, "freelancer").await), BTreeMap::from([row]));
}

#[tokio::test]
async fn a_figure_appears_changes_and_goes_and_is_told_once_each_also_over_a_restart() {
    let mut scene = Scene::new(Door::Http).await;
    for number in 0..5 {
        assert_eq!(profile(&scene.client, &scene.freelancer).await.as_freelancer, None, "after {number}");
        let (_, invitation) = scene.invited_to(&format!("job-{number}")).await;
        scene.freelancer.case(ask::accept(invitation, None)).await;
        scene.pass(HOUR).await;
    }
    let unread = unread(&scene.freelancer).await;
    let shown = json!({"side": "freelancer", "responsiveness": {"response_time": "<24h", "answered_within_24h": 100}});
    assert_eq!(told(&scene.freelancer).await, std::slice::from_ref(&shown));
    assert_eq!(unread, 5, "five invitations; the freelancer's own doings and the figure count for nothing");
    let before = ledger(&scene.freelancer, "freelancer").await;

    let mut scene = scene.restarted(Door::Http).await;
    scene.pass(0).await;
    assert_eq!(ledger(&scene.freelancer, "freelancer").await, before);
    assert_eq!(told(&scene.freelancer).await, std::slice::from_ref(&shown));
    assert_eq!(json!(profile(&scene.client, &scene.freelancer).await.as_freelancer), shown["responsiveness"]);
    let (_, slow) = scene.invited_to("job-5").await;
    scene.pass(4 * DAY).await;
    assert_eq!(told(&scene.freelancer).await.len(), 1, "what waits does not count");
    scene.freelancer.case(ask::decline(slow, DeclineReason::TooBusy, None)).await;
    scene.pass(HOUR).await;
    let less =
        json!({"side": "freelancer", "responsiveness": {"response_time": "<24h", "answered_within_24h": 83}});
    assert_eq!(told(&scene.freelancer).await, [shown.clone(), less.clone()]);

    // The first of the five leaves ninety days after it was sent, and the second an hour later.
    scene.pass(85 * DAY + 18 * HOUR).await;
    let fewer =
        json!({"side": "freelancer", "responsiveness": {"response_time": "<24h", "answered_within_24h": 80}});
    assert_eq!(told(&scene.freelancer).await, [shown.clone(), less.clone(), fewer.clone()]);
    let scene = scene.restarted(Door::Http).await;
    scene.pass(HOUR).await;
    let gone = json!({"side": "freelancer"});
    for _ in 0..2 {
        scene.pass(30 * DAY).await;
        assert_eq!(told(&scene.freelancer).await, [&shown, &less, &fewer, &gone].map(Clone::clone));
        assert_eq!(profile(&scene.client, &scene.freelancer).await.as_freelancer, None);
    }
}

/// What is unread in the own inbox.
async fn unread(person: &Person) -> u64 {
    let changes: Value = person.see("/v1/changes").await;
    let items = changes["items"].as_array().expect("items");
    items.iter().find(|it| it["room"] == "inbox").and_then(|it| it["unread"].as_u64()).expect("the inbox")
}

#[tokio::test]
async fn two_devices_that_answer_at_once_answer_once_and_their_socket_hears_of_the_figure() {
    let mut scene = Scene::new(Door::Socket).await;
    for number in 0..5 {
        let (_, invitation) = scene.invited_to(&format!("job-{number}")).await;
        let mut other = scene.freelancer.socket_at(&scene.server, Vec::new()).await;
        let decline = ask::decline(invitation, DeclineReason::TooBusy, None);
        let (one, two) = tokio::join!(
            scene.freelancer.say(ask::accept(invitation, None)),
            other.command(new_client_id(), decline)
        );
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    }
    let page = ledger(&scene.freelancer, "freelancer").await;
    assert_eq!((page.items.len(), page.figure.counted, page.figure.answered_within_24h), (5, 5, 5));
    scene.pass(0).await;
    let heard = loop {
        let heard = scene.freelancer.hears(anteroom_protocol::id::RoomRef::Inbox).await;
        if heard.kind == "responsiveness.changed" {
            break heard;
        }
    };
    assert_eq!((heard.by.as_ref(), heard.client_id), (None, None));
    assert_eq!(heard.data()["responsiveness"]["response_time"], "<24h");
}

#[tokio::test]
async fn a_ledger_is_its_owners_alone_and_a_profile_is_for_everybody_who_has_a_token() {
    let mut scene = Scene::new(Door::Http).await;
    for number in 0..4 {
        scene.invited_to(&format!("job-{number}")).await;
    }
    let page: LedgerPage = scene.freelancer.see("/v1/me/ledger?limit=2").await;
    assert_eq!(
        (page.side, page.items.len()),
        (Side::Freelancer, 2),
        "one's own as a freelancer, unless one asks"
    );
    let next = page.next.expect("there are more");
    let stranger = Person::arrive(&scene.server, "mallory", Door::Http).await;
    for path in ["/v1/me/ledger".to_owned(), format!("/v1/me/ledger?before={next}")] {
        let seen: LedgerPage = stranger.see(&path).await;
        assert_eq!((seen.items, seen.figure.counted, seen.next), (Vec::new(), 0, None));
    }
    let refused = stranger.http.get::<Value>("/v1/me/ledger?before=nonsense").await.expect_err("refused");
    assert_eq!(crate::support::problem(&refused).code, ErrorCode::BadRequest);
    let refused = stranger.http.get::<Value>("/v1/users/nobody/profile").await.expect_err("refused");
    assert_eq!(crate::support::problem(&refused).code, ErrorCode::NotFound);
    let expected = json!({"user": "felix", "name": "felix"});
    assert_eq!(stranger.see::<Value>("/v1/users/felix/profile").await, expected);
    let service = scene.server.marketplace.service();
    assert_eq!(service.get::<Value>("/v1/users/felix/profile").await.expect("seen"), expected);
}
