//! Invitations to interview.

use anteroom_protocol::id::InvitationId;
use anteroom_protocol::invitation::{
    InvitationAccept, InvitationArchive, InvitationDecline, InvitationRemove, InvitationSend,
    InvitationStatus, InvitationView, InvitationWithdraw,
};

use super::rule::Rule;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::invitation::{self, FirstWords, Why};
use crate::domain::message::Body;
use crate::domain::refusal::Refusal;
use crate::domain::terms::Asked;
use crate::store::{CaseKey, Page};

/// `invitation.send`.
pub fn send(command: InvitationSend) -> Result<Rule, Refusal> {
    let InvitationSend { job, freelancer, message, terms } = command;
    let message = Body::parse("message", message)?;
    Rule::of(CaseKey::JobAndFreelancer(job, freelancer), move |case, context| {
        invitation::send(case, context, &message, terms.clone())
    })
}

/// `invitation.accept`.
pub fn accept(command: InvitationAccept) -> Result<Rule, Refusal> {
    let InvitationAccept { invitation, message, terms, amounts } = command;
    let words = FirstWords::Message(Body::parse("message", message)?);
    let asked = terms.map(|terms| Asked { terms, amounts });
    Rule::of(CaseKey::Invitation(invitation), move |case, context| {
        invitation::accept(case, context, &words, asked.clone())
    })
}

/// `invitation.decline`.
pub fn decline(command: InvitationDecline) -> Result<Rule, Refusal> {
    let InvitationDecline { invitation, reason, reason_text, message } = command;
    let message = message.map(|message| Body::parse("message", message)).transpose()?;
    let why = Why { reason, reason_text, message };
    Rule::of(CaseKey::Invitation(invitation), move |case, context| invitation::decline(case, context, &why))
}

/// `invitation.archive`.
pub fn archive(command: &InvitationArchive) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Invitation(command.invitation), invitation::archive)
}

/// `invitation.withdraw`.
pub fn withdraw(command: &InvitationWithdraw) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Invitation(command.invitation), invitation::withdraw)
}

/// `invitation.remove`.
pub fn remove(command: &InvitationRemove) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Invitation(command.invitation), invitation::remove)
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
