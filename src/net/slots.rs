//! Connections at once: in all, and of each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::struck;

/// What an operator's customer is given of IPv6, in bits: whoever has one such address has all.
const V6_NETWORK: u32 = 64;

/// Counts connections.
pub(super) struct Slots {
    all: Arc<Semaphore>,
    each: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place among all, for its whole life.
pub(super) type Place = OwnedSemaphorePermit;

/// A connection's place among those of an address.
#[derive(Debug)]
pub(super) struct Share {
    network: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Slots {
    /// Room for `all`, and for `each` of one address.
    pub(super) fn new(all: usize, each: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), each, taken: Arc::default() }
    }

    /// A place, unless there are too many connections in all.
    pub(super) fn place(&self) -> Option<Place> {
        let place = self.all.clone().try_acquire_owned();
        place.inspect_err(|_| struck("connections")).ok()
    }

    /// A share, unless the address has too many connections.
    pub(super) fn share(&self, address: IpAddr) -> Option<Share> {
        let network = network(address);
        let mut taken = lock(&self.taken);
        let count = taken.entry(network).or_default();
        if *count >= self.each {
            drop(taken);
            struck("connections_of_address");
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Share { network, taken: self.taken.clone() })
    }
}

impl Share {
    /// Whether it is one of this address.
    pub(super) fn is_of(&self, address: IpAddr) -> bool {
        self.network == network(address)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

fn lock(taken: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().expect("no panic while counting")
}

/// What is counted as one: an IPv4 address, or a network of IPv6.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mask = u128::MAX << (u128::BITS - V6_NETWORK);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let slots = Slots::new(10, 2);
        let (one, two) = (slots.share(address("1.2.3.4")), slots.share(address("::ffff:1.2.3.4")));
        assert!(one.is_some() && two.is_some());
        assert!(slots.share(address("1.2.3.4")).is_none());
        assert!(slots.share(address("1.2.3.5")).is_some());
        drop(one);
        assert!(slots.share(address("1.2.3.4")).is_some());
        drop(two);
        assert!(lock(&slots.taken).is_empty(), "what nobody holds is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let slots = Slots::new(10, 1);
        let share = slots.share(address("2001:db8:0:1::1")).unwrap();
        assert!(share.is_of(address("2001:db8:0:1:ffff::9")));
        assert!(slots.share(address("2001:db8:0:1:ffff::9")).is_none());
        assert!(slots.share(address("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn there_is_room_for_so_many_in_all() {
        let slots = Slots::new(1, 10);
        let place = slots.place();
        assert!(place.is_some() && slots.place().is_none());
        drop(place);
        assert!(slots.place().is_some());
    }
}
