//! AsyncAPI 3.0: the socket, its frames, and which frame answers which. Seen from the server: it receives what clients send.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definitions::{Definitions, moved};
use super::frames::{Reply, client_name, client_types, reply, server_name};
use super::{Examples, examples_of};
use crate::close::CloseCode;
use crate::command::Command;
use crate::error::ErrorCode;
use crate::{SUBPROTOCOL, server};

/// Where the schemas stand.
const PLACE: &str = "#/components/schemas/";

const DESCRIPTION: &str = "One JSON object in one text frame each way, on one WebSocket. The first frame of a client is `hello`. Every frame \
    of a client that has an `id` is answered exactly once: with `ok` or `error` of that `id`, or with the frame named here. Entries come \
    per room by rising `seq`, without holes and without repeats. The rules a client follows are in the README beside this document.";

/// The document.
pub(super) fn document(definitions: &Definitions, examples: &Examples) -> Value {
    let messages = messages(definitions, examples);
    let roots = client_types().map(client_name).chain(server_schemas());
    let roots: Vec<String> = roots.collect();
    let schemas: BTreeMap<&str, Value> = definitions
        .reachable(roots.iter().map(String::as_str))
        .into_iter()
        .map(|(name, schema)| (name, moved(schema, PLACE)))
        .collect();
    let on_the_channel: Map<String, Value> =
        messages.keys().map(|name| (name.clone(), refer(&["components", "messages", name]))).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Anteroom, the socket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "anteroom": server() },
        "channels": { "socket": channel(&on_the_channel) },
        "operations": operations(definitions),
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "With the upgrade, by those who can set headers; everybody else says it in `hello`.",
            } },
        },
        "x-close-codes": close_codes(),
        "x-error-codes": error_codes(),
    })
}

fn server() -> Value {
    json!({
        "host": "{host}",
        "protocol": "wss",
        "description": "Any server of the installation: nothing a client needs to resume lives in one of them.",
        "variables": { "host": { "default": "localhost:8080", "description": "Name and port." } },
        "security": [refer(&["components", "securitySchemes", "token"])],
    })
}

fn channel(messages: &Map<String, Value>) -> Value {
    let protocols = "Offer this one, or none. Offering only others is refused with 400.";
    json!({
        "address": "/v1/ws",
        "description": "Compression is never negotiated, and a binary frame closes the socket.",
        "messages": messages,
        "bindings": { "ws": {
            "method": "GET",
            "headers": {
                "type": "object",
                "properties": {
                    "Sec-WebSocket-Protocol": { "const": SUBPROTOCOL, "description": protocols },
                },
            },
        } },
    })
}

/// Every form of frame, by the name of its message.
fn messages(definitions: &Definitions, examples: &Examples) -> Map<String, Value> {
    let mut messages = Map::new();
    for kind in client_types() {
        let shown: Vec<Value> = shown(examples, "client", kind);
        messages.insert(format!("client.{kind}"), message(definitions, kind, &client_name(kind), shown));
        if let Reply::Ok(data) = reply(kind) {
            let name = reply_name(reply(kind));
            messages.insert(
                name,
                message(definitions, &format!("ok, {data}"), &reply(kind).schema(), Vec::new()),
            );
        }
    }
    // Each form of `ok` has a message of its own.
    for kind in server::TYPES.into_iter().filter(|kind| *kind != "ok") {
        let shown = shown(examples, "server", kind);
        messages.insert(format!("server.{kind}"), message(definitions, kind, &server_name(kind), shown));
    }
    messages
}

fn server_schemas() -> impl Iterator<Item = String> {
    let others = server::TYPES.into_iter().filter(|kind| *kind != "ok").map(server_name);
    others.chain(client_types().map(|kind| reply(kind).schema()))
}

fn reply_name(reply: Reply) -> String {
    match reply {
        Reply::Frame(kind) => format!("server.{kind}"),
        Reply::Ok(data) => format!("server.ok.{data}"),
    }
}

fn shown(examples: &Examples, folder: &str, kind: &str) -> Vec<Value> {
    examples_of(examples, folder, kind)
        .map(|(name, payload)| json!({ "name": name, "payload": payload }))
        .collect()
}

fn message(definitions: &Definitions, title: &str, schema: &str, examples: Vec<Value>) -> Value {
    let mut message = json!({
        "title": title,
        "summary": definitions.get(schema)["description"],
        "payload": { "$ref": format!("{PLACE}{schema}") },
        "correlationId": { "location": "$message.payload#/id" },
    });
    if !examples.is_empty() {
        message["examples"] = Value::Array(examples);
    }
    message
}

/// What a client can ask, each with its answer, and what a server tells unasked.
fn operations(definitions: &Definitions) -> Map<String, Value> {
    let mut operations = Map::new();
    for kind in client_types() {
        let command = Command::ALL.iter().find(|spec| spec.name == kind);
        let described = &definitions.get(&client_name(kind))["description"];
        let mut operation = json!({
            "action": "receive",
            "channel": refer(&["channels", "socket"]),
            "summary": command.map_or(described.clone(), |spec| spec.summary.into()),
            "messages": [refer(&["channels", "socket", "messages", &format!("client.{kind}")])],
            "reply": {
                "channel": refer(&["channels", "socket"]),
                "messages": [
                    refer(&["channels", "socket", "messages", &reply_name(reply(kind))]),
                    refer(&["channels", "socket", "messages", "server.error"]),
                ],
            },
        });
        if let Some(spec) = command {
            operation["description"] = described.clone();
            let codes: Vec<&str> = spec.refusals.iter().map(|code| code.as_str()).collect();
            operation["x-error-codes"] = json!(codes);
        }
        operations.insert(format!("client.{kind}"), operation);
    }
    for kind in server::TYPES.into_iter().filter(|kind| !["ok", "welcome", "pong"].contains(kind)) {
        let operation = json!({
            "action": "send",
            "channel": refer(&["channels", "socket"]),
            "summary": definitions.get(&server_name(kind))["description"],
            "messages": [refer(&["channels", "socket", "messages", &format!("server.{kind}")])],
        });
        operations.insert(format!("server.{kind}"), operation);
    }
    operations
}

fn close_codes() -> Value {
    let row = |code: &CloseCode| {
        json!({
            "code": code.code(),
            "reason": code.reason(),
            "meaning": code.meaning(),
            "come_back": code.comes_back(),
        })
    };
    CloseCode::ALL.iter().map(row).collect()
}

fn error_codes() -> Value {
    let row = |code: &ErrorCode| {
        json!({
            "code": code.as_str(),
            "meaning": code.meaning(),
            "retryable": code.retryable(),
            "http_status": code.http_status(),
        })
    };
    ErrorCode::ALL.iter().map(row).collect()
}

fn refer(path: &[&str]) -> Value {
    json!({ "$ref": format!("#/{}", path.join("/")) })
}
