//! OpenAPI 3.1: every route of the table, with what it takes, answers and refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::definitions::{Definitions, moved};
use super::files::DIALECT;
use super::routes::{answer_name, body_name};
use super::{Examples, examples_of};
use crate::error::ErrorCode;
use crate::limits;
use crate::route::{self, Answer, Body, Method, QueryKind, QuerySpec, RouteSpec, Who};

/// Where the schemas stand.
const PLACE: &str = "#/components/schemas/";

const DESCRIPTION: &str = "The same commands, answers and errors as on the socket, and the pages that a socket does not carry. Every error \
    is a problem document (RFC 9457) with a stable `code`. A command carries an `Idempotency-Key`, a UUID made once per intention: \
    repeating it is always safe and answers the same. A thing one may not see is answered like one that does not exist.";

/// The document.
pub(super) fn document(definitions: &Definitions, examples: &Examples) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut roots = BTreeSet::from(["Problem".to_owned()]);
    for route in route::all() {
        let method = route.method.as_str().to_lowercase();
        paths.entry(route.path).or_default().insert(method, operation(&route, examples));
        roots.extend(body_name(&route).into_iter().chain(answer_name(&route)));
        roots.extend(route.path_fields().map(|field| path_type(field).to_owned()));
        roots.extend(route.query.iter().filter_map(|query| match query.kind {
            QueryKind::Type(name) => Some(name.to_owned()),
            QueryKind::Number
            | QueryKind::Limit
            | QueryKind::Flag
            | QueryKind::Text(_)
            | QueryKind::Cursor => None,
        }));
        if route.idempotency_key {
            roots.insert("ClientId".to_owned());
        }
    }
    let schemas: BTreeMap<&str, Value> = definitions
        .reachable(roots.iter().map(String::as_str))
        .into_iter()
        .map(|(name, schema)| (name, moved(schema, PLACE)))
        .collect();
    json!({
        "openapi": "3.1.1",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "Anteroom, the routes",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server this document came from." }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": headers(),
            "parameters": { "IdempotencyKey": idempotency_key() },
            "securitySchemes": {
                "user": scheme("The token of a person: scope `user`."),
                "service": scheme("The token of one of the marketplace's systems: scope `service`."),
            },
        },
    })
}

fn scheme(description: &str) -> Value {
    json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description })
}

fn operation(route: &RouteSpec, examples: &Examples) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "tags": [tag(route)],
        "security": security(route.who),
        "responses": responses(route, examples),
    });
    let mut parameters: Vec<Value> = route.path_fields().map(path_parameter).collect();
    parameters.extend(route.query.iter().map(query_parameter));
    if route.idempotency_key {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = body_name(route) {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": content(&body, body_examples(route, examples)) },
        });
    }
    operation
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone => json!([]),
        Who::User => json!([{ "user": [] }]),
        Who::Service => json!([{ "service": [] }]),
        Who::UserOrService => json!([{ "user": [] }, { "service": [] }]),
    }
}

/// The type that a part of a path has.
fn path_type(field: &str) -> &'static str {
    match field {
        "room" => "RoomRef",
        "invitation" => "InvitationId",
        "proposal" => "ProposalId",
        "candidacy" => "CandidacyId",
        "job" => "JobId",
        "offer" => "OfferId",
        "contract" => "ContractId",
        "schedule" => "FeeScheduleId",
        "webhook" => "WebhookId",
        "delivery" => "DeliveryNumber",
        "channel" => "Channel",
        "user" | "client" | "freelancer" => "UserId",
        new => panic!("{new}: of which type is it in a path?"),
    }
}

fn path_parameter(field: &str) -> Value {
    let schema = json!({ "$ref": format!("{PLACE}{}", path_type(field)) });
    json!({ "name": field, "in": "path", "required": true, "schema": schema })
}

fn query_parameter(query: &QuerySpec) -> Value {
    let schema = match query.kind {
        QueryKind::Number => json!({ "type": "integer", "format": "uint64", "minimum": 0 }),
        QueryKind::Limit => {
            let words = format!("A number above {0} is taken as {0}, and 0 as 1.", limits::PAGE_ITEMS);
            let (least, most) = (0, u32::MAX);
            let usual = limits::PAGE_DEFAULT;
            json!({ "type": "integer", "minimum": least, "maximum": most, "default": usual, "description": words })
        }
        QueryKind::Flag => json!({ "type": "boolean", "default": false }),
        QueryKind::Text(bytes) => json!({ "type": "string", "minLength": 1, "maxLength": bytes }),
        QueryKind::Cursor => json!({ "type": "string" }),
        QueryKind::Type(name) => json!({ "$ref": format!("{PLACE}{name}") }),
    };
    json!({
        "name": query.name, "in": "query", "required": query.required, "description": query.meaning, "schema": schema,
    })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": true,
        "description": "The `client_id` of the command: a UUID that its author makes once per intention and keeps for its repeats.",
        "schema": { "$ref": format!("{PLACE}ClientId") },
    })
}

fn responses(route: &RouteSpec, examples: &Examples) -> Value {
    let mut responses = Map::new();
    let (status, answer) = success(route, examples);
    responses.insert(status.to_owned(), answer);
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in route.errors() {
        by_status.entry(code.http_status()).or_default().push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), refusal(status, &codes));
    }
    match route.answer {
        Answer::Text => {
            let not_now = json!({ "description": "No, and why.", "content": { "text/plain": { "schema": { "type": "string" } } } });
            responses.insert("503".to_owned(), not_now);
        }
        Answer::Upgrade => {
            responses.insert("426".to_owned(), refusal(426, &[ErrorCode::BadRequest]));
        }
        Answer::Document => {
            let same = "It is what `If-None-Match` names.";
            responses.insert("304".to_owned(), json!({ "description": same }));
        }
        Answer::Frame(_) | Answer::Type(_) | Answer::Page(_) | Answer::File(_) => {
            let words = "Any other error: one that says nothing of this request.";
            responses.insert("default".to_owned(), problem(words, &[]));
        }
    }
    Value::Object(responses)
}

fn success(route: &RouteSpec, examples: &Examples) -> (&'static str, Value) {
    let json_answer =
        |schema: Value| json!({ "description": "Done.", "content": { "application/json": schema } });
    match route.answer {
        Answer::Text => (
            "200",
            json!({ "description": "Yes.", "content": { "text/plain": { "schema": { "type": "string" } } } }),
        ),
        Answer::Document => {
            let mut document = json_answer(json!({ "schema": { "type": "object" } }));
            document["headers"] = json!({ "ETag": { "$ref": "#/components/headers/ETag" } });
            ("200", document)
        }
        Answer::File(types) => ("200", file(types)),
        Answer::Upgrade => ("101", json!({ "description": "From here on the frames of the socket." })),
        Answer::Frame(_) | Answer::Type(_) | Answer::Page(_) => {
            let name = answer_name(route).expect("an answer with a form");
            let shown = answer_examples(route, &name, examples);
            let mut answer = json_answer(content(&name, shown));
            if route.errors().contains(&ErrorCode::RateLimited) {
                answer["headers"] = named_headers(&["RateLimit", "RateLimit-Policy"]);
            }
            ("200", answer)
        }
    }
}

/// Bytes that are sent while they are read: an answer that fails in the middle ends without its end.
fn file(types: &[&str]) -> Value {
    let text = json!({ "schema": { "type": "string" } });
    let content: Map<String, Value> = types.iter().map(|form| ((*form).to_owned(), text.clone())).collect();
    let words = "The file. When the server fails in the middle, the connection ends before the answer does.";
    json!({
        "description": words,
        "headers": named_headers(&["Content-Disposition", "RateLimit", "RateLimit-Policy"]),
        "content": content,
    })
}

fn refusal(status: u16, codes: &[ErrorCode]) -> Value {
    let rows: Vec<String> =
        codes.iter().map(|code| format!("- `{}`: {}", code.as_str(), code.meaning())).collect();
    let mut headers = Vec::new();
    if status == 401 {
        headers.push("WWW-Authenticate");
    }
    if status == 429 || status == 503 {
        headers.push("Retry-After");
    }
    if codes.contains(&ErrorCode::RateLimited) {
        headers.extend(["RateLimit", "RateLimit-Policy"]);
    }
    let mut refusal = problem(&rows.join("\n"), &headers);
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    refusal["x-error-codes"] = json!(words);
    refusal
}

fn problem(description: &str, headers: &[&str]) -> Value {
    let mut answer = json!({
        "description": description,
        "content": { "application/problem+json": { "schema": { "$ref": format!("{PLACE}Problem") } } },
    });
    if !headers.is_empty() {
        answer["headers"] = named_headers(headers);
    }
    answer
}

fn named_headers(names: &[&str]) -> Value {
    let named = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(names.iter().map(named).collect())
}

fn headers() -> Value {
    json!({
        "Content-Disposition": { "description": "Under which name to keep it.", "schema": { "type": "string" } },
        "ETag": { "description": "Changes with the document.", "schema": { "type": "string" } },
        "RateLimit": {
            "description": "How many are left of this person's allowance, and in how many seconds it is whole again: `\"name\";r=…;t=…`.",
            "schema": { "type": "string" },
        },
        "RateLimit-Policy": {
            "description": "How many there may be in which time: `\"name\";q=…;w=…`.",
            "schema": { "type": "string" },
        },
        "Retry-After": { "description": "After how many seconds to try again.", "schema": { "type": "integer", "minimum": 0 } },
        "WWW-Authenticate": { "description": "What is missing.", "schema": { "type": "string", "const": "Bearer" } },
    })
}

fn content(schema: &str, examples: Map<String, Value>) -> Value {
    let mut content = json!({ "schema": { "$ref": format!("{PLACE}{schema}") } });
    if !examples.is_empty() {
        content["examples"] = Value::Object(examples);
    }
    content
}

/// A body's examples: those of the frame, without what is of the socket and what the path names; or those of the type.
fn body_examples(route: &RouteSpec, examples: &Examples) -> Map<String, Value> {
    match route.body {
        Body::Empty => Map::new(),
        Body::Type(name) => named(examples_of(examples, "http", name)),
        Body::Frame(kind) => {
            let mut shown = named(examples_of(examples, "client", kind));
            let of_the_socket = ["type", "id", "client_id"].into_iter().chain(route.path_fields());
            for field in of_the_socket {
                for example in shown.values_mut() {
                    example["value"].as_object_mut().and_then(|example| example.remove(field));
                }
            }
            shown
        }
    }
}

/// An answer's examples: those of its type, a page of one, or what an `ok` frame of that form has as `data`.
fn answer_examples(route: &RouteSpec, name: &str, examples: &Examples) -> Map<String, Value> {
    let one = |example: Option<Value>| {
        example.map(|example| (name.to_owned(), json!({ "value": example }))).into_iter().collect()
    };
    match (route.answer, name) {
        (Answer::Frame(_), "MessageAnswer") => {
            one(examples.get("server/ok").map(|frame| frame["data"].clone()))
        }
        (Answer::Frame(_), "CaseAnswer") => {
            one(examples.get("server/ok.case").map(|frame| frame["data"].clone()))
        }
        (Answer::Page(of), _) => {
            one(examples.get(&format!("http/{of}")).map(|item| json!({ "items": [item] })))
        }
        _ => named(examples_of(examples, "http", name)),
    }
}

fn named<'a>(examples: impl Iterator<Item = (&'a str, &'a Value)>) -> Map<String, Value> {
    examples.map(|(name, example)| (name.to_owned(), json!({ "value": example }))).collect()
}

fn tag(route: &RouteSpec) -> &'static str {
    let parts: Vec<&str> = route.path.split('/').collect();
    match (route.method, parts.get(2)) {
        (_, Some(&("webhooks" | "events" | "outbox" | "push"))) => "reach",
        (Method::Put, _) => "marketplace",
        (Method::Post, _) if route.who == Who::Service => "marketplace",
        (_, Some(&("rooms" | "changes" | "search" | "ws"))) => "rooms",
        (_, Some(&("invitations" | "proposals" | "candidacies" | "jobs" | "offers" | "contracts"))) => {
            "cases"
        }
        (_, Some(&"keys")) => "operation",
        (_, Some(_)) => "people",
        (_, None) => "operation",
    }
}

fn tags() -> Value {
    json!([
        { "name": "cases", "description": "Jobs, invitations, proposals, candidacies, offers and contracts." },
        { "name": "marketplace", "description": "What the marketplace's systems tell." },
        { "name": "operation", "description": "Probes, keys, and the documents." },
        { "name": "people", "description": "Who one is." },
        { "name": "reach", "description": "Events and webhooks, which other systems hear, and push notifications." },
        { "name": "rooms", "description": "Rooms, their logs, and what is in them." },
    ])
}
