//! Decided on the truth: what the marketplace tells and what a change does is seen by the very next commit, whatever was remembered.

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::user::UserStatus;

use super::world::{World, inbox, posting, profile, refusal, room_of, user};
use crate::support::ask;

pub(super) async fn the_commit_after_a_change_of_phase_is_decided_on_the_new_phase(world: World) {
    for (name, end, phase) in [
        ("clara", ask::decline_candidacy as fn(_) -> _, Phase::Declined),
        ("felix", ask::withdraw_candidacy, Phase::Withdrawn),
    ] {
        let (candidacy, room) = world.case("garden", "felix").await;
        world.posted("felix", room, "the head is remembered now").await;
        world.done(name, &end(candidacy)).await;
        let ended = world.entries(&Log::Room(room)).await;
        for author in ["clara", "felix"] {
            let late = world.commit(&[world.post(author, room, "too late")]).await.remove(0);
            assert_eq!(refusal(late.expect_err("refused")), Refusal::WrongPhase(phase));
        }
        assert_eq!(world.sound(&Log::Room(room)).await, ended);
    }
}

pub(super) async fn the_commit_after_a_change_of_standing_is_decided_on_the_new_standing(world: World) {
    let rooms = world.rooms(3).await;
    for room in &rooms {
        world.posted("felix", *room, "the standing is remembered now").await;
    }
    for status in [UserStatus::Suspended, UserStatus::Inactive] {
        world.tell_of("felix", status).await;
        let posts = rooms
            .iter()
            .flat_map(|room| [world.post("felix", *room, "no"), world.post("clara", *room, "yes")]);
        let posts: Vec<_> = posts.collect();
        for (post, done) in posts.iter().zip(world.commit(&posts).await) {
            if post.actor.user == user("clara") {
                done.expect("Clara may write");
                continue;
            }
            let Refusal::Account(standing) = refusal(done.expect_err("refused")) else {
                panic!("{status:?}")
            };
            assert_eq!(standing.status, status);
        }
    }
    world.tell_of("felix", UserStatus::Active).await;
    for room in rooms {
        world.posted("felix", room, "back").await;
        world.sound(&Log::Room(room)).await;
    }
}

/// Whoever is suspended already is told by the next refusal what was said of it last, and by an entry of the inbox.
pub(super) async fn a_refusal_says_of_an_account_what_was_told_last_also_when_the_status_stays(world: World) {
    let room = world.room("garden", "felix").await;
    let mut told = profile("felix", UserStatus::Suspended);
    let before = world.entries(&inbox("felix")).await.len();
    for (number, step) in [(1, "Write to support."), (2, "Wait."), (2, "Wait.")] {
        told.status_next_step = Some(step.into());
        world.store().put_user(&user("felix"), &told, world.moment()).await.expect("kept");
        for _ in 0..2 {
            let refused = world.commit(&[world.post("felix", room, "no")]).await.remove(0);
            let Refusal::Account(standing) = refusal(refused.expect_err("refused")) else { panic!("{step}") };
            assert_eq!(standing.next_step.as_deref(), Some(step));
        }
        assert_eq!(world.entries(&inbox("felix")).await.len(), before + number);
    }
}

pub(super) async fn a_change_is_decided_on_the_standing_and_the_job_as_they_are(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), None)).await;
    let accept = ask::accept(sent.invitation.expect("its id"), None);
    world.tell_of("felix", UserStatus::Suspended).await;
    assert!(matches!(refusal(world.refused("felix", &accept).await), Refusal::Account(_)));
    world.tell_of("felix", UserStatus::Active).await;
    for status in [JobStatus::Filled, JobStatus::Closed] {
        world.job("garden", "clara", status).await;
        assert_eq!(refusal(world.refused("felix", &accept).await), Refusal::JobNotOpen);
    }
    let opened = posting("clara", JobStatus::Open);
    assert!(!world.store().put_job(&job, &opened, world.now()).await.expect("read"), "it has not ended yet");
    assert_eq!(refusal(world.refused("felix", &accept).await), Refusal::JobNotOpen);
    world.done("clara", &ask::withdraw(sent.invitation.expect("its id"))).await;
    assert!(world.store().put_job(&job, &opened, world.now()).await.expect("kept"), "now it has");
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), None)).await;
    room_of(&world.done("felix", &ask::accept(sent.invitation.expect("its id"), None)).await);
}

pub(super) async fn entries_of_changes_and_of_posts_stand_in_one_row_of_numbers(world: World) {
    let (candidacy, room) = world.case("garden", "felix").await;
    let opened = world.sound(&Log::Room(room)).await.len();
    for number in 0..3 {
        world.posted("clara", room, &format!("{number}")).await;
    }
    // Another case of the same people writes into their inboxes and must not disturb this room.
    world.case("roof", "felix").await;
    world.posted("felix", room, "and").await;
    world.done("clara", &ask::decline_candidacy(candidacy)).await;
    let kinds: Vec<String> =
        world.sound(&Log::Room(room)).await.iter().skip(opened).map(|entry| entry.kind.to_string()).collect();
    let posted = "message.posted";
    assert_eq!(kinds, [posted, posted, posted, posted, "phase.changed"]);
}
