//! The REST routes of admins.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::{BanBody, BanParams, SocketParams};
use super::service::Admin;
use super::wire::{BanPage, Disconnected, OneBan, OneSocket, SocketPage};
use crate::caller::{Caller, must_be_admin};
use crate::docs::{Enveloped, Failed};
use crate::error::Result;
use crate::ids::UserId;
use crate::limits::Limits;
use crate::realtime::events::Done;
use crate::realtime::session::SessionNo;
use crate::rest::{OptionalBody, Params, PathId, Reply, by_user};

/// The routes, without their prefix.
pub fn router(admin: &Arc<Admin>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(socket, disconnect))
        .routes(routes!(disconnect_user))
        .routes(routes!(ban, lift_ban))
        .routes(routes!(bans))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(admin.clone())
        .merge(list_router(admin))
}

/// The list of sockets alone.
pub fn list_router(admin: &Arc<Admin>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(sockets)).with_state(admin.clone())
}

/// Connected sockets; the same list is at `/debug/sockets`
#[utoipa::path(get, path = "/sockets", operation_id = "admin_sockets", tag = "admin", params(SocketParams),
    responses((status = 200, body = Enveloped<SocketPage>), (status = 400, body = Failed), (status = 401, body = Failed), (status = 403, body = Failed)))]
async fn sockets(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    Params(params): Params<SocketParams>,
) -> Result<Reply<SocketPage>> {
    must_be_admin(caller)?;
    Ok(Reply::ok("Sockets", admin.sockets(caller, params.try_into()?).await?))
}

/// One connected socket
#[utoipa::path(get, path = "/sockets/{id}", operation_id = "admin_socket", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Enveloped<OneSocket>), (status = 400, body = Failed), (status = 401, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn socket(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    PathId(no): PathId<SessionNo>,
) -> Result<Reply<OneSocket>> {
    Ok(Reply::ok("Socket", admin.socket(caller, no).await?))
}

/// End a socket; its client may come back
#[utoipa::path(delete, path = "/sockets/{id}", operation_id = "admin_disconnect", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Enveloped<Disconnected>), (status = 400, body = Failed), (status = 401, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn disconnect(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    PathId(no): PathId<SessionNo>,
) -> Result<Reply<Disconnected>> {
    Ok(Reply::ok("Disconnected", admin.disconnect(caller, no)?))
}

/// End all sockets of a user; their clients may come back
#[utoipa::path(delete, path = "/users/{id}/sockets", operation_id = "admin_disconnect_user", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Enveloped<Disconnected>), (status = 400, body = Failed), (status = 401, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn disconnect_user(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    PathId(user): PathId<UserId>,
) -> Result<Reply<Disconnected>> {
    Ok(Reply::ok("Disconnected", admin.disconnect_user(caller, user).await?))
}

/// Ban an account: its sessions, reset links and sockets end, and it cannot log in
#[utoipa::path(put, path = "/users/{id}/ban", operation_id = "admin_ban", tag = "admin", params(("id" = String, Path)), request_body = Option<BanBody>,
    responses((status = 200, body = Enveloped<OneBan>), (status = 400, body = Failed), (status = 401, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn ban(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    PathId(user): PathId<UserId>,
    OptionalBody(body): OptionalBody<BanBody>,
) -> Result<Reply<OneBan>> {
    must_be_admin(caller)?;
    let ban = admin.ban(caller, user, body.parse()?).await?;
    Ok(Reply::ok("Banned", OneBan { ban }))
}

/// Lift a ban: the account can log in again
#[utoipa::path(delete, path = "/users/{id}/ban", operation_id = "admin_lift_ban", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Enveloped<Done>), (status = 400, body = Failed), (status = 401, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn lift_ban(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    PathId(user): PathId<UserId>,
) -> Result<Reply<Done>> {
    admin.lift_ban(caller, user).await?;
    Ok(Reply::ok("Ban lifted", Done {}))
}

/// Banned accounts, by username
#[utoipa::path(get, path = "/bans", operation_id = "admin_bans", tag = "admin", params(BanParams),
    responses((status = 200, body = Enveloped<BanPage>), (status = 400, body = Failed), (status = 401, body = Failed), (status = 403, body = Failed)))]
async fn bans(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    Params(params): Params<BanParams>,
) -> Result<Reply<BanPage>> {
    must_be_admin(caller)?;
    let (after, limit) = params.parse()?;
    Ok(Reply::ok("Bans", admin.bans(caller, &after, limit).await?))
}
