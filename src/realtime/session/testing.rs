//! Sockets for unit tests: without a client, and with a note of what they are told.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use super::{End, Entrance, Link, Sent, Session};
use crate::caller::Caller;
use crate::net::address::ClientAddress;
use crate::realtime::hub::{Hub, Outgoing};

/// What a socket was told, in order: names of events, `end`, `close`, `cut`.
pub(crate) type Told = Arc<Mutex<Vec<String>>>;

/// Writes down what it is asked, in order.
struct Notes(Told);

impl Notes {
    fn note(&self, what: &str) {
        self.0.lock().unwrap().push(what.into());
    }
}

impl Link for Notes {
    fn send(&self, event: &Outgoing) -> Sent {
        self.note(event.name());
        Sent::Queued
    }

    fn end(&self, _why: End) {
        self.note("end");
    }

    fn shut_down(&self) {
        self.note("close");
    }

    fn cut(&self) {
        self.note("cut");
    }
}

/// Lets somebody in whose token was just checked; the client does not know yet that it is connected.
pub(crate) fn let_in(hub: &Hub, caller: Caller) -> (Arc<Session>, Told) {
    let told = Told::default();
    let entrance = Entrance {
        namespace: "/",
        address: ClientAddress(Ipv4Addr::LOCALHOST.into()),
        link: Box::new(Notes(told.clone())),
        queue_limit: 8,
    };
    let session = Session::new(hub, caller, entrance);
    session.hold();
    hub.open(&session);
    (session, told)
}
