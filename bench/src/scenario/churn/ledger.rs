//! Every message that was acknowledged, and whether the store has it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::world::World;
use crate::accounts::{Account, IN_FLIGHT};
use crate::report::Report;
use crate::scenario::Bench;

/// Messages of one page of history.
const PAGE: usize = 200;

/// Where a message is kept: between two users, by their numbers, or in a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shelf {
    Pair(usize, usize),
    Room(Arc<str>),
}

/// A message, as it is acknowledged and as it is kept.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Message {
    id: Box<str>,
    seq: u64,
}

/// The answer to a send.
#[derive(Deserialize)]
pub struct Sent {
    pub message: Message,
}

#[derive(Deserialize)]
struct History {
    messages: Vec<Message>,
}

/// All of them.
#[derive(Default)]
pub struct Ledger(Mutex<HashMap<Shelf, Vec<Message>>>);

impl Shelf {
    /// That of two users, whoever sends.
    pub fn of(one: usize, other: usize) -> Self {
        Self::Pair(one.min(other), one.max(other))
    }
}

impl Ledger {
    /// Notes a message.
    pub fn note(&self, shelf: Shelf, message: Message) {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.entry(shelf).or_default().push(message);
    }

    /// Looks all of them up.
    pub async fn verify(&self, bench: &Bench, world: &World, report: &mut Report) -> Result<()> {
        let shelves = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let (count, total) = (shelves.len(), shelves.values().map(Vec::len).sum::<usize>());
        let looks = shelves.into_iter().map(|(shelf, noted)| async move {
            let kept = kept(bench, world, &shelf).await.with_context(|| format!("{shelf:?}"))?;
            let has = |message: &&Message| kept.get(&message.seq) == Some(&message.id);
            Ok::<_, anyhow::Error>(noted.iter().filter(has).count())
        });
        let found: Vec<_> = stream::iter(looks).buffer_unordered(IN_FLIGHT).collect().await;
        let found: usize = found.into_iter().sum::<Result<usize>>()?;
        report.figure("conversations", count as f64, "");
        report.figure("messages found in the store", found as f64, "");
        if found != total {
            report.mismatch(format!("{total} messages were acknowledged and {found} found"));
        }
        Ok(())
    }
}

/// What the store has on a shelf: ids by `seq`.
async fn kept(bench: &Bench, world: &World, shelf: &Shelf) -> Result<HashMap<u64, Box<str>>> {
    let (reader, path): (Arc<Account>, String) = match shelf {
        Shelf::Pair(one, other) => {
            (world.user(*one), format!("/api/messages/{}?limit={PAGE}", world.user(*other).id))
        }
        Shelf::Room(room) => {
            let owner = world.owner(room).context("a room of nobody")?;
            (owner, format!("/rooms/{room}/messages?pageSize={PAGE}"))
        }
    };
    let mut kept = HashMap::new();
    loop {
        let after = kept.keys().max().copied().unwrap_or(0);
        let page = format!("{path}&after={after}");
        let History { messages } = bench.accounts.get(&reader, &page).await?;
        let before = kept.len();
        kept.extend(messages.into_iter().map(|message| (message.seq, message.id)));
        if kept.len() == before {
            return Ok(kept);
        }
    }
}
