//! Every frame of a client: the commands with their terms, and the frames beside them.

use anteroom_protocol::candidacy::{CandidacyDecline, CandidacyWithdraw};
use anteroom_protocol::client::{ClientFrame, Hello, Leave, Ping, Refresh, Typing};
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{CandidacyId, ClientId, InvitationId, ProposalId};
use anteroom_protocol::invitation::{
    DeclineReason, InvitationAccept, InvitationArchive, InvitationDecline, InvitationSend, InvitationWithdraw,
};
use anteroom_protocol::ledger::InvitationRetract;
use anteroom_protocol::limits;
use anteroom_protocol::marker::Mark;
use anteroom_protocol::message::{MessageEdit, MessagePost, MessageRedact};
use anteroom_protocol::proposal::{ProposalAnswer, ProposalDecline, ProposalSubmit, ProposalWithdraw};
use anteroom_protocol::room::Cursor;
use anteroom_protocol::terms::{Milestone, Terms, TermsKind};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::negotiation::{amounts, of_contracts, of_offers, of_terms, offered};
use super::{hash, job, room, user, uuid};

pub(crate) fn client_frame() -> impl Strategy<Value = ClientFrame> {
    prop_oneof![
        (of(any::<String>()), vec(cursor(), 0..4), of(any::<String>()), of(any::<String>())).prop_map(
            |(token, rooms, changes_after, client)| {
                ClientFrame::Hello(Hello { token, rooms, changes_after, client })
            }
        ),
        cursor().prop_map(ClientFrame::Join),
        room().prop_map(|room| ClientFrame::Leave(Leave { room })),
        btree_map(room(), any::<u64>(), 0..4).prop_map(|heads| ClientFrame::Ping(Ping { heads })),
        any::<String>().prop_map(|token| ClientFrame::Refresh(Refresh { token })),
        (room(), any::<u64>()).prop_map(|(room, seq)| ClientFrame::Read(Mark { room, seq })),
        (room(), any::<u64>()).prop_map(|(room, seq)| ClientFrame::MarkUnread(Mark { room, seq })),
        room().prop_map(|room| ClientFrame::Typing(Typing { room })),
        (uuid(), command()).prop_map(|(id, command)| ClientFrame::Command(ClientId(id).into(), command)),
        (uuid(), command()).prop_map(|(id, command)| ClientFrame::Command(ClientId(id).into(), command)),
    ]
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let invitation = || uuid().prop_map(InvitationId);
    let proposal = || uuid().prop_map(ProposalId);
    let candidacy = || uuid().prop_map(CandidacyId);
    prop_oneof![
        (room(), any::<String>()).prop_map(|(room, body)| Command::MessagePost(MessagePost { room, body })),
        (room(), any::<u64>(), any::<String>())
            .prop_map(|(room, seq, body)| Command::MessageEdit(MessageEdit { room, seq, body })),
        (room(), any::<u64>(), any::<String>())
            .prop_map(|(room, seq, reason)| Command::MessageRedact(MessageRedact { room, seq, reason })),
        (job(), user(), any::<String>(), of(terms())).prop_map(|(job, freelancer, message, terms)| {
            Command::InvitationSend(InvitationSend { job, freelancer, message, terms })
        }),
        (invitation(), any::<String>(), of(terms()), amounts()).prop_map(
            |(invitation, message, terms, amounts)| {
                Command::InvitationAccept(InvitationAccept { invitation, message, terms, amounts })
            }
        ),
        (invitation(), reason(), of(any::<String>()), of(any::<String>())).prop_map(
            |(invitation, reason, reason_text, message)| {
                Command::InvitationDecline(InvitationDecline { invitation, reason, reason_text, message })
            }
        ),
        invitation().prop_map(|invitation| Command::InvitationArchive(InvitationArchive { invitation })),
        invitation().prop_map(|invitation| Command::InvitationWithdraw(InvitationWithdraw { invitation })),
        invitation().prop_map(|invitation| Command::InvitationRetract(InvitationRetract { invitation })),
        (job(), any::<String>(), terms(), amounts()).prop_map(|(job, cover_letter, terms, amounts)| {
            Command::ProposalSubmit(ProposalSubmit { job, cover_letter, terms, amounts })
        }),
        (proposal(), of(any::<String>()), of(terms()), of(any::<u32>()), of(offered())).prop_map(
            |(proposal, message, terms, expected_version, offer)| {
                Command::ProposalAnswer(ProposalAnswer { proposal, message, terms, expected_version, offer })
            }
        ),
        proposal().prop_map(|proposal| Command::ProposalDecline(ProposalDecline { proposal })),
        proposal().prop_map(|proposal| Command::ProposalWithdraw(ProposalWithdraw { proposal })),
        candidacy().prop_map(|candidacy| Command::CandidacyDecline(CandidacyDecline { candidacy })),
        candidacy().prop_map(|candidacy| Command::CandidacyWithdraw(CandidacyWithdraw { candidacy })),
        of_terms(),
        of_offers(),
        of_contracts(),
    ]
}

fn cursor() -> impl Strategy<Value = Cursor> {
    (room(), of(any::<u64>()), of(hash())).prop_map(|(room, after, hash)| Cursor { room, after, hash })
}

fn reason() -> impl Strategy<Value = DeclineReason> {
    select(vec![
        DeclineReason::NotInterested,
        DeclineReason::OutsideMySkills,
        DeclineReason::TooBusy,
        DeclineReason::BudgetTooLow,
        DeclineReason::TimelineUnworkable,
        DeclineReason::DescriptionUnclear,
        DeclineReason::ClientConcern,
        DeclineReason::LooksLikeSpam,
        DeclineReason::Other,
    ])
}

pub(super) fn terms() -> impl Strategy<Value = Terms> {
    (
        select(vec![TermsKind::Hourly, TermsKind::Fixed]),
        0..=limits::AMOUNT,
        "[A-Z]{3}",
        of(any::<u16>()),
        of(vec(milestone(), 0..4)),
        of(any::<u16>()),
        of(date()),
        of(any::<String>()),
    )
        .prop_map(
            |(kind, amount, currency, weekly_hours, milestones, duration_weeks, start_date, scope)| Terms {
                kind,
                amount,
                currency,
                weekly_hours,
                milestones,
                duration_weeks,
                start_date,
                scope,
            },
        )
}

fn milestone() -> impl Strategy<Value = Milestone> {
    (any::<String>(), 0..=limits::AMOUNT, of(date())).prop_map(|(title, amount, due_date)| Milestone {
        title,
        amount,
        due_date,
    })
}

fn date() -> impl Strategy<Value = jiff::civil::Date> {
    (1..=9999_i16, 1..=12_i8, 1..=28_i8).prop_map(|(year, month, day)| jiff::civil::date(year, month, day))
}
