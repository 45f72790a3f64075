//! What members have read in rooms.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, doc};
use mongodb::error::ErrorKind;
use mongodb::options::Hint;
use serde::{Deserialize, Serialize};

use super::deleting::behind;
use super::{MongoChatStore, READ_NO_UNIQUE};
use crate::chat::model::{Progress, RoomRead, Stretch};
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use crate::store::mongo::operation::{refused_index, run};

pub(super) const ROOM_READS: &str = "roomReads";
/// Members that are asked about at once.
const AT_ONCE: usize = 32;

/// A read as a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomReadRow {
    #[serde(rename = "_id")]
    id: ObjectId,
    room_id: ObjectId,
    user_id: ObjectId,
    no: i64,
    first: i64,
    last: i64,
    count: i64,
    read_at: DateTime,
    done: i64,
    top: i64,
    ahead: i64,
}

impl From<&RoomRead> for RoomReadRow {
    fn from(read: &RoomRead) -> Self {
        let (stretch, progress) = (read.stretch, read.progress);
        Self {
            id: ObjectId::new(),
            room_id: read.room.into(),
            user_id: read.user.into(),
            no: progress.no,
            first: stretch.first,
            last: stretch.last,
            count: stretch.count,
            read_at: read.read_at.into(),
            done: progress.done,
            top: progress.top,
            ahead: progress.ahead,
        }
    }
}

impl From<RoomReadRow> for RoomRead {
    fn from(row: RoomReadRow) -> Self {
        Self {
            room: row.room_id.into(),
            user: row.user_id.into(),
            stretch: Stretch { first: row.first, last: row.last, count: row.count },
            read_at: row.read_at.into(),
            progress: Progress { no: row.no, done: row.done, top: row.top, ahead: row.ahead },
        }
    }
}

/// Stores reads. The insert is ordered, so that it stops at one whose number another node was
/// faster to use, and goes on behind it without that member.
pub(super) async fn append(store: &MongoChatStore, reads: Vec<RoomRead>) -> Result<Vec<bool>> {
    let mut stored = vec![false; reads.len()];
    let mut rows: Vec<(usize, RoomReadRow)> =
        reads.iter().map(RoomReadRow::from).enumerate().collect();
    while !rows.is_empty() {
        let (collection, batch) = (store.room_reads.clone(), rows.clone());
        let outcome = run(async move {
            let documents = batch.iter().map(|(_, row)| row);
            match collection.insert_many(documents).ordered(true).await {
                Ok(_) => Ok(Ok(batch.len())),
                Err(error) => refusal(&error).map(Err).ok_or(error),
            }
        })
        .await;
        let outcome = match outcome {
            // What is stored is stored; the rest may be tried again.
            Err(_) if stored.contains(&true) => break,
            outcome => outcome?,
        };
        let (inserted, refused) = match outcome {
            Ok(all) => (all, None),
            Err(place) => (place, Some(rows[place].1.clone())),
        };
        for (place, _) in rows.drain(..inserted) {
            stored[place] = true;
        }
        let Some(refused) = refused else { break };
        rows.retain(|(_, row)| (row.room_id, row.user_id) != (refused.room_id, refused.user_id));
    }
    Ok(stored)
}

/// Which read was refused because its number is taken; `None` for any other failure.
fn refusal(error: &mongodb::error::Error) -> Option<usize> {
    let ErrorKind::InsertMany(failure) = error.kind.as_ref() else { return None };
    if failure.write_concern_error.is_some() {
        return None;
    }
    let first = failure.write_errors.as_ref()?.first()?;
    let index = refused_index(first.code, &first.message);
    (index == Some(READ_NO_UNIQUE)).then_some(first.index)
}

pub(super) async fn progress(
    store: &MongoChatStore,
    room: RoomId,
    users: &[UserId],
) -> Result<Vec<(UserId, Progress)>> {
    let reads = store.room_reads.clone();
    let rows: Vec<RoomReadRow> = match *users {
        [] => Vec::new(),
        [user] => {
            let last = run(async move {
                let of = doc! { "roomId": room, "userId": user };
                reads.find_one(of).sort(doc! { "no": -1 }).await
            });
            last.await?.into_iter().collect()
        }
        // In this order of sorting the index gives each member's last read in one step, however
        // many there are.
        _ => {
            let last = [
                doc! { "$match": { "roomId": room } },
                doc! { "$sort": { "roomId": -1, "userId": -1, "no": -1 } },
                doc! { "$group": { "_id": "$userId", "last": { "$first": "$$ROOT" } } },
                doc! { "$replaceRoot": { "newRoot": "$last" } },
            ];
            run(async move {
                reads.aggregate(last).with_type::<RoomReadRow>().await?.try_collect().await
            })
            .await?
        }
    };
    let asked: HashSet<UserId> = users.iter().copied().collect();
    let progress = rows.into_iter().map(RoomRead::from).map(|read| (read.user, read.progress));
    Ok(progress.filter(|(user, _)| asked.contains(user)).collect())
}

pub(super) async fn stretches(
    store: &MongoChatStore,
    room: RoomId,
    user: UserId,
    first: i64,
    last: i64,
) -> Result<Vec<Stretch>> {
    let reads = between(store, room, user, first, last).await?;
    Ok(reads.into_iter().map(|read| read.stretch).collect())
}

/// The reads of one member that touch `first..=last`. They never overlap, so there are at most as
/// many of them as messages.
async fn between(
    store: &MongoChatStore,
    room: RoomId,
    user: UserId,
    first: i64,
    last: i64,
) -> Result<Vec<RoomRead>> {
    let Ok(most @ 1..) = last.checked_sub(first).map_or(Err(()), |more| Ok(more + 1)) else {
        return Ok(Vec::new());
    };
    let reads = store.room_reads.clone();
    let found: Vec<RoomReadRow> = run(async move {
        let behind = doc! { "roomId": room, "userId": user, "last": { "$gte": first } };
        reads.find(behind).sort(doc! { "last": 1 }).limit(most).await?.try_collect().await
    })
    .await?;
    let mut found: Vec<RoomRead> = found.into_iter().map(RoomRead::from).collect();
    found.retain(|read| read.stretch.first <= last);
    Ok(found)
}

pub(super) async fn readers(
    store: &MongoChatStore,
    room: RoomId,
    users: &[UserId],
    first: i64,
    last: i64,
) -> Result<Vec<RoomRead>> {
    let asked = stream::iter(users.iter().copied())
        .map(|user| between(store, room, user, first, last))
        .buffer_unordered(AT_ONCE);
    let found: Vec<Vec<RoomRead>> = asked.try_collect().await?;
    Ok(found.concat())
}

/// The reads of a member in all rooms, behind `after`; in the index of numbers the database goes
/// from room to room.
pub(super) async fn of_user(
    store: &MongoChatStore,
    user: UserId,
    after: Option<(RoomId, i64)>,
    limit: u32,
) -> Result<Vec<RoomRead>> {
    let mut own = doc! { "userId": user };
    own.extend(after.map(|after| behind("roomId", "no", after)).unwrap_or_default());
    let reads = store.room_reads.clone();
    let rows: Vec<RoomReadRow> = run(async move {
        let order = doc! { "roomId": 1, "userId": 1, "no": 1 };
        let found = reads.find(own).hint(Hint::Name(READ_NO_UNIQUE.to_owned())).sort(order);
        found.limit(limit.into()).await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(RoomRead::from).collect())
}
