//! Invitations: sent, accepted, declined, ignored, withdrawn, expired; each through both doors.

use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{InvitationId, RoomRef};
use anteroom_protocol::invitation::{DeclineReason, InvitationStatus, InvitationView};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::room::RoomView;
use anteroom_protocol::user::Side;
use serde_json::{Value, json};

use crate::support::{Person, Scene, ask, data, kinds, over_both_doors};

over_both_doors![
    an_invitation_is_told_to_both_inboxes_and_pending_for_both,
    accepting_as_suggested_opens_a_room_that_tells_how_it_came_to_that,
    accepting_with_new_terms_keeps_both_versions,
    accepting_where_no_terms_were_suggested_is_accepting_none,
    accepting_needs_a_message_and_terms_that_can_be_paid,
    a_decline_names_one_reason_of_the_list,
    other_needs_words_and_every_other_reason_refuses_them,
    an_ignored_invitation_is_pending_for_the_client_and_can_be_accepted,
    an_ignored_invitation_can_be_declined,
    a_withdrawn_invitation_is_over_for_both,
    an_ignored_invitation_can_be_withdrawn,
    an_invitation_can_be_answered_for_fourteen_days_and_not_a_second_longer,
    each_side_does_only_its_own,
    a_job_that_is_not_open_takes_nobody_and_ends_its_invitations,
    a_second_invitation_waits_until_the_first_is_over,
    nobody_invites_oneself_or_somebody_unknown,
];

async fn view(person: &Person, invitation: InvitationId) -> InvitationView {
    person.see(&format!("/v1/invitations/{invitation}")).await
}

async fn an_invitation_is_told_to_both_inboxes_and_pending_for_both(mut scene: Scene) {
    let (case, invitation) = scene.invited(Some(ask::hourly(6_500))).await;
    assert_eq!((case.phase, case.proposal, case.room), (Phase::Invited, None, None));

    for person in [&mut scene.client, &mut scene.freelancer] {
        let live = person.hears(RoomRef::Inbox).await;
        let inbox = person.inbox().await;
        assert_eq!(kinds(&inbox), ["invitation.sent"]);
        assert_eq!((live.seq, live.hash), (1, inbox[0].hash));
        assert_eq!(inbox[0].by.as_ref().map(ToString::to_string).as_deref(), Some("clara"));
        assert!(inbox[0].client_id.is_some());
        assert_eq!(
            data(&inbox, 1),
            json!({"candidacy": case.candidacy, "phase": "invited", "job": {"id": "job", "title": "A landing page"},
                   "client": "clara", "freelancer": "felix", "invitation": invitation})
        );
    }
    for (person, role) in [(&scene.client, Side::Client), (&scene.freelancer, Side::Freelancer)] {
        let seen = view(person, invitation).await;
        assert_eq!(
            (seen.status, seen.role, seen.candidacy),
            (InvitationStatus::Pending, role, case.candidacy)
        );
        assert_eq!(seen.expires_at, seen.sent_at.plus_seconds(14 * 24 * 3_600));
        let terms = seen.terms.expect("terms");
        assert_eq!((terms.version, terms.by, &terms.terms), (1, Side::Client, &ask::hourly(6_500)));
        assert_eq!((terms.hash, seen.room, seen.answered_at), (terms.terms.hash(), None, None));
        assert_eq!(person.list("/v1/invitations?status=pending").await.len(), 1);
        assert_eq!(person.list("/v1/candidacies?phase=invited").await.len(), 1);
        assert_eq!(person.list("/v1/rooms").await.len(), 0);
    }
}

async fn accepting_as_suggested_opens_a_room_that_tells_how_it_came_to_that(mut scene: Scene) {
    let (sent, invitation) = scene.invited(Some(ask::hourly(6_500))).await;
    let case = scene.freelancer.case(ask::accept(invitation, None)).await;
    assert_eq!((case.candidacy, case.phase), (sent.candidacy, Phase::Active));
    let (room, proposal) = (case.room.expect("a room"), case.proposal.expect("a proposal"));

    let entries = scene.room(room).await;
    assert_eq!(
        kinds(&entries),
        ["invitation.sent", "terms.proposed", "invitation.accepted", "phase.changed", "message.posted"]
    );
    let authors: Vec<_> = entries.iter().map(|entry| entry.by.clone().expect("an author")).collect();
    assert_eq!(authors.map_to_text(), ["clara", "clara", "felix", "felix", "felix"]);
    let carriers: Vec<bool> = entries.iter().map(|entry| entry.client_id.is_some()).collect();
    assert_eq!(carriers, [false, false, false, false, true], "one entry stands for the command");
    let seen = view(&scene.client, invitation).await;
    assert_eq!(
        data(&entries, 1),
        json!({"invitation": invitation, "message": "Shall we talk about it?", "sent_at": seen.sent_at})
    );
    let terms = ask::hourly(6_500);
    assert_eq!(data(&entries, 2), json!({"version": 1, "hash": terms.hash(), "terms": terms}));
    assert_eq!(data(&entries, 3), json!({"invitation": invitation, "terms": "as_suggested"}));
    assert_eq!(data(&entries, 4), json!({"phase": "active"}));
    assert_eq!(data(&entries, 5), json!({"body": "Gladly."}));

    for person in [&mut scene.client, &mut scene.freelancer] {
        person.hears_of(room, 5).await;
        let inbox = person.inbox().await;
        assert_eq!(kinds(&inbox), ["invitation.sent", "invitation.accepted"]);
        let notice = data(&inbox, 2);
        assert_eq!((&notice["phase"], &notice["room"]), (&json!("active"), &json!(room)));
        assert_eq!(notice["proposal"], json!(proposal));
        let seen = view(person, invitation).await;
        assert_eq!((seen.status, seen.room), (InvitationStatus::Accepted, Some(room)));
        assert!(seen.answered_at.is_some());
        let seen: ProposalView = person.see(&format!("/v1/proposals/{proposal}")).await;
        assert_eq!((seen.cover_letter, seen.phase), (None, Phase::Active));
        let seen: RoomView = person.see(&format!("/v1/rooms/{room}")).await;
        assert_eq!((seen.phase, seen.head, seen.as_of, seen.members.len()), (Phase::Active, 5, 5, 2));
        assert_eq!(person.list("/v1/rooms").await.len(), 1);
    }
    let again = scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::accept(invitation, None)).await;
    assert_eq!(again.phase, Some(Phase::Active));
}

async fn accepting_with_new_terms_keeps_both_versions(mut scene: Scene) {
    let (_, invitation) = scene.invited(Some(ask::hourly(6_500))).await;
    let case = scene.freelancer.case(ask::accept(invitation, Some(ask::hourly(8_000)))).await;
    let entries = scene.room(case.room.expect("a room")).await;
    assert_eq!(
        kinds(&entries),
        [
            "invitation.sent",
            "terms.proposed",
            "invitation.accepted",
            "terms.proposed",
            "phase.changed",
            "message.posted"
        ]
    );
    assert_eq!(data(&entries, 3)["terms"], "new");
    let versions =
        [2, 4].map(|seq| (data(&entries, seq)["version"].clone(), data(&entries, seq)["terms"].clone()));
    assert_eq!(versions, [(json!(1), json!(ask::hourly(6_500))), (json!(2), json!(ask::hourly(8_000)))]);
    let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
    let terms = seen.terms.expect("terms");
    assert_eq!((terms.version, terms.by, terms.terms), (2, Side::Freelancer, ask::hourly(8_000)));
    let suggested = view(&scene.client, invitation).await.terms.expect("terms");
    assert_eq!(suggested.version, 1, "the invitation still shows what was suggested with it");
}

async fn accepting_where_no_terms_were_suggested_is_accepting_none(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let entries = scene.room(room).await;
    assert_eq!(
        kinds(&entries),
        ["invitation.sent", "invitation.accepted", "phase.changed", "message.posted"]
    );
    assert_eq!(data(&entries, 2)["terms"], "none");
}

async fn accepting_needs_a_message_and_terms_that_can_be_paid(mut scene: Scene) {
    let (_, invitation) = scene.invited(None).await;
    let mut blank = ask::accept(invitation, None);
    if let anteroom_protocol::command::Command::InvitationAccept(accept) = &mut blank {
        accept.message = " \n".into();
    }
    let error = scene.freelancer.refused_with(ErrorCode::BadRequest, blank).await;
    assert!(error.message.contains("message"), "{error:?}");
    let unpayable = ask::accept(invitation, Some(ask::hourly(0)));
    let error = scene.freelancer.refused_with(ErrorCode::BadRequest, unpayable).await;
    assert!(error.message.contains("amount"), "{error:?}");
    assert_eq!(view(&scene.freelancer, invitation).await.status, InvitationStatus::Pending);
    assert_eq!(scene.freelancer.inbox().await.len(), 1, "nothing was written");
}

async fn a_decline_names_one_reason_of_the_list(mut scene: Scene) {
    use DeclineReason as Reason;
    let reasons = [
        (Reason::NotInterested, "not_interested"),
        (Reason::OutsideMySkills, "outside_my_skills"),
        (Reason::TooBusy, "too_busy"),
        (Reason::BudgetTooLow, "budget_too_low"),
        (Reason::TimelineUnworkable, "timeline_unworkable"),
        (Reason::DescriptionUnclear, "description_unclear"),
        (Reason::ClientConcern, "client_concern"),
        (Reason::LooksLikeSpam, "looks_like_spam"),
    ];
    for (reason, word) in reasons {
        scene.job = scene.another_job(word).await;
        let (_, invitation) = scene.invited(None).await;
        let case = scene.freelancer.case(ask::decline(invitation, reason, None)).await;
        assert_eq!((case.phase, case.room), (Phase::Declined, None));
        for person in [&scene.client, &scene.freelancer] {
            let inbox = person.inbox().await;
            // The figure that comes of so many answers is told some time later, by whichever node looks first.
            let last =
                inbox.iter().rev().find(|entry| entry.kind != "responsiveness.changed").expect("an entry");
            assert_eq!((last.kind.as_str(), &last.data()["reason"]), ("invitation.declined", &json!(word)));
            let seen = view(person, invitation).await;
            assert_eq!((seen.status, seen.reason), (InvitationStatus::Declined, Some(reason)));
        }
        let late = scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::accept(invitation, None)).await;
        assert_eq!(late.phase, Some(Phase::Declined));
    }
    assert_eq!(scene.client.list("/v1/invitations?status=declined").await.len(), reasons.len());
}

async fn other_needs_words_and_every_other_reason_refuses_them(mut scene: Scene) {
    let (_, invitation) = scene.invited(None).await;
    for (reason, words) in [
        (DeclineReason::Other, None),
        (DeclineReason::Other, Some("  ")),
        (DeclineReason::TooBusy, Some("I am away until spring.")),
    ] {
        let command = ask::decline(invitation, reason, words);
        let error = scene.freelancer.refused_with(ErrorCode::BadRequest, command).await;
        assert!(error.message.contains("reason_text"), "{error:?}");
    }
    let words = "I am away until spring.";
    scene.freelancer.case(ask::decline(invitation, DeclineReason::Other, Some(words))).await;
    let inbox = scene.client.inbox().await;
    assert_eq!(data(&inbox, 2)["reason"], "other");
    assert_eq!(data(&inbox, 2)["reason_text"], words);
    assert_eq!(view(&scene.client, invitation).await.reason_text.as_deref(), Some(words));
}

/// Ignores an invitation and looks at it from both sides.
async fn ignored(scene: &mut Scene) -> InvitationId {
    let (sent, invitation) = scene.invited(None).await;
    let case = scene.freelancer.case(ask::archive(invitation)).await;
    assert_eq!(case.phase, Phase::Archived);
    let path = format!("/v1/candidacies/{}", sent.candidacy);
    for (person, status, phase, other_status, other_phase) in [
        (&scene.client, "pending", "invited", "archived", "archived"),
        (&scene.freelancer, "archived", "archived", "pending", "invited"),
    ] {
        let seen = person.see::<Value>(&format!("/v1/invitations/{invitation}")).await;
        assert_eq!((&seen["status"], &seen["answered_at"]), (&json!(status), &Value::Null));
        assert_eq!(person.see::<Value>(&path).await["phase"], phase);
        assert_eq!(person.list(&format!("/v1/invitations?status={status}")).await.len(), 1);
        assert_eq!(person.list(&format!("/v1/invitations?status={other_status}")).await.len(), 0);
        assert_eq!(person.list(&format!("/v1/candidacies?phase={phase}")).await.len(), 1);
        assert_eq!(person.list(&format!("/v1/candidacies?phase={other_phase}")).await.len(), 0);
    }
    assert_eq!(kinds(&scene.client.inbox().await), ["invitation.sent"], "the client is not told");
    assert_eq!(kinds(&scene.freelancer.inbox().await), ["invitation.sent", "invitation.archived"]);
    let again = scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::archive(invitation)).await;
    assert_eq!(again.phase, Some(Phase::Archived));
    invitation
}

async fn an_ignored_invitation_is_pending_for_the_client_and_can_be_accepted(mut scene: Scene) {
    let invitation = ignored(&mut scene).await;
    let case = scene.freelancer.case(ask::accept(invitation, None)).await;
    let entries = scene.room(case.room.expect("a room")).await;
    assert_eq!(
        kinds(&entries),
        ["invitation.sent", "invitation.accepted", "phase.changed", "message.posted"],
        "the room does not tell that it was ignored"
    );
    assert_eq!(kinds(&scene.client.inbox().await), ["invitation.sent", "invitation.accepted"]);
}

async fn an_ignored_invitation_can_be_declined(mut scene: Scene) {
    let invitation = ignored(&mut scene).await;
    let case = scene.freelancer.case(ask::decline(invitation, DeclineReason::TooBusy, None)).await;
    assert_eq!(case.phase, Phase::Declined);
    assert_eq!(kinds(&scene.client.inbox().await), ["invitation.sent", "invitation.declined"]);
}

async fn a_withdrawn_invitation_is_over_for_both(mut scene: Scene) {
    let (_, invitation) = scene.invited(None).await;
    let case = scene.client.case(ask::withdraw(invitation)).await;
    assert_eq!(case.phase, Phase::Withdrawn);
    for command in [
        ask::accept(invitation, None),
        ask::decline(invitation, DeclineReason::TooBusy, None),
        ask::archive(invitation),
    ] {
        let late = scene.freelancer.refused_with(ErrorCode::WrongPhase, command).await;
        assert_eq!(late.phase, Some(Phase::Withdrawn));
    }
    let again = scene.client.refused_with(ErrorCode::WrongPhase, ask::withdraw(invitation)).await;
    assert_eq!(again.phase, Some(Phase::Withdrawn));
    for person in [&scene.client, &scene.freelancer] {
        assert_eq!(kinds(&person.inbox().await), ["invitation.sent", "invitation.withdrawn"]);
        assert_eq!(view(person, invitation).await.status, InvitationStatus::Withdrawn);
    }
}

async fn an_ignored_invitation_can_be_withdrawn(mut scene: Scene) {
    let invitation = ignored(&mut scene).await;
    assert_eq!(scene.client.case(ask::withdraw(invitation)).await.phase, Phase::Withdrawn);
}

async fn an_invitation_can_be_answered_for_fourteen_days_and_not_a_second_longer(mut scene: Scene) {
    let (_, late) = scene.invited(None).await;
    scene.job = scene.another_job("job-2").await;
    let (_, in_time) = scene.invited(None).await;
    scene.server.clock.advance_seconds(14 * 24 * 3_600 - 1);
    scene.freelancer.case(ask::accept(in_time, None)).await;
    assert_eq!(view(&scene.freelancer, late).await.status, InvitationStatus::Pending);

    scene.server.clock.advance_seconds(1);
    for person in [&scene.client, &scene.freelancer] {
        assert_eq!(view(person, late).await.status, InvitationStatus::Expired);
        assert_eq!(person.list("/v1/invitations?status=expired").await.len(), 1);
        assert_eq!(person.list("/v1/invitations?status=pending").await.len(), 0);
    }
    for command in
        [ask::accept(late, None), ask::decline(late, DeclineReason::TooBusy, None), ask::archive(late)]
    {
        scene.freelancer.refused_with(ErrorCode::InvitationExpired, command).await;
    }
    scene.client.refused_with(ErrorCode::InvitationExpired, ask::withdraw(late)).await;
}

async fn each_side_does_only_its_own(mut scene: Scene) {
    let (_, invitation) = scene.invited(None).await;
    for command in [
        ask::accept(invitation, None),
        ask::decline(invitation, DeclineReason::TooBusy, None),
        ask::archive(invitation),
    ] {
        scene.client.refused_with(ErrorCode::WrongSide, command).await;
    }
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::withdraw(invitation)).await;
    assert_eq!(scene.client.inbox().await.len(), 1, "nothing was written");
}

async fn a_job_that_is_not_open_takes_nobody_and_ends_its_invitations(mut scene: Scene) {
    let (_, invitation) = scene.invited(None).await;
    for status in [JobStatus::Filled, JobStatus::Closed] {
        scene.job_is(status).await;
        scene.freelancer.refused_with(ErrorCode::JobNotOpen, ask::accept(invitation, None)).await;
        let other = Person::arrive(&scene.server, "olga", crate::support::Door::Http).await;
        let command = ask::invite(&scene.job, &other.user, None);
        scene.client.refused_with(ErrorCode::JobNotOpen, command).await;
    }
    for person in [&mut scene.client, &mut scene.freelancer] {
        let mut notice = person.hears(RoomRef::Inbox).await;
        while notice.kind != "phase.changed" {
            notice = person.hears(RoomRef::Inbox).await;
        }
        assert_eq!((&notice.by, &notice.data()["phase"]), (&None, &json!("closed")));
        assert_eq!(view(person, invitation).await.status, InvitationStatus::Closed);
    }
    let late = ask::decline(invitation, DeclineReason::TooBusy, None);
    assert_eq!(scene.freelancer.refused_with(ErrorCode::WrongPhase, late).await.phase, Some(Phase::Closed));
}

async fn a_second_invitation_waits_until_the_first_is_over(mut scene: Scene) {
    let (first, invitation) = scene.invited(None).await;
    let command = ask::invite(&scene.job, &scene.freelancer.user, None);
    scene.client.refused_with(ErrorCode::CandidacyExists, command.clone()).await;
    scene.freelancer.case(ask::decline(invitation, DeclineReason::TooBusy, None)).await;
    let second = scene.client.case(command).await;
    assert!(second.candidacy != first.candidacy && second.invitation != first.invitation);
    assert_eq!(view(&scene.freelancer, invitation).await.status, InvitationStatus::Declined);
}

async fn nobody_invites_oneself_or_somebody_unknown(mut scene: Scene) {
    let oneself = ask::invite(&scene.job, &scene.client.user, None);
    let error = scene.client.refused_with(ErrorCode::BadRequest, oneself).await;
    assert!(error.message.contains("nobody invites oneself"), "{error:?}");
    let stranger = ask::invite(&scene.job, &scene.freelancer.user, None);
    scene.freelancer.refused_with(ErrorCode::NotFound, stranger).await;
    let nobody = ask::invite(&scene.job, &crate::support::id("nobody"), None);
    scene.client.refused_with(ErrorCode::NotFound, nobody).await;
}

/// Ids as text.
trait Texts {
    fn map_to_text(&self) -> Vec<String>;
}

impl<T: ToString> Texts for Vec<T> {
    fn map_to_text(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}
