//! Records as lines of JSON: `{"i":3,"t":1200000,"e":"ok","room":"r1","cid":"…","seq":4,"hash":"…","dup":false}`.
//!
//! `e` says what it is. Digests and hashes are hexadecimal, of which the first 32 digits count; a `client_id` is a UUID. Both may be
//! shorter, so that a log for a test can be written by hand. `note` is for the human reader.

mod read;
mod write;

use std::collections::BTreeMap;

use anteroom_protocol::room::JoinMode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::{Digest, Role, Via};

pub use read::read;
pub use write::write;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    #[default]
    Note,
    Run,
    Fault,
    Repairs,
    Member,
    Before,
    Start,
    Conn,
    Disc,
    Join,
    Leave,
    Invoke,
    Ok,
    Nack,
    Recv,
    Gap,
    Reset,
    View,
    Final,
    End,
}

/// One line with every field that any record has. Flat, because that is what serde reads without a detour.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(default)]
    i: u32,
    #[serde(default)]
    t: u64,
    e: Event,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    room: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<JoinMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cid: Option<Hex>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Hex>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<Hex>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dup: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    code: Option<Code<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<Via>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound_ms: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    layer: Option<&'a str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    scenario: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    faults: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    versions: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A close code, or the word of an error.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Code<'a> {
    Close(u16),
    Error(&'a str),
}

/// Hexadecimal, up to 32 digits that count; hyphens do not.
#[derive(Debug, Clone, Copy)]
struct Hex([u8; 16]);

impl Hex {
    fn known(digest: Digest) -> Option<Self> {
        (digest != Digest::NONE).then_some(Self(digest.0))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let mut digits = text.bytes().filter(|byte| *byte != b'-').take(32);
        let value = digits.try_fold(0_u128, |value, byte| {
            let digit = char::from(byte).to_digit(16)?;
            Some(value << 4 | u128::from(digit))
        });
        value
            .map(|value| Self(value.to_be_bytes()))
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not hexadecimal")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Names;
    use super::*;

    #[test]
    fn a_line_that_was_written_reads_as_the_same_record() {
        let lines = [
            r#"{"e":"run","scenario":"steady-rooms","seed":7,"plan":9,"faults":true,"versions":{"server":"0.1.0"}}"#,
            r#"{"t":5,"e":"fault","name":"kill","start":5,"stop":9,"bound_ms":4000}"#,
            r#"{"e":"repairs","layer":"audit","count":3}"#,
            r#"{"e":"member","room":"r","user":"ann","on":false,"seq":4,"began":2}"#,
            r#"{"e":"before","room":"r","head":4}"#,
            r#"{"e":"start","client":"a","user":"ann","role":"client"}"#,
            r#"{"i":1,"t":2,"n":2,"e":"conn"}"#,
            r#"{"i":1,"t":2,"e":"disc","code":1006}"#,
            r#"{"i":1,"t":2,"e":"join","room":"r","after":3,"mode":"resumed","head":9,"began":1}"#,
            r#"{"i":1,"t":2,"e":"leave","room":"r"}"#,
            r#"{"i":1,"t":2,"e":"invoke","room":"r","cid":"c1","kind":"message.post","digest":"d1"}"#,
            r#"{"i":1,"t":2,"e":"ok","room":"r","cid":"c1","seq":4,"hash":"a4","dup":true}"#,
            r#"{"i":1,"t":2,"e":"nack","cid":"c1","code":"held","retry":true}"#,
            r#"{"i":1,"t":2,"e":"recv","room":"r","seq":4,"hash":"a4","cid":"c1","by":"ann","kind":"terms.proposed","version":2,"via":"live"}"#,
            r#"{"i":1,"t":2,"e":"gap","room":"r","from":4,"to":600}"#,
            r#"{"i":1,"t":2,"e":"reset","room":"r"}"#,
            r#"{"i":1,"t":2,"e":"view","room":"r","count":2,"last":4,"hash":"a4"}"#,
            r#"{"i":1,"t":2,"e":"final","room":"r","head":4}"#,
            r#"{"i":1,"t":2,"e":"end"}"#,
        ];
        for text in lines {
            let mut names = Names::default();
            let record = read(text, &mut names).expect("a line").expect("a record");
            let mut written = Vec::new();
            write(&mut written, &record, &names).expect("a vector takes all");
            let written = String::from_utf8(written).expect("JSON");
            assert_eq!(read(&written, &mut names), Ok(Some(record)), "{written}");
        }
    }

    #[test]
    fn a_line_that_lacks_a_field_or_has_a_strange_one_is_refused() {
        for (text, problem) in [
            (r#"{"e":"ok","room":"r","cid":"c1","seq":4}"#, "dup is missing"),
            (r#"{"e":"end","colour":"red"}"#, "unknown field"),
            (r#"{"e":"disc","code":"held"}"#, "no close code"),
            (r#"{"e":"before","room":"r","head":99999999999}"#, "more entries"),
            (r#"{"e":"nack","cid":"xyz","code":"held","retry":true}"#, "hexadecimal"),
            (r#"{"e":"en"#, "EOF"),
        ] {
            let error = read(text, &mut Names::default()).expect_err(text);
            assert!(error.contains(problem), "{error}");
        }
        assert_eq!(read(r#"{"e":"note","text":"for you"}"#, &mut Names::default()), Ok(None));
    }
}
