//! What fuzzing has found worth keeping: every frame of `fuzz/corpus/` once more, without a fuzzer.

#[path = "../../fuzz/checks/frames.rs"]
mod frames;

use std::panic::catch_unwind;
use std::path::PathBuf;

#[test]
fn every_frame_of_the_corpus_keeps_what_is_promised_of_frames() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/frames");
    let files = std::fs::read_dir(folder).expect("the corpus is there");
    let paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    assert!(paths.len() > 50, "{paths:?}");
    for path in paths {
        let data = std::fs::read(&path).expect("readable");
        assert!(catch_unwind(|| frames::check(&data)).is_ok(), "{}", path.display());
    }
}
