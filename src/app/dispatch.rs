//! The table of contents: every command and the function that does it. Both doors come through here.

use std::sync::Arc;

use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::ClientId;

use tokio::time::Instant;
use tracing::Instrument;

use super::writer::Lane;
use super::{App, AppError, Pending, candidacy, invitation, message, proposal};
use crate::domain::actor::{Actor, Scope};
use crate::domain::refusal::Refusal;
use crate::store::Committed;

/// Does a command, in a span and counted. It is with the writer, in its place, when this returns; the outcome is awaited apart from
/// that, and dropping it does not take the command back.
pub fn perform(
    app: &App,
    actor: &Actor,
    client_id: ClientId,
    command: Command,
    lane: Option<Arc<Lane>>,
) -> impl Future<Output = Result<Committed, AppError>> + Send + use<> {
    let name = command.name();
    let span = tracing::debug_span!("command", name, %client_id);
    let (began, metrics) = (Instant::now(), app.metrics.clone());
    let pending = span.in_scope(|| execute(app, actor, client_id, command, lane));
    let outcome = async move {
        let outcome = pending.outcome().await;
        let error = outcome.as_ref().err().map(|error| error.body().code);
        metrics.command(name, error, began.elapsed());
        tracing::debug!(code = error.map_or("ok", ErrorCode::as_str), "answered");
        outcome
    };
    outcome.instrument(span)
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
        Command::MessageEdit(_) | Command::MessageRedact(_) => Pending::Refused(Refusal::NotFound.into()),
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

/// People do everything; the marketplace's systems invite on a client's behalf; staff only read.
fn reaches(scope: Scope, command: &Command) -> bool {
    match scope {
        Scope::User => true,
        Scope::Service => matches!(command, Command::InvitationSend(_)),
        Scope::Staff => false,
    }
}
