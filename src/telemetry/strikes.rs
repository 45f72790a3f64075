//! What limits have refused: each refusal is counted for metrics, and the log says once a minute of
//! each limit how often it struck, and whom the most.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};

use crate::ids::UserId;

/// Of each limit, how many are counted by themselves. Whoever has more than one strike in so many
/// and one is among them, however many others there are.
const COUNTED: usize = 64;
/// Of each limit, how many are named.
const NAMED: usize = 3;
/// Who has less than this part of the strikes is not named, but one among very many.
const NAMED_PART: u64 = 100;

/// Whom a limit struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Struck {
    /// An address of IPv4, or a /64 of IPv6.
    Network(IpAddr),
    /// A user.
    User(UserId),
}

impl From<IpAddr> for Struck {
    fn from(network: IpAddr) -> Self {
        Self::Network(network)
    }
}

impl From<UserId> for Struck {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(IpAddr::V6(network)) => write!(f, "{network}/64"),
            Self::Network(network) => network.fmt(f),
            Self::User(user) => user.fmt(f),
        }
    }
}

/// The strikes of one limit.
#[derive(Default)]
struct Strikes {
    times: u64,
    /// How often at least it struck each of the most frequent (Misra and Gries, 1982).
    whom: HashMap<Struck, u64>,
}

impl Strikes {
    fn count(&mut self, whom: Option<Struck>) {
        self.times += 1;
        let Some(whom) = whom else { return };
        if let Some(times) = self.whom.get_mut(&whom) {
            *times += 1;
        } else if self.whom.len() < COUNTED {
            self.whom.insert(whom, 1);
        } else {
            self.whom.retain(|_, times| {
                *times -= 1;
                *times > 0
            });
        }
    }

    /// Those it struck the most, as text: none where nobody has a part worth naming.
    fn most(&self) -> Option<String> {
        let is_much = |times: u64| times * NAMED_PART >= self.times;
        let mut most: Vec<_> = self.whom.iter().filter(|(_, times)| is_much(**times)).collect();
        most.sort_unstable_by_key(|&(whom, times)| (std::cmp::Reverse(times), whom));
        let named = most.iter().take(NAMED).map(|(whom, times)| format!("{whom} ({times})"));
        (!most.is_empty()).then(|| named.collect::<Vec<_>>().join(", "))
    }
}

/// The strikes of each limit of the process since they were last told.
static UNTOLD: Mutex<BTreeMap<&'static str, Strikes>> = Mutex::new(BTreeMap::new());

fn untold() -> MutexGuard<'static, BTreeMap<&'static str, Strikes>> {
    UNTOLD.lock().expect("no panic while counting")
}

/// Counts a refusal by a limit; of whom, where the limit is somebody's.
pub fn struck(limit: &'static str, whom: Option<Struck>) {
    metrics::counter!("waggle_limits_struck_total", "limit" => limit).increment(1);
    untold().entry(limit).or_default().count(whom);
}

/// Says which limits have struck since this was last called, how often, and whom the most.
pub fn tell_strikes() {
    let strikes = std::mem::take(&mut *untold());
    for (limit, strikes) in strikes {
        tracing::warn!(limit, times = strikes.times, most = strikes.most(), "a limit was reached");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(n: u32) -> Option<Struck> {
        Some(IpAddr::from(n.to_be_bytes()).into())
    }

    #[test]
    fn whoever_is_struck_the_most_is_named_however_many_others_there_are() {
        let mut strikes = Strikes::default();
        let much = Struck::from(IpAddr::from([203, 0, 113, 9]));
        for n in 0..10_000 {
            strikes.count(network(n));
            if n >= 5_000 && n % 5 == 0 {
                strikes.count(Some(much));
            }
        }
        assert_eq!(strikes.times, 11_000);
        assert!(strikes.whom.len() <= COUNTED);
        // It may miss as many as one in `COUNTED` and one of all.
        assert!((830..=1_000).contains(&strikes.whom[&much]), "{}", strikes.whom[&much]);
        let most = format!("203.0.113.9 ({})", strikes.whom[&much]);
        assert_eq!(strikes.most(), Some(most), "and nobody who was struck once");
    }

    #[test]
    fn a_network_of_ipv6_is_named_as_one() {
        let network = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, 0]);
        assert_eq!(Struck::from(network).to_string(), "2001:db8:0:1::/64");
    }

    #[test]
    fn three_are_named_with_how_often() {
        let mut strikes = Strikes::default();
        for (n, times) in [(1, 2), (2, 5), (3, 1), (4, 2)] {
            (0..times).for_each(|_| strikes.count(network(n)));
        }
        strikes.count(None);
        assert_eq!(strikes.most().unwrap(), "0.0.0.2 (5), 0.0.0.1 (2), 0.0.0.4 (2)");
    }
}
