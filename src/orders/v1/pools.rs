//! `POST /api/v1/pools`: several orders for one driver.

use std::sync::Arc;

use axum::extract::State;

use super::requests::PoolBody;
use super::wire::Pool;
use crate::caller::{Caller, must_be_admin};
use crate::docs::V1Failed;
use crate::error::Result;
use crate::orders::service::Orders;
use crate::rest::{Body, Reply};

/// Give several orders to one driver: all of them, or, where one cannot be given, none
#[utoipa::path(post, path = "/pools", operation_id = "v1_pool", tag = "back office", request_body = PoolBody,
    responses((status = 201, body = Pool), (status = 400, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed), (status = 409, body = V1Failed)))]
pub(super) async fn pool(
    State(orders): State<Arc<Orders>>,
    caller: Caller,
    Body(body): Body<PoolBody>,
) -> Result<Reply<Pool>> {
    must_be_admin(caller)?;
    let (named, driver) = body.parse()?;
    Ok(Reply::created("Orders assigned", orders.pool(caller, named, &driver).await?))
}
