//! The published documents say what the code says, and the examples fit them.

mod common;

use std::fs;
use std::path::Path;

use anteroom_protocol::close::CloseCode;
use anteroom_protocol::documents::{self, Examples};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::limits;
use jsonschema::Validator;
use serde_json::{Value, json};

use common::{golden, path};

const COMMAND: &str = "cargo run -p anteroom-protocol --example documents";

fn examples() -> Examples {
    let mut examples = Examples::new();
    for folder in ["client", "entry", "http", "log", "server"] {
        for file in golden(folder) {
            examples.insert(format!("{folder}/{}", file.stem), file.value);
        }
    }
    examples
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path, from: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            found.extend(files(&path, from));
        } else {
            found.push(path.strip_prefix(from).expect("below it").to_string_lossy().into_owned());
        }
    }
    found
}

/// The schema of this name, with formats held to.
fn validator(name: &str) -> Validator {
    let bundle = fs::read_to_string(path("schema/anteroom.json")).expect("the schemas");
    let mut schema: Value = serde_json::from_str(&bundle).expect("JSON");
    schema["$ref"] = format!("#/$defs/{name}").into();
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

fn assert_fits(validator: &Validator, value: &Value, name: &str) {
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|fault| format!("{} at {}: {fault}", fault.schema_path(), fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {}\n{value}", faults.join("\n"));
}

#[test]
fn the_committed_documents_are_those_that_the_types_make() {
    let made = documents::all(&examples());
    for (name, text) in &made {
        let committed = fs::read_to_string(path(name)).unwrap_or_default();
        assert!(committed == *text, "protocol/{name} is not what the types say. Run: {COMMAND}");
    }
    for name in files(&path("schema"), &path("")) {
        assert!(made.contains_key(&name), "protocol/{name} belongs to nothing any more. Run: {COMMAND}");
    }
}

#[test]
fn every_example_of_a_frame_fits_its_own_schema_and_no_other() {
    for folder in ["client", "server"] {
        let any = validator(if folder == "client" { "ClientFrame" } else { "ServerFrame" });
        for file in golden(folder) {
            let kind = file.field("type").expect("a type");
            let own = fs::read_to_string(path(&format!("schema/{folder}/{kind}.json"))).expect("a schema");
            let own: Value = serde_json::from_str(&own).expect("JSON");
            assert_fits(&jsonschema::validator_for(&own).expect("a schema"), &file.value, &file.stem);
            assert_fits(&any, &file.value, &file.stem);
        }
    }
}

#[test]
fn the_examples_of_answers_fit_the_schemas_of_their_form() {
    for (example, form) in [
        ("ok", "ServerOkMessageAnswer"),
        ("ok.case", "ServerOkCaseAnswer"),
        ("ok.cases", "ServerOkCasesAnswer"),
        ("ok.join", "ServerOkJoined"),
        ("ok.leave", "ServerOkNothing"),
    ] {
        let file = golden("server").into_iter().find(|file| file.stem == example).expect("an example");
        assert_fits(&validator(form), &file.value, example);
    }
}

#[test]
fn every_example_of_an_entry_and_of_a_body_fits_its_schema() {
    for file in golden("entry") {
        let schema = fs::read_to_string(path(&format!("schema/entry/{}.json", file.stem))).expect("a schema");
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        assert_fits(&jsonschema::validator_for(&schema).expect("a schema"), &file.value["data"], &file.stem);
    }
    for file in golden("log") {
        assert_fits(&validator("EntryPage"), &file.value, &file.stem);
    }
    for file in golden("http") {
        let name = file.stem.split('.').next().expect("a type");
        assert_fits(&validator(name), &file.value, &file.stem);
    }
}

#[test]
fn every_type_that_only_http_has_has_an_example() {
    for file in files(&path("schema/http"), &path("schema/http")) {
        let name = file.strip_suffix(".json").expect("a schema");
        let of_the_socket = ["Body", "Page", "Answer"].iter().any(|end| name.ends_with(end));
        let there = golden("http").iter().any(|file| file.stem == name);
        assert!(there || of_the_socket, "write protocol/golden/http/{name}.json");
    }
}

#[test]
fn a_field_that_is_missing_wrong_or_too_long_does_not_fit() {
    let client = validator("ClientFrame");
    let (long, room) = ("x".repeat(limits::BODY_BYTES + 1), "0195b2a0-0000-7000-8000-000000000001");
    for broken in [
        json!({ "type": "message.post", "room": room, "body": "hello" }),
        json!({ "type": "message.post", "client_id": room, "body": "hello" }),
        json!({ "type": "message.post", "client_id": room, "room": room, "body": "" }),
        json!({ "type": "message.post", "client_id": room, "room": room, "body": long }),
        json!({ "type": "message.post", "client_id": 7, "room": room, "body": "hello" }),
        json!({ "type": "ping", "id": "x".repeat(limits::FRAME_ID_BYTES + 1) }),
        json!({ "type": "ping", "heads": { "inbox": -1 } }),
        json!({ "type": "ping", "heads": { "nowhere": 1 } }),
        json!({ "type": "join", "room": "nowhere" }),
        json!({ "type": "join", "room": "inbox", "hash": "00" }),
        json!({ "type": "dance" }),
        json!("hello"),
    ] {
        assert!(!client.is_valid(&broken), "{broken}");
    }
}

#[test]
fn what_a_decoder_takes_fits() {
    let client = validator("ClientFrame");
    for taken in [
        json!({ "type": "ping", "id": null, "new_field": 1 }),
        json!({ "type": "hello", "token": null }),
        json!({ "type": "join", "room": "inbox", "after": null }),
    ] {
        let decoded = anteroom_protocol::client::decode(&taken.to_string());
        assert!(decoded.is_ok(), "{taken}: {decoded:?}");
        assert_fits(&client, &taken, "a frame");
    }
}

#[test]
fn what_is_never_null_may_not_be_null() {
    let server = validator("ServerFrame");
    for never in [
        json!({ "type": "pong", "id": null, "server_time": "2026-11-02T09:00:00.000000Z" }),
        json!({ "type": "reset", "room": null, "reason": "restored" }),
    ] {
        assert!(!server.is_valid(&never), "{never}");
    }
}

#[test]
fn the_tables_of_the_prose_have_every_close_code_and_every_error_as_the_code_has_them() {
    let readme = fs::read_to_string(path("README.md")).expect("the prose");
    assert!(
        readme == documents::with_tables(&readme),
        "protocol/README.md is not what the code says. Run: {COMMAND}"
    );
    let rows = |first: &str| readme.lines().any(|line| line.starts_with(first));
    for code in CloseCode::ALL {
        assert!(rows(&format!("| {} | `{}` |", code.code(), code.reason())), "README.md lacks {code:?}");
    }
    for code in ErrorCode::ALL {
        assert!(
            rows(&format!("| `{}` | {} |", code.as_str(), code.http_status())),
            "README.md lacks {code:?}"
        );
    }
}
