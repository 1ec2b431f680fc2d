//! Places to look on. Whoever sets an observer is told of every frame and every HTTP exchange of every client in this process: tests
//! hold them against the published documents. A [`Witness`] is told of one socket: histories are written so.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Something that crossed the wire.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// A text frame of a client.
    Sent {
        /// The connection's number in this process.
        connection: u64,
        /// The frame.
        text: &'a str,
    },
    /// A text frame of the server.
    Received {
        /// The connection's number in this process.
        connection: u64,
        /// The frame.
        text: &'a str,
    },
    /// A connection ended: by this code of a close frame, or without one (1006). A client that only lets go of its socket is told nothing.
    Ended {
        /// The connection's number in this process.
        connection: u64,
        /// The code.
        code: u16,
    },
    /// A request and its answer.
    Exchanged(Exchange<'a>),
}

/// A request and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The request's body.
    pub body: &'a [u8],
    /// The status of the answer.
    pub status: u16,
    /// The `content-type` of the answer, empty when there is none.
    pub content_type: &'a str,
    /// The body of the answer.
    pub text: &'a str,
}

static OBSERVER: OnceLock<fn(Seen<'_>)> = OnceLock::new();
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// Has this function told of everything from now on. The first one stays. A panic in it ends the client that it is told of.
pub fn observe(observer: fn(Seen<'_>)) {
    OBSERVER.get_or_init(|| observer);
}

/// Tells the observer. The clients here do it themselves; other ones may.
pub fn tell(seen: Seen<'_>) {
    if let Some(observer) = OBSERVER.get() {
        observer(seen);
    }
}

/// Somebody who is told of everything on one socket, and dropped with it.
#[derive(Clone)]
pub struct Witness(Arc<dyn Fn(Seen<'_>) + Send + Sync>);

impl Witness {
    /// Has this function told.
    pub fn new(see: impl Fn(Seen<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

/// One connection and those who look on.
#[derive(Debug, Clone)]
pub(super) struct Line {
    connection: u64,
    witness: Option<Witness>,
}

impl Line {
    /// A new connection.
    pub(super) fn new(witness: Option<Witness>) -> Self {
        Self { connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed), witness }
    }

    pub(super) fn sent(&self, text: &str) {
        self.tell(Seen::Sent { connection: self.connection, text });
    }

    pub(super) fn received(&self, text: &str) {
        self.tell(Seen::Received { connection: self.connection, text });
    }

    pub(super) fn ended(&self, code: u16) {
        self.tell(Seen::Ended { connection: self.connection, code });
    }

    fn tell(&self, seen: Seen<'_>) {
        if let Some(Witness(see)) = &self.witness {
            see(seen);
        }
        tell(seen);
    }
}
