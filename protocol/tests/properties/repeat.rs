//! A command is told from another one by its fingerprint: by what it asks for, and by nothing else that stands in its frame.

use std::collections::BTreeSet;

use anteroom_protocol::client::{self, ClientFrame};
use anteroom_protocol::command::Command;
use anteroom_protocol::id::ClientId;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::common::golden;
use crate::strategy::{cases, command, uuid};

#[test]
fn a_changed_field_makes_another_command() {
    let other = [
        json!("019a4000-0000-7000-8000-000000000000"),
        json!("usr_somebody_else"),
        json!("too_busy"),
        json!("not_interested"),
        json!("fixed"),
        json!("hourly"),
        json!("2031-01-02"),
        json!(7),
        json!("0".repeat(64)),
        json!("charged"),
        json!("archived"),
        json!("spam"),
        json!("client"),
        json!("2031-01-02T00:00:00.000000Z"),
    ];
    for file in golden("client") {
        let Some(command) = decoded_command(&file.value) else {
            continue;
        };
        for path in leaves(&file.value, "") {
            if ["/type", "/id", "/client_id", "/confirmed"].contains(&path.as_str()) {
                continue;
            }
            let mut changes = 0;
            for other in &other {
                let mut changed = file.value.clone();
                *changed.pointer_mut(&path).expect("a leaf") = other.clone();
                let Some(changed) = decoded_command(&changed).filter(|changed| *changed != command) else {
                    continue;
                };
                assert_ne!(changed.fingerprint(), command.fingerprint(), "{} {path}", file.stem);
                changes += 1;
            }
            assert!(changes > 0, "{} {path}: nothing else fits this field", file.stem);
        }
    }
}

#[test]
fn commands_of_the_same_fields_and_another_type_differ() {
    let fingerprints: BTreeSet<Vec<u8>> = ["invitation.archive", "invitation.withdraw"]
        .map(|name| {
            let fields: Map<String, Value> =
                [("invitation".to_owned(), json!(Uuid::from_u128(7)))].into_iter().collect();
            Command::from_fields(name, fields).expect("a command").fingerprint()
        })
        .into();
    assert_eq!(fingerprints.len(), 2);
}

#[test]
fn the_client_id_the_frames_id_and_a_confirmation_are_no_part_of_what_is_repeated() {
    for file in golden("client") {
        let Some(command) = decoded_command(&file.value) else {
            continue;
        };
        let mut again = file.value.clone();
        again["id"] = json!("another");
        again["client_id"] = json!(Uuid::from_u128(7));
        again["confirmed"] = json!(again["confirmed"] != json!(true));
        assert_eq!(decoded_command(&again).expect("a command").fingerprint(), command.fingerprint());
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_repeat_is_told_by_neither_order_nor_unknown_fields(command in command(), id in uuid()) {
        let frame = ClientFrame::Command(ClientId(id).into(), command.clone()).encode(None);
        let value: Value = serde_json::from_str(&frame).expect("JSON");
        let (_, again) = client::decode(&reordered(&value)).expect("a frame");
        let ClientFrame::Command(_, again) = again else { panic!("no command: {again:?}") };
        prop_assert_eq!(again.fingerprint(), command.fingerprint());
        prop_assert_eq!(again, command);
    }

    #[test]
    fn commands_have_the_same_fingerprint_exactly_when_they_are_equal(one in command(), other in command()) {
        prop_assert_eq!(one == other, one.fingerprint() == other.fingerprint());
        prop_assert_eq!(one.fingerprint(), one.clone().fingerprint());
    }
}

fn decoded_command(value: &Value) -> Option<Command> {
    match client::decode(&value.to_string()) {
        Ok((_, ClientFrame::Command(_, command))) => Some(command),
        _ => None,
    }
}

/// The path of every string and number in a value, as JSON pointers.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(map) => {
            map.iter().flat_map(|(name, inner)| leaves(inner, &format!("{path}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, inner)| leaves(inner, &format!("{path}/{at}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![path.to_owned()],
    }
}

/// The same JSON as text, with the fields of every object from the last to the first and one more that nobody knows.
fn reordered(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let known = map.iter().rev().map(|(name, value)| format!("{}:{}", json!(name), reordered(value)));
            let fields: Vec<String> =
                [r#""zz_unknown":[{"a":1}]"#.to_owned()].into_iter().chain(known).collect();
            format!("{{ {} }}", fields.join(" , "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(reordered).collect::<Vec<_>>().join(", ")),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf.to_string(),
    }
}
