//! A port that nobody listens on, and that nobody gets by accident while its server is down.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use uuid::Uuid;

/// Below the ports that Linux hands out by itself (from 32768 on). One of those could go to any outgoing connection while its server is
/// down for a moment; and a client that tries to reach a dead port of that range again and again is in the end connected to itself.
const PORTS: Range<u16> = 20_000..32_000;

/// How many ports are tried, from a random one on.
const TRIED: u16 = 200;

/// A port of the loopback interface that was free a moment ago.
pub(crate) fn free() -> io::Result<u16> {
    let [high, low, ..] = Uuid::new_v4().into_bytes();
    let first = u16::from_be_bytes([high, low]);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (0..TRIED)
        .map(|step| PORTS.start + first.wrapping_add(step) % (PORTS.end - PORTS.start))
        .find(is_free)
        .ok_or_else(|| io::ErrorKind::AddrInUse.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_not_free() {
        let port = free().unwrap();
        assert!(PORTS.contains(&port));
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!((0..100).all(|_| free().unwrap() != port));
    }
}
