//! See `checks/cursors.rs`.

#![no_main]

#[path = "../checks/cursors.rs"]
mod cursors;
#[path = "../checks/world.rs"]
mod world;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cursors::check(data));
