//! Lines that are missing, doubled or in another place are found where they are.

use anteroom_protocol::log::ChainError;
use anteroom_protocol::transcript::{Audience, Cause, Fault, Report, verify};

use crate::room::{large, small, trusted};
use crate::steps::Steps;

fn files() -> [Steps; 2] {
    [small(), large()].map(|room| Steps::new(room.transcript(Audience::Freelancer)))
}

/// What is said when another entry stands where this one belongs.
fn number(expected: usize, found: usize) -> Cause {
    Cause::Chain(ChainError::Number { expected: expected as u64, found: found as u64 })
}

fn entries(said: usize, found: usize) -> Cause {
    Cause::FooterEntries { said: said as u64, found: found as u64 }
}

/// Lines are counted from 0, as entries are when the header is line 0.
fn assert_found(found: &Result<Report, Fault>, line: usize, cause: Cause) {
    assert_eq!(*found, Err(Fault { line: line as u64 + 1, cause }));
}

#[test]
fn the_removal_of_any_line_is_found() {
    for file in files() {
        let last = file.lines.len() - 1;
        for line in 0..=last {
            let cause = match line {
                0 => Cause::NoHeader,
                line if line == last => Cause::NoFooter,
                line if line == last - 1 => entries(line, line - 1),
                line => number(line, line + 1),
            };
            assert_found(&file.verify(line, &[], line + 1), line, cause);
        }
    }
}

#[test]
fn the_swap_of_any_two_neighbours_is_found() {
    for file in files() {
        let last = file.lines.len() - 1;
        for line in 0..last {
            let swapped = [file.line(line + 1), file.line(line)].concat();
            let cause = match line {
                0 => Cause::NoHeader,
                line if line == last - 1 => entries(line, line - 1),
                line => number(line, line + 1),
            };
            assert_found(&file.verify(line, &swapped, line + 2), line, cause);
        }
    }
}

#[test]
fn the_repeat_of_any_line_is_found() {
    for file in files() {
        let last = file.lines.len() - 1;
        for line in 0..=last {
            let cause = match line {
                0 => Cause::SecondHeader,
                line if line == last => Cause::BehindFooter,
                line => number(line + 1, line),
            };
            assert_found(&file.verify(line, &file.line(line).repeat(2), line + 1), line + 1, cause);
        }
    }
}

#[test]
fn a_file_that_was_cut_off_behind_any_line_is_found() {
    for file in files() {
        for line in 0..file.lines.len() {
            let cause = if line == 0 { Cause::NoHeader } else { Cause::NoFooter };
            assert_found(&file.verify(line, &[], file.lines.len()), line, cause);
        }
    }
}

#[test]
fn a_file_that_was_cut_off_in_the_middle_of_any_line_is_found() {
    let [file, _] = files();
    for line in 0..file.lines.len() {
        for bytes in 1..file.line(line).len() {
            let cut = file.verify(line, &file.line(line)[..bytes], file.lines.len());
            assert_found(&cut, line, Cause::Unended);
        }
    }
}

#[test]
fn nothing_stands_behind_the_footer() {
    let whole = small().transcript(Audience::Client);
    for more in ["\n", " ", "{}\n", "\0", "{\"type\":\"entry\"}\n"] {
        let bytes = [&whole, more.as_bytes()].concat();
        assert_found(&verify(&bytes[..], trusted()), 14, Cause::BehindFooter);
    }
}

#[test]
fn a_line_that_is_no_line_of_a_transcript_is_named() {
    let [file, _] = files();
    let broken: [&[u8]; 8] = [
        b"\n",
        b"[]\n",
        b"{}\n",
        b" {\"type\":\"entry\"}\n",
        b"{\"type\":\"entry\"}\r\n",
        b"{\"type\":\"page\"}\n",
        b"{\"type\":7}\n",
        b"{\"type\":\"entry\"}\n",
    ];
    for bytes in broken {
        let fault = file.verify(4, bytes, 4).expect_err("no line");
        assert!(matches!(fault, Fault { line: 5, cause: Cause::Form(_) }), "{fault}");
    }
    for spaced in [
        [b" ", file.line(4)].concat(),
        file.line(4).trim_ascii_end().iter().chain(b"\r\n").copied().collect(),
    ] {
        let fault = file.verify(4, &spaced, 5).expect_err("a space around the object");
        assert!(matches!(fault, Fault { line: 5, cause: Cause::Form(_) }), "{fault}");
    }
    assert_found(&file.verify(4, b"{\"\xff\":1}\n", 4), 4, Cause::Utf8);
    assert_found(&file.verify(0, &[], file.lines.len()), 0, Cause::NoHeader);
}
