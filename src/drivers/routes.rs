//! The REST routes of drivers.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::{AvailabilityPayload, LocationPayload, NearbyParams};
use super::service::{Drivers, must_drive};
use super::wire::{Availability, NearbyDrivers, OwnState};
use crate::caller::Caller;
use crate::docs::{Enveloped, Failed};
use crate::error::Result;
use crate::limits::Limits;
use crate::rest::{Body, Params, Reply, by_user};

/// The routes under `/api/drivers`.
pub fn router(drivers: &Arc<Drivers>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(nearby))
        .routes(routes!(own_state))
        .routes(routes!(set_availability))
        .routes(routes!(update_location))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(drivers.clone())
}

/// The drivers around a place: where the available ones are; to admins all of them, by name
#[utoipa::path(get, path = "/nearby", tag = "drivers", params(NearbyParams),
    responses((status = 200, body = Enveloped<NearbyDrivers>), (status = 400, body = Failed)))]
async fn nearby(
    State(drivers): State<Arc<Drivers>>,
    caller: Caller,
    Params(params): Params<NearbyParams>,
) -> Result<Reply<NearbyDrivers>> {
    let (to, radius) = params.parse()?;
    let nearby = drivers.nearby(caller, to, radius).await?;
    Ok(Reply::ok("Drivers fetched successfully", nearby))
}

/// The driver who calls
#[utoipa::path(get, path = "/me", tag = "drivers",
    responses((status = 200, body = Enveloped<OwnState>), (status = 403, body = Failed)))]
async fn own_state(State(drivers): State<Arc<Drivers>>, caller: Caller) -> Result<Reply<OwnState>> {
    Ok(Reply::ok("Driver fetched successfully", drivers.own_state(caller).await?))
}

/// Say whether new orders are to be offered; holds while connected, and does nothing without a socket
#[utoipa::path(put, path = "/me/availability", tag = "drivers", request_body = AvailabilityPayload,
    responses((status = 200, body = Enveloped<Availability>), (status = 400, body = Failed), (status = 403, body = Failed)))]
async fn set_availability(
    State(drivers): State<Arc<Drivers>>,
    caller: Caller,
    Body(body): Body<AvailabilityPayload>,
) -> Result<Reply<Availability>> {
    must_drive(caller)?;
    drivers.set_availability(caller, body.parse()?).await?;
    let available = drivers.is_available(caller.user);
    Ok(Reply::ok("Availability noted", Availability { available }))
}

/// Say where the driver who calls is
#[utoipa::path(post, path = "/me/location", tag = "drivers", request_body = LocationPayload,
    responses((status = 200, body = Enveloped<OwnState>), (status = 400, body = Failed), (status = 403, body = Failed)))]
async fn update_location(
    State(drivers): State<Arc<Drivers>>,
    caller: Caller,
    Body(body): Body<LocationPayload>,
) -> Result<Reply<OwnState>> {
    must_drive(caller)?;
    drivers.update_location(caller, body.parse(drivers.now())?).await?;
    Ok(Reply::ok("Location noted", drivers.own_state(caller).await?))
}
