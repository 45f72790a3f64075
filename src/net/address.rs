//! Whose address stands behind a request, in front of trusted proxies.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::server::Connection;
use crate::config::AddressRange;

/// The address of the client, in front of trusted proxies. Set by [`client_address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().copied().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Finds the client's address: the peer's, or, when that is a trusted proxy, the rightmost address
/// in `X-Forwarded-For` that is none.
pub async fn client_address(
    State(trusted): State<Arc<[AddressRange]>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(connection) = request.extensions().get::<Arc<Connection>>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let peer = connection.peer().ip().to_canonical();
    let is_proxy = |address| trusted.iter().any(|range| range.contains(address));
    let mut address = peer;
    if is_proxy(peer) {
        let hops = request.headers().get_all("x-forwarded-for").iter().rev();
        let hops = hops.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
        for hop in hops.map_while(|hop| hop.trim().parse().ok()) {
            address = hop;
            if !is_proxy(hop) {
                break;
            }
        }
    }
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}
