//! The checker. It reads a history twice, in time that grows with its length, and keeps about a hundred bytes of each command.
//!
//! 1. `facts`: what was sent and answered, who was where when, what was broken on purpose.
//! 2. `fresh`: the last readings of every log, which say what the log *is*; then `follow`: each client in turn, against that, its
//!    answers in `answer`. Every entry anybody saw goes through `entry`, which keeps it in `lineage`.
//! 3. `order`: the order in real time. `end`: what has to be there when everything is over.
//!
//! One cause gives one finding: what is lost is not also reported as a hole. What cannot be judged (a log is cut off, a room was not
//! read) is not guessed at: it makes the verdict unknown.

mod answer;
mod end;
mod entry;
mod facts;
mod findings;
mod follow;
mod fresh;
mod lag;
mod lineage;
mod order;
mod position;
mod terms;

use std::collections::HashSet;

use super::History;
use super::record::{Names, Record, Role, What};
use super::verdict::{Counts, Verdict};
use facts::Facts;
use findings::Findings;
use fresh::Reading;
use lag::Lags;
use lineage::RoomLog;

/// What the run allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// A restore may take acknowledged entries: they are listed and not held against the server.
    pub allow_epoch_loss: bool,
}

/// Judges a history.
pub fn check(history: &dyn History, options: Options) -> Verdict {
    let mut names = history.names();
    let facts = facts::gather(history, &mut names);
    let rooms = facts.rooms.len();
    let mut case = Case {
        lags: Lags::new(&facts),
        counts: Counts::default(),
        findings: Findings::default(),
        logs: std::iter::repeat_with(RoomLog::default).take(rooms).collect(),
        message: names.word("message.posted"),
        post: names.word("message.post"),
        holes: Vec::new(),
        invented: HashSet::new(),
        names,
        facts,
        options,
    };
    case.walk(history, &[Role::Reader, Role::Db]);
    case.walk(history, &[Role::Client]);
    case.check_real_time();
    case.finish()
}

/// Everything known while judging.
struct Case {
    names: Names,
    facts: Facts,
    logs: Vec<RoomLog>,
    findings: Findings,
    lags: Lags,
    counts: Counts,
    options: Options,
    /// `message.posted`, the kind of entry that never comes without a command.
    message: super::record::Word,
    /// `message.post`, the kind of command that keeps its order.
    post: super::record::Word,
    /// Numbers that a last reading lacks.
    holes: Vec<fresh::Hole>,
    /// What was told as invented: it need not be in the log as well.
    invented: HashSet<(super::record::Room, u64)>,
}

/// Whose log is being read.
enum Reader {
    Nobody,
    Client(Box<follow::Follower>),
    Last(Reading),
}

impl Case {
    /// Reads the logs of these roles again.
    fn walk(&mut self, history: &dyn History, roles: &[Role]) {
        // Every name is known by now: reading again adds none.
        let mut names = self.names.clone();
        for part in 0..history.parts() {
            let mut next = self.facts.first_client(part);
            let wanted = self.facts.clients_of(part).iter().any(|client| roles.contains(&client.role));
            if !wanted {
                continue;
            }
            let mut reader = Reader::Nobody;
            // Damage was noted in the first reading.
            let _ = history.visit(part, &mut names, &mut |record| {
                if let What::Start { .. } = record.what {
                    self.leave(std::mem::replace(&mut reader, Reader::Nobody));
                    reader = self.begin(next, roles);
                    next += 1;
                }
                self.take(&mut reader, record);
            });
            self.leave(reader);
        }
    }

    fn begin(&self, who: u32, roles: &[Role]) -> Reader {
        let Some(client) = self.facts.clients.get(who as usize) else { return Reader::Nobody };
        match client.role {
            role if !roles.contains(&role) => Reader::Nobody,
            Role::Client => Reader::Client(Box::new(follow::Follower::new(who, client.user))),
            Role::Reader | Role::Db => Reader::Last(Reading::new(who, client.role)),
        }
    }

    fn take(&mut self, reader: &mut Reader, record: &Record) {
        match reader {
            Reader::Nobody => {}
            Reader::Client(follower) => follower.take(self, record),
            Reader::Last(reading) => reading.take(self, record),
        }
    }

    fn leave(&mut self, reader: Reader) {
        match reader {
            Reader::Nobody | Reader::Last(_) => {}
            Reader::Client(mut follower) => follower.leave(self),
        }
    }
}
