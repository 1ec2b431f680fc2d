//! The table of contents: every command and the function that does it. Both doors come through here.

use std::sync::Arc;

use anteroom_protocol::command::Command;
use anteroom_protocol::id::ClientId;

use super::writer::Lane;
use super::{App, Pending, candidacy, invitation, message, proposal};
use crate::domain::actor::{Actor, Scope};
use crate::domain::refusal::Refusal;

/// Does a command. It is with the writer, in its place, when this returns; the outcome is awaited apart from that.
pub fn execute(
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
