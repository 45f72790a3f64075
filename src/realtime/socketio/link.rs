//! What waggle takes from the engine for one socket: everything of an event at once, and the ways
//! to answer, end and cut.

use std::convert::Infallible;
use std::sync::{Arc, Weak};

use axum::body::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, Event, TryData};
use socketioxide::handler::FromMessageParts;
use socketioxide::socket::{Sid, Socket};
use socketioxide::{SendError, SocketError};

use crate::config::SocketParser;
use crate::error::{Error, WHOLE};
use crate::net::connection::{Connection, Pause};
use crate::realtime::events::{Acknowledge, Incoming};
use crate::realtime::hub::Outgoing;
use crate::realtime::session::{End, Link, Sent};
use crate::realtime::transports::Transports;

type Engine = Socket<LocalAdapter>;

/// A Socket.IO socket, held weakly: the engine holds the session.
pub(super) struct SocketLink {
    pub(super) socket: Weak<Engine>,
    pub(super) transports: Arc<Transports>,
    /// The WebSocket that the session began on, if it did.
    pub(super) handshake: Option<Arc<Connection>>,
    pub(super) sid: Sid,
}

impl Link for SocketLink {
    fn send(&self, event: &Outgoing) -> Sent {
        let Some(socket) = self.socket.upgrade() else { return Sent::Gone };
        outcome(match event.value() {
            Some(value) => socket.emit(event.name(), value),
            None => socket.emit(event.name(), event.json()),
        })
    }

    fn end(&self, _: End) {
        if let Some(socket) = self.socket.upgrade()
            && socket.disconnect().is_err()
        {
            self.cut();
        }
    }

    fn cut(&self) {
        self.transports.cut(self.sid, self.handshake.as_ref());
    }

    fn pause(&self) -> Option<Pause> {
        self.websocket().map(|connection| connection.pause_reading())
    }
}

impl SocketLink {
    /// The connection that only this client uses; one that carries polls may be a proxy's.
    fn websocket(&self) -> Option<Arc<Connection>> {
        self.transports.websocket(self.sid, self.handshake.as_ref())
    }
}

/// The WebSocket that a socket's session began on, if it did not begin with polling.
pub(super) fn first_websocket(socket: &Engine) -> Option<Arc<Connection>> {
    let head = socket.req_parts();
    head.extensions.get::<Arc<Connection>>().cloned()
}

/// An event with its name, payload and way back, taken off the wire in one go.
pub(super) struct Taken {
    name: String,
    payload: crate::error::Result<Value>,
    socket: Arc<Engine>,
    /// There when the client asked for an ack.
    ack_id: Option<i64>,
}

impl Taken {
    pub(super) fn into_incoming(self, parser: SocketParser) -> Incoming {
        let Self { name, payload, socket, ack_id } = self;
        Incoming { name, payload, ack: Box::new(SocketAck { socket, ack_id, parser }) }
    }
}

impl FromMessageParts<LocalAdapter> for Taken {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Engine>,
        value: &mut socketioxide_core::Value,
        ack_id: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let Ok(Event(name)) = Event::from_message_parts(socket, value, ack_id) else {
            let nameless = Error::invalid("event", "must have a name");
            let (name, payload) = (String::new(), Err(nameless));
            return Ok(Self { name, payload, socket: socket.clone(), ack_id: *ack_id });
        };
        Ok(Self {
            name,
            payload: payload(socket, value, ack_id),
            socket: socket.clone(),
            ack_id: *ack_id,
        })
    }
}

/// The first argument of an event; `null` where there is none.
fn payload(
    socket: &Arc<Engine>,
    value: &mut socketioxide_core::Value,
    ack_id: &Option<i64>,
) -> Result<Value, Error> {
    let invalid = || Error::invalid(WHOLE, "must be one JSON value without binary parts");
    match value {
        socketioxide_core::Value::Str(text, None) => {
            let arguments = serde_json::from_str::<Vec<Value>>(text).map_err(|_| invalid())?;
            Ok(arguments.into_iter().nth(1).unwrap_or_default())
        }
        socketioxide_core::Value::Str(_, Some(_)) => Err(invalid()),
        socketioxide_core::Value::Bytes(_) => {
            let Ok(TryData(payload)) = TryData::from_message_parts(socket, value, ack_id);
            payload.map_err(|_| invalid())
        }
    }
}

struct SocketAck {
    socket: Arc<Engine>,
    ack_id: Option<i64>,
    parser: SocketParser,
}

impl Acknowledge for SocketAck {
    fn acknowledge(&self, body: &RawValue) -> Sent {
        if self.ack_id.is_none() {
            return Sent::Queued;
        }
        let mut unused = socketioxide_core::Value::Bytes(Bytes::new());
        let Ok(ack) = AckSender::from_message_parts(&self.socket, &mut unused, &self.ack_id);
        match self.parser {
            SocketParser::Common => outcome(ack.send(body)),
            SocketParser::Msgpack => {
                let value: Value = serde_json::from_str(body.get()).unwrap_or_default();
                outcome(ack.send(&value))
            }
        }
    }
}

fn outcome(sent: Result<(), SendError>) -> Sent {
    match sent {
        Ok(()) => Sent::Queued,
        Err(SendError::Socket(SocketError::InternalChannelFull)) => Sent::Full,
        Err(SendError::Socket(SocketError::Closed)) => Sent::Gone,
        Err(SendError::Serialize(problem)) => {
            tracing::error!(%problem, "a packet could not be encoded");
            Sent::Gone
        }
    }
}
