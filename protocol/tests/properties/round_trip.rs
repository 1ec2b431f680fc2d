//! A frame of either side is read as it was written, and has each of its fields once.

use std::collections::BTreeSet;
use std::fmt;

use anteroom_protocol::client::{self, ClientFrame};
use anteroom_protocol::server::{self, ServerFrame};
use proptest::prelude::*;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use crate::strategy::{cases, client_frame, frame_id, server_frame};

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn every_client_frame_is_read_as_it_was_written(frame in client_frame(), id in frame_id()) {
        let text = frame.encode(id.as_deref());
        prop_assert_eq!(client::decode(&text), Ok((id, frame)));
    }

    #[test]
    fn a_written_client_frame_has_each_field_once(frame in client_frame(), id in frame_id()) {
        let names = field_names(&frame.encode(id.as_deref()));
        let once: BTreeSet<&String> = names.iter().collect();
        prop_assert_eq!(once.len(), names.len(), "{:?}", names);
        prop_assert!(names.iter().any(|name| name == "type"));
        prop_assert_eq!(names.iter().any(|name| name == "id"), id.is_some());
        let is_command = matches!(frame, ClientFrame::Command(..));
        prop_assert_eq!(names.iter().any(|name| name == "client_id"), is_command);
    }

    #[test]
    fn every_server_frame_is_read_as_it_was_written(frame in server_frame()) {
        let text = frame.encode();
        prop_assert_eq!(&server::decode(&text).expect("a frame"), &frame);
        prop_assert_eq!(&serde_json::from_str::<ServerFrame>(&text).expect("a frame"), &frame);
        let names = field_names(&text);
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        prop_assert_eq!(names.first().map(String::as_str), Some("type"));
    }
}

/// The names of the outermost fields of a text, repeats included.
fn field_names(text: &str) -> Vec<String> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Vec<String>, M::Error> {
            let mut names = Vec::new();
            while let Some((name, IgnoredAny)) = map.next_entry()? {
                names.push(name);
            }
            Ok(names)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Names).expect("an object")
}
