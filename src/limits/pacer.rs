//! Paces what is refused: so much of each address at once, and from there on evenly.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Rate;
use crate::net::address::ClientAddress;
use crate::telemetry::struck;

/// What would wait for less goes on at once: a timer costs more, and is no finer than a millisecond.
const SHORTEST: Duration = Duration::from_millis(5);

/// Gives what is refused of each address its turn, by GCRA: within the rate that is now, and what
/// comes beyond stands in line, however many connections it comes over. Who waits for its turn
/// before taking more from the client takes what is refused no faster than the rate, and not in
/// bursts, which would hold up everybody else. A line that is full, with as much as the rate lets
/// through in the longest wait, keeps the rate no more: what comes then waits for about so long.
pub struct Pacer {
    /// What metrics call it.
    name: &'static str,
    rate: Option<Rate>,
    /// The longest that anything waits for its turn.
    longest: Duration,
    /// When each network would be at its rate again, by a clock that nobody puts back.
    level: Mutex<HashMap<IpAddr, Duration>>,
    clock: Clock,
    /// Nothing waits any more.
    ended: CancellationToken,
}

impl Pacer {
    /// A pacer for `rate` that lets nothing wait for longer than `longest`; nothing at all when the
    /// rate is `None`. Metrics know it by `name`.
    pub fn new(name: &'static str, rate: Option<Rate>, longest: Duration, clock: &Clock) -> Self {
        let (clock, ended) = (clock.clone(), CancellationToken::new());
        Self { name, rate, longest, level: Mutex::default(), clock, ended }
    }

    fn level(&self) -> MutexGuard<'_, HashMap<IpAddr, Duration>> {
        self.level.lock().expect("no panic while counting")
    }

    /// Counts a refusal, and says how long its turn is away: not at all within the rate.
    pub fn book(&self, address: ClientAddress) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let now = self.clock.monotonic();
        let mut level = self.level();
        let level = level.entry(address.network()).or_insert(now);
        let booked = now.max(*level) + rate.window / rate.count.get();
        *level = booked.min(now + rate.window + self.longest);
        let wait = level.saturating_sub(now + rate.window);
        if !wait.is_zero() {
            struck(self.name, Some(address.network().into()));
        }
        if *level < booked {
            // Else all that finds the line full would go on at the same moment.
            return wait.mul_f32(rand::random_range(0.5..=1.0));
        }
        wait
    }

    /// Counts a refusal, waits for its turn, and says whether it came beyond the rate.
    pub async fn pause(&self, address: ClientAddress) -> bool {
        let wait = self.book(address);
        if wait >= SHORTEST {
            // Right away when there is no need to wait any more.
            let _ = timeout(wait, self.ended.cancelled()).await;
        }
        !wait.is_zero()
    }

    /// Lets nothing wait any more: who is about to stop has no time for it.
    pub fn end(&self) {
        self.ended.cancel();
    }

    pub(super) fn forget_idle(&self) {
        let now = self.clock.monotonic();
        let mut level = self.level();
        level.retain(|_, level| *level > now);
        if level.len() < level.capacity() / 4 {
            level.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::clock::Timestamp;

    const LONGEST: Duration = Duration::from_secs(5);
    const MANY: ClientAddress = ClientAddress(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)));
    const OTHER: ClientAddress = ClientAddress(IpAddr::V4(Ipv4Addr::new(2, 2, 2, 2)));

    fn pacer(rate: &str) -> (Pacer, Clock) {
        let clock = Clock::manual(Timestamp::from_millis(1_000_000));
        (Pacer::new("tests", Some(rate.parse().unwrap()), LONGEST, &clock), clock)
    }

    #[test]
    fn what_comes_beyond_the_rate_stands_in_line() {
        let (pacer, clock) = pacer("3/3s");
        assert!((0..3).all(|_| pacer.book(MANY).is_zero()));
        assert_eq!([1, 2, 3].map(Duration::from_secs), [(); 3].map(|()| pacer.book(MANY)));
        assert!(pacer.book(OTHER).is_zero(), "another address has a line of its own");
        clock.advance(Duration::from_secs(3));
        assert_eq!(pacer.book(MANY), Duration::from_secs(1));
        clock.advance(Duration::from_secs(4));
        assert!((0..3).all(|_| pacer.book(MANY).is_zero()), "all is there again");
        assert!(!pacer.book(MANY).is_zero());
    }

    #[test]
    fn nothing_waits_for_ever_and_what_waited_longest_is_soon_made_up_for() {
        let (pacer, clock) = pacer("1/1m");
        assert!(pacer.book(MANY).is_zero());
        let waits: Vec<_> = (0..1000).map(|_| pacer.book(MANY)).collect();
        assert!(waits.iter().all(|wait| (LONGEST / 2..=LONGEST).contains(wait)));
        assert!(waits.windows(2).any(|two| two[0] != two[1]), "not all at the same moment");
        clock.advance(Duration::from_secs(60) + LONGEST);
        assert!(pacer.book(MANY).is_zero());
    }

    #[test]
    fn the_turns_of_many_sockets_come_one_after_the_other() {
        let (pacer, clock) = pacer("100/100ms");
        let waits: Vec<_> = (0..2_000).map(|_| pacer.book(MANY)).collect();
        assert!(waits[..100].iter().all(Duration::is_zero));
        let turns = (1..).map(Duration::from_millis);
        assert!(waits[100..].iter().copied().zip(turns).all(|(wait, turn)| wait == turn));
        clock.advance(Duration::from_secs(1));
        assert_eq!(pacer.book(MANY), Duration::from_millis(901));
    }

    #[test]
    fn an_address_is_forgotten_when_it_has_its_whole_count_again_and_not_before() {
        let (pacer, clock) = pacer("2/2s");
        pacer.book(MANY);
        pacer.book(OTHER);
        pacer.book(OTHER);
        clock.advance(Duration::from_secs(1));
        pacer.forget_idle();
        assert_eq!(pacer.level().keys().copied().collect::<Vec<_>>(), [OTHER.network()]);
        clock.advance(Duration::from_secs(1));
        pacer.forget_idle();
        assert!(pacer.level().is_empty());
    }

    #[tokio::test]
    async fn nothing_waits_for_a_server_that_is_about_to_stop() {
        let (pacer, _) = pacer("1/1m");
        pacer.book(MANY);
        assert!(pacer.book(MANY) > SHORTEST);
        let begun = std::time::Instant::now();
        tokio::join!(pacer.pause(MANY), async { pacer.end() });
        pacer.pause(MANY).await;
        assert!(begun.elapsed() < LONGEST / 2);
    }

    #[test]
    fn off_lets_nothing_wait() {
        let pacer = Pacer::new("tests", None, LONGEST, &Clock::system());
        assert!((0..10_000).all(|_| pacer.book(MANY).is_zero()));
    }
}
