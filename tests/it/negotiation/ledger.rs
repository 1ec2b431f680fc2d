//! What holds for the ledger in every talk: a clock runs exactly while somebody is asked, and what stopped it first is what counts.

use anteroom::domain::candidacy::Case;
use anteroom::domain::ledger::{How, Row};
use anteroom::domain::policy::Policy;
use anteroom::domain::refusal::Refusal;
use anteroom_protocol::candidacy::Phase::{Archived, Invited, Submitted};
use anteroom_protocol::command::Command;
use anteroom_protocol::invitation::InvitationStatus;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

/// Whether its client can see that the invitation was answered.
fn is_answered(case: &Case) -> bool {
    case.invitation.as_ref().is_some_and(|it| it.status == InvitationStatus::Accepted || it.reason.is_some())
}

/// What a command that moves no phase makes of the row.
pub(super) fn beside(before: &Case, command: &Command, now: Time) -> Option<Row> {
    let mut row = before.ledger?;
    if matches!(command, Command::InvitationReport(_)) {
        row = row.stop(How::Reported, now);
    } else if matches!(command, Command::InvitationRetract(_)) {
        assert!(is_answered(before) && row.is_answered() && row.side == Side::Freelancer);
        assert!(row.retracted_at.is_some() || now < row.started_at.plus_seconds(24 * 60 * 60));
        row.retracted_at = row.retracted_at.or(Some(now));
    }
    Some(row)
}

/// What holds for a refusal to take an invitation out.
pub(super) fn not_retracted(before: &Case, now: Time, refusal: &Refusal) {
    if let Refusal::WrongPhase(phase) = refusal {
        assert_eq!(Some(*phase), before.phase_for(Side::Client));
        assert!(!is_answered(before), "in {phase:?}");
    } else {
        assert_eq!(*refusal, Refusal::LedgerFinal);
        let row = before.ledger.expect("a row");
        assert!(row.retracted_at.is_none() && now >= row.final_at(&Policy::default()));
    }
}

/// What holds after everything that changes a phase.
pub(super) fn goes_on(before: &Case, after: &Case) {
    let candidacy = |case: &Case| case.candidacy.as_ref().map(|candidacy| (candidacy.id, candidacy.phase));
    let row = after.ledger.expect("every candidacy asks somebody");
    let phase = after.candidacy.as_ref().expect("there").phase;
    let invited = after.invitation.is_some();
    assert_eq!(row.side, if invited { Side::Freelancer } else { Side::Client });
    if matches!(phase, Invited | Archived | Submitted) {
        assert!(row.stopped.is_none() || row.is_answered(), "{row:?} while {phase:?}");
    } else {
        assert!(row.stopped.is_some(), "{row:?} while {phase:?}");
    }
    let Some(earlier) =
        before.ledger.filter(|_| candidacy(before).map(|it| it.0) == candidacy(after).map(|it| it.0))
    else {
        return assert_eq!(row.round, 1);
    };
    let taken_up_again =
        earlier.stopped.is_some_and(|stop| stop.how == How::Withdrawn && stop.at < earlier.until)
            && row.stopped.is_none();
    if taken_up_again {
        assert_eq!(row.round, earlier.round, "asked and not asked in turn, it is one asking");
        assert!(row.started_at >= earlier.started_at && row.retracted_at.is_none());
    } else if row.round == earlier.round {
        assert_eq!((row.started_at, row.until), (earlier.started_at, earlier.until));
        let removed = row.stopped.is_some_and(|stop| stop.how == How::Removed);
        assert!(
            earlier.stopped.is_none() || earlier.stopped == row.stopped || removed,
            "the first one counts"
        );
        assert!(!(removed && earlier.is_answered()), "an answer is not removed");
    } else {
        assert_eq!(row.round, earlier.round + 1);
        assert!(earlier.stopped.is_some() && !earlier.is_answered(), "who has answered is not asked again");
    }
}
