//! The client of the wire: [`Socket`] for `/v1/ws`, [`Http`] for the routes.
//!
//! Both give typed errors, neither retries, and nothing here decides what a right answer is.

mod answer;
mod error;
mod halves;
mod http;
pub mod observer;
mod socket;

pub use answer::{Case, Posted};
pub(crate) use error::NO_CLOSE_FRAME;
pub use error::{HttpError, Problem, SocketError};
pub use halves::{SocketReceiver, SocketSender};
pub use http::{Http, HttpAnswer, path_segment};
pub use socket::{Socket, SocketOptions};

use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::room::Cursor;

/// A new `client_id`: one per intention, kept for its repeats.
pub fn new_client_id() -> ClientId {
    ClientId(uuid::Uuid::new_v4())
}

/// The cursor of a reader who wants only what comes from now on.
pub fn at_head(room: RoomRef) -> Cursor {
    Cursor { room, after: None, hash: None }
}

/// The cursor of a reader who has nothing yet.
pub fn from_start(room: RoomRef) -> Cursor {
    Cursor { room, after: Some(0), hash: None }
}

/// The cursor of a reader whose last entry was this one.
pub fn after(entry: &EntryFrame) -> Cursor {
    Cursor { room: entry.room, after: Some(entry.seq), hash: Some(entry.hash) }
}
