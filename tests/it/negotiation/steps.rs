//! What can happen in a talk: whose command, of which kind, with which words, and how much later.

use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::candidacy::Case;
use anteroom::domain::fee::Fees;
use anteroom::domain::job::Job;
use anteroom::domain::terms::Version;
use anteroom::domain::user::{Party, Standing};
use anteroom_protocol::command::Command;
use anteroom_protocol::fee::{FeeSchedule, Tier};
use anteroom_protocol::id::{CandidacyId, InvitationId, OfferId, ProposalId};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::log::Hash;
use anteroom_protocol::user::UserStatus;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::people::{Beside, beside};
use crate::store::deed::person;
use crate::support::ask;

const ACTORS: usize = 9;
const COMMANDS: usize = 26;
const FORTNIGHT: i64 = 14 * 24 * 60;

/// Clara and Felix more often than the others, and mostly the one of the two whose turn it is.
pub(super) fn actor(number: usize) -> Actor {
    match number {
        0 | 5 => person("clara"),
        1 | 6 => person("felix"),
        2 => person("mallory"),
        3 => Actor { user: "marketplace".parse().expect("an id"), scope: Scope::Service },
        7 => person("tina"),
        8 => person("max"),
        _ => Actor { user: "clara".parse().expect("an id"), scope: Scope::Staff },
    }
}

/// A command, by its number, and what it says.
#[derive(Debug, Clone)]
pub(super) struct What {
    command: usize,
    terms: Option<i64>,
    /// It names what was there a version ago.
    outdated: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Command {
        actor: usize,
        what: What,
        minutes: i64,
    },
    /// Several of these, each so many minutes after the one before.
    Beside(Vec<(Beside, i64)>),
    Job(JobStatus),
    Account(&'static str, UserStatus),
    Scheduler {
        minutes: i64,
    },
}

fn minutes() -> impl Strategy<Value = i64> {
    prop_oneof![12 => 0..90_i64, 1 => 600..7_000_i64, 3 => select(vec![FORTNIGHT / 2, FORTNIGHT - 1, FORTNIGHT, FORTNIGHT + 1])]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let actor = prop_oneof![16 => 0..2_usize, 3 => 2..ACTORS];
    let outdated = prop::bool::weighted(0.1);
    // Mostly what leads on: who ends everything again and again sees nothing of a negotiation.
    let command = prop_oneof![5 => 0..9_usize, 5 => select(vec![0, 1, 4, 6, 7]), 1 => 9..11_usize, 8 => 11..20_usize, 8 => select(vec![11, 13, 14, 17, 18]), 1 => 20..COMMANDS, 1 => Just(24)];
    let what = (command, prop::option::of(-1..90_000_i64), outdated)
        .prop_map(|(command, terms, outdated)| What { command, terms, outdated });
    let command =
        (actor, what, minutes()).prop_map(|(actor, what, minutes)| Step::Command { actor, what, minutes });
    // The marketplace forms and ends contracts, reopens and removes more often than it does anything else.
    let of_contracts = (prop::option::of(1..90_000_i64), 22..COMMANDS).prop_map(|(terms, command)| {
        Step::Command { actor: 3, what: What { command, terms, outdated: false }, minutes: 1 }
    });
    let job = select(vec![JobStatus::Open, JobStatus::Open, JobStatus::Filled, JobStatus::Closed]);
    let status =
        select(vec![UserStatus::Active, UserStatus::Active, UserStatus::Suspended, UserStatus::Inactive]);
    let soon = prop_oneof![9 => 0..3_i64, 1 => 0..90_i64];
    let account = (select(vec!["clara", "felix", "tina", "max"]), status);
    prop_oneof![
        60 => command,
        4 => of_contracts,
        3 => job.prop_map(Step::Job),
        2 => account.prop_map(|(name, status)| Step::Account(name, status)),
        25 => vec((beside(), soon), 1..11).prop_map(Step::Beside),
        6 => minutes().prop_map(|minutes| Step::Scheduler { minutes }),
        // What was said before the rest is due, and the rest is not.
        1 => (FORTNIGHT - 120..FORTNIGHT).prop_map(|minutes| Step::Scheduler { minutes }),
    ]
}

/// The command on this case; on what is not there, it names something that never was.
pub(super) fn command(what: &What, case: &Case) -> Command {
    let nowhere = Uuid::nil();
    let invitation = case.invitation.as_ref().map_or(InvitationId(nowhere), |invitation| invitation.id);
    let proposal = case.proposal.as_ref().map_or(ProposalId(nowhere), |proposal| proposal.id);
    let candidacy = case.candidacy.as_ref().map_or(CandidacyId(nowhere), |candidacy| candidacy.id);
    let offered = what.terms.map(ask::hourly);
    match what.command {
        0 => ask::invite(&case.job.id, &case.freelancer.user, offered),
        1 => ask::accept(invitation, offered),
        2 if what.terms.is_some() => ask::decline(invitation, DeclineReason::LooksLikeSpam, None),
        2 => ask::decline(invitation, DeclineReason::TooBusy, None),
        3 => ask::decline(invitation, DeclineReason::Other, what.terms.map(|_| "a wedding")),
        4 => ask::archive(invitation),
        5 => ask::withdraw(invitation),
        6 => ask::propose(&case.job.id, ask::hourly(what.terms.unwrap_or(1))),
        7 => answer(what, case, proposal),
        8 if what.terms.is_some() => ask::decline_proposal(proposal),
        8 => ask::withdraw_proposal(proposal),
        9 if what.terms.is_some() => ask::decline_each(vec![candidacy]),
        9 => ask::decline_candidacy(candidacy),
        10 => ask::withdraw_candidacy(candidacy),
        other => negotiate(other, what, case, candidacy),
    }
}

fn answer(what: &What, case: &Case, proposal: ProposalId) -> Command {
    let (version, hash) = named(what, case, case.standing);
    match what.terms {
        None => ask::answer(proposal),
        Some(amount) if amount % 3 == 0 => ask::answer_with(proposal, None, None, Some((version, hash))),
        Some(amount) => {
            let words = (amount % 3 == 1).then_some("And this is what I can pay.");
            ask::answer_with(proposal, words, Some((ask::hourly(amount), newest(what, case))), None)
        }
    }
}

fn negotiate(number: usize, what: &What, case: &Case, candidacy: CandidacyId) -> Command {
    let amount = what.terms.unwrap_or(4_000);
    let offer = case.offer.as_ref().map_or(OfferId(Uuid::nil()), |offer| offer.id);
    let waiting = named(what, case, case.pending);
    let wanted = named(what, case, if what.terms.is_some() { case.standing } else { case.pending });
    let contract = format!("contract-{candidacy}").parse().expect("an id");
    match number {
        11 => ask::propose_terms(candidacy, newest(what, case), ask::hourly(amount)),
        12 => ask::propose_take_home(candidacy, newest(what, case), ask::hourly(amount)),
        13 => ask::accept_terms(candidacy, waiting.0, waiting.1),
        14 => ask::decline_terms(candidacy, waiting.0),
        15 => ask::withdraw_terms(candidacy, waiting.0),
        16 => ask::acknowledge_terms(candidacy, newest(what, case)),
        17 => ask::offer(candidacy, wanted.0, wanted.1),
        18 => ask::change_offer(offer, wanted.0, wanted.1),
        19 => ask::request_change(offer, what.terms.map(|amount| (ask::hourly(amount), newest(what, case)))),
        20 if what.terms.is_some() => ask::withdraw_offer(offer),
        20 => ask::decline_offer(offer, Some("Another time.")),
        21 => {
            let (version, hash) = named(what, case, case.offer.as_ref().map(|offer| offer.version));
            ask::accept_offer(offer, version, hash)
        }
        22 => match what.terms {
            Some(amount) => ask::form_contract_on(candidacy, &contract, ask::hourly(amount)),
            None => ask::form_contract(candidacy, &contract, wanted.0, wanted.1),
        },
        24 => ask::reopen(candidacy),
        25 => ask::remove_invitation(case.invitation.as_ref().map_or(InvitationId(Uuid::nil()), |it| it.id)),
        _ => {
            let formed = case.contract.as_ref().map_or(&contract, |contract| &contract.id);
            ask::end_contract(formed)
        }
    }
}

fn newest(what: &What, case: &Case) -> u32 {
    let newest = case.terms.last().map_or(0, |version| version.version);
    if what.outdated { newest + 1 } else { newest }
}

/// A version by its number and hash; what is outdated has another version's hash.
fn named(what: &What, case: &Case, version: Option<u32>) -> (u32, Hash) {
    let version = version.unwrap_or(0);
    let known = |version: u32| case.terms.iter().find(|known| known.version == version);
    let seen = if what.outdated { known(version + 1) } else { known(version) };
    (version, seen.map_or(Hash::GENESIS, |version: &Version| version.hash))
}

pub(super) fn nothing_yet() -> Case {
    let party = |name: &str| Party { user: name.parse().expect("an id"), standing: Standing::default() };
    let job = Job {
        id: "garden".parse().expect("an id"),
        client: "clara".parse().expect("an id"),
        title: "A garden".into(),
        url: None,
        status: JobStatus::Open,
    };
    let tiers = vec![
        Tier { up_to: Some(50_000), basis_points: 2_000 },
        Tier { up_to: Some(1_000_000), basis_points: 1_000 },
        Tier { up_to: None, basis_points: 500 },
    ];
    let fees = Fees { schedule: FeeSchedule::Tiered { currency: "EUR".into(), tiers }, billed: 30_000 };
    let (client, freelancer) = (party("clara"), party("felix"));
    Case {
        job,
        client,
        freelancer,
        candidacy: None,
        invitation: None,
        ledger: None,
        proposal: None,
        terms: Vec::new(),
        standing: None,
        pending: None,
        offer: None,
        contract: None,
        members: Vec::new(),
        named: None,
        pointed: None,
        another_is_open: false,
        fees: None,
        fees_now: Some(fees),
    }
}
