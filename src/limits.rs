//! Rate limits: so many in so long for each key, counted before any work is done (CONTRACT §1).
//!
//! Counting is governor's (GCRA): the whole count at once, then one for each part of the window.

mod pacer;

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

use crate::clock::Clock;
use crate::config::{Rate, Rates};
use crate::error::{Allowance, Error, Result};
use crate::ids::UserId;
use crate::telemetry::{Struck, struck, tell_strikes};

/// How late the answer to a request may be of an address that is refused too much. Long, as each is
/// a connection's, and many connections cost the address nothing.
const LATEST_ANSWER: Duration = Duration::from_secs(5);
/// How long an event may wait behind a refused one. Short, as good ones of the same socket wait too.
const LATEST_EVENT: Duration = Duration::from_secs(1);
/// Accounts whose failed logins are remembered; the least used are forgotten first.
const REMEMBERED_FAILURES: usize = 100_000;

pub use pacer::Pacer;

impl GovernorClock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.monotonic().into()
    }
}

type Governor<K> = RateLimiter<K, DashMapStateStore<K>, Clock, StateInformationMiddleware>;

/// Counts one kind of thing for each key.
pub struct Limiter<K: Hash + Eq + Copy> {
    /// What metrics call it.
    name: &'static str,
    governor: Option<(Governor<K>, Rate)>,
    clock: Clock,
}

impl<K: Hash + Eq + Copy + Into<Struck>> Limiter<K> {
    /// A limiter for `rate`; one that never refuses when it is `None`. Metrics know it by `name`.
    pub fn new(name: &'static str, rate: Option<Rate>, clock: &Clock) -> Self {
        let governor = rate.and_then(|rate| {
            let quota = Quota::with_period(rate.window / rate.count.get())?.allow_burst(rate.count);
            let governor: Governor<K> =
                RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
            Some((governor, rate))
        });
        Self { name, governor, clock: clock.clone() }
    }

    /// Counts one for `key`. `None` when this is not limited.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self, key: &K) -> Result<Option<Allowance>> {
        let Some((governor, rate)) = &self.governor else { return Ok(None) };
        match governor.check_key(key) {
            Ok(state) => Ok(Some(self.allowance(*rate, state.remaining_burst_capacity()))),
            Err(refusal) => {
                struck(self.name, Some((*key).into()));
                let now = GovernorClock::now(&self.clock);
                let nothing_left = self.allowance(*rate, 0);
                Err(Error::rate_limited(refusal.wait_time_from(now), Some(nothing_left)))
            }
        }
    }

    fn allowance(&self, rate: Rate, remaining: u32) -> Allowance {
        let limit = rate.count.get();
        let used = limit.saturating_sub(remaining);
        let reset = self.clock.now() + rate.window / limit * used;
        Allowance { limit, remaining, reset }
    }

    fn forget_idle(&self) {
        if let Some((governor, _)) = &self.governor {
            governor.retain_recent();
            governor.shrink_to_fit();
        }
    }
}

/// Failed logins of each account, in windows that start with the first failure.
pub struct Failures {
    rate: Option<Rate>,
    seen: Cache<String, Arc<Mutex<FailureWindow>>>,
    clock: Clock,
}

#[derive(Debug, Clone, Copy)]
struct FailureWindow {
    /// By a clock that nobody puts back.
    started: Duration,
    count: u32,
}

impl Failures {
    /// Allows so many failures; any number when `rate` is `None`.
    pub fn new(rate: Option<Rate>, clock: &Clock) -> Self {
        Self { rate, seen: Cache::new(REMEMBERED_FAILURES), clock: clock.clone() }
    }

    /// Whether another attempt may be made on `account`.
    ///
    /// # Errors
    /// `rate_limited` until the window of its failures has passed.
    pub fn check(&self, account: &str) -> Result<()> {
        let (Some(rate), Some(window)) = (self.rate, self.seen.get(account)) else { return Ok(()) };
        let window = *window.lock().expect("no panic while counting");
        let ends = window.started + rate.window;
        let now = self.clock.monotonic();
        if window.count >= rate.count.get() && now < ends {
            // The name of an account may be a password that was typed into the wrong field.
            struck("login_failures", None);
            let wait = ends - now;
            let reset = self.clock.now() + wait;
            let nothing_left = Allowance { limit: rate.count.get(), remaining: 0, reset };
            return Err(Error::rate_limited(wait, Some(nothing_left)));
        }
        Ok(())
    }

    /// Counts a failed attempt.
    pub fn count(&self, account: &str) {
        let Some(rate) = self.rate else { return };
        let now = self.clock.monotonic();
        let fresh = FailureWindow { started: now, count: 0 };
        let entry = self.seen.get_or_insert_with(account, || {
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(fresh)))
        });
        let Ok(window) = entry;
        let mut window = window.lock().expect("no panic while counting");
        if now >= window.started + rate.window {
            *window = fresh;
        }
        window.count += 1;
    }

    /// Forgets the failures of an account whose owner got in.
    pub fn forgive(&self, account: &str) {
        self.seen.remove(account);
    }
}

/// Names one of the limits per address.
pub type PerAddress = fn(&Limits) -> &Limiter<IpAddr>;

/// Every limit of the server.
pub struct Limits {
    /// Messages, per user.
    pub sends: Limiter<UserId>,
    /// Typing, per user.
    pub typing: Limiter<UserId>,
    /// Joining rooms, live and for good, per user.
    pub joins: Limiter<UserId>,
    /// Orders placed, per user.
    pub orders: Limiter<UserId>,
    /// Positions, per driver.
    pub locations: Limiter<UserId>,
    /// Connects to a namespace, per address.
    pub connects: Limiter<IpAddr>,
    /// New transports, per address: they cost before anybody connects over them.
    pub handshakes: Limiter<IpAddr>,
    /// Logins, per address.
    pub logins: Limiter<IpAddr>,
    /// Failed logins, per account.
    pub login_failures: Failures,
    /// Registrations and reset requests, per address.
    pub registrations: Limiter<IpAddr>,
    /// REST requests that change something, per user.
    pub rest_writes: Limiter<UserId>,
    /// The same for those that name no user: refreshes, per address.
    pub refreshes: Limiter<IpAddr>,
    /// Requests that were refused, for whatever reason, per address.
    pub refused_requests: Pacer,
    /// Events that were refused, for whatever reason, per address.
    pub refused_events: Pacer,
}

impl Limits {
    /// Limits as configured.
    pub fn new(rates: &Rates, clock: &Clock) -> Self {
        Self {
            sends: Limiter::new("sends", rates.sends, clock),
            typing: Limiter::new("typing", rates.typing, clock),
            joins: Limiter::new("joins", rates.joins, clock),
            orders: Limiter::new("orders", rates.orders, clock),
            locations: Limiter::new("locations", rates.locations, clock),
            connects: Limiter::new("connects", rates.connects, clock),
            handshakes: Limiter::new("handshakes", rates.connects, clock),
            logins: Limiter::new("logins", rates.logins, clock),
            login_failures: Failures::new(rates.login_failures, clock),
            registrations: Limiter::new("registrations", rates.registrations, clock),
            rest_writes: Limiter::new("rest_writes", rates.rest_writes, clock),
            refreshes: Limiter::new("refreshes", rates.rest_writes, clock),
            refused_requests: Pacer::new(
                "refused_requests",
                rates.refused_requests,
                LATEST_ANSWER,
                clock,
            ),
            refused_events: Pacer::new("refused_events", rates.refused_events, LATEST_EVENT, clock),
        }
    }

    /// Lets nothing wait any more that was refused: the server is about to stop.
    pub fn end_pauses(&self) {
        self.refused_requests.end();
        self.refused_events.end();
    }

    /// Each minute, for as long as the limits live: drops keys that have their whole count again, and
    /// says which limits have struck.
    pub fn tidy(self: &Arc<Self>) {
        let limits = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(60)).await;
                let Some(limits) = limits.upgrade() else { return };
                tell_strikes();
                limits.sends.forget_idle();
                limits.typing.forget_idle();
                limits.joins.forget_idle();
                limits.orders.forget_idle();
                limits.locations.forget_idle();
                limits.connects.forget_idle();
                limits.handshakes.forget_idle();
                limits.logins.forget_idle();
                limits.registrations.forget_idle();
                limits.rest_writes.forget_idle();
                limits.refreshes.forget_idle();
                limits.refused_requests.forget_idle();
                limits.refused_events.forget_idle();
            }
        });
    }
}

#[cfg(test)]
mod tests;
