//! The options of `drivers`.

use std::time::Duration;

use clap::{Args, Subcommand};

/// What to measure of drivers on their raw sockets.
#[derive(Debug, Clone, Subcommand)]
pub enum Drivers {
    /// Many drivers who say where they are now and then, watched by some, and orders assigned to them.
    Steady(Steady),
    /// Many drivers who do nothing: memory per connection.
    Idle(Idle),
    /// A few drivers who say where they are as fast as the server takes it.
    Ceiling(Ceiling),
}

/// Options of `drivers steady`.
#[derive(Debug, Clone, Args)]
pub struct Steady {
    /// Drivers, each on a raw socket of its own.
    #[arg(long, default_value_t = 10_000)]
    pub drivers: usize,
    /// Clients on the raw socket `/`, each of whom watches one driver.
    #[arg(long, default_value_t = 1_000)]
    pub watchers: usize,
    /// Between two positions of a driver, as `10s` or `500ms`; the drivers are spread evenly over it.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub every: Duration,
    /// Orders per second that an admin assigns to drivers in turn; 0 for none.
    #[arg(long, default_value_t = 20.0)]
    pub orders: f64,
    /// Seconds measured.
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Seconds of the same load before that, not measured. Default: as long as `--every`, so that everybody has a
    /// position.
    #[arg(long)]
    pub warmup: Option<u64>,
}

/// Options of `drivers idle`.
#[derive(Debug, Clone, Args)]
pub struct Idle {
    /// Drivers to hold connected, each on a raw socket of its own.
    #[arg(long, default_value_t = 10_000)]
    pub connections: usize,
    /// Seconds between the last connect and the reading of the memory.
    #[arg(long, default_value_t = 5)]
    pub settle: u64,
    /// Seconds to hold idle after that.
    #[arg(long, default_value_t = 10)]
    pub idle: u64,
}

/// Options of `drivers ceiling`.
#[derive(Debug, Clone, Args)]
pub struct Ceiling {
    /// Drivers, each on a raw socket of its own.
    #[arg(long, default_value_t = 200)]
    pub drivers: usize,
    /// Positions that a driver sends before it waits for the answer to a `ping` sent after them.
    #[arg(long, default_value_t = 100)]
    pub burst: u64,
    /// Positions per second over all drivers, as long as the server goes along. Without it a driver sends its next
    /// burst when the last was answered.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Seconds measured.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Seconds of the same load before that, not measured.
    #[arg(long, default_value_t = 2)]
    pub warmup: u64,
}

impl Steady {
    /// How long the load runs before it is measured.
    pub fn warmup(&self) -> Duration {
        self.warmup.map_or(self.every, Duration::from_secs)
    }
}

impl Drivers {
    /// The most sockets it has open at once.
    pub const fn sockets(&self) -> usize {
        match self {
            Self::Steady(steady) => steady.drivers.saturating_add(steady.watchers),
            Self::Idle(idle) => idle.connections,
            Self::Ceiling(ceiling) => ceiling.drivers,
        }
    }
}

/// Reads `10s`, `500ms`, or a bare number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, to_millis) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1_000),
        (None, None) => (text, 1_000),
    };
    let count: u64 = number.parse().map_err(|_| format!("`{text}` is not as `10s` or `500ms`"))?;
    match count.checked_mul(to_millis) {
        Some(millis @ 1..=3_600_000) => Ok(Duration::from_millis(millis)),
        _ => Err("from 1 ms to an hour".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_or_is_of_seconds() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        for wrong in ["", "s", "0s", "-1s", "1h", "99999999s", "18446744073709551615s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
