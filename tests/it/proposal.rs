//! Proposals: submitted, answered, declined, withdrawn; each through both doors.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{ProposalId, RoomRef};
use anteroom_protocol::invitation::{InvitationStatus, InvitationView};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::user::Side;
use serde_json::json;

use crate::support::{Door, Person, Scene, ask, data, kinds, over_both_doors};

over_both_doors![
    a_proposal_is_told_to_both_inboxes_and_opens_no_room,
    the_clients_answer_opens_a_room_that_tells_how_it_came_to_that,
    a_freelancer_does_not_speak_first,
    a_declined_proposal_is_over_for_both,
    a_withdrawn_proposal_is_over_for_both,
    each_side_ends_a_proposal_in_its_own_way,
    proposing_to_a_job_one_is_invited_to_is_accepting,
    proposing_to_a_job_whose_invitation_one_ignored_is_accepting,
    once_an_invitation_has_expired_a_proposal_to_its_job_is_a_case_of_its_own,
    a_second_proposal_waits_until_the_first_is_over,
    an_invitation_waits_until_a_proposal_is_over,
    a_job_that_is_not_open_takes_nobody,
    nobody_proposes_to_ones_own_job,
    a_proposal_needs_a_letter_and_terms_that_can_be_paid,
];

async fn view(person: &Person, proposal: ProposalId) -> ProposalView {
    person.see(&format!("/v1/proposals/{proposal}")).await
}

async fn a_proposal_is_told_to_both_inboxes_and_opens_no_room(mut scene: Scene) {
    let (case, proposal) = scene.proposed().await;
    assert_eq!((case.phase, case.invitation, case.room), (Phase::Submitted, None, None));
    for person in [&mut scene.client, &mut scene.freelancer] {
        let live = person.hears(RoomRef::Inbox).await;
        assert_eq!((live.kind.as_str(), live.seq), ("proposal.submitted", 1));
        let inbox = person.inbox().await;
        assert_eq!(
            data(&inbox, 1),
            json!({"candidacy": case.candidacy, "phase": "submitted", "job": {"id": "job", "title": "A landing page"},
                   "client": "clara", "freelancer": "felix", "proposal": proposal})
        );
        assert_eq!(person.list("/v1/rooms").await.len(), 0);
        assert_eq!(person.list("/v1/proposals?phase=submitted").await.len(), 1);
    }
    for (person, role) in [(&scene.client, Side::Client), (&scene.freelancer, Side::Freelancer)] {
        let seen = view(person, proposal).await;
        assert_eq!((seen.phase, seen.role, seen.room), (Phase::Submitted, role, None));
        assert_eq!(seen.cover_letter.as_deref(), Some("I have done this before."));
        let terms = seen.terms.expect("terms");
        assert_eq!((terms.version, terms.by, terms.terms), (1, Side::Freelancer, ask::hourly(7_000)));
    }
}

async fn the_clients_answer_opens_a_room_that_tells_how_it_came_to_that(mut scene: Scene) {
    let (sent, proposal) = scene.proposed().await;
    let case = scene.client.case(ask::answer(proposal)).await;
    assert_eq!((case.candidacy, case.phase), (sent.candidacy, Phase::Active));
    let room = case.room.expect("a room");
    let entries = scene.room(room).await;
    assert_eq!(kinds(&entries), ["proposal.submitted", "terms.proposed", "phase.changed", "message.posted"]);
    let seen = view(&scene.client, proposal).await;
    assert_eq!(
        data(&entries, 1),
        json!({"proposal": proposal, "cover_letter": "I have done this before.", "submitted_at": seen.submitted_at})
    );
    assert_eq!(data(&entries, 2)["terms"], json!(ask::hourly(7_000)));
    assert_eq!(data(&entries, 4), json!({"body": "Tell me more."}));
    let authors: Vec<_> =
        entries.iter().filter_map(|entry| entry.by.as_ref()).map(ToString::to_string).collect();
    assert_eq!(authors, ["felix", "felix", "clara", "clara"]);
    let carriers: Vec<bool> = entries.iter().map(|entry| entry.client_id.is_some()).collect();
    assert_eq!(carriers, [false, false, false, true], "one entry stands for the command");
    for person in [&mut scene.client, &mut scene.freelancer] {
        person.hears_of(room, 4).await;
        let inbox = person.inbox().await;
        assert_eq!(kinds(&inbox), ["proposal.submitted", "proposal.answered"]);
        assert_eq!(data(&inbox, 2)["room"], json!(room));
    }
    scene.freelancer.posted(room, "Of course.").await;
    let again = scene.client.refused_with(ErrorCode::WrongPhase, ask::answer(proposal)).await;
    assert_eq!(again.phase, Some(Phase::Active));
}

async fn a_freelancer_does_not_speak_first(mut scene: Scene) {
    let (_, proposal) = scene.proposed().await;
    scene.freelancer.refused_with(ErrorCode::ClientFirst, ask::answer(proposal)).await;
    assert_eq!(view(&scene.client, proposal).await.phase, Phase::Submitted);
    assert_eq!(scene.freelancer.inbox().await.len(), 1, "nothing was written");
}

/// Nothing is possible with this proposal any more, because it is in this phase.
async fn over(scene: &mut Scene, proposal: ProposalId, phase: Phase, kind: &str) {
    for command in [ask::answer(proposal), ask::decline_proposal(proposal)] {
        let late = scene.client.refused_with(ErrorCode::WrongPhase, command).await;
        assert_eq!(late.phase, Some(phase));
    }
    let late = scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::withdraw_proposal(proposal)).await;
    assert_eq!(late.phase, Some(phase));
    for person in [&scene.client, &scene.freelancer] {
        assert_eq!(kinds(&person.inbox().await), ["proposal.submitted", kind]);
        assert_eq!(view(person, proposal).await.phase, phase);
        assert_eq!(person.list("/v1/rooms").await.len(), 0);
    }
}

async fn a_declined_proposal_is_over_for_both(mut scene: Scene) {
    let (_, proposal) = scene.proposed().await;
    assert_eq!(scene.client.case(ask::decline_proposal(proposal)).await.phase, Phase::Declined);
    over(&mut scene, proposal, Phase::Declined, "proposal.declined").await;
}

async fn a_withdrawn_proposal_is_over_for_both(mut scene: Scene) {
    let (_, proposal) = scene.proposed().await;
    assert_eq!(scene.freelancer.case(ask::withdraw_proposal(proposal)).await.phase, Phase::Withdrawn);
    over(&mut scene, proposal, Phase::Withdrawn, "proposal.withdrawn").await;
}

async fn each_side_ends_a_proposal_in_its_own_way(mut scene: Scene) {
    let (_, proposal) = scene.proposed().await;
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::decline_proposal(proposal)).await;
    scene.client.refused_with(ErrorCode::WrongSide, ask::withdraw_proposal(proposal)).await;
}

/// The freelancer proposes where an invitation waits.
async fn accepted_by_proposing(scene: &mut Scene) {
    let case = scene.freelancer.case(ask::propose(&scene.job, ask::hourly(7_000))).await;
    assert_eq!(case.phase, Phase::Active);
    let entries = scene.room(case.room.expect("a room")).await;
    assert_eq!(
        kinds(&entries),
        [
            "invitation.sent",
            "terms.proposed",
            "invitation.accepted",
            "terms.proposed",
            "phase.changed",
            "proposal.submitted"
        ]
    );
    assert_eq!(data(&entries, 3)["terms"], "new");
    assert_eq!(data(&entries, 4)["version"], 2);
    assert_eq!(data(&entries, 6)["cover_letter"], "I have done this before.");
    assert!(entries[5].client_id.is_some(), "the letter stands for the command");
    let invitation = case.invitation.expect("an invitation");
    let seen: InvitationView = scene.client.see(&format!("/v1/invitations/{invitation}")).await;
    assert_eq!(seen.status, InvitationStatus::Accepted);
    assert_eq!(kinds(&scene.client.inbox().await), ["invitation.sent", "invitation.accepted"]);
    let seen = view(&scene.client, case.proposal.expect("a proposal")).await;
    assert_eq!(seen.cover_letter.as_deref(), Some("I have done this before."));
}

async fn proposing_to_a_job_one_is_invited_to_is_accepting(mut scene: Scene) {
    scene.invited(Some(ask::hourly(6_500))).await;
    accepted_by_proposing(&mut scene).await;
}

async fn proposing_to_a_job_whose_invitation_one_ignored_is_accepting(mut scene: Scene) {
    let (_, invitation) = scene.invited(Some(ask::hourly(6_500))).await;
    scene.freelancer.case(ask::archive(invitation)).await;
    accepted_by_proposing(&mut scene).await;
}

async fn once_an_invitation_has_expired_a_proposal_to_its_job_is_a_case_of_its_own(mut scene: Scene) {
    let (invited, invitation) = scene.invited(None).await;
    scene.server.clock.advance_seconds(14 * 24 * 3_600);
    let proposed = scene.freelancer.case(ask::propose(&scene.job, ask::hourly(7_000))).await;
    assert_eq!((proposed.phase, proposed.room, proposed.invitation), (Phase::Submitted, None, None));
    assert_ne!(proposed.candidacy, invited.candidacy);
    scene.freelancer.refused_with(ErrorCode::InvitationExpired, ask::accept(invitation, None)).await;
    let told = scene.freelancer.inbox().await;
    assert_eq!(kinds(&told), ["invitation.sent", "invitation.expired", "proposal.submitted"]);
}

async fn a_second_proposal_waits_until_the_first_is_over(mut scene: Scene) {
    let (first, proposal) = scene.proposed().await;
    let command = ask::propose(&scene.job, ask::hourly(7_000));
    scene.freelancer.refused_with(ErrorCode::CandidacyExists, command.clone()).await;
    scene.freelancer.case(ask::withdraw_proposal(proposal)).await;
    let second = scene.freelancer.case(command).await;
    assert_ne!(second.candidacy, first.candidacy);
}

async fn an_invitation_waits_until_a_proposal_is_over(mut scene: Scene) {
    let (_, proposal) = scene.proposed().await;
    let command = ask::invite(&scene.job, &scene.freelancer.user, None);
    scene.client.refused_with(ErrorCode::CandidacyExists, command.clone()).await;
    scene.client.case(ask::decline_proposal(proposal)).await;
    scene.client.case(command).await;
}

async fn a_job_that_is_not_open_takes_nobody(mut scene: Scene) {
    let (_, proposal) = scene.proposed().await;
    let mut other = Person::arrive(&scene.server, "olga", Door::Http).await;
    for status in [JobStatus::Filled, JobStatus::Closed] {
        scene.job_is(status).await;
        scene.client.refused_with(ErrorCode::JobNotOpen, ask::answer(proposal)).await;
        // Whoever has no part in it does not even learn that it ever was.
        other.refused_with(ErrorCode::NotFound, ask::propose(&scene.job, ask::hourly(7_000))).await;
    }
    while scene.freelancer.hears(RoomRef::Inbox).await.kind != "phase.changed" {}
    let late = scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::withdraw_proposal(proposal)).await;
    assert_eq!(late.phase, Some(Phase::Closed));
    let again = ask::propose(&scene.job, ask::hourly(7_000));
    scene.freelancer.refused_with(ErrorCode::JobNotOpen, again).await;
}

async fn nobody_proposes_to_ones_own_job(mut scene: Scene) {
    let command = ask::propose(&scene.job, ask::hourly(7_000));
    scene.client.refused_with(ErrorCode::BadRequest, command).await;
}

async fn a_proposal_needs_a_letter_and_terms_that_can_be_paid(mut scene: Scene) {
    let mut blank = ask::propose(&scene.job, ask::hourly(7_000));
    if let Command::ProposalSubmit(submit) = &mut blank {
        submit.cover_letter = "\n".into();
    }
    let error = scene.freelancer.refused_with(ErrorCode::BadRequest, blank).await;
    assert!(error.message.contains("cover_letter"), "{error:?}");
    let mut nowhere = ask::hourly(7_000);
    nowhere.currency = "EURO".into();
    let error = scene.freelancer.refused_with(ErrorCode::BadRequest, ask::propose(&scene.job, nowhere)).await;
    assert!(error.message.contains("currency"), "{error:?}");
    assert_eq!(scene.freelancer.inbox().await.len(), 0, "nothing was written");
}

/// The first version of a new proposal was taken for that of the one before, which was kept already, and was not written.
#[tokio::test]
async fn regression_a_second_proposal_has_terms_of_its_own() {
    let mut scene = Scene::new(Door::Http).await;
    for amount in [7_000, 8_000, 9_000] {
        let case = scene.freelancer.case(ask::propose(&scene.job, ask::hourly(amount))).await;
        let proposal = case.proposal.expect("a proposal");
        let seen: ProposalView = scene.client.see(&format!("/v1/proposals/{proposal}")).await;
        assert_eq!(seen.terms.expect("terms").terms, ask::hourly(amount));
        scene.freelancer.case(ask::withdraw_proposal(proposal)).await;
    }
}
