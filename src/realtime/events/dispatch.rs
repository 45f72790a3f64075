//! From an event off the wire to its handler, in the socket's queue, and back to its ack. Every
//! event is answered: with an ack where the client asked for one, and failures with the surface's
//! error event as well (CONTRACT §1).

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tracing::Instrument;

use super::failure::Asked;
use super::{ClientEntry, EventTable, within};
use crate::error::{Code, Error, ErrorBody, Result};
use crate::limits::Limits;
use crate::net::address::ClientAddress;
use crate::realtime::hub::{Hub, Outgoing, Sign};
use crate::realtime::session::{End, Sent, Session};
use crate::telemetry;

/// How long an event may wait for its turn. Behind others that wait for a database that is away,
/// each would else wait for all before it; its client has given up long before.
const PATIENCE: Duration = Duration::from_secs(10);

/// How an ack goes back; does nothing where the client asked for none.
pub trait Acknowledge: Send + Sync {
    /// Sends the ack; may be called again when there was no room for it.
    fn acknowledge(&self, body: &RawValue) -> Sent;
}

/// An event off the wire.
pub struct Incoming {
    /// Its name.
    pub name: String,
    /// Its payload, or why there is none.
    pub payload: Result<Value>,
    /// The way back.
    pub ack: Box<dyn Acknowledge>,
}

/// The tables of all domains, by namespace.
pub struct Dispatcher {
    tables: Vec<EventTable>,
    namespaces: Vec<(&'static str, Namespace)>,
    hub: Arc<Hub>,
    limits: Arc<Limits>,
}

/// What one namespace understands: positions in the tables.
#[derive(Default)]
struct Namespace {
    events: HashMap<&'static str, (usize, usize)>,
    connected: Vec<usize>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    ok: bool,
    error: ErrorBody<'a>,
}

/// What goes back for an event.
struct Reply {
    /// The error events of its surface, where it failed.
    failures: Vec<Outgoing>,
    ack: Option<Box<RawValue>>,
}

impl Dispatcher {
    /// Lays out `tables` by namespace; `/` understands them all.
    ///
    /// # Panics
    /// When two tables of one namespace understand the same event: a defect of the composition.
    pub fn new(tables: Vec<EventTable>, hub: &Arc<Hub>, limits: &Arc<Limits>) -> Arc<Self> {
        let mut names: Vec<&'static str> = vec!["/"];
        names.extend(tables.iter().flat_map(|table| table.namespaces));
        names.sort_unstable();
        names.dedup();
        let namespaces = names.into_iter().map(|name| (name, lay_out(name, &tables))).collect();
        Arc::new(Self { tables, namespaces, hub: hub.clone(), limits: limits.clone() })
    }

    /// The namespaces that exist.
    pub fn namespaces(&self) -> impl Iterator<Item = &'static str> {
        self.namespaces.iter().map(|(name, _)| *name)
    }

    /// The tables, for the documents.
    pub fn tables(&self) -> &[EventTable] {
        &self.tables
    }

    fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|(known, _)| *known == name).map(|(_, namespace)| namespace)
    }

    fn entry(&self, session: &Session, event: &str) -> Option<&ClientEntry> {
        let (table, entry) = *self.namespace(session.namespace)?.events.get(event)?;
        Some(&self.tables[table].client[entry])
    }

    /// Takes in a socket whose client does not know yet that it is connected: what is sent to it
    /// from here on waits for [`Dispatcher::start`].
    pub fn admit(&self, session: &Arc<Session>) {
        session.hold();
        self.hub.open(session);
    }

    /// Lets a socket in: first what its domains do, then what was sent to it and what it has sent
    /// meanwhile.
    pub fn start(self: &Arc<Self>, session: &Arc<Session>, auth: Value) {
        let waits = self.namespace(session.namespace).is_some_and(|ns| !ns.connected.is_empty());
        if session.is_closed() {
            // Its login session or its token ended meanwhile; the client could not hear of it then.
            session.release();
            session.start(None);
            return session.end(End::Unauthenticated);
        }
        if !waits {
            session.release();
            return session.start(None);
        }
        let (dispatcher, held) = (self.clone(), session.clone());
        session.start(Some(Box::pin(async move {
            dispatcher.greet(&held, auth).await;
            held.release();
        })));
    }

    async fn greet(&self, session: &Arc<Session>, auth: Value) {
        let tables = self.namespace(session.namespace).into_iter().flat_map(|ns| &ns.connected);
        for handle in tables.flat_map(|table| &self.tables[*table].connected) {
            let handled = AssertUnwindSafe(handle(session.clone(), auth.clone())).catch_unwind();
            if handled.await.is_err() {
                tracing::error!("a connect handler panicked");
            }
        }
    }

    /// Takes an event off the wire, synchronously, in order.
    pub fn receive(self: &Arc<Self>, session: &Arc<Session>, incoming: Incoming) {
        if session.is_abandoned() {
            return;
        }
        self.hub.heard(session, Sign::Frame);
        if self.hub.is_draining() {
            return self.refuse(session, &incoming, Error::unavailable("The server is stopping"));
        }
        // A job dropped by a full queue would take its ack with it, so look first.
        if session.queue_is_full() {
            return self.refuse(
                session,
                &incoming,
                Error::unavailable("Too many events are waiting"),
            );
        }
        let (dispatcher, owner) = (self.clone(), session.clone());
        let arrived = self.hub.clock().monotonic();
        session.enqueue(Box::pin(async move {
            if owner.is_abandoned() {
                return;
            }
            if dispatcher.hub.is_closing() {
                return dispatcher.decline(&owner, &incoming);
            }
            let waited = dispatcher.hub.clock().monotonic().saturating_sub(arrived);
            let span = telemetry::event_span(owner.no, owner.caller.user, waited);
            let is_late = waited > PATIENCE;
            let handled = dispatcher.handle(&owner, incoming, is_late).instrument(span.clone());
            let (event, failure) = handled.await;
            telemetry::end_event(span, event, failure);
            let took = dispatcher.hub.clock().monotonic().saturating_sub(arrived);
            metrics::histogram!("waggle_event_seconds", "event" => event).record(took);
            if failure.is_some() && !dispatcher.hub.is_draining() {
                dispatcher.pace(&owner).await;
            }
        }));
    }

    /// Waits for the turn of an event that was refused. Whose client is gone waits for nothing:
    /// beyond the rate, what is left of it is not worked on.
    async fn pace(&self, session: &Arc<Session>) {
        let (pacer, address) = (&self.limits.refused_events, ClientAddress(session.address));
        if !session.is_closed() {
            pacer.pause(address).await;
        } else if !pacer.book(address).is_zero() {
            session.abandon();
        }
    }

    /// Says of an event that it is not begun any more. Without the error events: the socket is about
    /// to be closed with its code, and what does not fit into its buffer would cut it.
    fn decline(&self, session: &Session, incoming: &Incoming) {
        let entry = self.entry(session, &incoming.name);
        let asked = Asked::of(entry, session.namespace, &incoming.payload);
        let stopping = Err(Error::unavailable("The server is stopping"));
        if let Some(body) = self.reply(session, &asked, stopping).ack {
            incoming.ack.acknowledge(&body);
        }
    }

    /// Answers on the spot an event that cannot be queued.
    fn refuse(&self, session: &Arc<Session>, incoming: &Incoming, error: Error) {
        let entry = self.entry(session, &incoming.name);
        let asked = Asked::of(entry, session.namespace, &incoming.payload);
        let span = telemetry::event_span(session.no, session.caller.user, Duration::ZERO);
        telemetry::end_event(span, asked.name, Some(error.code));
        let reply = self.reply(session, &asked, Err(error));
        let flooding = !self.hub.is_draining()
            && !self.limits.refused_events.book(ClientAddress(session.address)).is_zero();
        let failed = reply.failures.iter().any(|failure| session.try_send(failure) == Sent::Full);
        let unheard = reply.ack.is_some_and(|body| incoming.ack.acknowledge(&body) == Sent::Full);
        if flooding {
            session.abandon();
        } else if failed || unheard {
            session.cut();
        }
    }

    /// Does what an event asks for unless that is too late, and answers. Gives its name as metrics
    /// know it, and how it failed if it did.
    async fn handle(
        &self,
        session: &Arc<Session>,
        incoming: Incoming,
        is_late: bool,
    ) -> (&'static str, Option<Code>) {
        let Incoming { name, payload, ack } = incoming;
        let entry = self.entry(session, &name);
        let asked = Asked::of(entry, session.namespace, &payload);
        let outcome = match (entry, payload) {
            _ if is_late => Err(Error::unavailable("The events before it took too long")),
            _ if session.has_ended() => Err(Error::unauthenticated("The socket has been ended")),
            (None, Err(error)) if name.is_empty() => Err(error),
            (None, _) => Err(Error::not_found("There is no such event here")),
            (_, Err(error)) => Err(error),
            (Some(entry), Ok(payload)) => {
                let handled =
                    AssertUnwindSafe((entry.handler)(session.clone(), payload)).catch_unwind();
                handled.await.unwrap_or_else(|_| Err(Error::internal("an event handler panicked")))
            }
        };
        let failure = outcome.as_ref().err().map(|error| error.code);
        self.answer(session, &asked, ack, outcome).await;
        (asked.name, failure)
    }

    async fn answer(
        &self,
        session: &Arc<Session>,
        asked: &Asked,
        ack: Box<dyn Acknowledge>,
        outcome: Result<Box<RawValue>>,
    ) {
        let reply = self.reply(session, asked, outcome);
        for failure in reply.failures {
            session.answer(|| session.try_send(&failure)).await;
        }
        if let Some(body) = reply.ack {
            session.answer(|| ack.acknowledge(&body)).await;
        }
    }

    fn reply(&self, session: &Session, asked: &Asked, outcome: Result<Box<RawValue>>) -> Reply {
        let name = asked.name;
        let word = outcome.as_ref().map_or_else(|error| error.code.word(), |_| "ok");
        metrics::counter!("waggle_events_total", "event" => name, "outcome" => word).increment(1);
        let (socket, user) = (session.no, session.caller.user);
        tracing::debug!(event = name, outcome = word, %socket, %user, "event");
        let error = match outcome {
            Ok(body) => return Reply { failures: Vec::new(), ack: Some(body) },
            Err(error) => error,
        };
        let failures = asked.tell(&self.hub, &error);
        let refusal = to_raw_value(&Refusal { ok: false, error: ErrorBody::from(&error) });
        let unwritten = |problem: &_| tracing::error!(%problem, "an ack could not be written");
        Reply { failures, ack: refusal.inspect_err(unwritten).ok() }
    }
}

fn lay_out(name: &'static str, tables: &[EventTable]) -> Namespace {
    let mut namespace = Namespace::default();
    for (table_no, table) in tables.iter().enumerate() {
        if !within(table.namespaces, name) {
            continue;
        }
        if !table.connected.is_empty() {
            namespace.connected.push(table_no);
        }
        for (entry_no, entry) in table.client.iter().enumerate() {
            let twice = namespace.events.insert(entry.name, (table_no, entry_no));
            assert!(twice.is_none(), "two tables of {name} understand {}", entry.name);
        }
    }
    namespace
}
