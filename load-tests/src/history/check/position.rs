//! I6: where one client is in one log, and what each of its connections may send next.

use crate::history::record::{Join, Nanos};
use anteroom_protocol::room::JoinMode;

/// What one connection sends of one log: rising by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    next: u64,
    /// When it was joined.
    pub(super) since: Nanos,
}

impl Lane {
    pub(super) fn new(join: &Join, t: Nanos) -> Self {
        let next = match (join.mode, join.after) {
            (JoinMode::Live | JoinMode::Resumed, Some(after)) => after + 1,
            (JoinMode::Live | JoinMode::Resumed, None) | (JoinMode::Gap | JoinMode::Reset, _) => {
                join.head + 1
            }
        };
        Self { next, since: t }
    }
}

/// What a client has of one log: a contiguous run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    first: u64,
    /// The entry it needs next; 0: it has nothing and takes any.
    pub(super) next: u64,
    /// Entries it took since it last had nothing.
    pub(super) count: u64,
    /// Which branch of the history it is on.
    pub(super) branch: u16,
    /// What the server named and has not been fetched yet.
    gap: Option<(u64, u64)>,
    /// When it had filled the last gap: until then it held back what came.
    pub(super) filled: Nanos,
    /// When it was joined before, from and until.
    pub(super) before: Option<(Nanos, Nanos)>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The client took it.
    pub(super) taken: bool,
    pub(super) problem: Option<&'static str>,
}

impl Position {
    /// A client that wants everything after this entry.
    pub(super) fn after(seq: u64) -> Self {
        Self { first: seq + 1, next: seq + 1, ..Self::default() }
    }

    /// Whether it was given this entry.
    pub(super) fn has(&self, seq: u64) -> bool {
        self.count > 0 && (self.first..self.next).contains(&seq)
    }

    /// The last entry it has.
    pub(super) fn applied(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// It dropped what it had.
    pub(super) fn drop_all(&mut self) {
        *self = Self { before: self.before, ..Self::default() };
    }

    pub(super) fn open_gap(&mut self, from: u64, to: u64) -> Option<&'static str> {
        if self.next != 0 && to >= self.next {
            self.gap = Some((from, to));
        }
        (self.next != 0 && from > self.next).then_some("skip")
    }

    /// An entry that came as a frame.
    pub(super) fn frame(&mut self, lane: Option<&mut Lane>, seq: u64) -> Step {
        let Some(lane) = lane else {
            return Step { taken: false, problem: Some("not-joined") };
        };
        if seq < lane.next {
            let problem = if self.has(seq) { "double" } else { "inversion" };
            return Step { taken: false, problem: Some(problem) };
        }
        let skipped = seq > lane.next;
        lane.next = seq + 1;
        let step = self.advance(seq);
        if skipped { Step { problem: Some("skip"), ..step } } else { step }
    }

    /// An entry of a page that fills a gap.
    pub(super) fn fill(&mut self, seq: u64, t: Nanos) -> Step {
        self.filled = t;
        self.advance(seq)
    }

    /// An entry of any other page: it is taken if it is the next, or the first.
    pub(super) fn page(&mut self, seq: u64) -> Step {
        if self.next == 0 || seq == self.next {
            self.advance(seq)
        } else {
            Step { taken: false, problem: None }
        }
    }

    fn advance(&mut self, seq: u64) -> Step {
        if self.next == 0 {
            (self.first, self.next) = (seq, seq);
        }
        if seq < self.next {
            return Step { taken: false, problem: None };
        }
        let problem = (seq > self.next).then(|| if self.gap.is_some() { "gap-not-filled" } else { "skip" });
        self.next = seq + 1;
        self.count += 1;
        self.gap = self.gap.filter(|(_, to)| *to >= self.next);
        Step { taken: true, problem }
    }
}
