//! See `checks/queries.rs`.

#![no_main]

#[path = "../checks/queries.rs"]
mod queries;
#[path = "../checks/world.rs"]
mod world;

libfuzzer_sys::fuzz_target!(|data: &[u8]| queries::check(data));
