//! Further people in a room: brought in by a side, and removed by it, by themselves, or by the marketplace. They read all of the log and
//! write messages; the negotiation stays with the two whose candidacy it is.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::entry::{EntryData, NoticeKind};
use anteroom_protocol::id::UserId;
use anteroom_protocol::limits;
use anteroom_protocol::member::MemberNamed;
use anteroom_protocol::user::Side;

use crate::domain::actor::Scope;
use crate::domain::candidacy::{Case, Context, Decision};
use crate::domain::log::Event;
use crate::domain::refusal::Refusal;
use crate::domain::room::Member;

/// `member.add`. A person brings in somebody on the own side; the marketplace says which.
pub fn add(
    mut case: Case,
    context: &Context,
    user: &UserId,
    side: Option<Side>,
) -> Result<Decision, Refusal> {
    let own = case.side_of(&context.actor)?;
    let by_the_marketplace = context.actor.scope == Scope::Service;
    let side = match (by_the_marketplace, side) {
        (true, None) => return Err(Refusal::Invalid("side: say on which side".into())),
        (true, Some(side)) => side,
        (false, Some(other)) if other != own => return Err(Refusal::WrongSide),
        (false, _) => own,
    };
    if !by_the_marketplace {
        case.must_be(own, &context.actor)?;
    }
    case.must_be_in(&[Phase::Active, Phase::Offered, Phase::Hired], own)?;
    let principal = [&case.client.user, &case.freelancer.user].contains(&user);
    if principal || case.members.iter().any(|member| member.party.user == *user) {
        return Err(Refusal::MemberExists);
    }
    if case.members.len() + 2 >= limits::MEMBERS {
        return Err(Refusal::Invalid(format!("user: a room has at most {} people", limits::MEMBERS)));
    }
    let unknown = || Refusal::Invalid("user: the marketplace has not told of this person".into());
    let party = case.named.clone().filter(|party| party.user == *user).ok_or_else(unknown)?;
    case.members.push(Member { party, side });
    Ok(told(case, context, (user, side), EntryData::MemberAdded, NoticeKind::MemberAdded))
}

/// `member.remove`: the entry that says so is the last one this person gets.
pub fn remove(mut case: Case, context: &Context, user: &UserId) -> Result<Decision, Refusal> {
    let seat = case.seat_of(&context.actor)?;
    let oneself = context.actor.scope == Scope::User && context.actor.user == *user;
    let at = case.members.iter().position(|member| member.party.user == *user).ok_or(Refusal::NotAMember)?;
    let side = case.members[at].side;
    if oneself {
        case.must_have_a_seat(&context.actor)?;
    } else if context.actor.scope == Scope::User {
        if case.side_of(&context.actor).is_err() || seat != side {
            return Err(Refusal::WrongSide);
        }
        case.must_be(side, &context.actor)?;
    }
    case.members.remove(at);
    Ok(told(case, context, (user, side), EntryData::MemberRemoved, NoticeKind::MemberRemoved))
}

fn told(
    case: Case,
    context: &Context,
    (user, side): (&UserId, Side),
    entry: fn(MemberNamed) -> EntryData,
    kind: NoticeKind,
) -> Decision {
    let told = context.told();
    let room =
        vec![Event::room(told.by.clone(), told.client_id, entry(MemberNamed { user: user.clone(), side }))];
    let inboxes = case.notice_to(user, side, kind, &told).into_iter().collect();
    Decision::new(room, inboxes, case)
}
