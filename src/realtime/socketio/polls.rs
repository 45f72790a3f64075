//! Clients that hang up while they poll. The engine waits for the next heartbeat to miss them, up
//! to 45 s; Node lets go of them at once, and so does this.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use axum::response::Response;
use socketioxide::socket::Sid;
use tokio::runtime::Handle;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::Door;
use crate::net::connection::Connection;

/// What answers everything under `/socket.io`.
pub(super) type Engine = BoxCloneSyncService<Request, Response, Infallible>;

/// A poll that waits for its answer. Dropped before it, which is how a connection that ends shows,
/// it ends the session.
pub(super) struct Poll {
    engine: Engine,
    door: Arc<Door>,
    sid: Sid,
    answered: bool,
}

/// Whether a request of a session asks for what comes next.
pub(super) fn is_poll(request: &Request) -> bool {
    request.method() == Method::GET && !request.headers().contains_key(header::UPGRADE)
}

impl Poll {
    pub(super) fn new(
        engine: &Engine,
        door: &Arc<Door>,
        sid: Sid,
        connection: &Arc<Connection>,
    ) -> Self {
        door.transports.polls(sid, connection);
        Self { engine: engine.clone(), door: door.clone(), sid, answered: false }
    }

    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.door.transports.polled(self.sid);
        // When the process ends there is no runtime any more, and no session to end.
        if !self.answered
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(self.engine.clone().oneshot(goodbye(self.sid)));
        }
    }
}

/// What a client sends to end its session: the one way to close one from outside the engine. It
/// ignores this for a session that has moved to a WebSocket.
fn goodbye(sid: Sid) -> Request {
    let mut request = Request::new(Body::from("1"));
    *request.method_mut() = Method::POST;
    let uri = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    *request.uri_mut() = uri.parse().unwrap_or_default();
    request
}
