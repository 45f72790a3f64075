//! Rooms by document, and what goes with them.

use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::MongoRoomStore;
use super::rows::{MemberRow, RoomRow, insert_new};
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use crate::rooms::model::{Member, Room, RoomChange};
use crate::store::mongo::operation::{is_outage, run};

/// Whether there is such a room now.
pub(super) async fn is_there(
    rooms: &Collection<RoomRow>,
    id: RoomId,
) -> mongodb::error::Result<bool> {
    Ok(rooms.find_one(doc! { "_id": id }).await?.is_some())
}

pub(super) async fn insert(store: &MongoRoomStore, room: &Room, owner: &Member) -> Result<()> {
    let id = room.id;
    let (row, owner) = (RoomRow::from(room), MemberRow::new(id, owner));
    let (rooms, members) = (store.rooms.clone(), store.members.clone());
    run(async move {
        // Who was the first member may have left since.
        if is_there(&rooms, id).await? {
            return Ok(());
        }
        insert_new(&members, &owner).await?;
        insert_new(&rooms, &row).await.map(drop)
    })
    .await
}

pub(super) async fn with_members(
    store: &MongoRoomStore,
    id: RoomId,
) -> Result<Option<(Room, Vec<Member>)>> {
    let (rooms, members) = (store.rooms.clone(), store.members.clone());
    run(async move {
        let first = doc! { "joinedAt": 1, "userId": 1 };
        let of_room = members.find(doc! { "roomId": id }).sort(first).await?;
        let of_room: Vec<MemberRow> = of_room.try_collect().await?;
        // Asked for last: while it is there, nobody has begun to remove its members.
        let room = rooms.find_one(doc! { "_id": id }).await?;
        let of_room = of_room.into_iter().map(Member::from).collect();
        Ok(room.map(|room| (Room::from(room), of_room)))
    })
    .await
}

pub(super) async fn change(
    store: &MongoRoomStore,
    id: RoomId,
    change: &RoomChange,
) -> Result<Option<Room>> {
    let rooms = store.rooms.clone();
    let (of, update) = (doc! { "_id": id }, update(change));
    let changed = run(async move {
        if update.is_empty() {
            return rooms.find_one(of).await;
        }
        rooms.find_one_and_update(of, update).return_document(ReturnDocument::After).await
    });
    Ok(changed.await?.map(Room::from))
}

fn update(change: &RoomChange) -> Document {
    let (mut set, mut unset) = (Document::new(), Document::new());
    if let Some(name) = &change.name {
        set.insert("name", name.as_str());
    }
    match &change.description {
        Some(Some(description)) => drop(set.insert("description", description.as_str())),
        Some(None) => drop(unset.insert("description", "")),
        None => {}
    }
    if let Some(is_private) = change.is_private {
        set.insert("isPrivate", is_private);
    }
    let parts = [("$set", set), ("$unset", unset)];
    parts
        .into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(k, v)| (k.to_owned(), v.into()))
        .collect()
}

pub(super) async fn change_owner(
    store: &MongoRoomStore,
    id: RoomId,
    from: UserId,
    to: UserId,
) -> Result<bool> {
    let rooms = store.rooms.clone();
    let owned = doc! { "_id": id, "ownerId": from };
    let handed_over = doc! { "$set": { "ownerId": to } };
    let outcome = run(async move { rooms.update_one(owned, handed_over).await }).await?;
    Ok(outcome.matched_count == 1)
}

pub(super) async fn close(store: &MongoRoomStore, id: RoomId, owner: UserId) -> Result<bool> {
    let rooms = store.rooms.clone();
    let of_owner = doc! { "_id": id, "ownerId": owner };
    let removed = run(async move { rooms.delete_one(of_owner).await }).await?;
    if removed.deleted_count == 0 {
        return Ok(false);
    }
    // The room is closed whatever comes of this: what stays does not count. Its failure is
    // logged where it happens.
    let _ = remove_what_belonged_to(store, id).await;
    Ok(true)
}

async fn remove_what_belonged_to(store: &MongoRoomStore, id: RoomId) -> Result<()> {
    let (members, invites) = (store.members.clone(), store.invites.clone());
    run(async move {
        let remove = async || {
            members.delete_many(doc! { "roomId": id }).await?;
            invites.delete_many(doc! { "roomId": id }).await
        };
        match remove().await {
            // The driver does not try such again.
            Err(error) if is_outage(&error) => remove().await.map(drop),
            outcome => outcome.map(drop),
        }
    })
    .await
}
