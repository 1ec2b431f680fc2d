//! The table of contents: every command and the function that does it. Both doors come through here.

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::ClientId;

use tokio::time::Instant;
use tracing::Instrument;

use super::lane::Lane;
use super::rate::Allowance;
use super::{App, AppError, Pending, candidacy, invitation, message, proposal};
use crate::domain::actor::{Actor, Scope};
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
    client_id: ClientId,
    command: Command,
    lane: Option<Arc<Lane>>,
) -> Performed<impl Future<Output = Result<Committed, AppError>> + Send + use<>> {
    let name = command.name();
    let span = tracing::debug_span!("command", name, %client_id);
    let (began, metrics) = (Instant::now(), app.metrics.clone());
    let allowance = app.rates.commands.take(actor);
    let pending = span.in_scope(|| match allowance.and_then(|allowance| allowance.refused_for) {
        Some(wait) => Pending::Refused(too_fast(client_id, lane.as_deref(), wait)),
        None => execute(app, actor, client_id, command, lane),
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
    client_id: ClientId,
    command: Command,
    lane: Option<Arc<Lane>>,
) -> Pending {
    if !reaches(actor.scope, &command) {
        return Pending::Refused(Refusal::Forbidden.into());
    }
    let intent = app.intent(actor, client_id, &command);
    match command {
        Command::MessagePost(command) => message::post(app, actor, intent, command, lane),
        Command::MessageEdit(command) => message::edit(app, actor, intent, command),
        Command::MessageRedact(command) => message::redact(app, actor, intent, command),
        Command::InvitationSend(command) => invitation::send(app, actor, intent, command),
        Command::InvitationAccept(command) => invitation::accept(app, actor, intent, command),
        Command::InvitationDecline(command) => invitation::decline(app, actor, intent, command),
        Command::InvitationArchive(command) => invitation::archive(app, actor, intent, &command),
        Command::InvitationWithdraw(command) => invitation::withdraw(app, actor, intent, &command),
        Command::ProposalSubmit(command) => proposal::submit(app, actor, intent, command),
        Command::ProposalAnswer(command) => proposal::answer(app, actor, intent, command),
        Command::ProposalDecline(command) => proposal::decline(app, actor, intent, &command),
        Command::ProposalWithdraw(command) => proposal::withdraw(app, actor, intent, &command),
        Command::CandidacyDecline(command) => candidacy::decline(app, actor, intent, &command),
        Command::CandidacyWithdraw(command) => candidacy::withdraw(app, actor, intent, &command),
    }
}

/// People do everything; the marketplace's systems invite on a client's behalf and delete what must not stand; staff only read.
fn reaches(scope: Scope, command: &Command) -> bool {
    match scope {
        Scope::User => true,
        Scope::Service => matches!(command, Command::InvitationSend(_) | Command::MessageRedact(_)),
        Scope::Staff => false,
    }
}
