//! What a person's inbox tells of the candidacies this person has a part in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::candidacy::Phase;
use crate::id::{CandidacyId, ContractId, InvitationId, OfferId, ProposalId, RoomRef, UserId};
use crate::invitation::DeclineReason;
use crate::job::JobSummary;
use crate::terms::TermsView;

macro_rules! kinds {
    ($($variant:ident = $kind:literal,)*) => {
        /// What happened to a candidacy, as its two people's inboxes tell it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[expect(missing_docs, reason = "the names are the wire's own words")]
        pub enum NoticeKind {
            $(#[serde(rename = $kind)] $variant,)*
        }

        impl NoticeKind {
            /// The `kind` of the entry.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind,)*
                }
            }
        }
    };
}

kinds! {
    InvitationSent = "invitation.sent",
    InvitationAccepted = "invitation.accepted",
    InvitationDeclined = "invitation.declined",
    InvitationArchived = "invitation.archived",
    InvitationWithdrawn = "invitation.withdrawn",
    InvitationExpired = "invitation.expired",
    InvitationRemoved = "invitation.removed",
    ProposalSubmitted = "proposal.submitted",
    ProposalAnswered = "proposal.answered",
    ProposalDeclined = "proposal.declined",
    ProposalWithdrawn = "proposal.withdrawn",
    TermsProposed = "terms.proposed",
    TermsAccepted = "terms.accepted",
    TermsDeclined = "terms.declined",
    TermsWithdrawn = "terms.withdrawn",
    TermsExpired = "terms.expired",
    TermsAcknowledged = "terms.acknowledged",
    OfferMade = "offer.made",
    OfferChanged = "offer.changed",
    OfferChangeRequested = "offer.change_requested",
    OfferWithdrawn = "offer.withdrawn",
    OfferDeclined = "offer.declined",
    OfferExpired = "offer.expired",
    OfferAccepted = "offer.accepted",
    ContractFormed = "contract.formed",
    ContractEnded = "contract.ended",
    MemberAdded = "member.added",
    MemberRemoved = "member.removed",
    PhaseChanged = "phase.changed",
}

/// The data of an inbox entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// The candidacy.
    pub candidacy: CandidacyId,
    /// Its phase now.
    pub phase: Phase,
    /// Its job.
    pub job: JobSummary,
    /// Whose job it is.
    pub client: UserId,
    /// The candidate.
    pub freelancer: UserId,
    /// Its invitation, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// Its proposal, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// Its room, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// Why an invitation was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeclineReason>,
    /// The reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// The freelancer's words with the decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_message: Option<String>,
    /// The terms it is about. Their fee is in the entry's private part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Box<TermsView>>,
    /// The offer it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The contract it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractId>,
}
