//! The schemas of whole frames: what all have around what each says, entries by their kind, and which answer belongs to which frame.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definitions::{reference, referred};
use super::type_name;
use crate::client::CONTROL_TYPES;
use crate::command::Command;
use crate::error::ErrorCode;
use crate::id::INBOX;
use crate::limits;
use crate::server;

/// How a frame of a client is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// With a frame of its own.
    Frame(&'static str),
    /// With `ok`, whose `data` has this type.
    Ok(&'static str),
}

impl Reply {
    /// The name of the schema of the whole answering frame.
    pub(super) fn schema(self) -> String {
        match self {
            Self::Frame(kind) => server_name(kind),
            Self::Ok(data) => format!("ServerOk{data}"),
        }
    }
}

/// What answers the frame of this type when all went well.
pub(super) fn reply(kind: &str) -> Reply {
    match kind {
        "hello" => Reply::Frame("welcome"),
        "ping" => Reply::Frame("pong"),
        "join" => Reply::Ok("Joined"),
        "leave" | "typing" => Reply::Ok("Nothing"),
        "refresh" => Reply::Ok("RefreshAnswer"),
        "read" | "mark_unread" => Reply::Ok("MarkAnswer"),
        name => {
            let command = Command::ALL.iter().find(|spec| spec.name == name);
            Reply::Ok(command.unwrap_or_else(|| panic!("{name}: how is it answered?")).answer)
        }
    }
}

/// Every type of frame that a client can send.
pub(super) fn client_types() -> impl Iterator<Item = &'static str> {
    CONTROL_TYPES.into_iter().chain(Command::ALL.iter().map(|spec| spec.name))
}

/// The name of the schema of a whole frame of a client.
pub(super) fn client_name(kind: &str) -> String {
    format!("Client{}", type_name(kind))
}

/// The name of the schema of a whole frame of the server.
pub(super) fn server_name(kind: &str) -> String {
    format!("Server{}", type_name(kind))
}

/// The name of the schema of what a client's frame says.
pub(super) fn payload_name(kind: &str) -> String {
    match kind {
        "join" => "Cursor".to_owned(),
        "read" | "mark_unread" => "Mark".to_owned(),
        other => type_name(other),
    }
}

/// Adds the schemas of whole frames, and gives entries and answers their exact form.
pub(super) fn add(all: &mut BTreeMap<String, Value>) {
    answers(all);
    entries(all);
    client_frames(all);
    server_frames(all);
}

/// Every answer to a command says whether it answers a repeat.
fn answers(all: &mut BTreeMap<String, Value>) {
    for spec in Command::ALL {
        let answer = object(all.get_mut(spec.answer));
        let repeat = "Whether this is the answer to a repeat, which has written nothing.";
        fields(answer).insert("duplicate".into(), json!({ "type": "boolean", "description": repeat }));
        require(answer, "duplicate");
    }
    let nothing =
        json!({ "type": "object", "description": "An answer that has nothing to say but that it was done." });
    all.insert("Nothing".to_owned(), nothing);
}

/// What `data` is depends on `kind`, and on whether the log is a room or an inbox. A kind that is not listed has any data.
fn entries(all: &mut BTreeMap<String, Value>) {
    let kinds = all.remove("EntryData").expect("the kinds of entries in rooms");
    let notices = all.remove("NoticeKind").expect("the kinds of entries in inboxes");
    let mut cases: Vec<Value> = kinds["oneOf"].as_array().expect("a list").iter().map(in_a_room).collect();
    let in_the_inbox = |kinds: Value, data: &str| {
        json!({
            "if": { "properties": { "room": { "const": INBOX }, "kind": { "enum": kinds } } },
            "then": { "properties": { "data": reference(data) } },
        })
    };
    cases.push(in_the_inbox(notices["enum"].clone(), "Notice"));
    cases.push(in_the_inbox(json!(["account.changed"]), "Account"));
    cases.push(in_the_inbox(json!(["responsiveness.changed"]), "ResponsivenessChanged"));
    cases.push(in_the_inbox(json!(["webhook.disabled"]), "WebhookDisabled"));
    object(all.get_mut("Entry")).insert("allOf".to_owned(), Value::Array(cases));
}

fn in_a_room(kind: &Value) -> Value {
    let (word, data) = (&kind["properties"]["kind"]["const"], &kind["properties"]["data"]);
    // A message's text can be deleted, and so can the texts that were given to it afterwards.
    let deletable = word == "message.posted" || word == "message.edited";
    let data = if deletable { json!({ "anyOf": [data, { "type": "null" }] }) } else { data.clone() };
    json!({
        "if": { "properties": { "room": { "not": { "const": INBOX } }, "kind": { "const": word } } },
        "then": { "properties": { "data": data } },
    })
}

/// What a client sends: the frame's own fields beside its `type` and `id`; commands have a `client_id` too.
fn client_frames(all: &mut BTreeMap<String, Value>) {
    for kind in client_types() {
        let payload = payload_name(kind);
        let mut frame = all.get(&payload).unwrap_or_else(|| panic!("no type is called {payload}")).clone();
        let fields_of = object(Some(&mut frame));
        tag(fields_of, kind);
        let id = json!({
            "description": "What the answer carries, made by the client. A frame without one is not answered `ok`.",
            "type": ["string", "null"], "minLength": 1, "maxLength": limits::FRAME_ID_BYTES,
        });
        fields(fields_of).insert("id".to_owned(), id);
        if Command::ALL.iter().any(|spec| spec.name == kind) {
            fields(fields_of).insert("client_id".to_owned(), reference("ClientId"));
            require(fields_of, "client_id");
            if confirms(kind) {
                fields(fields_of).insert("confirmed".to_owned(), confirmed());
            }
        }
        all.insert(client_name(kind), frame);
    }
    // Payloads that are nothing but a frame's have done their work; commands' are bodies over HTTP as well.
    for payload in ["Hello", "Leave", "Ping", "Refresh", "Typing"] {
        all.remove(payload);
    }
    let text = "Any frame of a client.";
    all.insert("ClientFrame".to_owned(), union(text, client_types().map(client_name)));
}

/// Whether the command of this name has texts that the contact guard may warn of.
pub(super) fn confirms(name: &str) -> bool {
    let spec = Command::ALL.iter().find(|spec| spec.name == name);
    spec.is_some_and(|spec| spec.refusals.contains(&ErrorCode::ContactUnconfirmed))
}

/// The field by which an author says that contact information is meant.
pub(super) fn confirmed() -> Value {
    let text = "Contact information in it is meant: what was refused as `contact_unconfirmed` is sent again with this.";
    json!({ "type": ["boolean", "null"], "description": text })
}

/// What a server sends: one schema for each type, and one for each form of `ok.data`.
fn server_frames(all: &mut BTreeMap<String, Value>) {
    let frames = all.remove("ServerFrame").expect("the frames of the server");
    for frame in frames["oneOf"].as_array().expect("a list") {
        let kind = frame["properties"]["type"]["const"].as_str().expect("a type").to_owned();
        let mut whole = frame.clone();
        if let Some(payload) = referred(frame) {
            let payload = all.get(payload).expect("what the frame says").clone();
            let outer = object(Some(&mut whole));
            outer.remove("$ref");
            for (name, value) in payload.as_object().expect("an object") {
                match name.as_str() {
                    "properties" => fields(outer).extend(value.as_object().cloned().unwrap_or_default()),
                    "required" => {
                        for field in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
                            require(outer, field);
                        }
                    }
                    _ => _ = outer.entry(name.clone()).or_insert_with(|| value.clone()),
                }
            }
        }
        tag(object(Some(&mut whole)), &kind);
        all.insert(server_name(&kind), whole);
    }
    all.remove("Welcome");
    let mut forms: Vec<&str> = client_types()
        .filter_map(|kind| match reply(kind) {
            Reply::Ok(data) => Some(data),
            Reply::Frame(_) => None,
        })
        .collect();
    forms.sort_unstable();
    forms.dedup();
    for data in forms {
        let mut frame = all["ServerOk"].clone();
        fields(object(Some(&mut frame))).insert("data".to_owned(), reference(data));
        all.insert(Reply::Ok(data).schema(), frame);
    }
    let text = "Any frame of the server. There may be more types in the future: a client ignores those it does not know.";
    all.insert("ServerFrame".to_owned(), union(text, server::TYPES.into_iter().map(server_name)));
}

fn tag(frame: &mut Map<String, Value>, kind: &str) {
    fields(frame).insert("type".to_owned(), json!({ "type": "string", "const": kind }));
    require(frame, "type");
    frame.insert("title".to_owned(), kind.into());
}

fn union(description: &str, names: impl Iterator<Item = String>) -> Value {
    let schemas: Vec<Value> = names.map(|name| reference(&name)).collect();
    json!({ "description": description, "oneOf": schemas })
}

/// A schema that is an object with properties.
fn object(schema: Option<&mut Value>) -> &mut Map<String, Value> {
    schema.and_then(Value::as_object_mut).expect("a schema of an object")
}

fn fields(schema: &mut Map<String, Value>) -> &mut Map<String, Value> {
    let fields = schema.entry("properties").or_insert_with(|| json!({}));
    fields.as_object_mut().expect("properties are an object")
}

fn require(schema: &mut Map<String, Value>, field: &str) {
    let required = schema.entry("required").or_insert_with(|| json!([]));
    let required = required.as_array_mut().expect("a list of names");
    if !required.iter().any(|name| name == field) {
        required.push(field.into());
        required.sort_by_key(|name| name.to_string());
    }
}
