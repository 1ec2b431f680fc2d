//! What transcripts are made of, and which room a case has.

use anteroom::domain::log::{Head, Log};
use anteroom::store::CaseKey;
use anteroom_protocol::candidacy::CaseAnswer;
use anteroom_protocol::id::{CandidacyId, InvitationId, JobId, OfferId, ProposalId, RoomId};
use anteroom_protocol::job::{JobPosting, JobStatus};
use anteroom_protocol::user::{UserProfile, UserStatus, UserSummary};

use super::story::{ACCEPT, ANSWER, END_BY_FREELANCER, OFFER, REOPEN_BY_FREELANCER, SEND, SIGN, SUBMIT};
use super::story::{contract, go_on, stage, told};
use super::world::{World, posting, profile, room_of, user};

pub(super) async fn the_subject_of_a_room_is_its_job_and_its_two_people_as_they_are_now(mut world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SEND, ACCEPT]).await;
    let (room, url) = (room_of(&case), |of: &str| Some(format!("https://marketplace.example/{of}")));
    let told_now =
        JobPosting { title: "A garden".into(), url: url("garden"), ..posting("clara", JobStatus::Filled) };
    world.store().put_job(&job, &told_now, world.now()).await.expect("kept");
    let felix = UserProfile { avatar_url: url("felix.png"), ..profile("felix", UserStatus::Suspended) };
    world.store().put_user(&user("felix"), &felix, world.moment()).await.expect("kept");
    for _ in 0..2 {
        world.posted("clara", room, "still here").await;
        let last = world.sound(&Log::Room(room)).await.pop().expect("entries");
        let subject = world.store().subject(room).await.expect("read").expect("a room");
        assert_eq!((subject.candidacy, &subject.job.id), (case.candidacy, &job));
        assert_eq!((subject.job.title.as_str(), subject.job.url), ("A garden", url("garden")));
        let person = |name: &str, avatar_url| UserSummary {
            id: user(name),
            name: format!("{name} of the tests"),
            avatar_url,
        };
        assert_eq!(subject.client, person("clara", None));
        assert_eq!(subject.freelancer, person("felix", url("felix.png")));
        assert_eq!(subject.head, Head { seq: last.seq, hash: last.hash });
        assert_eq!(world.store().subject(RoomId(world.fresh())).await.expect("read"), None);
        world.open_again().await;
    }
}

/// Every key of this case, and whatever else would be asked by.
fn keys(job: &JobId, case: &CaseAnswer) -> Vec<CaseKey> {
    vec![
        CaseKey::Candidacy(case.candidacy),
        CaseKey::Invitation(case.invitation.expect("invited")),
        CaseKey::Proposal(case.proposal.expect("accepted")),
        CaseKey::Offer(case.offer.expect("offered")),
        CaseKey::Contract(case.contract.clone().expect("hired")),
        CaseKey::JobAndFreelancer(job.clone(), user("felix")),
    ]
}

pub(super) async fn a_case_has_the_same_room_by_every_key(world: World) {
    let job = stage(&world).await;
    let invited = told(&world, &job, &[SEND]).await;
    let early = [
        CaseKey::Candidacy(invited.candidacy),
        CaseKey::Invitation(invited.invitation.expect("invited")),
        CaseKey::JobAndFreelancer(job.clone(), user("felix")),
    ];
    for key in early {
        assert_eq!(world.store().room_of(&key).await.expect("read"), None, "{key:?} has none yet");
    }
    let case = go_on(&world, &job, invited, &[ACCEPT, OFFER, SIGN]).await;
    for key in keys(&job, &case) {
        assert_eq!(world.store().room_of(&key).await.expect("read"), Some(room_of(&case)), "{key:?}");
    }
    let nowhere = world.fresh();
    for key in [
        CaseKey::Candidacy(CandidacyId(nowhere)),
        CaseKey::Invitation(InvitationId(nowhere)),
        CaseKey::Proposal(ProposalId(nowhere)),
        CaseKey::Offer(OfferId(nowhere)),
        CaseKey::Contract(contract("no-such-contract")),
        CaseKey::JobAndFreelancer(job, user("fiona")),
    ] {
        assert_eq!(world.store().room_of(&key).await.expect("read"), None, "{key:?} is not there");
    }
}

/// It used to be that of the case which began last, also when an earlier one was the one that had been reopened.
pub(super) async fn regression_the_room_of_two_people_is_that_of_the_case_a_command_finds(world: World) {
    let job = stage(&world).await;
    let key = CaseKey::JobAndFreelancer(job.clone(), user("felix"));
    let first = told(&world, &job, &[SUBMIT, ANSWER, END_BY_FREELANCER]).await;
    let second = told(&world, &job, &[SUBMIT, ANSWER, END_BY_FREELANCER]).await;
    for (case, steps) in [(&second, &[][..]), (&first, &[REOPEN_BY_FREELANCER])] {
        go_on(&world, &job, case.clone(), steps).await;
        let found = world.look_at(&key).await.candidacy.expect("a case");
        assert_eq!(found.id, case.candidacy);
        assert_eq!(world.store().room_of(&key).await.expect("read"), found.room);
    }
}
