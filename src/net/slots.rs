//! Connections at once: in all, of each address, and of those who have not said who they are.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::telemetry::struck;

/// What an operator's customer is given of IPv6, in bits: whoever has one such address has all.
const V6_NETWORK: u32 = 64;

/// Counts connections.
pub(super) struct Slots {
    all: Arc<Semaphore>,
    unknown: Arc<Unknown>,
    each: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place among all, for its whole life.
pub(super) type Place = OwnedSemaphorePermit;

/// Connections over which nobody has shown a token that holds: so many, the oldest first.
struct Unknown {
    most: usize,
    open: Mutex<BTreeMap<u64, CancellationToken>>,
    next: AtomicU64,
}

/// A connection's place among those, until somebody shows one.
pub(super) struct Anonymity {
    no: u64,
    unknown: Arc<Unknown>,
}

/// A connection's place among those of an address.
#[derive(Debug)]
pub(super) struct Share {
    network: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Slots {
    /// Room for `all`, for `each` of one address, and for `unknown` over which nobody is known.
    pub(super) fn new(all: usize, each: usize, unknown: usize) -> Self {
        let unknown = Unknown { most: unknown, open: Mutex::default(), next: AtomicU64::new(0) };
        let all = Arc::new(Semaphore::new(all));
        Self { all, unknown: Arc::new(unknown), each, taken: Arc::default() }
    }

    /// A place, unless there are too many connections in all.
    pub(super) fn place(&self) -> Option<Place> {
        let place = self.all.clone().try_acquire_owned();
        place.inspect_err(|_| struck("connections", None)).ok()
    }

    /// A place among those nobody is known over, for a connection that `kill` ends. Where there are
    /// too many, it is the oldest one's: who is about to show a token gets in, whoever holds the rest.
    pub(super) fn anonymity(&self, kill: &CancellationToken) -> Anonymity {
        let no = self.unknown.next.fetch_add(1, Ordering::Relaxed);
        let mut open = self.unknown.open();
        open.insert(no, kill.clone());
        let oldest = if open.len() > self.unknown.most { open.pop_first() } else { None };
        drop(open);
        if let Some((_, kill)) = oldest {
            struck("unauthenticated_connections", None);
            kill.cancel();
        }
        Anonymity { no, unknown: self.unknown.clone() }
    }

    /// A share, unless the address has too many connections.
    pub(super) fn share(&self, address: IpAddr) -> Option<Share> {
        let network = network(address);
        let mut taken = lock(&self.taken);
        let count = taken.entry(network).or_default();
        if *count >= self.each {
            drop(taken);
            struck("connections_of_address", Some(network.into()));
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Share { network, taken: self.taken.clone() })
    }
}

impl Unknown {
    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, CancellationToken>> {
        self.open.lock().expect("no panic while counting")
    }
}

impl Drop for Anonymity {
    fn drop(&mut self) {
        self.unknown.open().remove(&self.no);
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
        let slots = Slots::new(10, 2, 10);
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
    fn of_too_many_unknown_connections_the_oldest_ends() {
        let slots = Slots::new(10, 10, 2);
        let kills = [(); 4].map(|()| CancellationToken::new());
        let ended = || kills.each_ref().map(CancellationToken::is_cancelled);
        let [first, second, third] = [0, 1, 2].map(|n| slots.anonymity(&kills[n]));
        assert_eq!(ended(), [true, false, false, false]);
        // Its connection ends after it has given up its place.
        drop(first);
        drop(second);
        let fourth = slots.anonymity(&kills[3]);
        assert_eq!(ended(), [true, false, false, false]);
        drop((third, fourth));
        assert!(slots.unknown.open().is_empty(), "what nobody holds is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let slots = Slots::new(10, 1, 10);
        let share = slots.share(address("2001:db8:0:1::1")).unwrap();
        assert!(share.is_of(address("2001:db8:0:1:ffff::9")));
        assert!(slots.share(address("2001:db8:0:1:ffff::9")).is_none());
        assert!(slots.share(address("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn there_is_room_for_so_many_in_all() {
        let slots = Slots::new(1, 10, 10);
        let place = slots.place();
        assert!(place.is_some() && slots.place().is_none());
        drop(place);
        assert!(slots.place().is_some());
    }
}
