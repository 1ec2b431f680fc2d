//! The wire of Anteroom, without a runtime, a database or a rule of the domain.
//!
//! Here live the frames ([`client`], [`server`]), the commands ([`command`]) and every HTTP route ([`route`]), the entries of a log
//! and their hash chain ([`entry`], [`log`]), and the tables a client must know: [`error`], [`close`], [`limits`]. The prose is
//! `README.md` beside this crate; one example of every frame is in `golden/`. [`documents`] makes the published documents of all this:
//! `openapi.json`, `asyncapi.json` and `schema/`.
//!
//! What never lives here: sockets, SQL, and the decision whether a command is allowed.

pub mod candidacy;
pub mod client;
pub mod close;
pub mod command;
pub mod contract;
pub mod documents;
pub mod entry;
pub mod error;
pub mod event;
pub mod fee;
pub mod guard;
pub mod id;
pub mod invitation;
pub mod job;
pub mod ledger;
pub mod limits;
pub mod log;
pub mod marker;
pub mod member;
pub mod message;
pub mod notice;
pub mod offer;
pub mod proposal;
pub mod push;
pub mod report;
pub mod room;
pub mod route;
pub mod search;
pub mod server;
pub mod signature;
pub mod terms;
pub mod time;
pub mod transcript;
pub mod user;
pub mod webhook;

/// The WebSocket subprotocol this crate describes. A form that old clients could not read gets another name.
pub const SUBPROTOCOL: &str = "anteroom.v1.json";
