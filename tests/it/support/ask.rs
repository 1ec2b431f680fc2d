//! Commands in few words.

use anteroom_protocol::candidacy::{
    CandidaciesDecline, CandidaciesMark, CandidacyDecline, CandidacyReopen, CandidacyWithdraw, ClientMark,
};
use anteroom_protocol::command::Command;
use anteroom_protocol::contract::{ContractEnd, ContractForm};
use anteroom_protocol::id::{
    CandidacyId, ContractId, InvitationId, JobId, OfferId, ProposalId, RoomRef, UserId,
};
use anteroom_protocol::invitation::{
    DeclineReason, InvitationAccept, InvitationArchive, InvitationDecline, InvitationRemove, InvitationSend,
    InvitationWithdraw,
};
use anteroom_protocol::ledger::InvitationRetract;
use anteroom_protocol::log::Hash;
use anteroom_protocol::member::{MemberAdd, MemberRemove};
use anteroom_protocol::message::{MessageEdit, MessagePost, MessageRedact};
use anteroom_protocol::offer::{
    OfferAccept, OfferChange, OfferDecline, OfferMake, OfferRequestChange, OfferWithdraw,
};
use anteroom_protocol::proposal::{
    Offered, ProposalAnswer, ProposalArchive, ProposalDecline, ProposalSubmit, ProposalWithdraw,
};
use anteroom_protocol::report::{InvitationReport, MessageReport, ReportReason};
use anteroom_protocol::terms::{
    Amounts, Terms, TermsAccept, TermsAcknowledge, TermsDecline, TermsKind, TermsPropose, TermsWithdraw,
};
use anteroom_protocol::user::Side;

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

/// The same command in these words of its author's.
pub(crate) fn saying(mut command: Command, words: &str) -> Command {
    let words = words.to_owned();
    if let Command::InvitationSend(send) = &mut command {
        send.message = words;
    } else if let Command::InvitationAccept(accept) = &mut command {
        accept.message = words;
    } else if let Command::InvitationDecline(decline) = &mut command {
        decline.message = Some(words);
    } else if let Command::ProposalSubmit(submit) = &mut command {
        submit.cover_letter = words;
    } else if let Command::MessageRedact(redact) = &mut command {
        redact.reason = words;
    } else {
        panic!("{} has no such words", command.name());
    }
    command
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
    Command::InvitationAccept(InvitationAccept { invitation, message, terms, amounts: Amounts::Charged })
}

pub(crate) fn decline(invitation: InvitationId, reason: DeclineReason, words: Option<&str>) -> Command {
    let reason_text = words.map(str::to_owned);
    Command::InvitationDecline(InvitationDecline { invitation, reason, reason_text, message: None })
}

pub(crate) fn archive(invitation: InvitationId) -> Command {
    Command::InvitationArchive(InvitationArchive { invitation })
}

pub(crate) fn withdraw(invitation: InvitationId) -> Command {
    Command::InvitationWithdraw(InvitationWithdraw { invitation })
}

pub(crate) fn retract(invitation: InvitationId) -> Command {
    Command::InvitationRetract(InvitationRetract { invitation })
}

pub(crate) fn propose(job: &JobId, terms: Terms) -> Command {
    let cover_letter = "I have done this before.".to_owned();
    let amounts = Amounts::Charged;
    Command::ProposalSubmit(ProposalSubmit { job: job.clone(), cover_letter, terms, amounts })
}

pub(crate) fn answer(proposal: ProposalId) -> Command {
    answer_with(proposal, Some("Tell me more."), None, None)
}

pub(crate) fn answer_with(
    proposal: ProposalId,
    message: Option<&str>,
    terms: Option<(Terms, u32)>,
    offer: Option<(u32, Hash)>,
) -> Command {
    let (terms, expected_version) = terms.unzip();
    let offer = offer.map(|(version, hash)| Offered { version, hash, expires_at: None });
    let message = message.map(str::to_owned);
    Command::ProposalAnswer(ProposalAnswer { proposal, message, terms, expected_version, offer })
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

pub(crate) fn propose_terms(candidacy: CandidacyId, expected_version: u32, terms: Terms) -> Command {
    let amounts = Amounts::Charged;
    let cover_letter = None;
    Command::TermsPropose(TermsPropose { candidacy, expected_version, terms, amounts, cover_letter })
}

pub(crate) fn propose_take_home(candidacy: CandidacyId, expected_version: u32, terms: Terms) -> Command {
    let amounts = Amounts::TakeHome;
    let cover_letter = None;
    Command::TermsPropose(TermsPropose { candidacy, expected_version, terms, amounts, cover_letter })
}

pub(crate) fn accept_terms(candidacy: CandidacyId, version: u32, hash: Hash) -> Command {
    Command::TermsAccept(TermsAccept { candidacy, version, hash })
}

pub(crate) fn decline_terms(candidacy: CandidacyId, version: u32) -> Command {
    Command::TermsDecline(TermsDecline { candidacy, version })
}

pub(crate) fn withdraw_terms(candidacy: CandidacyId, version: u32) -> Command {
    Command::TermsWithdraw(TermsWithdraw { candidacy, version })
}

pub(crate) fn acknowledge_terms(candidacy: CandidacyId, version: u32) -> Command {
    Command::TermsAcknowledge(TermsAcknowledge { candidacy, version })
}

pub(crate) fn offer(candidacy: CandidacyId, version: u32, hash: Hash) -> Command {
    Command::OfferMake(OfferMake { candidacy, version, hash, expires_at: None })
}

pub(crate) fn change_offer(offer: OfferId, version: u32, hash: Hash) -> Command {
    Command::OfferChange(OfferChange { offer, version, hash, expires_at: None })
}

pub(crate) fn request_change(offer: OfferId, terms: Option<(Terms, u32)>) -> Command {
    let (terms, expected_version) = terms.unzip();
    let (message, amounts) = ("Could we talk about the start?".to_owned(), Amounts::Charged);
    Command::OfferRequestChange(OfferRequestChange { offer, message, terms, expected_version, amounts })
}

pub(crate) fn withdraw_offer(offer: OfferId) -> Command {
    Command::OfferWithdraw(OfferWithdraw { offer, reason: None })
}

pub(crate) fn decline_offer(offer: OfferId, reason: Option<&str>) -> Command {
    Command::OfferDecline(OfferDecline { offer, reason: reason.map(str::to_owned) })
}

pub(crate) fn accept_offer(offer: OfferId, version: u32, hash: Hash) -> Command {
    Command::OfferAccept(OfferAccept { offer, version, hash })
}

pub(crate) fn form_contract(
    candidacy: CandidacyId,
    contract: &ContractId,
    version: u32,
    hash: Hash,
) -> Command {
    let (version, hash) = (Some(version), Some(hash));
    Command::ContractForm(ContractForm { candidacy, contract: contract.clone(), version, hash, terms: None })
}

pub(crate) fn form_contract_on(candidacy: CandidacyId, contract: &ContractId, terms: Terms) -> Command {
    let (contract, terms) = (contract.clone(), Some(terms));
    Command::ContractForm(ContractForm { candidacy, contract, version: None, hash: None, terms })
}

pub(crate) fn end_contract(contract: &ContractId) -> Command {
    Command::ContractEnd(ContractEnd { contract: contract.clone(), reason: Some("The work is done.".into()) })
}

pub(crate) fn reopen(candidacy: CandidacyId) -> Command {
    Command::CandidacyReopen(CandidacyReopen { candidacy })
}

pub(crate) fn decline_each(candidacies: Vec<CandidacyId>) -> Command {
    Command::CandidaciesDecline(CandidaciesDecline { candidacies })
}

pub(crate) fn mark_each(candidacies: Vec<CandidacyId>, mark: Option<ClientMark>) -> Command {
    Command::CandidaciesMark(CandidaciesMark { candidacies, mark })
}

pub(crate) fn archive_proposal(proposal: ProposalId) -> Command {
    Command::ProposalArchive(ProposalArchive { proposal })
}

pub(crate) fn remove_invitation(invitation: InvitationId) -> Command {
    Command::InvitationRemove(InvitationRemove { invitation })
}

pub(crate) fn report_invitation(invitation: InvitationId, text: Option<&str>) -> Command {
    let (reason, text) = (ReportReason::Fraud, text.map(str::to_owned));
    Command::InvitationReport(InvitationReport { invitation, reason, text })
}

pub(crate) fn report_message(room: RoomRef, seq: u64) -> Command {
    Command::MessageReport(MessageReport { room, seq, reason: ReportReason::Harassment, text: None })
}

pub(crate) fn add_member(room: RoomRef, user: &UserId, side: Option<Side>) -> Command {
    Command::MemberAdd(MemberAdd { room, user: user.clone(), side })
}

pub(crate) fn remove_member(room: RoomRef, user: &UserId) -> Command {
    Command::MemberRemove(MemberRemove { room, user: user.clone() })
}
