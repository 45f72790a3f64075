//! A Socket.IO client over a WebSocket, written out by hand so that a test decides when it reads.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::setting::wait::within;

/// Connecting, and waiting for events that must come.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Opens an Engine.IO session over a WebSocket, and nothing more. `None` when nobody answers.
pub(crate) async fn open(port: u16, receive_buffer: Option<u32>) -> Option<Socket> {
    Some(shake_hands(port, receive_buffer).await?.0)
}

/// The same, and how long the server is silent at most.
async fn shake_hands(port: u16, receive_buffer: Option<u32>) -> Option<(Socket, Duration)> {
    let tcp = TcpSocket::new_v4().unwrap();
    if let Some(size) = receive_buffer {
        tcp.set_recv_buffer_size(size).unwrap();
    }
    let stream = tcp.connect(([127, 0, 0, 1], port).into()).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let url = format!("ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket");
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.ok()?;
    let open = next_text(&mut socket).await?;
    let open: Value = serde_json::from_str(open.strip_prefix('0')?).ok()?;
    let silence = open["pingInterval"].as_u64()? + open["pingTimeout"].as_u64()?;
    Some((socket, Duration::from_millis(silence)))
}

/// The next packet; pings are answered.
pub(crate) async fn next_text(socket: &mut Socket) -> Option<String> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) if text.as_str() == "2" => socket.send("3".into()).await.ok()?,
            Message::Text(text) => return Some(text.to_string()),
            _ => {}
        }
    }
}

/// Opens a session and joins `/`. `None` when the transport ends meanwhile.
pub(crate) async fn join(port: u16, auth: &Value, receive_buffer: Option<u32>) -> Option<Socket> {
    Some(join_alive(port, auth, receive_buffer).await?.0)
}

async fn join_alive(port: u16, auth: &Value, buffer: Option<u32>) -> Option<(Socket, Duration)> {
    let (mut socket, silence) = shake_hands(port, buffer).await?;
    socket.send(format!("40{auth}").into()).await.ok()?;
    let answer = next_text(&mut socket).await?;
    assert!(answer.starts_with("40"), "{answer}");
    Some((socket, silence))
}

/// An event with an ack id.
pub(crate) fn event(ack: u64, name: &str, payload: &Value) -> Message {
    format!("42{ack}{}", json!([name, payload])).into()
}

/// Ends the connection with a reset, as a machine that vanishes would be noticed.
pub(crate) fn reset(socket: &Socket) {
    SockRef::from(socket.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
}

type Acks = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// The transport ended before the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// A client that reads all the time, and takes a silent transport for an ended one, as the official
/// client does.
pub(crate) struct Client {
    sink: Arc<AsyncMutex<SplitSink<Socket, Message>>>,
    acks: Acks,
    next_ack: AtomicU64,
    events: mpsc::UnboundedReceiver<(String, Value)>,
    reader: JoinHandle<()>,
}

impl Client {
    /// Connects as somebody.
    pub(crate) async fn connect(port: u16, token: &str) -> Option<Self> {
        Self::connect_with(port, &json!({ "token": token })).await
    }

    pub(crate) async fn connect_with(port: u16, auth: &Value) -> Option<Self> {
        let joined = tokio::time::timeout(LIMIT, join_alive(port, auth, None)).await;
        joined.ok().flatten().map(|(socket, silence)| Self::reading(socket, silence))
    }

    fn reading(socket: Socket, silence: Duration) -> Self {
        let (sink, stream) = socket.split();
        let sink = Arc::new(AsyncMutex::new(sink));
        let acks = Acks::default();
        let (noted, events) = mpsc::unbounded_channel();
        let reader = tokio::spawn(read(stream, silence, sink.clone(), acks.clone(), noted));
        Self { sink, acks, next_ack: AtomicU64::new(0), events, reader }
    }

    /// Looks at no event from here on.
    pub(crate) fn ignore_events(&mut self) {
        self.events.close();
        while self.events.try_recv().is_ok() {}
    }

    /// The next event, whatever it is; `None` at the end of the transport.
    pub(crate) async fn next_event(&mut self) -> Option<(String, Value)> {
        self.events.recv().await
    }

    /// Sends an event; the ack comes later.
    pub(crate) async fn emit(
        &self,
        name: &str,
        payload: &Value,
    ) -> Result<oneshot::Receiver<Value>, Gone> {
        self.emit_raw(&json!([name, payload]).to_string()).await
    }

    async fn emit_raw(&self, json: &str) -> Result<oneshot::Receiver<Value>, Gone> {
        let ack = self.next_ack.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.acks.lock().unwrap().insert(ack, answer);
        if self.reader.is_finished() {
            return Err(Gone);
        }
        self.sink.lock().await.send(format!("42{ack}{json}").into()).await.map_err(|_| Gone)?;
        Ok(answered)
    }

    /// As [`Client::ask`], with an event as it goes over the wire.
    pub(crate) async fn ask_raw(&self, json: &str, limit: Duration) -> Result<Value, Gone> {
        let answered = self.emit_raw(json).await?;
        within("the ack", limit, answered).await.map_err(|_| Gone)
    }

    /// Sends an event and waits for its ack, for so long at most.
    pub(crate) async fn ask(
        &self,
        name: &str,
        payload: &Value,
        limit: Duration,
    ) -> Result<Value, Gone> {
        let answered = self.emit(name, payload).await?;
        within(&format!("the ack of {name}"), limit, answered).await.map_err(|_| Gone)
    }

    /// The next event of a name that satisfies `wanted`, out of all that come.
    pub(crate) async fn event_where(
        &mut self,
        name: &str,
        limit: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        within(&format!("the event {name}"), limit, async {
            loop {
                let (heard, payload) = self.events.recv().await.expect("the transport is open");
                if heard == name && wanted(&payload) {
                    return payload;
                }
            }
        })
        .await
    }

    pub(crate) async fn event(&mut self, name: &str) -> Value {
        self.event_where(name, LIMIT, |_| true).await
    }

    /// When the user is told to be offline.
    pub(crate) async fn sees_offline(&mut self, user: &str, limit: Duration) -> Instant {
        self.event_where("user_status", limit, |status| {
            status["userId"] == user && status["isOnline"] == false
        })
        .await;
        Instant::now()
    }

    /// Waits for the end of the transport, and gives the events that came before it.
    pub(crate) async fn drained(&mut self, limit: Duration) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        within("the transport ends", limit, async {
            while let Some(event) = self.events.recv().await {
                all.push(event);
            }
        })
        .await;
        all
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(
    mut stream: SplitStream<Socket>,
    silence: Duration,
    sink: Arc<AsyncMutex<SplitSink<Socket, Message>>>,
    acks: Acks,
    events: mpsc::UnboundedSender<(String, Value)>,
) {
    while let Ok(Some(Ok(message))) = tokio::time::timeout(silence, stream.next()).await {
        let Message::Text(text) = message else { continue };
        match text.as_str() {
            // A connection that ends meanwhile ends the loop as well.
            "2" => sink.lock().await.send("3".into()).await.unwrap_or_default(),
            text if text.starts_with("43") => acknowledge(&acks, &text[2..]),
            text if text.starts_with("42") && !events.is_closed() => {
                let (name, payload): (String, Value) = serde_json::from_str(&text[2..]).unwrap();
                // A test that does not look at events closes the other end.
                let _ = events.send((name, payload));
            }
            _ => {}
        }
    }
    acks.lock().unwrap().clear();
}

fn acknowledge(acks: &Acks, text: &str) {
    let digits = text.find('[').expect("an ack carries an array");
    let id: u64 = text[..digits].parse().expect("an ack has a number");
    let (body,): (Value,) = serde_json::from_str(&text[digits..]).unwrap();
    let asked = acks.lock().unwrap().remove(&id).expect("an ack comes once, for what was asked");
    let _ = asked.send(body);
}
