//! The bare floor: the least that could be called the same, to compare the server's cost with.
//!
//! It accepts WebSockets, takes a message, writes it into PostgreSQL with whatever else has come meanwhile (one plain insert, one commit),
//! and only then acknowledges it, gives it to the sockets of its room, and publishes it to the other floors, pipelined. With the libraries of
//! the server and the same number of connections to either. It knows nobody, checks nothing, numbers nothing by room, compares nothing, hashes
//! nothing, does not notice a repeat or a lost publication, and keeps no order between nodes. What the server costs more is what that costs.

pub mod drive;
pub mod process;
mod server;
mod sockets;

pub use server::{Options, serve};
