//! The names of the channels, and who may speak on them.
//!
//! Both come from one key that the database keeps. Nodes of one database find each other and nobody else, also when several databases
//! share a Redis; and whoever can write to Redis without knowing the key cannot speak.

use std::collections::HashMap;

use anteroom_protocol::log::to_hex;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::bus::shard::{SHARDS, Shard};
use crate::domain::log::Log;

/// Channels for what is not kept.
pub(super) const LANES: usize = 16;
/// Bytes of a publication's authentication code.
pub(super) const MAC_BYTES: usize = 16;

/// One channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Channel {
    /// What was committed in the logs of a shard: counted, so that a loss is noticed.
    Shard(Shard),
    /// What is not kept.
    Lane(usize),
    /// Each node's counts, once a second.
    Tick,
}

impl Channel {
    /// The channel for what is told of this log and not kept.
    pub(super) fn lane(log: &Log) -> Self {
        Self::Lane(Shard::of(log).index() % LANES)
    }

    fn all() -> impl Iterator<Item = Self> {
        let lanes = (0..LANES).map(Self::Lane);
        // The tick is the last one that is subscribed to: whoever hears a tick hears everything.
        Shard::all().map(Self::Shard).chain(lanes).chain([Self::Tick])
    }

    fn index(self) -> usize {
        match self {
            Self::Shard(shard) => shard.index(),
            Self::Lane(lane) => SHARDS + lane,
            Self::Tick => SHARDS + LANES,
        }
    }
}

/// All channels of one database.
pub(super) struct Channels {
    names: Vec<String>,
    named: HashMap<String, Channel>,
    mac: Hmac<Sha256>,
}

impl Channels {
    /// Those of the database that keeps this key.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = derive(key, "namespace");
        let namespace = to_hex(&[a, b, c, d, e, f, g, h]);
        let name = |channel| match channel {
            Channel::Shard(shard) => format!("anteroom:{namespace}:ev:{:03}", shard.index()),
            Channel::Lane(lane) => format!("anteroom:{namespace}:ep:{lane:02}"),
            Channel::Tick => format!("anteroom:{namespace}:tick"),
        };
        let names: Vec<String> = Channel::all().map(name).collect();
        let named = names.iter().cloned().zip(Channel::all()).collect();
        Self { names, named, mac: keyed(&derive(key, "mac")) }
    }

    /// The names of all, in the order in which they are subscribed to.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of one.
    pub(super) fn name(&self, channel: Channel) -> &str {
        self.names.get(channel.index()).map_or("", String::as_str)
    }

    /// The one of this name.
    pub(super) fn named(&self, name: &str) -> Option<Channel> {
        self.named.get(name).copied()
    }

    /// The authentication code of what is said on a channel.
    pub(super) fn mac(&self, channel: Channel, version: u8, rest: &[u8]) -> [u8; MAC_BYTES] {
        let whole: [u8; 32] = self.code(channel, version, rest).finalize().into_bytes().into();
        let mut code = [0; MAC_BYTES];
        code.copy_from_slice(&whole[..MAC_BYTES]);
        code
    }

    /// Whether somebody who knows the key has said this on this channel.
    pub(super) fn is_ours(&self, channel: Channel, version: u8, rest: &[u8], code: &[u8; MAC_BYTES]) -> bool {
        self.code(channel, version, rest).verify_truncated_left(code).is_ok()
    }

    fn code(&self, channel: Channel, version: u8, rest: &[u8]) -> Hmac<Sha256> {
        let mut code = self.mac.clone();
        // No name has a zero in it, so that a name never runs into what follows.
        code.update(self.name(channel).as_bytes());
        code.update(&[0, version]);
        code.update(rest);
        code
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn derive(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    let mut code = keyed(key);
    code.update(purpose.as_bytes());
    code.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_its_own_names_and_a_name_leads_to_its_channel() {
        let (one, other) = (Channels::new(&[1; 32]), Channels::new(&[2; 32]));
        assert_eq!(one.names().len(), SHARDS + LANES + 1);
        assert!(one.names().iter().all(|name| !other.names().contains(name)));
        for channel in Channel::all() {
            assert_eq!(one.named(one.name(channel)), Some(channel));
        }
        assert_eq!(one.named("anteroom:tick"), None);
        assert!(one.names().last().is_some_and(|name| name.ends_with(":tick")));
    }

    #[test]
    fn a_code_counts_for_its_channel_its_version_and_its_bytes_alone() {
        let channels = Channels::new(&[1; 32]);
        let code = channels.mac(Channel::Lane(1), 1, b"hello");
        assert!(channels.is_ours(Channel::Lane(1), 1, b"hello", &code));
        assert!(!channels.is_ours(Channel::Lane(2), 1, b"hello", &code));
        assert!(!channels.is_ours(Channel::Lane(1), 2, b"hello", &code));
        assert!(!channels.is_ours(Channel::Lane(1), 1, b"hellO", &code));
        assert!(!Channels::new(&[2; 32]).is_ours(Channel::Lane(1), 1, b"hello", &code));
    }
}
