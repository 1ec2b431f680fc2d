//! One acknowledgement against what the log showed and what was answered before (I2, I3, I4), and whether somebody may see or write
//! what they did (I7).

use super::Case;
use super::entry::Sight;
use super::facts::{NEVER, Op};
use super::findings::Spot;
use crate::history::record::{Cid, Recv, Room, User};
use crate::history::verdict::Invariant;

impl Case {
    /// I7 for a reader.
    pub(super) fn check_may_see(&mut self, recv: &Recv, sight: Sight) {
        let Some(user) = self.facts.clients.get(sight.who as usize).and_then(|client| client.user) else {
            return;
        };
        let inbox = self.names.room_name(recv.room).strip_prefix("inbox:");
        let is_own = inbox.is_none_or(|owner| owner == self.names.user_name(user));
        if !is_own || !self.facts.may_see(recv.room, user, recv.seq, sight.t) {
            self.report(Invariant::Authorised, "leak", sight.spot(recv), |case| {
                format!("{} reached {}, who may not see it", recv.seq, case.names.user_name(user))
            });
        }
    }

    /// Holds an acknowledgement against what the log showed, and against earlier answers.
    pub(super) fn check_answer(
        &mut self,
        user: Option<User>,
        (room, cid, seq): (Room, Cid, u64),
        (hash, dup): (u64, bool),
        spot: Spot,
    ) {
        let Some(index) = self.facts.ops.find(cid) else { return };
        let op = self.facts.ops.list[index as usize];
        if op.invoked == NEVER {
            if self.facts.damage.is_empty() {
                self.report(Invariant::Honest, "phantom", spot, |_| {
                    "nobody sent what is acknowledged".into()
                });
            }
            return;
        }
        if let Some(user) = user
            && seq != 0
            && !self.facts.may_write(room, user, seq)
        {
            self.report(Invariant::Authorised, "write", spot, |case| {
                format!("{seq} was acknowledged to {}, who is no member", case.names.user_name(user))
            });
        }
        // What an older copy of the database did not hold may be sent again, and is new then.
        let was_restored = self.facts.restored_after(room, op.invoked);
        let number = u32::try_from(seq).unwrap_or(u32::MAX);
        if op.seq != 0 && number != 0 && op.seq != number && !was_restored {
            let first = op.seq;
            self.report(Invariant::Once, "duplicate", spot, |_| {
                format!("one command at {first} and at {seq}")
            });
        } else if op.has(Op::NEW) && !dup && !was_restored {
            self.report(Invariant::Once, "twice-new", spot, |_| {
                format!("{seq} was acknowledged as new a second time")
            });
        } else if let Some(slot) = self.logs[room.0 as usize].find(seq, |slot| slot.op == index)
            && hash != 0
            && slot.hash != 0
            && hash != slot.hash
        {
            let spot = Spot { other: Some(slot.who()), ..spot };
            self.report(Invariant::Agreed, "divergent", spot, |_| {
                format!("the author was told another hash of {seq} than its readers")
            });
        }
        let op = &mut self.facts.ops.list[index as usize];
        if op.seq == 0 {
            op.seq = number;
        }
        if !dup {
            op.flags |= Op::NEW;
        }
    }
}
