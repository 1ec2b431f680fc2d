//! What is pushed to somebody's browsers, how urgent it is, and in which words. Whether it is still news is looked at when it is sent.

use std::time::Duration;

use anteroom_protocol::push::PushKind;
use anteroom_protocol::time::Time;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Seconds after each attempt that failed; after the last of them it is pushed no more: what is older than that has been seen elsewhere, or
/// has something newer behind it.
const WAITS: [u64; 7] = [5, 30, 2 * MINUTE, 10 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR];

/// How much a push service may delay it (RFC 8030, 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Wakes the device.
    High,
    /// Does not, when it saves power.
    Normal,
}

impl Urgency {
    /// Its word in a header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
        }
    }
}

/// What an entry of this kind is to somebody who is pushed; `None`: nothing that is pushed.
pub fn kind_of(is_inbox: bool, kind: &str) -> Option<PushKind> {
    match (is_inbox, kind) {
        (true, "invitation.sent") => Some(PushKind::Invitations),
        (false, "message.posted") => Some(PushKind::Messages),
        (false, "terms.proposed") => Some(PushKind::Terms),
        (false, "offer.made" | "offer.changed" | "offer.change_requested") => Some(PushKind::Offers),
        _ => None,
    }
}

/// How urgent it is.
pub fn urgency(kind: PushKind) -> Urgency {
    match kind {
        PushKind::Invitations | PushKind::Offers => Urgency::High,
        PushKind::Messages | PushKind::Terms => Urgency::Normal,
    }
}

/// How long a push service keeps it for a browser that is not there.
pub fn time_to_live(kind: PushKind) -> Duration {
    Duration::from_secs(match kind {
        PushKind::Invitations | PushKind::Offers => 3 * DAY,
        PushKind::Messages | PushKind::Terms => DAY,
    })
}

/// The words on the lock screen: that there is something, and nothing of what or from whom.
pub fn title(kind: PushKind, unread: u64) -> String {
    match (kind, unread) {
        (PushKind::Invitations, _) => "You have a new invitation".to_owned(),
        (PushKind::Messages, 0 | 1) => "You have a new message".to_owned(),
        (PushKind::Messages, many) => format!("You have {many} new messages"),
        (PushKind::Terms, _) => "New terms were proposed to you".to_owned(),
        (PushKind::Offers, _) => "There is news of an offer".to_owned(),
    }
}

/// When it is pushed again after so many attempts; `None`: no more.
pub fn again(now: Time, attempts: u32, retry_after: Option<Duration>, chance: f64) -> Option<Time> {
    let step = attempts.saturating_sub(1) as usize;
    let wait = Duration::from_secs(*WAITS.get(step)?).mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0));
    let wait = wait.max(retry_after.unwrap_or_default().min(Duration::from_secs(DAY)));
    Some(Time::from_micros(
        now.as_micros().saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)),
    ))
}

/// Whether a push service says that there is no such browser any more.
pub fn is_gone(status: Option<u16>) -> bool {
    matches!(status, Some(404 | 410))
}

/// Whether the same push can be taken later. What is wrong with this one stays wrong.
pub fn may_come_again(status: Option<u16>) -> bool {
    !matches!(status, Some(400..=428 | 430..=499)) || status == Some(408)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_something_is_pushed_and_nothing_else() {
        for (is_inbox, kind, expected) in [
            (true, "invitation.sent", Some(PushKind::Invitations)),
            (true, "invitation.withdrawn", None),
            (true, "message.posted", None),
            (false, "invitation.sent", None),
            (false, "message.posted", Some(PushKind::Messages)),
            (false, "message.edited", None),
            (false, "offer.changed", Some(PushKind::Offers)),
            (false, "phase.changed", None),
        ] {
            assert_eq!(kind_of(is_inbox, kind), expected, "{kind}");
        }
    }

    #[test]
    fn a_push_is_tried_for_most_of_a_day_and_as_late_as_its_service_asks() {
        let now = Time::from_micros(0);
        let wait = |attempts, asked| again(now, attempts, asked, 0.5).map(Time::as_seconds);
        let waits: Vec<_> = (1..=8).map(|attempts| wait(attempts, None)).collect();
        let expected = [5, 30, 120, 600, 3_600, 14_400, 43_200].map(Some);
        assert_eq!(waits[..7], expected);
        assert_eq!(waits[7], None);
        assert_eq!(wait(1, Some(Duration::from_secs(77))), Some(77));
    }

    #[test]
    fn what_push_services_answer_is_told_apart() {
        assert!(is_gone(Some(404)) && is_gone(Some(410)) && !is_gone(Some(403)) && !is_gone(None));
        for later in [None, Some(408), Some(429), Some(500), Some(503)] {
            assert!(may_come_again(later), "{later:?}");
        }
        for never in [400, 401, 403, 404, 410, 413] {
            assert!(!may_come_again(Some(never)), "{never}");
        }
    }
}
