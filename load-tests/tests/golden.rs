//! The checker against histories that were written by hand. Each file in `golden/` is named after what is wrong with it: the number of
//! the one invariant it breaks, `valid`, or `unknown`. Its first line says in words what was planted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anteroom_load_tests::history::check::{Options, check};
use anteroom_load_tests::history::files::{Files, keep};
use anteroom_load_tests::history::verdict::{Invariant, Validity, Verdict};
use anteroom_load_tests::history::{History as _, Logs};

/// Files with this in their name are judged as a run in which a restore may take what was acknowledged.
const EPOCH_LOSS: &str = "epoch-loss";

#[test]
fn every_golden_history_is_judged_as_its_name_says() {
    let mut wrong = Vec::new();
    for path in golden() {
        let (name, verdict) = (stem(&path), judge(&path));
        let expected = name.split('-').next().unwrap_or_default();
        let found: Vec<&str> = verdict.broken.keys().copied().collect();
        let as_said = match expected {
            "valid" => verdict.valid == Validity::Valid,
            "unknown" => verdict.valid == Validity::Unknown && verdict.reasons.len() == 1,
            invariant => {
                verdict.valid == Validity::Invalid && found == [invariant] && verdict.reasons.is_empty()
            }
        };
        if !as_said {
            wrong.push(format!("{name}\n{}", verdict.text()));
        }
    }
    assert!(wrong.is_empty(), "{} histories:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_invariant_is_broken_by_several_histories_and_many_odd_ones_are_valid() {
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for path in golden() {
        let kind = stem(&path).split('-').next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    for invariant in Invariant::ALL {
        assert!(kinds.get(invariant.id()).is_some_and(|count| *count >= 3), "{}: {kinds:?}", invariant.id());
    }
    assert!(kinds["valid"] >= 5 && kinds["unknown"] >= 5, "{kinds:?}");
    let known: BTreeSet<&str> = Invariant::ALL.iter().map(|it| it.id()).chain(["valid", "unknown"]).collect();
    assert!(kinds.keys().all(|kind| known.contains(kind.as_str())), "{kinds:?}");
}

#[test]
fn a_violation_says_where_it_is_and_which_fault_was_active() {
    let verdict = judge(&file("I1-a-crash-takes-an-acknowledged-entry"));
    let [violation] = verdict.violations.as_slice() else { panic!("{:?}", verdict.violations) };
    assert_eq!((violation.inv, violation.room.as_deref(), violation.seq), ("I1", Some("r1"), Some(5)));
    assert_eq!(violation.faults, ["kill"]);
    assert_eq!(violation.clients, ["b"]);
    assert!(violation.cid.as_deref().is_some_and(|cid| cid.ends_with("c5")));
    let json: serde_json::Value = serde_json::from_str(&verdict.json().expect("JSON")).expect("JSON");
    assert_eq!(json["valid"], false);
    assert_eq!(json["broken"]["I1"], 1);
    assert_eq!(json["seed"], 1);
}

#[test]
fn what_a_restore_took_is_listed_when_it_is_allowed() {
    let verdict = judge(&file("valid-epoch-loss-a-restore-that-the-run-allows"));
    assert_eq!(verdict.lost_by_restore.total, 2);
    let seqs: Vec<u64> = verdict.lost_by_restore.first.iter().map(|(_, seq, _)| *seq).collect();
    assert_eq!(seqs, [4, 5]);
}

#[test]
fn logs_that_are_kept_are_judged_as_they_were_in_memory() {
    for path in golden() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = Files::find(&path).expect("a file");
        let mut logs = Logs { names: files.names(), logs: vec![Vec::new()] };
        let mut records = Vec::new();
        files.visit(0, &mut logs.names, &mut |record| records.push(record.clone())).expect("whole");
        for record in records {
            let is_start = matches!(record.what, anteroom_load_tests::history::record::What::Start { .. });
            if is_start {
                logs.logs.push(Vec::new());
            }
            logs.logs.last_mut().expect("one at least").push(record);
        }
        keep(&logs, directory.path()).expect("written");
        let kept = Files::find(directory.path()).expect("logs");
        let options = options(&path);
        let (memory, files) = (check(&logs, options), check(&kept, options));
        assert_eq!(memory.json().expect("JSON"), files.json().expect("JSON"), "{}", path.display());
    }
}

#[test]
fn a_file_that_is_cut_in_the_middle_of_a_line_is_not_judged_valid() {
    let directory = tempfile::tempdir().expect("a directory");
    let whole = std::fs::read_to_string(file("valid-a-plain-talk")).expect("a file");
    std::fs::write(directory.path().join("cut.jsonl"), &whole[..whole.len() - 9]).expect("written");
    let verdict = check(&Files::find(directory.path()).expect("a log"), Options::default());
    assert_eq!(verdict.valid, Validity::Unknown, "{}", verdict.text());
    assert!(Files::find(&directory.path().join("nothing")).is_err());
}

#[test]
fn the_command_says_by_its_exit_code_what_it_found() {
    let exit = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom-load-tests"));
        let output = command.arg("check").args(arguments).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let path = |name: &str| file(name).to_string_lossy().into_owned();
    let restore = path("valid-epoch-loss-a-restore-that-the-run-allows");
    assert_eq!(exit(&[&path("valid-a-plain-talk")]).0, Some(0));
    assert_eq!(exit(&[&path("unknown-nothing-happened")]).0, Some(2));
    assert_eq!(exit(&[&path("no-such-thing")]).0, Some(3));
    assert_eq!(exit(&[&restore]).0, Some(1));
    let (code, json) = exit(&[&restore, "--allow-epoch-loss", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, &json["valid"]), (Some(0), &serde_json::Value::Bool(true)));
}

fn golden() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let entries = std::fs::read_dir(directory).expect("the golden histories");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.iter().all(|file| file.extension().is_some_and(|it| it == "jsonl")), "{files:?}");
    files
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.jsonl"))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn options(path: &Path) -> Options {
    Options { allow_epoch_loss: stem(path).contains(EPOCH_LOSS) }
}

fn judge(path: &Path) -> Verdict {
    check(&Files::find(path).expect("a file"), options(path))
}
