//! Stories: every command on a case, each in every phase that allows it, told one after the other.

use anteroom_protocol::candidacy::{CaseAnswer, Phase};
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{CandidacyId, ContractId, JobId};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::Hash;
use anteroom_protocol::user::{Side, UserStatus};

use super::deed::MARKETPLACE;
use super::world::{World, user};
use crate::support::ask;

/// Who does it, and what, by what was answered last.
pub(super) type Step = (&'static str, fn(&JobId, &CaseAnswer) -> Command);

pub(super) const SEND: Step = ("clara", |job, _| ask::invite(job, &user("felix"), Some(ask::hourly(4_500))));
pub(super) const ACCEPT: Step = ("felix", |_, case| ask::accept(case.invitation.expect("invited"), None));
pub(super) const DECLINE: Step = ("felix", |_, case| {
    ask::decline(case.invitation.expect("invited"), DeclineReason::Other, Some("a wedding"))
});
pub(super) const ARCHIVE: Step = ("felix", |_, case| ask::archive(case.invitation.expect("invited")));
const TAKE_OUT: Step = ("clara", |_, case| ask::retract(case.invitation.expect("invited")));
const TAKE_BACK: Step = ("clara", |_, case| ask::withdraw(case.invitation.expect("invited")));
const REPORT: Step =
    ("felix", |_, case| ask::report_invitation(case.invitation.expect("invited"), Some("odd")));
const REMOVE: Step = (MARKETPLACE, |_, case| ask::remove_invitation(case.invitation.expect("invited")));

pub(super) const SUBMIT: Step = ("felix", |job, _| ask::propose(job, ask::hourly(5_000)));
pub(super) const ANSWER: Step = ("clara", |_, case| ask::answer(case.proposal.expect("submitted")));
const TURN_DOWN: Step = ("clara", |_, case| ask::decline_proposal(case.proposal.expect("submitted")));
const GIVE_UP: Step = ("felix", |_, case| ask::withdraw_proposal(case.proposal.expect("submitted")));
const PUT_ASIDE: Step = ("clara", |_, case| ask::archive_proposal(case.proposal.expect("submitted")));

pub(super) const ASK_FOR: Step =
    ("felix", |_, case| ask::propose_terms(case.candidacy, newest(case).0, ask::hourly(5_500)));
pub(super) const COUNTER: Step =
    ("clara", |_, case| ask::propose_terms(case.candidacy, newest(case).0, ask::hourly(4_000)));
pub(super) const AGREE: Step =
    ("felix", |_, case| ask::accept_terms(case.candidacy, newest(case).0, newest(case).1));
const DISAGREE: Step = ("felix", |_, case| ask::decline_terms(case.candidacy, newest(case).0));
const THINK_AGAIN: Step = ("clara", |_, case| ask::withdraw_terms(case.candidacy, newest(case).0));
const NOTE_BY_CLIENT: Step = ("clara", |_, case| ask::acknowledge_terms(case.candidacy, newest(case).0));
const NOTE_BY_FREELANCER: Step = ("felix", |_, case| ask::acknowledge_terms(case.candidacy, newest(case).0));

pub(super) const OFFER: Step =
    ("clara", |_, case| ask::offer(case.candidacy, newest(case).0, newest(case).1));
pub(super) const CHANGE: Step =
    ("clara", |_, case| ask::change_offer(case.offer.expect("offered"), newest(case).0, newest(case).1));
pub(super) const ASK_TO_CHANGE: Step = ("felix", |_, case| {
    ask::request_change(case.offer.expect("offered"), Some((ask::hourly(5_200), newest(case).0)))
});
pub(super) const TAKE_OFFER_BACK: Step =
    ("clara", |_, case| ask::withdraw_offer(case.offer.expect("offered")));
pub(super) const REFUSE_OFFER: Step =
    ("felix", |_, case| ask::decline_offer(case.offer.expect("offered"), Some("too far")));
pub(super) const SIGN: Step =
    ("felix", |_, case| ask::accept_offer(case.offer.expect("offered"), newest(case).0, newest(case).1));
const FORM: Step = (MARKETPLACE, |_, case| {
    ask::form_contract(case.candidacy, &contract("C-1"), newest(case).0, newest(case).1)
});
const FORM_ON_OTHERS: Step =
    (MARKETPLACE, |_, case| ask::form_contract_on(case.candidacy, &contract("C-2"), ask::hourly(7_000)));
pub(super) const END_CONTRACT: Step =
    (MARKETPLACE, |_, case| ask::end_contract(case.contract.as_ref().expect("hired")));

pub(super) const BRING_IN: Step =
    ("clara", |_, case| ask::add_member(case.room.expect("a room"), &user("tina"), Some(Side::Client)));
pub(super) const SEND_AWAY: Step =
    ("clara", |_, case| ask::remove_member(case.room.expect("a room"), &user("tina")));
/// Clara's answer to a proposal.
const REPORT_ANSWER: Step = ("felix", |_, case| ask::report_message(case.room.expect("a room"), 4));

const END_BY_CLIENT: Step = ("clara", |_, case| ask::decline_candidacy(case.candidacy));
pub(super) const END_BY_FREELANCER: Step = ("felix", |_, case| ask::withdraw_candidacy(case.candidacy));
const REOPEN_BY_CLIENT: Step = ("clara", |_, case| ask::reopen(case.candidacy));
pub(super) const REOPEN_BY_FREELANCER: Step = ("felix", |_, case| ask::reopen(case.candidacy));

/// Every command on a case, each in every phase that allows it.
pub(super) const STORIES: [&[Step]; 15] = [
    &[SEND, ACCEPT, END_BY_CLIENT, SEND, ARCHIVE, ACCEPT, END_BY_FREELANCER, SUBMIT, ANSWER],
    &[SEND, DECLINE, TAKE_OUT, SUBMIT, TURN_DOWN],
    &[SEND, ARCHIVE, DECLINE],
    &[SEND, TAKE_BACK, SUBMIT, GIVE_UP],
    &[SEND, ARCHIVE, TAKE_BACK],
    &[SEND, SUBMIT, END_BY_CLIENT],
    &[SEND, ARCHIVE, SUBMIT, END_BY_FREELANCER],
    &[SUBMIT, ANSWER, END_BY_CLIENT],
    &[SUBMIT, ANSWER, END_BY_FREELANCER, SEND, ACCEPT],
    &[SEND, ACCEPT, COUNTER, AGREE, NOTE_BY_FREELANCER, OFFER, ASK_TO_CHANGE, CHANGE, SIGN, END_CONTRACT],
    &[
        SUBMIT,
        ANSWER,
        COUNTER,
        DISAGREE,
        ASK_FOR,
        NOTE_BY_CLIENT,
        OFFER,
        TAKE_OFFER_BACK,
        OFFER,
        COUNTER,
        REFUSE_OFFER,
    ],
    &[SUBMIT, PUT_ASIDE, ANSWER, COUNTER, THINK_AGAIN, ASK_FOR, OFFER, END_BY_CLIENT, REOPEN_BY_CLIENT, FORM],
    &[SUBMIT, ANSWER, BRING_IN, REPORT_ANSWER, SEND_AWAY, BRING_IN, END_BY_FREELANCER, REOPEN_BY_FREELANCER],
    &[SEND, REPORT, DECLINE, REOPEN_BY_FREELANCER, ARCHIVE, REMOVE, SUBMIT],
    &[SUBMIT, ASK_FOR, ANSWER, FORM_ON_OTHERS, BRING_IN, END_CONTRACT, SUBMIT],
];

/// Before the first answer.
pub(super) fn nothing_yet() -> CaseAnswer {
    let candidacy = CandidacyId(uuid::Uuid::nil());
    CaseAnswer {
        candidacy,
        phase: Phase::Invited,
        invitation: None,
        proposal: None,
        room: None,
        terms_version: None,
        terms_hash: None,
        offer: None,
        contract: None,
    }
}

/// The newest version of the terms, and its hash.
pub(super) fn newest(case: &CaseAnswer) -> (u32, Hash) {
    (case.terms_version.expect("terms"), case.terms_hash.expect("terms"))
}

pub(super) fn contract(id: &str) -> ContractId {
    id.parse().expect("a contract's id")
}

/// The world in which stories are told: Tina is there to be brought in.
pub(super) async fn stage(world: &World) -> JobId {
    world.tell_of("tina", UserStatus::Active).await;
    world.job("garden", "clara", JobStatus::Open).await
}

/// These steps, one after the other; the last answer.
pub(super) async fn told(world: &World, job: &JobId, steps: &[Step]) -> CaseAnswer {
    go_on(world, job, nothing_yet(), steps).await
}

/// The same behind this answer.
pub(super) async fn go_on(world: &World, job: &JobId, mut case: CaseAnswer, steps: &[Step]) -> CaseAnswer {
    for (name, command) in steps {
        case = world.done(name, &command(job, &case)).await;
    }
    case
}
