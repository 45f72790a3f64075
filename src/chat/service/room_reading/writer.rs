//! Writes reads in batches. How far a member is, is remembered; a node that is overtaken by
//! another one notices by the number of its read, looks again, and goes on.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use quick_cache::sync::Cache;

use super::plan::{Place, Reader};
use super::{NewlyRead, ReadInRoom, current};
use crate::chat::model::{Progress, RoomRead, Stretch};
use crate::chat::room_wire::SeqRange;
use crate::chat::store::ChatStore;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};

/// Members whose progress is remembered.
const REMEMBERED: usize = 200_000;
/// How often a member's reads are tried while other nodes are faster.
const TRIES: usize = 8;

type Key = (RoomId, UserId);

pub(super) struct Writer {
    store: Arc<dyn ChatStore>,
    clock: Clock,
    progress: Cache<Key, Progress>,
}

/// A read of a batch, and the places of what it wrote among the rows of a round.
struct Planned {
    place: usize,
    rows: std::ops::Range<usize>,
}

impl Writer {
    pub(super) fn new(store: &Arc<dyn ChatStore>, clock: &Clock) -> Self {
        Self { store: store.clone(), clock: clock.clone(), progress: Cache::new(REMEMBERED) }
    }

    /// Writes a batch, with one result each.
    pub(super) async fn write(&self, batch: Vec<ReadInRoom>) -> Vec<Result<NewlyRead>> {
        let mut results: Vec<Option<Result<NewlyRead>>> = vec![None; batch.len()];
        for _ in 0..TRIES {
            let pending: Vec<usize> =
                (0..batch.len()).filter(|place| results[*place].is_none()).collect();
            if pending.is_empty() {
                break;
            }
            if let Err(error) = self.round(&batch, &pending, &mut results).await {
                for place in pending {
                    self.progress.remove(&key(&batch[place]));
                    results[place].get_or_insert(Err(error.clone()));
                }
            }
        }
        let busy = || Err(Error::unavailable("The room is too busy"));
        results.into_iter().map(|result| result.unwrap_or_else(busy)).collect()
    }

    /// Plans what is pending, writes it as one, and settles what was not overtaken.
    async fn round(
        &self,
        batch: &[ReadInRoom],
        pending: &[usize],
        results: &mut [Option<Result<NewlyRead>>],
    ) -> Result<()> {
        let now = self.clock.now();
        let mut readers = self.readers(batch, pending).await?;
        let (mut rows, mut planned) = (Vec::new(), Vec::new());
        for &place in pending {
            let read = &batch[place];
            let reader = readers.get_mut(&key(read)).expect("a reader was made for each");
            let at = Place { store: &self.store, room: read.room, user: read.user };
            let start = rows.len();
            for (stretch, progress) in reader.read(&at, read).await? {
                let (room, user) = key(read);
                rows.push(RoomRead { room, user, stretch, read_at: now, progress });
            }
            planned.push(Planned { place, rows: start..rows.len() });
        }
        let stored = match rows.is_empty() {
            true => Vec::new(),
            false => self.store.append_reads(rows.clone()).await?,
        };
        for Planned { place, rows: range } in planned {
            if stored[range.clone()].iter().all(|stored| *stored) {
                let key = key(&batch[place]);
                if let Some(last) = rows[range.clone()].last() {
                    self.progress.insert(key, last.progress);
                }
                results[place] = Some(Ok(newly(&rows[range], now)));
            } else {
                self.progress.remove(&key(&batch[place]));
            }
        }
        Ok(())
    }

    async fn readers(
        &self,
        batch: &[ReadInRoom],
        pending: &[usize],
    ) -> Result<HashMap<Key, Reader>> {
        let mut since: HashMap<Key, i64> = HashMap::new();
        for &place in pending {
            let of_member = since.entry(key(&batch[place])).or_default();
            *of_member = batch[place].since.max(*of_member);
        }
        let found = since.into_iter().map(async |(key, since)| {
            let last = match self.progress.get(&key) {
                Some(known) => Some(known),
                None => self.store.progress(key.0, &[key.1]).await?.pop().map(|(_, last)| last),
            };
            Ok::<_, Error>((key, Reader::new(current(last, since))))
        });
        Ok(try_join_all(found).await?.into_iter().collect())
    }
}

fn key(read: &ReadInRoom) -> Key {
    (read.room, read.user)
}

fn newly(rows: &[RoomRead], now: Timestamp) -> NewlyRead {
    let range = |&Stretch { first, last, .. }: &Stretch| SeqRange { first, last };
    NewlyRead {
        count: rows.iter().map(|row| row.stretch.count).sum(),
        ranges: rows.iter().map(|row| range(&row.stretch)).collect(),
        at: Some(now),
    }
}
