//! What waggle takes from the engine for one socket: everything of an event at once, and the ways
//! to answer, end and cut.

use std::convert::Infallible;
use std::sync::{Arc, Weak};

use serde_json::Value;
use serde_json::value::RawValue;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, Event, TryData};
use socketioxide::handler::FromMessageParts;
use socketioxide::socket::{Sid, Socket};
use socketioxide::{SendError, SocketError, TransportType};

use crate::config::SocketParser;
use crate::error::Error;
use crate::net::server::Connection;
use crate::realtime::events::{Acknowledge, Incoming};
use crate::realtime::hub::Outgoing;
use crate::realtime::session::{Link, Sent};
use crate::realtime::transports::Transports;

type Engine = Socket<LocalAdapter>;

/// A Socket.IO socket, held weakly: the engine holds the session.
pub(super) struct SocketLink {
    pub(super) socket: Weak<Engine>,
    pub(super) transports: Arc<Transports>,
    pub(super) handshake: Arc<Connection>,
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

    fn end(&self) {
        if let Some(socket) = self.socket.upgrade()
            && socket.disconnect().is_err()
        {
            self.cut();
        }
    }

    fn cut(&self) {
        let is_websocket = self.socket.upgrade().is_some_and(|socket| over_websocket(&socket));
        self.transports.cut(self.sid, &self.handshake, is_websocket);
    }
}

pub(super) fn over_websocket(socket: &Engine) -> bool {
    socket.transport_type() == TransportType::Websocket
}

/// An event with its name, payload and way back, taken off the wire in one go.
pub(super) struct Taken {
    name: String,
    payload: crate::error::Result<Value>,
    ack: AckSender,
    asked: bool,
}

impl Taken {
    pub(super) fn into_incoming(self, parser: SocketParser) -> Incoming {
        let Self { name, payload, ack, asked } = self;
        Incoming { name, payload, ack: Box::new(SocketAck { ack, asked, parser }) }
    }
}

impl FromMessageParts<LocalAdapter> for Taken {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Engine>,
        value: &mut socketioxide_core::Value,
        ack_id: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let event = Event::from_message_parts(socket, value, ack_id);
        let TryData(payload) = TryData::<Value>::from_message_parts(socket, value, ack_id)?;
        let ack = AckSender::from_message_parts(socket, value, ack_id)?;
        Ok(Self {
            name: event.map_or_else(|_| String::new(), |Event(name)| name),
            payload: payload.map_err(|_| {
                Error::invalid("payload", "must be one JSON value without binary parts")
            }),
            ack,
            asked: ack_id.is_some(),
        })
    }
}

struct SocketAck {
    ack: AckSender,
    asked: bool,
    parser: SocketParser,
}

impl Acknowledge for SocketAck {
    fn acknowledge(self: Box<Self>, body: &RawValue) -> Sent {
        if !self.asked {
            return Sent::Queued;
        }
        match self.parser {
            SocketParser::Common => outcome(self.ack.send(body)),
            SocketParser::Msgpack => {
                let value: Value = serde_json::from_str(body.get()).unwrap_or_default();
                outcome(self.ack.send(&value))
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
