//! Candidacies: ended by one side, and what is possible in their rooms afterwards; each through both doors.

use anteroom_load_tests::client::{after, from_start, new_client_id};
use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::room::{JoinMode, RoomView};
use serde_json::json;

use crate::support::{Door, Scene, ask, data, kinds, over_both_doors};

over_both_doors![
    a_candidacy_that_the_client_declines_leaves_a_room_to_read,
    a_candidacy_that_the_freelancer_withdraws_leaves_a_room_to_read,
    each_side_ends_a_candidacy_in_its_own_way,
    a_candidacy_that_is_not_active_is_ended_by_other_commands,
    after_the_end_a_new_candidacy_can_begin_and_the_old_room_stays,
];

/// The room tells of the end, and can be read and not written.
async fn read_only(scene: &mut Scene, room: RoomRef, phase: Phase, by: &str) {
    let entries = scene.room(room).await;
    let end = entries.last().expect("an entry");
    assert_eq!((end.kind.as_str(), &end.data()), ("phase.changed", &json!({"phase": phase})));
    assert_eq!(end.by.as_ref().expect("an author").as_str(), by);
    assert!(end.client_id.is_some(), "it stands for the command");
    for person in [&mut scene.client, &mut scene.freelancer] {
        let late = person.refused_with(ErrorCode::WrongPhase, ask::post(room, "One more thing")).await;
        assert_eq!(late.phase, Some(phase));
        let joined = person.socket.join(from_start(room)).await.expect("joined");
        assert_eq!((joined.mode, joined.head), (JoinMode::Resumed, end.seq));
        assert_eq!(person.hears(room).await.seq, 1);
        let seen: RoomView = person.see(&format!("/v1/rooms/{room}")).await;
        assert_eq!((seen.phase, seen.head), (phase, end.seq));
        let inbox = person.inbox().await;
        let last = inbox.last().expect("a notice");
        assert_eq!((last.kind.as_str(), &last.data()["phase"]), ("phase.changed", &json!(phase)));
        assert_eq!(person.list(&format!("/v1/candidacies?phase={}", phase.as_str())).await.len(), 1);
    }
    assert_eq!(scene.room(room).await, entries, "nothing was written");
}

async fn a_candidacy_that_the_client_declines_leaves_a_room_to_read(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    let ended = scene.client.case(ask::decline_candidacy(case.candidacy)).await;
    assert_eq!((ended.phase, ended.room), (Phase::Declined, Some(room)));
    read_only(&mut scene, room, Phase::Declined, "clara").await;
}

async fn a_candidacy_that_the_freelancer_withdraws_leaves_a_room_to_read(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    let ended = scene.freelancer.case(ask::withdraw_candidacy(case.candidacy)).await;
    assert_eq!((ended.phase, ended.room), (Phase::Withdrawn, Some(room)));
    read_only(&mut scene, room, Phase::Withdrawn, "felix").await;
}

async fn each_side_ends_a_candidacy_in_its_own_way(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::decline_candidacy(case.candidacy)).await;
    scene.client.refused_with(ErrorCode::WrongSide, ask::withdraw_candidacy(case.candidacy)).await;
    scene.client.posted(room, "Still here.").await;
    scene.freelancer.case(ask::withdraw_candidacy(case.candidacy)).await;
    let again =
        scene.client.refused_with(ErrorCode::WrongPhase, ask::decline_candidacy(case.candidacy)).await;
    assert_eq!(again.phase, Some(Phase::Withdrawn));
}

async fn a_candidacy_that_is_not_active_is_ended_by_other_commands(mut scene: Scene) {
    let (invited, _) = scene.invited(None).await;
    scene.job = scene.another_job("job-2").await;
    let (proposed, _) = scene.proposed().await;
    for (case, phase) in [(invited, Phase::Invited), (proposed, Phase::Submitted)] {
        let error =
            scene.client.refused_with(ErrorCode::WrongPhase, ask::decline_candidacy(case.candidacy)).await;
        assert_eq!(error.phase, Some(phase));
        let command = ask::withdraw_candidacy(case.candidacy);
        let error = scene.freelancer.refused_with(ErrorCode::WrongPhase, command).await;
        assert_eq!(error.phase, Some(phase));
    }
}

async fn after_the_end_a_new_candidacy_can_begin_and_the_old_room_stays(mut scene: Scene) {
    let (first, old) = scene.talking().await;
    scene.client.case(ask::decline_candidacy(first.candidacy)).await;
    let (second, new) = scene.talking().await;
    assert!(second.candidacy != first.candidacy && new != old);
    scene.freelancer.posted(new, "Here we are again.").await;
    scene.freelancer.refused_with(ErrorCode::WrongPhase, ask::post(old, "And here?")).await;
    let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", first.candidacy)).await;
    assert_eq!((seen.phase, seen.room), (Phase::Declined, Some(old)));
    assert_eq!(scene.client.list("/v1/rooms").await.len(), 2);
}

#[tokio::test]
async fn no_message_gets_in_behind_the_end_of_a_candidacy() {
    let mut scene = Scene::new(Door::Http).await;
    let (case, room) = scene.talking().await;
    let start = scene.client.log(room).await;
    let cursor = after(start.last().expect("an entry"));
    scene.client.socket.join(cursor).await.expect("joined");
    let (sender, receiver) = scene.freelancer.socket.halves();
    let mut asked = Vec::new();
    for number in 0..60 {
        asked.push(
            sender.send_command(new_client_id(), ask::post(room, format!("{number}"))).await.expect("sent"),
        );
    }
    let end = ask::decline_candidacy(case.candidacy);
    let ended = scene.client.http.command::<serde_json::Value>(new_client_id(), &end);
    let answers = async {
        let (mut done, mut late) = (0, 0);
        for id in &asked {
            match receiver.answer(id).await {
                Ok(_) => done += 1,
                Err(error) => {
                    assert_eq!(error.code(), Some(ErrorCode::WrongPhase), "{error}");
                    late += 1;
                }
            }
        }
        (done, late)
    };
    let (ended, (done, late)) = tokio::join!(ended, answers);
    ended.expect("ended");
    let entries = scene.room(room).await;
    assert_eq!(entries.len(), start.len() + done + 1);
    assert_eq!(done + late, asked.len());
    assert_eq!(kinds(&entries).last(), Some(&"phase.changed"));
    assert_eq!(data(&entries, entries.len()), json!({"phase": "declined"}));
    for entry in &entries[start.len()..] {
        assert_eq!(scene.client.hears(room).await.seq, entry.seq, "live, in order");
    }
}
