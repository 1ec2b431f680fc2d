//! How many sockets come from where, so that no address takes the places of all others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The sockets of this node by address. An address without a socket takes no memory.
#[derive(Debug)]
pub struct Crowd {
    addresses: Mutex<HashMap<IpAddr, Count>>,
    sockets: usize,
    greeting: usize,
    /// When the log last said that an address reached a bound.
    told: Mutex<Option<Instant>>,
}

/// How often the log says that an address reached a bound.
const TELL_AGAIN: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Count {
    sockets: usize,
    greeting: usize,
}

/// A socket's place among those of its address. Dropping it gives it back.
#[derive(Debug)]
pub struct Visit {
    crowd: Arc<Crowd>,
    from: IpAddr,
}

/// A place among those of its address that have not said who they are. Dropping it gives it back.
#[derive(Debug)]
pub struct Newcomer {
    crowd: Arc<Crowd>,
    from: IpAddr,
}

impl Crowd {
    /// Nobody yet. At most this many `sockets` come from one address, of which this many are `greeting`: have not said hello.
    pub fn new(sockets: usize, greeting: usize) -> Arc<Self> {
        Arc::new(Self { addresses: Mutex::default(), sockets, greeting, told: Mutex::default() })
    }

    /// Takes a place for somebody who has not said who they are and may not even become a socket.
    pub fn greet(self: &Arc<Self>, address: IpAddr) -> Option<Newcomer> {
        let from = neighbourhood(address);
        let mut addresses = self.lock();
        let count = addresses.entry(from).or_default();
        if count.greeting >= self.greeting {
            return None;
        }
        count.greeting += 1;
        Some(Newcomer { crowd: self.clone(), from })
    }

    /// Takes a place for a new socket, and one for the time until it has said hello.
    pub fn visit(self: &Arc<Self>, address: IpAddr) -> Option<(Visit, Newcomer)> {
        let places = self.places(address);
        if places.is_none() {
            self.tell(address);
        }
        places
    }

    fn places(self: &Arc<Self>, address: IpAddr) -> Option<(Visit, Newcomer)> {
        let newcomer = self.greet(address)?;
        // The newcomer holds its entry, so it is found.
        let room = self.lock().get_mut(&newcomer.from).is_some_and(|count| {
            let room = count.sockets < self.sockets;
            count.sockets += usize::from(room);
            room
        });
        room.then(|| (Visit { crowd: self.clone(), from: newcomer.from }, newcomer))
    }

    /// A proxy that nobody named looks like one client with very many sockets: the operator has to learn of it.
    fn tell(&self, address: IpAddr) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
            *told = Some(Instant::now());
            tracing::warn!(%address, "an address has all the sockets it may have; if it is a proxy, name it in trusted_proxies");
        }
    }

    fn leave(&self, from: IpAddr, take: impl FnOnce(&mut Count)) {
        let mut addresses = self.lock();
        if let Some(count) = addresses.get_mut(&from) {
            take(count);
            if count.sockets == 0 && count.greeting == 0 {
                addresses.remove(&from);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Count>> {
        // Nothing under this lock can panic half-way through a change.
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.crowd.leave(self.from, |count| count.sockets -= 1);
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.crowd.leave(self.from, |count| count.greeting -= 1);
    }
}

/// What counts as one address. Whoever has one IPv6 address has the 2^64 of its network.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_bounds_and_others_have_their_own() {
        let crowd = Crowd::new(3, 2);
        let here = address("192.0.2.1");
        let (first, greeting) = crowd.visit(here).expect("room");
        let (_second, _waits) = crowd.visit(here).expect("room");
        assert!(crowd.visit(here).is_none(), "two have not said hello");
        assert!(crowd.visit(address("192.0.2.2")).is_some());
        drop(greeting);
        let (_third, hello) = crowd.visit(here).expect("room");
        drop(hello);
        assert!(crowd.visit(here).is_none(), "three sockets");
        drop(first);
        assert!(crowd.visit(here).is_some());
    }

    #[test]
    fn one_network_of_ipv6_is_one_address_and_ipv4_in_its_clothes_is_itself() {
        let crowd = Crowd::new(1, 1);
        let _one = crowd.visit(address("2001:db8::1")).expect("room");
        assert!(crowd.visit(address("2001:db8::2:3:4:5")).is_none());
        let _other = crowd.visit(address("2001:db8:0:1::1")).expect("another network");
        let _old = crowd.visit(address("::ffff:192.0.2.1")).expect("room");
        assert!(crowd.visit(address("192.0.2.1")).is_none());
        assert!(crowd.visit(address("192.0.2.2")).is_some());
    }

    #[test]
    fn who_has_gone_takes_no_memory() {
        let crowd = Crowd::new(8, 8);
        let here: Vec<_> = (1..=200).map(|last| address(&format!("192.0.2.{last}"))).collect();
        let all: Vec<_> = here.iter().map(|address| crowd.visit(*address).expect("room")).collect();
        assert_eq!(crowd.lock().len(), 200);
        drop(all);
        drop(crowd.greet(here[0]));
        assert!(crowd.lock().is_empty());
    }
}
