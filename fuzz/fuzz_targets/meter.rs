//! See `checks/meter.rs`.

#![no_main]

#[path = "../checks/meter.rs"]
mod meter;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::check(data));
