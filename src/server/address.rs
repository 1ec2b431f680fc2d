//! Whose request it is: the peer's, or, when the peer is a proxy that the operator trusts, that of the client it speaks for.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::peer::Peer;

/// The proxies whose word is taken for where a request comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Trusts these networks.
    pub(super) fn new(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    /// Whether this is one of them.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whose request this is, that came from this peer, and over TLS if so.
    pub(super) fn peer(&self, peer: IpAddr, tls: bool, headers: &HeaderMap) -> Peer {
        let peer = peer.to_canonical();
        if !self.trust(peer) {
            return Peer { address: peer, secure: tls || peer.is_loopback() };
        }
        Peer { address: self.forwarded_for(peer, headers), secure: forwarded_over_tls(headers) }
    }

    /// The right-most address that is no proxy of ours. What stands left of it is what the client says of itself.
    fn forwarded_for(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        for entry in listed(headers, "x-forwarded-for").into_iter().rev() {
            // Whoever wrote what is no address, the one who passed it on is the last that is known.
            let Some(address) = address(entry) else { return nearest };
            nearest = address;
            if !self.trust(address) {
                break;
            }
        }
        nearest
    }
}

/// Whether every hop that the proxies tell of was encrypted, and there is at least one.
fn forwarded_over_tls(headers: &HeaderMap) -> bool {
    let protocols = listed(headers, "x-forwarded-proto");
    !protocols.is_empty() && protocols.iter().all(|protocol| protocol.eq_ignore_ascii_case("https"))
}

/// The items of a header that is a list, over all its lines. A line that is no text is an item that is nothing.
fn listed<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = match entry.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match entry.split_once(':') {
            Some((host, port)) if !port.contains(':') => host,
            _ => entry,
        },
    };
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Proxies {
        Proxies::new(
            &["10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1/32"].map(|text| text.parse().expect("a network")),
        )
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("text"))).fold(
            HeaderMap::new(),
            |mut headers, (name, value): (axum::http::HeaderName, _)| {
                headers.append(name, value);
                headers
            },
        )
    }

    fn address_of(peer: &str, forwarded: &[&str]) -> String {
        let lines: Vec<_> = forwarded.iter().map(|line| ("x-forwarded-for", *line)).collect();
        proxies().peer(peer.parse().expect("a peer"), false, &headers(&lines)).address.to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(address_of("192.0.2.9", &["203.0.113.7"]), "192.0.2.9");
        assert_eq!(address_of("10.1.2.3", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(address_of("::ffff:10.1.2.3", &["203.0.113.7"]), "203.0.113.7", "the same in other words");
        assert_eq!(address_of("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_is_the_client() {
        for (lines, client) in [
            (&["1.1.1.1, 203.0.113.7, 10.9.9.9"][..], "203.0.113.7"),
            (&["1.1.1.1", "203.0.113.7", "10.9.9.9"], "203.0.113.7"),
            (&["1.1.1.1, 203.0.113.7:5511"], "203.0.113.7"),
            (&["[2001:db8::7]:443, 2001:db8:1::5"], "2001:db8::7"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["10.9.9.9, 10.8.8.8"], "10.9.9.9"),
            (&["203.0.113.7, unknown, 10.9.9.9"], "10.9.9.9"),
            (&["203.0.113.7, "], "10.1.2.3"),
            (&["[2001:db8::7"], "10.1.2.3"),
        ] {
            assert_eq!(address_of("10.1.2.3", lines), client, "{lines:?}");
        }
    }

    #[test]
    fn a_request_is_secure_over_tls_from_this_machine_or_by_the_word_of_a_trusted_proxy() {
        let secure = |peer: &str, tls, lines: &[(&'static str, &str)]| {
            proxies().peer(peer.parse().expect("a peer"), tls, &headers(lines)).secure
        };
        assert!(secure("192.0.2.9", true, &[]));
        assert!(!secure("192.0.2.9", false, &[("x-forwarded-proto", "https")]), "anybody can say so");
        assert!(secure("127.0.0.2", false, &[]) && secure("::1", false, &[]));
        assert!(secure("10.1.2.3", false, &[("x-forwarded-proto", "HTTPS")]));
        for lines in [&[][..], &[("x-forwarded-proto", "http")], &[("x-forwarded-proto", "https, http")]] {
            assert!(!secure("10.1.2.3", true, lines), "{lines:?}");
            assert!(
                !secure("127.0.0.1", false, lines),
                "a proxy on this machine speaks for others: {lines:?}"
            );
        }
    }
}
