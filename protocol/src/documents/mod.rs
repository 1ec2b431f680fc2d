//! The published documents, made from the types: JSON Schema for every frame and body, AsyncAPI for the socket, OpenAPI for the routes.
//!
//! They are committed (`schema/`, `asyncapi.json`, `openapi.json`, two tables of `README.md`) and served; a test makes them again and
//! compares. Nothing here is used while a server runs.

mod asyncapi;
mod definitions;
mod files;
mod frames;
mod openapi;
mod prose;
mod routes;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::definitions::Definitions;
pub use self::prose::with_tables;

/// The examples of `golden/`, by folder and name without ending: `client/join`.
pub type Examples = BTreeMap<String, Value>;

/// Every document by its path in this package, as it is to be written.
///
/// # Panics
/// When the table of routes names a type that is not among the definitions.
pub fn all(examples: &Examples) -> BTreeMap<String, String> {
    let definitions = Definitions::new();
    let mut documents = files::all(&definitions, examples);
    documents.insert("asyncapi.json".to_owned(), asyncapi::document(&definitions, examples));
    documents.insert("openapi.json".to_owned(), openapi::document(&definitions, examples));
    documents.into_iter().map(|(path, document)| (path, text(&document))).collect()
}

/// The type that a value of the table's `name` has in Rust and in the documents: `message.post` is `MessagePost`.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    name.split(['.', '_', '-']).map(word).collect()
}

/// The examples of one type: `client/join`, `client/join.at_the_head` and so on.
fn examples_of<'a>(
    examples: &'a Examples,
    folder: &str,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let exact = format!("{folder}/{name}");
    let special = format!("{exact}.");
    let at = folder.len() + 1;
    examples
        .iter()
        .filter(move |(path, _)| **path == exact || path.starts_with(&special))
        .map(move |(path, example)| (&path[at..], example))
}

/// Text that is the same on every run and every machine: names in order, two spaces, a line end.
fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&sorted(document)).expect("a value can be written");
    text.push('\n');
    text
}

/// The same value with the names of every object in order, whatever the map of this build keeps.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<&String, Value> =
                map.iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(
                ordered.into_iter().map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf.clone(),
    }
}
