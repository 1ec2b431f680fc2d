//! I8 in real time: what began after something was acknowledged comes after it. One sweep of each room by time.

use super::Case;
use super::facts::{NEVER, Op};
use super::findings::Spot;
use crate::history::record::Nanos;
use crate::history::verdict::Invariant;

impl Case {
    pub(super) fn check_real_time(&mut self) {
        let ops = &self.facts.ops.list;
        let numbered = |op: &Op| op.seq != 0 && (op.has(Op::PLACED) || !self.facts.may_fork(op.room));
        let indices = 0..u32::try_from(ops.len()).unwrap_or(u32::MAX);
        let mut sent: Vec<u32> =
            indices.filter(|op| numbered(&ops[*op as usize]) && ops[*op as usize].invoked != NEVER).collect();
        let mut acked: Vec<u32> =
            sent.iter().copied().filter(|op| ops[*op as usize].acked != NEVER).collect();
        sent.sort_unstable_by_key(|op| (ops[*op as usize].room, ops[*op as usize].invoked));
        acked.sort_unstable_by_key(|op| (ops[*op as usize].room, ops[*op as usize].acked));
        let mut joins = std::mem::take(&mut self.facts.joins);
        joins.sort_unstable_by_key(|join| (join.room, join.began));

        let mut sweep = Sweep { acked: &acked, at: 0, room: u32::MAX, last: None };
        let mut wrong = Vec::new();
        for op in sent {
            let late = ops[op as usize];
            if let Some(first) = sweep.last_before(ops, late.room.0, late.invoked)
                && ops[first as usize].seq >= late.seq
            {
                wrong.push((first, op));
            }
        }
        let mut sweep = Sweep { acked: &acked, at: 0, room: u32::MAX, last: None };
        let mut blind = Vec::new();
        for join in joins {
            if let Some(first) = sweep.last_before(ops, join.room.0, join.began)
                && u64::from(ops[first as usize].seq) > join.head
            {
                blind.push((first, join));
            }
        }
        for (first, late) in wrong {
            self.tell_pair(first, late);
        }
        for (first, join) in blind {
            let seq = self.facts.ops.list[first as usize].seq;
            let spot = Spot {
                room: Some(join.room),
                seq: Some(join.head),
                who: Some(join.who),
                line: Some(join.line),
                t: join.began,
                ..Spot::default()
            };
            self.report(Invariant::Ordered, "join", spot, |_| {
                format!("joined at head {} after {seq} had been acknowledged", join.head)
            });
        }
    }

    fn tell_pair(&mut self, first: u32, late: u32) {
        let [one, other] = [first, late].map(|op| self.facts.ops.list[op as usize]);
        let spot = Spot {
            room: Some(other.room),
            seq: Some(u64::from(other.seq)),
            who: Some(other.author),
            other: Some(one.author),
            t: other.invoked,
            since: one.acked,
            ..Spot::default()
        };
        self.report(Invariant::Ordered, "real-time", spot, |case| {
            let cids = [first, late].map(|op| case.facts.ops.cid(op));
            format!("{} was sent after {} had been acknowledged ({cids:?})", other.seq, one.seq)
        });
    }
}

/// Goes through the acknowledged commands once, as far as the time that is asked for.
struct Sweep<'a> {
    /// By room and time of acknowledgement.
    acked: &'a [u32],
    at: usize,
    room: u32,
    /// The one with the highest number so far.
    last: Option<u32>,
}

impl Sweep<'_> {
    /// The command with the highest number that was acknowledged in this room before that time. Asked by rising room and time.
    fn last_before(&mut self, ops: &[Op], room: u32, t: Nanos) -> Option<u32> {
        if self.room != room {
            (self.room, self.last) = (room, None);
        }
        while let Some(next) = self.acked.get(self.at) {
            let op = &ops[*next as usize];
            if op.room.0 > room || op.room.0 == room && op.acked >= t {
                break;
            }
            if op.room.0 == room && self.last.is_none_or(|last| ops[last as usize].seq < op.seq) {
                self.last = Some(*next);
            }
            self.at += 1;
        }
        self.last
    }
}
