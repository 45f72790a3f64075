//! Every route of the server, on which port it is, and what stands in front of all of them.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use metrics_process::Collector;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::domains::Domains;
use crate::caller::CheckToken;
use crate::config::{AddressRange, Config, CorsOrigins, OperationsPort};
use crate::docs::{self, Frame};
use crate::error::Error;
use crate::net::address::client_address;
use crate::operations::{self, Operations};
use crate::pages;
use crate::realtime::events::Dispatcher;
use crate::realtime::gate::Gate;
use crate::realtime::hub::Hub;
use crate::realtime::socketio::Door;
use crate::realtime::websocket::RawDoors;
use crate::rest::{Dialect, contain_panics, detached, log_requests, request_id, slow_refusals};
use crate::store::Stores;
use crate::tracking::watch::socket::at_root;
use crate::{admin, auth, chat, drivers, orders, rooms, tracking, users};

/// The largest REST body, in bytes (CONTRACT §10).
const MAX_BODY: usize = 1024 * 1024;

/// What is served, and where.
pub(super) struct Routers {
    /// To everybody.
    pub(super) public: Router,
    /// On the port of those who operate the server, where it is one of its own.
    pub(super) operations: Router,
}

pub(super) fn routers(
    config: &Config,
    domains: &Domains,
    dispatcher: &Arc<Dispatcher>,
    stores: &Stores,
    hub: &Arc<Hub>,
) -> Routers {
    let check: Arc<dyn CheckToken> = domains.auth.clone();
    let gate = Gate {
        check: check.clone(),
        connects: |limits| &limits.connects,
        handshakes: |limits| &limits.handshakes,
        limits: domains.limits.clone(),
        sockets_per_user: config.sockets.max_sockets_per_user,
    };
    let door = Door::new(dispatcher, hub, Some(gate.clone()), config.cors.clone(), &config.sockets);
    let doors = RawDoors::new(dispatcher, hub, gate, config.cors.clone(), &config.sockets);
    let operations =
        Operations { hub: hub.clone(), stores: stores.clone(), process: Collector::default() };
    operations::tidy_metrics(hub);
    let (health, _) = operations::health_router(operations.clone()).split_for_parts();
    let (metrics, of_metrics) = operations::metrics_router(operations.clone()).split_for_parts();
    let (rest, mut openapi) = documented(domains, operations).split_for_parts();
    openapi.merge(of_metrics);
    let sockets: Router = admin::routes::list_router(&domains.admin).into();
    let operations = metrics
        .merge(docs::router(openapi, dispatcher.tables()))
        .nest("/debug", sockets.layer(Extension(check.clone())));
    let rest = match config.listen.operations {
        OperationsPort::Shared => rest.merge(operations.clone()),
        OperationsPort::Own(_) | OperationsPort::Off => rest,
    };
    let proxies: Arc<[AddressRange]> = config.listen.trusted_proxies.clone().into();
    let routes = Router::new()
        .merge(rest)
        // Seed 003's clients know the routes of accounts under this prefix.
        .nest("/auth", accounts(domains).into())
        .merge(pages::router(&config.orders))
        .nest(
            "/api/v1/ws",
            drivers::socket::router(&domains.drivers, &doors, config.drivers.idle_timeout),
        );
    let public = contained(routes, hub)
        .layer(Extension(check))
        .layer(from_fn_with_state(doors, at_root))
        .merge(door.router(&config.sockets))
        .layer(from_fn_with_state(domains.limits.clone(), slow_refusals))
        .layer(from_fn_with_state(proxies, client_address))
        .layer(from_fn(Dialect::show))
        .layer(cors(&config.cors));
    let operations = operations
        .merge(health)
        .fallback(nothing)
        .layer(CatchPanicLayer::custom(contain_panics))
        .layer(from_fn(Dialect::show));
    Routers { public: in_front(public), operations: in_front(operations) }
}

/// What keeps a request to the public to itself: the size of its body, a panic, a client that hangs
/// up.
fn contained(router: Router, hub: &Hub) -> Router {
    router
        .fallback(nothing)
        .method_not_allowed_fallback(nothing_for_this_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(contain_panics))
        .layer(from_fn_with_state(hub.work(), detached))
}

/// What stands in front of every route of every port.
fn in_front(router: Router) -> Router {
    let header = SetResponseHeaderLayer::if_not_present;
    router
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, value("nosniff")))
        .layer(header(header::REFERRER_POLICY, value("no-referrer")))
        .layer(from_fn(log_requests))
        .layer(from_fn(request_id))
}

async fn nothing() -> Error {
    Error::not_found("There is nothing here")
}

async fn nothing_for_this_method() -> Error {
    Error::not_found("There is nothing here for this method")
}

const fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

fn accounts(domains: &Domains) -> OpenApiRouter {
    auth::routes::router(&domains.auth, &domains.limits)
        .merge(users::routes::router(&domains.users, &domains.limits))
}

fn rooms(domains: &Domains) -> OpenApiRouter {
    rooms::routes::router(&domains.rooms, &domains.limits)
        .merge(chat::room_routes::router(&domains.chat, &domains.limits))
}

fn orders(domains: &Domains) -> OpenApiRouter {
    orders::routes::router(&domains.orders, &domains.limits)
        .merge(tracking::routes::router(&domains.tracking))
}

fn v1(domains: &Domains) -> OpenApiRouter {
    drivers::v1::router(&domains.auth, &domains.drivers, &domains.limits)
        .merge(orders::v1::router(&domains.orders, &domains.limits))
        .merge(tracking::v1::router(&domains.tracking, &domains.limits))
}

fn documented(domains: &Domains, operations: Operations) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Frame::openapi())
        .nest("/api/auth", accounts(domains))
        .nest("/api/messages", chat::routes::messages(&domains.chat, &domains.limits))
        .nest("/api/conversations", chat::routes::conversations(&domains.chat))
        .nest("/rooms", rooms(domains))
        .nest("/api/orders", orders(domains))
        .nest("/api/drivers", drivers::routes::router(&domains.drivers, &domains.limits))
        .nest("/api/v1", v1(domains))
        .nest("/api/admin", admin::routes::router(&domains.admin, &domains.limits))
        .merge(tracking::watch::routes::router(&domains.watching, &domains.limits))
        .merge(operations::health_router(operations))
}

fn cors(origins: &CorsOrigins) -> CorsLayer {
    let exposed = [
        "x-request-id",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "retry-after",
    ];
    let layer = CorsLayer::new()
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.map(HeaderName::from_static));
    match origins {
        CorsOrigins::Any => layer.allow_origin(AllowOrigin::any()),
        CorsOrigins::Listed(origins) => {
            let origins: Vec<_> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
            layer.allow_origin(AllowOrigin::list(origins)).allow_credentials(true)
        }
    }
}

#[cfg(test)]
mod tests;
