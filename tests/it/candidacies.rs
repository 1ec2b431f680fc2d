//! Candidacies by the dozen, and what is taken back, reported and removed; each through both doors.

use anteroom_load_tests::client::{Case, new_client_id};
use anteroom_protocol::candidacy::{CandidacyView, CasesAnswer, ClientMark, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::CandidacyId;
use anteroom_protocol::invitation::{DeclineReason, InvitationStatus, InvitationView};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::report::ReportView;
use anteroom_protocol::user::UserStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Door, Person, Scene, ask, kinds, over_both_doors};

over_both_doors![
    a_client_turns_many_down_at_once_each_for_itself,
    a_client_sorts_many_at_once_and_nobody_else_learns_of_it,
    the_side_that_ended_a_candidacy_reopens_it_while_the_job_is_open,
    an_invitation_that_was_reopened_is_answered_like_a_new_one,
    what_the_marketplace_or_time_has_ended_the_marketplace_reopens,
    a_report_reaches_the_marketplace_alone,
    an_invitation_that_the_marketplace_removes_is_read_by_nobody,
    regression_an_invitation_that_was_answered_is_removed_as_well,
];

/// What the marketplace's own systems do.
async fn tells(scene: &Scene, command: &Command) -> Case {
    scene.server.marketplace.service().command(new_client_id(), command).await.expect("done")
}

async fn candidates(scene: &mut Scene, how_many: usize) -> Vec<(Person, Case)> {
    let mut all = Vec::new();
    for number in 0..how_many {
        let mut person = Person::arrive(&scene.server, &format!("candidate-{number}"), Door::Http).await;
        let case = person.case(ask::propose(&scene.job, ask::hourly(7_000))).await;
        all.push((person, case));
    }
    all
}

async fn cases(person: &mut Person, command: Command) -> CasesAnswer {
    let answer = person.say(command).await.expect("done");
    serde_json::from_value(answer).expect("cases")
}

async fn a_client_turns_many_down_at_once_each_for_itself(mut scene: Scene) {
    let all = candidates(&mut scene, 100).await;
    scene.client.case(ask::answer(all[1].1.proposal.expect("its id"))).await;
    scene.client.case(ask::decline_proposal(all[2].1.proposal.expect("its id"))).await;
    let mut ids: Vec<CandidacyId> = all.iter().map(|(_, case)| case.candidacy).collect();
    ids[3] = CandidacyId(Uuid::nil());
    scene.freelancer.refused_with(ErrorCode::BadRequest, ask::decline_each(Vec::new())).await;
    let too_many = ids.iter().copied().chain([ids[0]]).collect();
    scene.client.refused_with(ErrorCode::BadRequest, ask::decline_each(too_many)).await;
    let strangers = cases(&mut scene.freelancer, ask::decline_each(ids.clone())).await;
    assert!(strangers.items.iter().all(|item| item.error == Some(ErrorCode::NotFound)), "{strangers:?}");

    let id = new_client_id();
    let first = scene.client.say_as(id, ask::decline_each(ids.clone())).await.expect("done");
    let answer: CasesAnswer = serde_json::from_value(first.clone()).expect("cases");
    assert_eq!(answer.items.iter().map(|item| item.candidacy).collect::<Vec<_>>(), ids);
    for (at, item) in answer.items.iter().enumerate() {
        let expected = match at {
            2 => (None, Some(ErrorCode::WrongPhase)),
            3 => (None, Some(ErrorCode::NotFound)),
            _ => (Some(Phase::Declined), None),
        };
        assert_eq!((item.phase, item.error), expected, "{at}");
    }
    let mut again = scene.client.say_as(id, ask::decline_each(ids)).await.expect("known");
    assert_eq!(again["duplicate"], true);
    again["duplicate"] = false.into();
    assert_eq!(again, first, "a repeat gets the same answer");
    for at in [0, 1, 99] {
        let told = all[at].0.inbox().await;
        let kind = if at == 1 { "phase.changed" } else { "proposal.declined" };
        assert_eq!(kinds(&told).last(), Some(&kind));
        assert_eq!(kinds(&told).iter().filter(|told| **told == kind).count(), 1);
    }
    assert_eq!(scene.client.list("/v1/candidacies?phase=submitted").await.len(), 1);
}

async fn a_client_sorts_many_at_once_and_nobody_else_learns_of_it(mut scene: Scene) {
    let mut all = candidates(&mut scene, 5).await;
    let ids: Vec<CandidacyId> = all.iter().map(|(_, case)| case.candidacy).collect();
    let before = all[0].0.inbox().await.len();
    cases(&mut scene.client, ask::mark_each(ids[..3].to_vec(), Some(ClientMark::Shortlisted))).await;
    scene.client.case(ask::archive_proposal(all[4].1.proposal.expect("its id"))).await;
    let listed = async |scene: &Scene, mark: &str| {
        let found = scene.client.list(&format!("/v1/candidacies?mark={mark}")).await;
        found.iter().map(|view| view["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&scene, "shortlisted").await, [json!(ids[2]), json!(ids[1]), json!(ids[0])]);
    assert_eq!(listed(&scene, "archived").await, [json!(ids[4])]);
    cases(&mut scene.client, ask::mark_each(vec![ids[1]], None)).await;
    assert_eq!(listed(&scene, "shortlisted").await, [json!(ids[2]), json!(ids[0])]);
    let own = cases(&mut all[0].0, ask::mark_each(vec![ids[0]], Some(ClientMark::Shortlisted))).await;
    assert_eq!(own.items[0].error, Some(ErrorCode::WrongSide));
    let shown: Value = all[0].0.see(&format!("/v1/candidacies/{}", ids[0])).await;
    assert!(!shown.to_string().contains("shortlisted"), "{shown}");
    assert!(all[0].0.list("/v1/candidacies?mark=shortlisted").await.is_empty());
    assert_eq!(all[0].0.inbox().await.len(), before, "nobody is told");
}

async fn the_side_that_ended_a_candidacy_reopens_it_while_the_job_is_open(mut scene: Scene) {
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    scene.client.case(ask::decline_candidacy(case.candidacy)).await;
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::reopen(case.candidacy)).await;
    let reopened = scene.client.case(ask::reopen(case.candidacy)).await;
    assert_eq!((reopened.phase, reopened.room), (Phase::Active, Some(room)), "without the offer");
    scene.client.refused_with(ErrorCode::WrongPhase, ask::reopen(case.candidacy)).await;
    scene.freelancer.posted(room, "Good to be back.").await;
    let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
    assert_eq!(seen.terms.map(|terms| terms.version), Some(1), "what stood stands");

    scene.freelancer.case(ask::withdraw_candidacy(case.candidacy)).await;
    scene.client.refused_with(ErrorCode::WrongSide, ask::reopen(case.candidacy)).await;
    let (other, _) = scene.invited(None).await;
    scene.freelancer.refused_with(ErrorCode::CandidacyExists, ask::reopen(case.candidacy)).await;
    scene.client.case(ask::withdraw(other.invitation.expect("its id"))).await;
    scene.job_is(JobStatus::Closed).await;
    scene.freelancer.refused_with(ErrorCode::JobNotOpen, ask::reopen(case.candidacy)).await;
    scene.job_is(JobStatus::Open).await;
    scene.freelancer.case(ask::reopen(case.candidacy)).await;
    let told = scene.room(room).await;
    let phases: Vec<Value> = told
        .iter()
        .filter(|entry| entry.kind == "phase.changed")
        .map(|entry| entry.data()["phase"].clone())
        .collect();
    assert_eq!(phases, ["active", "offered", "declined", "active", "withdrawn", "active"]);
}

async fn an_invitation_that_was_reopened_is_answered_like_a_new_one(mut scene: Scene) {
    let (case, invitation) = scene.invited(Some(ask::hourly(5_000))).await;
    scene.freelancer.case(ask::decline(invitation, DeclineReason::TooBusy, None)).await;
    scene.server.clock.advance_seconds(10 * 24 * 3_600);
    let reopened = scene.freelancer.case(ask::reopen(case.candidacy)).await;
    assert_eq!(reopened.phase, Phase::Invited);
    let seen: InvitationView = scene.client.see(&format!("/v1/invitations/{invitation}")).await;
    assert_eq!((seen.status, seen.reason, seen.answered_at), (InvitationStatus::Pending, None, None));
    scene.server.clock.advance_seconds(10 * 24 * 3_600);
    let accepted = scene.freelancer.case(ask::accept(invitation, None)).await;
    assert_eq!((accepted.phase, accepted.terms_version), (Phase::Active, Some(1)), "as suggested");
}

async fn what_the_marketplace_or_time_has_ended_the_marketplace_reopens(mut scene: Scene) {
    let (case, invitation) = scene.invited(None).await;
    scene.server.clock.advance_seconds(14 * 24 * 3_600);
    scene.freelancer.refused_with(ErrorCode::InvitationExpired, ask::accept(invitation, None)).await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.refused_with(ErrorCode::WrongSide, ask::reopen(case.candidacy)).await;
    }
    assert_eq!(tells(&scene, &ask::reopen(case.candidacy)).await.phase, Phase::Invited);
    let accepted = scene.freelancer.case(ask::accept(invitation, None)).await;
    let room = accepted.room.expect("a room");
    scene.client.case(ask::decline_candidacy(case.candidacy)).await;
    let service = scene.server.marketplace.service().clone();
    let refused =
        service.command::<Case>(new_client_id(), &ask::reopen(case.candidacy)).await.expect_err("refused");
    assert_eq!(refused.code(), Some(ErrorCode::WrongSide), "the client ended it");
    scene.client.case(ask::reopen(case.candidacy)).await;
    scene.client.posted(room, "There.").await;
}

async fn a_report_reaches_the_marketplace_alone(mut scene: Scene) {
    let (_, invitation) = scene.invited(None).await;
    scene.client.refused_with(ErrorCode::WrongSide, ask::report_invitation(invitation, None)).await;
    let (client_before, own_before) =
        (scene.client.inbox().await.len(), scene.freelancer.inbox().await.len());
    let reported =
        scene.freelancer.case(ask::report_invitation(invitation, Some("It asks for money."))).await;
    assert_eq!(reported.phase, Phase::Invited, "it can still be answered");
    let room = scene.freelancer.case(ask::accept(invitation, None)).await.room.expect("a room");
    let posted = scene.client.posted(room, "Send me money.").await;
    let before = scene.room(room).await.len();
    scene.client.refused_with(ErrorCode::BadRequest, ask::report_message(room, posted.seq)).await;
    scene.freelancer.refused_with(ErrorCode::BadRequest, ask::report_message(room, 99)).await;
    scene.freelancer.case(ask::report_message(room, posted.seq)).await;
    // The next one of the same thing stands for it; what has words besides messages can be reported as well.
    scene.freelancer.case(ask::report_message(room, posted.seq)).await;
    scene.freelancer.case(ask::report_message(room, 1)).await;
    let mut stranger = Person::arrive(&scene.server, "mallory", Door::Http).await;
    stranger.refused_with(ErrorCode::NotFound, ask::report_message(room, posted.seq)).await;

    let page: Value = scene.server.marketplace.service().get("/v1/reports").await.expect("reports");
    let reports: Vec<ReportView> = serde_json::from_value(page["items"].clone()).expect("reports");
    let [invited, message, first] = &reports[..] else { panic!("three: {reports:?}") };
    assert_eq!((invited.room, invited.seq), (Some(room), Some(1)));
    assert_eq!(
        (message.room, message.seq, message.about.as_str(), message.by.as_str()),
        (Some(room), Some(posted.seq), "clara", "felix")
    );
    assert_eq!((first.invitation, first.text.as_deref()), (Some(invitation), Some("It asks for money.")));
    assert_eq!(scene.room(room).await.len(), before, "no log says so");
    assert_eq!(
        (scene.client.inbox().await.len(), scene.freelancer.inbox().await.len()),
        (client_before + 1, own_before + 1)
    );
    let refused = scene.client.http.get::<Value>("/v1/reports").await.expect_err("refused");
    assert_eq!(refused.code(), Some(ErrorCode::Forbidden));

    scene.job = scene.another_job("job-2").await;
    let (_, spam) = scene.invited(None).await;
    scene.freelancer.case(ask::decline(spam, DeclineReason::LooksLikeSpam, None)).await;
    let page: Value = scene.server.marketplace.service().get("/v1/reports?limit=1").await.expect("reports");
    assert_eq!(
        (&page["items"][0]["invitation"], &page["items"][0]["reason"]),
        (&json!(spam), &json!("spam"))
    );
    assert!(page["next"].is_string());
    scene.server.retell(&scene.freelancer, |profile| profile.status = UserStatus::Suspended).await;
    scene.freelancer.refused_with(ErrorCode::AccountSuspended, ask::report_message(room, posted.seq)).await;
}

async fn an_invitation_that_the_marketplace_removes_is_read_by_nobody(mut scene: Scene) {
    let (case, invitation) = scene.invited(Some(ask::hourly(5_000))).await;
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.refused_with(ErrorCode::Forbidden, ask::remove_invitation(invitation)).await;
    }
    let removed = tells(&scene, &ask::remove_invitation(invitation)).await;
    assert_eq!(removed.phase, Phase::Closed);
    for person in [&scene.client, &scene.freelancer] {
        let seen: InvitationView = person.see(&format!("/v1/invitations/{invitation}")).await;
        assert_eq!((seen.status, seen.message.as_str(), seen.terms), (InvitationStatus::Removed, "", None));
        assert_eq!(person.inbox().await.pop().expect("a notice").kind, "invitation.removed");
    }
    let late = scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::accept(invitation, None)).await;
    assert_eq!(late.phase, Some(Phase::Closed));
    scene.client.refused_with(ErrorCode::WrongSide, ask::reopen(case.candidacy)).await;
}

/// The marketplace learns that it was spam by the answer that says so, and then could not take its words away any more.
async fn regression_an_invitation_that_was_answered_is_removed_as_well(mut scene: Scene) {
    let (case, invitation) = scene.invited(Some(ask::hourly(5_000))).await;
    scene.freelancer.case(ask::decline(invitation, DeclineReason::LooksLikeSpam, None)).await;
    assert_eq!(tells(&scene, &ask::remove_invitation(invitation)).await.phase, Phase::Declined);
    for person in [&scene.client, &scene.freelancer] {
        let seen: InvitationView = person.see(&format!("/v1/invitations/{invitation}")).await;
        assert_eq!((seen.status, seen.message.as_str(), seen.terms), (InvitationStatus::Removed, "", None));
        let versions: Value = person.see(&format!("/v1/candidacies/{}/terms", case.candidacy)).await;
        assert_eq!(versions["items"], json!([]));
    }
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::reopen(case.candidacy)).await;
    let service = scene.server.marketplace.service().clone();
    let again = service.command::<Case>(new_client_id(), &ask::remove_invitation(invitation)).await;
    assert_eq!(again.expect_err("refused").code(), Some(ErrorCode::WrongPhase));

    // Once there is a room, its log has the text.
    scene.job = scene.another_job("job-2").await;
    let (_, accepted) = scene.invited(None).await;
    scene.freelancer.case(ask::accept(accepted, None)).await;
    let late = service.command::<Case>(new_client_id(), &ask::remove_invitation(accepted)).await;
    assert_eq!(late.expect_err("refused").code(), Some(ErrorCode::WrongPhase));
}
