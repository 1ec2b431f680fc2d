//! No bit of a transcript can be changed without being found.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anteroom_protocol::transcript::{Audience, Cause, Fault, verify};

use crate::room::{large, small, trusted};
use crate::steps::Steps;

#[test]
fn a_change_of_any_bit_of_a_small_transcript_is_found() {
    let steps = Steps::new(small().transcript(Audience::Freelancer));
    assert_eq!(flip(&steps, |_| 0..8), steps.bytes.len() * 8);
}

/// One bit of every fifth byte, and with `ANTEROOM_EVERY_BIT=1` every bit there is, which takes minutes.
#[test]
fn a_change_of_a_bit_of_a_transcript_of_a_thousand_entries_is_found() {
    let steps = Steps::new(large().transcript(Audience::Freelancer));
    if std::env::var_os("ANTEROOM_EVERY_BIT").is_some() {
        assert_eq!(flip(&steps, |_| 0..8), steps.bytes.len() * 8);
    } else {
        let flipped = flip(&steps, |byte| {
            let bit = chance(byte);
            if byte % 5 == 0 { bit..bit + 1 } else { 0..0 }
        });
        assert_eq!(flipped, steps.bytes.len().div_ceil(5));
    }
}

/// The whole file, from its first byte to its last: one bit of each of its lines, in a place that chance chooses.
#[test]
fn a_changed_bit_is_found_when_the_file_is_verified_from_its_beginning() {
    let steps = Steps::new(small().transcript(Audience::Client));
    for (line, range) in steps.lines.iter().enumerate() {
        for round in 0..8 {
            let byte = range.start + chance(line * 8 + round + 1_000) * range.len() / 8;
            let mut bytes = steps.bytes.clone();
            bytes[byte] ^= 1 << round;
            let whole = verify(&bytes[..], trusted());
            assert!(whole.is_err(), "bit {round} of byte {byte}");
            let changed = changed(&steps, line, byte - range.start, round);
            assert_eq!(whole, steps.verify(line, &changed, line + 1));
        }
    }
}

/// Changes these bits of each byte, one at a time, and sees each change found: in its line, or by the digest in the footer.
/// Returns how many there were.
fn flip(steps: &Steps, bits: impl Fn(usize) -> std::ops::Range<usize> + Sync) -> usize {
    let (next, flipped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        loop {
            let line = next.fetch_add(1, Ordering::Relaxed);
            let Some(range) = steps.lines.get(line) else { break };
            for byte in range.clone() {
                for bit in bits(byte) {
                    let changed = changed(steps, line, byte - range.start, bit);
                    assert_is_found(steps, line, &changed);
                    flipped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    flipped.into_inner()
}

fn changed(steps: &Steps, line: usize, byte: usize, bit: usize) -> Vec<u8> {
    let mut changed = steps.line(line).to_vec();
    changed[byte] ^= 1 << bit;
    changed
}

fn assert_is_found(steps: &Steps, line: usize, changed: &[u8]) {
    let shown = || String::from_utf8_lossy(changed).into_owned();
    let Err(Fault { line: found, cause }) = steps.verify(line, changed, line + 1) else {
        panic!("line {} can be {}", line + 1, shown())
    };
    let in_its_line = found == line as u64 + 1;
    let by_the_digest = found == steps.lines.len() as u64 && cause == Cause::FooterDigest;
    let of_the_case = line == 0 && names_another_case(&cause);
    assert!(in_its_line || by_the_digest || of_the_case, "line {found}, {cause}: {}", shown());
}

/// What is wrong when the header was changed, where an entry names the same thing.
fn names_another_case(cause: &Cause) -> bool {
    matches!(cause, Cause::OtherRoom(1) | Cause::SealParties)
}

/// A number below eight, always the same for the same place.
fn chance(place: usize) -> usize {
    (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59) % 8
}
