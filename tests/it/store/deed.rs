//! From a command of the wire to the rule that decides it, without a server in between.

use std::sync::LazyLock;

use anteroom::app::rule::{Rule, rule};
use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::candidacy::{Case, Context, Decision, FreshIds};
use anteroom::domain::guard::{ContactPolicy, Said};
use anteroom::domain::log::{Event, LogEntry};
use anteroom::domain::message::{self, Amending, Body, By, Reason};
use anteroom::domain::policy::Policy;
use anteroom::domain::refusal::Refusal;
use anteroom::domain::room::Room;
use anteroom::domain::timer;
use anteroom::store::Intent;
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{
    CandidacyId, ClientId, InvitationId, OfferId, ProposalId, ReportId, RoomId, RoomRef, UserId,
};
use anteroom_protocol::log::part_digest;
use anteroom_protocol::signature::SigningKey;
use anteroom_protocol::time::Time;
use uuid::Uuid;

/// A person, by name.
pub(crate) fn person(name: &str) -> Actor {
    Actor { user: name.parse().expect("a user id"), scope: Scope::User }
}

/// The name that the marketplace's own systems go by.
pub(crate) const MARKETPLACE: &str = "marketplace";

/// Whoever goes by this name: a person, or the marketplace.
pub(crate) fn actor(name: &str) -> Actor {
    let scope = if name == MARKETPLACE { Scope::Service } else { Scope::User };
    Actor { scope, ..person(name) }
}

/// What happens to a case by itself now, as the scheduler does it.
pub(crate) fn happens(case: Case, now: Time) -> Result<Vec<Decision>, Refusal> {
    let settled = timer::settle(case.clone(), now);
    let case = settled.as_ref().map_or(case, |decision| decision.case.clone());
    let closed = if case.job.must_be_open().is_err() { timer::close(case, now) } else { None };
    let decisions: Vec<Decision> = settled.into_iter().chain(closed).collect();
    if decisions.is_empty() { Err(Refusal::NotFound) } else { Ok(decisions) }
}

/// What stands for this command.
pub(crate) fn intent(actor: &Actor, client_id: ClientId, command: &Command) -> Intent {
    let digest = part_digest(&[0; 16], &command.fingerprint());
    let mut mac = [0; 16];
    mac.copy_from_slice(&digest.0[..16]);
    Intent { actor: actor.key(), client_id, mac }
}

/// Who posts a message that gives nothing away.
pub(crate) fn by(user: &UserId, client_id: ClientId) -> By {
    By { user: user.clone(), client_id, contact: ContactPolicy::default(), said: Said::default() }
}

/// Who amends a message in words that give nothing away.
pub(crate) fn amending(actor: &Actor, client_id: ClientId, now: Time, policy: Policy) -> Amending {
    Amending { actor: actor.clone(), client_id, now, policy, said: Said::default() }
}

/// The rule of a rare command.
pub(crate) fn rule_of(actor: &Actor, command: &Command) -> Result<Rule, Refusal> {
    rule(actor, command.clone(), false)
}

/// Decides a rare command by its rule on the case as it is by then: what it does, behind what has happened by itself.
pub(crate) fn decide(command: &Command, case: Case, context: &Context) -> Result<Vec<Decision>, Refusal> {
    let rule = rule_of(&context.actor, command)?;
    timer::up_to_date(case, context.now, |case| (rule.decide)(case, context))
}

/// Who does something, when, and with ids that are drawn for it.
pub(crate) fn context(
    actor: &Actor,
    client_id: ClientId,
    now: Time,
    mut id: impl FnMut() -> Uuid,
) -> Context {
    Context {
        actor: actor.clone(),
        client_id,
        now,
        policy: Policy::default(),
        ids: FreshIds {
            candidacy: CandidacyId(id()),
            invitation: InvitationId(id()),
            proposal: ProposalId(id()),
            room: RoomId(id()),
            offer: OfferId(id()),
            contract: id().to_string().parse().expect("a contract's id"),
            report: ReportId(id()),
        },
        key: signing_key(),
    }
}

/// What seals are signed with here.
pub(crate) fn signing_key() -> SigningKey {
    static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[7; 32]));
    KEY.clone()
}

/// A text as the body of a message.
pub(crate) fn body(text: &str) -> Result<Body, Refusal> {
    Body::parse("body", text.to_owned())
}

/// The entry that a command amends, if it amends one.
pub(crate) fn amends(command: &Command) -> Option<(RoomRef, u64)> {
    if let Command::MessageEdit(edit) = command {
        return Some((edit.room, edit.seq));
    }
    if let Command::MessageRedact(redact) = command { Some((redact.room, redact.seq)) } else { None }
}

/// Decides an edit or a redaction by its rule.
pub(crate) fn decide_amendment(
    command: &Command,
    room: &Room,
    target: Option<&LogEntry>,
    by: &Amending,
) -> Result<Event, Refusal> {
    if let Command::MessageEdit(edit) = command {
        return message::edit(room, target, by, &body(&edit.body)?);
    }
    let Command::MessageRedact(redact) = command else { panic!("{command:?} amends nothing") };
    message::redact(room, target, by, &Reason::parse(redact.reason.clone())?)
}
