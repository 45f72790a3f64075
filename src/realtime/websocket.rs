//! What the raw WebSocket doors share: the handshake, one task per socket, close codes that
//! arrive, and the way into the same event tables, queues, limits and audiences that Socket.IO has
//! (CONTRACT §8). What is special about a door it says itself: [`Surface`] and [`Admit`].
//!
//! A socket is accepted first and closed then, with the code that says why: a client cannot read
//! the status of a refused upgrade.

mod framing;
mod handshake;
mod pipe;
mod pump;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

pub use framing::Framing;
pub use handshake::is_upgrade;
use pipe::{Pipe, RawLink};
pub use socket::Close;
use socket::{Heard, Socket};

use super::events::Dispatcher;
use super::gate::Gate;
use super::hub::Hub;
use super::session::{Entrance, Session};
use crate::caller::{Caller, bearer, query_token};
use crate::clock::Timestamp;
use crate::config::{CorsOrigins, SocketConfig};
use crate::error::{Code, Error, Result};
use crate::net::address::ClientAddress;
use crate::net::connection::Connection;

/// The largest frame and message that a client may send, in bytes (CONTRACT §8).
pub const MAX_FRAME: usize = 64 * 1024;

/// What is special about the sockets of one door.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    /// What its events are declared for; not a namespace of Socket.IO, so without a slash.
    pub namespace: &'static str,
    /// How frames look.
    pub framing: Framing,
    /// A socket whose client sends no frame for so long is closed with 4008.
    pub idle: Option<Duration>,
    /// For how long a client may wait to say who it is, where its first frame does and not the
    /// token of its request. Closed with 4001 then.
    pub auth: Option<Duration>,
}

/// Who is let in by a door.
#[async_trait]
pub trait Admit: Send + Sync {
    /// Whether somebody whose token holds may come in.
    ///
    /// # Errors
    /// Whatever keeps them out; they are closed with 4001, or with 1013 where that may pass.
    async fn admit(&self, caller: Caller) -> Result<()>;

    /// Called when a socket is in the hub and before its client hears anything.
    fn admitted(&self, _session: &Arc<Session>) {}
}

/// Lets sockets in that are no Socket.IO.
pub struct RawDoors {
    hub: Arc<Hub>,
    dispatcher: Arc<Dispatcher>,
    gate: Gate,
    origins: CorsOrigins,
    config: SocketConfig,
}

impl RawDoors {
    /// Doors to what `dispatcher` understands.
    pub fn new(
        dispatcher: &Arc<Dispatcher>,
        hub: &Arc<Hub>,
        gate: Gate,
        origins: CorsOrigins,
        config: &SocketConfig,
    ) -> Arc<Self> {
        let (dispatcher, hub, config) = (dispatcher.clone(), hub.clone(), config.clone());
        Arc::new(Self { hub, dispatcher, gate, origins, config })
    }

    /// Answers a request for a socket; what follows happens in a task of its own.
    pub fn open(
        self: &Arc<Self>,
        request: &mut Request,
        surface: Surface,
        admit: impl Admit + 'static,
    ) -> Response {
        let entry = match handshake::Entry::check(self, request) {
            Ok(entry) => entry,
            Err(refusal) => return refusal,
        };
        let token = bearer(request.headers()).or_else(|| query_token(request.uri().query()));
        let doors = self.clone();
        let answer = entry.answer();
        self.hub.doors().spawn(async move {
            let from = (entry.connection.clone(), entry.address);
            let Some(mut socket) = entry.socket().await else { return };
            let close = doors.serve(&mut socket, from, surface, token, &admit).await;
            socket.finish(close).await;
        });
        answer
    }

    async fn serve(
        &self,
        socket: &mut Socket,
        (connection, address): (Arc<Connection>, ClientAddress),
        surface: Surface,
        token: Option<String>,
        admit: &impl Admit,
    ) -> Close {
        let identified = async {
            match surface.auth {
                None => self.identify(token.as_deref(), admit).await.map_err(|e| refused(&e)),
                Some(patience) => {
                    self.await_auth(socket, surface, admit, (address, Instant::now() + patience))
                        .await
                }
            }
        };
        let caller = tokio::select! {
            identified = identified => match identified {
                Ok(caller) => caller,
                Err(close) => return close,
            },
            () = self.hub.drains() => return Close::GOING_AWAY,
        };
        connection.recognise();
        let pipe = Pipe::new(connection, surface.framing, self.config.send_buffer);
        let entrance = Entrance {
            namespace: surface.namespace,
            address,
            link: Box::new(RawLink(pipe.clone())),
            queue_limit: self.config.event_queue,
        };
        let session = Session::new(&self.hub, caller, entrance);
        let _end = End { hub: &self.hub, session: &session };
        self.dispatcher.admit(&session);
        admit.admitted(&session);
        self.dispatcher.start(&session, Value::Null);
        if self.hub.is_draining() {
            session.shut_down();
        }
        pump::Pump::new(self, surface, &session, &pipe).run(socket).await
    }

    async fn identify(&self, token: Option<&str>, admit: &impl Admit) -> Result<Caller> {
        let caller = self.gate.identify(&self.hub, token).await?;
        admit.admit(caller).await?;
        Ok(caller)
    }

    /// Waits until a frame says who the client is. What else it sends is answered with an error.
    async fn await_auth(
        &self,
        socket: &mut Socket,
        surface: Surface,
        admit: &impl Admit,
        (address, until): (ClientAddress, Instant),
    ) -> Result<Caller, Close> {
        loop {
            let heard = timeout_at(until, socket.hear()).await;
            let frame = match heard.map_err(|_| Close::UNAUTHENTICATED)? {
                Heard::Text(text) => surface.framing.decode(&text),
                Heard::Binary => framing::binary(),
                Heard::Pong(_) | Heard::Ping => continue,
                Heard::End(close) => return Err(close),
            };
            let tried = match &frame.payload {
                Ok(payload) if frame.name == "auth" => {
                    let token = payload.get("token").and_then(Value::as_str);
                    self.identify(token.filter(|token| !token.is_empty()), admit).await
                }
                Ok(_) => Err(Error::unauthenticated("Authenticate first")),
                Err(error) => Err(error.clone()),
            };
            match tried {
                Ok(caller) => {
                    let expires_at = Timestamp::from_millis(i64::MAX);
                    return Ok(Caller { expires_at, ..caller });
                }
                Err(error) => {
                    socket.tell(surface.framing.error(&error)).await?;
                    self.gate.limits.refused_events.pause(address).await;
                }
            }
        }
    }
}

/// Lets go of a session however its task ends.
struct End<'a> {
    hub: &'a Hub,
    session: &'a Arc<Session>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.hub.close(self.session);
    }
}

/// How somebody is closed who is not let in.
fn refused(error: &Error) -> Close {
    metrics::counter!("waggle_refused_connects_total", "code" => error.code.word()).increment(1);
    match error.code {
        Code::Unavailable | Code::Internal | Code::RateLimited => Close::TRY_AGAIN_LATER,
        _ => Close::UNAUTHENTICATED,
    }
}
