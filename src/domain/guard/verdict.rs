//! What becomes of contact information: the policy's word for each phase, and the refusal that names the places.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::command::Command;
use anteroom_protocol::guard::ContactSpan;
use anteroom_protocol::limits;
use serde::{Deserialize, Serialize};

use super::examine;
use crate::domain::refusal::Refusal;

/// What is done about contact information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    Allow,
    /// It is refused until its author confirms that it is meant.
    Warn,
    /// It is refused.
    Block,
}

/// What is done in each phase of a candidacy. A text is judged in the phase that it brings about, or, when it ends the candidacy, in
/// the phase that it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct ContactPolicy {
    /// While an invitation waits for its answer, archived or not: its own text, and what is said with a decline.
    pub invited: Action,
    /// While a proposal waits for its answer: the cover letter, and terms.
    pub submitted: Action,
    /// From the activation on: all that is said in the room, what opened it included.
    pub active: Action,
    /// While an offer stands.
    pub offered: Action,
    /// Under a contract.
    pub hired: Action,
}

impl ContactPolicy {
    /// `default`: nothing before there is a room, everything in it.
    pub const BEFORE_THE_ROOM: Self = Self {
        invited: Action::Block,
        submitted: Action::Block,
        active: Action::Allow,
        offered: Action::Allow,
        hired: Action::Allow,
    };
    /// `until_contract`: nothing before there is a contract.
    pub const UNTIL_CONTRACT: Self =
        Self { active: Action::Block, offered: Action::Block, ..Self::BEFORE_THE_ROOM };

    /// What is done in this phase. What has ended can be read alone; were anything written there, it would be before a room.
    pub fn action(&self, phase: Phase) -> Action {
        match phase {
            Phase::Invited | Phase::Archived => self.invited,
            Phase::Submitted => self.submitted,
            Phase::Active => self.active,
            Phase::Offered => self.offered,
            Phase::Hired => self.hired,
            Phase::Declined | Phase::Withdrawn | Phase::Expired | Phase::Closed => self.invited,
        }
    }

    /// Whether everything may be said in rooms, so that nobody has to look.
    pub fn allows_all_in_rooms(&self) -> bool {
        [self.active, self.offered, self.hired].iter().all(|action| *action == Action::Allow)
    }
}

impl Default for ContactPolicy {
    fn default() -> Self {
        Self::BEFORE_THE_ROOM
    }
}

/// A policy as it is configured: one of the two by its name, or phase by phase.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`default`, `until_contract`, or `allow`, `warn` or `block` for `invited`, `submitted`, `active`, `offered` and `hired`"
)]
enum Written {
    Named(Named),
    Each(Each),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    Default,
    UntilContract,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Each {
    invited: Option<Action>,
    submitted: Option<Action>,
    active: Option<Action>,
    offered: Option<Action>,
    hired: Option<Action>,
}

impl From<Written> for ContactPolicy {
    fn from(written: Written) -> Self {
        let default = Self::default();
        match written {
            Written::Named(Named::Default) => default,
            Written::Named(Named::UntilContract) => Self::UNTIL_CONTRACT,
            Written::Each(Each { invited, submitted, active, offered, hired }) => Self {
                invited: invited.unwrap_or(default.invited),
                submitted: submitted.unwrap_or(default.submitted),
                active: active.unwrap_or(default.active),
                offered: offered.unwrap_or(default.offered),
                hired: hired.unwrap_or(default.hired),
            },
        }
    }
}

/// What the guard says of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may stand.
    Allowed,
    /// Its author should think of these places again.
    Warned(Vec<ContactSpan>),
    /// It may not stand, for these places.
    Blocked(Vec<ContactSpan>),
}

/// Judges one text, which stands in this field, in this phase, under this policy.
pub fn judge(field: &str, text: &str, phase: Phase, policy: &ContactPolicy) -> Verdict {
    match policy.action(phase) {
        Action::Allow => Verdict::Allowed,
        action @ (Action::Warn | Action::Block) => verdict(action, spans(field, text)),
    }
}

fn verdict(action: Action, spans: Vec<ContactSpan>) -> Verdict {
    match action {
        _ if spans.is_empty() => Verdict::Allowed,
        Action::Allow => Verdict::Allowed,
        Action::Warn => Verdict::Warned(spans),
        Action::Block => Verdict::Blocked(spans),
    }
}

/// What the texts of one command give away, found before anybody knows in which phase they will be judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    spans: Vec<ContactSpan>,
    confirmed: bool,
}

impl Said {
    /// Reads the texts of a command.
    pub fn of(command: &Command, confirmed: bool) -> Self {
        let texts = command.texts();
        Self { spans: texts.iter().flat_map(|(field, text)| spans(field, text)).collect(), confirmed }
    }

    /// Refuses what this phase does not allow.
    ///
    /// # Errors
    /// [`Refusal::Contact`], with the places.
    pub fn must_be_allowed(&self, phase: Phase, policy: &ContactPolicy) -> Result<(), Refusal> {
        let (mut spans, is_final) = match verdict(policy.action(phase), self.spans.clone()) {
            Verdict::Warned(spans) if !self.confirmed => (spans, false),
            Verdict::Blocked(spans) => (spans, true),
            Verdict::Warned(_) | Verdict::Allowed => return Ok(()),
        };
        spans.truncate(limits::CONTACT_SPANS);
        Err(Refusal::Contact { spans, is_final })
    }
}

/// The places of a text, as a client counts them: in code points. What is longer than any text may be is refused for that, and not read.
fn spans(field: &str, text: &str) -> Vec<ContactSpan> {
    let read = &text[..text.floor_char_boundary(limits::BODY_BYTES)];
    let mut counted = (0, 0);
    let mut code_points = |byte: usize| {
        // One character can fold into several, and stand in two places: what was counted is not counted again.
        let byte = byte.max(counted.0);
        let between = read.get(counted.0..byte).unwrap_or_default();
        counted = (byte, counted.1 + between.chars().count());
        u32::try_from(counted.1).unwrap_or(u32::MAX)
    };
    let found = examine(read);
    found
        .into_iter()
        .map(|finding| ContactSpan {
            field: field.to_owned(),
            start: code_points(finding.range.start),
            end: code_points(finding.range.end),
            kind: finding.rule.kind(),
            rule: finding.rule,
            text: excerpt(&read[finding.range]),
        })
        .collect()
}

fn excerpt(text: &str) -> String {
    const CUT: &str = "…";
    if text.len() <= limits::CONTACT_TEXT_BYTES {
        return text.to_owned();
    }
    format!("{}{CUT}", &text[..text.floor_char_boundary(limits::CONTACT_TEXT_BYTES - CUT.len())])
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::guard::{ContactKind, ContactRule};

    use super::*;

    const ADDRESS: &str = "Danke! ✨ Schreib an jörg@werkstatt.de, bitte";

    #[test]
    fn a_place_is_counted_in_code_points_and_quoted() {
        let Verdict::Blocked(spans) =
            judge("message", ADDRESS, Phase::Invited, &ContactPolicy::BEFORE_THE_ROOM)
        else {
            panic!("not refused");
        };
        let [span] = spans.as_slice() else { panic!("{spans:?}") };
        assert_eq!((span.field.as_str(), span.text.as_str()), ("message", "jörg@werkstatt.de"));
        assert_eq!((span.kind, span.rule), (ContactKind::Email, ContactRule::EmailAddress));
        let quoted: String =
            ADDRESS.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect();
        assert_eq!(quoted, "jörg@werkstatt.de");
    }

    #[test]
    fn the_two_policies_differ_in_the_room_before_the_contract() {
        let said = |phase, policy: &ContactPolicy| judge("body", ADDRESS, phase, policy) == Verdict::Allowed;
        let (room, contract) = (ContactPolicy::BEFORE_THE_ROOM, ContactPolicy::UNTIL_CONTRACT);
        for phase in [Phase::Invited, Phase::Archived, Phase::Submitted] {
            assert!(!said(phase, &room) && !said(phase, &contract), "{phase:?}");
        }
        for phase in [Phase::Active, Phase::Offered] {
            assert!(said(phase, &room) && !said(phase, &contract), "{phase:?}");
        }
        assert!(said(Phase::Hired, &room) && said(Phase::Hired, &contract));
    }

    #[test]
    fn a_warning_is_over_once_its_author_confirms_and_a_block_is_not() {
        let command = |body: &str| {
            let room = anteroom_protocol::id::RoomRef::Inbox;
            Command::MessagePost(anteroom_protocol::message::MessagePost { room, body: body.into() })
        };
        let policy = ContactPolicy { active: Action::Warn, ..ContactPolicy::UNTIL_CONTRACT };
        let refused =
            |confirmed, phase| match Said::of(&command(ADDRESS), confirmed).must_be_allowed(phase, &policy) {
                Ok(()) => None,
                Err(Refusal::Contact { is_final, .. }) => Some(is_final),
                Err(other) => panic!("{other:?}"),
            };
        assert_eq!((refused(false, Phase::Active), refused(true, Phase::Active)), (Some(false), None));
        assert_eq!((refused(false, Phase::Offered), refused(true, Phase::Offered)), (Some(true), Some(true)));
        assert_eq!(Said::of(&command("hello"), false).must_be_allowed(Phase::Active, &policy), Ok(()));
    }

    #[test]
    fn a_policy_is_named_or_said_phase_by_phase() {
        let read = |json: &str| serde_json::from_str::<ContactPolicy>(json);
        assert_eq!(read(r#""until_contract""#).expect("known"), ContactPolicy::UNTIL_CONTRACT);
        assert_eq!(read(r#""default""#).expect("known"), ContactPolicy::default());
        let warned = read(r#"{"active":"warn"}"#).expect("known");
        assert_eq!(warned, ContactPolicy { active: Action::Warn, ..ContactPolicy::default() });
        assert!(read(r#""never""#).is_err() && read(r#"{"acitve":"warn"}"#).is_err());
        let kept = serde_json::to_string(&ContactPolicy::UNTIL_CONTRACT).expect("JSON");
        assert_eq!(read(&kept).expect("what was written"), ContactPolicy::UNTIL_CONTRACT);
    }

    #[test]
    fn a_refusal_is_short_whatever_was_written() {
        let body = "a@b.de ".repeat(1_000);
        let command = Command::MessagePost(anteroom_protocol::message::MessagePost {
            room: anteroom_protocol::id::RoomRef::Inbox,
            body,
        });
        let refused =
            Said::of(&command, false).must_be_allowed(Phase::Active, &ContactPolicy::UNTIL_CONTRACT);
        let Err(Refusal::Contact { spans, .. }) = refused else { panic!("not refused") };
        assert_eq!(spans.len(), limits::CONTACT_SPANS);
        let long = format!("{}@example-of-somebody.de", "x".repeat(3_000));
        assert!(spans_of(&long).iter().all(|span| span.text.len() <= limits::CONTACT_TEXT_BYTES));
    }

    fn spans_of(text: &str) -> Vec<ContactSpan> {
        spans("body", text)
    }
}
