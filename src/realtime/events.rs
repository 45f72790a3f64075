//! The event table of a domain: which events it understands, what it answers, what it emits. The
//! same table dispatches events and yields the AsyncAPI document.

mod dispatch;
mod failure;

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

pub use dispatch::{Acknowledge, Dispatcher, Incoming};
pub use failure::{ErrorEvent, Failure};

use super::session::Session;
use crate::error::{Error, Result, WHOLE, from_value};

/// An event that a domain emits: its name, the namespaces that carry it ([`EVERYWHERE`]: all), and
/// whether a socket may miss it when it is too slow. `/` carries the events of all namespaces of
/// Socket.IO; what each raw WebSocket carries is a namespace without a slash.
pub struct ServerEvent<T> {
    pub(super) kind: EventKind,
    pub(super) key: Option<fn(&T) -> [u8; 12]>,
    /// What it tells of: its own name, or that of the event it takes the place of.
    pub(super) about: &'static str,
}

/// What is known of an event without its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventKind {
    pub(super) name: &'static str,
    pub(super) namespaces: &'static [&'static str],
    pub(super) reliable: bool,
}

impl EventKind {
    pub(super) fn reaches(self, namespace: &str) -> bool {
        within(self.namespaces, namespace)
    }
}

impl<T> ServerEvent<T> {
    /// An event that no socket misses: one that cannot take it is cut, reconnects and resumes.
    pub const fn reliable(name: &'static str, namespaces: &'static [&'static str]) -> Self {
        Self { kind: EventKind { name, namespaces, reliable: true }, key: None, about: name }
    }

    /// An event of which only the latest matters: a slow socket may miss it.
    pub const fn state(name: &'static str, namespaces: &'static [&'static str]) -> Self {
        Self { kind: EventKind { name, namespaces, reliable: false }, key: None, about: name }
    }

    /// An event of which only the latest of each `key` matters: a slow socket gets that one as soon
    /// as it can take it, and misses those before.
    pub const fn latest(
        name: &'static str,
        namespaces: &'static [&'static str],
        key: fn(&T) -> [u8; 12],
    ) -> Self {
        Self { kind: EventKind { name, namespaces, reliable: false }, key: Some(key), about: name }
    }

    /// Says that with the same key it takes the place of another event, and that event its place.
    #[must_use]
    pub const fn instead_of(mut self, other: &'static str) -> Self {
        self.about = other;
        self
    }
}

/// The namespaces of what every namespace has.
pub const EVERYWHERE: &[&str] = &[];

/// Which events tell of a failure, by where the socket is and what it sent.
pub type FailureEvents = fn(namespace: &str, payload: &Value) -> &'static [&'static str];

/// Whether what belongs to `namespaces` is there in `namespace`. `/` has all of Socket.IO, whose
/// namespaces start with a slash; those of raw sockets do not.
fn within(namespaces: &[&str], namespace: &str) -> bool {
    let in_root = || namespaces.iter().any(|name| name.starts_with('/'));
    namespaces.is_empty() || namespaces.contains(&namespace) || (namespace == "/" && in_root())
}

/// An ack without a result: `{ok: true}`.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct Done {}

/// A payload that carries nothing.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
pub struct Nothing {}

type Handler =
    Box<dyn Fn(Arc<Session>, Value) -> BoxFuture<'static, Result<Box<RawValue>>> + Send + Sync>;
type Connected = Box<dyn Fn(Arc<Session>, Value) -> BoxFuture<'static, ()> + Send + Sync>;

/// The shape of a payload, for the documents.
pub struct Shape {
    /// The name of its type.
    pub name: String,
    /// Its schema, and those it refers to, by name.
    pub schemas: fn() -> Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    fn of<T: ToSchema>() -> Self {
        Self {
            name: T::name().into_owned(),
            schemas: || {
                let mut schemas = vec![(T::name().into_owned(), T::schema())];
                T::schemas(&mut schemas);
                schemas
            },
        }
    }
}

/// An event that clients send.
pub struct ClientEntry {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What it carries.
    pub payload: Shape,
    /// What its ack carries besides `ok`.
    pub ack: Shape,
    handler: Handler,
    failing: Failing,
}

/// Which events tell of a failure.
enum Failing {
    As(&'static [&'static str]),
    By(FailureEvents),
}

impl ClientEntry {
    /// The events that tell a socket of `namespace` that what it sent has failed.
    pub fn failures(&self, namespace: &str, payload: &Value) -> &'static [&'static str] {
        match self.failing {
            Failing::As(events) => events,
            Failing::By(decide) => decide(namespace, payload),
        }
    }
}

/// An event that the server sends.
pub struct ServerEntry {
    /// Its name.
    pub name: &'static str,
    /// When it comes, in a sentence.
    pub summary: &'static str,
    /// What it carries.
    pub payload: Shape,
}

/// What one domain understands and emits, in its namespaces and in `/`.
pub struct EventTable {
    /// Where; [`EVERYWHERE`] is every namespace.
    pub namespaces: &'static [&'static str],
    /// Where a raw WebSocket of this namespace is opened, and what its frames are like, for the
    /// documents; `None` for Socket.IO.
    pub address: Option<(&'static str, &'static str)>,
    /// The events that tell of failures, where nothing else is said.
    error_events: &'static [&'static str],
    /// What clients send.
    pub client: Vec<ClientEntry>,
    /// What the server sends.
    pub server: Vec<ServerEntry>,
    connected: Vec<Connected>,
}

impl EventTable {
    /// An empty table.
    pub const fn new(
        namespaces: &'static [&'static str],
        error_events: &'static [&'static str],
    ) -> Self {
        Self {
            namespaces,
            address: None,
            error_events,
            client: Vec::new(),
            server: Vec::new(),
            connected: Vec::new(),
        }
    }

    /// Says where the raw WebSocket of this namespace is opened, and what its frames are like.
    #[must_use]
    pub const fn at(mut self, address: &'static str, about: &'static str) -> Self {
        self.address = Some((address, about));
        self
    }

    /// Understands an event. The payload is decoded before `handle` is called; its problems are
    /// answered with `validation_failed`. What `handle` gives is the ack.
    pub fn on<P, A, F, Fut>(mut self, name: &'static str, summary: &'static str, handle: F) -> Self
    where
        P: DeserializeOwned + ToSchema + Send + 'static,
        A: Serialize + ToSchema + Send + 'static,
        F: Fn(Arc<Session>, P) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<A>> + Send + 'static,
    {
        let is_object = is_object::<P>();
        let handler: Handler = Box::new(move |session, value| {
            let handle = handle.clone();
            Box::pin(async move {
                if is_object && !value.is_object() && !value.is_null() {
                    return Err(Error::invalid(WHOLE, "must be an object"));
                }
                let payload = from_value(if value.is_null() { json!({}) } else { value })?;
                let result = handle(session, payload).await?;
                to_raw_value(&Ack { ok: true, result }).map_err(Error::internal)
            })
        });
        let (payload, ack) = (Shape::of::<P>(), Shape::of::<A>());
        let failing = Failing::As(self.error_events);
        self.client.push(ClientEntry { name, summary, payload, ack, handler, failing });
        self
    }

    /// Says that failures of the event understood last have events of their own.
    pub fn failing_as(mut self, events: &'static [&'static str]) -> Self {
        self.client.last_mut().into_iter().for_each(|entry| entry.failing = Failing::As(events));
        self
    }

    /// Says that what the event understood last carries decides which events tell of its failure.
    pub fn failing_by(mut self, decide: FailureEvents) -> Self {
        self.client.last_mut().into_iter().for_each(|entry| entry.failing = Failing::By(decide));
        self
    }

    /// Declares an event that the domain emits.
    pub fn emits<T: ToSchema>(mut self, event: &ServerEvent<T>, summary: &'static str) -> Self {
        self.server.push(ServerEntry { name: event.kind.name, summary, payload: Shape::of::<T>() });
        self
    }

    /// Does something first when a socket connects, with the handshake's auth payload. Nothing
    /// the socket sends is worked on, and nothing is sent to it, before that is done, except with
    /// [`super::hub::Hub::send_first`].
    pub fn on_connect<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(Arc<Session>, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.connected.push(Box::new(move |session, auth| Box::pin(handle(session, auth))));
        self
    }
}

/// Whether a payload of this type is an object: serde would read one from an array as well.
fn is_object<P: ToSchema>() -> bool {
    let RefOr::T(Schema::Object(object)) = P::schema() else { return false };
    object.schema_type == SchemaType::Type(Type::Object)
}

#[derive(Serialize)]
struct Ack<T> {
    ok: bool,
    #[serde(flatten)]
    result: T,
}
