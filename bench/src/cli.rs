//! The command line: which server, which scenario, how much of it.

mod drivers;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use drivers::{Ceiling, Drivers, Idle, Steady};

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

/// The server under test: one that runs already, or a binary to start.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// A server that is already running.
    #[arg(long, default_value = "http://127.0.0.1:3000", global = true)]
    pub url: String,
    /// Process whose CPU and memory are read, for a server that is already running.
    #[arg(long, global = true)]
    pub server_pid: Option<u32>,
    /// Process of the database, to read its CPU.
    #[arg(long, global = true)]
    pub mongod_pid: Option<u32>,
    /// Start this binary on a free port, and end it afterwards.
    #[arg(long, global = true, conflicts_with_all = ["url", "server_pid"])]
    pub server: Option<PathBuf>,
    /// Store of the server to start.
    #[arg(long, value_enum, default_value_t = Store::Embedded, global = true)]
    pub store: Store,
    /// Database of the server to start, with `--store mongo`.
    #[arg(long, global = true)]
    pub mongodb_uri: Option<String>,
    /// Where the started server gets its temporary data directory; a real disk, not memory. Default: the system's.
    #[arg(long, global = true)]
    pub data_in: Option<PathBuf>,
    /// Further environment of the started server, as NAME=VALUE; may be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE", global = true)]
    pub environment: Vec<String>,
}

/// Where the started server keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// SQLite in a temporary directory.
    Embedded,
    /// MongoDB at `--mongodb-uri`.
    Mongo,
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
            Self::All(all) => {
                let pairs = 2 * all.senders.max(all.pairs);
                all.connections.max(pairs).max(all.room_members)
            }
        }
    }
}
