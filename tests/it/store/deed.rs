//! From a command of the wire to the rule that decides it, without a server in between.

use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::candidacy::{Case, Context, Decision};
use anteroom::domain::invitation::FirstWords;
use anteroom::domain::log::{Event, LogEntry};
use anteroom::domain::message::{self, Amending, Body, Reason};
use anteroom::domain::refusal::Refusal;
use anteroom::domain::room::Room;
use anteroom::domain::{candidacy, invitation, proposal};
use anteroom::store::{CaseKey, Intent};
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::log::part_digest;
use anteroom_protocol::user::Side;

/// A person, by name.
pub(crate) fn person(name: &str) -> Actor {
    Actor { user: name.parse().expect("a user id"), scope: Scope::User }
}

/// What stands for this command.
pub(crate) fn intent(actor: &Actor, client_id: ClientId, command: &Command) -> Intent {
    let digest = part_digest(&[0; 16], &command.fingerprint());
    let mut mac = [0; 16];
    mac.copy_from_slice(&digest.0[..16]);
    Intent { actor: actor.key(), client_id, mac }
}

/// Which case a rare command is about.
pub(crate) fn case_key(actor: &Actor, command: &Command) -> CaseKey {
    match command {
        Command::InvitationSend(send) => CaseKey::JobAndFreelancer(send.job.clone(), send.freelancer.clone()),
        Command::InvitationAccept(accept) => CaseKey::Invitation(accept.invitation),
        Command::InvitationDecline(decline) => CaseKey::Invitation(decline.invitation),
        Command::InvitationArchive(archive) => CaseKey::Invitation(archive.invitation),
        Command::InvitationWithdraw(withdraw) => CaseKey::Invitation(withdraw.invitation),
        Command::ProposalSubmit(submit) => CaseKey::JobAndFreelancer(submit.job.clone(), actor.user.clone()),
        Command::ProposalAnswer(answer) => CaseKey::Proposal(answer.proposal),
        Command::ProposalDecline(decline) => CaseKey::Proposal(decline.proposal),
        Command::ProposalWithdraw(withdraw) => CaseKey::Proposal(withdraw.proposal),
        Command::CandidacyDecline(decline) => CaseKey::Candidacy(decline.candidacy),
        Command::CandidacyWithdraw(withdraw) => CaseKey::Candidacy(withdraw.candidacy),
        Command::MessagePost(_) | Command::MessageEdit(_) | Command::MessageRedact(_) => {
            panic!("a message is no change of a case")
        }
    }
}

/// Decides a rare command by its rule.
pub(crate) fn decide(command: &Command, case: Case, context: &Context) -> Result<Decision, Refusal> {
    match command {
        Command::InvitationSend(send) => {
            invitation::send(case, context, &body(&send.message)?, send.terms.clone())
        }
        Command::InvitationAccept(accept) => {
            let words = FirstWords::Message(body(&accept.message)?);
            invitation::accept(case, context, &words, accept.terms.clone())
        }
        Command::InvitationDecline(decline) => {
            invitation::decline(case, context, decline.reason, decline.reason_text.clone())
        }
        Command::InvitationArchive(_) => invitation::archive(case, context),
        Command::InvitationWithdraw(_) => invitation::withdraw(case, context),
        Command::ProposalSubmit(submit) => {
            proposal::submit(case, context, &body(&submit.cover_letter)?, submit.terms.clone())
        }
        Command::ProposalAnswer(answer) => proposal::answer(case, context, &body(&answer.message)?),
        Command::ProposalDecline(_) => proposal::end(case, context, Side::Client),
        Command::ProposalWithdraw(_) => proposal::end(case, context, Side::Freelancer),
        Command::CandidacyDecline(_) => candidacy::end(case, context, Side::Client),
        Command::CandidacyWithdraw(_) => candidacy::end(case, context, Side::Freelancer),
        Command::MessagePost(_) | Command::MessageEdit(_) | Command::MessageRedact(_) => {
            panic!("a message is no change of a case")
        }
    }
}

/// A text as the body of a message.
pub(crate) fn body(text: &str) -> Result<Body, Refusal> {
    Body::parse("body", text.to_owned())
}

/// The entry that a command amends, if it amends one.
pub(crate) fn amends(command: &Command) -> Option<(RoomRef, u64)> {
    if let Command::MessageEdit(edit) = command {
        return Some((edit.room, edit.seq));
    }
    if let Command::MessageRedact(redact) = command { Some((redact.room, redact.seq)) } else { None }
}

/// Decides an edit or a redaction by its rule.
pub(crate) fn decide_amendment(
    command: &Command,
    room: &Room,
    target: Option<&LogEntry>,
    by: &Amending,
) -> Result<Event, Refusal> {
    if let Command::MessageEdit(edit) = command {
        return message::edit(room, target, by, &body(&edit.body)?);
    }
    let Command::MessageRedact(redact) = command else { panic!("{command:?} amends nothing") };
    message::redact(room, target, by, &Reason::parse(redact.reason.clone())?)
}
