//! Reports to the marketplace.

use anteroom_protocol::id::ReportId;
use anteroom_protocol::report::{InvitationReport, MessageReport, ReportView};

use super::member::its_id;
use super::rule::Rule;
use super::{App, AppError};
use crate::domain::refusal::Refusal;
use crate::domain::report;
use crate::store::{CaseKey, Page};

/// `invitation.report`.
pub fn invitation(command: InvitationReport) -> Result<Rule, Refusal> {
    let InvitationReport { invitation, reason, text } = command;
    Rule::of(CaseKey::Invitation(invitation), move |case, context| {
        report::invitation(case, context, reason, text.clone())
    })
}

/// `message.report`.
pub fn message(command: MessageReport) -> Result<Rule, Refusal> {
    let MessageReport { room, seq, reason, text } = command;
    Rule::of(CaseKey::RoomAndEntry(its_id(room)?, seq), move |case, context| {
        report::message(case, context, reason, text.clone())
    })
}

/// What was reported, newest first: for the marketplace.
pub async fn list(app: &App, page: Page<ReportId>) -> Result<Vec<ReportView>, AppError> {
    Ok(app.store.reports(page).await?)
}
