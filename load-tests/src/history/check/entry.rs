//! Every entry anybody saw: whether it is what somebody sent (I2), under one number (I3), and the same for all (I4, I11).

use super::Case;
use super::facts::{NEVER, Op};
use super::findings::Spot;
use super::lineage::{NO_OP, Placed, Slot};
use crate::history::record::{Nanos, Recv, User};
use crate::history::verdict::Invariant;

/// Who saw it, and where they stood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub(super) who: u32,
    pub(super) line: u32,
    pub(super) t: Nanos,
    /// The branch of the history they were on.
    pub(super) branch: u16,
    /// They had been given this number before.
    pub(super) again: bool,
    /// It is the last reading, which says what the history is.
    pub(super) last: bool,
}

impl Sight {
    pub(super) fn spot(&self, recv: &Recv) -> Spot {
        Spot {
            room: Some(recv.room),
            seq: Some(recv.seq),
            cid: recv.cid,
            who: Some(self.who),
            line: Some(self.line),
            t: self.t,
            ..Spot::default()
        }
    }
}

impl Case {
    /// Judges one entry that was seen, and says on which branch of the history it stands.
    pub(super) fn judge(&mut self, recv: &Recv, sight: Sight) -> u16 {
        let op = recv.cid.and_then(|cid| self.facts.ops.find(cid));
        let slot = Slot::new(recv.hash.short(), content(recv), op.unwrap_or(NO_OP), sight.who);
        let may_fork = !sight.last && self.facts.may_fork(recv.room);
        let log = &mut self.logs[recv.room.0 as usize];
        let (placed, branch) = log.place(sight.branch, recv.seq, slot, may_fork);
        match placed {
            Placed::Known => {}
            Placed::New => {
                self.check_origin(recv, op, sight);
                self.check_once(recv, op, branch, sight);
            }
            Placed::Clash(known) => self.tell_clash(recv, &known, sight),
        }
        branch
    }

    fn tell_clash(&mut self, recv: &Recv, known: &Slot, sight: Sight) {
        let spot = Spot { other: Some(known.who()), ..sight.spot(recv) };
        if sight.again && !self.facts.may_fork(recv.room) {
            self.report(Invariant::Announced, "rewritten", spot, |_| {
                format!("{} came again as another entry, and no reset was told", recv.seq)
            });
        } else {
            self.report(Invariant::Agreed, "divergent", spot, |case| {
                format!("{} is another entry than {} saw there", recv.seq, case.client_name(known.who()))
            });
        }
    }

    /// I2: somebody sent it, into this room, with this body, and was not refused.
    fn check_origin(&mut self, recv: &Recv, op: Option<u32>, sight: Sight) {
        let before = self.facts.rooms.get(recv.room.0 as usize).map_or(0, |room| room.before);
        if recv.seq <= before {
            return;
        }
        let op = op.map(|op| self.facts.ops.list[op as usize]).filter(|op| op.invoked != NEVER);
        let told = match (recv.cid, op) {
            // One command may make several entries, and not all of them carry it. A message always does.
            (None, _) if recv.kind != self.message => None,
            (None, _) => Some(("phantom", "a message without a command")),
            // What a log that is not whole lacks may have been sent.
            (Some(_), None) if !self.facts.damage.is_empty() => None,
            (Some(_), None) => Some(("phantom", "nobody sent it")),
            (Some(_), Some(op)) => self.alteration(recv, &op),
        };
        if let Some((kind, why)) = told {
            self.invented.insert((recv.room, recv.seq));
            self.report(Invariant::Honest, kind, sight.spot(recv), |_| format!("{}: {why}", recv.seq));
        }
    }

    fn alteration(&self, recv: &Recv, op: &Op) -> Option<(&'static str, &'static str)> {
        let author = self.facts.clients.get(op.author as usize).and_then(|client| client.user);
        let digest = recv.digest.short();
        if op.is_refused() {
            Some(("aborted-read", "every attempt to send it was refused"))
        } else if op.has(Op::POST) && op.room != recv.room {
            Some(("altered", "it was sent into another room"))
        } else if differ(author, recv.by) {
            Some(("altered", "somebody else sent it"))
        } else if op.digest != 0 && digest != op.digest {
            Some(("altered", "its body is not the one that was sent"))
        } else {
            None
        }
    }

    /// I3: a command stands under one number.
    fn check_once(&mut self, recv: &Recv, op: Option<u32>, branch: u16, sight: Sight) {
        let Some(index) = op else { return };
        if self.facts.ops.list[index as usize].room != recv.room {
            // A command's word in another log: an inbox.
            return;
        }
        let invoked = self.facts.ops.list[index as usize].invoked;
        let may_fork = invoked != NEVER && self.facts.restored_after(recv.room, invoked);
        let op = &mut self.facts.ops.list[index as usize];
        let seq = u32::try_from(recv.seq).unwrap_or(u32::MAX);
        if op.seq != 0 && op.seq != seq && (!may_fork || op.has(Op::PLACED) && branch == 0) {
            let first = op.seq;
            self.report(Invariant::Once, "duplicate", sight.spot(recv), |_| {
                format!("one command at {first} and at {}", recv.seq)
            });
            return;
        }
        if op.seq == 0 || branch == 0 {
            op.seq = seq;
        }
        if branch == 0 {
            op.flags |= Op::PLACED;
        }
    }
}

fn differ(one: Option<User>, other: Option<User>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// What readers have to agree on, in eight bytes.
fn content(recv: &Recv) -> u64 {
    let cid = recv.cid.map_or(0, |cid| u128::from_be_bytes(cid.0));
    let [high, low] = [cid >> 64, cid & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or(0));
    let by = recv.by.map_or(u64::MAX, |by| u64::from(by.0));
    let parts = [high, low, recv.digest.short(), by, u64::from(recv.kind.0), u64::from(recv.version)];
    parts.into_iter().fold(0x9E37_79B9_7F4A_7C15, |sum, part| {
        (sum ^ part).wrapping_mul(0xFF51_AFD7_ED55_8CCD).rotate_left(29)
    })
}
