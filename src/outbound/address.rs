//! Which addresses everybody can reach. All others are somebody's own: this machine's, its network's, or nobody's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

macro_rules! networks {
    ($net:ident, $address:ident: $(($($part:literal),+) / $bits:literal,)+) => {
        [$($net::new_assert($address::new($($part),+), $bits)),+]
    };
}

/// Of IPv4, all that is not globally reachable by the IANA's registry of special purposes, and what is no host's address.
const SPECIAL_V4: [Ipv4Net; 16] = networks! { Ipv4Net, Ipv4Addr:
    (0, 0, 0, 0) / 8,         // this network
    (10, 0, 0, 0) / 8,        // private
    (100, 64, 0, 0) / 10,     // shared by a provider's customers
    (127, 0, 0, 0) / 8,       // loopback
    (169, 254, 0, 0) / 16,    // link-local, where clouds tell secrets
    (172, 16, 0, 0) / 12,     // private
    (192, 0, 0, 0) / 24,      // protocol assignments
    (192, 0, 2, 0) / 24,      // documentation
    (192, 31, 196, 0) / 24,   // AS112
    (192, 52, 193, 0) / 24,   // AMT
    (192, 88, 99, 0) / 24,    // 6to4 relays
    (192, 168, 0, 0) / 16,    // private
    (198, 18, 0, 0) / 15,     // benchmarks
    (198, 51, 100, 0) / 24,   // documentation
    (203, 0, 113, 0) / 24,    // documentation
    (224, 0, 0, 0) / 3,       // multicast, reserved, broadcast
};

/// Of IPv6, what is given to hosts of the whole network …
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// … but for these.
const SPECIAL_V6: [Ipv6Net; 4] = networks! { Ipv6Net, Ipv6Addr:
    (0x2001, 0, 0, 0, 0, 0, 0, 0) / 23,      // protocol assignments, Teredo among them
    (0x2001, 0xdb8, 0, 0, 0, 0, 0, 0) / 32,  // documentation
    (0x2002, 0, 0, 0, 0, 0, 0, 0) / 16,      // 6to4: stands for an address of IPv4
    (0x3fff, 0, 0, 0, 0, 0, 0, 0) / 20,      // documentation
};

/// Whether everybody can reach this address. One of IPv6 that stands for one of IPv4 (mapped, translated) is never connected to: names have
/// addresses of either kind, and no need of these.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// What may be connected to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Networks that are not everybody's and all the same may be connected to.
    pub allowed: Vec<IpNet>,
    /// Whether TLS may be left out.
    pub is_plain_allowed: bool,
}

impl Rules {
    /// Whether this address may be connected to.
    pub fn allow(&self, address: IpAddr) -> bool {
        is_public(address) || self.allowed.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_everybody_can_reach_are_told_from_all_others() {
        for public in
            ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "223.255.255.254", "2606:4700::1111"]
        {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        for special in
            ["192.168.1.1", "255.255.255.255", "::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "fe80::1"]
        {
            assert!(!is_public(special.parse().expect("an address")), "{special}");
        }
    }

    #[test]
    fn a_network_that_an_operator_allows_is_connected_to_and_its_neighbours_are_not() {
        let rules =
            Rules { allowed: vec!["10.1.2.0/24".parse().expect("a network")], is_plain_allowed: false };
        let allows = |address: &str| rules.allow(address.parse().expect("an address"));
        assert!(allows("10.1.2.3") && allows("8.8.8.8"));
        assert!(!allows("10.1.3.3") && !allows("::ffff:10.1.2.3") && !allows("127.0.0.1"));
    }
}
