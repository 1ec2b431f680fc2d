//! Messages: the words two people write.

use anteroom_protocol::entry::{EntryData, MessageEdited, MessagePosted, MessageRedacted, RedactedFor};
use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::limits;
use anteroom_protocol::time::Time;

use crate::domain::actor::{Actor, Scope};
use crate::domain::guard::{ContactPolicy, Said};
use crate::domain::log::{Event, LogEntry};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::room::Room;
use crate::domain::text;

/// The text of a message, checked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// Takes a text as the body of a message; it is kept byte for byte.
    pub fn parse(field: &'static str, text: String) -> Result<Self, Refusal> {
        text::prose(field, &text, limits::BODY_BYTES)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The event of this message being posted.
    pub fn posted(&self, by: &UserId, client_id: ClientId) -> Event {
        let data = EntryData::MessagePosted(MessagePosted { body: self.0.clone() });
        Event::room(Some(by.clone()), Some(client_id), data)
    }
}

/// Who posts a message, under which id, and what it says of how to reach somebody.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub user: UserId,
    /// The author's id for it.
    pub client_id: ClientId,
    /// What is done about contact information.
    pub contact: ContactPolicy,
    /// What the text gives away.
    pub said: Said,
}

/// Posts a message into a room.
pub fn post(room: &Room, by: &By, body: &Body) -> Result<Event, Refusal> {
    room.may_write(&by.user)?;
    room.must_allow(&by.said, &by.contact)?;
    Ok(body.posted(&by.user, by.client_id))
}

/// Why a text is deleted, checked once: one line for all to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Takes a text as the reason of a redaction.
    pub fn parse(text: String) -> Result<Self, Refusal> {
        text::line("reason", &text, limits::REASON_BYTES)?;
        Ok(Self(text))
    }
}

/// Who amends a message, under which id, when, and under what.
#[derive(Debug, Clone)]
pub struct Amending {
    /// Who.
    pub actor: Actor,
    /// The author's id for it.
    pub client_id: ClientId,
    /// When.
    pub now: Time,
    /// Under which policy.
    pub policy: Policy,
    /// What the new text, or the reason, gives away.
    pub said: Said,
}

/// `message.edit`: another text for one's own message, while it is young. The versions before stay in the log.
pub fn edit(room: &Room, target: Option<&LogEntry>, by: &Amending, body: &Body) -> Result<Event, Refusal> {
    room.may_write(&by.actor.user)?;
    let target = message(target)?;
    if target.by.as_ref() != Some(&by.actor.user) {
        return Err(Refusal::NotTheAuthor);
    }
    must_have_its_text(target)?;
    if by.now > target.at.plus_seconds(i64::from(by.policy.edit_minutes) * 60) {
        return Err(Refusal::EditWindowOver);
    }
    room.must_allow(&by.said, &by.policy.contact)?;
    let data = MessageEdited { seq: target.seq, body: body.0.clone() };
    Ok(amendment(Some(by.actor.user.clone()), by.client_id, EntryData::MessageEdited(data)))
}

/// `message.redact`: the author deletes the text while the room can be written and nobody was hired, the marketplace at any time.
pub fn redact(
    room: &Room,
    target: Option<&LogEntry>,
    by: &Amending,
    reason: &Reason,
) -> Result<Event, Refusal> {
    let on_behalf = match by.actor.scope {
        Scope::User => {
            room.may_write(&by.actor.user)?;
            RedactedFor::Author
        }
        Scope::Service => RedactedFor::Marketplace,
        Scope::Staff => return Err(Refusal::Forbidden),
    };
    let target = message(target)?;
    if on_behalf == RedactedFor::Author {
        if target.by.as_ref() != Some(&by.actor.user) {
            return Err(Refusal::NotTheAuthor);
        }
        room.must_not_be_hired()?;
    }
    must_have_its_text(target)?;
    if on_behalf == RedactedFor::Author {
        room.must_allow(&by.said, &by.policy.contact)?;
    }
    let who = (on_behalf == RedactedFor::Author).then(|| by.actor.user.clone());
    let data = MessageRedacted { seq: target.seq, reason: reason.0.clone(), on_behalf };
    Ok(amendment(who, by.client_id, EntryData::MessageRedacted(data)))
}

fn message(target: Option<&LogEntry>) -> Result<&LogEntry, Refusal> {
    let target = target.ok_or_else(|| Refusal::Invalid("seq: the log does not reach this far".into()))?;
    match &*target.kind {
        "message.posted" => Ok(target),
        "proposal.submitted" => Err(Refusal::CoverLetterFixed),
        _ => Err(Refusal::NotAMessage),
    }
}

fn must_have_its_text(target: &LogEntry) -> Result<(), Refusal> {
    if target.public.salt().is_some() { Ok(()) } else { Err(Refusal::AlreadyRedacted) }
}

fn amendment(by: Option<UserId>, client_id: ClientId, data: EntryData) -> Event {
    Event::room(by, Some(client_id), data)
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::candidacy::Phase;
    use anteroom_protocol::id::{CandidacyId, RoomId};
    use anteroom_protocol::user::{Side, UserStatus};
    use uuid::Uuid;

    use super::*;
    use crate::domain::log::{Head, Log};
    use crate::domain::room::Member;
    use crate::domain::user::{Party, Standing};

    fn room(phase: Phase, status: UserStatus) -> Room {
        let member = |name: &str, side| Member {
            party: Party {
                user: name.parse().expect("a user id"),
                standing: Standing { status, ..Standing::default() },
            },
            side,
        };
        Room {
            log: Log::Room(RoomId(Uuid::from_u128(1))),
            candidacy: Some((CandidacyId(Uuid::from_u128(2)), phase)),
            members: vec![member("clara", Side::Client), member("felix", Side::Freelancer)],
            head: Head::EMPTY,
        }
    }

    fn post_as(name: &str, room: &Room) -> Result<Event, Refusal> {
        let body = Body::parse("body", "hello".into()).expect("a body");
        let by = By {
            user: name.parse().expect("a user id"),
            client_id: ClientId(Uuid::from_u128(3)),
            contact: ContactPolicy::default(),
            said: Said::default(),
        };
        post(room, &by, &body)
    }

    #[test]
    fn the_phase_decides_whether_members_may_write() {
        for phase in Phase::ALL {
            let writable = matches!(phase, Phase::Active | Phase::Offered | Phase::Hired);
            for name in ["clara", "felix"] {
                let result = post_as(name, &room(phase, UserStatus::Active));
                assert_eq!(result.is_ok(), writable, "{name} in {phase:?}");
                if !writable {
                    assert_eq!(result, Err(Refusal::WrongPhase(phase)));
                }
            }
        }
    }

    #[test]
    fn a_stranger_learns_nothing_whatever_the_phase() {
        for phase in Phase::ALL {
            assert_eq!(post_as("mallory", &room(phase, UserStatus::Active)), Err(Refusal::NotFound));
        }
    }

    #[test]
    fn a_suspended_member_is_told_so() {
        let result = post_as("felix", &room(Phase::Active, UserStatus::Suspended));
        assert!(matches!(result, Err(Refusal::Account(_))));
    }
}
