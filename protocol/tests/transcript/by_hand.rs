//! A transcript as the prose says it, written without the writer: also such as no server makes.

use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::log::{Hash, canonical};
use anteroom_protocol::signature::{Purpose, SigningKey};
use anteroom_protocol::transcript::{Audience, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::room::Room;

pub(crate) struct ByHand {
    pub(crate) header: Value,
    pub(crate) entries: Vec<String>,
    /// Stands behind the genuine fields of the footer before it is signed.
    pub(crate) footer: Value,
}

impl ByHand {
    pub(crate) fn new(room: &Room, audience: Audience) -> Self {
        let frames = (0..room.rows.len()).map(|row| room.frame(row, audience));
        let (entries, footer) = (frames.map(|frame| line(&frame)).collect(), json!({}));
        Self { header: header(&room.header(audience)), entries, footer }
    }

    /// The file, signed with this key.
    pub(crate) fn signed(&self, key: &SigningKey) -> Vec<u8> {
        let mut file = canonical(&self.header);
        file.push(b'\n');
        for entry in &self.entries {
            file.extend(entry.bytes());
            file.push(b'\n');
        }
        let last: Value =
            self.entries.last().map_or(Value::Null, |entry| serde_json::from_str(entry).expect("JSON"));
        let mut footer = json!({
            "type": "footer",
            "entries": self.entries.len(),
            "digest": Hash(Sha256::digest(&file).into()),
            "room": self.header["room"],
            "head": last["seq"].as_u64().unwrap_or_default(),
            "hash": last.get("hash").cloned().unwrap_or_else(|| json!(Hash::GENESIS)),
            "key": key.public().fingerprint(),
            "public_key": key.public(),
        });
        merge(&mut footer, &self.footer);
        footer["signature"] = json!(key.sign(Purpose::Transcript, &footer));
        file.extend(canonical(&footer));
        file.push(b'\n');
        file
    }
}

/// The header's fields with what says that it is one.
pub(crate) fn header(header: &Header) -> Value {
    let mut value = json!(header);
    merge(&mut value, &json!({ "type": "transcript", "version": 1 }));
    value
}

/// An entry's line.
pub(crate) fn line(frame: &EntryFrame) -> String {
    let text = serde_json::to_string(frame).expect("JSON");
    format!(r#"{{"type":"entry",{}"#, text.strip_prefix('{').expect("an object"))
}

fn merge(value: &mut Value, other: &Value) {
    for (name, field) in other.as_object().expect("fields") {
        value[name] = field.clone();
    }
}
