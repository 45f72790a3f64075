//! The opening handshake (RFC 6455 §4.2).

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::RawDoors;
use super::socket::Socket;
use crate::error::Error;
use crate::net::address::ClientAddress;
use crate::net::connection::Connection;
use crate::realtime::gate::is_allowed;

/// Whether a request asks for a WebSocket.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &header::UPGRADE, "websocket")
}

/// Whether a header's list has a word.
fn has_token(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

/// A request that may become a WebSocket.
pub(super) struct Entry {
    accept: String,
    upgrade: OnUpgrade,
    pub(super) connection: Arc<Connection>,
    pub(super) address: ClientAddress,
}

impl Entry {
    /// Takes from a request what makes it a WebSocket, if it may become one. Nothing of the request
    /// is kept, or the buffer that it was read into would live as long as the socket.
    #[expect(clippy::result_large_err, reason = "the refusal is the answer itself")]
    pub(super) fn check(doors: &RawDoors, request: &mut Request) -> Result<Self, Response> {
        if !is_allowed(&doors.origins, request.headers()) {
            return Err(Error::forbidden("This origin may not connect").into_response());
        }
        if doors.hub.is_draining() {
            return Err(Error::unavailable("The server is stopping").into_response());
        }
        let key = key(request).ok_or_else(|| upgrade_required().into_response())?;
        let missing = || Error::internal("a layer in front of the sockets is missing");
        let extensions = request.extensions_mut();
        let address = extensions.get::<ClientAddress>().copied();
        let address = address.ok_or_else(|| missing().into_response())?;
        doors.gate.count_handshake(address).map_err(Error::into_response)?;
        let upgrade = extensions.remove::<OnUpgrade>();
        let connection = extensions.get::<Arc<Connection>>().cloned();
        let parts = upgrade.zip(connection).ok_or_else(|| missing().into_response());
        let (upgrade, connection) = parts?;
        Ok(Self { accept: derive_accept_key(key.as_bytes()), upgrade, connection, address })
    }

    /// 101.
    pub(super) fn answer(&self) -> Response {
        let headers = [
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept.as_str()),
        ];
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }

    /// The socket, when the answer is out.
    pub(super) async fn socket(self) -> Option<Socket> {
        let upgraded = self.upgrade.await.ok()?;
        Some(Socket::new(TokioIo::new(upgraded)).await)
    }
}

fn key(request: &Request) -> Option<String> {
    let headers = request.headers();
    let is_valid = request.method() == Method::GET
        && is_upgrade(headers)
        && has_token(headers, &header::CONNECTION, "upgrade")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| is_valid)?;
    key.to_str().ok().map(str::to_owned)
}

/// 426 with the version that would do (RFC 6455 §4.4).
fn upgrade_required() -> impl IntoResponse {
    let headers = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
    let error = Error::malformed("This is a WebSocket: connect with ws:// or wss://");
    let mut response = error.into_response();
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    (headers, response)
}
