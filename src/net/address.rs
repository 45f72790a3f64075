//! Whose address stands behind a request, in front of trusted proxies.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::connection::Connection;
use super::slots::network;
use crate::config::AddressRange;
use crate::error::Error;
use crate::telemetry::OneOfMany;

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
    let behind = is_proxy(peer).then(|| client_behind(request.headers(), is_proxy)).flatten();
    // A proxy that speaks for itself, to look whether the server is well, has no share to use up.
    if behind.is_some_and(|client| !connection.count_for(client)) {
        let mut refusal = Error::rate_limited(BUSY, None).into_response();
        refusal.extensions_mut().insert(OneOfMany);
        return refusal;
    }
    request.extensions_mut().insert(ClientAddress(behind.unwrap_or(peer)));
    next.run(request).await
}

/// Who a trusted proxy says is behind it: the rightmost hop that is no trusted proxy, or the
/// leftmost of those that are. What stands left of a hop that cannot be read is not believed.
fn client_behind(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let hops = headers.get_all("x-forwarded-for").iter().rev();
    let hops = hops.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let mut client = None;
    for hop in hops {
        let Some(address) = read_hop(hop) else {
            if client.is_none() && !UNREADABLE.swap(true, Ordering::Relaxed) {
                tracing::warn!("a trusted proxy sends X-Forwarded-For with what is no address");
            }
            break;
        };
        client = Some(address);
        if !is_proxy(address) {
            break;
        }
    }
    client
}

/// Whether it has been said already that a proxy does not name its clients.
static UNREADABLE: AtomicBool = AtomicBool::new(false);

/// An address, with or without a port, of IPv6 with or without brackets.
fn read_hop(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().or_else(|_| hop.parse::<SocketAddr>().map(|both| both.ip()));
    address.map(|address| address.to_canonical()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// What a client may write, and what proxies add to it.
    fn hop() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(|address| IpAddr::from(address).to_string().into()),
            any::<[u8; 16]>().prop_map(|address| format!("[{}]:80", IpAddr::from(address)).into()),
            any::<[u8; 3]>().prop_map(|[a, b, c]| format!("::ffff:10.{a}.{b}.{c}").into()),
            any::<Vec<u8>>(),
        ]
    }

    proptest! {
        #[test]
        fn what_stands_left_of_the_client_changes_nothing(forged in prop::collection::vec(hop(), 0..4), last: [u8; 4]) {
            let wanted = IpAddr::from(last).to_string();
            prop_assume!(!wanted.starts_with("10."));
            let mut written = forged.join(&b","[..]);
            written.retain(|byte| (32..127).contains(byte) || *byte > 127);
            written.extend(format!(", {wanted}, 10.0.0.9").bytes());
            prop_assert_eq!(client(&[&written]), Some(wanted));
        }

        #[test]
        fn any_header_gives_one_writing_of_an_address_or_none(hops in prop::collection::vec(hop(), 0..6)) {
            let written: Vec<u8> = hops.join(&b","[..]).into_iter().filter(|byte| (32..127).contains(byte)).collect();
            if let Some(seen) = client(&[&written]) {
                let address: IpAddr = seen.parse().unwrap();
                prop_assert_eq!(address.to_canonical().to_string(), seen);
            }
        }
    }

    fn client(values: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(value).unwrap());
        }
        let is_proxy = |address: IpAddr| address.to_string().starts_with("10.");
        client_behind(&headers, is_proxy).map(|address| address.to_string())
    }

    #[test]
    fn the_client_is_the_rightmost_hop_that_is_no_proxy_however_it_is_written() {
        for (values, expected) in [
            (&[&b"1.1.1.1, 2.2.2.2"[..]][..], Some("2.2.2.2")),
            (&[b"1.1.1.1", b"2.2.2.2, 10.0.0.1"], Some("2.2.2.2")),
            (&[b"2.2.2.2:5678"], Some("2.2.2.2")),
            (&[b"[2001:db8::1]:443"], Some("2001:db8::1")),
            (&[b"[2001:db8::1]"], Some("2001:db8::1")),
            (&[b"2001:db8::1"], Some("2001:db8::1")),
            (&[b"::ffff:2.2.2.2"], Some("2.2.2.2")),
            // What a client wrote stands on the left of what its proxy added, and spoils nothing.
            (&[b"\xff, 2.2.2.2"], Some("2.2.2.2")),
            (&[b"1.1.1.1, unknown, 10.0.0.1"], Some("10.0.0.1")),
            (&[b"10.0.0.2, 10.0.0.1"], Some("10.0.0.2")),
            (&[b"unknown"], None),
            (&[b""], None),
            (&[], None),
        ] {
            assert_eq!(client(values).as_deref(), expected, "{values:?}");
        }
    }
}
