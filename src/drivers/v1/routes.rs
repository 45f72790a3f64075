//! `/api/v1/auth`, `/api/v1/driver`.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{Accepted, DriverProfile, OnlineBody, OnlineState, RefreshTokenBody, TokenPair};
use crate::auth::requests::{LoggedIn, LoginBody};
use crate::auth::service::Auth;
use crate::caller::Caller;
use crate::docs::V1Failed;
use crate::drivers::requests::LocationBatch;
use crate::drivers::service::{Drivers, must_drive};
use crate::error::{Error, Fields, Result};
use crate::limits::{Limits, PerAddress};
use crate::rest::{Body, Reply, by_address, by_user};

#[derive(Clone)]
struct App {
    auth: Arc<Auth>,
    drivers: Arc<Drivers>,
}

/// The driver app's routes of drivers and their tokens, under `/api/v1`.
pub fn router(auth: &Arc<Auth>, drivers: &Arc<Drivers>, limits: &Arc<Limits>) -> OpenApiRouter {
    let per_address =
        |limiter: PerAddress| from_fn_with_state((limits.clone(), limiter), by_address);
    let logins = OpenApiRouter::new()
        .routes(routes!(login))
        .route_layer(per_address(|limits| &limits.logins));
    let refreshes = OpenApiRouter::new()
        .routes(routes!(refresh))
        .route_layer(per_address(|limits| &limits.refreshes));
    OpenApiRouter::new()
        .routes(routes!(profile))
        .routes(routes!(set_status))
        .routes(routes!(upload_locations))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .merge(logins)
        .merge(refreshes)
        .with_state(App { auth: auth.clone(), drivers: drivers.clone() })
}

impl App {
    async fn token_pair(&self, logged_in: LoggedIn) -> Result<TokenPair> {
        let account = self.auth.account(logged_in.user.id).await?;
        let driver = account.filter(|account| account.driver_number.is_some());
        let profile = driver
            .map(|account| DriverProfile::new(&account, self.drivers.is_available(account.id)));
        Ok(TokenPair::new(logged_in, profile))
    }
}

/// Log in by address or name
#[utoipa::path(post, path = "/auth/login", operation_id = "v1_login", tag = "driver app", request_body = LoginBody, security(()),
    responses((status = 200, body = TokenPair), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 429, body = V1Failed)))]
async fn login(State(app): State<App>, Body(body): Body<LoginBody>) -> Result<Reply<TokenPair>> {
    let logged_in = app.auth.login(body.try_into()?).await?;
    Ok(Reply::ok("Logged in", app.token_pair(logged_in).await?))
}

/// A fresh pair for a refresh token; the session's live sockets may stay
#[utoipa::path(post, path = "/auth/refresh", operation_id = "v1_refresh", tag = "driver app", request_body = RefreshTokenBody, security(()),
    responses((status = 200, body = TokenPair), (status = 400, body = V1Failed), (status = 401, body = V1Failed)))]
async fn refresh(
    State(app): State<App>,
    Body(body): Body<RefreshTokenBody>,
) -> Result<Reply<TokenPair>> {
    let mut fields = Fields::new();
    let token = fields.require("refresh_token", body.refresh_token, Ok::<_, Error>);
    let token = fields.into_result(token)?;
    let logged_in = app.auth.refresh(&token).await?;
    Ok(Reply::ok("Refreshed", app.token_pair(logged_in).await?))
}

/// The driver who calls
#[utoipa::path(get, path = "/driver/profile", operation_id = "v1_profile", tag = "driver app",
    responses((status = 200, body = DriverProfile), (status = 401, body = V1Failed), (status = 403, body = V1Failed)))]
async fn profile(State(app): State<App>, caller: Caller) -> Result<Reply<DriverProfile>> {
    must_drive(caller)?;
    Ok(Reply::ok("The driver", app.drivers.profile(caller.user).await?))
}

/// Say whether new orders are to be offered to the driver who calls
#[utoipa::path(put, path = "/driver/status", operation_id = "v1_set_status", tag = "driver app", request_body = OnlineBody,
    responses((status = 200, body = OnlineState), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed)))]
async fn set_status(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<OnlineBody>,
) -> Result<Reply<OnlineState>> {
    must_drive(caller)?;
    let state = app.drivers.set_online(caller.user, body.parse()?).await?;
    Ok(Reply::ok("Status noted", state))
}

/// Say where the driver was while the phone was offline: up to 500 positions, in any order
#[utoipa::path(post, path = "/driver/locations", operation_id = "v1_upload_locations", tag = "driver app", request_body = LocationBatch,
    responses((status = 200, body = Accepted), (status = 400, body = V1Failed), (status = 401, body = V1Failed), (status = 403, body = V1Failed), (status = 429, body = V1Failed)))]
async fn upload_locations(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<LocationBatch>,
) -> Result<Reply<Accepted>> {
    must_drive(caller)?;
    let fixes = body.parse(app.drivers.now())?;
    let accepted = app.drivers.upload_locations(caller, fixes).await?;
    Ok(Reply::ok("Locations noted", Accepted { accepted }))
}
