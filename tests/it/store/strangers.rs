//! Strangers: what a reader is not a party of is answered exactly like what does not exist.

use anteroom::domain::actor::Actor;
use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom_protocol::candidacy::CaseAnswer;
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{CandidacyId, InvitationId, JobId, OfferId, ProposalId, RoomId, RoomRef};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::Hash;
use anteroom_protocol::user::UserStatus;

use super::deed::person;
use super::world::{Post, World, inbox, refusal, room_of, user};
use crate::support::ask;

async fn active(world: &World) -> CaseAnswer {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), None)).await;
    world.done("felix", &ask::accept(sent.invitation.expect("its id"), None)).await
}

pub(super) async fn what_a_reader_is_no_party_of_is_answered_like_what_does_not_exist(world: World) {
    let case = active(&world).await;
    let (invitation, proposal) = (case.invitation.expect("its id"), case.proposal.expect("its id"));
    let (store, now, missing) = (world.store(), world.now(), world.fresh());
    for name in ["mallory", "dora", "fiona", "nobody"] {
        let reader = user(name);
        let logs = [Log::Room(room_of(&case)), Log::Room(RoomId(missing)), inbox("clara"), inbox("missing")];
        let asked: Vec<(Log, u64)> = logs.into_iter().map(|log| (log, 1)).collect();
        assert_eq!(
            store.access(&reader, &asked).await.expect("read"),
            [const { None::<anteroom::store::Access> }; 4],
            "{name}"
        );
        for room in [room_of(&case), RoomId(missing)] {
            assert_eq!(store.room(&reader, room).await.expect("read"), None);
        }
        for id in [invitation, InvitationId(missing)] {
            assert_eq!(store.invitation(&reader, id, now).await.expect("read"), None);
        }
        for id in [proposal, ProposalId(missing)] {
            assert_eq!(store.proposal(&reader, id).await.expect("read"), None);
        }
        for id in [case.candidacy, CandidacyId(missing)] {
            assert_eq!(store.candidacy(&reader, id).await.expect("read"), None);
        }
    }
}

/// A command on the things of a case, or on a job.
type There = fn(&CaseAnswer, &JobId) -> Command;

/// Every command that a person can come to a foreign case with.
const COMMANDS: &[There] = &[
    |case, _| ask::post(case.room.expect("a room"), "let me in"),
    |case, _| ask::edit(case.room.expect("a room"), 1, "let me in"),
    |case, _| ask::redact(case.room.expect("a room"), 1),
    |_, job| ask::invite(job, &user("felix"), None),
    |case, _| ask::accept(case.invitation.expect("its id"), None),
    |case, _| ask::decline(case.invitation.expect("its id"), DeclineReason::TooBusy, None),
    |case, _| ask::archive(case.invitation.expect("its id")),
    |case, _| ask::withdraw(case.invitation.expect("its id")),
    |case, _| ask::retract(case.invitation.expect("its id")),
    |_, job| ask::propose(job, ask::hourly(4_000)),
    |case, _| ask::answer(case.proposal.expect("its id")),
    |case, _| ask::decline_proposal(case.proposal.expect("its id")),
    |case, _| ask::withdraw_proposal(case.proposal.expect("its id")),
    |case, _| ask::decline_candidacy(case.candidacy),
    |case, _| ask::withdraw_candidacy(case.candidacy),
    |case, _| ask::propose_terms(case.candidacy, 0, ask::hourly(4_000)),
    |case, _| ask::accept_terms(case.candidacy, 1, Hash::GENESIS),
    |case, _| ask::decline_terms(case.candidacy, 1),
    |case, _| ask::withdraw_terms(case.candidacy, 1),
    |case, _| ask::acknowledge_terms(case.candidacy, 1),
    |case, _| ask::offer(case.candidacy, 1, Hash::GENESIS),
    |case, _| ask::change_offer(case.offer.expect("its id"), 1, Hash::GENESIS),
    |case, _| ask::request_change(case.offer.expect("its id"), None),
    |case, _| ask::withdraw_offer(case.offer.expect("its id")),
    |case, _| ask::decline_offer(case.offer.expect("its id"), None),
    |case, _| ask::accept_offer(case.offer.expect("its id"), 1, Hash::GENESIS),
    |case, _| ask::reopen(case.candidacy),
    |case, _| ask::archive_proposal(case.proposal.expect("its id")),
    |case, _| ask::report_invitation(case.invitation.expect("its id"), None),
    |case, _| ask::report_message(case.room.expect("a room"), 1),
    |case, _| ask::add_member(case.room.expect("a room"), &user("fiona"), None),
    |case, _| ask::remove_member(case.room.expect("a room"), &user("felix")),
];

pub(super) async fn a_command_on_what_one_is_no_party_of_is_refused_like_one_on_what_does_not_exist(
    world: World,
) {
    let mut case = active(&world).await;
    let proposed = ask::propose_terms(case.candidacy, case.terms_version.unwrap_or(0), ask::hourly(4_200));
    let proposed = world.done("felix", &proposed).await;
    let (version, hash) = (proposed.terms_version.expect("terms"), proposed.terms_hash.expect("terms"));
    case.offer = world.done("clara", &ask::offer(case.candidacy, version, hash)).await.offer;
    world.job("closed", "clara", JobStatus::Closed).await;
    let missing = world.fresh();
    let both = |there: &There| {
        let nowhere = CaseAnswer {
            candidacy: CandidacyId(missing),
            invitation: Some(InvitationId(missing)),
            proposal: Some(ProposalId(missing)),
            room: Some(RoomRef::Room(RoomId(missing))),
            offer: Some(OfferId(missing)),
            ..case.clone()
        };
        let job = |name: &str| name.parse::<JobId>().expect("a job id");
        [there(&case, &job("closed")), there(&nowhere, &job("no-such-job"))]
    };
    let commands: Vec<[Command; 2]> = COMMANDS.iter().map(both).collect();
    let names: std::collections::BTreeSet<&str> = commands.iter().flatten().map(Command::name).collect();
    // What is the marketplace's to tell of no person comes that far with; and of several, each is answered for itself.
    let not_these =
        ["contract.form", "contract.end", "invitation.remove", "candidacies.decline", "candidacies.mark"];
    let people = Command::ALL.iter().filter(|spec| !not_these.contains(&spec.name));
    assert_eq!(names.len(), people.count(), "every command there is");
    for status in [UserStatus::Active, UserStatus::Suspended] {
        world.tell_of("mallory", status).await;
        let everything = world.everything().await;
        for command in commands.iter().flatten() {
            let refused = world.refused("mallory", command).await;
            assert_eq!(refusal(refused), Refusal::NotFound, "{status:?}: {command:?}");
        }
        assert_eq!(world.everything().await, everything);
    }
}

pub(super) async fn a_job_is_seen_while_it_is_open_and_by_its_people_for_ever(world: World) {
    active(&world).await;
    let (store, job): (_, JobId) = (world.store(), "garden".parse().expect("a job id"));
    let sees = async |name: &str| store.job(&user(name), &job).await.expect("read").is_some();
    for status in [JobStatus::Open, JobStatus::Filled, JobStatus::Closed] {
        world.job("garden", "clara", status).await;
        assert!(sees("clara").await && sees("felix").await, "its people, while {status:?}");
        let open = status == JobStatus::Open;
        assert_eq!((sees("mallory").await, sees("fiona").await), (open, open), "others, while {status:?}");
    }
    let missing: JobId = "no-such-job".parse().expect("a job id");
    assert_eq!(store.job(&user("clara"), &missing).await.expect("read"), None);
}

/// The account's status used to be looked at first.
pub(super) async fn regression_a_suspended_freelancer_does_not_learn_of_a_job_that_takes_nobody(
    world: World,
) {
    let closed = world.job("closed", "clara", JobStatus::Closed).await;
    let open = world.job("open", "clara", JobStatus::Open).await;
    world.tell_of("felix", UserStatus::Suspended).await;
    let propose = |job| ask::propose(job, ask::hourly(4_000));
    assert_eq!(refusal(world.refused("felix", &propose(&closed)).await), Refusal::NotFound);
    assert!(matches!(refusal(world.refused("felix", &propose(&open)).await), Refusal::Account(_)));
}

/// An inbox has no members, and the rule used to look for them first.
pub(super) async fn regression_nobody_writes_into_an_inbox_and_only_its_owner_is_told_so(world: World) {
    active(&world).await;
    let before = world.everything().await;
    let own = Post { room: RoomRef::Inbox, ..world.post("clara", RoomId(world.fresh()), "a note to myself") };
    let refused = refusal(world.commit(&[own]).await.remove(0).expect_err("refused"));
    assert!(matches!(refused, Refusal::Invalid(_)), "{refused:?}");

    let (actor, id): (Actor, _) = (person("mallory"), world.client_id());
    let write = anteroom::store::Write {
        log: inbox("clara"),
        intent: super::deed::intent(&actor, id, &ask::post(RoomRef::Inbox, "hello")),
    };
    let by_the_rules = |_: usize, room: &anteroom::domain::room::Room| {
        anteroom::domain::message::post(room, &super::deed::by(&actor.user, id), &super::deed::body("hello")?)
    };
    let refused = world.store().commit(&[write], world.moment(), &by_the_rules).await.remove(0);
    assert_eq!(refusal(refused.expect_err("refused")), Refusal::NotFound);
    assert_eq!(world.everything().await, before);
}
