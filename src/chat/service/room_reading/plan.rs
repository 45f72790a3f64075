//! What a read changes: which of the messages were unread, and how far the member is then.
//!
//! A member's reads are stretches that never overlap. Behind `done` there may be stretches read
//! out of order; they are looked up only when a read touches them, or reaches up to them.

use std::sync::Arc;

use super::ReadInRoom;
use crate::chat::model::{Progress, Stretch};
use crate::chat::room_wire::SeqRange;
use crate::chat::store::ChatStore;
use crate::error::Result;
use crate::ids::{RoomId, UserId};

/// A gap longer than this is not looked into when it may consist of one's own messages only; a read
/// that covers one stores it as a stretch.
const LONGEST_OWN_GAP: i64 = 256;

/// A member within a batch: how far they are, and what the batch has read for them already.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) progress: Progress,
    pub(super) fresh: Vec<Stretch>,
}

/// One member of one room, in a store.
pub(super) struct Place<'a> {
    pub(super) store: &'a Arc<dyn ChatStore>,
    pub(super) room: RoomId,
    pub(super) user: UserId,
}

impl Reader {
    pub(super) const fn new(progress: Progress) -> Self {
        Self { progress, fresh: Vec::new() }
    }

    /// Reads, and gives what had been unread, each with how far the member is with it.
    pub(super) async fn read(
        &mut self,
        place: &Place<'_>,
        read: &ReadInRoom,
    ) -> Result<Vec<(Stretch, Progress)>> {
        let mut new = Vec::new();
        let around = self.around(place, &read.ranges).await?;
        for range in &read.ranges {
            let range = SeqRange { first: range.first.max(self.progress.done + 1), ..*range };
            let known = within(&around, range);
            for gap in without(range, known) {
                let length = gap.last - gap.first + 1;
                let own = if read.by_others { 0 } else { place.own(gap.first, gap.last).await? };
                let stretch = Stretch { first: gap.first, last: gap.last, count: length - own };
                if stretch.count > 0 || length > LONGEST_OWN_GAP {
                    self.advance(place, stretch, known).await?;
                    new.push((stretch, self.progress));
                } else if gap.first == self.progress.done + 1 {
                    self.progress.done = gap.last;
                    self.absorb(place, behind(known, gap.last)).await?;
                }
            }
        }
        Ok(new)
    }

    /// The stretches among and between `ranges`, where there can be any.
    async fn around(&self, place: &Place<'_>, ranges: &[SeqRange]) -> Result<Vec<Stretch>> {
        let done = self.progress.done;
        let first = ranges.iter().find(|range| range.last > done).map(|range| range.first);
        match (first, ranges.last()) {
            (Some(first), Some(last))
                if first.max(done + 1) <= last.last.min(self.progress.top) =>
            {
                self.stretches(place, first.max(done + 1), last.last).await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The stretches that touch `first..=last`, stored or fresh, in order.
    async fn stretches(&self, place: &Place<'_>, first: i64, last: i64) -> Result<Vec<Stretch>> {
        let mut found = place.store.stretches(place.room, place.user, first, last).await?;
        let touching = |stretch: &&Stretch| stretch.last >= first && stretch.first <= last;
        found.extend(self.fresh.iter().filter(touching));
        found.sort_unstable_by_key(|stretch| stretch.first);
        Ok(found)
    }

    /// Adds a stretch, and moves `done` as far as everything is read; `known` are the stretches
    /// around it.
    async fn advance(
        &mut self,
        place: &Place<'_>,
        stretch: Stretch,
        known: &[Stretch],
    ) -> Result<()> {
        self.fresh.push(stretch);
        let progress = &mut self.progress;
        progress.no += 1;
        progress.top = progress.top.max(stretch.last);
        if !place.is_own(progress.done + 1, stretch.first - 1).await? {
            progress.ahead += stretch.count;
            return Ok(());
        }
        progress.done = stretch.last;
        let absorbed = self.absorb(place, behind(known, stretch.last)).await?;
        if absorbed && self.progress.done < self.progress.top {
            let more = self.stretches(place, self.progress.done + 1, self.progress.top).await?;
            self.absorb(place, &more).await?;
        }
        Ok(())
    }

    /// Moves `done` over stretches behind it, as long as nothing between is unread; whether it
    /// came past the last one.
    async fn absorb(&mut self, place: &Place<'_>, stretches: &[Stretch]) -> Result<bool> {
        for next in stretches {
            if !place.is_own(self.progress.done + 1, next.first - 1).await? {
                return Ok(false);
            }
            self.progress.done = next.last;
            self.progress.ahead -= next.count;
        }
        Ok(true)
    }
}

impl Place<'_> {
    async fn own(&self, first: i64, last: i64) -> Result<i64> {
        self.store.count_own(self.room, self.user, first, last).await
    }

    /// Whether the member wrote all of `first..=last`. A long gap is taken for one that is not.
    async fn is_own(&self, first: i64, last: i64) -> Result<bool> {
        let length = last - first + 1;
        Ok(length <= 0 || (length <= LONGEST_OWN_GAP && self.own(first, last).await? == length))
    }
}

/// Those of `stretches`, which are in order, that touch `range`.
fn within(stretches: &[Stretch], range: SeqRange) -> &[Stretch] {
    let start = stretches.partition_point(|stretch| stretch.last < range.first);
    let end = stretches.partition_point(|stretch| stretch.first <= range.last);
    stretches.get(start..end).unwrap_or_default()
}

/// Those of `stretches`, which are in order, that begin behind `seq`.
fn behind(stretches: &[Stretch], seq: i64) -> &[Stretch] {
    &stretches[stretches.partition_point(|stretch| stretch.first <= seq)..]
}

/// `range` without what `stretches`, in order, cover.
pub(in crate::chat::service) fn without(range: SeqRange, stretches: &[Stretch]) -> Vec<SeqRange> {
    let mut gaps = Vec::new();
    let mut first = range.first;
    for stretch in stretches {
        if stretch.first > first {
            gaps.push(SeqRange { first, last: range.last.min(stretch.first - 1) });
        }
        first = first.max(stretch.last + 1);
    }
    if first <= range.last {
        gaps.push(SeqRange { first, last: range.last });
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_no_stretch_covers() {
        let range = |first, last| SeqRange { first, last };
        let stretch = |first, last| Stretch { first, last, count: last - first + 1 };
        let covered = [stretch(1, 3), stretch(5, 5), stretch(8, 12)];
        assert_eq!(without(range(2, 10), &covered), [range(4, 4), range(6, 7)]);
        assert_eq!(without(range(2, 20), &covered), [range(4, 4), range(6, 7), range(13, 20)]);
        assert_eq!(without(range(6, 7), &[]), [range(6, 7)]);
        assert!(without(range(8, 11), &covered[2..]).is_empty());
    }
}
