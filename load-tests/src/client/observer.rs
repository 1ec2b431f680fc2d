//! A place to look on: whoever sets an observer is told of every frame and every HTTP exchange of every client in this process. Tests
//! hold them against the published documents. Without an observer, nothing is done.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// A number for a new connection.
pub(super) fn connection() -> u64 {
    CONNECTIONS.fetch_add(1, Ordering::Relaxed)
}
