//! How much came within a while, and what was too much.

use std::time::Duration;

use anteroom_protocol::close::CloseCode;
use tokio::time::Instant;

use super::frames::Head;

/// How long is counted at a time.
pub(super) const WINDOW: Duration = Duration::from_secs(10);
/// Pings, pongs and closes within the window.
const CONTROL_FRAMES: u32 = 50;
/// Pieces of messages without a byte in them, within the window.
const EMPTY_PIECES: u32 = 100;

/// What was read within the window.
#[derive(Debug)]
pub(super) struct Counts {
    since: Instant,
    /// What was counted came within this time. A client whose socket was not read for a while, because it was written all that time, is not
    /// too fast for what it said meanwhile. (One that was merely quiet has the same credit: it is not known when bytes came, only that
    /// they came after there was nothing left to read.)
    came_within: Duration,
    /// When there was last nothing left to read.
    pub(super) nothing_left: Instant,
    limit: u32,
    frames: u32,
    control: u32,
    empty: u32,
}

impl Counts {
    /// `limit`: how many frames may come within the window.
    pub(super) fn new(limit: u32) -> Self {
        let now = Instant::now();
        Self { since: now, came_within: WINDOW, nothing_left: now, limit, frames: 0, control: 0, empty: 0 }
    }

    /// Begins a new window when this one is over.
    pub(super) fn turn(&mut self, now: Instant) {
        if now.duration_since(self.since) < WINDOW {
            return;
        }
        // What was unread is given once: while there is always something left to read, the counts go on with it.
        if self.nothing_left > self.since {
            *self = Self { frames: 0, control: 0, empty: 0, ..*self };
        }
        (self.since, self.came_within) = (now, WINDOW + now.duration_since(self.nothing_left));
    }

    /// Counts a frame.
    pub(super) fn add(&mut self, head: Head) {
        self.frames = self.frames.saturating_add(1);
        self.control = self.control.saturating_add(head.is_control().into());
        self.empty = self.empty.saturating_add(head.is_empty_piece().into());
    }

    /// How the socket is to be closed, when it was too much.
    pub(super) fn verdict(&self) -> Option<CloseCode> {
        if self.is_more(self.empty, EMPTY_PIECES) {
            Some(CloseCode::Malformed)
        } else if self.is_more(self.control, CONTROL_FRAMES) || self.is_more(self.frames, self.limit) {
            Some(CloseCode::RateLimited)
        } else {
            None
        }
    }

    /// Whether this is more than so many in each window, over the time in which it came.
    fn is_more(&self, count: u32, limit: u32) -> bool {
        u128::from(count) * WINDOW.as_nanos() > u128::from(limit) * self.came_within.as_nanos()
    }
}
