//! Memberships by document.

use std::cmp::Reverse;
use std::collections::HashMap;

use futures_util::TryStreamExt;
use futures_util::future::try_join;
use mongodb::Collection;
use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use serde::{Deserialize, Serialize};

use super::MongoRoomStore;
use super::rooms::is_there;
use super::rows::{MemberRow, RoomRow, insert_new};
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use crate::rooms::model::{Member, Membership, Room};
use crate::store::mongo::operation::run;

#[derive(Debug, Serialize, Deserialize)]
struct MemberCount {
    #[serde(rename = "_id")]
    room: ObjectId,
    count: i64,
}

/// The rooms of a user, the newest first, in three queries however many they are.
pub(super) async fn of_user(store: &MongoRoomStore, user: UserId) -> Result<Vec<Membership>> {
    let (rooms, members) = (store.rooms.clone(), store.members.clone());
    let mut found = run(async move {
        let mine: Vec<MemberRow> =
            members.find(doc! { "userId": user }).await?.try_collect().await?;
        if mine.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<ObjectId> = mine.iter().map(|row| row.room_id).collect();
        let (rooms, counts) =
            try_join(rooms_by_id(&rooms, &ids), count_members(&members, &ids)).await?;
        Ok(join(mine, rooms, &counts))
    })
    .await?;
    found.sort_unstable_by_key(|one| Reverse((one.room.created_at, one.room.id)));
    Ok(found)
}

async fn rooms_by_id(
    rooms: &Collection<RoomRow>,
    ids: &[ObjectId],
) -> mongodb::error::Result<HashMap<ObjectId, RoomRow>> {
    let rows = rooms.find(doc! { "_id": { "$in": ids } }).await?;
    rows.map_ok(|row| (row.id, row)).try_collect().await
}

async fn count_members(
    members: &Collection<MemberRow>,
    ids: &[ObjectId],
) -> mongodb::error::Result<HashMap<ObjectId, u64>> {
    let count = [
        doc! { "$match": { "roomId": { "$in": ids } } },
        doc! { "$group": { "_id": "$roomId", "count": { "$sum": 1_i64 } } },
    ];
    let counts = members.aggregate(count).with_type::<MemberCount>().await?;
    counts.map_ok(|row| (row.room, row.count as u64)).try_collect().await
}

/// Leaves out the rooms that are not there, or are just being closed.
fn join(
    mine: Vec<MemberRow>,
    mut rooms: HashMap<ObjectId, RoomRow>,
    counts: &HashMap<ObjectId, u64>,
) -> Vec<Membership> {
    let membership = |row: MemberRow| {
        let count = *counts.get(&row.room_id)?;
        let room = Room::from(rooms.remove(&row.room_id)?);
        Some(Membership { room, member: row.into(), count })
    };
    mine.into_iter().filter_map(membership).collect()
}

/// `false` when they are one already, or there is no such room.
pub(super) async fn add(store: &MongoRoomStore, room: RoomId, member: &Member) -> Result<bool> {
    let (rooms, members) = (store.rooms.clone(), store.members.clone());
    let (row, user) = (MemberRow::new(room, member), member.user);
    run(async move {
        if !insert_new(&members, &row).await? {
            return Ok(false);
        }
        if is_there(&rooms, room).await? {
            return Ok(true);
        }
        members.delete_one(doc! { "roomId": room, "userId": user }).await?;
        Ok(false)
    })
    .await
}

pub(super) async fn remove(store: &MongoRoomStore, room: RoomId, user: UserId) -> Result<bool> {
    let members = store.members.clone();
    let of = doc! { "roomId": room, "userId": user };
    let outcome = run(async move { members.delete_one(of).await }).await?;
    Ok(outcome.deleted_count == 1)
}

pub(super) async fn set_admin(
    store: &MongoRoomStore,
    room: RoomId,
    user: UserId,
    is_admin: bool,
) -> Result<bool> {
    let members = store.members.clone();
    let of = doc! { "roomId": room, "userId": user };
    let change = doc! { "$set": { "isAdmin": is_admin } };
    let outcome = run(async move { members.update_one(of, change).await }).await?;
    Ok(outcome.matched_count == 1)
}
