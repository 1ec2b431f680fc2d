//! Commands in few words.

use anteroom_protocol::candidacy::{CandidacyDecline, CandidacyWithdraw};
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{CandidacyId, InvitationId, JobId, ProposalId, RoomRef, UserId};
use anteroom_protocol::invitation::{
    DeclineReason, InvitationAccept, InvitationArchive, InvitationDecline, InvitationSend, InvitationWithdraw,
};
use anteroom_protocol::message::{MessageEdit, MessagePost, MessageRedact};
use anteroom_protocol::proposal::{ProposalAnswer, ProposalDecline, ProposalSubmit, ProposalWithdraw};
use anteroom_protocol::terms::{Terms, TermsKind};

/// Hourly terms in euros.
pub(crate) fn hourly(amount: i64) -> Terms {
    Terms {
        kind: TermsKind::Hourly,
        amount,
        currency: "EUR".into(),
        weekly_hours: Some(20),
        milestones: None,
        duration_weeks: None,
        start_date: None,
        scope: None,
    }
}

pub(crate) fn post(room: RoomRef, body: impl Into<String>) -> Command {
    Command::MessagePost(MessagePost { room, body: body.into() })
}

pub(crate) fn edit(room: RoomRef, seq: u64, body: impl Into<String>) -> Command {
    Command::MessageEdit(MessageEdit { room, seq, body: body.into() })
}

pub(crate) fn redact(room: RoomRef, seq: u64) -> Command {
    Command::MessageRedact(MessageRedact { room, seq, reason: "said in anger".into() })
}

pub(crate) fn invite(job: &JobId, freelancer: &UserId, terms: Option<Terms>) -> Command {
    let message = "Shall we talk about it?".to_owned();
    Command::InvitationSend(InvitationSend {
        job: job.clone(),
        freelancer: freelancer.clone(),
        message,
        terms,
    })
}

pub(crate) fn accept(invitation: InvitationId, terms: Option<Terms>) -> Command {
    let message = "Gladly.".to_owned();
    Command::InvitationAccept(InvitationAccept { invitation, message, terms })
}

pub(crate) fn decline(invitation: InvitationId, reason: DeclineReason, words: Option<&str>) -> Command {
    let reason_text = words.map(str::to_owned);
    Command::InvitationDecline(InvitationDecline { invitation, reason, reason_text })
}

pub(crate) fn archive(invitation: InvitationId) -> Command {
    Command::InvitationArchive(InvitationArchive { invitation })
}

pub(crate) fn withdraw(invitation: InvitationId) -> Command {
    Command::InvitationWithdraw(InvitationWithdraw { invitation })
}

pub(crate) fn propose(job: &JobId, terms: Terms) -> Command {
    let cover_letter = "I have done this before.".to_owned();
    Command::ProposalSubmit(ProposalSubmit { job: job.clone(), cover_letter, terms })
}

pub(crate) fn answer(proposal: ProposalId) -> Command {
    Command::ProposalAnswer(ProposalAnswer { proposal, message: "Tell me more.".into() })
}

pub(crate) fn decline_proposal(proposal: ProposalId) -> Command {
    Command::ProposalDecline(ProposalDecline { proposal })
}

pub(crate) fn withdraw_proposal(proposal: ProposalId) -> Command {
    Command::ProposalWithdraw(ProposalWithdraw { proposal })
}

pub(crate) fn decline_candidacy(candidacy: CandidacyId) -> Command {
    Command::CandidacyDecline(CandidacyDecline { candidacy })
}

pub(crate) fn withdraw_candidacy(candidacy: CandidacyId) -> Command {
    Command::CandidacyWithdraw(CandidacyWithdraw { candidacy })
}
