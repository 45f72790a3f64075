//! A Socket.IO 5 client: connects, emits, waits for events and acks. It never sleeps: everything
//! that comes is kept in order until a test asks for it.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::rest::PATIENCE;
use super::transport::{Packet, Transport, websocket};
use super::{Person, Server};

/// One connected socket. Dropped, its transport is cut.
pub(crate) struct Socket {
    transport: Transport,
    namespace: String,
    waiting: VecDeque<Packet>,
    next_ack: u64,
}

impl Socket {
    /// Connects to a namespace over a WebSocket.
    pub(crate) async fn connect(server: &Server, namespace: &str, auth: &Value) -> Self {
        Self::try_connect(server, namespace, auth).await.unwrap()
    }

    /// As [`Socket::connect`]; `Err` is the message of `connect_error`, or why there is no
    /// transport.
    pub(crate) async fn try_connect(
        server: &Server,
        namespace: &str,
        auth: &Value,
    ) -> Result<Self, String> {
        let websocket = websocket(server, "", &[]).await.map_err(|problem| problem.to_string())?;
        Self::over(Transport::over_websocket(websocket), namespace, auth).await
    }

    /// Connects to a namespace by polling.
    pub(crate) async fn polling(server: &Server, namespace: &str, auth: &Value) -> Self {
        Self::over(Transport::polling(server).await, namespace, auth).await.unwrap()
    }

    /// Connects to a namespace over a transport that is open.
    pub(crate) async fn over(
        transport: Transport,
        namespace: &str,
        auth: &Value,
    ) -> Result<Self, String> {
        let waiting = VecDeque::new();
        let mut socket = Self { transport, namespace: namespace.to_owned(), waiting, next_ack: 1 };
        socket.join(namespace, auth);
        let answer = socket.take("the answer to CONNECT", |packet| match packet {
            Packet::Connected { .. } => Some(Ok(())),
            Packet::Refused { message, .. } => Some(Err(message.clone())),
            Packet::Gone => Some(Err("the transport was cut".to_owned())),
            _ => None,
        });
        answer.await.map(|()| socket)
    }

    /// Sends `CONNECT` for a namespace, this socket's or another one on its transport.
    pub(crate) fn join(&self, namespace: &str, auth: &Value) {
        self.transport.send(format!("40{}{auth}", prefix(namespace)));
    }

    /// Emits an event without asking for an ack.
    pub(crate) fn emit(&self, event: &str, payload: &Value) {
        self.raw(format!("42{}{}", prefix(&self.namespace), json!([event, payload])));
    }

    /// Emits an event and says under which id its ack will come.
    pub(crate) fn ask(&mut self, event: &str, payload: &Value) -> u64 {
        self.ask_raw(&json!([event, payload]))
    }

    /// As [`Socket::ask`], with the whole array of the event.
    pub(crate) fn ask_raw(&mut self, event: &Value) -> u64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.raw(format!("42{}{id}{event}", prefix(&self.namespace)));
        id
    }

    /// Sends an Engine.IO packet as it is.
    pub(crate) fn raw(&self, packet: impl Into<String>) {
        self.transport.send(packet);
    }

    /// The transport, for what is no text.
    pub(crate) const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The ack with this id.
    pub(crate) async fn ack(&mut self, wanted: u64) -> Value {
        let name = format!("ack {wanted}");
        self.take(&name, |packet| match packet {
            Packet::Ack { id, body, .. } if *id == wanted => Some(body.clone()),
            _ => None,
        })
        .await
    }

    /// Emits an event and waits for its ack.
    pub(crate) async fn emit_ack(&mut self, event: &str, payload: &Value) -> Value {
        let id = self.ask(event, payload);
        self.ack(id).await
    }

    /// Emits an event that must succeed, and gives its ack.
    pub(crate) async fn done(&mut self, event: &str, payload: &Value) -> Value {
        let ack = self.emit_ack(event, payload).await;
        assert_eq!(ack["ok"], true, "{event} {payload}: {ack}");
        ack
    }

    /// Sends messages that must be stored, and gives them. A few at a time: an event waits for its
    /// turn for 10 s at most, and the disk may be slow.
    pub(crate) async fn send_all(&mut self, payloads: &[Value]) -> Vec<Value> {
        let mut sent = Vec::new();
        for some in payloads.chunks(20) {
            let asked: Vec<_> = some.iter().map(|one| self.ask("send_message", one)).collect();
            for id in asked {
                let ack = self.ack(id).await;
                assert_eq!(ack["ok"], true, "{ack}");
                sent.push(ack["message"].clone());
            }
        }
        sent
    }

    /// Emits an event that must fail with this code, in the ack and in the event `error` alike.
    /// Gives the error of the ack.
    pub(crate) async fn refused(&mut self, event: &str, payload: &Value, code: &str) -> Value {
        self.refused_as("error", event, payload, code).await
    }

    /// As [`Socket::refused`], where the event that tells of the failure has another name.
    pub(crate) async fn refused_as(
        &mut self,
        told_as: &str,
        event: &str,
        payload: &Value,
        code: &str,
    ) -> Value {
        let ack = self.emit_ack(event, payload).await;
        assert_eq!(ack["ok"], false, "{event} {payload}: {ack}");
        let error = ack["error"].clone();
        assert_eq!(error["code"], code, "{event} {payload}: {ack}");
        assert!(error["message"].is_string(), "{ack}");
        let told = self.expect(told_as).await;
        assert_eq!(told["code"], code, "{told}");
        assert_eq!(told["message"], error["message"], "{told}");
        error
    }

    /// The next event of this name; what comes before it is kept.
    pub(crate) async fn expect(&mut self, event: &str) -> Value {
        self.take(event, |packet| match packet {
            Packet::Event { name, payload, .. } if name == event => Some(payload.clone()),
            _ => None,
        })
        .await
    }

    /// The next event that satisfies a condition.
    pub(crate) async fn expect_where(&mut self, event: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.take(event, |packet| match packet {
            Packet::Event { name, payload, .. } if name == event && is(payload) => {
                Some(payload.clone())
            }
            _ => None,
        })
        .await
    }

    /// The next so many events of this name; it is wrong if there are more by then.
    pub(crate) async fn exactly(&mut self, count: usize, event: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(self.expect(event).await);
        }
        self.expect_none(event).await;
        found
    }

    /// Everything of this name that the server sent before now: what was sent comes before the
    /// ack of a request made now. A message that others were told of need not have been sent when
    /// it is acknowledged: [`Socket::exactly`] waits for it.
    pub(crate) async fn all(&mut self, event: &str) -> Vec<Value> {
        self.round_trip().await;
        let mut found = Vec::new();
        self.waiting.retain(|packet| match packet {
            Packet::Event { name, payload, .. } if name == event => {
                found.push(payload.clone());
                false
            }
            _ => true,
        });
        found
    }

    /// Shows that no such event was sent before now.
    pub(crate) async fn expect_none(&mut self, event: &str) {
        let found = self.all(event).await;
        assert!(found.is_empty(), "{event} came: {found:?}");
    }

    /// Asks for something that changes nothing, and waits for the answer.
    pub(crate) async fn round_trip(&mut self) {
        let nobody = json!({ "userIds": ["0".repeat(24)] });
        let later = json!({ "since": "2999-01-01T00:00:00.000Z" });
        match self.namespace.as_str() {
            "/presence" => self.done("presence_unsubscribe", &nobody).await,
            // What nobody knows is answered in its turn too.
            "/orders" => self.refused("nothing", &nobody, "not_found").await,
            _ => self.done("sync", &later).await,
        };
    }

    /// Waits until the server has ended the socket for good.
    pub(crate) async fn expect_end(&mut self) {
        let ended = |packet: &Packet| matches!(packet, Packet::Disconnected { .. }).then_some(());
        self.take("the end of the socket", ended).await;
    }

    /// Waits until the transport is gone.
    pub(crate) async fn expect_gone(&mut self) {
        self.take("the end of the transport", |packet| (packet == &Packet::Gone).then_some(()))
            .await;
    }

    /// The next packet of any kind that satisfies a condition.
    pub(crate) async fn take<T>(&mut self, name: &str, wanted: impl Fn(&Packet) -> Option<T>) -> T {
        let mut seen = 0;
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(packet) = self.waiting.get(seen) {
                if let Some(found) = wanted(packet) {
                    self.waiting.remove(seen);
                    return found;
                }
                seen += 1;
            }
            match timeout_at(deadline, self.transport.incoming.recv()).await {
                Ok(Some(packet)) => self.waiting.push_back(packet),
                _ => panic!("{name} did not come; what came: {:#?}", self.waiting),
            }
        }
    }

    /// Whether something of what has come satisfies a condition.
    pub(crate) fn has(&self, wanted: impl Fn(&Packet) -> Option<()>) -> bool {
        self.waiting.iter().any(|packet| wanted(packet).is_some())
    }

    /// Leaves the namespace politely.
    pub(crate) fn leave(&self) {
        self.raw(format!("41{}", prefix(&self.namespace)));
    }
}

fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}

impl Person {
    /// Connects to a namespace.
    pub(crate) async fn connect(&self, namespace: &str) -> Socket {
        Socket::connect(&self.server, namespace, &json!({ "token": self.token })).await
    }

    /// Connects to a namespace and asks for what was missed.
    pub(crate) async fn connect_and_sync(&self, namespace: &str, sync: Value) -> Socket {
        let auth = json!({ "token": self.token, "sync": sync });
        Socket::connect(&self.server, namespace, &auth).await
    }
}
