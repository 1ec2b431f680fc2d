//! Texts through the contact guard.
//!
//! An input is a text. It is read as it is, and again and again behind itself until it is as long as no text may be: what takes more than
//! linear time for that does not end before the fuzzer's patience.

use anteroom::domain::guard::{examine, weigh};

/// Longer than any text that is read (`limits::BODY_BYTES`), so that more than linear time shows.
const LONG: usize = 32 * 1024;

/// Places are in the text, in order and apart, cut no character in two, and are among what was weighed.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    places(&text);
    if !text.is_empty() {
        places(&text.repeat(LONG.div_ceil(text.len())));
    }
}

fn places(text: &str) {
    let findings = examine(text);
    let mut last = 0;
    for finding in &findings {
        assert!(finding.range.start >= last && finding.range.end > finding.range.start, "{finding:?}");
        assert!(text.get(finding.range.clone()).is_some(), "{finding:?}");
        last = finding.range.end;
    }
    let weighed = weigh(text);
    assert!(findings.is_empty() || !weighed.is_empty());
}
