//! An event on its way, serialized once for all who get it.

use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::config::SocketParser;
use crate::realtime::events::{EventKind, ServerEvent};

/// Of what a state-like event tells: of two with the same name and key only the later matters.
pub type Key = (&'static str, [u8; 12]);

/// An event on its way. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outgoing {
    kind: EventKind,
    key: Option<Key>,
    body: Arc<Body>,
}

#[derive(Debug)]
struct Body {
    json: Box<RawValue>,
    /// Only where packets are not JSON.
    value: Option<serde_json::Value>,
    /// As a text frame `{"type", "data"}` of a raw WebSocket, once one needs it.
    frame: OnceLock<Utf8Bytes>,
}

impl Outgoing {
    pub(super) fn new<T: Serialize>(
        event: &ServerEvent<T>,
        payload: &T,
        parser: SocketParser,
    ) -> Self {
        let json = to_raw_value(payload).unwrap_or_else(|problem| {
            tracing::error!(%problem, event = event.kind.name, "an event could not be written");
            RawValue::NULL.to_owned()
        });
        let value = match parser {
            SocketParser::Common => None,
            SocketParser::Msgpack => serde_json::from_str(json.get()).ok(),
        };
        let key = event.key.map(|key| (event.about, key(payload)));
        let body = Body { json, value, frame: OnceLock::new() };
        Self { kind: event.kind, key, body: Arc::new(body) }
    }

    /// The event's name.
    pub const fn name(&self) -> &'static str {
        self.kind.name
    }

    /// Whether a socket that cannot take it must be cut.
    pub const fn is_reliable(&self) -> bool {
        self.kind.reliable
    }

    /// Whether every namespace has it, whatever the socket is for.
    pub const fn is_everywhere(&self) -> bool {
        self.kind.namespaces.is_empty()
    }

    /// Of what it tells, where only the latest matters.
    pub const fn key(&self) -> Option<Key> {
        self.key
    }

    /// The payload as JSON text.
    pub fn json(&self) -> &RawValue {
        &self.body.json
    }

    /// The payload as a value, where packets are not JSON.
    pub fn value(&self) -> Option<&serde_json::Value> {
        self.body.value.as_ref()
    }

    /// The event as a text frame `{"type": name, "data": payload}`, written once.
    pub fn frame(&self) -> Utf8Bytes {
        let write = || format!(r#"{{"type":"{}","data":{}}}"#, self.name(), self.json()).into();
        self.body.frame.get_or_init(write).clone()
    }
}
