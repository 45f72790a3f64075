//! The REST routes of the directory.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{OneUser, ProfileBody, UserPage, UserQuery};
use super::service::Users;
use crate::caller::Caller;
use crate::docs::{Enveloped, Failed};
use crate::error::{Fields, Result};
use crate::limits::Limits;
use crate::page;
use crate::rest::{Body, Params, Reply, by_user};

/// Users on a page, where nothing else is asked.
const PAGE: u32 = 1000;

/// The routes, without their prefix.
pub fn router(users: &Arc<Users>, limits: &Arc<Limits>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(me, change_me))
        .routes(routes!(list))
        .route_layer(from_fn_with_state(limits.clone(), by_user))
        .with_state(users.clone())
}

/// The caller
#[utoipa::path(get, path = "/me", tag = "users",
    responses((status = 200, body = Enveloped<OneUser>), (status = 401, body = Failed)))]
async fn me(State(users): State<Arc<Users>>, caller: Caller) -> Result<Reply<OneUser>> {
    let user = users.me(caller).await?;
    Ok(Reply::ok("User profile fetched successfully", OneUser { user }))
}

/// Change name, image or e-mail
#[utoipa::path(patch, path = "/me", tag = "users", request_body = ProfileBody,
    responses((status = 200, body = Enveloped<OneUser>), (status = 400, body = Failed), (status = 409, body = Failed)))]
async fn change_me(
    State(users): State<Arc<Users>>,
    caller: Caller,
    Body(body): Body<ProfileBody>,
) -> Result<Reply<OneUser>> {
    let user = users.change_profile(caller, &body.try_into()?).await?;
    Ok(Reply::ok("Profile updated", OneUser { user }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Part of a username or name.
    search: Option<String>,
    /// 1 to 1000.
    limit: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// All users but the caller, by username
#[utoipa::path(get, path = "/users", tag = "users", params(ListParams),
    responses((status = 200, body = Enveloped<UserPage>), (status = 401, body = Failed)))]
async fn list(
    State(users): State<Arc<Users>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Reply<UserPage>> {
    let search =
        params.search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
    let mut fields = Fields::new();
    let after =
        fields.check(page::position(params.cursor.as_deref(), |name| Some(name.to_owned())));
    let limit = fields.check(page::limit(params.limit.as_deref(), PAGE, PAGE));
    let (after, limit) = fields.into_result(after.zip(limit))?;
    let page = users.list(caller, UserQuery { search, after, limit }).await?;
    Ok(Reply::ok("Users fetched successfully", page))
}
