//! The REST routes of rooms. Those of their messages are in `chat/routes`.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::{ChangeRoleBody, ChangeRoomBody, CreateRoomBody, InviteBody};
use super::service::Rooms;
use super::wire::{
    InviteList, Joined, MemberList, NewInvite, Nothing, OneRoom, RoomList, RoomPresence, WhichRoom,
};
use crate::caller::Caller;
use crate::docs::{Enveloped, Failed};
use crate::error::Result;
use crate::ids::{InviteId, RoomId, UserId};
use crate::limits::Limits;
use crate::rest::{Body, OptionalBody, Params, PathId, PathIds, Reply, by_user};

/// The routes under `/rooms`.
pub fn router(rooms: &Arc<Rooms>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(view, change, delete))
        .routes(routes!(join))
        .routes(routes!(leave))
        .routes(routes!(invite))
        .routes(routes!(invites))
        .routes(routes!(revoke_invite))
        .routes(routes!(members))
        .routes(routes!(remove, change_role))
        .routes(routes!(presence))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(rooms.clone())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InviteParams {
    /// The token of an invite.
    invite: Option<String>,
}

/// Create a room, and be its owner
#[utoipa::path(post, path = "/", tag = "rooms", request_body = CreateRoomBody,
    responses((status = 201, body = Enveloped<OneRoom>), (status = 400, body = Failed), (status = 409, body = Failed)))]
async fn create(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Body(body): Body<CreateRoomBody>,
) -> Result<Reply<OneRoom>> {
    let room = rooms.create(caller, body.parse()?).await?;
    Ok(Reply::created("Room created", OneRoom { room }))
}

/// The caller's rooms, the newest first
#[utoipa::path(get, path = "/", tag = "rooms", responses((status = 200, body = Enveloped<RoomList>)))]
async fn list(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Result<Reply<RoomList>> {
    let rooms = rooms.list(caller).await?;
    Ok(Reply::ok("Rooms fetched successfully", RoomList { rooms }))
}

/// A room: public, one's own, or one to which one is invited
#[utoipa::path(get, path = "/{roomId}", tag = "rooms", params(("roomId" = RoomId, Path), InviteParams),
    responses((status = 200, body = Enveloped<OneRoom>), (status = 404, body = Failed)))]
async fn view(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
    Params(params): Params<InviteParams>,
) -> Result<Reply<OneRoom>> {
    let room = rooms.view(caller, room, params.invite.as_deref()).await?;
    Ok(Reply::ok("Room fetched successfully", OneRoom { room }))
}

/// Change a room; its owner does
#[utoipa::path(patch, path = "/{roomId}", tag = "rooms", params(("roomId" = RoomId, Path)), request_body = ChangeRoomBody,
    responses((status = 200, body = Enveloped<OneRoom>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn change(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
    Body(body): Body<ChangeRoomBody>,
) -> Result<Reply<OneRoom>> {
    let room = rooms.change(caller, room, &body.parse()?).await?;
    Ok(Reply::ok("Room changed", OneRoom { room }))
}

/// Delete a room; its owner does
#[utoipa::path(delete, path = "/{roomId}", tag = "rooms", params(("roomId" = RoomId, Path)),
    responses((status = 200, body = Enveloped<WhichRoom>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn delete(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Reply<WhichRoom>> {
    rooms.delete(caller, room).await?;
    Ok(Reply::ok("Room deleted", WhichRoom { room_id: room }))
}

/// Become a member; a private room takes an invite
#[utoipa::path(post, path = "/{roomId}/join", tag = "rooms", params(("roomId" = RoomId, Path), InviteParams),
    responses((status = 200, body = Enveloped<Joined>), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn join(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
    Params(params): Params<InviteParams>,
) -> Result<Reply<Joined>> {
    let room = rooms.join(caller, room, params.invite.as_deref()).await?;
    Ok(Reply::ok("Joined the room", Joined { room_id: room.id, room }))
}

/// End one's membership
#[utoipa::path(post, path = "/{roomId}/leave", tag = "rooms", params(("roomId" = RoomId, Path)),
    responses((status = 200, body = Enveloped<WhichRoom>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn leave(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Reply<WhichRoom>> {
    rooms.leave(caller, room).await?;
    Ok(Reply::ok("Left the room", WhichRoom { room_id: room }))
}

/// Make an invite; members do. Its token is shown here only
#[utoipa::path(post, path = "/{roomId}/invite", tag = "rooms", params(("roomId" = RoomId, Path)), request_body = Option<InviteBody>,
    responses((status = 201, body = Enveloped<NewInvite>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn invite(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
    OptionalBody(body): OptionalBody<InviteBody>,
) -> Result<Reply<NewInvite>> {
    let invite = rooms.create_invite(caller, room, body.parse()?).await?;
    Ok(Reply::created("Invite created", invite))
}

/// The invites that can be used; owner and admins see them
#[utoipa::path(get, path = "/{roomId}/invites", tag = "rooms", params(("roomId" = RoomId, Path)),
    responses((status = 200, body = Enveloped<InviteList>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn invites(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Reply<InviteList>> {
    Ok(Reply::ok("Invites fetched successfully", rooms.list_invites(caller, room).await?))
}

/// Revoke an invite; owner and admins do
#[utoipa::path(delete, path = "/{roomId}/invites/{inviteId}", tag = "rooms",
    params(("roomId" = RoomId, Path), ("inviteId" = InviteId, Path)),
    responses((status = 200, body = Enveloped<Nothing>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn revoke_invite(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathIds(room, invite): PathIds<RoomId, InviteId>,
) -> Result<Reply<Nothing>> {
    rooms.revoke_invite(caller, room, invite).await?;
    Ok(Reply::ok("Invite revoked", Nothing {}))
}

/// The members, with their presence
#[utoipa::path(get, path = "/{roomId}/members", tag = "rooms", params(("roomId" = RoomId, Path)),
    responses((status = 200, body = Enveloped<MemberList>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn members(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Reply<MemberList>> {
    Ok(Reply::ok("Members fetched successfully", rooms.members(caller, room).await?))
}

/// Remove a member; the owner does, and admins those who are neither
#[utoipa::path(delete, path = "/{roomId}/members/{userId}", tag = "rooms",
    params(("roomId" = RoomId, Path), ("userId" = UserId, Path)),
    responses((status = 200, body = Enveloped<Nothing>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn remove(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathIds(room, user): PathIds<RoomId, UserId>,
) -> Result<Reply<Nothing>> {
    rooms.remove(caller, room, user).await?;
    Ok(Reply::ok("Member removed", Nothing {}))
}

/// Make a member an admin, a plain member, or the owner; the owner does
#[utoipa::path(patch, path = "/{roomId}/members/{userId}", tag = "rooms",
    params(("roomId" = RoomId, Path), ("userId" = UserId, Path)), request_body = ChangeRoleBody,
    responses((status = 200, body = Enveloped<OneRoom>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn change_role(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathIds(room, user): PathIds<RoomId, UserId>,
    Body(body): Body<ChangeRoleBody>,
) -> Result<Reply<OneRoom>> {
    let room = rooms.change_role(caller, room, user, body.parse()?).await?;
    Ok(Reply::ok("Role changed", OneRoom { room }))
}

/// Who is online
#[utoipa::path(get, path = "/{roomId}/presence", tag = "rooms", params(("roomId" = RoomId, Path)),
    responses((status = 200, body = Enveloped<RoomPresence>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn presence(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Reply<RoomPresence>> {
    Ok(Reply::ok("Presence fetched successfully", rooms.presence(caller, room).await?))
}
