//! The frozen transcript in `golden/`: it was written once, and has to verify for ever.

use anteroom_protocol::log::Hash;
use anteroom_protocol::transcript::{Audience, Trusted, verify};

use crate::room::{small, trusted};

const FROZEN: &str = include_str!("../../golden/transcript/room.jsonl");

/// As somebody has written them down who keeps the file.
const FINGERPRINTS: [&str; 2] = [
    "9a92d2b54a9a5402de3e65a07a5cb12a8dc6758bd8e8c2ec459563d6b2c081c4",
    "b600306cfa76723fdec395e53a9b3d9fdb78b1e2d7a23c32fcbcd2dc6d0c4092",
];

#[test]
fn the_frozen_transcript_verifies_by_the_fingerprints_alone() {
    let written_down = FINGERPRINTS.map(|hex| hex.parse::<Hash>().expect("a hash"));
    let by_fingerprint = written_down.into_iter().fold(Trusted::default(), Trusted::fingerprint);
    let report = verify(FROZEN.as_bytes(), by_fingerprint).expect("a transcript");
    assert_eq!((report.entries, report.redacted, report.seals.len()), (12, 1, 1));
    assert_eq!(report.key, written_down[0]);
    assert_eq!(verify(FROZEN.as_bytes(), trusted()), Ok(report));
}

#[test]
fn the_writer_still_makes_the_frozen_transcript_byte_for_byte() {
    let today = String::from_utf8(small().transcript(Audience::Freelancer)).expect("UTF-8");
    for (line, (today, frozen)) in today.lines().zip(FROZEN.lines()).enumerate() {
        assert_eq!(today, frozen, "line {}", line + 1);
    }
    assert!(today == FROZEN, "the lines are the same and the files are not");
}
