//! The socket door: the upgrade, the first word, and the one loop that every connection lives in.

mod connection;
pub mod crowd;
mod greeting;
pub mod meter;
pub mod origin;
mod session;
pub mod transport;
pub mod upgrade;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::task::TaskTracker;

use self::crowd::{Crowd, Newcomer, Visit};
use self::origin::Origins;
use crate::app::App;
use crate::drain::Drain;

/// How long a client has to say `hello`.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the server pings.
pub const HEARTBEAT: Duration = Duration::from_secs(25);
/// How long a client may be silent.
pub const SILENCE: Duration = Duration::from_secs(60);
/// How long one write to a socket may stall before the reader counts as too slow.
pub const WRITE_STALL: Duration = Duration::from_secs(10);
/// How long the server waits for the other side to close, after it closed.
pub const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// One of the TCP connections the server takes at a time. Whoever lives on one keeps this; the last to go gives it back.
#[derive(Debug, Clone)]
pub struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Place {
    /// Around its permit.
    pub fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Arc::new(permit) }
    }
}

/// What a socket holds for as long as it lives.
struct Lease {
    /// Where it comes from.
    address: IpAddr,
    _place: Place,
    _visit: Visit,
}

/// What a socket holds until it has said hello.
struct Unproven {
    _permit: OwnedSemaphorePermit,
    _newcomer: Newcomer,
}

/// What every connection works with.
pub struct Door {
    /// The use cases.
    pub app: Arc<App>,
    /// Permits for sockets that have not said `hello`.
    pub handshakes: Arc<Semaphore>,
    /// Sockets by address.
    pub crowd: Arc<Crowd>,
    /// Pages that may open sockets.
    pub origins: Origins,
    /// Frames that one socket may send within ten seconds.
    pub socket_frames: u32,
    /// Permits for reading what a socket missed. One is held while the database is read, never while a socket is written.
    pub resumes: Semaphore,
    /// Whether the server goes down.
    pub drain: Arc<Drain>,
    /// Every socket's task, so that going down can count them and wait for them.
    pub tasks: TaskTracker,
}

impl Door {
    /// Waits for a turn to read. The readers before are bounded in time, for none of them waits for a client.
    async fn resume_permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; were it, reading without a turn would be no harm.
        self.resumes.acquire().await.ok()
    }
}
