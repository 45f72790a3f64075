//! The command line: which server, which scenario, how much of it.

mod drivers;
mod load;
mod target;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use drivers::{Ceiling, Drivers, Idle, Steady};
pub use load::{Churn, Flood};
pub use target::{Store, Target};

/// Load generator for waggle and for servers that speak the same chat over Socket.IO.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(flatten)]
    pub target: Target,
    /// Socket.IO namespace to use.
    #[arg(long, default_value = "/", global = true)]
    pub namespace: String,
    /// Local addresses (127.0.0.1, .2, …) to connect from when the server is on this machine.
    #[arg(long, default_value_t = 16, global = true, value_parser = clap::value_parser!(u8).range(1..=250))]
    pub sources: u8,
    /// Threads of the generator; one leaves the most of the machine to the server.
    #[arg(long, default_value_t = 1, global = true)]
    pub threads: usize,
    /// Also write the results as JSON to this file.
    #[arg(long, global = true)]
    pub json: Option<PathBuf>,
    #[command(subcommand)]
    pub scenario: Scenario,
}

/// What to measure.
#[derive(Debug, Clone, Subcommand)]
pub enum Scenario {
    /// Connect many sockets, then hold them idle: connects, and memory per connection.
    Hold(Hold),
    /// Send one-to-one messages: durable messages per second, and latency.
    Send(Send),
    /// One sender, one message at a time: the latency of an idle server.
    Lone(Lone),
    /// Typing notices between pairs.
    Typing(Typing),
    /// Messages in rooms, each to all members: durable messages and deliveries per second, and latency.
    Room(Room),
    /// Entering a large room with much unread in it: the time until one is in.
    Join(Join),
    /// Orders from placing to delivery, each told to all drivers: lifecycles per second, and latency.
    Orders(Orders),
    /// The nearest of many drivers: the latency of asking for them.
    Nearest(Nearest),
    /// Drivers on their raw sockets: many at a steady pace, many idle, or a few as fast as can be.
    #[command(subcommand)]
    Drivers(Drivers),
    /// Users who chat among many who are idle, first quietly, then while one address floods the server.
    Flood(Flood),
    /// Users who come by all doors, chat and vanish, for as long as one likes: whether memory stays bounded.
    Churn(Churn),
    /// `hold` to `join`, one after the other, on one server.
    All(All),
}

/// Options of `hold`.
#[derive(Debug, Clone, Args)]
pub struct Hold {
    /// Sockets to hold at once.
    #[arg(long, default_value_t = 10_000)]
    pub connections: usize,
    /// Users that own them.
    #[arg(long, default_value_t = 200)]
    pub users: usize,
    /// Connects under way at the same time.
    #[arg(long, default_value_t = 128)]
    pub in_flight: usize,
    /// Seconds between the last connect and the reading of the memory.
    #[arg(long, default_value_t = 5)]
    pub settle: u64,
    /// Seconds to hold idle after that. Past 25 s the heartbeat of Socket.IO is in it.
    #[arg(long, default_value_t = 10)]
    pub idle: u64,
}

/// Options of `send`.
#[derive(Debug, Clone, Args)]
pub struct Send {
    /// Senders, each to a receiver of its own; every other receiver is connected.
    #[arg(long, default_value_t = 200)]
    pub senders: usize,
    /// Seconds measured.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Seconds of the same load before that, not measured.
    #[arg(long, default_value_t = 2)]
    pub warmup: u64,
    /// Messages per second over all senders, sent whether or not the last were acknowledged. Without it each sender
    /// waits for its last acknowledgement.
    #[arg(long)]
    pub rate: Option<f64>,
}

/// Options of `lone`.
#[derive(Debug, Clone, Args)]
pub struct Lone {
    /// Messages measured.
    #[arg(long, default_value_t = 300)]
    pub count: u64,
    /// Milliseconds between an acknowledgement and the next message.
    #[arg(long, default_value_t = 20)]
    pub gap: u64,
}

/// Options of `typing`.
#[derive(Debug, Clone, Args)]
pub struct Typing {
    /// Pairs of a typing user and one who watches.
    #[arg(long, default_value_t = 100)]
    pub pairs: usize,
    /// Notices per second of each pair.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Seconds measured.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
}

/// Options of `room`.
#[derive(Debug, Clone, Args)]
pub struct Room {
    /// Rooms; each has its own members.
    #[arg(long, default_value_t = 1)]
    pub rooms: usize,
    /// Members of each room, all connected.
    #[arg(long, default_value_t = 1_000)]
    pub members: usize,
    /// Members of each room that send as well. Default: 4 in one room, 2 in each of several.
    #[arg(long)]
    pub senders_per_room: Option<usize>,
    /// Seconds measured.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Seconds of the same load before that, not measured.
    #[arg(long, default_value_t = 2)]
    pub warmup: u64,
    /// Messages per second over all rooms, sent whether or not the last were acknowledged. Without it each sender
    /// waits for its last acknowledgement.
    #[arg(long)]
    pub rate: Option<f64>,
}

/// Options of `join`.
#[derive(Debug, Clone, Args)]
pub struct Join {
    /// Members of the room, the sender of its messages among them.
    #[arg(long, default_value_t = 1_000)]
    pub members: usize,
    /// Messages that nobody but their sender has read.
    #[arg(long, default_value_t = 500)]
    pub unread: u64,
    /// Members that join, one after the other.
    #[arg(long, default_value_t = 50)]
    pub count: usize,
}

/// Options of `orders`.
#[derive(Debug, Clone, Args)]
pub struct Orders {
    /// Customers, who place orders in turn.
    #[arg(long, default_value_t = 20)]
    pub customers: usize,
    /// Drivers, who all hear of every order and take them in turn.
    #[arg(long, default_value_t = 100)]
    pub drivers: usize,
    /// Orders under way at once, where there is no `--rate`.
    #[arg(long, default_value_t = 32)]
    pub lifecycles: usize,
    /// Seconds measured.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Seconds of the same load before that, not measured.
    #[arg(long, default_value_t = 2)]
    pub warmup: u64,
    /// Orders per second over all customers, placed whether or not those before are delivered. Without it the next is
    /// placed when one is.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Orders whose history is compared with the store afterwards.
    #[arg(long, default_value_t = 100)]
    pub sample: usize,
}

/// Options of `nearest`.
#[derive(Debug, Clone, Args)]
pub struct Nearest {
    /// Drivers who have said where they are.
    #[arg(long, default_value_t = 10_000)]
    pub drivers: usize,
    /// Questions measured, one after the other.
    #[arg(long, default_value_t = 500)]
    pub count: usize,
    /// Metres around the place that is asked about.
    #[arg(long, default_value_t = 5_000)]
    pub radius: u32,
}

/// Options of `all`; what is not named here has the default of its scenario.
#[derive(Debug, Clone, Args)]
pub struct All {
    /// Sockets of `hold`.
    #[arg(long, default_value_t = 10_000)]
    pub connections: usize,
    /// Senders of both `send` runs.
    #[arg(long, default_value_t = 200)]
    pub senders: usize,
    /// Seconds of the `send` and `room` runs and of `typing`.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Messages per second of the open-loop `send` run.
    #[arg(long, default_value_t = 2_000.0)]
    pub rate: f64,
    /// Messages of `lone`.
    #[arg(long, default_value_t = 300)]
    pub count: u64,
    /// Pairs of `typing`.
    #[arg(long, default_value_t = 100)]
    pub pairs: usize,
    /// Members of the one room, of all the rooms of 20 together, and of the room of `join`.
    #[arg(long, default_value_t = 1_000)]
    pub room_members: usize,
    /// Messages per second of both open-loop `room` runs.
    #[arg(long, default_value_t = 20.0)]
    pub room_rate: f64,
}

impl Room {
    /// Members of each room that send.
    pub fn senders_per_room(&self) -> usize {
        let usual = if self.rooms == 1 { 4 } else { 2 };
        self.senders_per_room.unwrap_or_else(|| usual.min(self.members))
    }
}

impl Scenario {
    /// The most sockets it has open at once.
    pub fn sockets(&self) -> usize {
        match self {
            Self::Hold(hold) => hold.connections,
            Self::Send(send) => 2 * send.senders,
            Self::Lone(_) => 2,
            Self::Typing(typing) => 2 * typing.pairs,
            Self::Room(room) => room.rooms.saturating_mul(room.members),
            Self::Join(_) => 2,
            Self::Orders(orders) => orders.customers.saturating_add(orders.drivers),
            Self::Nearest(_) => 0,
            Self::Drivers(drivers) => drivers.sockets(),
            Self::Flood(flood) => flood.sockets(),
            Self::Churn(churn) => churn.sockets(),
            Self::All(all) => {
                let pairs = 2 * all.senders.max(all.pairs);
                all.connections.max(pairs).max(all.room_members)
            }
        }
    }

    /// Whether a server that is started for it keeps the limits that it has by default.
    pub const fn keeps_limits(&self) -> bool {
        matches!(self, Self::Flood(_) | Self::Churn(_))
    }
}
