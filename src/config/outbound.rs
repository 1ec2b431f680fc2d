//! Whom this server posts to, of those whom others name.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

/// The way out: webhooks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// Networks, or single addresses, that are posted to although not everybody can reach them: where the marketplace's own receivers are, and nothing
    /// else. With the development secret, this machine is one of them, and TLS may be left out.
    #[serde(deserialize_with = "allowed")]
    pub allow: Vec<IpNet>,
    /// A PEM file with certificates that are trusted beside the machine's. Read at start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

fn allowed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    super::networks(deserializer, "outbound.allow")
}
