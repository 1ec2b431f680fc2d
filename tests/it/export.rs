//! `anteroom export` and `anteroom verify`: what an operator takes out of a database, beside the server that has it, and how anybody
//! verifies it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::signature::Keys;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::cli::{fails, prints, text};
use crate::support::process::{command, run};
use crate::support::{Door, SECRET, Scene, ask, soon};
use crate::transcript::talking;

/// What the freelancer takes home of 70.00 at 12.34 %.
const TAKE_HOME: &str = r#""take_home":6136"#;

/// A running server with a room, and its directory.
async fn served() -> (Scene, RoomRef, PathBuf) {
    let mut scene = Scene::embedded(Door::Http).await;
    let (case, room) = talking(&mut scene).await;
    scene.freelancer.case(ask::propose_terms(case.candidacy, 0, ask::hourly(7_000))).await;
    let directory = scene.server.database().parent().expect("a directory").to_owned();
    (scene, room, directory)
}

async fn export(directory: &Path, room: RoomRef, more: &[&str]) -> String {
    let room = room.to_string();
    let audience = if more.contains(&"--audience") { &[][..] } else { &["--audience", "staff"] };
    prints(&[&["export", &room, "--data-dir", text(directory)], audience, more].concat(), &[]).await
}

async fn keys(scene: &Scene) -> (Keys, String) {
    let answer: Value = scene.client.see("/v1/keys").await;
    (serde_json::from_value(answer.clone()).expect("keys"), answer.to_string())
}

fn kept(directory: &Path, name: &str, content: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, content).expect("written");
    text(&path).to_owned()
}

/// What it ended with, and what it said.
fn ended(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stdout.clone()).expect("text"))
}

async fn verify(args: &[&str]) -> (Option<i32>, String) {
    ended(&run(&[&["verify"], args].concat(), &[]).await)
}

#[tokio::test]
async fn a_room_is_exported_beside_the_server_that_goes_on_writing() {
    let (mut scene, room, directory) = served().await;
    let before = export(&directory, room, &[]).await;
    scene.client.posted(room, "and another word").await;
    let after = export(&directory, room, &[]).await;
    assert_eq!(after.lines().count(), before.lines().count() + 1);
    assert!(after.contains("and another word") && after.contains(r#""audience":"staff""#));
    let copy = tempfile::tempdir().expect("a directory");
    let copied = |place: &Path| {
        // What is not yet moved into the database stands beside it.
        for name in ["anteroom.db", "anteroom.db-wal"].iter().filter(|name| place.join(name).exists()) {
            std::fs::copy(place.join(name), copy.path().join(name)).expect("copied");
        }
    };
    let _server = scene.server.restart_after(copied).await;
    let stopped = export(copy.path(), room, &[]).await;
    assert_eq!(stopped.lines().count(), after.lines().count(), "also when no server runs");
}

#[tokio::test]
async fn an_export_is_for_the_eyes_it_names() {
    let (_scene, room, directory) = served().await;
    for (audience, sees) in [("client", false), ("freelancer", true), ("staff", true)] {
        let file = export(&directory, room, &["--audience", audience]).await;
        assert!(file.contains(&format!(r#""audience":"{audience}""#)), "{file}");
        assert_eq!(file.contains(TAKE_HOME), sees, "{file}");
    }
    let page = export(&directory, room, &["--format", "html"]).await;
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    assert!(page.contains("for the marketplace"), "{page}");
}

#[tokio::test]
async fn an_export_verifies_with_the_servers_key_however_it_is_told() {
    let (scene, room, directory) = served().await;
    let file = directory.join("room.jsonl");
    assert_eq!(export(&directory, room, &["--output", text(&file)]).await, "");
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else's to read");
    assert!(!directory.join("room.jsonl.part").exists());
    let (keys, answer) = keys(&scene).await;
    let (key, fingerprint) = (keys.items[0].public_key.to_string(), keys.items[0].id.to_string());
    let answer = kept(&directory, "keys.json", &answer);
    let other = "0".repeat(64);
    for trusted in [
        &["--key", &key][..],
        &["--fingerprint", &fingerprint],
        &["--fingerprint", &other, "--fingerprint", &fingerprint],
        &["--keys", &answer],
    ] {
        let (code, said) = verify(&[&[text(&file)], trusted].concat()).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.starts_with("verified: ") && said.contains(&fingerprint), "{said}");
    }
    let (code, said) = verify(&[text(&file), "--fingerprint", &other]).await;
    assert_eq!(code, Some(1));
    assert!(said.starts_with("line ") && said.contains("not among the trusted"), "{said}");
}

#[tokio::test]
async fn a_transcript_is_verified_from_standard_input_too() {
    let (scene, room, directory) = served().await;
    let file = export(&directory, room, &[]).await;
    let (keys, _) = keys(&scene).await;
    let fingerprint = keys.items[0].id.to_string();
    for (content, code) in [(file.as_str(), 0), (&file[..file.len() - 1], 1), ("", 1)] {
        let mut child = command(&["verify", "-", "--fingerprint", &fingerprint], &[])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut input = child.stdin.take().expect("an input");
        input.write_all(content.as_bytes()).await.expect("written");
        drop(input);
        let output = soon("an end", child.wait_with_output()).await.expect("an output");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}

#[tokio::test]
async fn a_changed_byte_is_found_and_its_line_named() {
    let (scene, room, directory) = served().await;
    let file = export(&directory, room, &[]).await;
    let (keys, _) = keys(&scene).await;
    let fingerprint = keys.items[0].id.to_string();
    for line in 0..file.lines().count() {
        let changed: String = file
            .lines()
            .enumerate()
            .map(
                |(at, text)| {
                    if at == line { text.replacen("room\":\"0", "room\":\"1", 1) } else { text.into() }
                },
            )
            .map(|text: String| text + "\n")
            .collect();
        assert_ne!(changed, file, "line {line}");
        let path = kept(&directory, "changed.jsonl", &changed);
        let (code, said) = verify(&[&path, "--fingerprint", &fingerprint]).await;
        assert_eq!(code, Some(1), "{said}");
        // Nothing but the first entry says what the header should have said.
        let at_fault = if line == 0 { 2 } else { line + 1 };
        assert!(said.starts_with(&format!("line {at_fault}: ")) && said.lines().count() == 1, "{said}");
    }
}

#[tokio::test]
async fn what_cannot_be_exported_is_said_and_nothing_is_left_behind() {
    let (_scene, room, directory) = served().await;
    let place = text(&directory);
    let room = room.to_string();
    let nowhere = "0195b2a0-0000-7000-8000-000000000001";
    let (error, _) =
        fails(("other", 1), &["export", nowhere, "--data-dir", place, "--audience", "staff"], &[]).await;
    assert!(error.contains("there is no room"), "{error}");
    let another_key = [("ANTEROOM_SIGNING__SECRET", SECRET)];
    let args = ["export", &room, "--data-dir", place, "--audience", "staff"];
    let (error, help) = fails(("configuration_invalid", 2), &args, &another_key).await;
    assert!(error.contains("key") && help.contains("signing.secret"), "{error}: {help}");
    let empty = tempfile::tempdir().expect("a directory");
    let args = ["export", &room, "--data-dir", text(empty.path()), "--audience", "staff"];
    let (error, _) = fails(("database_unusable", 3), &args, &[]).await;
    assert!(error.contains("there is no database"), "{error}");
    assert_eq!(std::fs::read_dir(empty.path()).expect("a directory").count(), 0);
    let taken = directory.join("taken");
    std::fs::create_dir(&taken).expect("made");
    let args = ["export", &room, "--data-dir", place, "--audience", "staff", "--output", text(&taken)];
    let (error, _) = fails(("other", 1), &args, &[]).await;
    assert!(error.contains("cannot write to"), "{error}");
    let rest = std::fs::read_dir(&directory)
        .expect("a directory")
        .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with(".tmp"));
    assert_eq!(rest.count(), 0, "what is not whole is left nowhere");
}

#[tokio::test]
async fn a_wrong_usage_of_export_and_verify_ends_with_2() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = kept(directory.path(), "file", "no transcript");
    let missing = directory.path().join("missing");
    let key = "0".repeat(64);
    for args in [
        &["export"][..],
        &["export", "the-garden", "--audience", "staff"],
        &["export", "0195b2a0-0000-7000-8000-000000000001"],
        &["export", "0195b2a0-0000-7000-8000-000000000001", "--audience", "everybody"],
        &["export", "0195b2a0-0000-7000-8000-000000000001", "--audience", "staff", "--format", "pdf"],
        &["verify"],
        &["verify", &file],
        &["verify", &file, "--key", "0123"],
        &["verify", &file, "--fingerprint", &key[1..]],
        &["verify", &file, "--keys", text(&missing)],
        &["verify", &file, "--keys", &file],
        &["verify", text(&missing), "--key", &key],
    ] {
        let output = run(args, &[]).await;
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}: {output:?}");
    }
    let (code, said) = verify(&[&file, "--key", &key]).await;
    assert_eq!(code, Some(1), "what is no transcript is none that verifies");
    assert!(said.starts_with("line 1: "), "{said}");
}
