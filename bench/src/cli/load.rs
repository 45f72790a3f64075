//! The options of `flood` and `churn`.

use clap::Args;

/// Options of `flood`.
#[derive(Debug, Clone, Args)]
pub struct Flood {
    /// Idle Socket.IO connections, of another 32 addresses.
    #[arg(long, default_value_t = 10_000)]
    pub connections: usize,
    /// Pairs of ordinary users of 16 further addresses: one sends, the other receives.
    #[arg(long, default_value_t = 200)]
    pub pairs: usize,
    /// Messages per second of all ordinary users together, at due times.
    #[arg(long, default_value_t = 200.0)]
    pub rate: f64,
    /// How often the server is left in peace and then flooded, by turns: what the machine does meanwhile falls on both.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Seconds measured in peace, and under the flood, of each round.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// What the one address does per second, all its attackers together: connections, requests, events.
    #[arg(long, default_value_t = 20_000.0)]
    pub flood_rate: f64,
    /// Let only these attackers act, each at its part of the rate: `connections`, `requests`, `connects`, `events`,
    /// `positions`. Default: all.
    #[arg(long, value_delimiter = ',')]
    pub attackers: Vec<String>,
    /// The p99 under the flood may be so many times the quiet one.
    #[arg(long, default_value_t = 2.0)]
    pub bound: f64,
}

/// Options of `churn`.
#[derive(Debug, Clone, Args)]
pub struct Churn {
    /// How long people come and go, in seconds.
    #[arg(long, default_value_t = 3_600)]
    pub seconds: u64,
    /// Visits that begin per second; each lasts some seconds.
    #[arg(long, default_value_t = 8.0)]
    pub rate: f64,
    /// Users there are at first. Another is registered every 10 s, and every 60 s a room is made.
    #[arg(long, default_value_t = 400)]
    pub users: usize,
    /// Drivers among those who come.
    #[arg(long, default_value_t = 40)]
    pub drivers: usize,
    /// Messages there are at first: more than the server's caches hold, or it grows for as long as these fill.
    #[arg(long, default_value_t = 150_000)]
    pub fill: u64,
    /// Seconds between two lines.
    #[arg(long, default_value_t = 30)]
    pub every: u64,
    /// The resident memory of the last quarter may be so many per cent over that of the second.
    #[arg(long, default_value_t = 10.0)]
    pub bound: f64,
}

impl Flood {
    /// The most sockets it has open at once: those of the attackers are fewer than this.
    pub const fn sockets(&self) -> usize {
        self.connections + 2 * self.pairs + 8_000
    }
}

impl Churn {
    /// The most sockets it has open at once.
    pub const fn sockets(&self) -> usize {
        4_000
    }
}
