//! Changes of a case: candidacy, room and inboxes in one go, or nothing of them.

use std::sync::atomic::{AtomicBool, Ordering};

use anteroom::domain::candidacy::Case;
use anteroom::domain::log::{Log, LogEntry};
use anteroom::domain::refusal::Refusal;
use anteroom::store::CaseKey;
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{CandidacyId, ClientId, InvitationId, JobId, ProposalId, RoomRef};
use anteroom_protocol::invitation::InvitationStatus;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::user::Side;
use serde_json::Value;

use super::deed::{actor, intent, person};
use super::story::{ARCHIVE, END_BY_FREELANCER, SEND, STORIES, SUBMIT, nothing_yet, stage};
use super::world::{ALL, PEOPLE, World, case_answer, first, inbox, refusal, room_of, told, user};
use crate::support::ask;

fn kinds(entries: &[LogEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.kind.as_ref()).collect()
}

fn data(entry: &LogEntry) -> Value {
    serde_json::from_str(entry.public.json()).expect("JSON")
}

pub(super) async fn an_invitation_that_is_sent_stands_in_both_inboxes_and_both_views(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let command = ask::invite(&job, &user("felix"), Some(ask::hourly(4_500)));
    let id = world.client_id();
    let sent = world.act(&person("clara"), id, &command).await.expect("sent");
    let answer = case_answer(&sent);
    assert_eq!((answer.phase, answer.room, answer.proposal), (Phase::Invited, None, None));
    for (name, role) in [("clara", Side::Client), ("felix", Side::Freelancer)] {
        let entries = world.sound(&inbox(name)).await;
        assert_eq!(kinds(&entries), ["invitation.sent"]);
        assert_eq!((entries[0].client_id, entries[0].by.as_ref()), (Some(id), Some(&user("clara"))));
        assert_eq!(data(&entries[0])["phase"], "invited");

        let (reader, invitation) = (user(name), answer.invitation.expect("its id"));
        let view = world.store().invitation(&reader, invitation, world.now()).await.expect("read");
        let view = view.expect("theirs");
        assert_eq!((view.status, view.role), (InvitationStatus::Pending, role));
        assert_eq!(view.terms.expect("suggested").terms, ask::hourly(4_500));
        let view = world.store().candidacy(&reader, answer.candidacy).await.expect("read").expect("theirs");
        assert_eq!((view.phase, view.role, view.head), (Phase::Invited, role, None));
    }
    assert!(world.sound(&inbox("mallory")).await.is_empty());
}

pub(super) async fn an_acceptance_writes_proposal_room_first_entries_and_inboxes_in_one_go(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), Some(ask::hourly(4_500)))).await;
    let accept = ask::accept(sent.invitation.expect("its id"), Some(ask::hourly(6_000)));
    let id = world.client_id();
    let accepted = world.act(&person("felix"), id, &accept).await.expect("accepted");
    let answer = case_answer(&accepted);
    assert_eq!(answer.phase, Phase::Active);
    let room = room_of(&answer);

    let entries = world.sound(&Log::Room(room)).await;
    let expected = [
        "invitation.sent",
        "terms.proposed",
        "invitation.accepted",
        "terms.proposed",
        "phase.changed",
        "message.posted",
    ];
    assert_eq!(kinds(&entries), expected);
    let carriers: Vec<u64> =
        entries.iter().filter(|entry| entry.client_id == Some(id)).map(|entry| entry.seq).collect();
    assert_eq!(carriers, [6], "one entry stands for the command");
    for name in ["clara", "felix"] {
        let reader = user(name);
        let told = world.sound(&inbox(name)).await;
        assert_eq!(kinds(&told), ["invitation.sent", "invitation.accepted"]);
        assert_eq!(data(&told[1])["room"], room.to_string());
        let view = world.store().room(&reader, room).await.expect("read").expect("theirs");
        assert_eq!((view.phase, view.head, view.as_of), (Phase::Active, 6, 6));
        let members: Vec<_> = view.members.iter().map(|member| (member.user.as_str(), member.side)).collect();
        assert_eq!(members, [("clara", Side::Client), ("felix", Side::Freelancer)]);
        let view = world.store().proposal(&reader, answer.proposal.expect("its id")).await.expect("read");
        let view = view.expect("theirs");
        assert_eq!((view.phase, view.room), (Phase::Active, Some(RoomRef::Room(room))));
        assert_eq!(view.cover_letter, None);
        let terms = view.terms.expect("they stand");
        assert_eq!((terms.version, terms.by, terms.terms), (2, Side::Freelancer, ask::hourly(6_000)));
    }
    let appended: Vec<&Log> = accepted.appended.iter().map(|appended| &appended.entry.log).collect();
    assert_eq!(appended.len(), 8, "six in the room and one in each inbox: {appended:?}");
}

pub(super) async fn an_answered_proposal_opens_its_room_with_the_letter_the_terms_and_the_answer(
    world: World,
) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let submitted = world.done("felix", &ask::propose(&job, ask::hourly(5_000))).await;
    assert_eq!((submitted.phase, submitted.room), (Phase::Submitted, None));
    let answered = world.done("clara", &ask::answer(submitted.proposal.expect("its id"))).await;
    assert_eq!(answered.candidacy, submitted.candidacy);
    let entries = world.sound(&Log::Room(room_of(&answered))).await;
    let expected = ["proposal.submitted", "terms.proposed", "phase.changed", "message.posted"];
    assert_eq!(kinds(&entries), expected);
    for name in ["clara", "felix"] {
        let told = world.sound(&inbox(name)).await;
        assert_eq!(kinds(&told), ["proposal.submitted", "proposal.answered"]);
    }
}

/// Of these nobody but the marketplace or their author learns anything.
fn is_told_to_nobody(command: &Command) -> bool {
    matches!(
        command,
        Command::InvitationReport(_)
            | Command::InvitationRetract(_)
            | Command::MessageReport(_)
            | Command::ProposalArchive(_)
    )
}

pub(super) async fn every_change_repeated_gets_the_same_answer_byte_for_byte_and_writes_nothing(
    first: World,
) {
    for story in STORIES {
        let world = first.another().await;
        let job = stage(&world).await;
        let (mut case, mut before) = (nothing_yet(), Vec::new());
        for (name, command) in story {
            let (actor, id, command) = (actor(name), world.client_id(), command(&job, &case));
            let first = world.act(&actor, id, &command).await.expect("done");
            assert!(!first.duplicate);
            assert_eq!(first.appended.is_empty(), is_told_to_nobody(&command), "{command:?}");
            before.push((actor, id, command, told(&first)));
            let everything = world.everything().await;
            for (actor, id, command, answer) in &before {
                let again = world.act(actor, *id, command).await.expect("repeated");
                assert!(again.duplicate && again.appended.is_empty());
                assert_eq!(told(&again), *answer);
            }
            assert_eq!(world.everything().await, everything);
            case = case_answer(&first);
        }
    }
}

pub(super) async fn a_refused_change_writes_nothing_anywhere_and_leaves_its_id_free(first: World) {
    for story in STORIES {
        let world = first.another().await;
        let job = stage(&world).await;
        let (mut case, mut everything) = (nothing_yet(), world.everything().await);
        let mut free: Vec<(&str, ClientId)> = Vec::new();
        for (name, command) in story {
            let command = command(&job, &case);
            for other in PEOPLE.into_iter().filter(|other| other != name) {
                if !may_do_the_same(other, &command) {
                    free.push((other, refused_by(&world, other, &command).await));
                }
            }
            assert_eq!(world.everything().await, everything, "before {command:?}");

            let place = free.iter().position(|(by, _)| by == name);
            let id = place.map_or_else(|| world.client_id(), |place| free.swap_remove(place).1);
            let done = world.act(&actor(name), id, &command).await.expect("done under a free id");
            (case, everything) = (case_answer(&done), world.everything().await);
            // Whoever reports, sorts or offers the same again does it again.
            if !is_told_to_nobody(&command) && !matches!(command, Command::OfferChange(_)) {
                free.push((name, refused_by(&world, name, &command).await));
            }
        }
        assert_eq!(world.everything().await, everything);
    }
}

/// Somebody else's proposal would be that person's own, and terms can be either's.
fn may_do_the_same(other: &str, command: &Command) -> bool {
    let is_of_two = matches!(command, Command::TermsPropose(_)) && ["clara", "felix"].contains(&other);
    is_of_two || (matches!(command, Command::ProposalSubmit(_)) && other != "clara")
}

/// The id under which the rules refused it.
async fn refused_by(world: &World, name: &str, command: &Command) -> ClientId {
    let id = world.client_id();
    refusal(world.act(&actor(name), id, command).await.expect_err("refused"));
    id
}

pub(super) async fn a_freelancer_has_one_open_candidacy_on_a_job_and_a_new_one_after_it_ended(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let invite = ask::invite(&job, &user("felix"), None);
    let mut ended = Vec::new();
    for _ in 0..3 {
        let sent = world.done("clara", &invite).await;
        assert_eq!(refusal(world.refused("clara", &invite).await), Refusal::CandidacyExists);
        let accepted = world.done("felix", &ask::propose(&job, ask::hourly(4_000))).await;
        assert_eq!(accepted.candidacy, sent.candidacy, "a proposal to a job one is invited to accepts");
        assert_eq!(refusal(world.refused("clara", &invite).await), Refusal::CandidacyExists);
        let propose = ask::propose(&job, ask::hourly(4_000));
        assert_eq!(refusal(world.refused("felix", &propose).await), Refusal::CandidacyExists);
        let other = world.done("fiona", &propose).await;
        world.done("fiona", &ask::withdraw_proposal(other.proposal.expect("its id"))).await;
        world.done("clara", &ask::decline_candidacy(accepted.candidacy)).await;
        ended.push((accepted.candidacy, room_of(&accepted)));
    }
    let listed = world.store().candidacies(&user("felix"), None, None, first(ALL)).await.expect("read");
    let listed: Vec<CandidacyId> = listed.iter().map(|view| view.id).collect();
    assert_eq!(listed, ended.iter().rev().map(|(candidacy, _)| *candidacy).collect::<Vec<_>>());
    for (_, room) in ended {
        let late = world.commit(&[world.post("clara", room, "too late")]).await.remove(0);
        assert_eq!(refusal(late.expect_err("refused")), Refusal::WrongPhase(Phase::Declined));
    }
}

pub(super) async fn what_a_case_was_decided_with_is_read_back_for_the_next_decision(mut world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let mut case = nothing_yet();
    for (name, command) in [SEND, ARCHIVE, SUBMIT, END_BY_FREELANCER] {
        let (actor, command) = (person(name), command(&job, &case));
        let kept = std::sync::Mutex::new(None);
        case = world.done(name, &command).await;
        world.open_again().await;
        for key in [
            CaseKey::Candidacy(case.candidacy),
            CaseKey::Invitation(case.invitation.expect("invited")),
            CaseKey::JobAndFreelancer(job.clone(), user("felix")),
        ] {
            let look = |case: Case| {
                let mut kept = kept.lock().expect("no panic");
                assert_eq!(*kept.get_or_insert_with(|| case.clone()), case, "the same by every key");
                Err(Refusal::Forbidden)
            };
            let intent = intent(&actor, world.client_id(), &command);
            let looked = world.store().change(Some(&intent), &key, world.moment(), &look).await;
            assert_eq!(refusal(looked.expect_err("only looked")), Refusal::Forbidden);
        }
        let kept = kept.into_inner().expect("no panic").expect("looked at");
        assert_eq!(kept.answer(Side::Freelancer), Some(case.clone()));
        let versions: Vec<u32> = kept.terms.iter().map(|terms| terms.version).collect();
        assert_eq!(versions, if case.proposal.is_some() { vec![1, 2] } else { vec![1] });
        assert!(kept.terms.iter().all(|version| version.hash == version.terms.hash()));
        assert_eq!(
            kept.proposal.and_then(|proposal| proposal.cover_letter).is_some(),
            case.proposal.is_some()
        );
    }
}

pub(super) async fn a_change_of_something_that_is_not_there_is_never_decided(world: World) {
    let job: JobId = "garden".parse().expect("a job id");
    let nowhere = world.fresh();
    for key in [
        CaseKey::Candidacy(CandidacyId(nowhere)),
        CaseKey::Invitation(InvitationId(nowhere)),
        CaseKey::Proposal(ProposalId(nowhere)),
        CaseKey::JobAndFreelancer(job, user("nobody")),
        CaseKey::JobAndFreelancer("no-such-job".parse().expect("a job id"), user("felix")),
    ] {
        let asked = AtomicBool::new(false);
        let never = |_: Case| {
            asked.store(true, Ordering::Relaxed);
            Err(Refusal::Forbidden)
        };
        let (actor, id) = (person("clara"), world.client_id());
        let intent = intent(&actor, id, &ask::archive(InvitationId(nowhere)));
        let refused = world.store().change(Some(&intent), &key, world.moment(), &never).await;
        assert_eq!(refusal(refused.expect_err("refused")), Refusal::NotFound, "{key:?}");
        assert!(!asked.into_inner(), "{key:?}");
    }
}

/// `updated_at` of the candidacy used to tell when.
pub(super) async fn regression_a_client_cannot_tell_that_an_invitation_was_ignored(world: World) {
    let job = world.job("garden", "clara", JobStatus::Open).await;
    let sent = world.done("clara", &ask::invite(&job, &user("felix"), None)).await;
    let (clara, invitation) = (user("clara"), sent.invitation.expect("its id"));
    let at = world.now();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (store, before) = (world.store(), seen.len());
        seen.push(format!("{:?}", store.candidacy(&clara, sent.candidacy).await.expect("read")));
        seen.push(format!("{:?}", store.candidacies(&clara, None, None, first(ALL)).await.expect("read")));
        seen.push(format!("{:?}", store.invitation(&clara, invitation, at).await.expect("read")));
        seen.push(format!("{:?}", store.invitations(&clara, None, first(ALL), at).await.expect("read")));
        seen.push(format!("{:?}", world.sound(&inbox("clara")).await));
        if before == 0 {
            world.done("felix", &ask::archive(invitation)).await;
        }
    }
    let (before, after) = seen.split_at(seen.len() / 2);
    assert_eq!(before, after);
    let own = world.store().candidacy(&user("felix"), sent.candidacy).await.expect("read").expect("his");
    assert_eq!(own.phase, Phase::Archived);
}
