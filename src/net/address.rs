//! Whose address stands behind a request, in front of trusted proxies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::server::Connection;
use super::slots::network;
use crate::config::AddressRange;
use crate::error::Error;

/// When a client that has too many connections may try again.
const BUSY: Duration = Duration::from_secs(10);

/// The address of the client, in front of trusted proxies. Set by [`client_address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What limits count by: the address, or, of IPv6, the /64 that a customer is given whole.
    pub fn network(self) -> IpAddr {
        network(self.0)
    }
}

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
        if !connection.count_for(address) {
            let error = Error::rate_limited(BUSY, None);
            return error.into_response();
        }
    }
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}
