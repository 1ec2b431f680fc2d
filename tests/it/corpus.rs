//! What fuzzing has found worth keeping: every input of `fuzz/corpus/` once more, without a fuzzer. Frames are replayed beside the protocol.

#[path = "../../fuzz/checks/cursors.rs"]
mod cursors;
#[path = "../../fuzz/checks/guard.rs"]
mod guard;
#[path = "../../fuzz/checks/meter.rs"]
mod meter;
#[path = "../../fuzz/checks/queries.rs"]
mod queries;
#[path = "../../fuzz/checks/tokens.rs"]
mod tokens;
#[path = "../../fuzz/checks/world.rs"]
mod world;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[test]
fn every_cursor_of_the_corpus_gets_the_answer_its_reader_needs() {
    replay("cursors", cursors::check);
}

#[test]
fn no_token_of_the_corpus_is_believed_that_its_issuer_did_not_sign() {
    replay("tokens", tokens::check);
}

#[test]
fn every_query_string_of_the_corpus_has_an_answer() {
    replay("queries", queries::check);
}

#[test]
fn the_meter_sees_every_frame_of_the_corpus_however_it_is_cut() {
    replay("meter", meter::check);
}

#[test]
fn every_place_that_the_guard_finds_in_the_corpus_is_a_place_of_the_text() {
    replay("guard", guard::check);
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).expect("the corpus is there");
    let paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    assert!(!paths.is_empty(), "no inputs");
    for path in paths {
        let data = std::fs::read(&path).expect("readable");
        assert!(catch_unwind(|| check(&data)).is_ok(), "{}", path.display());
    }
}
