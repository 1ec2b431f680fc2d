//! Where the vocabulary of the rules meets that of the wire: what a client is told, and in which words.

pub mod event;
pub mod to_wire;
pub mod transcript;
