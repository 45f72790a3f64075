//! `/api/v1/orders`: what the driver app and its back office do with orders.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::{AssignOrderBody, CreateOrderBody, StatusWord, V1StatusBody, status};
use super::wire::Assignment;
use super::{earnings, pools};
use crate::caller::{Caller, must_be_admin};
use crate::docs::V1Failed;
use crate::drivers::service::must_drive;
use crate::error::{Fields, Result};
use crate::limits::Limits;
use crate::orders::lifecycle::Action;
use crate::orders::requests::{OrderRef, ReasonBody};
use crate::orders::service::Orders;
use crate::page;
use crate::rest::{Body, OptionalBody, Params, PathId, Reply, by_user};

/// Orders of one answer, usually and at most.
const PAGE: (u32, u32) = (50, 200);

/// The routes of orders under `/api/v1`.
pub fn router(orders: &Arc<Orders>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(assigned))
        .routes(routes!(order))
        .routes(routes!(set_status))
        .routes(routes!(accept))
        .routes(routes!(reject))
        .routes(routes!(assign))
        .routes(routes!(unassign))
        .routes(routes!(cancel))
        .routes(routes!(pools::pool))
        .routes(routes!(earnings::today))
        .routes(routes!(earnings::history))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(orders.clone())
}

/// Parameters of `GET orders`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only those that have come so far.
    #[param(value_type = Option<StatusWord>)]
    status: Option<String>,
    /// 1 to 200, the newest first; 50 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// Only those with a smaller number.
    #[param(value_type = Option<i64>)]
    before: Option<String>,
}

/// All orders, the newest first
#[utoipa::path(get, path = "/orders", operation_id = "v1_orders", tag = "back office", params(ListParams),
    responses((status = 200, body = Vec<Assignment>), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed)))]
async fn list(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Reply<Vec<Assignment>>> {
    must_be_admin(caller)?;
    let mut fields = Fields::new();
    let wanted = fields.optional("status", params.status, |word| status(&word));
    let before = fields.check(page::count("before", params.before.as_deref()));
    let limit = fields.check(page::limit(params.limit.as_deref(), PAGE.0, PAGE.1));
    let (before, limit) = fields.into_result(before.zip(limit))?;
    let page = orders.assignments(caller, wanted, before, limit).await?;
    Ok(Reply::ok("Orders", page))
}

/// Place an order; one that names a driver is theirs at once
#[utoipa::path(post, path = "/orders", operation_id = "v1_create_order", tag = "back office", request_body = CreateOrderBody,
    responses((status = 201, body = Assignment), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 429, body = V1Failed)))]
async fn create(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    Body(body): Body<CreateOrderBody>,
) -> Result<Reply<Assignment>> {
    must_be_admin(caller)?;
    let wanted = body.parse()?;
    let order = orders.create(caller, wanted.order, wanted.driver).await?;
    Ok(Reply::created("Order placed", order))
}

/// The orders that the driver who calls is at, the newest first
#[utoipa::path(get, path = "/orders/assigned", operation_id = "v1_assigned", tag = "driver app",
    responses((status = 200, body = Vec<Assignment>), (status = 401, body = V1Failed), (status = 403, body = V1Failed)))]
async fn assigned(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
) -> Result<Reply<Vec<Assignment>>> {
    must_drive(caller)?;
    Ok(Reply::ok("Orders", orders.assigned(caller, PAGE.1).await?))
}

/// One order, by its number or its id
#[utoipa::path(get, path = "/orders/{id}", operation_id = "v1_order", tag = "driver app", params(("id" = String, Path)),
    responses((status = 200, body = Assignment), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 404, body = V1Failed)))]
async fn order(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(named): PathId<OrderRef>,
) -> Result<Reply<Assignment>> {
    Ok(Reply::ok("The order", orders.assignment(caller, named).await?))
}

/// Take an order a step further
#[utoipa::path(put, path = "/orders/{id}/status", operation_id = "v1_set_order_status", tag = "driver app", params(("id" = String, Path)), request_body = V1StatusBody,
    responses((status = 200, body = Assignment), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 409, body = V1Failed)))]
async fn set_status(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(named): PathId<OrderRef>,
    Body(body): Body<V1StatusBody>,
) -> Result<Reply<Assignment>> {
    let action = Action::Advance(body.parse()?);
    Ok(Reply::ok("Status noted", orders.act_v1(caller, named, action).await?))
}

/// Take an order that can be had
#[utoipa::path(post, path = "/orders/{id}/accept", operation_id = "v1_accept", tag = "driver app", params(("id" = String, Path)),
    responses((status = 200, body = Assignment), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 409, body = V1Failed)))]
async fn accept(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(named): PathId<OrderRef>,
) -> Result<Reply<Assignment>> {
    Ok(Reply::ok("Order accepted", orders.act_v1(caller, named, Action::Accept).await?))
}

/// Turn an order down
#[utoipa::path(post, path = "/orders/{id}/reject", operation_id = "v1_reject", tag = "driver app", params(("id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = Assignment), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 409, body = V1Failed)))]
async fn reject(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(named): PathId<OrderRef>,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Reply<Assignment>> {
    let action = Action::Reject(body.parse()?);
    Ok(Reply::ok("Order rejected", orders.act_v1(caller, named, action).await?))
}

/// Give an order to a driver
#[utoipa::path(post, path = "/orders/{id}/assign", operation_id = "v1_assign", tag = "back office", params(("id" = String, Path)), request_body = AssignOrderBody,
    responses((status = 200, body = Assignment), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 409, body = V1Failed)))]
async fn assign(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(named): PathId<OrderRef>,
    Body(body): Body<AssignOrderBody>,
) -> Result<Reply<Assignment>> {
    must_be_admin(caller)?;
    let (driver, earnings) = body.parse()?;
    let driver = orders.driver_named(&driver).await?;
    let action = Action::Assign(driver, earnings);
    Ok(Reply::ok("Order assigned", orders.act_v1(caller, named, action).await?))
}

/// Take an order from its driver; it waits for another one
#[utoipa::path(post, path = "/orders/{id}/unassign", operation_id = "v1_unassign", tag = "back office", params(("id" = String, Path)),
    responses((status = 200, body = Assignment), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 409, body = V1Failed)))]
async fn unassign(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(named): PathId<OrderRef>,
) -> Result<Reply<Assignment>> {
    Ok(Reply::ok("Order unassigned", orders.act_v1(caller, named, Action::Unassign).await?))
}

/// Cancel an order that is not delivered
#[utoipa::path(post, path = "/orders/{id}/cancel", operation_id = "v1_cancel", tag = "back office", params(("id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = Assignment), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 409, body = V1Failed)))]
async fn cancel(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    PathId(named): PathId<OrderRef>,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Reply<Assignment>> {
    let action = Action::Cancel(body.parse()?);
    Ok(Reply::ok("Order cancelled", orders.act_v1(caller, named, action).await?))
}
