//! The REST routes of messages in rooms.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::RoomPage;
use super::room_wire::{Receipts, RoomHistory};
use super::service::Chat;
use crate::caller::Caller;
use crate::docs::{Enveloped, Failed};
use crate::error::{Fields, Result};
use crate::ids::{MessageId, RoomId};
use crate::limits::Limits;
use crate::page;
use crate::rest::{Params, PathId, PathIds, Reply, by_user};

/// Messages on a page, where nothing else is asked, and at most.
const PAGE: (u32, u32) = (20, 200);

/// The routes under `/rooms`, beside those of [`crate::rooms::routes`].
pub fn router(chat: &Arc<Chat>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(messages))
        .routes(routes!(receipts))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(chat.clone())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct PageParams {
    /// From 1, the newest page first.
    page: Option<String>,
    /// 1 to 200; 20 when nothing is said.
    page_size: Option<String>,
    /// Only messages before this `seq`.
    before: Option<String>,
    /// Only messages after this `seq`.
    after: Option<String>,
}

/// The messages of a room, the newest first; they are read with this
#[utoipa::path(get, path = "/{roomId}/messages", tag = "rooms", params(("roomId" = RoomId, Path), PageParams),
    responses((status = 200, body = Enveloped<RoomHistory>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn messages(
    State(chat): State<Arc<Chat>>,
    caller: Caller,
    PathId(room): PathId<RoomId>,
    Params(params): Params<PageParams>,
) -> Result<Reply<RoomHistory>> {
    let mut fields = Fields::new();
    let page = fields.check(page::count("page", params.page.as_deref())).flatten();
    let size = fields.check(page::size("pageSize", params.page_size.as_deref(), PAGE.0, PAGE.1));
    let before = fields.check(page::count("before", params.before.as_deref())).flatten();
    let after = fields.check(page::count("after", params.after.as_deref())).flatten();
    let page = RoomPage::parse(page, fields.into_result(size)?, before, after)?;
    let history = chat.room_history(caller, room, page).await?;
    Ok(Reply::ok("Messages fetched successfully", history))
}

/// Who has read a message, and when
#[utoipa::path(get, path = "/{roomId}/messages/{messageId}/receipts", tag = "rooms",
    params(("roomId" = RoomId, Path), ("messageId" = MessageId, Path)),
    responses((status = 200, body = Enveloped<Receipts>), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn receipts(
    State(chat): State<Arc<Chat>>,
    caller: Caller,
    PathIds(room, message): PathIds<RoomId, MessageId>,
) -> Result<Reply<Receipts>> {
    let receipts = chat.receipts(caller, room, message).await?;
    Ok(Reply::ok("Receipts fetched successfully", receipts))
}
