//! Whatever a decoder is given, it does not panic, and a refusal carries the id wherever there is one to be read.

use anteroom_protocol::client::{self, ClientFrame, Ping};
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::server;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::common::golden;
use crate::strategy::{cases, frame_id, value};

#[test]
fn a_refusal_carries_the_id_whatever_else_is_wrong() {
    for file in golden("client") {
        for name in file.value.as_object().expect("an object").keys().filter(|name| *name != "id") {
            for wrong in wrong_values().into_iter().map(Some).chain([None]) {
                let mut frame = file.value.clone();
                frame["id"] = json!("the id");
                let fields = frame.as_object_mut().expect("an object");
                match wrong {
                    Some(wrong) => fields.insert(name.clone(), wrong),
                    None => fields.remove(name),
                };
                let id = match client::decode(&frame.to_string()) {
                    Ok((id, _)) => id,
                    Err(error) => error.id,
                };
                assert_eq!(id.as_deref(), Some("the id"), "{frame}");
            }
        }
    }
}

#[test]
fn what_tortures_a_parser_is_answered_and_crashes_nothing() {
    let deep = 10_000;
    let nested = ["[".repeat(deep), r#"{"a":"#.repeat(deep)];
    let closed = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    let digits = "9".repeat(10_000);
    let mut values = vec![
        closed.clone(),
        digits.clone(),
        format!("-{digits}"),
        format!("1e{digits}"),
        format!("0.{digits}"),
        "1e999999".into(),
        "NaN".into(),
        r#""\ud800""#.into(),
        r#""\udc00\ud800""#.into(),
        r#""\u0000""#.into(),
        "\"\0\"".into(),
        "\u{feff}1".into(),
    ];
    values.extend(nested);
    for value in values {
        for text in [
            value.clone(),
            format!(r#"{{"type":{value}}}"#),
            format!(r#"{{"id":{value},"type":"ping"}}"#),
            format!(r#"{{"type":"ping","unknown":{value}}}"#),
            format!(r#"{{"type":"join","room":"inbox","after":{value}}}"#),
            format!(r#"{{"type":"message.post","room":"inbox","body":{value},"client_id":{value}}}"#),
            format!(r#"{{"type":"hello","token":"x","rooms":{value}}}"#),
            format!(r#"{{"type":"invitation.accept","terms":{value}}}"#),
        ] {
            let _ = client::decode(&text);
            let _ = server::decode(&text);
        }
    }
    let unknown = format!(r#"{{"type":"ping","id":"7","unknown":{closed}}}"#);
    assert_eq!(client::decode(&unknown), Ok((Some("7".into()), ClientFrame::Ping(Ping::default()))));
    let data = format!(r#"{{"type":"ok","id":"7","data":{closed}}}"#);
    assert!(server::decode(&data).is_err(), "a value this deep would end the stack of whoever reads it");
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    for (text, code) in [
        (r#"{"type":"ping","type":"ping"}"#, ErrorCode::BadFrame),
        (r#"{"type":"ping","id":"1","id":"2"}"#, ErrorCode::BadFrame),
        (r#"{"type":"leave","room":"inbox","room":"inbox"}"#, ErrorCode::BadRequest),
    ] {
        assert_eq!(client::decode(text).expect_err("a repeat").code, code, "{text}");
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn no_text_makes_the_decoders_panic(text in any::<String>()) {
        let _ = client::decode(&text);
        let _ = server::decode(&text);
    }

    #[test]
    fn no_json_makes_the_decoders_panic(
        kind in select(client::CONTROL_TYPES.into_iter().chain(Command::ALL.iter().map(|spec| spec.name)).collect::<Vec<_>>()),
        fields in vec((select(vec!["room", "rooms", "body", "terms", "after", "hash", "client_id", "invitation"]), value()), 0..6),
    ) {
        let mut frame: Value = fields.into_iter().collect();
        frame["type"] = json!(kind);
        frame["id"] = json!("7");
        if let Err(error) = client::decode(&frame.to_string()) {
            prop_assert_eq!(error.id.as_deref(), Some("7"));
            prop_assert_eq!(error.code, ErrorCode::BadRequest);
        }
    }

    #[test]
    fn no_damage_to_a_frame_makes_the_decoders_panic(
        file: Index,
        damage in vec((any::<Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let files = [golden("client"), golden("server")].concat();
        let mut bytes = file.get(&files).text.clone().into_bytes();
        for (at, how, byte) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.splice(at.., [])),
                _ => bytes.extend_from_within(at..),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let _ = client::decode(&text);
        let _ = server::decode(&text);
    }

    #[test]
    fn an_unknown_type_is_told_with_the_id(kind in "[a-z_.]{0,20}", id in frame_id()) {
        let text = json!({ "type": format!("x-{kind}"), "id": id }).to_string();
        let error = client::decode(&text).expect_err("no such type");
        prop_assert_eq!((error.code, error.id), (ErrorCode::UnknownType, id));
    }
}

/// JSON that fits no field, and some that fits many.
fn wrong_values() -> Vec<Value> {
    let mut deep = json!([]);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    vec![json!(null), json!(true), json!(-1), json!(1e300), json!(""), json!("x"), json!([]), json!({}), deep]
}
