//! The first reading: every command and what became of it, who was a member when, what was broken on purpose, and whether the logs
//! are whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::History;
use super::super::record::{
    Cid, Fault, Member, Names, Nanos, Record, Role, Room, Run, User, Via, What, Word,
};
use super::super::recorder::leaves_open;

/// A fault's effects may show this long after it has ended.
const AFTERMATH: Nanos = 5_000_000_000;

/// Disturbances are kept to this exactness, so that their number is bounded by the length of a run.
const TENTH: Nanos = 100_000_000;

/// The writer of one log.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: Word,
    pub(super) user: Option<User>,
    pub(super) role: Role,
}

/// Not known yet.
pub(super) const NEVER: Nanos = Nanos::MAX;

/// A command, whatever became of it. Kept small: there is one for each in the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    /// When it was first sent; [`NEVER`]: it was not.
    pub(super) invoked: Nanos,
    /// When it was first acknowledged; [`NEVER`]: it was not.
    pub(super) acked: Nanos,
    pub(super) digest: u64,
    pub(super) room: Room,
    /// The client that sent it first.
    pub(super) author: u32,
    /// Its number in the log, as far as known; 0: not.
    pub(super) seq: u32,
    /// Times it was sent and was not answered with a certain "not done".
    pub(super) open: u16,
    pub(super) flags: u8,
}

impl Op {
    /// It was refused for good at least once.
    pub(super) const REFUSED: u8 = 1;
    /// It stands in the history that the last reading showed.
    pub(super) const PLACED: u8 = 2;
    /// It was acknowledged as new.
    pub(super) const NEW: u8 = 4;
    /// It is a message for one room. Any other command may stand in several logs, which its author need not know beforehand.
    pub(super) const POST: u8 = 8;

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Every time it was sent it was refused, and once for good: it must not be in a log.
    pub(super) fn is_refused(&self) -> bool {
        self.acked == NEVER && self.open == 0 && self.has(Self::REFUSED)
    }
}

/// Every command by its id.
#[derive(Debug, Default)]
pub(super) struct Ops {
    index: HashMap<Cid, u32>,
    pub(super) list: Vec<Op>,
}

impl Ops {
    pub(super) fn find(&self, cid: Cid) -> Option<u32> {
        self.index.get(&cid).copied()
    }

    /// The id of a command. Slow: for what is told only.
    pub(super) fn cid(&self, op: u32) -> Option<Cid> {
        self.index.iter().find(|(_, index)| **index == op).map(|(cid, _)| *cid)
    }

    fn open(&mut self, cid: Cid, room: Room) -> &mut Op {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let index = *self.index.entry(cid).or_insert(next);
        if index == next {
            let (invoked, acked, author) = (NEVER, NEVER, u32::MAX);
            self.list.push(Op { invoked, acked, digest: 0, room, author, seq: 0, open: 0, flags: 0 });
        }
        &mut self.list[index as usize]
    }
}

/// A join and the head it was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joined {
    pub(super) room: Room,
    pub(super) began: Nanos,
    pub(super) head: u64,
    pub(super) who: u32,
    pub(super) line: u32,
}

/// What is known of one log beside its entries.
#[derive(Debug, Default)]
pub(super) struct RoomFacts {
    /// Entries up to this one are from before the run.
    pub(super) before: u64,
    /// The last time somebody was told a `reset` here.
    pub(super) last_reset: Option<Nanos>,
    pub(super) members: HashMap<User, Vec<Member>>,
    /// Commands were sent to it.
    pub(super) used: bool,
    /// Somebody waited until everything had come.
    pub(super) awaited: bool,
}

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) run: Run,
    pub(super) faults: Vec<Fault>,
    pub(super) repairs: BTreeMap<Word, u64>,
    pub(super) clients: Vec<Client>,
    pub(super) rooms: Vec<RoomFacts>,
    pub(super) ops: Ops,
    pub(super) joins: Vec<Joined>,
    /// Logs that are not whole: whose, if that is known, and why.
    pub(super) damage: Vec<(Option<u32>, String)>,
    pub(super) records: u64,
    /// `message.post`.
    post: Option<Word>,
    pub(super) dup_acks: u64,
    pub(super) gaps: u64,
    pub(super) resets: u64,
    pub(super) disconnects: u64,
    /// Tenths of a second in which a client noticed that something was wrong.
    disturbed: BTreeSet<u64>,
    /// The number of the first client of each part, and one behind the last.
    parts: Vec<u32>,
}

/// Reads everything once.
pub(super) fn gather(history: &dyn History, names: &mut Names) -> Facts {
    let mut facts = Facts { parts: vec![0], post: Some(names.word("message.post")), ..Facts::default() };
    for part in 0..history.parts() {
        let mut log = OpenLog::default();
        // The names are needed for the codes of refusals, and lent to whoever reads: so codes are looked up afterwards.
        let mut nacks = Vec::new();
        let read = history.visit(part, names, &mut |record| log.take(&mut facts, record, &mut nacks));
        for (cid, code, retry) in nacks {
            facts.nack(cid, names.text(code), retry);
        }
        log.check_end(&mut facts);
        facts.damage.extend(read.err().map(|problem| (None, problem)));
        facts.parts.push(u32::try_from(facts.clients.len()).unwrap_or(u32::MAX));
    }
    for members in facts.rooms.iter_mut().flat_map(|room| room.members.values_mut()) {
        members.sort_by_key(|member| member.seq);
    }
    facts
}

/// One log while it is read for the first time.
#[derive(Default)]
struct OpenLog {
    who: Option<u32>,
    next: u32,
    last_t: Nanos,
    ended: bool,
    problem: Option<String>,
}

impl OpenLog {
    fn take(&mut self, facts: &mut Facts, record: &Record, nacks: &mut Vec<(Cid, Word, bool)>) {
        facts.records += 1;
        if let What::Start { client, user, role } = record.what {
            self.check_end(facts);
            let who = u32::try_from(facts.clients.len()).unwrap_or(u32::MAX);
            facts.clients.push(Client { name: client, user, role });
            *self = Self { who: Some(who), ..Self::default() };
        }
        if self.who.is_some() {
            if record.i != self.next {
                self.note(format!("line {} where {} belongs", record.i, self.next));
            }
            if record.t < self.last_t {
                self.note(format!("at line {} time runs backwards", record.i));
            }
            if self.ended {
                self.note(format!("line {} after the end", record.i));
            }
            (self.next, self.last_t) = (record.i + 1, record.t);
        }
        self.ended |= record.what == What::End;
        facts.take(record, self.who.unwrap_or(u32::MAX), nacks);
    }

    fn note(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    fn check_end(&mut self, facts: &mut Facts) {
        let Some(who) = self.who else { return };
        if !self.ended {
            self.note("it has no end".to_owned());
        }
        if let Some(problem) = self.problem.take() {
            facts.damage.push((Some(who), problem));
        }
    }
}

impl Facts {
    fn take(&mut self, record: &Record, who: u32, nacks: &mut Vec<(Cid, Word, bool)>) {
        match &record.what {
            What::Run(run) => self.run = (**run).clone(),
            What::Fault(fault) => self.faults.push((**fault).clone()),
            What::Repairs { layer, count } => {
                *self.repairs.entry(*layer).or_default() += count;
            }
            What::Member(member) => {
                self.room(member.room).members.entry(member.user).or_default().push(*member);
            }
            What::Before { room, head } => self.room(*room).before = *head,
            What::Invoke { .. } => self.invoke(record, who),
            What::Ok { room, cid, dup, .. } => {
                self.dup_acks += u64::from(*dup);
                let op = self.ops.open(*cid, *room);
                op.acked = op.acked.min(record.t);
            }
            What::Nack { cid, code, retry } => {
                if *retry {
                    self.disturb(record.t);
                }
                nacks.push((*cid, *code, *retry));
            }
            What::Join(join) => {
                self.room(join.room);
                if join.after.is_some_and(|after| after != join.head) {
                    self.disturb(record.t);
                }
                let (began, head, line) = (join.began, join.head, record.i);
                self.joins.push(Joined { room: join.room, began, head, who, line });
            }
            What::Disc { code } => {
                self.disconnects += 1;
                if *code != 1000 {
                    self.disturb(record.t);
                }
            }
            What::Final { room, .. } => {
                let is_client = self.clients.get(who as usize).is_some_and(|it| it.role == Role::Client);
                self.room(*room).awaited |= is_client;
            }
            What::Recv(_) | What::Gap { .. } | What::Reset { .. } => self.given(record),
            What::Leave { room } | What::View { room, .. } => {
                self.room(*room);
            }
            What::Start { .. } | What::Conn | What::End => {}
        }
    }

    fn invoke(&mut self, record: &Record, who: u32) {
        let What::Invoke { room, cid, kind, digest } = record.what else { return };
        self.room(room).used = true;
        let is_post = self.post == Some(kind);
        let op = self.ops.open(cid, room);
        if op.author == u32::MAX {
            (op.author, op.digest, op.room) = (who, digest.short(), room);
        }
        op.invoked = op.invoked.min(record.t);
        op.open = op.open.saturating_add(1);
        if is_post {
            op.flags |= Op::POST;
        }
    }

    fn given(&mut self, record: &Record) {
        if let What::Recv(recv) = &record.what {
            self.room(recv.room);
            if matches!(recv.via, Via::Resume | Via::Gapfill) {
                self.disturb(record.t);
            }
        } else if let What::Gap { room, .. } = record.what {
            self.room(room);
            self.gaps += 1;
            self.disturb(record.t);
        } else if let What::Reset { room } = record.what {
            let last = &mut self.room(room).last_reset;
            *last = (*last).max(Some(record.t));
            self.resets += 1;
            self.disturb(record.t);
        }
    }

    fn nack(&mut self, cid: Cid, code: &str, retry: bool) {
        let Some(op) = self.ops.find(cid) else { return };
        let op = &mut self.ops.list[op as usize];
        if !leaves_open(code) {
            op.open = op.open.saturating_sub(1);
        }
        if !retry {
            op.flags |= Op::REFUSED;
        }
    }

    fn room(&mut self, room: Room) -> &mut RoomFacts {
        let index = room.0 as usize;
        if self.rooms.len() <= index {
            self.rooms.resize_with(index + 1, RoomFacts::default);
        }
        &mut self.rooms[index]
    }

    fn disturb(&mut self, t: Nanos) {
        self.disturbed.insert(t / TENTH);
    }

    pub(super) fn first_client(&self, part: usize) -> u32 {
        self.parts.get(part).copied().unwrap_or(u32::MAX)
    }

    pub(super) fn clients_of(&self, part: usize) -> &[Client] {
        let end = self.parts.get(part + 1).map_or(self.clients.len(), |end| *end as usize);
        self.clients.get(self.first_client(part) as usize..end).unwrap_or_default()
    }

    /// Whether a client noticed any of the faults.
    pub(super) fn was_disturbed(&self) -> bool {
        self.faults.iter().any(|fault| {
            let end = fault.stop.saturating_add(AFTERMATH) / TENTH;
            self.disturbed.range(fault.start / TENTH..=end).next().is_some()
        })
    }

    /// The faults whose effects may show between these times.
    pub(super) fn faults_in(&self, since: Nanos, until: Nanos) -> impl Iterator<Item = &Fault> {
        let touches =
            move |fault: &&Fault| fault.start <= until && since <= fault.stop.saturating_add(AFTERMATH);
        self.faults.iter().filter(touches)
    }

    /// Whether an older copy of the database may have come back into this room after that time.
    pub(super) fn restored_after(&self, room: Room, t: Nanos) -> bool {
        let told = self.rooms.get(room.0 as usize).and_then(|room| room.last_reset);
        told.is_some_and(|reset| reset >= t)
            || self.faults.iter().any(|fault| fault.name == Fault::RESTORE && fault.stop >= t)
    }

    /// Whether this room's history may have more than one branch.
    pub(super) fn may_fork(&self, room: Room) -> bool {
        self.restored_after(room, 0)
    }

    /// Whether this person may have got the entry of this number at that time.
    pub(super) fn may_see(&self, room: Room, user: User, seq: u64, t: Nanos) -> bool {
        let Some(members) = self.members(room, user) else { return true };
        // The entry that removes somebody is the last that reaches them.
        let is_in = members.iter().rfind(|it| if it.on { it.seq <= seq } else { it.seq < seq });
        // Whoever comes in later may read what was before.
        let later = |it: &Member| it.on && it.seq > seq && it.began <= t;
        is_in.is_some_and(|it| it.on) || members.iter().any(later)
    }

    /// Whether this person may have written the entry of this number.
    pub(super) fn may_write(&self, room: Room, user: User, seq: u64) -> bool {
        let Some(members) = self.members(room, user) else { return true };
        members.iter().rfind(|it| it.seq < seq).is_some_and(|it| it.on)
    }

    /// A person's comings and goings by number; absent: nobody said who the members of the room are.
    fn members(&self, room: Room, user: User) -> Option<&[Member]> {
        let members = &self.rooms.get(room.0 as usize)?.members;
        if members.is_empty() { None } else { Some(members.get(&user).map_or(&[], Vec::as_slice)) }
    }
}
