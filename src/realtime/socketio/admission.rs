//! Who is let in. Decided in the connect middleware, before the client hears that it is connected,
//! so that no event it sends right away is lost (FACTS §0, §1.1), and none that is sent to it.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::FromConnectParts;
use socketioxide::socket::{DisconnectReason, Sid, Socket};

use super::Door;
use super::link::{SocketLink, Taken, first_websocket};
use crate::caller::{Caller, Role, bearer, query_token};
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::ids::{LoginId, UserId};
use crate::net::address::ClientAddress;
use crate::realtime::session::{Entrance, Session};

/// What a client shows when it connects to a namespace.
pub(super) struct Handshake {
    socket: Arc<Socket<LocalAdapter>>,
    auth: Value,
}

impl FromConnectParts<LocalAdapter> for Handshake {
    type Error = Infallible;

    fn from_connect_parts(
        socket: &Arc<Socket<LocalAdapter>>,
        auth: &Option<socketioxide_core::Value>,
    ) -> Result<Self, Infallible> {
        let TryData(decoded) = TryData::<Value>::from_connect_parts(socket, auth)?;
        Ok(Self { socket: socket.clone(), auth: decoded.unwrap_or_default() })
    }
}

/// Why a client is not let in, as `connect_error` tells it. Final for JS clients, which do not try
/// again by themselves; so what may pass is answered by cutting the transport instead.
pub(super) struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authentication error: {}", self.0)
    }
}

impl Handshake {
    /// In the auth payload, the `Authorization` header, or the query (CONTRACT §2).
    fn token(&self) -> Option<String> {
        let shown = self.auth.get("token").and_then(Value::as_str);
        let shown = shown.map(|token| token.strip_prefix("Bearer ").unwrap_or(token).to_owned());
        let head = self.socket.req_parts();
        shown
            .filter(|token| !token.is_empty())
            .or_else(|| bearer(&head.headers))
            .or_else(|| query_token(head.uri.query()))
    }
}

impl Door {
    pub(super) async fn admit(
        self: Arc<Self>,
        handshake: Handshake,
        namespace: &'static str,
    ) -> Result<(), Refused> {
        let extensions = &handshake.socket.req_parts().extensions;
        let address = extensions.get::<ClientAddress>().copied().ok_or(Refused("no address"))?;
        match self.identify(&handshake, address).await {
            Ok(caller) => {
                let link = SocketLink {
                    socket: Arc::downgrade(&handshake.socket),
                    transports: self.transports.clone(),
                    handshake: first_websocket(&handshake.socket),
                    sid: handshake.socket.id,
                };
                let (link, queue_limit) = (Box::new(link), self.event_queue);
                let entrance = Entrance { namespace, address, link, queue_limit };
                let session = Session::new(&self.hub, caller, entrance);
                self.attend(&handshake.socket, &session);
                Ok(())
            }
            Err(error) => Err(self.refuse(&handshake, address, &error)),
        }
    }

    fn refuse(
        self: &Arc<Self>,
        handshake: &Handshake,
        address: ClientAddress,
        error: &Error,
    ) -> Refused {
        let code = error.code;
        metrics::counter!("waggle_refused_connects_total", "code" => code.word()).increment(1);
        tracing::debug!(code = code.word(), address = %address.0, "connect refused");
        self.cut_if_bare(&handshake.socket);
        match code {
            Code::TokenExpired => Refused("token expired"),
            Code::Unauthenticated if handshake.token().is_none() => Refused("no token provided"),
            Code::Unauthenticated => Refused("invalid token"),
            _ => {
                let socket = &handshake.socket;
                self.transports.cut(socket.id, first_websocket(socket).as_ref());
                Refused("try again later")
            }
        }
    }

    async fn identify(
        &self,
        handshake: &Handshake,
        address: ClientAddress,
    ) -> Result<Caller, Error> {
        if self.hub.is_draining() {
            return Err(Error::unavailable("The server is stopping"));
        }
        let Some(gate) = &self.gate else { return Ok(self.anybody()) };
        gate.count_connect(address)?;
        gate.identify(&self.hub, handshake.token().as_deref()).await
    }

    /// Where there are no accounts, everybody is somebody new.
    fn anybody(&self) -> Caller {
        let now = self.hub.clock().now();
        Caller {
            user: UserId::generate(now),
            role: Role::User,
            login: LoginId::generate(now),
            expires_at: Timestamp::from_millis(i64::MAX),
        }
    }

    /// Sets the handlers of a socket and takes it in: before its client is told that it is connected.
    fn attend(self: &Arc<Self>, socket: &Arc<Socket<LocalAdapter>>, session: &Arc<Session>) {
        let (door, owner) = (self.clone(), session.clone());
        socket.on_fallback(move |taken: Taken| {
            door.dispatcher.receive(&owner, taken.into_incoming(door.hub.parser()));
            async {}
        });
        let (door, owner) = (self.clone(), session.clone());
        socket.on_disconnect(move |socket: SocketRef, reason: DisconnectReason| {
            door.hub.close(&owner);
            door.part(&socket, &owner, reason);
            async {}
        });
        self.transports.joined(socket.id, session.no);
        let websocket = self.transports.websocket(socket.id, first_websocket(socket).as_ref());
        if let Some(connection) = websocket {
            connection.recognise();
        }
        self.dispatcher.admit(session);
        let admission = Admission { door: self.clone(), session: session.clone(), sid: socket.id };
        socket.extensions.insert(Admitted(Arc::new(admission)));
    }

    fn part(
        self: &Arc<Self>,
        socket: &Socket<LocalAdapter>,
        session: &Session,
        reason: DisconnectReason,
    ) {
        let last = self.transports.left(socket.id, session.no);
        match reason {
            DisconnectReason::ClientNSDisconnect | DisconnectReason::ServerNSDisconnect => {
                if last {
                    self.cut_if_bare(socket);
                }
            }
            _ => self.transports.forget(socket.id),
        }
    }

    /// Cuts a transport that carries no socket, if nobody joins over it in time: the engine would
    /// keep it for ever (FACTS §1.1).
    fn cut_if_bare(self: &Arc<Self>, socket: &Socket<LocalAdapter>) {
        let (door, sid, websocket) = (self.clone(), socket.id, first_websocket(socket));
        tokio::spawn(async move {
            tokio::time::sleep(door.patience).await;
            if door.transports.is_bare(sid) {
                door.transports.cut(sid, websocket.as_ref());
            }
        });
    }
}

/// What is kept with a socket between its admission and the moment its client hears of it.
#[derive(Clone)]
struct Admitted(Arc<Admission>);

/// Closes a session whose client could not be told: the engine drops such a socket without a word.
struct Admission {
    door: Arc<Door>,
    session: Arc<Session>,
    sid: Sid,
}

impl Drop for Admission {
    fn drop(&mut self) {
        if !self.session.is_started() {
            self.door.hub.close(&self.session);
            self.door.transports.left(self.sid, self.session.no);
        }
    }
}

/// Starts the session of a socket whose client has just been told that it is connected.
pub(super) fn open(door: &Door, socket: &SocketRef, handshake: Handshake) {
    if let Some(Admitted(admission)) = socket.extensions.remove::<Admitted>() {
        door.dispatcher.start(&admission.session, handshake.auth);
    }
}
