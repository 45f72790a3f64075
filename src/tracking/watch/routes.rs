//! Seed 000's REST routes.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::Watching;
use super::wire::{DriverToken, LatLong, Updated};
use crate::auth::requests::LoginBody;
use crate::caller::Caller;
use crate::docs::LocationFailed;
use crate::drivers::service::must_drive;
use crate::error::Result;
use crate::limits::{Limits, PerAddress};
use crate::rest::{Body, Reply, by_address};

/// `/login` and `/driver/update`.
pub fn router(watching: &Arc<Watching>, limits: &Arc<Limits>) -> OpenApiRouter {
    let logins: PerAddress = |limits| &limits.logins;
    let login = OpenApiRouter::new()
        .routes(routes!(log_in))
        .route_layer(from_fn_with_state((limits.clone(), logins), by_address));
    OpenApiRouter::new().routes(routes!(update)).merge(login).with_state(watching.clone())
}

/// Log a driver in; the token holds for five minutes
#[utoipa::path(post, path = "/login", operation_id = "location_login", tag = "driver location", request_body = LoginBody, security(()),
    responses((status = 200, body = DriverToken), (status = 400, body = LocationFailed), (status = 401, body = LocationFailed), (status = 403, body = LocationFailed), (status = 429, body = LocationFailed)))]
async fn log_in(
    State(watching): State<Arc<Watching>>,
    Body(body): Body<LoginBody>,
) -> Result<Reply<DriverToken>> {
    Ok(Reply::ok("Logged in", watching.log_in(body.try_into()?).await?))
}

/// Say where the driver who calls is
#[utoipa::path(post, path = "/driver/update", operation_id = "location_update", tag = "driver location", request_body = LatLong,
    responses((status = 200, body = Updated), (status = 400, body = LocationFailed), (status = 401, body = LocationFailed), (status = 403, body = LocationFailed), (status = 429, body = LocationFailed)))]
async fn update(
    State(watching): State<Arc<Watching>>,
    caller: Caller,
    Body(body): Body<LatLong>,
) -> Result<Reply<Updated>> {
    must_drive(caller)?;
    let drivers = watching.drivers();
    drivers.update_location(caller, body.parse(drivers.now())?).await?;
    Ok(Reply::ok("Location noted", Updated { success: true }))
}
