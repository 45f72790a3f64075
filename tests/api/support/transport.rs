//! Engine.IO 4 by hand: packets over a WebSocket or over polling, heartbeats answered.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Server;

/// A WebSocket as the library gives it.
pub(crate) type WebSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What came from the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Packet {
    /// `CONNECT` was answered.
    Connected { namespace: String },
    /// `CONNECT` was refused.
    Refused { namespace: String, message: String },
    /// The server ended the socket for good.
    Disconnected { namespace: String },
    /// An event.
    Event { namespace: String, name: String, payload: Value },
    /// The ack of an event.
    Ack { namespace: String, id: u64, body: Value },
    /// The transport is gone.
    Gone,
}

/// A transport with a task that serves it; dropped, it is cut.
pub(crate) struct Transport {
    /// What goes to the server.
    pub(crate) outgoing: UnboundedSender<Message>,
    /// What came from it.
    pub(crate) incoming: UnboundedReceiver<Packet>,
    _tasks: JoinSet<()>,
}

/// Opens a WebSocket to Socket.IO, with more query and header lines.
pub(crate) async fn websocket(
    server: &Server,
    query: &str,
    headers: &[(&'static str, &str)],
) -> Result<WebSocket, Error> {
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket{query}", server.address());
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    Ok(connect_async(request).await?.0)
}

impl Transport {
    /// A transport over a WebSocket.
    pub(crate) fn over_websocket(mut websocket: WebSocket) -> Self {
        let (outgoing, mut to_send) = unbounded_channel::<Message>();
        let (came, incoming) = unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let frame = tokio::select! {
                    frame = websocket.next() => frame,
                    Some(message) = to_send.recv() => {
                        let _ = websocket.send(message).await;
                        continue;
                    }
                };
                match frame {
                    Some(Ok(Message::Text(text))) if text.as_str() == "2" => {
                        let _ = websocket.send(Message::text("3")).await;
                    }
                    Some(Ok(Message::Text(text))) => parse(&text).into_iter().for_each(|packet| {
                        let _ = came.send(packet);
                    }),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                }
            }
            let _ = came.send(Packet::Gone);
        });
        Self { outgoing, incoming, _tasks: tasks }
    }

    /// A transport that polls.
    pub(crate) async fn polling(server: &Server) -> Self {
        let base = server.url("/socket.io/?EIO=4&transport=polling");
        let http = server.http().clone();
        let open = http.get(&base).send().await.unwrap().text().await.unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        let url = format!("{base}&sid={}", open["sid"].as_str().unwrap());
        let (outgoing, mut to_send) = unbounded_channel::<Message>();
        let (came, incoming) = unbounded_channel();
        let mut tasks = JoinSet::new();
        let (poster, posts, pong) = (http.clone(), url.clone(), outgoing.clone());
        tasks.spawn(async move {
            while let Some(message) = to_send.recv().await {
                let mut body = message.to_string();
                while let Ok(more) = to_send.try_recv() {
                    body = format!("{body}\x1e{more}");
                }
                let posted = poster.post(&posts).body(body).send().await;
                if posted.is_ok_and(|answer| !answer.status().is_success()) {
                    return;
                }
            }
        });
        tasks.spawn(async move {
            while let Ok(answer) = http.get(&url).send().await {
                if !answer.status().is_success() {
                    break;
                }
                for packet in answer.text().await.unwrap_or_default().split('\x1e') {
                    if packet == "2" {
                        let _ = pong.send(Message::text("3"));
                    }
                    parse(packet).into_iter().for_each(|packet| {
                        let _ = came.send(packet);
                    });
                }
            }
            let _ = came.send(Packet::Gone);
        });
        Self { outgoing, incoming, _tasks: tasks }
    }

    /// Sends an Engine.IO packet.
    pub(crate) fn send(&self, packet: impl Into<String>) {
        let _ = self.outgoing.send(Message::text(packet.into()));
    }
}

/// Reads an Engine.IO packet; what carries nothing for a test is `None`.
fn parse(packet: &str) -> Option<Packet> {
    let rest = packet.strip_prefix('4')?;
    let (kind, rest) = rest.split_at(1);
    let (namespace, rest) = match rest.strip_prefix('/') {
        Some(named) => {
            let (name, rest) = named.split_once(',').unwrap_or((named, ""));
            (format!("/{name}"), rest)
        }
        None => ("/".to_owned(), rest),
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (id, json) = rest.split_at(digits);
    let json: Value = serde_json::from_str(json).unwrap_or_default();
    Some(match kind {
        "0" => Packet::Connected { namespace },
        "1" => Packet::Disconnected { namespace },
        "2" => Packet::Event {
            namespace,
            name: json[0].as_str().unwrap_or_default().to_owned(),
            payload: json[1].clone(),
        },
        "3" => Packet::Ack { namespace, id: id.parse().unwrap(), body: json[0].clone() },
        "4" => {
            let message = json["message"].as_str().unwrap_or_default().to_owned();
            Packet::Refused { namespace, message }
        }
        _ => return None,
    })
}
