//! What holds for every frame, id, instant and command there can be. What there can be is made in `strategy/`.

#[path = "../common/mod.rs"]
mod common;
mod decoder;
mod repeat;
mod round_trip;
mod strategy;
mod word;
