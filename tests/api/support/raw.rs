//! A client of the raw WebSockets: sends frames, and keeps what comes in order until a test asks
//! for it. It never sleeps.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::rest::PATIENCE;
use super::wire::{BINARY, CLOSE, PING, PONG, TEXT, Wire};
use super::{Person, Server};

/// What came from the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// A text frame, read.
    Frame(Value),
    /// A ping, answered if the client answers pings.
    Ping,
    /// The answer to a ping of the client's.
    Pong,
    /// The socket was closed, with this code; `None` where the connection just ended.
    End(Option<u16>),
}

/// One connected socket. Dropped, its connection is cut.
pub(crate) struct Raw {
    outgoing: UnboundedSender<(u8, Vec<u8>)>,
    incoming: UnboundedReceiver<Heard>,
    waiting: VecDeque<Heard>,
    answers: Arc<AtomicBool>,
    _task: JoinSet<()>,
}

impl Raw {
    /// Opens a socket.
    pub(crate) async fn open(server: &Server, path: &str) -> Self {
        Self::over(Wire::open(server, path).await.unwrap(), true)
    }

    /// The code with which a socket is closed before it gets anything.
    pub(crate) async fn refusal(server: &Server, path: &str) -> Option<u16> {
        let mut socket = Self::open(server, path).await;
        match socket.next().await {
            Heard::End(code) => code,
            other => panic!("{path} let somebody in: {other:?}"),
        }
    }

    /// A client over a connection, which answers pings or not.
    pub(crate) fn over(mut wire: Wire, answers: bool) -> Self {
        let (outgoing, mut to_send) = unbounded_channel::<(u8, Vec<u8>)>();
        let (came, incoming) = unbounded_channel();
        let answers = Arc::new(AtomicBool::new(answers));
        let mut task = JoinSet::new();
        let pongs = answers.clone();
        task.spawn(async move {
            let end = loop {
                let frame = tokio::select! {
                    frame = wire.read() => frame,
                    asked = to_send.recv() => {
                        let Some((opcode, payload)) = asked else { return };
                        let _ = wire.write(opcode, &payload).await;
                        continue;
                    }
                };
                let heard = match frame {
                    None => break None,
                    Some((TEXT, text)) => Heard::Frame(serde_json::from_slice(&text).unwrap()),
                    Some((PONG, _)) => Heard::Pong,
                    Some((PING, payload)) => {
                        if pongs.load(Ordering::SeqCst) {
                            let _ = wire.write(PONG, &payload).await;
                        }
                        Heard::Ping
                    }
                    Some((CLOSE, reason)) => {
                        let _ = wire.write(CLOSE, &reason).await;
                        let code = reason.get(..2).map(|code| code.try_into().unwrap());
                        break Some(code.map_or(1005, u16::from_be_bytes));
                    }
                    Some(other) => panic!("{other:?} came"),
                };
                let _ = came.send(heard);
            };
            let _ = came.send(Heard::End(end));
        });
        Self { outgoing, incoming, waiting: VecDeque::new(), answers, _task: task }
    }

    /// Answers pings from here on, or does not.
    pub(crate) fn answer_pings(&self, answers: bool) {
        self.answers.store(answers, Ordering::SeqCst);
    }

    /// Sends a frame.
    pub(crate) fn send(&self, kind: &str, data: &Value) {
        self.send_text(&json!({ "type": kind, "data": data }).to_string());
    }

    /// Sends a text frame as it is.
    pub(crate) fn send_text(&self, text: &str) {
        self.send_frame(TEXT, text.as_bytes());
    }

    /// Sends a binary frame.
    pub(crate) fn send_binary(&self, bytes: &[u8]) {
        self.send_frame(BINARY, bytes);
    }

    /// Sends any frame.
    pub(crate) fn send_frame(&self, opcode: u8, payload: &[u8]) {
        let _ = self.outgoing.send((opcode, payload.to_vec()));
    }

    /// What comes next, whatever it is.
    pub(crate) async fn next(&mut self) -> Heard {
        self.take("anything", |heard| Some(heard.clone())).await
    }

    /// `data` of the next frame of this type; what comes before it is kept.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        self.expect_where(kind, |_| true).await
    }

    /// `data` of the next frame of this type that satisfies a condition.
    pub(crate) async fn expect_where(&mut self, kind: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.take(kind, |heard| match heard {
            Heard::Frame(frame) if frame["type"] == kind && is(&frame["data"]) => {
                Some(frame["data"].clone())
            }
            _ => None,
        })
        .await
    }

    /// The next frame that has such a field, where frames have no type.
    pub(crate) async fn expect_flat(&mut self, field: &str) -> Value {
        self.take(field, |heard| match heard {
            Heard::Frame(frame) if frame.get(field).is_some() => Some(frame.clone()),
            _ => None,
        })
        .await
    }

    /// Sends what must fail with this code, and gives the error.
    pub(crate) async fn refused(&mut self, kind: &str, data: &Value, code: &str) -> Value {
        self.send(kind, data);
        self.expect_error(code).await
    }

    /// The next error, which must have this code.
    pub(crate) async fn expect_error(&mut self, code: &str) -> Value {
        let error = self.expect("error").await;
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].is_string(), "{error}");
        error
    }

    /// Sends a `ping` and waits for its `pong`: what was sent before now has come then.
    pub(crate) async fn round_trip(&mut self) {
        self.send("ping", &json!({}));
        self.expect("pong").await;
    }

    /// `data` of all frames of this type that the server sent before now.
    pub(crate) async fn all(&mut self, kind: &str) -> Vec<Value> {
        self.round_trip().await;
        let mut found = Vec::new();
        self.waiting.retain(|heard| match heard {
            Heard::Frame(frame) if frame["type"] == kind => {
                found.push(frame["data"].clone());
                false
            }
            _ => true,
        });
        found
    }

    /// Shows that no such frame was sent before now.
    pub(crate) async fn expect_none(&mut self, kind: &str) {
        let found = self.all(kind).await;
        assert!(found.is_empty(), "{kind} came: {found:?}");
    }

    /// The types of all frames that the server sent before now and that were not asked for.
    pub(crate) async fn kinds(&mut self) -> Vec<String> {
        self.round_trip().await;
        let kind = |heard: &Heard| match heard {
            Heard::Frame(frame) => Some(frame["type"].as_str().unwrap_or_default().to_owned()),
            _ => None,
        };
        self.waiting.iter().filter_map(kind).collect()
    }

    /// Waits until the socket is closed, and gives the code.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        self.take("the end", |heard| match heard {
            Heard::End(code) => Some(*code),
            _ => None,
        })
        .await
    }

    /// The next of what comes that satisfies a condition.
    pub(crate) async fn take<T>(&mut self, name: &str, wanted: impl Fn(&Heard) -> Option<T>) -> T {
        let mut seen = 0;
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(heard) = self.waiting.get(seen) {
                if let Some(found) = wanted(heard) {
                    self.waiting.remove(seen);
                    return found;
                }
                seen += 1;
            }
            match timeout_at(deadline, self.incoming.recv()).await {
                Ok(Some(heard)) => self.waiting.push_back(heard),
                _ => panic!("{name} did not come; what came: {:#?}", self.waiting),
            }
        }
    }
}

impl Person {
    /// Where a driver's raw socket is.
    pub(crate) fn driver_path(&self) -> String {
        format!("/api/v1/ws/driver/{}?token={}", self.username, self.token)
    }

    /// Connects a driver's raw socket, and reads its first frame.
    pub(crate) async fn drive(&self) -> Raw {
        let mut socket = Raw::open(&self.server, &self.driver_path()).await;
        socket.expect_connected().await;
        socket
    }

    /// Connects the raw socket of the back office, and reads its first frame.
    pub(crate) async fn watch_fleet(&self) -> Raw {
        let path = format!("/api/v1/ws/admin?token={}", self.token);
        let mut socket = Raw::open(&self.server, &path).await;
        socket.expect_connected().await;
        socket
    }
}

impl Raw {
    /// Reads the first frame, which must be `connected`.
    pub(crate) async fn expect_connected(&mut self) -> Value {
        let first = self.next().await;
        match first {
            Heard::Frame(frame) if frame["type"] == "connected" => frame["data"].clone(),
            other => panic!("the first frame is {other:?}"),
        }
    }
}
