//! From terms to a contract: what was decided is what the next decision finds, and nobody but its people reads it.

use std::sync::Mutex;

use anteroom::app::rule::About;
use anteroom::domain::candidacy::Case;
use anteroom::domain::fee::Fees;
use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::domain::timer;
use anteroom::store::{Answer, CaseKey, Mark, Place, StoreError};
use anteroom_protocol::candidacy::{CaseAnswer, CasesItem, ClientMark, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::contract::ContractSealed;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::fee::{Billing, FeeSchedule, Tier};
use anteroom_protocol::id::{CandidacyId, FeeScheduleId, JobId, OfferId, ReportId, RoomId, RoomRef, UserId};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::offer::OfferStatus;
use anteroom_protocol::report::ReportView;
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use super::deed::{actor, decide, intent, person, rule_of};
use super::story::{
    ACCEPT, ANSWER, BRING_IN, COUNTER, END_CONTRACT, OFFER, SEND, SEND_AWAY, SIGN, STORIES, SUBMIT, contract,
    newest, nothing_yet, stage, told,
};
use super::world::{ALL, World, case_answer, first, inbox, refusal, room_of, user};
use super::{deed, world};
use crate::support::ask;

/// Twenty per cent up to €500, ten above.
pub(super) fn tiered() -> FeeSchedule {
    let tiers =
        vec![Tier { up_to: Some(50_000), basis_points: 2_000 }, Tier { up_to: None, basis_points: 1_000 }];
    FeeSchedule::Tiered { currency: "EUR".into(), tiers }
}

pub(super) async fn fees_are(world: &World, schedule: &FeeSchedule) {
    let id: FeeScheduleId = "default".parse().expect("an id");
    world.store().put_fee_schedule(&id, schedule).await.expect("kept");
}

pub(super) async fn billed(world: &World, amount: i64) {
    let billing = Billing { currency: "EUR".into(), amount };
    world.store().put_billing(&user("clara"), &user("felix"), &billing).await.expect("kept");
}

/// Does a command, and gives back what was decided.
async fn decided(world: &World, name: &str, command: &Command) -> (CaseAnswer, Case) {
    let (actor, id, moment) = (actor(name), world.client_id(), world.moment());
    let context = deed::context(&actor, id, moment.now, || world.fresh());
    let kept = Mutex::new(None);
    let by_the_rules = |case: Case| {
        let side = case.seat_of(&context.actor)?;
        let decisions = decide(command, case, &context)?;
        *kept.lock().expect("no panic") = decisions.last().map(|decision| decision.case.clone());
        Ok((decisions, side))
    };
    let About::One(key) = rule_of(&actor, command).expect("a rule").about else { panic!("about several") };
    let intent = intent(&actor, id, command);
    let done = world.store().change(Some(&intent), &key, moment, &by_the_rules).await.expect("done");
    (case_answer(&done), kept.into_inner().expect("no panic").expect("decided"))
}

/// Everything that this case can be asked for by.
fn keys(job: &JobId, case: &CaseAnswer) -> Vec<CaseKey> {
    let mut keys =
        vec![CaseKey::Candidacy(case.candidacy), CaseKey::JobAndFreelancer(job.clone(), user("felix"))];
    keys.extend(case.invitation.map(CaseKey::Invitation));
    keys.extend(case.proposal.map(CaseKey::Proposal));
    keys.extend(case.offer.map(CaseKey::Offer));
    keys.extend(case.contract.clone().map(CaseKey::Contract));
    keys.extend(case.room.map(|_| CaseKey::Room(room_of(case))));
    keys
}

pub(super) async fn what_was_decided_is_what_the_next_decision_finds(first: World) {
    for story in STORIES {
        let mut world = first.another().await;
        let job = stage(&world).await;
        fees_are(&world, &tiered()).await;
        billed(&world, 30_000).await;
        let mut case = nothing_yet();
        for (name, command) in story {
            let (answer, decided) = decided(&world, name, &command(&job, &case)).await;
            world.open_again().await;
            for key in keys(&job, &answer) {
                let found = world.look_at(&key).await;
                // The command named somebody or something, and the next one does not.
                let expected = Case { named: None, pointed: None, ..decided.clone() };
                assert_eq!(found, expected, "by {key:?}");
            }
            for name in ["clara", "felix"] {
                let view = world.store().candidacy(&user(name), answer.candidacy).await.expect("read");
                assert_eq!(view.expect("theirs").turn, timer::turn(&decided), "{name}");
            }
            case = answer;
        }
    }
}

pub(super) async fn fees_are_those_of_the_beginning_on_what_is_billed_now(mut world: World) {
    let job = stage(&world).await;
    fees_are(&world, &tiered()).await;
    billed(&world, 30_000).await;
    let case = told(&world, &job, &[SEND, ACCEPT]).await;
    let pinned = async |world: &World| world.look_at(&CaseKey::Candidacy(case.candidacy)).await;
    let flat = FeeSchedule::Flat { basis_points: 700 };
    let kept = pinned(&world).await.terms;
    fees_are(&world, &flat).await;
    billed(&world, 60_000).await;
    world.open_again().await;
    let found = pinned(&world).await;
    assert_eq!(found.fees, Some(Fees { schedule: tiered(), billed: 60_000 }));
    assert_eq!(found.fees_now, Some(Fees { schedule: flat.clone(), billed: 0 }));
    assert_eq!(found.terms, kept, "what was proposed before means what it meant");
    let fee = |case: &Case| case.terms.last().expect("terms").fee.clone().expect("a fee");
    assert_eq!((fee(&found).billed, fee(&found).whole.fee), (Some(30_000), 900));
    world.done("clara", &(COUNTER.1)(&job, &case)).await;
    let countered = pinned(&world).await;
    assert_eq!((fee(&countered).billed, fee(&countered).whole.fee), (Some(60_000), 400));

    let other = world.job("roof", "clara", JobStatus::Open).await;
    let later = told(&world, &other, &[SUBMIT]).await;
    let later = world.look_at(&CaseKey::Candidacy(later.candidacy)).await;
    assert_eq!(later.fees.map(|fees| fees.schedule), Some(flat));
}

pub(super) async fn fees_are_what_was_told_last_and_of_known_people_alone(world: World) {
    let case = async |name: &str| {
        let key = CaseKey::JobAndFreelancer("garden".parse().expect("a job id"), user(name));
        world.look_at(&key).await
    };
    assert_eq!(case("felix").await.fees_now, None, "nobody has told of any");
    for (schedule, amount) in [(tiered(), 10), (FeeSchedule::OnTop { basis_points: 5 }, 0), (tiered(), 20)] {
        fees_are(&world, &schedule).await;
        if amount > 0 {
            billed(&world, amount).await;
        }
        let expected = Fees { schedule: schedule.clone(), billed: amount };
        assert_eq!(case("felix").await.fees_now, Some(expected));
        assert_eq!(case("fiona").await.fees_now, Some(Fees { schedule, billed: 0 }), "of the two alone");
    }
    let billing = Billing { currency: "EUR".into(), amount: 7 };
    let (clara, felix, nobody): (UserId, UserId, UserId) = (user("clara"), user("felix"), user("nobody"));
    for (client, freelancer) in [(&clara, &nobody), (&nobody, &felix), (&nobody, &nobody)] {
        let refused = world.store().put_billing(client, freelancer, &billing).await;
        assert!(matches!(refused, Err(StoreError::Refused(Refusal::NotFound))), "{refused:?}");
    }
    let dollars = Billing { currency: "USD".into(), amount: 1 };
    world.store().put_billing(&clara, &felix, &dollars).await.expect("kept");
    assert_eq!(case("felix").await.fees_now.expect("fees").billed, 20, "each currency for itself");
    let unknown = Some("no-such".parse().expect("an id"));
    let posting = anteroom_protocol::job::JobPosting {
        fee_schedule: unknown,
        ..world::posting("clara", JobStatus::Open)
    };
    let job: JobId = "garden".parse().expect("a job id");
    world::not_kept(world.store().put_job(&job, &posting, world.now()).await);
}

pub(super) async fn of_several_candidacies_one_that_is_refused_is_left_alone_and_the_others_are_done(
    mut world: World,
) {
    let job = stage(&world).await;
    let talk = told(&world, &job, &[SUBMIT, ANSWER]).await;
    let submitted = world.done("fiona", &ask::propose(&job, ask::hourly(6_000))).await;
    let other = world.job("roof", "clara", JobStatus::Open).await;
    let ended = world.done("felix", &ask::propose(&other, ask::hourly(6_000))).await;
    world.done("clara", &ask::decline_proposal(ended.proposal.expect("its id"))).await;
    let foreign = world.job("cellar", "dora", JobStatus::Open).await;
    let foreign = world.done("felix", &ask::propose(&foreign, ask::hourly(6_000))).await;
    let missing = CandidacyId(world.fresh());
    let named =
        [ended.candidacy, talk.candidacy, missing, submitted.candidacy, foreign.candidacy, talk.candidacy];
    let untouched = [ended.candidacy, foreign.candidacy].map(CaseKey::Candidacy);
    let mut before = Vec::new();
    for key in &untouched {
        before.push(world.look_at(key).await);
    }
    let dora = world.seen_by("dora", world.same_moment()).await;

    let (clara, id, command) = (person("clara"), world.client_id(), ask::decline_each(named.to_vec()));
    let done = world.act(&clara, id, &command).await.expect("done");
    let Answer::Cases(answer) = &done.answer else { panic!("{done:?}") };
    let declined = (Some(Phase::Declined), None);
    let expected = [
        (None, Some(ErrorCode::WrongPhase)),
        declined,
        (None, Some(ErrorCode::NotFound)),
        declined,
        (None, Some(ErrorCode::NotFound)),
        (None, Some(ErrorCode::WrongPhase)),
    ];
    let expected: Vec<CasesItem> = std::iter::zip(named, expected)
        .map(|(candidacy, (phase, error))| CasesItem { candidacy, phase, error })
        .collect();
    assert_eq!(answer.items, expected);
    for (key, before) in std::iter::zip(&untouched, before) {
        assert_eq!(world.look_at(key).await, before);
    }
    assert_eq!(world.seen_by("dora", world.same_moment()).await, dora);
    world.sound(&Log::Room(room_of(&talk))).await;

    let everything = world.everything().await;
    world.open_again().await;
    let again = world.act(&clara, id, &command).await.expect("repeated");
    assert!(again.duplicate && again.appended.is_empty() && again.answer == done.answer);
    let mark = ask::mark_each(vec![missing], Some(ClientMark::Shortlisted));
    assert!(world.act(&clara, world.client_id(), &mark).await.expect("done").appended.is_empty());
    assert_eq!(world.everything().await, everything);
}

pub(super) async fn the_id_of_a_contract_belongs_to_one_candidacy(world: World) {
    let job = stage(&world).await;
    let hired = told(&world, &job, &[SUBMIT, ANSWER]).await;
    let form = |case: &CaseAnswer, id: &str| {
        ask::form_contract(case.candidacy, &contract(id), newest(case).0, newest(case).1)
    };
    let hired = world.done(deed::MARKETPLACE, &form(&hired, "C-1")).await;
    let other = world.job("roof", "clara", JobStatus::Open).await;
    let other = told(&world, &other, &[SUBMIT, ANSWER]).await;
    for _ in 0..2 {
        let everything = world.everything().await;
        let taken = world.refused(deed::MARKETPLACE, &form(&other, "C-1")).await;
        assert_eq!(refusal(taken), Refusal::ContractExists);
        assert_eq!(world.everything().await, everything);
        let _ = world
            .act(&actor(deed::MARKETPLACE), world.client_id(), &ask::end_contract(&contract("C-1")))
            .await;
    }
    let other = world.done(deed::MARKETPLACE, &form(&other, "C-2")).await;
    assert_ne!(hired.contract, other.contract);
}

pub(super) async fn offers_contracts_and_terms_are_read_by_the_two_alone(world: World) {
    let job = stage(&world).await;
    fees_are(&world, &tiered()).await;
    let case = told(&world, &job, &[SEND, ACCEPT, BRING_IN, OFFER, SIGN, END_CONTRACT]).await;
    let (offer, id) = (case.offer.expect("offered"), case.contract.clone().expect("hired"));
    let store = world.store();
    for name in ["tina", "fiona", "dora", "mallory", "nobody", deed::MARKETPLACE] {
        let reader = user(name);
        for offer in [offer, OfferId(world.fresh())] {
            assert_eq!(store.offer(&reader, offer).await.expect("read"), None, "{name}");
        }
        for id in [&id, &contract("no-such")] {
            assert_eq!(store.contract(&reader, id).await.expect("read"), None, "{name}");
        }
        for candidacy in [case.candidacy, CandidacyId(world.fresh())] {
            assert_eq!(store.terms(&reader, candidacy).await.expect("read"), None, "{name}");
        }
    }
    for (name, role) in [("clara", Side::Client), ("felix", Side::Freelancer)] {
        let reader = user(name);
        let seen = store.offer(&reader, offer).await.expect("read").expect("theirs");
        assert_eq!((seen.id, seen.status, seen.role), (offer, OfferStatus::Accepted, role));
        let agreed = store.contract(&reader, &id).await.expect("read").expect("theirs");
        assert!(agreed.ended_at.is_some() && agreed.role == role);
        assert_eq!(agreed.sealed, seal_of(&world, room_of(&case)).await);
        let terms = store.terms(&reader, case.candidacy).await.expect("read").expect("theirs");
        assert_eq!(terms[0], agreed.terms);
        let shows_fee = [&seen.terms, &agreed.terms, &terms[0]].map(|terms| terms.fee.is_some());
        assert_eq!(shows_fee, [role == Side::Freelancer; 3], "{name}");
    }
}

/// The seal in the log of this case's room.
pub(super) async fn seal_of(world: &World, room: RoomId) -> ContractSealed {
    let entries = world.sound(&Log::Room(room)).await;
    let at = entries.iter().position(|entry| &*entry.kind == "contract.sealed").expect("a seal");
    let sealed: ContractSealed = serde_json::from_str(entries[at].public.json()).expect("a seal");
    assert!(sealed.is_of(&deed::signing_key().public()));
    assert_eq!((sealed.seal.position, sealed.seal.head), (entries[at - 1].seq, entries[at - 1].hash));
    sealed
}

pub(super) async fn reports_are_listed_newest_first_and_no_log_says_that_there_was_one(world: World) {
    let mut expected: Vec<ReportView> = Vec::new();
    for number in 0..5 {
        let job = world.job(&format!("job-{number}"), "clara", JobStatus::Open).await;
        let case = told(&world, &job, &[SEND]).await;
        let (clara, felix) = (
            world.seen_by("clara", world.same_moment()).await,
            world.seen_by("felix", world.same_moment()).await,
        );
        let report = ask::report_invitation(case.invitation.expect("its id"), Some("no garden at all"));
        let done = world.act(&person("felix"), world.client_id(), &report).await.expect("done");
        assert!(done.appended.is_empty());
        assert_eq!(world.seen_by("clara", world.same_moment()).await, clara);
        // The first two are the ledger's: whose clock a report has stopped sees that, and nobody else.
        let of_felix = world.seen_by("felix", world.same_moment()).await;
        assert!(of_felix[..2] != felix[..2] && of_felix[2..] == felix[2..]);
        let all = world.store().reports(first(ALL)).await.expect("read");
        assert_eq!(all[1..], expected, "newest first");
        let newest = &all[0];
        assert_eq!((newest.by.as_str(), newest.about.as_str()), ("felix", "clara"));
        assert_eq!(
            (newest.candidacy, newest.invitation, newest.room),
            (case.candidacy, case.invitation, None)
        );
        assert_eq!(newest.text.as_deref(), Some("no garden at all"));
        expected = all;
    }
    for limit in [1, 2, 5] {
        let (mut seen, mut before) = (Vec::new(), None::<ReportId>);
        while seen.len() < expected.len() {
            let page = anteroom::store::Page { before, limit };
            let page = world.store().reports(page).await.expect("read");
            before = page.last().map(|report| report.id);
            seen.extend(page);
        }
        assert_eq!(seen, expected, "pages of {limit}");
    }
}

pub(super) async fn whoever_was_removed_is_a_stranger_after_the_entry_that_says_so(mut world: World) {
    let job = stage(&world).await;
    let case = told(&world, &job, &[SUBMIT, ANSWER, BRING_IN]).await;
    let (room, tina) = (room_of(&case), user("tina"));
    let log = Log::Room(room);
    let said = world.commit(&[world.post("tina", room, "gooseberries for everybody")]).await.remove(0);
    let said = said.expect("a member writes");
    assert!(said.appended[0].readers.contains(&tina));
    world.settled().await;
    while world.store().index(ALL).await.expect("indexed") {}
    let word = ["gooseberries".to_owned()];
    let finds = async |world: &World| {
        world.store().search(&tina, None, &word, first(ALL)).await.expect("searched").entries.len()
    };
    let told_of = async |world: &World| {
        let grown = world.store().changes(&tina, None, ALL).await.expect("read").items;
        grown.iter().any(|change| change.room == RoomRef::Room(room))
    };
    assert!(world.access("tina", &log).await.is_some_and(|access| access.people.len() == 3));
    assert!(finds(&world).await == 1 && told_of(&world).await);

    let command = (SEND_AWAY.1)(&job, &case);
    let removed = world.act(&person("clara"), world.client_id(), &command).await.expect("removed");
    let of_room = removed.appended.iter().find(|appended| appended.entry.log == log).expect("an entry");
    assert_eq!(&*of_room.entry.kind, "member.removed");
    assert!(of_room.readers.contains(&tina), "the last thing that Tina gets");
    for _ in 0..2 {
        let next =
            world.commit(&[world.post("clara", room, "who was that?")]).await.remove(0).expect("written");
        assert_eq!(next.appended[0].readers.len(), 2, "none after it");
        assert_eq!(world.access("tina", &log).await, None);
        assert!(world.access("clara", &log).await.is_some_and(|access| access.people.len() == 2));
        assert!(finds(&world).await == 0 && !told_of(&world).await);
        assert_eq!(world.store().room(&tina, room).await.expect("read"), None);
        assert_eq!(world.store().rooms(&tina, first(ALL)).await.expect("read"), []);
        let mark = Mark { log: log.clone(), user: tina.clone(), place: Place::Read(1) };
        let marked = world.store().mark(&[mark]).await.remove(0);
        assert_eq!(refusal(marked.expect_err("refused")), Refusal::NotFound);
        let late = world.commit(&[world.post("tina", room, "wait")]).await.remove(0);
        assert_eq!(refusal(late.expect_err("refused")), Refusal::NotFound);
        let told = world.sound(&inbox("tina")).await;
        assert_eq!(told.last().map(|entry| &*entry.kind), Some("member.removed"));
        world.open_again().await;
    }
}

pub(super) async fn public_keys_are_kept_for_ever_the_first_one_first(mut world: World) {
    let key = |byte: u8| PublicKey([byte; 32]);
    let at = Time::from_micros;
    let mut kept = Vec::new();
    for (number, byte) in (1..).zip([9, 3, 7]) {
        kept.push(key(byte));
        assert_eq!(world.store().public_keys(key(byte), at(number)).await.expect("kept"), kept);
    }
    for byte in [7, 9, 3] {
        world.open_again().await;
        assert_eq!(world.store().public_keys(key(byte), at(99)).await.expect("read"), kept, "used again");
    }
}
