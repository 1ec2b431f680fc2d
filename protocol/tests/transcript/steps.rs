//! A transcript that was verified once, and is verified again from any of its lines on: as [`verify`] would do it over the whole file,
//! without taking the same lines a million times.

use std::io::Read as _;
use std::ops::Range;

use anteroom_protocol::transcript::{Fault, Report, Verifier, verify};

use crate::room::trusted;

pub(crate) struct Steps {
    pub(crate) bytes: Vec<u8>,
    /// Where each line stands, its end included.
    pub(crate) lines: Vec<Range<usize>>,
    /// The verifier before each line.
    before: Vec<Verifier>,
}

impl Steps {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let lines = lines(&bytes);
        let mut verifier = Verifier::new(trusted());
        let before = lines
            .iter()
            .map(|line| {
                let before = verifier.clone();
                assert_eq!(verifier.line(&bytes[line.clone()]), Ok(true));
                before
            })
            .collect();
        assert!(verifier.rest(&[][..]).is_ok(), "what is changed was whole before");
        Self { bytes, lines, before }
    }

    pub(crate) fn line(&self, at: usize) -> &[u8] {
        &self.bytes[self.lines[at].clone()]
    }

    /// What is said of the file whose lines before this one are the same, and which goes on with these bytes and from `then` on.
    pub(crate) fn verify(&self, line: usize, bytes: &[u8], then: usize) -> Result<Report, Fault> {
        let rest = self.lines.get(then).map_or(self.bytes.len(), |line| line.start);
        self.before[line].clone().rest(bytes.chain(&self.bytes[rest..]))
    }
}

fn lines(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| {
            let range = start..start + line.len();
            start = range.end;
            range
        })
        .collect()
}

#[test]
fn a_verifier_goes_on_from_every_line_to_what_verify_says() {
    let steps = Steps::new(crate::room::small().transcript(crate::room::AUDIENCES[1]));
    let whole = verify(&steps.bytes[..], trusted());
    assert!(whole.is_ok());
    for line in 0..steps.lines.len() {
        assert_eq!(steps.verify(line, &[], line), whole, "line {}", line + 1);
        let cut = steps.verify(line, &[], steps.lines.len());
        assert_eq!(cut, verify(&steps.bytes[..steps.lines[line].start], trusted()), "line {}", line + 1);
    }
}
