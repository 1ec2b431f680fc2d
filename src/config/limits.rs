//! The bounds an operator sets, and what happens at each.

use config::ConfigError;
use serde::{Deserialize, Serialize};

/// Bounds. What happens at each is said with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// TCP connections at a time; at the bound, new ones wait to be accepted.
    pub connections: usize,
    /// Sockets that have not said `hello` yet; at the bound, an upgrade is answered 503.
    pub handshakes: usize,
    /// Sockets of one address (of one network of 2^64, in IPv6); at the bound, an upgrade is answered 429.
    pub sockets_per_address: usize,
    /// Of those, sockets that have not said `hello` yet; at the bound, an upgrade is answered 429.
    pub greeting_per_address: usize,
    /// Hellos and joins that read the database at a time; at the bound, they wait.
    pub resumes: usize,
    /// Transcripts that are taken at a time, two of one person at most; at the bound, one more is answered `busy`.
    pub transcripts: usize,
    /// Sockets of one person; one more closes the one that has been silent for longest.
    pub sockets_per_user: usize,
    /// Frames that one socket may send within 10 s; one more closes it with 4029.
    pub socket_frames: usize,
    /// Commands of one person in a second, over both doors together; above, a command is answered `rate_limited`. Systems and staff are
    /// not limited.
    pub commands_per_second: u32,
    /// Commands of one person at once, after a pause.
    pub commands_burst: u32,
    /// Reads of one person in a second: over HTTP, and what a socket asks of the database that is no command (joins, markers, `refresh`, a
    /// `ping` with `heads`). Above, they are refused `rate_limited`.
    pub requests_per_second: u32,
    /// The same at once, after a pause.
    pub requests_burst: u32,
    /// Bytes that wait for one socket; at the bound, the socket reads the rest from the log.
    pub outbox_bytes: usize,
    /// Commands that wait for the writer; at the bound, a command is answered `busy`.
    pub writer_queue: usize,
    /// Commands in one commit.
    pub commit_batch: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshakes: 256,
            sockets_per_address: 64,
            greeting_per_address: 16,
            resumes: 200,
            transcripts: 32,
            sockets_per_user: 8,
            socket_frames: 5_000,
            commands_per_second: 20,
            commands_burst: 40,
            requests_per_second: 50,
            requests_burst: 400,
            outbox_bytes: 256 * 1024,
            writer_queue: 4_096,
            commit_batch: 256,
        }
    }
}

impl Limits {
    /// Refuses bounds nothing could work within. A batch must fit into what the store remembers of its logs.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let bounds = [
            ("connections", self.connections, 1, 1_000_000),
            ("handshakes", self.handshakes, 1, 1_000_000),
            ("sockets_per_address", self.sockets_per_address, 1, 1_000_000),
            ("greeting_per_address", self.greeting_per_address, 1, 1_000_000),
            ("resumes", self.resumes, 1, 1_000_000),
            ("transcripts", self.transcripts, 1, 1_000_000),
            ("sockets_per_user", self.sockets_per_user, 1, 1_000_000),
            ("socket_frames", self.socket_frames, 100, 1_000_000),
            ("commands_per_second", size(self.commands_per_second), 1, 1_000_000),
            ("commands_burst", size(self.commands_burst), 1, 1_000_000),
            ("requests_per_second", size(self.requests_per_second), 1, 1_000_000),
            ("requests_burst", size(self.requests_burst), 1, 1_000_000),
            ("outbox_bytes", self.outbox_bytes, 32 * 1024, 64 * 1024 * 1024),
            ("writer_queue", self.writer_queue, 1, 1_000_000),
            ("commit_batch", self.commit_batch, 1, 4_096),
        ];
        for (name, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::Message(format!(
                    "limits.{name} is {value}: must be {least} to {most}"
                )));
            }
        }
        Ok(())
    }
}
