//! The schemas of what only HTTP has: bodies without what the path names, pages, problem documents.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::definitions::reference;
use super::frames::{Reply, confirmed, confirms, payload_name, reply};
use super::type_name;
use crate::route::{self, Answer, Body, RouteSpec};

/// The name of the schema of a route's body.
pub(super) fn body_name(route: &RouteSpec) -> Option<String> {
    match route.body {
        Body::Empty => None,
        Body::Frame(kind) => Some(format!("{}Body", type_name(kind))),
        Body::Type(name) => Some(name.to_owned()),
    }
}

/// The name of the schema of a route's answer, if that is JSON with a form.
pub(super) fn answer_name(route: &RouteSpec) -> Option<String> {
    match route.answer {
        Answer::Frame(kind) => match reply(kind) {
            Reply::Ok(data) => Some(data.to_owned()),
            Reply::Frame(frame) => panic!("{frame} is no answer of a route"),
        },
        Answer::Type(name) => Some(name.to_owned()),
        Answer::Page(of) => Some(page_name(of)),
        Answer::File(_) | Answer::Text | Answer::Document | Answer::Upgrade => None,
    }
}

fn page_name(of: &str) -> String {
    format!("{}Page", of.strip_suffix("View").unwrap_or(of))
}

/// Adds them.
pub(super) fn add(all: &mut BTreeMap<String, Value>) {
    for route in route::all() {
        if let (Body::Frame(kind), Some(name)) = (route.body, body_name(&route)) {
            let payload = all.get(&payload_name(kind)).expect("what the frame says").clone();
            let mut body = without_path(payload, &route);
            if confirms(kind)
                && let Some(fields) = body.get_mut("properties").and_then(Value::as_object_mut)
            {
                fields.insert("confirmed".to_owned(), confirmed());
            }
            all.insert(name, body);
        }
        if let Answer::Page(of) = route.answer {
            all.insert(page_name(of), page(of));
        }
    }
    // Whatever a frame says is in the frame's own schema, and in that of the body.
    for route in route::all() {
        if let Body::Frame(kind) = route.body {
            all.remove(&payload_name(kind));
        }
    }
    let problem = problem(all.get("ErrorBody").expect("what an error says"));
    all.insert("Problem".to_owned(), problem);
}

/// What the path names may be left out of the body, and not be contradicted by it.
fn without_path(mut payload: Value, route: &RouteSpec) -> Value {
    let named: Vec<&str> = route.path_fields().collect();
    if let Some(required) = payload.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| !named.iter().any(|name| field == name));
    }
    payload
}

fn page(of: &str) -> Value {
    json!({
        "description": "One page of a list.",
        "type": "object",
        "properties": {
            "items": { "type": "array", "items": reference(of) },
            "next": { "type": "string", "description": "What the next page is asked for with, as `before`; absent: there is none." },
        },
        "required": ["items"],
    })
}

/// RFC 9457 with the fields that the socket's errors have.
fn problem(error: &Value) -> Value {
    let mut properties = error["properties"].as_object().cloned().unwrap_or_default();
    properties.remove("message");
    let own = json!({
        "type": { "type": "string", "const": "about:blank" },
        "title": { "type": "string", "description": "The name of the status." },
        "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the answer." },
        "detail": { "type": "string", "description": "What went wrong, for a person." },
    });
    properties.extend(own.as_object().cloned().unwrap_or_default());
    json!({
        "description": "A problem document (RFC 9457) with the code of the table of errors.",
        "type": "object",
        "properties": properties,
        "required": ["code", "detail", "retryable", "status", "title", "type"],
    })
}
