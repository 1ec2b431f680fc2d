//! Who asked for what is not theirs, and who was not believed: a line of the log for each, under a target of its own (`anteroom::audit`),
//! so that an operator can send these lines elsewhere or leave them out. Nobody's words and no tokens are in them.
//!
//! What is foreign and what does not exist look the same here too: to tell them apart would take one more question, and the time it takes
//! would be an answer.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::RoomRef;
use tokio::time::Instant;
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::telemetry::Metrics;

/// Lines within a second, of those who were believed and of all others each; more are counted and not written. Whoever is refused again and
/// again fills no disk, and strangers without end hide nobody who has a name.
const LINES: u32 = 100;
/// The second.
const WINDOW: Duration = Duration::from_secs(1);

/// Something that was refused.
pub struct Refused<'a> {
    /// Where it came from.
    pub address: IpAddr,
    /// Who asked, if somebody was believed.
    pub who: Option<&'a Actor>,
    /// The command, frame or route.
    pub what: &'a str,
    /// The id of ours that it named.
    pub which: Option<Uuid>,
    /// Why.
    pub code: ErrorCode,
}

/// Where these lines are written.
pub struct Audit {
    metrics: Arc<Metrics>,
    known: Mutex<Window>,
    unknown: Mutex<Window>,
}

struct Window {
    since: Instant,
    lines: u32,
}

impl Audit {
    /// With nothing written yet.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let [known, unknown] = [(); 2].map(|()| Mutex::new(Window { since: Instant::now(), lines: 0 }));
        Self { metrics, known, unknown }
    }

    /// Writes a line if it was refused for who asked. What was asked wrongly or at the wrong time concerns nobody.
    pub fn refused(&self, refused: &Refused<'_>) {
        if !is_of_interest(refused.code) {
            return;
        }
        let window = if refused.who.is_some() { &self.known } else { &self.unknown };
        if !window.lock().unwrap_or_else(PoisonError::into_inner).takes_one(Instant::now()) {
            return self.metrics.unaudited();
        }
        let Refused { address, who, what, which, code } = refused;
        let who = who.map(Actor::key);
        tracing::info!(
            target: "anteroom::audit",
            %address,
            who,
            what,
            which = which.map(tracing::field::display),
            code = code.as_str(),
            "refused"
        );
    }
}

impl Window {
    fn takes_one(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= WINDOW {
            *self = Self { since: now, lines: 0 };
        }
        self.lines = self.lines.saturating_add(1);
        self.lines <= LINES
    }
}

/// Not believed, not allowed, or not there for whoever asked.
fn is_of_interest(code: ErrorCode) -> bool {
    code == ErrorCode::NotFound || matches!(code.http_status(), 401 | 403)
}

/// What a command is about, if an id of ours says it.
pub fn subject(command: &Command) -> Option<Uuid> {
    match command {
        Command::MessagePost(it) => room(it.room),
        Command::MessageEdit(it) => room(it.room),
        Command::MessageRedact(it) => room(it.room),
        Command::InvitationAccept(it) => Some(it.invitation.0),
        Command::InvitationDecline(it) => Some(it.invitation.0),
        Command::InvitationArchive(it) => Some(it.invitation.0),
        Command::InvitationWithdraw(it) => Some(it.invitation.0),
        Command::InvitationRetract(it) => Some(it.invitation.0),
        Command::ProposalAnswer(it) => Some(it.proposal.0),
        Command::ProposalDecline(it) => Some(it.proposal.0),
        Command::ProposalWithdraw(it) => Some(it.proposal.0),
        Command::CandidacyDecline(it) => Some(it.candidacy.0),
        Command::CandidacyWithdraw(it) => Some(it.candidacy.0),
        Command::TermsPropose(it) => Some(it.candidacy.0),
        Command::TermsAccept(it) => Some(it.candidacy.0),
        Command::TermsDecline(it) => Some(it.candidacy.0),
        Command::TermsWithdraw(it) => Some(it.candidacy.0),
        Command::TermsAcknowledge(it) => Some(it.candidacy.0),
        Command::OfferMake(it) => Some(it.candidacy.0),
        Command::OfferChange(it) => Some(it.offer.0),
        Command::OfferRequestChange(it) => Some(it.offer.0),
        Command::OfferWithdraw(it) => Some(it.offer.0),
        Command::OfferDecline(it) => Some(it.offer.0),
        Command::OfferAccept(it) => Some(it.offer.0),
        Command::ContractForm(it) => Some(it.candidacy.0),
        Command::CandidacyReopen(it) => Some(it.candidacy.0),
        Command::ProposalArchive(it) => Some(it.proposal.0),
        Command::InvitationReport(it) => Some(it.invitation.0),
        Command::InvitationRemove(it) => Some(it.invitation.0),
        Command::MessageReport(it) => room(it.room),
        Command::MemberAdd(it) => room(it.room),
        Command::MemberRemove(it) => room(it.room),
        // They name a job or a contract, which have the marketplace's own ids, or several things.
        Command::InvitationSend(_)
        | Command::ProposalSubmit(_)
        | Command::ContractEnd(_)
        | Command::CandidaciesDecline(_)
        | Command::CandidaciesMark(_) => None,
    }
}

/// The id of a room; an inbox has none.
pub fn room(room: RoomRef) -> Option<Uuid> {
    match room {
        RoomRef::Room(id) => Some(id.0),
        RoomRef::Inbox => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_for_who_asks_is_of_interest_and_what_is_refused_for_when_or_how_is_not() {
        let of_interest: Vec<&str> =
            ErrorCode::ALL.iter().filter(|code| is_of_interest(**code)).map(|code| code.as_str()).collect();
        assert_eq!(
            of_interest,
            [
                "unauthenticated",
                "token_expired",
                "token_revoked",
                "unknown_user",
                "forbidden",
                "account_suspended",
                "account_inactive",
                "origin_refused",
                "tls_required",
                "not_found",
                "wrong_side",
                "not_the_author",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_refused_without_end_writes_a_hundred_lines_a_second_and_no_more() {
        let mut window = Window { since: Instant::now(), lines: 0 };
        for _ in 0..3 {
            let written = (0..10_000).filter(|_| window.takes_one(Instant::now())).count();
            assert_eq!(written, 100);
            tokio::time::advance(WINDOW).await;
        }
    }
}
