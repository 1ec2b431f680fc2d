//! Everything that crosses the wire in any test is held against the published documents: whatever the server sends, and whatever a
//! client sends that the server does. What a test breaks on purpose is not looked at.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anteroom_load_tests::client::observer::{Exchange, Seen, observe};
use anteroom_protocol::command::Command;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Whose words are held against a schema: a receiver takes other spellings of a time or an id than a sender writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Speaker {
    Client,
    Server,
}

/// A published document, and its schemas as far as they were needed.
struct Document {
    name: &'static str,
    value: Value,
    validators: Mutex<HashMap<(String, Speaker), Arc<Validator>>>,
}

static SOCKET: LazyLock<Document> =
    LazyLock::new(|| Document::new("asyncapi.json", include_str!("../../../protocol/asyncapi.json")));
static ROUTES: LazyLock<Document> =
    LazyLock::new(|| Document::new("openapi.json", include_str!("../../../protocol/openapi.json")));
/// What was asked on which connection under which `id`, until it is answered.
static ASKED: LazyLock<Mutex<HashMap<(u64, String), Value>>> = LazyLock::new(Mutex::default);

/// Has everything looked at from now on.
pub(crate) fn watch() {
    observe(look);
}

fn look(seen: Seen<'_>) {
    match seen {
        Seen::Sent { connection, text } => sent(connection, text),
        Seen::Received { connection, text } => received(connection, text),
        Seen::Ended { .. } => {}
        Seen::Exchanged(exchange) => exchanged(&exchange),
    }
}

/// Kept until the server says what it makes of it.
fn sent(connection: u64, text: &str) {
    let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
    if let Some(id) = frame["id"].as_str() {
        let id = (connection, id.to_owned());
        ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(id, frame);
    }
}

fn received(connection: u64, text: &str) {
    let frame: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let id = frame["id"].as_str().map(|id| (connection, id.to_owned()));
    let asked = id.and_then(|id| ASKED.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
    let operation = asked.as_ref().and_then(|asked| {
        SOCKET.value["operations"]
            .get(format!("client.{}", asked["type"].as_str()?))
            .map(|found| (asked, found))
    });
    match (frame["type"].as_str().unwrap_or_default(), operation) {
        ("ok", Some((asked, operation))) => {
            let question = SOCKET.message(&operation["messages"][0]);
            SOCKET.hold(question, asked, Speaker::Client);
            SOCKET.hold(SOCKET.message(&operation["reply"]["messages"][0]), &frame, Speaker::Server);
        }
        // Two questions under one id: which of them is answered cannot be told.
        ("ok", None) => {}
        ("error", Some((_, operation))) => {
            SOCKET.hold(&SOCKET.value["components"]["messages"]["server.error"], &frame, Speaker::Server);
            assert_is_announced(&frame["error"]["code"], &operation["x-error-codes"], text);
        }
        (kind, _) => {
            let message = &SOCKET.value["components"]["messages"][format!("server.{kind}")];
            assert!(message.is_object(), "asyncapi.json knows no frame of this type: {text}");
            SOCKET.hold(message, &frame, Speaker::Server);
        }
    }
}

fn exchanged(seen: &Exchange<'_>) {
    // Below the server: what the HTTP library answers to a head it does not take.
    if matches!(seen.status, 400 | 431) && seen.content_type.is_empty() && seen.text.is_empty() {
        return;
    }
    let what = format!("{} {} {}: {}", seen.method, seen.path, seen.status, seen.text);
    // A listener that has no such route: the page's files, the figures, what is nowhere.
    let absent = matches!(seen.status, 404 | 405) && seen.text.contains(r#""code":"unknown_type""#);
    let Some(operation) = operation(seen.method, seen.path).filter(|_| !absent) else {
        if seen.status >= 400 {
            ROUTES.hold_schema("Problem", &parsed(seen.text, &what), Speaker::Server);
        }
        return;
    };
    let responses = &operation["responses"];
    let response = [seen.status.to_string().as_str(), "default"].iter().find_map(|name| responses.get(*name));
    let response =
        response.unwrap_or_else(|| panic!("openapi.json knows no such answer of this route: {what}"));
    if response["content"].is_object() {
        let form = seen.content_type.split(';').next().unwrap_or_default();
        let content = &response["content"][form];
        assert!(content.is_object(), "openapi.json knows no {form} as such an answer: {what}");
        if form.ends_with("json") {
            ROUTES.hold_in(&content["schema"], &parsed(seen.text, &what), Speaker::Server);
        }
    }
    if seen.status < 300 {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        if body.is_object() {
            let said = if seen.body.is_empty() {
                json!({})
            } else {
                serde_json::from_slice(seen.body).expect("JSON")
            };
            ROUTES.hold_in(body, &said, Speaker::Client);
        }
    } else if seen.status >= 400 && seen.text.starts_with('{') {
        let announced: Value = responses
            .as_object()
            .into_iter()
            .flat_map(Map::values)
            .filter_map(|response| response["x-error-codes"].as_array())
            .flatten()
            .cloned()
            .collect();
        assert_is_announced(&parsed(seen.text, &what)["code"], &announced, &what);
    }
}

/// A refusal that belongs to some commands is listed where it is given. Any other can come from anywhere.
fn assert_is_announced(code: &Value, announced: &Value, what: &str) {
    let mut belonging = Command::ALL.iter().flat_map(|spec| spec.refusals);
    if belonging.any(|refusal| code == refusal.as_str()) {
        let announced = announced.as_array().is_some_and(|codes| codes.contains(code));
        assert!(announced, "the table of commands does not say that this can be refused so: {what}");
    }
}

/// The operation of the document that this is a request of.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (mut parts, mut wanted) = (path.split('/'), template.split('/'));
        loop {
            match (parts.next(), wanted.next()) {
                (None, None) => return true,
                (Some(part), Some(wanted)) if part == wanted || wanted.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let paths = ROUTES.value["paths"].as_object()?;
    // A word that stands in a template wins over a part that may be any.
    let found = paths
        .iter()
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| template.matches('{').count());
    found?.1.get(method.to_lowercase())
}

fn parsed(text: &str, what: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {what}"))
}

impl Document {
    fn new(name: &'static str, text: &str) -> Self {
        let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, value, validators: Mutex::default() }
    }

    /// The message that a reference of an operation leads to, by way of its channel.
    fn message(&self, reference: &Value) -> &Value {
        let name = last(reference);
        &self.value["components"]["messages"][name]
    }

    fn hold(&self, message: &Value, frame: &Value, speaker: Speaker) {
        self.hold_in(&message["payload"], frame, speaker);
    }

    fn hold_in(&self, schema: &Value, value: &Value, speaker: Speaker) {
        if schema["$ref"].is_string() {
            self.hold_schema(last(schema), value, speaker);
        }
    }

    fn hold_schema(&self, schema: &str, value: &Value, speaker: Speaker) {
        let validator = self.validator(schema, speaker);
        let faults: Vec<String> = validator
            .iter_errors(value)
            .map(|fault| format!("{} at {}: {fault}", fault.schema_path(), fault.instance_path()))
            .collect();
        let name = self.name;
        assert!(
            faults.is_empty(),
            "not as {name} says of {schema} ({speaker:?}):\n{}\n{value}",
            faults.join("\n")
        );
    }

    /// This schema and what it refers to: a validator of all of them would take longer to make than most tests take.
    fn needed(&self, schema: &str) -> Map<String, Value> {
        let mut needed = Map::new();
        let mut names = vec![schema.to_owned()];
        while let Some(name) = names.pop() {
            if !needed.contains_key(&name) {
                let found = &self.value["components"]["schemas"][&name];
                references(found, &mut names);
                needed.insert(name, found.clone());
            }
        }
        needed
    }

    fn validator(&self, schema: &str, speaker: Speaker) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let made = validators.entry((schema.to_owned(), speaker)).or_insert_with(|| {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": format!("#/components/schemas/{schema}"),
                "components": { "schemas": self.needed(schema) },
            });
            let options = jsonschema::options().should_validate_formats(speaker == Speaker::Server);
            Arc::new(options.build(&whole).unwrap_or_else(|error| panic!("{}: {error}", self.name)))
        });
        made.clone()
    }
}

/// Every name that a schema refers to.
fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            names.extend(map.get("$ref").is_some().then(|| last(schema).to_owned()));
            map.values().for_each(|part| references(part, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The last part of a reference.
fn last(reference: &Value) -> &str {
    reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

/// The eyes that look at every test are worth what they notice.
mod eyes {
    use super::*;

    const ROOM: &str = "0195b2a0-0000-7000-8000-000000000001";

    fn post(connection: u64) {
        let post =
            json!({ "type": "message.post", "id": "1", "client_id": ROOM, "room": ROOM, "body": "hello" });
        look(Seen::Sent { connection, text: &post.to_string() });
    }

    fn answered(connection: u64, data: &Value) {
        let answer = json!({ "type": "ok", "id": "1", "data": data });
        look(Seen::Received { connection, text: &answer.to_string() });
    }

    fn answer() -> Value {
        json!({ "room": ROOM, "seq": 1, "at": "2026-11-02T09:00:00.000000Z", "hash": "0".repeat(64), "duplicate": false })
    }

    #[test]
    fn an_answer_as_published_passes() {
        post(u64::MAX);
        answered(u64::MAX, &answer());
    }

    #[test]
    #[should_panic(expected = "ServerOkMessageAnswer")]
    fn an_answer_that_lacks_a_field_is_noticed() {
        let mut answer = answer();
        answer.as_object_mut().expect("an object").remove("hash");
        post(u64::MAX - 1);
        answered(u64::MAX - 1, &answer);
    }

    #[test]
    #[should_panic(expected = "ServerReceipt")]
    fn a_frame_with_null_where_a_field_is_left_out_is_noticed() {
        let receipt = json!({ "type": "receipt", "room": ROOM, "user": "ana", "delivered": 1, "read": 1, "marker": null });
        look(Seen::Received { connection: 0, text: &receipt.to_string() });
    }

    #[test]
    #[should_panic(expected = "UserView")]
    fn a_body_with_a_status_of_another_form_is_noticed() {
        let text = json!({ "user": "ana", "name": "Ana", "status": 1 }).to_string();
        look(Seen::Exchanged(Exchange {
            method: "GET",
            path: "/v1/me",
            body: b"",
            status: 200,
            content_type: "application/json",
            text: &text,
        }));
    }
}
