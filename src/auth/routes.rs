//! The REST routes of accounts and login sessions.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::{
    ForgotPasswordBody, LoggedIn, LoginBody, LogoutBody, RefreshBody, RegisterBody,
    ResetPasswordBody,
};
use super::service::Auth;
use crate::caller::Caller;
use crate::docs::{Enveloped, Failed};
use crate::error::{Error, Fields, Result};
use crate::limits::{Limits, PerAddress};
use crate::realtime::events::Done;
use crate::rest::{Body, OptionalBody, Reply, by_address, by_user};

/// The routes, without their prefix.
pub fn router(auth: &Arc<Auth>, limits: &Arc<Limits>) -> OpenApiRouter {
    let per_address =
        |limiter: PerAddress| from_fn_with_state((limits.clone(), limiter), by_address);
    let registrations = OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(forgot_password))
        .routes(routes!(reset_password))
        .route_layer(per_address(|limits| &limits.registrations));
    let logins = OpenApiRouter::new()
        .routes(routes!(login))
        .route_layer(per_address(|limits| &limits.logins));
    let sessions = OpenApiRouter::new()
        .routes(routes!(logout))
        .route_layer(from_fn_with_state(limits.clone(), by_user));
    let refreshes = OpenApiRouter::new()
        .routes(routes!(refresh))
        .route_layer(per_address(|limits| &limits.refreshes));
    OpenApiRouter::new()
        .merge(refreshes)
        .merge(registrations)
        .merge(logins)
        .merge(sessions)
        .with_state(auth.clone())
}

/// Register a user
#[utoipa::path(post, path = "/register", tag = "accounts", request_body = RegisterBody, security(()),
    responses((status = 201, body = Enveloped<LoggedIn>), (status = 400, body = Failed), (status = 409, body = Failed), (status = 429, body = Failed)))]
async fn register(
    State(auth): State<Arc<Auth>>,
    Body(body): Body<RegisterBody>,
) -> Result<Reply<LoggedIn>> {
    let logged_in = auth.register(body.try_into()?).await?;
    Ok(Reply::created("User registered successfully", logged_in))
}

/// Log in by address or name
#[utoipa::path(post, path = "/login", tag = "accounts", request_body = LoginBody, security(()),
    responses((status = 200, body = Enveloped<LoggedIn>), (status = 401, body = Failed), (status = 429, body = Failed)))]
async fn login(
    State(auth): State<Arc<Auth>>,
    Body(body): Body<LoginBody>,
) -> Result<Reply<LoggedIn>> {
    let logged_in = auth.login(body.try_into()?).await?;
    Ok(Reply::ok("Login successful", logged_in))
}

/// Exchange a refresh token for a fresh pair
#[utoipa::path(post, path = "/refresh", tag = "accounts", request_body = RefreshBody, security(()),
    responses((status = 200, body = Enveloped<LoggedIn>), (status = 401, body = Failed)))]
async fn refresh(
    State(auth): State<Arc<Auth>>,
    Body(body): Body<RefreshBody>,
) -> Result<Reply<LoggedIn>> {
    let mut fields = Fields::new();
    let token = fields.require("refreshToken", body.refresh_token, Ok::<_, Error>);
    let logged_in = auth.refresh(&fields.into_result(token)?).await?;
    Ok(Reply::ok("Token refreshed", logged_in))
}

/// End this login session, or all of them
#[utoipa::path(post, path = "/logout", tag = "accounts", request_body = Option<LogoutBody>,
    responses((status = 200, body = Enveloped<Done>), (status = 401, body = Failed)))]
async fn logout(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    OptionalBody(body): OptionalBody<LogoutBody>,
) -> Result<Reply<Done>> {
    auth.logout(caller, body.all).await?;
    Ok(Reply::ok("Logged out", Done {}))
}

/// Ask for a link to reset a password
#[utoipa::path(post, path = "/forgot-password", tag = "accounts", request_body = ForgotPasswordBody, security(()),
    responses((status = 200, body = Enveloped<Done>), (status = 429, body = Failed)))]
async fn forgot_password(
    State(auth): State<Arc<Auth>>,
    Body(body): Body<ForgotPasswordBody>,
) -> Result<Reply<Done>> {
    let mut fields = Fields::new();
    let email = fields.require("email", body.email, |text| text.parse());
    auth.forgot_password(fields.into_result(email)?);
    Ok(Reply::ok("If the account exists, a link was sent to its address", Done {}))
}

/// Set a new password with a token from the link
#[utoipa::path(post, path = "/reset-password", tag = "accounts", request_body = ResetPasswordBody, security(()),
    responses((status = 200, body = Enveloped<Done>), (status = 401, body = Failed)))]
async fn reset_password(
    State(auth): State<Arc<Auth>>,
    Body(body): Body<ResetPasswordBody>,
) -> Result<Reply<Done>> {
    let mut fields = Fields::new();
    let token = fields.require("token", body.token, Ok::<_, Error>);
    let password = fields.require("password", body.password, |text| text.parse());
    let (token, password) = fields.into_result(token.zip(password))?;
    auth.reset_password(&token, password).await?;
    Ok(Reply::ok("Password changed, please log in again", Done {}))
}
