//! Every command there is, in one table: its name, its payload, its HTTP route.
//!
//! The socket, the HTTP router, the access tests and the documents are all driven by this table, so that a new command cannot be
//! forgotten in one of them.

use std::borrow::Cow;

use schemars::{Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::candidacy::{
    CandidaciesDecline, CandidaciesMark, CandidacyDecline, CandidacyReopen, CandidacyWithdraw, CaseAnswer,
    CasesAnswer,
};
use crate::contract::{ContractEnd, ContractForm};
use crate::error::ErrorCode;
use crate::invitation::{
    InvitationAccept, InvitationArchive, InvitationDecline, InvitationRemove, InvitationSend,
    InvitationWithdraw,
};
use crate::ledger::InvitationRetract;
use crate::limits;
use crate::log::canonical;
use crate::member::{MemberAdd, MemberRemove};
use crate::message::{MessageAnswer, MessageEdit, MessagePost, MessageRedact};
use crate::offer::{OfferAccept, OfferChange, OfferDecline, OfferMake, OfferRequestChange, OfferWithdraw};
use crate::proposal::{ProposalAnswer, ProposalArchive, ProposalDecline, ProposalSubmit, ProposalWithdraw};
use crate::report::{InvitationReport, MessageReport};
use crate::terms::{Terms, TermsAccept, TermsAcknowledge, TermsDecline, TermsPropose, TermsWithdraw};

/// One row of the table of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandSpec {
    /// The `type` on the socket.
    pub name: &'static str,
    /// The path of its `POST` route. A part in braces is the field of that name.
    pub path: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The type of its answer; every answer has `duplicate` beside.
    pub answer: &'static str,
    /// The refusals of the rules that belong to it, beside those that every command can meet.
    pub refusals: &'static [ErrorCode],
}

impl CommandSpec {
    /// The field that the path carries, if it carries one.
    pub fn path_field(&self) -> Option<&'static str> {
        let start = self.path.find('{')? + 1;
        let end = self.path.find('}')?;
        self.path.get(start..end)
    }
}

macro_rules! commands {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal at $path:literal answers $answer:ident refuses [$($code:ident),*],)*) => {
        /// What a client can ask to be done and kept. Each is one function in the server.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum Command {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant($variant),)*
        }

        impl Command {
            /// The table.
            pub const ALL: &'static [CommandSpec] = &[$(CommandSpec {
                name: $name,
                path: $path,
                summary: concat!($($doc,)*).trim_ascii(),
                answer: stringify!($answer),
                refusals: &[$(ErrorCode::$code),*],
            },)*];

            /// The schemas of what each command says, in the table's order.
            pub(crate) fn payloads(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$(($name, generator.subschema_for::<$variant>()),)*]
            }

            /// The schemas of what each command is answered, in the table's order.
            pub(crate) fn answers(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$(($name, generator.subschema_for::<$answer>()),)*]
            }

            /// The `type` on the socket.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Reads the payload of the command of this name from a whole frame; `None`: there is no such command.
            pub(crate) fn decode(name: &str, frame: &str) -> Option<serde_json::Result<Self>> {
                match name {
                    $($name => Some(serde_json::from_str(frame).map(Self::$variant)),)*
                    _ => None,
                }
            }

            /// Reads the payload of the command of this name from the body of an HTTP request.
            ///
            /// # Errors
            /// What a field lacks, or that no command has this name.
            pub fn from_fields(name: &str, fields: Map<String, Value>) -> serde_json::Result<Self> {
                match name {
                    $($name => serde_json::from_value(Value::Object(fields)).map(Self::$variant),)*
                    _ => Err(serde_json::Error::custom("no such command")),
                }
            }
        }
    };
}

commands! {
    /// Write a message into a room.
    MessagePost = "message.post" at "/v1/rooms/{room}/messages" answers MessageAnswer
        refuses [WrongPhase, ContactRefused, ContactUnconfirmed],
    /// Give one's own message another text.
    MessageEdit = "message.edit" at "/v1/rooms/{room}/edits" answers MessageAnswer
        refuses [WrongPhase, NotAMessage, CoverLetterFixed, NotTheAuthor, EditWindowOver, AlreadyRedacted, ContactRefused, ContactUnconfirmed],
    /// Delete the text of a message.
    MessageRedact = "message.redact" at "/v1/rooms/{room}/redactions" answers MessageAnswer
        refuses [WrongPhase, NotAMessage, CoverLetterFixed, NotTheAuthor, AlreadyRedacted, ContactRefused, ContactUnconfirmed],
    /// Invite a freelancer to discuss a job.
    InvitationSend = "invitation.send" at "/v1/invitations" answers CaseAnswer
        refuses [WrongSide, CandidacyExists, JobNotOpen, ContactRefused, ContactUnconfirmed],
    /// Accept an invitation.
    InvitationAccept = "invitation.accept" at "/v1/invitations/{invitation}/accept" answers CaseAnswer
        refuses [WrongPhase, WrongSide, InvitationExpired, JobNotOpen, ContactRefused, ContactUnconfirmed],
    /// Decline an invitation.
    InvitationDecline = "invitation.decline" at "/v1/invitations/{invitation}/decline" answers CaseAnswer
        refuses [WrongPhase, WrongSide, InvitationExpired, ContactRefused, ContactUnconfirmed],
    /// Ignore an invitation.
    InvitationArchive = "invitation.archive" at "/v1/invitations/{invitation}/archive" answers CaseAnswer
        refuses [WrongPhase, WrongSide, InvitationExpired],
    /// Take an invitation back.
    InvitationWithdraw = "invitation.withdraw" at "/v1/invitations/{invitation}/withdraw" answers CaseAnswer
        refuses [WrongPhase, WrongSide, InvitationExpired],
    /// Take an answered invitation out of the ledger.
    InvitationRetract = "invitation.retract" at "/v1/invitations/{invitation}/retract" answers CaseAnswer
        refuses [WrongPhase, WrongSide, LedgerFinal],
    /// Answer a job.
    ProposalSubmit = "proposal.submit" at "/v1/proposals" answers CaseAnswer
        refuses [WrongPhase, WrongSide, CandidacyExists, JobNotOpen, InvitationExpired, ContactRefused, ContactUnconfirmed],
    /// Answer a proposal.
    ProposalAnswer = "proposal.answer" at "/v1/proposals/{proposal}/answer" answers CaseAnswer
        refuses [WrongPhase, WrongSide, ClientFirst, JobNotOpen, TermsStale, TermsLimit, TermsNotPending, ContactRefused, ContactUnconfirmed],
    /// Turn a proposal down.
    ProposalDecline = "proposal.decline" at "/v1/proposals/{proposal}/decline" answers CaseAnswer
        refuses [WrongPhase, WrongSide],
    /// Take a proposal back.
    ProposalWithdraw = "proposal.withdraw" at "/v1/proposals/{proposal}/withdraw" answers CaseAnswer
        refuses [WrongPhase, WrongSide],
    /// End an active candidacy, as the client.
    CandidacyDecline = "candidacy.decline" at "/v1/candidacies/{candidacy}/decline" answers CaseAnswer
        refuses [WrongPhase, WrongSide],
    /// End an active candidacy, as the freelancer.
    CandidacyWithdraw = "candidacy.withdraw" at "/v1/candidacies/{candidacy}/withdraw" answers CaseAnswer
        refuses [WrongPhase, WrongSide],
    /// Take the end of a candidacy back.
    CandidacyReopen = "candidacy.reopen" at "/v1/candidacies/{candidacy}/reopen" answers CaseAnswer
        refuses [WrongPhase, WrongSide, CandidacyExists, JobNotOpen],
    /// Turn several candidacies down.
    CandidaciesDecline = "candidacies.decline" at "/v1/candidacies/decline" answers CasesAnswer
        refuses [],
    /// Sort several candidacies.
    CandidaciesMark = "candidacies.mark" at "/v1/candidacies/mark" answers CasesAnswer
        refuses [],
    /// Put a proposal out of the way.
    ProposalArchive = "proposal.archive" at "/v1/proposals/{proposal}/archive" answers CaseAnswer
        refuses [WrongPhase, WrongSide],
    /// Tell the marketplace of an invitation.
    InvitationReport = "invitation.report" at "/v1/invitations/{invitation}/report" answers CaseAnswer
        refuses [WrongSide],
    /// Take an invitation out of the way, as the marketplace.
    InvitationRemove = "invitation.remove" at "/v1/invitations/{invitation}/remove" answers CaseAnswer
        refuses [WrongPhase],
    /// Tell the marketplace of a message.
    MessageReport = "message.report" at "/v1/rooms/{room}/reports" answers CaseAnswer
        refuses [NotAMessage],
    /// Bring somebody into a room.
    MemberAdd = "member.add" at "/v1/rooms/{room}/members" answers CaseAnswer
        refuses [WrongPhase, WrongSide, MemberExists],
    /// Remove somebody from a room.
    MemberRemove = "member.remove" at "/v1/rooms/{room}/members/remove" answers CaseAnswer
        refuses [WrongSide, NotAMember],
    /// Propose other terms.
    TermsPropose = "terms.propose" at "/v1/candidacies/{candidacy}/terms" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, CoverLetterFixed, TermsLimit, ContactRefused, ContactUnconfirmed],
    /// Accept the client's counter-proposal.
    TermsAccept = "terms.accept" at "/v1/candidacies/{candidacy}/terms/accept" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, TermsNotPending],
    /// Turn the client's counter-proposal down.
    TermsDecline = "terms.decline" at "/v1/candidacies/{candidacy}/terms/decline" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, TermsNotPending],
    /// Take one's own counter-proposal back.
    TermsWithdraw = "terms.withdraw" at "/v1/candidacies/{candidacy}/terms/withdraw" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, TermsNotPending],
    /// Say that one has taken note of the other side's terms.
    TermsAcknowledge = "terms.acknowledge" at "/v1/candidacies/{candidacy}/terms/acknowledge" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, TermsNotPending],
    /// Offer a version of the terms.
    OfferMake = "offer.make" at "/v1/candidacies/{candidacy}/offers" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, JobNotOpen, TermsNotPending],
    /// Offer something else instead.
    OfferChange = "offer.change" at "/v1/offers/{offer}/change" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, OfferNotStanding, OfferExpired, JobNotOpen, TermsNotPending],
    /// Ask for another offer.
    OfferRequestChange = "offer.request_change" at "/v1/offers/{offer}/request_change" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, OfferNotStanding, OfferExpired, ChangeRequestLimit, ChangeRequestsOver, TermsLimit, ContactRefused, ContactUnconfirmed],
    /// Take an offer back.
    OfferWithdraw = "offer.withdraw" at "/v1/offers/{offer}/withdraw" answers CaseAnswer
        refuses [WrongPhase, WrongSide, OfferNotStanding, OfferExpired, ContactRefused, ContactUnconfirmed],
    /// Turn an offer down.
    OfferDecline = "offer.decline" at "/v1/offers/{offer}/decline" answers CaseAnswer
        refuses [WrongPhase, WrongSide, OfferNotStanding, OfferExpired, ContactRefused, ContactUnconfirmed],
    /// Accept an offer.
    OfferAccept = "offer.accept" at "/v1/offers/{offer}/accept" answers CaseAnswer
        refuses [WrongPhase, WrongSide, TermsStale, OfferNotStanding, OfferExpired, JobNotOpen],
    /// Say that a contract was formed elsewhere.
    ContractForm = "contract.form" at "/v1/candidacies/{candidacy}/contract" answers CaseAnswer
        refuses [WrongPhase, TermsStale, ContractExists, CandidacyExists],
    /// Say that a contract has ended.
    ContractEnd = "contract.end" at "/v1/contracts/{contract}/end" answers CaseAnswer
        refuses [WrongPhase, ContractOver],
}

/// One text of a command that others will read, and the field it stands in.
pub type Said<'a> = (Cow<'static, str>, &'a str);

impl Command {
    /// The texts of this command that the other side will read: what the contact guard judges. A new command says here what it has.
    pub fn texts(&self) -> Vec<Said<'_>> {
        match self {
            Self::MessagePost(command) => vec![("body".into(), &command.body)],
            Self::MessageEdit(command) => vec![("body".into(), &command.body)],
            Self::MessageRedact(command) => vec![("reason".into(), &command.reason)],
            Self::InvitationSend(command) => {
                said(&[("message", Some(&command.message))], command.terms.as_ref())
            }
            Self::InvitationAccept(command) => {
                said(&[("message", Some(&command.message))], command.terms.as_ref())
            }
            Self::InvitationDecline(command) => said(
                &[("reason_text", command.reason_text.as_ref()), ("message", command.message.as_ref())],
                None,
            ),
            Self::ProposalSubmit(command) => {
                said(&[("cover_letter", Some(&command.cover_letter))], Some(&command.terms))
            }
            Self::ProposalAnswer(command) => {
                said(&[("message", command.message.as_ref())], command.terms.as_ref())
            }
            Self::TermsPropose(command) => said(&[], Some(&command.terms)),
            Self::OfferRequestChange(command) => {
                said(&[("message", Some(&command.message))], command.terms.as_ref())
            }
            Self::OfferWithdraw(command) => said(&[("reason", command.reason.as_ref())], None),
            Self::OfferDecline(command) => said(&[("reason", command.reason.as_ref())], None),
            // What is said to the marketplace, or by it.
            Self::InvitationReport(_)
            | Self::MessageReport(_)
            | Self::ContractForm(_)
            | Self::ContractEnd(_) => Vec::new(),
            Self::InvitationArchive(_)
            | Self::InvitationWithdraw(_)
            | Self::InvitationRemove(_)
            | Self::InvitationRetract(_)
            | Self::ProposalDecline(_)
            | Self::ProposalWithdraw(_)
            | Self::ProposalArchive(_)
            | Self::CandidacyDecline(_)
            | Self::CandidacyWithdraw(_)
            | Self::CandidacyReopen(_)
            | Self::CandidaciesDecline(_)
            | Self::CandidaciesMark(_)
            | Self::MemberAdd(_)
            | Self::MemberRemove(_)
            | Self::TermsAccept(_)
            | Self::TermsDecline(_)
            | Self::TermsWithdraw(_)
            | Self::TermsAcknowledge(_)
            | Self::OfferMake(_)
            | Self::OfferChange(_)
            | Self::OfferAccept(_) => Vec::new(),
        }
    }

    /// The bytes by which a repeat is told from another command: canonical JSON, so that neither the order of fields nor a field
    /// the server does not know makes a difference.
    pub fn fingerprint(&self) -> Vec<u8> {
        canonical(self)
    }
}

fn said<'a>(fields: &[(&'static str, Option<&'a String>)], terms: Option<&'a Terms>) -> Vec<Said<'a>> {
    let own =
        fields.iter().filter_map(|(field, text)| Some((Cow::Borrowed(*field), text.as_ref()?.as_str())));
    let scope = terms.and_then(|terms| terms.scope.as_deref()).map(|scope| ("terms.scope".into(), scope));
    let milestones = terms.and_then(|terms| terms.milestones.as_deref()).unwrap_or_default();
    let titles = milestones
        .iter()
        .enumerate()
        .take(limits::MILESTONES)
        .map(|(at, milestone)| (format!("terms.milestones.{at}.title").into(), milestone.title.as_str()));
    own.chain(scope).chain(titles).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_name_and_a_route_of_its_own() {
        for (at, spec) in Command::ALL.iter().enumerate() {
            for other in &Command::ALL[at + 1..] {
                assert_ne!(spec.name, other.name);
                assert_ne!(spec.path, other.path);
            }
        }
    }

    #[test]
    fn a_repeat_is_recognised_whatever_the_order_of_its_fields() {
        let one =
            Command::decode("message.post", r#"{"room":"inbox","body":"x"}"#).expect("known").expect("valid");
        let two = Command::decode("message.post", r#"{"new_field":1,"body":"x","room":"inbox"}"#)
            .expect("known")
            .expect("valid");
        assert_eq!(one.fingerprint(), two.fingerprint());
    }
}
