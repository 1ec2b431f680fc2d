//! The rules, pure: `(state, command, actor, now, policy) -> events | refusal`.
//!
//! No async, no I/O, no clock and no randomness live here: the time and fresh ids come in as arguments. The data types of the wire
//! (ids, terms, the data of entries) serve as vocabulary; frames never do. What is written where is the store's business.

pub mod actor;
pub mod candidacy;
pub mod contract;
pub mod fee;
pub mod guard;
pub mod invitation;
pub mod job;
pub mod ledger;
pub mod log;
pub mod member;
pub mod message;
pub mod offer;
pub mod policy;
pub mod proposal;
pub mod push;
pub mod refusal;
pub mod report;
pub mod room;
pub mod terms;
pub mod text;
pub mod timer;
pub mod user;
pub mod webhook;
