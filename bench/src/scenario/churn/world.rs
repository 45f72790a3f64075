//! Who there is, where they may go, and what happened to them.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::ledger::Ledger;
use crate::accounts::Account;
use crate::client::Dialer;
use crate::report::Report;
use crate::scenario::Bench;
use crate::scenario::messages::Counter;

/// The addresses that visits come from, each from the next: so many that the server must forget them.
const FROM: (Ipv4Addr, u32) = (Ipv4Addr::new(127, 16, 0, 1), 200_000);
/// Rooms there are at first.
const ROOMS: usize = 10;

/// A room, and the account that made it.
#[derive(Clone)]
pub struct Place {
    pub id: Arc<str>,
    pub owner: Arc<Account>,
}

/// What all visits share.
pub struct World {
    /// In the namespaces `/`, `/chat` and `/rooms`.
    pub dialers: [(&'static str, Dialer); 3],
    users: Mutex<Vec<Arc<Account>>>,
    pub drivers: Vec<Arc<Account>>,
    rooms: Mutex<Vec<Place>>,
    pub ledger: Ledger,
    pub tally: Tally,
    pub leave: CancellationToken,
}

/// Counts.
#[derive(Default)]
pub struct Tally {
    pub visits: Counter,
    /// Visits that did not begin, because too many were under way.
    pub crowded: Counter,
    pub messages: Counter,
    /// Other events that were answered with `ok`.
    pub events: Counter,
    /// Events refused by a limit, or because a room was not joined.
    pub refused: Counter,
    pub positions: Counter,
    pub half: Counter,
    pub silent: Counter,
    failures: Counter,
    failure: OnceLock<String>,
}

#[derive(Deserialize)]
struct Made {
    room: MadeRoom,
}

#[derive(Deserialize)]
struct MadeRoom {
    id: String,
}

impl World {
    /// Registers the first users and drivers, and makes the first rooms.
    pub async fn prepare(bench: &Bench, users: usize, drivers: usize) -> Result<Self> {
        let (first, sources) = FROM;
        let dialer = |namespace| (namespace, bench.dialer.variant(namespace, first, sources));
        let world = Self {
            dialers: ["/", "/chat", "/rooms"].map(dialer),
            users: Mutex::new(bench.accounts.take(users).await?),
            drivers: bench.accounts.take_drivers(drivers).await?,
            rooms: Mutex::default(),
            ledger: Ledger::default(),
            tally: Tally::default(),
            leave: CancellationToken::new(),
        };
        for _ in 0..ROOMS {
            world.add_room(bench).await?;
        }
        Ok(world)
    }

    /// Registers another user.
    pub async fn add_user(&self, bench: &Bench) -> Result<()> {
        let count = self.user_count() + 1;
        let all = bench.accounts.take(count).await?;
        *self.users.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    }

    /// Makes another room.
    pub async fn add_room(&self, bench: &Bench) -> Result<()> {
        let number = self.rooms.lock().unwrap_or_else(PoisonError::into_inner).len();
        let owner = self.user(number);
        let wish = json!({ "name": format!("room {number}") });
        let Made { room } = bench.accounts.post(&owner, "/rooms", &wish).await?;
        let place = Place { id: room.id.into(), owner };
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).push(place);
        Ok(())
    }

    /// How many users there are.
    pub fn user_count(&self) -> usize {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// A user by number; those past the last begin anew.
    pub fn user(&self, number: usize) -> Arc<Account> {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&users[number % users.len()])
    }

    /// Some room.
    pub fn room(&self, dice: &mut Dice) -> Place {
        dice.pick(&self.rooms.lock().unwrap_or_else(PoisonError::into_inner)).clone()
    }

    /// Who made this room.
    pub fn owner(&self, room: &str) -> Option<Arc<Account>> {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.iter().find(|place| &*place.id == room).map(|place| Arc::clone(&place.owner))
    }
}

impl Tally {
    /// Notes a visit that went otherwise than it should.
    pub fn fail(&self, why: String) {
        self.failures.add();
        if self.failures.get() <= 20 {
            eprintln!("warning: a visit failed: {why}");
        }
        let _ = self.failure.set(why);
    }

    /// The counts in one line.
    pub fn line(&self) -> String {
        let [visits, messages, events, refused, positions, half, silent, failures] = [
            &self.visits,
            &self.messages,
            &self.events,
            &self.refused,
            &self.positions,
            &self.half,
            &self.silent,
            &self.failures,
        ]
        .map(Counter::get);
        format!(
            "visits {visits}, messages {messages}, other events {events}, refused {refused}, positions {positions}, \
             broken off {half}, silent {silent}, failed {failures}"
        )
    }

    /// Adds the counts, and complains of failures.
    pub fn fill(&self, report: &mut Report) {
        let counts = [
            ("visits", &self.visits),
            ("visits that found no room", &self.crowded),
            ("messages acknowledged", &self.messages),
            ("other events acknowledged", &self.events),
            ("events refused", &self.refused),
            ("positions sent", &self.positions),
            ("visits broken off halfway", &self.half),
            ("visitors who fell silent", &self.silent),
        ];
        for (name, counter) in counts {
            report.figure(name, counter.get() as f64, "");
        }
        if let Some(first) = self.failure.get() {
            report.mismatch(format!("{} visits failed; the first: {first}", self.failures.get()));
        }
        if self.messages.get() == 0 {
            report.mismatch("no message was acknowledged");
        }
    }
}
