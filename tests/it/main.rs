//! Black-box tests: the whole server, reached over its wire.

mod access;
mod candidacy;
mod cli;
mod contract;
mod crash;
mod disk;
mod handshake;
mod health;
mod idempotency;
mod invitation;
mod marketplace;
mod message;
mod negotiation;
mod problem;
mod proposal;
mod race;
mod resume;
mod slow_reader;
mod socket;
mod standing;
mod store;
mod support;
