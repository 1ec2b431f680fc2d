//! Invitations to interview.

use anteroom_protocol::id::InvitationId;
use anteroom_protocol::invitation::{
    InvitationAccept, InvitationArchive, InvitationDecline, InvitationSend, InvitationStatus, InvitationView,
    InvitationWithdraw,
};

use super::{App, AppError, Pending};
use crate::domain::actor::Actor;
use crate::domain::invitation::{self, FirstWords};
use crate::domain::message::Body;
use crate::domain::refusal::Refusal;
use crate::store::{CaseKey, Intent, Page};

/// `invitation.send`.
pub fn send(app: &App, actor: &Actor, intent: Intent, command: InvitationSend) -> Pending {
    let InvitationSend { job, freelancer, message, terms } = command;
    let message = match Body::parse("message", message) {
        Ok(message) => message,
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    let key = CaseKey::JobAndFreelancer(job, freelancer);
    app.change(actor, intent, key, move |case, context| {
        invitation::send(case, context, &message, terms.clone())
    })
}

/// `invitation.accept`.
pub fn accept(app: &App, actor: &Actor, intent: Intent, command: InvitationAccept) -> Pending {
    let InvitationAccept { invitation, message, terms } = command;
    let words = match Body::parse("message", message) {
        Ok(message) => FirstWords::Message(message),
        Err(refusal) => return Pending::Refused(refusal.into()),
    };
    app.change(actor, intent, CaseKey::Invitation(invitation), move |case, context| {
        invitation::accept(case, context, &words, terms.clone())
    })
}

/// `invitation.decline`.
pub fn decline(app: &App, actor: &Actor, intent: Intent, command: InvitationDecline) -> Pending {
    let InvitationDecline { invitation, reason, reason_text } = command;
    app.change(actor, intent, CaseKey::Invitation(invitation), move |case, context| {
        invitation::decline(case, context, reason, reason_text.clone())
    })
}

/// `invitation.archive`.
pub fn archive(app: &App, actor: &Actor, intent: Intent, command: &InvitationArchive) -> Pending {
    app.change(actor, intent, CaseKey::Invitation(command.invitation), invitation::archive)
}

/// `invitation.withdraw`.
pub fn withdraw(app: &App, actor: &Actor, intent: Intent, command: &InvitationWithdraw) -> Pending {
    app.change(actor, intent, CaseKey::Invitation(command.invitation), invitation::withdraw)
}

/// One of the reader's invitations.
pub async fn get(app: &App, actor: &Actor, id: InvitationId) -> Result<InvitationView, AppError> {
    let view = app.store.invitation(&actor.user, id, app.clock.now()).await?;
    view.ok_or(AppError::Refused(Refusal::NotFound))
}

/// The reader's invitations on either side.
pub async fn list(
    app: &App,
    actor: &Actor,
    status: Option<InvitationStatus>,
    page: Page<InvitationId>,
) -> Result<Vec<InvitationView>, AppError> {
    Ok(app.store.invitations(&actor.user, status, page, app.clock.now()).await?)
}
