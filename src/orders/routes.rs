//! The REST routes of orders. The trail of a trip is in `tracking`.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::lifecycle::Action;
use super::model::Status;
use super::requests::{AssignBody, OrderRef, PlaceOrderBody, ReasonBody, StatusBody};
use super::service::{Orders, may_place};
use super::wire::{OneOrder, OrderList};
use crate::caller::Caller;
use crate::docs::{Enveloped, Failed};
use crate::error::{Fields, Result};
use crate::limits::Limits;
use crate::page;
use crate::rest::{Body, OptionalBody, Params, PathId, Reply, by_user};

/// How many orders a page has, usually and at most.
const PAGE: (u32, u32) = (50, 200);

/// The routes under `/api/orders`.
pub fn router(orders: &Arc<Orders>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(place, list))
        .routes(routes!(view))
        .routes(routes!(accept))
        .routes(routes!(reject))
        .routes(routes!(cancel))
        .routes(routes!(update_status))
        .routes(routes!(assign))
        .routes(routes!(unassign))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(orders.clone())
}

/// Place an order
#[utoipa::path(post, path = "/", tag = "orders", request_body = PlaceOrderBody,
    responses((status = 201, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn place(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    Body(body): Body<PlaceOrderBody>,
) -> Result<Reply<OneOrder>> {
    may_place(caller)?;
    let order = orders.place(caller, body.parse()?).await?;
    Ok(Reply::created("Order placed", OneOrder { order }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only those that have come so far.
    #[param(value_type = Option<Status>)]
    status: Option<String>,
    /// 1 to 200; 50 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The caller's orders, to admins all, the newest first
#[utoipa::path(get, path = "/", tag = "orders", params(ListParams),
    responses((status = 200, body = Enveloped<OrderList>), (status = 400, body = Failed)))]
async fn list(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Reply<OrderList>> {
    let mut fields = Fields::new();
    let status = fields.optional("status", params.status, |word| word.parse());
    let limit = fields.check(page::limit(params.limit.as_deref(), PAGE.0, PAGE.1));
    let before = fields.check(page::position(params.cursor.as_deref(), |text| text.parse().ok()));
    let (limit, before) = fields.into_result(limit.zip(before))?;
    let list = orders.list(caller, status, before, limit).await?;
    Ok(Reply::ok("Orders fetched successfully", list))
}

/// An order in which one has a part, or that one could take
#[utoipa::path(get, path = "/{id}", tag = "orders", params(("id" = String, Path, description = "Its id or its number.")),
    responses((status = 200, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 404, body = Failed)))]
async fn view(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
) -> Result<Reply<OneOrder>> {
    let order = orders.view(caller, order).await?;
    Ok(Reply::ok("Order fetched successfully", OneOrder { order }))
}

/// Take a pending order; drivers do, and of any number one wins
#[utoipa::path(post, path = "/{id}/accept", tag = "orders", params(("id" = String, Path, description = "Its id or its number.")),
    responses((status = 200, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn accept(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
) -> Result<Reply<OneOrder>> {
    let order = orders.act(caller, order, Action::Accept).await?;
    Ok(Reply::ok("Order accepted", OneOrder { order }))
}

/// Not want a pending order, now or later; drivers do
#[utoipa::path(post, path = "/{id}/reject", tag = "orders", params(("id" = String, Path, description = "Its id or its number.")), request_body = Option<ReasonBody>,
    responses((status = 200, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn reject(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Reply<OneOrder>> {
    let order = orders.act(caller, order, Action::Reject(body.parse()?)).await?;
    Ok(Reply::ok("Order rejected", OneOrder { order }))
}

/// Cancel an order that is not delivered; its customer does, its restaurant, or an admin
#[utoipa::path(post, path = "/{id}/cancel", tag = "orders", params(("id" = String, Path, description = "Its id or its number.")), request_body = Option<ReasonBody>,
    responses((status = 200, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn cancel(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Reply<OneOrder>> {
    let order = orders.act(caller, order, Action::Cancel(body.parse()?)).await?;
    Ok(Reply::ok("Order cancelled", OneOrder { order }))
}

/// Move an order one step on; its driver does, or an admin
#[utoipa::path(put, path = "/{id}/status", tag = "orders", params(("id" = String, Path, description = "Its id or its number.")), request_body = StatusBody,
    responses((status = 200, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn update_status(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
    Body(body): Body<StatusBody>,
) -> Result<Reply<OneOrder>> {
    let order = orders.act(caller, order, body.parse()?).await?;
    Ok(Reply::ok("Order status updated", OneOrder { order }))
}

/// Give a pending order to a driver; admins do
#[utoipa::path(post, path = "/{id}/assign", tag = "orders", params(("id" = String, Path, description = "Its id or its number.")), request_body = AssignBody,
    responses((status = 200, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn assign(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
    Body(body): Body<AssignBody>,
) -> Result<Reply<OneOrder>> {
    let (driver, earnings) = body.parse()?;
    let order = orders.assign(caller, order, &driver, earnings).await?;
    Ok(Reply::ok("Order assigned", OneOrder { order }))
}

/// Take an order from its driver, and offer it again; admins do
#[utoipa::path(post, path = "/{id}/unassign", tag = "orders", params(("id" = String, Path, description = "Its id or its number.")),
    responses((status = 200, body = Enveloped<OneOrder>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed), (status = 409, body = Failed)))]
async fn unassign(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
) -> Result<Reply<OneOrder>> {
    let order = orders.act(caller, order, Action::Unassign).await?;
    Ok(Reply::ok("Order taken from its driver", OneOrder { order }))
}
