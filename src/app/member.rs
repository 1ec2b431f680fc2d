//! Further people in a room.

use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::member::{MemberAdd, MemberRemove};

use super::rule::Rule;
use crate::domain::member;
use crate::domain::refusal::Refusal;
use crate::store::CaseKey;

/// `member.add`.
pub fn add(command: MemberAdd) -> Result<Rule, Refusal> {
    let MemberAdd { room, user, side } = command;
    let key = CaseKey::RoomAndUser(its_id(room)?, user.clone());
    Rule::of(key, move |case, context| member::add(case, context, &user, side))
}

/// `member.remove`.
pub fn remove(command: MemberRemove) -> Result<Rule, Refusal> {
    let MemberRemove { room, user } = command;
    Rule::of(CaseKey::Room(its_id(room)?), move |case, context| member::remove(case, context, &user))
}

/// The id of a room; an inbox has nobody but its owner.
pub(super) fn its_id(room: RoomRef) -> Result<RoomId, Refusal> {
    match room {
        RoomRef::Room(id) => Ok(id),
        RoomRef::Inbox => Err(Refusal::Invalid("room: an inbox is no room".into())),
    }
}
