//! Drivers' sockets, and those who watch drivers.

use std::time::Duration;

use super::{AppEnv, Vars, WatchPolicy};

/// Drivers' sockets, and those who watch drivers.
#[derive(Debug, Clone)]
pub struct DriverConfig {
    /// `DRIVER_IDLE_TIMEOUT`: a driver's raw socket without a frame from the driver for so long is
    /// closed with 4008.
    pub idle_timeout: Duration,
    /// `WATCH_INTERVAL`: how often a watcher is told where a driver is who does not move.
    pub watch_interval: Duration,
    /// `WATCH_OFFLINE_INTERVAL`: how often a watcher is told that a driver is offline.
    pub watch_offline_interval: Duration,
    /// `DRIVER_OFFLINE_AFTER`: without a position for so long a driver is offline.
    pub offline_after: Duration,
    /// `DRIVER_TOKEN_TTL`: how long a token of `POST /login` holds.
    pub token_ttl: Duration,
    /// `WATCH_POLICY`: who may watch whom.
    pub watch_policy: WatchPolicy,
    /// `DEMO_DRIVERS`: whether seed 000's three drivers are there.
    pub demo: bool,
}

impl DriverConfig {
    pub(super) fn read(vars: &mut Vars, env: AppEnv) -> Self {
        let is_production = env == AppEnv::Production;
        let (policy, demo) = if is_production { ("parties", "off") } else { ("everyone", "on") };
        let demo = vars.parsed_choice("DEMO_DRIVERS", demo, &["on", "off"]) == "on";
        if demo && is_production {
            vars.reject(
                "DEMO_DRIVERS",
                "cannot be on in production: everybody knows the passwords",
            );
        }
        Self {
            idle_timeout: vars.duration("DRIVER_IDLE_TIMEOUT", "5m"),
            watch_interval: at_least_a_moment(vars, "WATCH_INTERVAL", "5s"),
            watch_offline_interval: at_least_a_moment(vars, "WATCH_OFFLINE_INTERVAL", "60s"),
            offline_after: vars.duration("DRIVER_OFFLINE_AFTER", "10m"),
            token_ttl: vars.duration("DRIVER_TOKEN_TTL", "5m"),
            watch_policy: vars.parsed("WATCH_POLICY", policy),
            demo,
        }
    }
}

/// An interval that leaves the server time for something else.
fn at_least_a_moment(vars: &mut Vars, name: &'static str, default: &str) -> Duration {
    let interval = vars.duration(name, default);
    if interval < Duration::from_millis(50) {
        vars.reject(name, "must be 50ms or more");
    }
    interval
}
