//! Transcripts: what was written verifies, in every form it can have, and nothing can be changed in it without being found and named.
//! The rooms they are of are made in `room.rs`.

mod bits;
mod by_hand;
mod forged;
mod frozen;
mod lines;
mod random;
mod room;
mod steps;
mod whole;
