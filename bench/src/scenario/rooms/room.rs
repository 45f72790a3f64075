//! A room, and which message stands at which place in it: its sender and all its members must say the same.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::{Account, Accounts, IN_FLIGHT};
use crate::report::Report;
use crate::scenario::messages::Counter;

/// A room of this scenario.
pub struct Room {
    pub id: String,
    pub accounts: Vec<Arc<Account>>,
    slots: Mutex<Vec<Slot>>,
    acked: Counter,
    /// Places that two messages had, and messages acknowledged at a place that was taken.
    disagreed: Counter,
}

/// What stands at a place: the number of the message, 0 for one that nobody has named yet.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    number: u64,
    acked: bool,
}

#[derive(Deserialize)]
struct Created {
    room: CreatedRoom,
}

#[derive(Deserialize)]
struct CreatedRoom {
    id: String,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Newest>,
    total: u64,
}

#[derive(Deserialize)]
struct Newest {
    seq: u64,
}

impl Room {
    /// Creates a room whose first member is the owner, and has the others join it.
    pub async fn found(accounts: &Accounts, name: &str, members: &[Arc<Account>]) -> Result<Self> {
        let (owner, others) = members.split_first().context("a room of nobody")?;
        let body = json!({ "name": name, "isPrivate": false });
        let Created { room: CreatedRoom { id } } =
            accounts.post(owner, "/rooms", &body).await.context("creating a room")?;
        let path = format!("/rooms/{id}/join");
        let joins = stream::iter(others).map(|account| async {
            accounts.post::<Value>(account, &path, &json!({})).await.map(drop)
        });
        joins.buffered(IN_FLIGHT).try_collect::<()>().await.context("joining a room")?;
        Ok(Self::new(id, members.to_vec()))
    }

    pub(super) fn new(id: String, accounts: Vec<Arc<Account>>) -> Self {
        Self {
            id,
            accounts,
            slots: Mutex::default(),
            acked: Counter::default(),
            disagreed: Counter::default(),
        }
    }

    /// How many are in it.
    pub fn members(&self) -> u64 {
        self.accounts.len() as u64
    }

    /// How many messages in it were acknowledged.
    pub fn acked(&self) -> u64 {
        self.acked.get()
    }

    /// Takes in that this message was acknowledged with this place. Places must be plausible: each takes memory.
    pub fn acknowledge(&self, seq: u64, number: u64) {
        self.acked.add();
        self.agree(seq, number, true);
    }

    /// Takes in that this message was delivered with this place.
    pub fn deliver(&self, seq: u64, number: u64) {
        self.agree(seq, number, false);
    }

    fn agree(&self, seq: u64, number: u64, ack: bool) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let place = seq as usize;
        if slots.len() <= place {
            slots.resize(place + 1, Slot::default());
        }
        let slot = &mut slots[place];
        if slot.number == 0 {
            slot.number = number;
        }
        if slot.number != number || (ack && slot.acked) {
            self.disagreed.add();
        }
        slot.acked |= ack;
    }

    /// The places from 1 to the last acknowledged that no acknowledgement named.
    fn unnamed(&self) -> u64 {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let last = slots.iter().rposition(|slot| slot.acked).unwrap_or(0);
        (1..=last).filter(|&place| !slots[place].acked).count() as u64
    }

    /// Adds what its own counts show to be wrong to the report.
    pub fn complain(&self, report: &mut Report) {
        let (id, disagreed, unnamed) = (&self.id, self.disagreed.get(), self.unnamed());
        if disagreed > 0 {
            report.mismatch(format!(
                "room {id}: {disagreed} times a seq stood for two different messages"
            ));
        }
        if unnamed > 0 {
            report.mismatch(format!(
                "room {id}: {unnamed} seqs below the last were acknowledged to nobody"
            ));
        }
    }

    /// Compares its counts with what the store holds, and tells how many messages that is.
    pub async fn compare_store(&self, accounts: &Accounts, report: &mut Report) -> Result<u64> {
        let (id, acked) = (&self.id, self.acked());
        let path = format!("/rooms/{id}/messages?page=1&pageSize=1");
        let Page { messages, total } = accounts.get(&self.accounts[0], &path).await?;
        let last = messages.first().map_or(0, |newest| newest.seq);
        if total != acked || last != acked {
            report.mismatch(format!(
                "room {id}: {acked} messages were acknowledged, {total} are stored, and the last has the seq {last}"
            ));
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Room {
        Room::new("65a1".to_owned(), Vec::new())
    }

    fn faults(room: &Room) -> (u64, u64) {
        (room.disagreed.get(), room.unnamed())
    }

    #[test]
    fn members_and_senders_that_say_the_same_agree() {
        let room = room();
        for (seq, number) in [(1, 7), (2, 5), (3, 9)] {
            room.deliver(seq, number);
            room.acknowledge(seq, number);
            room.deliver(seq, number);
        }
        assert_eq!((faults(&room), room.acked()), ((0, 0), 3));
    }

    #[test]
    fn a_place_with_two_messages_is_found() {
        let room = room();
        room.deliver(1, 7);
        room.deliver(1, 8);
        assert_eq!(faults(&room), (1, 0));
    }

    #[test]
    fn a_place_acknowledged_twice_is_found() {
        let room = room();
        room.acknowledge(1, 7);
        room.acknowledge(1, 7);
        assert_eq!(faults(&room), (1, 0));
    }

    #[test]
    fn a_gap_in_the_acknowledged_places_is_found() {
        let room = room();
        room.acknowledge(1, 7);
        room.acknowledge(3, 8);
        room.deliver(4, 9);
        assert_eq!(faults(&room), (0, 1));
    }
}
