//! People who are inactive or suspended read and do not write; each through both doors.

use anteroom_load_tests::client::{Socket, at_head, new_client_id};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::{Account, UserProfile, UserStatus, UserView};

use crate::support::{Scene, ask, kinds, over_both_doors};

over_both_doors![
    a_suspended_freelancer_reads_everything_and_writes_nothing,
    a_suspended_client_reads_everything_and_writes_nothing,
    an_inactive_person_is_told_so_and_goes_on_when_active_again,
    a_repeat_of_what_was_done_before_is_answered_all_the_same,
    the_other_side_goes_on_writing,
    every_socket_is_told_of_a_change_of_the_account_and_none_is_closed,
];

fn suspend(profile: &mut UserProfile) {
    profile.status = UserStatus::Suspended;
    profile.status_reason = Some("Two people share this account.".into());
    profile.status_reversible = Some(true);
    profile.status_next_step = Some("Write to support with a copy of your identity card.".into());
}

/// Checks that an error says everything about the account.
fn says_everything(error: &anteroom_protocol::error::ErrorBody) {
    assert_eq!(error.status_reason.as_deref(), Some("Two people share this account."));
    assert_eq!(error.status_reversible, Some(true));
    assert!(error.status_next_step.as_deref().is_some_and(|step| step.contains("support")));
    assert!(!error.retryable);
}

async fn a_suspended_freelancer_reads_everything_and_writes_nothing(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    scene.job = scene.another_job("job-2").await;
    let (_, invitation) = scene.invited(None).await;
    let open = scene.another_job("job-3").await;
    scene.server.retell(&scene.freelancer, suspend).await;
    for command in [
        ask::post(room, "hello"),
        ask::accept(invitation, None),
        ask::decline(invitation, DeclineReason::TooBusy, None),
        ask::archive(invitation),
        ask::propose(&open, ask::hourly(7_000)),
        ask::withdraw_candidacy(case.candidacy),
    ] {
        says_everything(&scene.freelancer.refused_with(ErrorCode::AccountSuspended, command).await);
    }
    assert_eq!(scene.freelancer.log(room).await.len(), 4, "read, and nothing was written");
    let inbox = scene.freelancer.inbox().await;
    assert_eq!(kinds(&inbox).last(), Some(&"account.changed"));
    assert_eq!(inbox.len(), 4, "what was said of the account, and nothing else");
    let me: UserView = scene.freelancer.see("/v1/me").await;
    assert_eq!(me.profile.status, UserStatus::Suspended);
    assert!(me.profile.status_next_step.is_some());
    scene.freelancer.socket.join(at_head(room)).await.expect("joined");
    scene.freelancer.socket_at(&scene.server, vec![at_head(room), at_head(RoomRef::Inbox)]).await;
}

async fn a_suspended_client_reads_everything_and_writes_nothing(mut scene: Scene) {
    let (case, room) = scene.talking().await;
    scene.job = scene.another_job("job-2").await;
    let (_, proposal) = scene.proposed().await;
    scene.job = scene.another_job("job-3").await;
    let (_, invitation) = scene.invited(None).await;
    let open = scene.another_job("job-4").await;
    scene.server.retell(&scene.client, suspend).await;
    for command in [
        ask::post(room, "hello"),
        ask::answer(proposal),
        ask::decline_proposal(proposal),
        ask::withdraw(invitation),
        ask::invite(&open, &scene.freelancer.user, None),
        ask::decline_candidacy(case.candidacy),
    ] {
        says_everything(&scene.client.refused_with(ErrorCode::AccountSuspended, command).await);
    }
    // Nor does the marketplace write on behalf of somebody it has suspended.
    let command = ask::invite(&open, &scene.freelancer.user, None);
    let service = scene.server.marketplace.service();
    let error = service.command::<serde_json::Value>(new_client_id(), &command).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::AccountSuspended));
    assert_eq!(scene.client.log(room).await.len(), 4, "read, and nothing was written");
}

async fn an_inactive_person_is_told_so_and_goes_on_when_active_again(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    scene.server.retell(&scene.freelancer, |profile| profile.status = UserStatus::Inactive).await;
    scene.freelancer.refused_with(ErrorCode::AccountInactive, ask::post(room, "hello")).await;
    scene.server.retell(&scene.freelancer, |_| {}).await;
    scene.freelancer.posted(room, "hello").await;
}

async fn a_repeat_of_what_was_done_before_is_answered_all_the_same(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let key = new_client_id();
    let first = scene.freelancer.say_as(key, ask::post(room, "hello")).await.expect("posted");
    scene.server.retell(&scene.freelancer, suspend).await;
    let mut again = scene.freelancer.say_as(key, ask::post(room, "hello")).await.expect("known");
    assert_eq!(again["duplicate"], true);
    again["duplicate"] = false.into();
    assert_eq!(again, first);
}

async fn the_other_side_goes_on_writing(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    scene.server.retell(&scene.freelancer, suspend).await;
    scene.freelancer.socket.join(at_head(room)).await.expect("joined");
    scene.client.posted(room, "Are you there?").await;
    assert_eq!(scene.freelancer.hears(room).await.seq, 5);
}

/// The account that the next frame tells of.
async fn told(socket: &mut Socket) -> Account {
    let is_account = |frame: &ServerFrame| matches!(frame, ServerFrame::Account(_));
    match socket.wait_for("account", is_account).await {
        Ok(ServerFrame::Account(account)) => account,
        other => panic!("no account: {other:?}"),
    }
}

async fn every_socket_is_told_of_a_change_of_the_account_and_none_is_closed(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let mut second = scene.freelancer.socket_at(&scene.server, vec![at_head(room)]).await;
    scene.server.retell(&scene.freelancer, suspend).await;
    for socket in [&mut scene.freelancer.socket, &mut second] {
        let account = told(socket).await;
        assert_eq!((account.status, account.status_reversible), (UserStatus::Suspended, Some(true)));
        assert_eq!(account.status_reason.as_deref(), Some("Two people share this account."));
        assert!(account.status_next_step.is_some_and(|step| step.contains("support")));
        socket.ping().await.expect("open");
    }
    let token = scene.server.token(&scene.freelancer.user);
    let (_, welcome) = Socket::connect(&scene.server.base_of(&scene.freelancer.user), &token, Vec::new())
        .await
        .expect("a welcome");
    assert_eq!(welcome.account.map(|account| account.status), Some(UserStatus::Suspended));

    let renamed = |profile: &mut UserProfile| {
        suspend(profile);
        profile.name = "Another name".into();
    };
    scene.server.retell(&scene.freelancer, renamed).await;
    let next_step = |profile: &mut UserProfile| {
        suspend(profile);
        profile.status_next_step = Some("Wait.".into());
    };
    scene.server.retell(&scene.freelancer, next_step).await;
    let account = told(&mut second).await;
    assert_eq!(account.status_next_step.as_deref(), Some("Wait."), "a name is not of the account");
    scene.freelancer.refused_with(ErrorCode::AccountSuspended, ask::post(room, "hello")).await;

    scene.server.retell(&scene.freelancer, |_| {}).await;
    assert_eq!(told(&mut second).await, Account::from(&UserProfile::active("felix")));
    scene.freelancer.posted(room, "Back again.").await;
}
