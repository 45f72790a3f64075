//! What stands in front of the engine: the client bundle, which the engine would swallow; the
//! Origin check; no handshakes while the server stops; and a small request head, because the
//! engine keeps it for the life of the socket (FACTS §0, §6).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::upgrade::OnUpgrade;
use socketioxide::socket::Sid;

use super::Door;
use super::polls::{Engine, Poll, is_poll};
use crate::net::address::ClientAddress;
use crate::net::connection::Connection;
use crate::realtime::gate::is_allowed;

const CLIENT: [(&str, &[u8]); 4] = [
    ("/socket.io/socket.io.js", include_bytes!("../../../test-client/socket.io/socket.io.js")),
    (
        "/socket.io/socket.io.min.js",
        include_bytes!("../../../test-client/socket.io/socket.io.min.js"),
    ),
    (
        "/socket.io/socket.io.esm.min.js",
        include_bytes!("../../../test-client/socket.io/socket.io.esm.min.js"),
    ),
    (
        "/socket.io/socket.io.msgpack.min.js",
        include_bytes!("../../../test-client/socket.io/socket.io.msgpack.min.js"),
    ),
];

/// The official client, as the Node server serves it.
pub(super) fn client_bundles() -> Router {
    CLIENT.into_iter().fold(Router::new(), |router, (path, bundle)| {
        let headers = [
            (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=3600"),
        ];
        router.route(path, get(async move || (headers, bundle)))
    })
}

/// The door and the engine behind it.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) door: Arc<Door>,
    pub(super) engine: Engine,
}

/// Lets a request through to the engine, or answers it as the engine would.
pub(super) async fn guard(State(front): State<Front>, request: Request, next: Next) -> Response {
    let door = &front.door;
    let sid = query_value(request.uri(), "sid").and_then(|sid| sid.parse::<Sid>().ok());
    if let Some(refusal) = refusal(door, &request, sid) {
        return refusal;
    }
    let Some(connection) = request.extensions().get::<Arc<Connection>>().cloned() else {
        return engine_error(StatusCode::INTERNAL_SERVER_ERROR, 3, "Bad request");
    };
    let known = |sid: &Sid| !door.transports.is_bare(*sid);
    if sid.as_ref().is_some_and(known) {
        connection.recognise();
    }
    let polling = sid.filter(|_| is_poll(&request));
    let poll = polling.map(|sid| Poll::new(&front.engine, door, sid, &connection));
    let response = next.run(with_small_head(request)).await;
    if let Some(poll) = poll {
        poll.answered();
    }
    if let (Some(sid), StatusCode::SWITCHING_PROTOCOLS) = (sid, response.status()) {
        door.transports.upgraded(sid, &connection);
        // Somebody may have joined over polls just now.
        if known(&sid) {
            connection.recognise();
        }
    }
    response
}

fn refusal(door: &Door, request: &Request, sid: Option<Sid>) -> Option<Response> {
    if !is_allowed(&door.origins, request.headers()) {
        return Some(engine_error(StatusCode::FORBIDDEN, 4, "Forbidden"));
    }
    if let Some(sid) = sid {
        let unknown = || engine_error(StatusCode::BAD_REQUEST, 1, "Session ID unknown");
        return door.transports.is_cut(sid).then(unknown);
    }
    if door.hub.is_draining() {
        return Some(engine_error(StatusCode::SERVICE_UNAVAILABLE, 3, "The server is stopping"));
    }
    let address = request.extensions().get::<ClientAddress>()?;
    let refusal = door.gate.as_ref()?.count_handshake(*address).err()?;
    let mut answer = engine_error(StatusCode::TOO_MANY_REQUESTS, 3, "Too many connections");
    let seconds = refusal.retry_after_seconds().unwrap_or(1);
    answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    Some(answer)
}

/// As the Node server words it.
fn engine_error(status: StatusCode, code: u8, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({"code": code, "message": message}))).into_response()
}

fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// Copies what the engine needs of a request, so that the buffer it was read into is freed.
fn with_small_head(request: Request) -> Request {
    let (mut head, body) = request.into_parts();
    let mut small = Request::new(Body::empty());
    *small.headers_mut() = small_headers(&head.method, &head.headers);
    *small.method_mut() = head.method;
    *small.uri_mut() = head.uri.to_string().parse().unwrap_or_else(|_| head.uri.clone());
    let upgrades = query_value(&head.uri, "transport") == Some("websocket");
    *small.extensions_mut() = small_extensions(&mut head.extensions, upgrades);
    *small.body_mut() = body;
    small
}

fn small_headers(method: &Method, headers: &HeaderMap) -> HeaderMap {
    let of_get = [header::AUTHORIZATION, header::SEC_WEBSOCKET_KEY];
    let of_post = [header::CONTENT_TYPE, header::CONTENT_LENGTH];
    let kept = if method == Method::POST { of_post } else { of_get };
    let mut small = HeaderMap::with_capacity(kept.len());
    for name in kept {
        let copy = headers.get(&name).and_then(|value| value.as_bytes().to_vec().try_into().ok());
        if let Some(copy) = copy {
            small.insert(name, copy);
        }
    }
    small
}

/// The connection of a poll ends long before the session does, which would count it till then.
fn small_extensions(extensions: &mut Extensions, upgrades: bool) -> Extensions {
    let mut small = Extensions::new();
    if let Some(upgrade) = extensions.remove::<OnUpgrade>() {
        small.insert(upgrade);
    }
    if let Some(connection) = extensions.remove::<Arc<Connection>>().filter(|_| upgrades) {
        small.insert(connection);
    }
    if let Some(address) = extensions.remove::<ClientAddress>() {
        small.insert(address);
    }
    small
}
