//! Messages: the words two people write.

use anteroom_protocol::entry::{EntryData, MessagePosted};
use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::limits;

use crate::domain::log::{Event, What};
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
        Event { by: Some(by.clone()), client_id: Some(client_id), what: What::Room(data) }
    }
}

/// Posts a message into a room.
pub fn post(room: &Room, by: &UserId, client_id: ClientId, body: &Body) -> Result<Event, Refusal> {
    room.may_write(by)?;
    Ok(body.posted(by, client_id))
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
        post(room, &name.parse().expect("a user id"), ClientId(Uuid::from_u128(3)), &body)
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
