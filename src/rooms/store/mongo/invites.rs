//! Invites by document.

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};

use super::MongoRoomStore;
use super::rooms::is_there;
use super::rows::{InviteRow, insert_new};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{InviteId, RoomId, UserId};
use crate::rooms::model::Invite;
use crate::store::mongo::operation::run;

/// What an invite matches that can be used at `now`.
fn usable_at(now: Timestamp) -> Document {
    doc! {
        "expiresAt": { "$gt": now },
        "$or": [{ "maxUses": Bson::Null }, { "$expr": { "$lt": ["$uses", "$maxUses"] } }],
    }
}

/// Inserts an invite if its room is there, and forgets those to it that have expired by then.
pub(super) async fn insert(store: &MongoRoomStore, invite: &Invite) -> Result<()> {
    let (rooms, invites) = (store.rooms.clone(), store.invites.clone());
    let (id, room, row) = (invite.id, invite.room, InviteRow::from(invite));
    let expired = doc! { "roomId": room, "expiresAt": { "$lte": invite.created_at } };
    run(async move {
        invites.delete_many(expired).await?;
        insert_new(&invites, &row).await?;
        if !is_there(&rooms, room).await? {
            invites.delete_one(doc! { "_id": id }).await?;
        }
        Ok(())
    })
    .await
}

pub(super) async fn by_id(store: &MongoRoomStore, id: InviteId) -> Result<Option<Invite>> {
    let invites = store.invites.clone();
    let found = run(async move { invites.find_one(doc! { "_id": id }).await }).await?;
    Ok(found.map(Invite::from))
}

/// The invites to a room that can be used at `now`, the newest first.
pub(super) async fn usable(
    store: &MongoRoomStore,
    room: RoomId,
    now: Timestamp,
) -> Result<Vec<Invite>> {
    let mut of = doc! { "roomId": room };
    of.extend(usable_at(now));
    let invites = store.invites.clone();
    let rows: Vec<InviteRow> = run(async move {
        let newest = doc! { "createdAt": -1, "_id": -1 };
        invites.find(of).sort(newest).await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(Invite::from).collect())
}

pub(super) async fn is_bound_to(
    store: &MongoRoomStore,
    room: RoomId,
    user: UserId,
    now: Timestamp,
) -> Result<bool> {
    let mut of = doc! { "roomId": room, "userId": user };
    of.extend(usable_at(now));
    let invites = store.invites.clone();
    let found = run(async move { invites.find_one(of).await }).await?;
    Ok(found.is_some())
}

pub(super) async fn count_use(
    store: &MongoRoomStore,
    id: InviteId,
    now: Timestamp,
) -> Result<bool> {
    let mut of = doc! { "_id": id };
    of.extend(usable_at(now));
    let invites = store.invites.clone();
    let counted = doc! { "$inc": { "uses": 1_i64 } };
    let outcome = run(async move { invites.update_one(of, counted).await }).await?;
    Ok(outcome.matched_count == 1)
}

pub(super) async fn revoke(store: &MongoRoomStore, room: RoomId, id: InviteId) -> Result<bool> {
    let invites = store.invites.clone();
    let of = doc! { "_id": id, "roomId": room };
    let outcome = run(async move { invites.delete_one(of).await }).await?;
    Ok(outcome.deleted_count == 1)
}
