//! The REST routes of chat.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::HistoryPage;
use super::service::Chat;
use super::wire::{History, Inbox, MarkedRead, UnreadCount};
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::docs::{Enveloped, Failed};
use crate::error::{Fields, Result};
use crate::ids::UserId;
use crate::limits::Limits;
use crate::page;
use crate::rest::{Params, PathId, Reply, by_user};

/// Messages on a page of a history, where nothing else is asked, and at most.
const HISTORY: (u32, u32) = (50, 200);
/// Conversations on a page of the inbox, likewise.
const INBOX: (u32, u32) = (50, 200);

/// The routes under `/api/messages`.
pub fn messages(chat: &Arc<Chat>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(history))
        .routes(routes!(mark_read))
        .routes(routes!(unread_count))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(chat.clone())
}

/// The routes under `/api/conversations`.
pub fn conversations(chat: &Arc<Chat>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(inbox)).with_state(chat.clone())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryParams {
    /// 1 to 200.
    limit: Option<String>,
    /// Leaves out the newest so many.
    skip: Option<String>,
    /// Only messages before this `seq`.
    before: Option<String>,
    /// Only messages after this `seq`.
    after: Option<String>,
}

/// The conversation with a user, oldest first within the page, the newest page first
#[utoipa::path(get, path = "/{userId}", tag = "messages", params(("userId" = UserId, Path), HistoryParams),
    responses((status = 200, body = Enveloped<History>), (status = 404, body = Failed)))]
async fn history(
    State(chat): State<Arc<Chat>>,
    caller: Caller,
    PathId(peer): PathId<UserId>,
    Params(params): Params<HistoryParams>,
) -> Result<Reply<History>> {
    let mut fields = Fields::new();
    let limit = fields.check(page::limit(params.limit.as_deref(), HISTORY.0, HISTORY.1));
    let skip = fields.check(page::count("skip", params.skip.as_deref())).flatten();
    let before = fields.check(page::count("before", params.before.as_deref())).flatten();
    let after = fields.check(page::count("after", params.after.as_deref())).flatten();
    let limit = fields.into_result(limit)?;
    let page = HistoryPage::parse(skip, before, after)?;
    let messages = chat.history(caller, peer, page, limit).await?;
    let count = messages.len();
    Ok(Reply::ok("Conversation fetched successfully", History { messages, count }))
}

/// Mark everything from a user as read
#[utoipa::path(put, path = "/read/{userId}", tag = "messages", params(("userId" = UserId, Path)),
    responses((status = 200, body = Enveloped<MarkedRead>), (status = 404, body = Failed)))]
async fn mark_read(
    State(chat): State<Arc<Chat>>,
    caller: Caller,
    PathId(peer): PathId<UserId>,
) -> Result<Reply<MarkedRead>> {
    let modified_count = chat.read_all(caller, peer).await?;
    Ok(Reply::ok("Messages marked as read", MarkedRead { modified_count }))
}

/// How many messages the caller has not read
#[utoipa::path(get, path = "/unread/count", tag = "messages",
    responses((status = 200, body = Enveloped<UnreadCount>)))]
async fn unread_count(State(chat): State<Arc<Chat>>, caller: Caller) -> Result<Reply<UnreadCount>> {
    Ok(Reply::ok("Unread count fetched successfully", chat.unread_count(caller).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InboxParams {
    /// 1 to 200.
    limit: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The caller's conversations, the last changed first
#[utoipa::path(get, path = "/", tag = "messages", params(InboxParams),
    responses((status = 200, body = Enveloped<Inbox>)))]
async fn inbox(
    State(chat): State<Arc<Chat>>,
    caller: Caller,
    Params(params): Params<InboxParams>,
) -> Result<Reply<Inbox>> {
    let mut fields = Fields::new();
    let limit = fields.check(page::limit(params.limit.as_deref(), INBOX.0, INBOX.1));
    let before = fields.check(page::position(params.cursor.as_deref(), |text| {
        let (millis, id) = text.split_once(' ')?;
        Some((Timestamp::from_millis(millis.parse().ok()?), id.parse().ok()?))
    }));
    let (limit, before) = fields.into_result(limit.zip(before))?;
    Ok(Reply::ok("Conversations fetched successfully", chat.inbox(caller, before, limit).await?))
}
