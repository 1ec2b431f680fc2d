//! When everything was read: what had to be there and is not (I1, I5, I11), whether enough happened, and the verdict.

use std::collections::{BTreeMap, HashSet};

use super::Case;
use super::facts::{NEVER, Op};
use super::findings::Spot;
use super::lineage::NO_OP;
use crate::history::record::{Nanos, Room};
use crate::history::verdict::{Invariant, LostByRestore, TOLD, Validity, Verdict};

/// A fault this long after an acknowledgement may have to do with its loss.
const AFTER_ACK: Nanos = 5_000_000_000;

/// Reasons of one kind that are told one by one.
const REASONS: usize = 5;

impl Case {
    pub(super) fn finish(mut self) -> Verdict {
        let mut lost = HashSet::new();
        let lost_by_restore = self.check_acknowledged(&mut lost);
        self.check_holes(&lost);
        self.check_vanished();
        self.count();
        let reasons = self.reasons();
        let valid = if !self.findings.broken.is_empty() {
            Validity::Invalid
        } else if reasons.is_empty() {
            Validity::Valid
        } else {
            Validity::Unknown
        };
        let repairs = self.facts.repairs.iter();
        let repairs: BTreeMap<_, _> =
            repairs.map(|(layer, count)| (self.names.text(*layer).to_owned(), *count)).collect();
        self.findings.told.sort_by_key(|violation| violation.t);
        Verdict {
            valid,
            reasons,
            counts: self.counts,
            broken: self.findings.broken,
            violations: self.findings.told,
            lost_by_restore,
            latency: self.lags.delays(),
            repairs,
            scenario: self.facts.run.scenario,
            seed: self.facts.run.seed,
            versions: self.facts.run.versions,
        }
    }

    /// I1: what was acknowledged is in every last reading; or a told restore took it (I11).
    fn check_acknowledged(&mut self, lost: &mut HashSet<(Room, u64)>) -> LostByRestore {
        let mut by_restore = LostByRestore::default();
        for index in 0..u32::try_from(self.facts.ops.list.len()).unwrap_or(u32::MAX) {
            let op = self.facts.ops.list[index as usize];
            let log = &self.logs[op.room.0 as usize];
            // Of another command than a message it may not be known where it stands.
            let is_known = op.has(Op::POST) || op.seq != 0;
            if op.acked == NEVER || op.invoked == NEVER || log.read == 0 || !is_known {
                continue;
            }
            let seq = u64::from(op.seq);
            let found = log.slot(0, seq).filter(|slot| slot.op == index);
            if found.is_some_and(|slot| slot.read() == log.read) {
                continue;
            }
            lost.insert((op.room, seq));
            let cid = self.facts.ops.cid(index).map(|cid| cid.to_string()).unwrap_or_default();
            if self.facts.restored_after(op.room, op.acked) {
                by_restore.total += 1;
                if by_restore.first.len() < TOLD {
                    by_restore.first.push((self.names.room_name(op.room).to_owned(), seq, cid));
                }
                if !self.options.allow_epoch_loss {
                    self.tell_lost(Invariant::Announced, "lost_by_restore", index, op);
                }
            } else {
                self.tell_lost(Invariant::Durable, "lost", index, op);
            }
        }
        by_restore.first.sort();
        by_restore
    }

    fn tell_lost(&mut self, invariant: Invariant, kind: &'static str, index: u32, op: Op) {
        let spot = Spot {
            room: Some(op.room),
            seq: Some(u64::from(op.seq)),
            cid: self.facts.ops.cid(index),
            who: Some(op.author),
            t: op.acked,
            since: op.invoked,
            until: op.acked.saturating_add(AFTER_ACK),
            ..Spot::default()
        };
        self.report(invariant, kind, spot, |_| {
            format!("{} was acknowledged at {} ns, and the last reading lacks it", op.seq, op.acked)
        });
    }

    /// I5. A number whose entry was acknowledged is lost, and is told as that alone.
    fn check_holes(&mut self, lost: &HashSet<(Room, u64)>) {
        let mut told = HashSet::new();
        for hole in std::mem::take(&mut self.holes) {
            if lost.contains(&(hole.room, hole.seq)) || !told.insert((hole.room, hole.seq)) {
                continue;
            }
            let (room, seq, who) = (Some(hole.room), Some(hole.seq), Some(hole.who));
            let spot = Spot { room, seq, who, t: hole.t, ..Spot::default() };
            self.report(Invariant::Dense, "hole", spot, |_| format!("{} is missing", hole.seq));
        }
    }

    /// I11: what somebody saw behind the end of the last reading was taken back. Acknowledged entries are lost, and told as that.
    fn check_vanished(&mut self) {
        for index in 0..self.logs.len() {
            let room = Room(u32::try_from(index).unwrap_or(u32::MAX));
            let log = &self.logs[index];
            if log.read == 0 || self.facts.may_fork(room) {
                continue;
            }
            let was_told = |op: u32| op != NO_OP && self.facts.ops.list[op as usize].acked != NEVER;
            let gone = log.beyond(log.last_read);
            let gone =
                gone.filter(|(seq, slot)| !was_told(slot.op) && !self.invented.contains(&(room, *seq)));
            let Some((seq, who)) = gone.last().map(|(seq, slot)| (seq, slot.who())) else { continue };
            let last = log.last_read;
            let spot = Spot { room: Some(room), seq: Some(seq), who: Some(who), ..Spot::default() };
            self.report(Invariant::Announced, "vanished", spot, |_| {
                format!("saw {seq}, the log ends at {last}, and no reset was told")
            });
        }
    }

    fn count(&mut self) {
        let facts = &self.facts;
        let counts = &mut self.counts;
        counts.clients = facts.clients.len() as u64;
        counts.rooms = facts.rooms.len() as u64;
        let without = facts.rooms.iter().filter(|room| room.used && room.members.is_empty());
        counts.rooms_without_members = without.count() as u64;
        counts.records = facts.records;
        (counts.dup_acks, counts.gaps) = (facts.dup_acks, facts.gaps);
        (counts.resets, counts.disconnects) = (facts.resets, facts.disconnects);
        for op in facts.ops.list.iter().filter(|op| op.invoked != NEVER) {
            counts.invoked += 1;
            if op.acked != NEVER {
                counts.ok += 1;
            } else if op.is_refused() {
                counts.refused += 1;
            } else {
                counts.unknown += 1;
                counts.recovered += u64::from(op.has(Op::PLACED));
            }
        }
    }

    /// Why a history without a violation is not a valid one: a test in which nothing happened must not pass.
    fn reasons(&self) -> Vec<String> {
        let facts = &self.facts;
        let mut reasons: Vec<String> =
            facts.damage.iter().take(REASONS).map(|it| self.tell_damage(it)).collect();
        if facts.damage.len() > REASONS {
            reasons.push(format!("{} more logs are not whole", facts.damage.len() - REASONS));
        }
        let used = || facts.rooms.iter().zip(&self.logs).filter(|(room, _)| room.used);
        let unread = used().filter(|(_, log)| log.read == 0).count();
        if unread > 0 {
            reasons.push(format!("the final phase is missing: {unread} rooms were not read afresh"));
        }
        let unawaited = used().filter(|(room, _)| !room.awaited).count();
        if unawaited > 0 {
            reasons.push(format!(
                "the final phase is missing: in {unawaited} rooms no client waited for the rest"
            ));
        }
        let faulty = facts.run.faults || !facts.faults.is_empty();
        if faulty && !facts.was_disturbed() {
            reasons.push("no fault hit any traffic".to_owned());
        }
        let plan = facts.run.plan.unwrap_or(self.counts.invoked);
        if self.counts.ok == 0 {
            reasons.push("nothing was acknowledged".to_owned());
        } else if self.counts.ok * 10 < plan * 9 {
            reasons.push(format!("only {} of {plan} planned commands were acknowledged", self.counts.ok));
        }
        reasons
    }

    fn tell_damage(&self, (who, problem): &(Option<u32>, String)) -> String {
        match who {
            Some(who) => format!("the log of {} is not whole: {problem}", self.client_name(*who)),
            None => problem.clone(),
        }
    }
}
