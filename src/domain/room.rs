//! Rooms: who may read and who may write.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::id::{CandidacyId, UserId};
use anteroom_protocol::user::Side;

use crate::domain::guard::{ContactPolicy, Said};
use crate::domain::log::{Head, Log};
use crate::domain::refusal::Refusal;
use crate::domain::user::Party;

/// A log with all that a write into it is decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Which log.
    pub log: Log,
    /// The candidacy and its phase; `None`: an inbox.
    pub candidacy: Option<(CandidacyId, Phase)>,
    /// Its people.
    pub members: Vec<Member>,
    /// Its last entry.
    pub head: Head,
}

/// One person in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who, and whether this person may act.
    pub party: Party,
    /// The side the person is on.
    pub side: Side,
}

impl Room {
    /// The member who is this person. A stranger learns nothing, not even that the room exists.
    pub fn member(&self, user: &UserId) -> Result<&Member, Refusal> {
        self.members.iter().find(|member| member.party.user == *user).ok_or(Refusal::NotFound)
    }

    /// Refuses when the candidacy has become a contract: what was said before is evidence then.
    pub fn must_not_be_hired(&self) -> Result<(), Refusal> {
        match self.candidacy {
            Some((_, phase @ Phase::Hired)) => Err(Refusal::WrongPhase(phase)),
            _ => Ok(()),
        }
    }

    /// Refuses contact information where the phase does not allow it.
    pub fn must_allow(&self, said: &Said, policy: &ContactPolicy) -> Result<(), Refusal> {
        self.candidacy.map_or(Ok(()), |(_, phase)| said.must_be_allowed(phase, policy))
    }

    /// Refuses a write by this person unless the account may act and the phase allows it.
    pub fn may_write(&self, user: &UserId) -> Result<(), Refusal> {
        if matches!(&self.log, Log::Inbox(owner) if owner == user) {
            return Err(Refusal::Invalid("room: nobody writes into an inbox".into()));
        }
        let member = self.member(user)?;
        let (_, phase) = self.candidacy.ok_or(Refusal::NotFound)?;
        member.party.standing.may_write()?;
        match phase {
            Phase::Active | Phase::Offered | Phase::Hired => Ok(()),
            Phase::Invited
            | Phase::Archived
            | Phase::Submitted
            | Phase::Declined
            | Phase::Withdrawn
            | Phase::Expired
            | Phase::Closed => Err(Refusal::WrongPhase(phase)),
        }
    }
}
