//! What one entry says, in words.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::contract::{ContractEnded, ContractFormed, ContractSealed};
use anteroom_protocol::entry::{
    AcceptedTerms, EntryData, EntryFrame, InvitationAccepted, InvitationSent, MessageEdited, MessageRedacted,
    ProposalSubmitted, RedactedFor, TermsNamed,
};
use anteroom_protocol::fee::FeeView;
use anteroom_protocol::log::Hash;
use anteroom_protocol::member::MemberNamed;
use anteroom_protocol::offer::{OfferAccepted, OfferChangeRequested, OfferEnded, OfferMade};
use maud::{Markup, html};
use serde_json::json;

use super::{Page, moment_in_full, terms, words};

impl Page {
    /// The last cell of an entry's row.
    pub(super) fn content(&mut self, entry: &EntryFrame) -> Markup {
        if entry.proof.as_ref().is_some_and(|proof| proof.public_digest.is_some()) {
            return deleted(entry);
        }
        let told = json!({ "kind": entry.kind, "data": entry.data() });
        let Ok(data) = serde_json::from_value::<EntryData>(told) else { return unknown(&entry.kind) };
        let fee = entry.private.as_ref().and_then(|private| serde_json::from_str(private.get()).ok());
        html! {
            (self.told(&data, fee.as_ref()))
            @if let Some(by) = entry.amended_by {
                p class="note" { "Changed later: see " (link(by)) "." }
            }
        }
    }

    fn told(&mut self, data: &EntryData, fee: Option<&FeeView>) -> Markup {
        match data {
            EntryData::MessagePosted(message) => said("Message", &message.body),
            EntryData::MessageEdited(edit) => edited(edit),
            EntryData::MessageRedacted(redaction) => redacted(redaction),
            EntryData::InvitationSent(sent) => invited(sent),
            EntryData::InvitationAccepted(accepted) => invitation_accepted(accepted),
            EntryData::ProposalSubmitted(proposal) => proposed(proposal),
            EntryData::TermsProposed(proposed) => {
                self.currencies.insert(proposed.version, proposed.terms.currency.clone());
                terms::proposed(proposed, fee)
            }
            EntryData::TermsAccepted(named) => on_terms("Terms accepted", named),
            EntryData::TermsDeclined(named) => on_terms("Terms declined", named),
            EntryData::TermsWithdrawn(named) => on_terms("Terms withdrawn", named),
            EntryData::TermsExpired(named) => on_terms("Terms expired", named),
            EntryData::TermsAcknowledged(named) => on_terms("Terms taken note of", named),
            EntryData::OfferMade(offer) => offered("Offer", offer),
            EntryData::OfferChanged(offer) => offered("Offer changed", offer),
            EntryData::OfferChangeRequested(request) => another_offer(request),
            EntryData::OfferWithdrawn(end) => offer_ended("Offer withdrawn", end),
            EntryData::OfferDeclined(end) => offer_ended("Offer declined", end),
            EntryData::OfferExpired(end) => offer_ended("Offer expired", end),
            EntryData::OfferAccepted(accepted) => offer_accepted(accepted),
            EntryData::ContractFormed(formed) => contract_formed(formed),
            EntryData::ContractSealed(sealed) => self.sealed(sealed, fee),
            EntryData::ContractEnded(ended) => contract_ended(ended),
            EntryData::MemberAdded(member) => person("Member added", member),
            EntryData::MemberRemoved(member) => person("Member removed", member),
            EntryData::PhaseChanged(change) => phase(change.phase),
        }
    }

    fn sealed(&mut self, sealed: &ContractSealed, fee: Option<&FeeView>) -> Markup {
        let ContractSealed { seal, signature } = sealed;
        if !self.seals.contains(&seal.key) {
            self.seals.push(seal.key);
        }
        let currency = self.currencies.get(&seal.version).map_or("", String::as_str);
        html! {
            div class="seal" {
                p class="what" { "Sealed: entries 1 to " (seal.position) }
                p { "The contract " code { (seal.contract) } " was formed on version " (seal.version) " of the terms." }
                dl {
                    dt { "Sealed at" } dd { (moment_in_full(seal.sealed_at)) }
                    dt { "Terms" } dd class="hex" { (seal.terms) }
                    dt { "Head hash" } dd class="hex" { (seal.head) }
                    dt { "Key fingerprint" } dd class="hex" { (seal.key) }
                    dt { "Signature" } dd class="hex" { (signature) }
                }
                @if let Some(fee) = fee { (terms::fee(fee, currency, None)) }
            }
        }
    }
}

/// What happened, in a word or two, and what belongs to it.
pub(super) fn event(what: &str, more: &Markup) -> Markup {
    html! { p class="what" { (what) } (more) }
}

fn said(what: &str, text: &str) -> Markup {
    event(what, &words(text))
}

fn person(what: &str, member: &MemberNamed) -> Markup {
    event(what, &html! { p { code { (member.user) } " on the " (member.side.as_str()) "'s side" } })
}

fn link(seq: u64) -> Markup {
    html! { a href=(format!("#e{seq}")) { "entry " (seq) } }
}

fn deleted(entry: &EntryFrame) -> Markup {
    html! {
        p class="gone" {
            "The content was deleted"
            @if let Some(by) = entry.amended_by { ": see " (link(by)) }
            "."
        }
        p class="note" { "It was of the kind " code { (entry.kind) } ". Its digest stays, so that the log can still be verified." }
    }
}

fn unknown(kind: &str) -> Markup {
    html! { p { "An entry of the kind " code { (kind) } ", which this page has no words for." } }
}

fn edited(MessageEdited { seq, body }: &MessageEdited) -> Markup {
    html! {
        p class="what" { "Edit" }
        p class="note" { "Gives " (link(*seq)) " another text:" }
        (words(body))
    }
}

fn redacted(MessageRedacted { seq, reason, on_behalf }: &MessageRedacted) -> Markup {
    let whose = match on_behalf {
        RedactedFor::Author => "its author",
        RedactedFor::Marketplace => "the marketplace",
    };
    html! {
        p class="what" { "Deletion" }
        p class="note" { "Deletes the text of " (link(*seq)) ", on behalf of " (whose) ". The reason:" }
        (words(reason))
    }
}

fn invited(sent: &InvitationSent) -> Markup {
    html! {
        (said("Invitation", &sent.message))
        p class="note" { "Sent " (moment_in_full(sent.sent_at)) "." }
    }
}

fn invitation_accepted(accepted: &InvitationAccepted) -> Markup {
    let terms = match accepted.terms {
        AcceptedTerms::AsSuggested => "On the terms that the client suggested.",
        AcceptedTerms::New => "On the freelancer’s own terms, which follow.",
        AcceptedTerms::None => "On no terms so far.",
    };
    event("Invitation accepted", &html! { p { (terms) } })
}

fn proposed(proposal: &ProposalSubmitted) -> Markup {
    html! {
        (said("Proposal", &proposal.cover_letter))
        p class="note" { "Submitted " (moment_in_full(proposal.submitted_at)) "." }
    }
}

fn on_terms(what: &str, TermsNamed { version, hash }: &TermsNamed) -> Markup {
    event(what, &version_named(*version, hash))
}

/// A version of the terms and the hash that says which words those are.
pub(super) fn version_named(version: u32, hash: &Hash) -> Markup {
    html! { p { "Version " (version) " of the terms, " span class="hex" { (hash) } } }
}

fn offered(what: &str, offer: &OfferMade) -> Markup {
    html! {
        (event(what, &version_named(offer.version, &offer.hash)))
        p class="note" { "It can be accepted until " (moment_in_full(offer.expires_at)) "." }
    }
}

fn another_offer(request: &OfferChangeRequested) -> Markup {
    html! {
        (said("Another offer asked for", &request.message))
        @if let Some(version) = request.version { p class="note" { "On version " (version) " of the terms." } }
    }
}

fn offer_ended(what: &str, OfferEnded { reason, .. }: &OfferEnded) -> Markup {
    event(what, &reason.as_deref().map_or_else(Markup::default, words))
}

fn offer_accepted(accepted: &OfferAccepted) -> Markup {
    event("Offer accepted", &version_named(accepted.version, &accepted.hash))
}

fn contract_formed(formed: &ContractFormed) -> Markup {
    html! {
        p class="what" { "Contract formed by the marketplace" }
        p { "Contract " code { (formed.contract) } "." }
        (version_named(formed.version, &formed.hash))
    }
}

fn contract_ended(ended: &ContractEnded) -> Markup {
    html! {
        p class="what" { "Contract ended" }
        p { "Contract " code { (ended.contract) } "." }
        @if let Some(reason) = &ended.reason { (words(reason)) }
    }
}

fn phase(phase: Phase) -> Markup {
    html! { p class="note" { "The candidacy moves on; its phase is now: " (phase.as_str()) } }
}
