//! Lists: pages by key, filters that see what the reader sees.

use std::fmt::Debug;

use anteroom::store::{Page, StoreError};
use anteroom_protocol::candidacy::{CandidacyView, ClientMark, Phase};
use anteroom_protocol::id::{CandidacyId, InvitationId, ProposalId, RoomId, RoomRef};
use anteroom_protocol::invitation::{DeclineReason, InvitationStatus, InvitationView};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use super::deed::person;
use super::world::{ALL, PEOPLE, World, first, user};
use crate::support::ask;

const STATUSES: [InvitationStatus; 6] = [
    InvitationStatus::Pending,
    InvitationStatus::Archived,
    InvitationStatus::Accepted,
    InvitationStatus::Declined,
    InvitationStatus::Withdrawn,
    InvitationStatus::Expired,
];

/// Candidacies in every phase that commands bring about, with Clara on both sides of some.
async fn busy_world(world: &World) {
    for (client, freelancer) in [("clara", "felix"), ("clara", "fiona"), ("dora", "clara")] {
        for number in 0..9 {
            let job = world.job(&format!("{client}-{freelancer}-{number}"), client, JobStatus::Open).await;
            if number == 7 || number == 8 {
                let submitted = world.done(freelancer, &ask::propose(&job, ask::hourly(4_000))).await;
                if number == 8 {
                    world.done(client, &ask::answer(submitted.proposal.expect("its id"))).await;
                }
                continue;
            }
            let sent = world.done(client, &ask::invite(&job, &user(freelancer), None)).await;
            let invitation = sent.invitation.expect("its id");
            let next = match number {
                1 => (freelancer, ask::archive(invitation)),
                2 | 5 => (freelancer, ask::accept(invitation, None)),
                3 => (freelancer, ask::decline(invitation, DeclineReason::TooBusy, None)),
                4 => (client, ask::withdraw(invitation)),
                _ => continue,
            };
            let case = world.done(next.0, &next.1).await;
            if number == 5 {
                world.done(client, &ask::decline_candidacy(case.candidacy)).await;
            }
        }
    }
}

/// Goes through a list page by page and tells what it saw.
async fn walk<Id: Copy + Ord + Debug, View>(
    limit: u32,
    id: impl Fn(&View) -> Id,
    page: impl AsyncFn(Page<Id>) -> Result<Vec<View>, StoreError>,
) -> Vec<Id> {
    let mut seen: Vec<Id> = Vec::new();
    loop {
        let items = page(Page { before: seen.last().copied(), limit }).await.expect("read");
        assert!(items.len() <= usize::try_from(limit).expect("a limit"));
        if items.is_empty() {
            break;
        }
        seen.extend(items.iter().map(&id));
    }
    assert!(seen.is_sorted_by(|one, next| one > next), "newest first and none twice: {seen:?}");
    seen
}

pub(super) async fn pages_give_every_item_exactly_once_newest_first(world: World) {
    busy_world(&world).await;
    let (store, now) = (world.store(), world.now());
    for (name, counts) in
        [("clara", [21, 12, 27, 9]), ("felix", [7, 4, 9, 3]), ("dora", [7, 4, 9, 3]), ("mallory", [0; 4])]
    {
        let reader = user(name);
        for limit in [1, 2, 5, 9, 27, 200] {
            let invitations = walk(
                limit,
                |view: &InvitationView| view.id,
                async |page| store.invitations(&reader, None, page, now).await,
            );
            let proposals = walk(
                limit,
                |view: &ProposalView| view.id,
                async |page| store.proposals(&reader, None, page).await,
            );
            let candidacies = walk(
                limit,
                |view: &CandidacyView| view.id,
                async |page| store.candidacies(&reader, None, None, page).await,
            );
            let id = |view: &anteroom_protocol::room::RoomView| match view.room {
                RoomRef::Room(id) => id,
                RoomRef::Inbox => panic!("an inbox among the rooms"),
            };
            let rooms = walk(limit, id, async |page: Page<RoomId>| store.rooms(&reader, page).await);
            let found =
                [invitations.await.len(), proposals.await.len(), candidacies.await.len(), rooms.await.len()];
            assert_eq!(found, counts, "{name}, pages of {limit}");
        }
    }
}

/// The items that a list filtered by this value has to have, out of all.
fn showing<Id, View, Value: PartialEq>(
    all: &[View],
    id: impl Fn(&View) -> Id,
    value: impl Fn(&View) -> Value,
    wanted: &Value,
) -> Vec<Id> {
    all.iter().filter(|view| value(view) == *wanted).map(id).collect()
}

pub(super) async fn a_filtered_list_has_exactly_the_items_that_show_that_value(world: World) {
    busy_world(&world).await;
    let (store, now) = (world.store(), world.now());
    let later = now.plus_seconds(15 * 24 * 60 * 60);
    for name in PEOPLE {
        let reader = user(name);
        for at in [now, later] {
            let all = store.invitations(&reader, None, first(ALL), at).await.expect("read");
            for status in STATUSES {
                let expected = showing(&all, |view| view.id, |view| view.status, &status);
                let found = walk(
                    2,
                    |view: &InvitationView| view.id,
                    async |page| store.invitations(&reader, Some(status), page, at).await,
                );
                assert_eq!(found.await, expected, "{name}, {status:?}");
            }
        }
        let proposals = store.proposals(&reader, None, first(ALL)).await.expect("read");
        let candidacies = store.candidacies(&reader, None, None, first(ALL)).await.expect("read");
        for phase in Phase::ALL {
            let expected: Vec<ProposalId> = showing(&proposals, |view| view.id, |view| view.phase, &phase);
            let found = walk(
                2,
                |view: &ProposalView| view.id,
                async |page| store.proposals(&reader, Some(phase), page).await,
            );
            assert_eq!(found.await, expected, "{name}, {phase:?}");
            let expected: Vec<CandidacyId> = showing(&candidacies, |view| view.id, |view| view.phase, &phase);
            let found = walk(
                2,
                |view: &CandidacyView| view.id,
                async |page| store.candidacies(&reader, Some(phase), None, page).await,
            );
            assert_eq!(found.await, expected, "{name}, {phase:?}");
        }
    }
}

pub(super) async fn a_client_never_sees_that_an_invitation_is_archived(world: World) {
    busy_world(&world).await;
    let (store, now) = (world.store(), world.now());
    let archived_for = async |name: &str, role: Side| {
        let reader = user(name);
        let invitations = store
            .invitations(&reader, Some(InvitationStatus::Archived), first(ALL), now)
            .await
            .expect("read");
        let candidacies =
            store.candidacies(&reader, Some(Phase::Archived), None, first(ALL)).await.expect("read");
        assert!(invitations.iter().all(|view| view.role == Side::Freelancer));
        assert!(candidacies.iter().all(|view| view.role == Side::Freelancer));
        let everything = store.candidacies(&reader, None, None, first(ALL)).await.expect("read");
        assert!(everything.iter().all(|view| view.role == Side::Freelancer || view.phase != Phase::Archived));
        let of_this_role = |role| candidacies.iter().filter(|view| view.role == role).count();
        assert_eq!(invitations.len(), candidacies.len());
        of_this_role(role)
    };
    assert_eq!(archived_for("clara", Side::Client).await, 0);
    assert_eq!(archived_for("clara", Side::Freelancer).await, 1);
    assert_eq!(archived_for("felix", Side::Freelancer).await, 1);
    assert_eq!(archived_for("dora", Side::Client).await, 0);
}

pub(super) async fn an_invitation_is_expired_from_the_moment_it_is_due(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), None)).await;
    let invitation: InvitationId = sent.invitation.expect("its id");
    let store = world.store();
    let status_at = async |name: &str, at: Time| {
        let view = store.invitation(&user(name), invitation, at).await.expect("read").expect("theirs");
        for status in STATUSES {
            let listed = store.invitations(&user(name), Some(status), first(ALL), at).await.expect("read");
            assert_eq!(listed.len(), usize::from(status == view.status), "the list agrees with the view");
        }
        (view.status, view.expires_at)
    };
    let (_, due) = status_at("clara", world.now()).await;
    let just_before = Time::from_micros(due.as_micros() - 1);
    for name in ["clara", "felix"] {
        assert_eq!(status_at(name, just_before).await.0, InvitationStatus::Pending);
        assert_eq!(status_at(name, due).await.0, InvitationStatus::Expired);
    }
    world.done("felix", &ask::archive(invitation)).await;
    assert_eq!(status_at("clara", just_before).await.0, InvitationStatus::Pending);
    assert_eq!(status_at("felix", just_before).await.0, InvitationStatus::Archived);
    for name in ["clara", "felix"] {
        assert_eq!(status_at(name, due).await.0, InvitationStatus::Expired);
    }
    world.done("clara", &ask::withdraw(invitation)).await;
    assert_eq!(
        status_at("felix", due).await.0,
        InvitationStatus::Withdrawn,
        "what is answered never expires"
    );
}

pub(super) async fn a_client_finds_the_candidacies_it_has_sorted_so_and_nobody_else_does(mut world: World) {
    busy_world(&world).await;
    let of_role = |all: &[CandidacyView], role: Side| -> Vec<CandidacyId> {
        all.iter().filter(|view| view.role == role).map(|view| view.id).collect()
    };
    let all = world.store().candidacies(&user("clara"), None, None, first(ALL)).await.expect("read");
    let (own, foreign) = (of_role(&all, Side::Client), of_role(&all, Side::Freelancer));
    let (mut short, archived) = (own[..7].to_vec(), own[7..10].to_vec());
    short.extend(&foreign[..2]);
    for (candidacies, mark) in [
        (short, Some(ClientMark::Shortlisted)),
        (archived, Some(ClientMark::Archived)),
        (own[3..8].to_vec(), None),
    ] {
        let sort = ask::mark_each(candidacies, mark);
        let done = world.act(&person("clara"), world.client_id(), &sort).await.expect("done");
        assert!(done.appended.is_empty(), "told to nobody");
    }
    world.open_again().await;
    let store = world.store();
    for (mark, expected) in [(ClientMark::Shortlisted, &own[..3]), (ClientMark::Archived, &own[8..10])] {
        for limit in [1, 2, 9] {
            let found = walk(
                limit,
                |view: &CandidacyView| view.id,
                async |page| store.candidacies(&user("clara"), None, Some(mark), page).await,
            );
            assert_eq!(found.await, expected, "{mark:?}, pages of {limit}");
        }
        for phase in Phase::ALL {
            let reader = user("clara");
            let found = store.candidacies(&reader, Some(phase), Some(mark), first(ALL)).await.expect("read");
            assert!(found.iter().all(|view| view.phase == phase && view.mark == Some(mark)));
        }
        for name in ["felix", "fiona", "dora", "mallory"] {
            let found = store.candidacies(&user(name), None, Some(mark), first(ALL)).await.expect("read");
            assert_eq!(found, [], "{name}");
        }
    }
    for name in PEOPLE {
        let all = store.candidacies(&user(name), None, None, first(ALL)).await.expect("read");
        let marked = all.iter().filter(|view| view.mark.is_some()).count();
        assert_eq!(marked, if name == "clara" { 5 } else { 0 }, "{name}");
    }
}

pub(super) async fn a_list_is_of_its_reader_alone(world: World) {
    busy_world(&world).await;
    let (store, now) = (world.store(), world.now());
    for name in PEOPLE {
        let reader = user(name);
        for view in store.invitations(&reader, None, first(ALL), now).await.expect("read") {
            let mine = if view.role == Side::Client { view.client.id } else { view.freelancer.id };
            assert_eq!(mine, reader);
        }
        for view in store.candidacies(&reader, None, None, first(ALL)).await.expect("read") {
            let mine = if view.role == Side::Client { &view.client.id } else { &view.freelancer.id };
            assert_eq!(*mine, reader);
            let alone = store.candidacy(&reader, view.id).await.expect("read");
            assert_eq!(alone.as_ref(), Some(&view), "listed as it is shown alone");
        }
        for view in store.rooms(&reader, first(ALL)).await.expect("read") {
            assert!(view.members.iter().any(|member| member.user == reader));
            let RoomRef::Room(id) = view.room else { panic!("an inbox among the rooms") };
            assert_eq!(store.room(&reader, id).await.expect("read").as_ref(), Some(&view));
        }
    }
}
