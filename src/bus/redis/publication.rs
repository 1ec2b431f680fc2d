//! A publication: the bytes of one message on the bus.
//!
//! ```text
//! version   1 byte     the form of the body
//! code     16 bytes    HMAC-SHA256 of (channel's name, 0, version, everything behind this), its first half
//! length    4 bytes    of the header, big-endian
//! header    JSON       who, the how-manieth, and what it is about
//! body      JSON       what it says, if that was not too large
//! ```
//!
//! Nodes of different versions talk to each other while they are replaced one by one. So everything but the body stays as it is, for
//! ever: a header may gain a field, and loses or changes none. Of a version it does not know, a node reads the header, and the log for
//! the rest.

use anteroom_protocol::id::UserId;
use serde::{Deserialize, Serialize};

use super::channel::{Channel, Channels, MAC_BYTES};
use crate::bus::NodeId;

/// The form of bodies that this version writes.
pub(super) const VERSION: u8 = 1;
/// Bytes before the header.
const PREFIX: usize = 1 + MAC_BYTES + 4;

/// The header of everything but ticks. What has neither a log nor a person is of a newer version, and only counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Who says so.
    pub(super) node: NodeId,
    /// The how-manieth of this node on this channel, from 1.
    pub(super) count: u64,
    /// The name of the log it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<String>,
    /// The first new entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<u64>,
    /// The last new entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<u64>,
    /// The person who is to be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<UserId>,
}

impl Header {
    /// That something about this person has changed.
    pub(super) fn person(node: NodeId, count: u64, person: UserId) -> Self {
        Self { node, count, log: None, from: None, to: None, person: Some(person) }
    }
}

/// The header of a tick, which has no body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tick {
    /// Whose.
    pub(super) node: NodeId,
    /// The how-manieth, from 1.
    pub(super) count: u64,
    /// How much this node has said on each shard so far, in order.
    pub(super) counts: Vec<u64>,
    /// Whether this node hears nothing of the others.
    #[serde(default)]
    pub(super) degraded: bool,
    /// Whether this is its last.
    #[serde(default)]
    pub(super) bye: bool,
}

/// What somebody has said who knows the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened<'a> {
    /// The form of the body.
    pub(super) version: u8,
    /// The header's JSON.
    pub(super) header: &'a [u8],
    /// The body's JSON, or nothing.
    pub(super) body: &'a [u8],
}

/// The bytes to publish.
pub(super) fn seal(channels: &Channels, channel: Channel, header: &[u8], body: &[u8]) -> Vec<u8> {
    sealed(channels, channel, VERSION, (header, body))
}

fn sealed(channels: &Channels, channel: Channel, version: u8, (header, body): (&[u8], &[u8])) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + body.len());
    bytes.push(version);
    bytes.extend([0; MAC_BYTES]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(header);
    bytes.extend(body);
    let code = channels.mac(channel, version, &bytes[1 + MAC_BYTES..]);
    bytes[1..=MAC_BYTES].copy_from_slice(&code);
    bytes
}

/// What the bytes say; `None`: nobody has said this who knows the key.
pub(super) fn open<'a>(channels: &Channels, channel: Channel, bytes: &'a [u8]) -> Option<Opened<'a>> {
    let (version, bytes) = bytes.split_first()?;
    let (code, rest) = bytes.split_first_chunk::<MAC_BYTES>()?;
    if !channels.is_ours(channel, *version, rest, code) {
        return None;
    }
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (header, body) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some(Opened { version: *version, header, body })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// As a node of another version would say it.
    pub(in crate::bus::redis) fn sealed_in_version(
        channels: &Channels,
        channel: Channel,
        version: u8,
        content: (&[u8], &[u8]),
    ) -> Vec<u8> {
        sealed(channels, channel, version, content)
    }

    #[test]
    fn what_was_sealed_is_opened_and_nothing_else_is() {
        let channels = Channels::new(&[1; 32]);
        let bytes = seal(&channels, Channel::Tick, b"{}", b"body");
        let opened = open(&channels, Channel::Tick, &bytes).expect("ours");
        assert_eq!(opened, Opened { version: 1, header: b"{}", body: b"body" });
        assert_eq!(open(&channels, Channel::Lane(0), &bytes), None);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_eq!(open(&channels, Channel::Tick, &other), None, "byte {at}");
            assert_eq!(open(&channels, Channel::Tick, &bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_opens_nothing() {
        let channels = Channels::new(&[1; 32]);
        let mut bytes = seal(&channels, Channel::Tick, b"{}", b"");
        bytes[1 + MAC_BYTES] = 255;
        let code = channels.mac(Channel::Tick, 1, &bytes[1 + MAC_BYTES..]);
        bytes[1..=MAC_BYTES].copy_from_slice(&code);
        assert_eq!(open(&channels, Channel::Tick, &bytes), None);
    }
}
