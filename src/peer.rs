//! Who a request comes from.

use std::net::IpAddr;

/// Who a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address; behind a trusted proxy the one it speaks for.
    pub address: IpAddr,
    /// Whether nobody on the way can read along: TLS, or this machine itself.
    pub secure: bool,
}
