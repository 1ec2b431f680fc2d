//! Anteroom: real-time message rooms for the moment between "a client likes a freelancer" and "there is a contract".
//!
//! # The law
//!
//! 1. **SQL is the truth, the bus is a hint, the hub is a cache of who listens.** Any publication may be lost, late, doubled or forged,
//!    and no entry is lost, doubled or out of order for any reader: every reader goes by the numbers of the log.
//! 2. **Acknowledged means committed.** Never before the commit returned. An unknown outcome is said to be unknown, never failed.
//! 3. **One log per room**, numbered 1, 2, 3 … without holes by the database, so that commit order is number order. The log is history,
//!    outbox, resume cursor and evidence at once. A person's inbox is a log with one reader: the same mechanism, not a second one.
//! 4. **Any node serves any client.** Nothing a client needs to resume lives in a node's memory.
//! 5. **The domain is pure**: no async, no I/O, no clock, no randomness; those come in as arguments. What allows a write is checked in
//!    the transaction that makes it.
//! 6. **Everything is bounded**: queues in bytes, frames, rooms, pages, batches, handshakes and resumes in flight, sockets of an address
//!    and of a person, and how fast a person may go. What happens at each bound has a name, beside the bound: [`config::Limits`] and
//!    [`anteroom_protocol::limits`].
//! 7. **What a freelancer takes home never leaves the server towards a client.** Entries are encoded once per audience
//!    ([`wire::to_wire`]), never once per reader.
//!
//! # The map
//!
//! ```text
//! ws  http            the two doors: frames and requests become commands, commands' outcomes become answers
//!   \  |
//!    app              one function per command; the writer: one task, the way to the truth
//!   / | \
//! domain store hub    the pure rules; the port to the database; who listens here
//!        |     |
//!  sqlite postgres bus   its adapters; the port to the other nodes, over Redis
//! ```
//!
//! One noun has one file name in every layer: `git ls-files '*invitation*'` prints the whole of invitations. Who may import whom is a
//! test: `tests/house.rs`.
//!
//! # The walk of one message
//!
//! 1. `ws::connection` reads a text frame; [`anteroom_protocol::client::decode`] makes it a command with its `client_id`.
//! 2. [`app::dispatch`] has one arm for it; [`app::message::post`] parses the body and hands [`app::writer`] a decision to be made.
//! 3. The writer's task takes whatever queued while the last commit ran, across rooms, as one batch to [`store::Store::commit`].
//! 4. The adapter looks up repeats, has each write decided on its log's head by [`domain::message`], seals it into an entry with number
//!    and hash ([`domain::log::seal`]), writes all of them with one statement per table, compares the heads, and commits.
//! 5. The writer offers the entries to the [`hub`], which queues them in the [`hub::outbox`] of every socket of every reader, and
//!    answers the author.
//! 6. Each reader's connection takes what waits, sends what is next by its cursor, and flushes once. What is missing it owes itself, and
//!    reads from the log page by page.

pub mod app;
pub mod bus;
pub mod clock;
pub mod config;
pub mod domain;
pub mod drain;
pub mod failpoint;
pub mod http;
pub mod hub;
pub mod issuers;
pub mod jwks;
pub mod logging;
pub mod outbound;
pub mod peer;
pub mod server;
pub mod start;
pub mod store;
pub mod telemetry;
pub mod web;
pub mod wire;
pub mod ws;
