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

/// What a round stores for one read of a batch, by the read's place in it.
type Planned = (usize, Vec<RoomRead>);

impl Writer {
    pub(super) fn new(store: &Arc<dyn ChatStore>, clock: &Clock) -> Self {
        Self { store: store.clone(), clock: clock.clone(), progress: Cache::new(REMEMBERED) }
    }

    /// Writes a batch, with one result each.
    pub(super) async fn write(&self, batch: Vec<ReadInRoom>) -> Vec<Result<NewlyRead>> {
        let mut results: Vec<Option<Result<NewlyRead>>> = vec![None; batch.len()];
        let mut partly = vec![NewlyRead::default(); batch.len()];
        for _ in 0..TRIES {
            let pending: Vec<usize> =
                (0..batch.len()).filter(|place| results[*place].is_none()).collect();
            if pending.is_empty() {
                break;
            }
            if let Err(error) = self.round(&batch, &pending, &mut partly, &mut results).await {
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
        partly: &mut [NewlyRead],
        results: &mut [Option<Result<NewlyRead>>],
    ) -> Result<()> {
        let now = self.clock.now();
        let mut of_member: HashMap<Key, Vec<usize>> = HashMap::new();
        for &place in pending {
            of_member.entry(key(&batch[place])).or_default().push(place);
        }
        let plans = of_member.into_iter().map(|(key, places)| self.plan(batch, key, places, now));
        let planned: Vec<Planned> = try_join_all(plans).await?.concat();
        let rows: Vec<RoomRead> = planned.iter().flat_map(|(_, rows)| rows).copied().collect();
        let mut stored = match rows.is_empty() {
            true => Vec::new(),
            false => self.store.append_reads(rows).await?,
        }
        .into_iter();
        for (place, rows) in planned {
            let count = stored.by_ref().take(rows.len()).filter(|stored| *stored).count();
            // Reads of one member are stored in order, up to the first that is refused.
            partly[place].add(&rows[..count], now);
            if count < rows.len() {
                self.progress.remove(&key(&batch[place]));
                continue;
            }
            if let Some(last) = rows.last() {
                self.progress.insert(key(&batch[place]), last.progress);
            }
            results[place] = Some(Ok(std::mem::take(&mut partly[place])));
        }
        Ok(())
    }

    /// Plans the reads of one member, in order.
    async fn plan(
        &self,
        batch: &[ReadInRoom],
        key: Key,
        places: Vec<usize>,
        now: Timestamp,
    ) -> Result<Vec<Planned>> {
        let (room, user) = key;
        let last = match self.progress.get(&key) {
            Some(known) => Some(known),
            None => self.store.progress(room, &[user]).await?.pop().map(|(_, last)| last),
        };
        let since = places.iter().map(|place| batch[*place].since).max().unwrap_or_default();
        let mut reader = Reader::new(current(last, since));
        let at = Place { store: &self.store, room, user };
        let mut planned = Vec::with_capacity(places.len());
        for place in places {
            let new = reader.read(&at, &batch[place]).await?;
            let row =
                |(stretch, progress)| RoomRead { room, user, stretch, read_at: now, progress };
            planned.push((place, new.into_iter().map(row).collect()));
        }
        Ok(planned)
    }
}

fn key(read: &ReadInRoom) -> Key {
    (read.room, read.user)
}

impl NewlyRead {
    /// Adds what was stored.
    fn add(&mut self, rows: &[RoomRead], now: Timestamp) {
        let range = |&Stretch { first, last, .. }: &Stretch| SeqRange { first, last };
        self.count += rows.iter().map(|row| row.stretch.count).sum::<i64>();
        self.ranges.extend(rows.iter().map(|row| range(&row.stretch)));
        self.at.get_or_insert(now);
    }
}
