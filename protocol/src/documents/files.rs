//! The folder `schema/`: one file for each frame, kind of entry, body and answer, each whole by itself, and one with all of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definitions::Definitions;
use super::frames::{Reply, client_name, client_types, reply, server_name};
use super::routes::{answer_name, body_name};
use super::{Examples, examples_of};
use crate::{route, server};

/// The dialect of every schema.
pub(super) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Every file by its path.
pub(super) fn all(definitions: &Definitions, examples: &Examples) -> BTreeMap<String, Value> {
    let mut files = BTreeMap::new();
    let mut file = |folder: &str, name: &str, of: &str| {
        let examples: Vec<&Value> = examples_of(examples, folder, name).map(|(_, example)| example).collect();
        files.insert(
            format!("schema/{folder}/{name}.json"),
            whole(definitions, (folder, name), of, &examples),
        );
    };
    for kind in client_types() {
        file("client", kind, &client_name(kind));
        if let Reply::Ok(data) = reply(kind) {
            file("server", &format!("ok.{data}"), &reply(kind).schema());
        }
    }
    for kind in server::TYPES {
        file("server", kind, &server_name(kind));
    }
    for (kind, data) in kinds(definitions) {
        file("entry", &kind, &data);
    }
    file("entry", "notice", "Notice");
    file("entry", "account.changed", "Account");
    file("entry", "responsiveness.changed", "ResponsivenessChanged");
    file("entry", "webhook.disabled", "WebhookDisabled");
    for route in route::all() {
        for name in body_name(&route).into_iter().chain(answer_name(&route)) {
            file("http", &name, &name);
        }
    }
    file("http", "Problem", "Problem");
    files.insert("schema/anteroom.json".to_owned(), bundle(definitions));
    files
}

/// Every kind of entry in a room, and the type of its data.
fn kinds(definitions: &Definitions) -> Vec<(String, String)> {
    let cases = definitions.get("Entry")["allOf"].as_array().cloned().unwrap_or_default();
    let kind = |case: &Value| {
        let word = case["if"]["properties"]["kind"]["const"].as_str()?;
        let data = &case["then"]["properties"]["data"];
        let data = data["$ref"].as_str().or_else(|| data["anyOf"][0]["$ref"].as_str())?;
        Some((word.to_owned(), data.rsplit('/').next()?.to_owned()))
    };
    cases.iter().filter_map(kind).collect()
}

/// One schema with everything it refers to.
fn whole(definitions: &Definitions, (folder, name): (&str, &str), of: &str, examples: &[&Value]) -> Value {
    let mut needed = definitions.reachable([of]);
    needed.remove(of);
    let mut schema: Map<String, Value> = definitions.get(of).as_object().cloned().unwrap_or_default();
    schema.insert("$schema".to_owned(), DIALECT.into());
    schema.insert("$id".to_owned(), format!("urn:anteroom:v1:{folder}:{name}").into());
    schema.entry("title").or_insert_with(|| name.into());
    if !examples.is_empty() && folder != "entry" {
        schema.insert("examples".to_owned(), json!(examples));
    }
    if !needed.is_empty() {
        schema.insert("$defs".to_owned(), json!(needed));
    }
    Value::Object(schema)
}

/// Every definition in one file. By itself it says nothing of a value: a validator begins at one of them.
fn bundle(definitions: &Definitions) -> Value {
    let all: BTreeMap<&str, &Value> = definitions.all().collect();
    json!({
        "$schema": DIALECT,
        "$id": "urn:anteroom:v1",
        "title": "The wire of Anteroom",
        "description": "Every frame, entry, body and answer, by name. `ClientFrame` and `ServerFrame` fit any frame of either side.",
        "$defs": all,
    })
}
