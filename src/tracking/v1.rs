//! `/api/v1/drivers`: the fleet, for the back office.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::fleet::{FleetDriver, TrailPoint};
use super::service::Tracking;
use crate::caller::{Caller, must_be_admin};
use crate::clock::Timestamp;
use crate::docs::V1Failed;
use crate::drivers::requests::DriverRef;
use crate::drivers::v1::{OnlineBody, OnlineState};
use crate::error::{Fields, Result};
use crate::limits::Limits;
use crate::page;
use crate::rest::{Body, Params, PathId, Reply, by_user};

/// Drivers of one answer, usually and at most.
const DRIVERS: (u32, u32) = (1000, 1000);
/// Points of one answer, usually and at most.
const POINTS: (u32, u32) = (1000, 5000);

/// The routes of the fleet under `/api/v1/drivers`.
pub fn router(tracking: &Arc<Tracking>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(drivers))
        .routes(routes!(trail))
        .routes(routes!(set_status))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(tracking.clone())
}

/// Parameters of `GET drivers`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FleetParams {
    /// 1 to 1000; 1000 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// Only those with a higher number: the last `driver_id` of the page before.
    #[param(value_type = Option<i64>)]
    after: Option<String>,
}

/// Drivers, the lowest numbers first
#[utoipa::path(get, path = "/drivers", operation_id = "v1_drivers", tag = "back office", params(FleetParams),
    responses((status = 200, body = Vec<FleetDriver>), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed)))]
async fn drivers(
    State(tracking): State<Arc<Tracking>>,
    caller: Caller,
    Params(params): Params<FleetParams>,
) -> Result<Reply<Vec<FleetDriver>>> {
    must_be_admin(caller)?;
    let mut fields = Fields::new();
    let after = fields.check(page::count("after", params.after.as_deref())).flatten();
    let limit = fields.check(page::limit(params.limit.as_deref(), DRIVERS.0, DRIVERS.1));
    let (after, limit) = (after.unwrap_or(0), fields.into_result(limit)?);
    Ok(Reply::ok("Drivers", tracking.fleet(caller, after, limit).await?))
}

/// Parameters of `GET drivers/{id}/trail`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TrailParams {
    /// Only points later than this time; as far back as history goes when nothing is said.
    #[param(value_type = Option<Timestamp>)]
    after: Option<String>,
    /// 1 to 5000, the earliest first; 1000 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Where a driver was
#[utoipa::path(get, path = "/drivers/{id}/trail", operation_id = "v1_driver_trail", tag = "back office", params(("id" = String, Path), TrailParams),
    responses((status = 200, body = Vec<TrailPoint>), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed)))]
async fn trail(
    State(tracking): State<Arc<Tracking>>,
    caller: Caller,
    PathId(driver): PathId<DriverRef>,
    Params(params): Params<TrailParams>,
) -> Result<Reply<Vec<TrailPoint>>> {
    must_be_admin(caller)?;
    let mut fields = Fields::new();
    let after = fields.optional("after", params.after, |text| text.parse::<Timestamp>());
    let limit = fields.check(page::limit(params.limit.as_deref(), POINTS.0, POINTS.1));
    let limit = fields.into_result(limit)?;
    let after = after.unwrap_or(Timestamp::from_millis(i64::MIN));
    Ok(Reply::ok("Trail", tracking.driver_trail(caller, &driver, after, limit).await?))
}

/// Say for a driver whether new orders are to be offered to them
#[utoipa::path(patch, path = "/drivers/{id}/status", operation_id = "v1_set_driver_status", tag = "back office", params(("id" = String, Path)), request_body = OnlineBody,
    responses((status = 200, body = OnlineState), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 404, body = V1Failed)))]
async fn set_status(
    State(tracking): State<Arc<Tracking>>,
    caller: Caller,
    PathId(driver): PathId<DriverRef>,
    Body(body): Body<OnlineBody>,
) -> Result<Reply<OnlineState>> {
    must_be_admin(caller)?;
    let state = tracking.set_driver_online(&driver, body.parse()?).await?;
    Ok(Reply::ok("Status noted", state))
}
