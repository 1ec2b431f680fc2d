//! Reports: what people tell the marketplace of what others have written. No log says that there was one.

use anteroom_protocol::id::{InvitationId, ReportId, RoomId, UserId};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::limits;
use anteroom_protocol::report::ReportReason;
use anteroom_protocol::user::Side;

use crate::domain::candidacy::{Case, Context, Decision};
use crate::domain::ledger::How;
use crate::domain::refusal::Refusal;
use crate::domain::text;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Who reports.
    pub by: UserId,
    /// Who wrote it.
    pub about: UserId,
    /// What is reported.
    pub what: Reported,
    /// What is wrong.
    pub reason: ReportReason,
    /// The same in words.
    pub text: Option<String>,
}

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// An invitation.
    Invitation(InvitationId),
    /// The entry of this number.
    Message(RoomId, u64),
}

/// `invitation.report`: it can still be answered, and in the ledger it is.
pub fn invitation(
    case: Case,
    context: &Context,
    reason: ReportReason,
    words: Option<String>,
) -> Result<Decision, Refusal> {
    case.must_be(Side::Freelancer, &context.actor)?;
    let invitation = case.invitation.as_ref().ok_or(Refusal::NotFound)?.id;
    let what = Reported::Invitation(invitation);
    let report = report(context, case.client.user.clone(), what, (reason, words))?;
    let case = case.clock_stopped(How::Reported, context.now);
    Ok(Decision { reports: vec![report], room: Vec::new(), inboxes: Vec::new(), case })
}

/// `message.report`, by anybody in the room, of whatever somebody else has written there: words stand in terms and offers too.
pub fn message(
    case: Case,
    context: &Context,
    reason: ReportReason,
    words: Option<String>,
) -> Result<Decision, Refusal> {
    case.must_have_a_seat(&context.actor)?;
    let room = case.candidacy.as_ref().and_then(|candidacy| candidacy.room).ok_or(Refusal::NotFound)?;
    let reach = || Refusal::Invalid("seq: the log does not reach this far".into());
    let entry = case.pointed.clone().ok_or_else(reach)?;
    let author = entry.by.ok_or(Refusal::NotAMessage)?;
    if author == context.actor.user {
        return Err(Refusal::Invalid("seq: nobody reports oneself".into()));
    }
    let report = report(context, author, Reported::Message(room, entry.seq), (reason, words))?;
    Ok(Decision { reports: vec![report], room: Vec::new(), inboxes: Vec::new(), case })
}

/// What is filed with a decline: who says that it looks like spam has said so to the marketplace.
pub(super) fn with_decline(case: &Case, context: &Context, reason: DeclineReason) -> Vec<Report> {
    let invitation = case.invitation.as_ref().map(|invitation| invitation.id);
    let spam = invitation.filter(|_| reason == DeclineReason::LooksLikeSpam).map(Reported::Invitation);
    let told = spam
        .and_then(|what| report(context, case.client.user.clone(), what, (ReportReason::Spam, None)).ok());
    told.into_iter().collect()
}

fn report(
    context: &Context,
    about: UserId,
    what: Reported,
    (reason, words): (ReportReason, Option<String>),
) -> Result<Report, Refusal> {
    if let Some(words) = &words {
        text::prose("text", words, limits::REASON_BYTES)?;
    }
    let (id, by) = (context.ids.report, context.actor.user.clone());
    Ok(Report { id, by, about, what, reason, text: words })
}
