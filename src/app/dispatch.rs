//! The way of every command: both doors come through here. Messages write into one log; all others change a case, by the rule in
//! [`super::rule`].

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::client::Envelope;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::ClientId;

use tokio::time::Instant;
use tracing::Instrument;

use super::lane::Lane;
use super::rate::Allowance;
use super::rule::rule;
use super::{App, AppError, Pending, message};
use crate::domain::actor::{Actor, Scope};
use crate::domain::guard::Said;
use crate::domain::refusal::Refusal;
use crate::store::Committed;

/// A command that was begun.
pub struct Performed<F> {
    /// What its author has left, if there is a limit.
    pub allowance: Option<Allowance>,
    /// Whether it was refused for its author's haste. A post that is held behind one that was is not.
    pub hasty: bool,
    /// What becomes of it.
    pub outcome: F,
}

/// Does a command, in a span and counted. It is with the writer, in its place, when this returns; the outcome is awaited apart from
/// that, and dropping it does not take the command back.
pub fn perform(
    app: &App,
    actor: &Actor,
    envelope: Envelope,
    command: Command,
    lane: Option<Arc<Lane>>,
) -> Performed<impl Future<Output = Result<Committed, AppError>> + Send + use<>> {
    let (name, client_id) = (command.name(), envelope.client_id);
    let span = tracing::debug_span!("command", name, %client_id);
    let (began, metrics) = (Instant::now(), app.metrics.clone());
    let allowance = app.rates.commands.take(actor);
    let pending = span.in_scope(|| match allowance.and_then(|allowance| allowance.refused_for) {
        Some(wait) => Pending::Refused(too_fast(client_id, lane.as_deref(), wait)),
        None => execute(app, actor, envelope, command, lane),
    });
    let hasty = matches!(pending, Pending::Refused(AppError::RateLimited(_)));
    let outcome = async move {
        let outcome = pending.outcome().await;
        let error = outcome.as_ref().err().map(|error| error.body().code);
        metrics.command(name, error, began.elapsed());
        tracing::debug!(code = error.map_or("ok", ErrorCode::as_str), "answered");
        outcome
    };
    Performed { allowance, hasty, outcome: outcome.instrument(span) }
}

/// A post that was refused for its author's haste holds its lane, as any other that failed and may be sent again.
fn too_fast(client_id: ClientId, lane: Option<&Lane>, wait: Duration) -> AppError {
    let held = lane.and_then(|lane| lane.put_off(client_id).err());
    held.unwrap_or(AppError::RateLimited(wait))
}

fn execute(
    app: &App,
    actor: &Actor,
    Envelope { client_id, confirmed }: Envelope,
    command: Command,
    lane: Option<Arc<Lane>>,
) -> Pending {
    if !reaches(actor.scope, &command) {
        return Pending::Refused(Refusal::Forbidden.into());
    }
    let intent = app.intent(actor, client_id, &command);
    // Where everything may be said in rooms, nobody looks: most texts are messages. All other commands are judged by their rule.
    let is_message =
        matches!(command, Command::MessagePost(_) | Command::MessageEdit(_) | Command::MessageRedact(_));
    let is_judged = is_message && !app.policy.contact.allows_all_in_rooms();
    let said = if is_judged { Said::of(&command, confirmed) } else { Said::default() };
    if let Command::MessagePost(post) = command {
        return message::post(app, actor, intent, (post, said), lane);
    }
    if let Command::MessageEdit(edit) = command {
        return message::edit(app, actor, intent, edit, said);
    }
    if let Command::MessageRedact(redact) = command {
        return message::redact(app, actor, intent, redact, said);
    }
    app.change(actor, intent, rule(actor, command, confirmed))
}

/// People do everything but what only the marketplace can say; its systems invite on a client's behalf, delete and remove what must not
/// stand, tell of contracts, and do what people may do too in rooms and with what has ended; staff only read.
fn reaches(scope: Scope, command: &Command) -> bool {
    let the_marketplaces =
        matches!(command, Command::ContractForm(_) | Command::ContractEnd(_) | Command::InvitationRemove(_));
    let for_both = matches!(
        command,
        Command::InvitationSend(_)
            | Command::MessageRedact(_)
            | Command::CandidacyReopen(_)
            | Command::MemberAdd(_)
            | Command::MemberRemove(_)
    );
    match scope {
        Scope::User => !the_marketplaces,
        Scope::Service => the_marketplaces || for_both,
        Scope::Staff => false,
    }
}
