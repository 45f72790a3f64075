//! The REST route of following orders.

use std::sync::Arc;

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::Tracking;
use super::wire::{TrailParams, TrailView};
use crate::caller::Caller;
use crate::docs::{Enveloped, Failed};
use crate::error::Result;
use crate::orders::requests::OrderRef;
use crate::rest::{Params, PathId, Reply};

/// The route under `/api/orders`.
pub fn router(tracking: &Arc<Tracking>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(trail)).with_state(tracking.clone())
}

/// The trail of a trip: where the driver of an order was since they had it
#[utoipa::path(get, path = "/{id}/track", tag = "orders", params(("id" = String, Path, description = "Its id or its number."), TrailParams),
    responses((status = 200, body = Enveloped<TrailView>), (status = 400, body = Failed), (status = 403, body = Failed), (status = 404, body = Failed)))]
async fn trail(
    State(tracking): State<Arc<Tracking>>,
    caller: Caller,
    PathId(order): PathId<OrderRef>,
    Params(params): Params<TrailParams>,
) -> Result<Reply<TrailView>> {
    let (after, limit) = params.parse()?;
    let trail = tracking.trail(caller, order, after, limit).await?;
    Ok(Reply::ok("Trail fetched successfully", trail))
}
