//! The raw WebSocket at `/`: the same address has the test page for those who ask for no upgrade.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::wire::LOCATION_SOCKET;
use crate::caller::Caller;
use crate::error::Result;
use crate::realtime::websocket::{Admit, Framing, RawDoors, Surface, is_upgrade};

/// How long a client may take to say who it is (CONTRACT §8).
const AUTH: Duration = Duration::from_secs(10);

/// Opens sockets at `/`; lets everything else pass.
pub async fn at_root(
    State(doors): State<Arc<RawDoors>>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.uri().path() != "/" || !is_upgrade(request.headers()) {
        return next.run(request).await;
    }
    let surface = Surface {
        namespace: LOCATION_SOCKET,
        framing: Framing::Flat,
        idle: None,
        auth: Some(AUTH),
    };
    doors.open(&mut request, surface, Anybody)
}

/// Lets in whoever has a token.
struct Anybody;

#[async_trait]
impl Admit for Anybody {
    async fn admit(&self, _: Caller) -> Result<()> {
        Ok(())
    }
}
