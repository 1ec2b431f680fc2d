//! One client's log, from its start to its end: its position in every log (I6, I11), what it may see and write (I7), the order of its
//! connections (I8), and what its answers said (I2, I3, I4).

use std::collections::HashMap;

use super::Case;
use super::entry::Sight;
use super::findings::Spot;
use super::position::{Lane, Position};
use crate::history::record::{Cid, Join, Nanos, Record, Recv, Room, User, Via, What};
use crate::history::recorder::leaves_open;
use crate::history::verdict::Invariant;
use anteroom_protocol::room::JoinMode;

/// A post that waits for its answer.
#[derive(Debug, Clone, Copy)]
struct Pending {
    n: u32,
    /// Its place among everything this client sent.
    place: u32,
    /// It was answered `unknown` once: it may have lost its place.
    loose: bool,
}

/// A post that was acknowledged as new on the connection it was sent on.
#[derive(Debug, Clone, Copy)]
struct Landed {
    place: u32,
    seq: u64,
    cid: Cid,
    t: Nanos,
    line: u32,
}

#[derive(Debug)]
pub(super) struct Follower {
    who: u32,
    user: Option<User>,
    latest: u32,
    places: u32,
    positions: HashMap<Room, Position>,
    lanes: HashMap<(u32, Room), Lane>,
    pending: HashMap<Cid, Pending>,
    landed: HashMap<(u32, Room), Vec<Landed>>,
}

impl Follower {
    pub(super) fn new(who: u32, user: Option<User>) -> Self {
        Self {
            who,
            user,
            latest: 0,
            places: 0,
            positions: HashMap::new(),
            lanes: HashMap::new(),
            pending: HashMap::new(),
            landed: HashMap::new(),
        }
    }

    pub(super) fn take(&mut self, case: &mut Case, record: &Record) {
        let n = if record.n == 0 { self.latest } else { record.n };
        match &record.what {
            What::Conn => self.latest = if record.n == 0 { self.latest + 1 } else { record.n },
            What::Disc { .. } => self.disconnect(case, n, record.t),
            What::Join(join) => self.join(case, join, n, record),
            What::Leave { room } => self.part(n, *room, record.t),
            What::Invoke { cid, kind, .. } => {
                if *kind == case.post && n != Record::HTTP {
                    self.sent(*cid, n);
                }
            }
            What::Ok { .. } => self.acknowledged(case, record, n),
            What::Nack { cid, code, retry } => {
                let loose = leaves_open(case.names.text(*code));
                if let Some(pending) = self.pending.get_mut(cid) {
                    pending.loose |= loose;
                }
                if !retry {
                    self.pending.remove(cid);
                }
            }
            What::Recv(recv) => self.recv(case, recv, n, record),
            What::Gap { room, from, to } => self.gap(case, *room, (*from, *to), record),
            What::Reset { room } => self.positions.entry(*room).or_default().drop_all(),
            What::View { .. } => self.view(case, record),
            What::Final { room, head } => self.wait_over(case, *room, *head, record),
            What::Run(_)
            | What::Fault(_)
            | What::Repairs { .. }
            | What::Member(_)
            | What::Before { .. }
            | What::Start { .. }
            | What::End => {}
        }
    }

    pub(super) fn leave(&mut self, case: &mut Case) {
        for (_, landed) in std::mem::take(&mut self.landed) {
            self.check_lane(case, landed);
        }
    }

    fn spot(&self, room: Room, record: &Record) -> Spot {
        let (who, line) = (Some(self.who), Some(record.i));
        Spot { room: Some(room), who, line, t: record.t, ..Spot::default() }
    }

    fn disconnect(&mut self, case: &mut Case, n: u32, t: Nanos) {
        let rooms: Vec<Room> = self.lanes.keys().filter(|(of, _)| *of == n).map(|(_, room)| *room).collect();
        for room in rooms {
            self.part(n, room, t);
        }
        let over: Vec<_> = self.landed.keys().copied().filter(|(of, _)| *of == n).collect();
        for key in over {
            let landed = self.landed.remove(&key).unwrap_or_default();
            self.check_lane(case, landed);
        }
    }

    fn part(&mut self, n: u32, room: Room, t: Nanos) {
        if let Some(lane) = self.lanes.remove(&(n, room))
            && let Some(position) = self.positions.get_mut(&room)
        {
            position.before = Some((lane.since, t));
        }
    }

    fn join(&mut self, case: &mut Case, join: &Join, n: u32, record: &Record) {
        self.lanes.insert((n, join.room), Lane::new(join, record.t));
        let known = self.positions.get(&join.room).copied();
        let Some(after) = join.after else {
            // It begins anew, at the head.
            let before = known.and_then(|position| position.before);
            let mut position = Position::after(join.head);
            position.before = before;
            self.positions.insert(join.room, position);
            return;
        };
        let spot = Spot { seq: Some(after), ..self.spot(join.room, record) };
        if after > join.head && join.mode != JoinMode::Reset {
            case.report(Invariant::Announced, "shrunk", spot, |_| {
                format!("the client has {after}, the head is {}, and no reset was told", join.head)
            });
        }
        match known {
            None => {
                self.positions.insert(join.room, Position::after(after));
            }
            Some(position) if position.next != 0 && after >= position.next => {
                case.report(Invariant::Prefix, "skip", spot, |_| {
                    format!("joined after {after}, and the client has up to {}", position.applied())
                });
            }
            Some(_) => {}
        }
    }

    fn gap(&mut self, case: &mut Case, room: Room, (from, to): (u64, u64), record: &Record) {
        let position = self.positions.entry(room).or_default();
        if let Some(problem) = position.open_gap(from, to) {
            let next = position.next;
            let spot = Spot { seq: Some(next), ..self.spot(room, record) };
            case.report(Invariant::Prefix, problem, spot, |_| {
                format!("a gap from {from} is named, and the client needs {next}")
            });
        }
    }

    fn sent(&mut self, cid: Cid, n: u32) {
        self.places += 1;
        let place = self.places;
        let pending = self.pending.entry(cid).or_insert(Pending { n, place, loose: false });
        if pending.n != n {
            *pending = Pending { n, place, loose: false };
        }
    }

    fn acknowledged(&mut self, case: &mut Case, record: &Record, n: u32) {
        let What::Ok { room, cid, seq, hash, dup } = record.what else { return };
        let spot = Spot { seq: Some(seq), cid: Some(cid), ..self.spot(room, record) };
        if let Some(pending) = self.pending.remove(&cid)
            && pending.n == n
            && !pending.loose
            && !dup
        {
            let landed = Landed { place: pending.place, seq, cid, t: record.t, line: record.i };
            self.landed.entry((n, room)).or_default().push(landed);
        }
        case.check_answer(self.user, (room, cid, seq), (hash.short(), dup), spot);
    }

    /// I8: one connection's posts to one room are numbered in the order in which they were first sent.
    fn check_lane(&self, case: &mut Case, mut landed: Vec<Landed>) {
        landed.sort_by_key(|landed| landed.place);
        let mut highest = 0;
        for post in landed {
            // An equal number is another promise broken, and told as that.
            if post.seq < highest {
                let spot = Spot {
                    seq: Some(post.seq),
                    cid: Some(post.cid),
                    who: Some(self.who),
                    line: Some(post.line),
                    t: post.t,
                    ..Spot::default()
                };
                case.report(Invariant::Ordered, "fifo", spot, |_| {
                    format!(
                        "a later post became {}, an earlier one of the same connection {highest}",
                        post.seq
                    )
                });
            }
            highest = highest.max(post.seq);
        }
    }

    fn recv(&mut self, case: &mut Case, recv: &Recv, n: u32, record: &Record) {
        case.counts.received += 1;
        let known = self.positions.get(&recv.room).copied();
        let branch = known.map_or(0, |position| position.branch);
        let again = known.is_some_and(|position| position.has(recv.seq));
        let sight = Sight { who: self.who, line: record.i, t: record.t, branch, again, last: false };
        case.check_may_see(recv, sight);
        let branch = case.judge(recv, sight);
        self.check_same_history(case, recv, known, sight, branch);

        let is_frame = matches!(recv.via, Via::Live | Via::Resume);
        let mut lane = self.lanes.get_mut(&(n, recv.room));
        let Some(position) = self.positions.get_mut(&recv.room) else {
            if is_frame {
                case.report(Invariant::Prefix, "not-joined", sight.spot(recv), |_| {
                    format!("{} came, and the client has not joined", recv.seq)
                });
            }
            return;
        };
        let next = position.next;
        let step = match recv.via {
            Via::Live | Via::Resume => position.frame(lane.as_deref_mut(), recv.seq),
            Via::Gapfill => position.fill(recv.seq, record.t),
            Via::Fetch | Via::Fresh => position.page(recv.seq),
        };
        if step.taken {
            position.branch = branch;
        } else if is_frame {
            case.counts.live_dups += 1;
        }
        let (before, filled) = (position.before, position.filled);
        if let Some(problem) = step.problem {
            case.report(Invariant::Prefix, problem, sight.spot(recv), |_| {
                format!("{} came, and the client needs {next}", recv.seq)
            });
        }
        if step.taken
            && is_frame
            && let Some(lane) = lane
        {
            case.check_lag(recv, sight, lane.since.max(filled), before);
        }
    }

    /// I11: what a client is given follows what it has.
    fn check_same_history(
        &self,
        case: &mut Case,
        recv: &Recv,
        known: Option<Position>,
        sight: Sight,
        branch: u16,
    ) {
        let Some(position) = known else { return };
        if branch == position.branch {
            return;
        }
        let log = &case.logs[recv.room.0 as usize];
        let moved = |seq: u64| log.owner(position.branch, seq) != log.owner(branch, seq);
        let (kind, seq) = if position.has(recv.seq) && moved(recv.seq) {
            ("rewritten", recv.seq)
        } else if position.next == recv.seq && position.has(recv.seq - 1) && moved(recv.seq - 1) {
            ("forked", recv.seq - 1)
        } else {
            return;
        };
        case.report(Invariant::Announced, kind, sight.spot(recv), |_| {
            format!("{} belongs to another history than the client's {seq}, and no reset was told", recv.seq)
        });
    }

    /// What a person would see is what the client was given.
    fn view(&self, case: &mut Case, record: &Record) {
        let What::View { room, count, last, hash } = record.what else { return };
        let Some(position) = self.positions.get(&room) else { return };
        let spot = Spot { seq: Some(last), ..self.spot(room, record) };
        if (last, count) != (position.applied(), position.count) {
            let (applied, taken) = (position.applied(), position.count);
            case.report(Invariant::Prefix, "view", spot, |_| {
                format!("{count} entries up to {last} are shown; {taken} up to {applied} were given")
            });
            return;
        }
        let log = &case.logs[room.0 as usize];
        let shown = log.slot(position.branch, last).map_or(0, |slot| slot.hash);
        if hash.short() != 0 && shown != 0 && shown != hash.short() {
            case.report(Invariant::Prefix, "view", spot, |_| {
                format!("another {last} is shown than was given")
            });
        }
    }

    /// I9: in the end everybody has everything.
    fn wait_over(&self, case: &mut Case, room: Room, head: u64, record: &Record) {
        let Some(position) = self.positions.get(&room) else { return };
        let log = &case.logs[room.0 as usize];
        let head = if log.read == 0 { head } else { log.last_read };
        let applied = position.applied();
        let spot = Spot { seq: Some(applied), ..self.spot(room, record) };
        if applied < head {
            case.report(Invariant::Live, "stuck", spot, |_| {
                format!("it has up to {applied} when everything is over, and the head is {head}")
            });
        } else if log.read != 0 && log.owner(position.branch, applied) != 0 {
            case.report(Invariant::Announced, "forked", spot, |_| {
                format!("its {applied} is of another history than the log's, and it was told no reset")
            });
        } else if applied > head && case.facts.may_fork(room) {
            case.report(Invariant::Announced, "shrunk", spot, |_| {
                format!("it has up to {applied}, the head is {head}, and it was told no reset")
            });
        }
    }
}
