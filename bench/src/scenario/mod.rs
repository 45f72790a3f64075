//! What is measured. Each scenario prepares its clients, lets them run, and reports what it saw and what it cost.

mod churn;
mod drivers;
mod flood;
mod found;
mod hold;
mod lone;
mod messages;
mod nearest;
mod orders;
mod rooms;
mod send;
mod sequence;
mod typing;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::accounts::{Account, Accounts};
use crate::cli::{All, Cli, Hold, Join, Lone, Room, Scenario, Send, Store, Typing};
use crate::client::{Client, Dialer};
use crate::report::Results;
use crate::server::{ADMIN, Server};

/// Between two scenarios, so that the presence of the one before does not fall into the next.
const PAUSE: Duration = Duration::from_secs(7);
/// Connects under way at the same time while a scenario prepares itself.
const PREPARING: usize = 16;
/// Members of each of the many rooms of `all`.
const SMALL_ROOM: usize = 20;

/// What every scenario needs.
pub struct Bench {
    pub server: Server,
    dialer: Arc<Dialer>,
    accounts: Accounts,
    threads: usize,
    target: String,
}

/// The stretch of time that is measured.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: Instant,
    to: Instant,
}

impl Bench {
    /// Reaches the server, or starts it.
    pub async fn open(cli: &Cli) -> Result<Self> {
        ensure!(cli.threads > 0, "--threads must be at least 1");
        let server = Server::open(&cli.target).await?;
        let url = Url::parse(&server.url).with_context(|| format!("--url {}", server.url))?;
        let dialer = Arc::new(Dialer::new(&url, &cli.namespace, cli.sources).await?);
        let accounts = Accounts::new(&server.url)?;
        let target = match (&cli.target.server, cli.target.store) {
            (None, _) => "running server".to_owned(),
            (Some(_), Store::Embedded) => "started, embedded store".to_owned(),
            (Some(_), Store::Mongo) => "started, MongoDB".to_owned(),
        };
        Ok(Self { server, dialer, accounts, threads: cli.threads, target })
    }

    /// The machine and the server, for the results.
    pub fn describe(&self) -> Value {
        let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        json!({ "cpu": model.map(|(_, name)| name), "cores": cores, "threads": self.threads, "server": self.target })
    }

    /// The admin that the server was started with.
    async fn admin(&self) -> Result<Account> {
        let (email, password) = ADMIN;
        self.accounts.log_in(email, password).await.with_context(|| {
            format!(
                "the server must be started with ADMIN_EMAIL={email} ADMIN_PASSWORD='{password}'"
            )
        })
    }

    /// A client for each account, in their order.
    async fn connect(&self, accounts: &[Arc<Account>]) -> Result<Vec<Client>> {
        let connects = stream::iter(accounts).map(|account| self.dialer.connect(&account.token));
        connects.buffered(PREPARING).try_collect().await
    }
}

impl Window {
    /// Measures `seconds` after a lead time from now.
    fn after(lead: Duration, seconds: u64) -> Self {
        let from = Instant::now() + lead;
        Self { from, to: from + Duration::from_secs(seconds) }
    }

    fn contains(&self, moment: Instant) -> bool {
        (self.from..self.to).contains(&moment)
    }
}

/// Whether this is a rate per second that can be kept: neither endless nor without end.
fn is_rate(rate: f64) -> bool {
    (0.1..=1_000_000.0).contains(&rate)
}

/// Runs what the command line asks for.
pub async fn run(bench: &mut Bench, scenario: &Scenario, results: &mut Results) -> Result<()> {
    let report = match scenario {
        Scenario::Hold(hold) => hold::run(bench, hold).await.context("hold")?,
        Scenario::Send(send) => send::run(bench, send).await.context("send")?,
        Scenario::Lone(lone) => lone::run(bench, lone).await.context("lone")?,
        Scenario::Typing(typing) => typing::run(bench, typing).await.context("typing")?,
        Scenario::Room(room) => rooms::run(bench, room).await.context("room")?,
        Scenario::Join(join) => rooms::join::run(bench, join).await.context("join")?,
        Scenario::Orders(options) => orders::run(bench, options).await.context("orders")?,
        Scenario::Nearest(options) => nearest::run(bench, options).await.context("nearest")?,
        Scenario::Drivers(what) => drivers::run(bench, what).await.context("drivers")?,
        Scenario::Flood(options) => flood::run(bench, options).await.context("flood")?,
        Scenario::Churn(options) => churn::run(bench, options).await.context("churn")?,
        Scenario::All(all) => return run_all(bench, all, results).await,
    };
    results.add(report);
    Ok(())
}

/// `hold` comes first: memory is measured on a server that has not grown yet.
async fn run_all(bench: &mut Bench, all: &All, results: &mut Results) -> Result<()> {
    ensure!(all.room_members > 1, "room-members must be at least 2");
    let &All { connections, senders, seconds, count, pairs, .. } = all;
    let room = |rooms: usize, rate| {
        let members = (all.room_members / rooms).max(1);
        Scenario::Room(Room { rooms, members, senders_per_room: None, seconds, warmup: 2, rate })
    };
    let small_rooms = (all.room_members / SMALL_ROOM).max(1);
    let send = |rate| Scenario::Send(Send { senders, seconds, warmup: 2, rate });
    let users = connections.min(200);
    let scenarios = [
        Scenario::Hold(Hold { connections, users, in_flight: 128, settle: 5, idle: 10 }),
        Scenario::Lone(Lone { count, gap: 20 }),
        send(None),
        send(Some(all.rate)),
        Scenario::Typing(Typing { pairs, rate: 20.0, seconds }),
        room(1, None),
        room(1, Some(all.room_rate)),
        room(small_rooms, None),
        room(small_rooms, Some(all.room_rate)),
        Scenario::Join(Join {
            members: all.room_members,
            unread: 500,
            count: 50.min(all.room_members - 1),
        }),
    ];
    for (number, scenario) in scenarios.iter().enumerate() {
        if number > 0 {
            sleep(PAUSE).await;
        }
        Box::pin(run(bench, scenario, results)).await?;
    }
    Ok(())
}
