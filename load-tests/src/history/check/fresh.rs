//! The last reading of every log, by a reader that has nothing yet or from the database's rows: dense (I5), and with terms in order
//! (I10).

use std::collections::HashMap;

use super::Case;
use super::entry::Sight;
use super::findings::Spot;
use super::lineage::{READ_DB, READ_FRESH};
use super::terms::Terms;
use crate::history::record::{Nanos, Record, Recv, Role, Room, What};
use crate::history::verdict::Invariant;

/// Numbers of one hole that are kept; a log that lacks more is broken beyond doubt.
const HOLE: u64 = 1_000;

/// A number that a last reading lacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole {
    pub(super) room: Room,
    pub(super) seq: u64,
    pub(super) who: u32,
    pub(super) t: Nanos,
}

/// One reader's last readings.
#[derive(Debug)]
pub(super) struct Reading {
    who: u32,
    bit: u32,
    rooms: HashMap<Room, Progress>,
}

#[derive(Debug)]
struct Progress {
    next: u64,
    /// The terms so far, if this is the first last reading of the room.
    terms: Option<Terms>,
}

impl Reading {
    pub(super) fn new(who: u32, role: Role) -> Self {
        let bit = if role == Role::Db { READ_DB } else { READ_FRESH };
        Self { who, bit, rooms: HashMap::new() }
    }

    pub(super) fn take(&mut self, case: &mut Case, record: &Record) {
        match &record.what {
            What::Recv(recv) => self.recv(case, recv, record),
            What::Final { room, head } => self.end_of(case, *room, *head, record),
            What::Run(_)
            | What::Fault(_)
            | What::Repairs { .. }
            | What::Member(_)
            | What::Before { .. }
            | What::Start { .. }
            | What::Conn
            | What::Disc { .. }
            | What::Join(_)
            | What::Leave { .. }
            | What::Invoke { .. }
            | What::Ok { .. }
            | What::Nack { .. }
            | What::Gap { .. }
            | What::Reset { .. }
            | What::View { .. }
            | What::End => {}
        }
    }

    fn recv(&mut self, case: &mut Case, recv: &Recv, record: &Record) {
        case.counts.read_afresh += 1;
        let (who, t) = (self.who, record.t);
        let sight = Sight { who, line: record.i, t, branch: 0, again: false, last: true };
        case.check_may_see(recv, sight);
        let expected = self.progress(case, recv.room).next;
        self.missing(case, recv.room, recv.seq, t);
        if recv.seq < expected {
            case.report(Invariant::Dense, "repeated", sight.spot(recv), |_| {
                format!("the last reading shows {} where {expected} belongs", recv.seq)
            });
            return;
        }
        let branch = case.judge(recv, sight);
        let bit = self.bit;
        let log = &mut case.logs[recv.room.0 as usize];
        if branch == 0 {
            log.mark_read(recv.seq, bit);
        }
        log.last_read = log.last_read.max(recv.seq);
        let progress = self.progress(case, recv.room);
        progress.next = recv.seq + 1;
        if let Some(terms) = &mut progress.terms
            && recv.kind != case.message
            && let Err(problem) = terms.step(case.names.text(recv.kind), recv.version)
        {
            case.report(Invariant::Terms, "transition", sight.spot(recv), |_| {
                format!("{}: {problem}", recv.seq)
            });
        }
    }

    /// The reader says how long the log is.
    fn end_of(&mut self, case: &mut Case, room: Room, head: u64, record: &Record) {
        self.missing(case, room, head + 1, record.t);
        let read = self.progress(case, room).next - 1;
        if read > head {
            let spot = Spot {
                room: Some(room),
                seq: Some(read),
                who: Some(self.who),
                line: Some(record.i),
                t: record.t,
                ..Spot::default()
            };
            case.report(Invariant::Dense, "beyond-head", spot, |_| {
                format!("the last reading shows {read}, and the head is {head}")
            });
        }
    }

    /// Notes what lies between the last entry and this number.
    fn missing(&mut self, case: &mut Case, room: Room, until: u64, t: Nanos) {
        let from = self.progress(case, room).next;
        let who = self.who;
        let numbers = from..until.min(from.saturating_add(HOLE));
        case.holes.extend(numbers.map(|seq| Hole { room, seq, who, t }));
    }

    fn progress(&mut self, case: &mut Case, room: Room) -> &mut Progress {
        let log = &mut case.logs[room.0 as usize];
        let bit = self.bit;
        self.rooms.entry(room).or_insert_with(|| {
            let terms = (log.read == 0).then(Terms::default);
            log.read |= bit;
            Progress { next: 1, terms }
        })
    }
}
