//! One Socket.IO client over a WebSocket, written by hand: as little work per packet as possible, so that the
//! generator does not compete with the server for the processor. And plain WebSockets, without Socket.IO.

mod dial;
mod frame;
mod http;
mod lean;
mod packet;
mod poll;
mod raw;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

pub use dial::Dialer;
pub use frame::{Purpose, encode};
pub use http::{Http, Request};
pub use lean::LeanClient;
pub use packet::{Kind, Packet, event_name};
pub use poll::Poller;
pub use raw::RawClient;

/// How long a client waits for its transport to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a write may take before the connection counts as stuck.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that has joined its namespace.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    namespace: Arc<str>,
    next_ack: u64,
    pong_due: bool,
}

/// What the server sent: an event, or the answer to one.
pub enum Incoming {
    Event(Body),
    Ack(u64, Body),
}

/// The JSON array of an event or an answer, not decoded yet.
pub struct Body {
    frame: Utf8Bytes,
    start: usize,
}

/// The answer to an event: `{ok: true, …}` or `{ok: false, error}`.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    ok: bool,
    error: Option<Failure>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    code: Option<String>,
    message: Option<String>,
}

impl Client {
    /// Sends an event.
    pub async fn emit(&mut self, event: &str, payload: &impl Serialize) -> Result<()> {
        let payload = serde_json::to_string(payload).context("encoding a payload")?;
        self.write(format!("42{}[\"{event}\",{payload}]", self.namespace)).await
    }

    /// Sends an event that is to be answered, and tells the id of the answer.
    pub async fn emit_with_ack(&mut self, event: &str, payload: &impl Serialize) -> Result<u64> {
        let id = self.next_ack;
        self.next_ack += 1;
        let payload = serde_json::to_string(payload).context("encoding a payload")?;
        self.write(format!("42{}{id}[\"{event}\",{payload}]", self.namespace)).await?;
        Ok(id)
    }

    /// The next event or answer; pings are answered on the way. May be cancelled without loss.
    pub async fn next(&mut self) -> Result<Incoming> {
        loop {
            if self.pong_due {
                self.write("3".to_owned()).await?;
                self.pong_due = false;
            }
            let (packet, frame) = self.read().await?;
            let body = Body { frame, start: packet.body };
            match (packet.kind, packet.id) {
                (Kind::Ping, _) => self.pong_due = true,
                (Kind::Event, _) => return Ok(Incoming::Event(body)),
                (Kind::Ack, Some(id)) => return Ok(Incoming::Ack(id, body)),
                (Kind::Ended, _) => bail!("the server ended the connection"),
                _ => {}
            }
        }
    }

    /// The answer with this id; events and other answers before it are dropped.
    pub async fn ack(&mut self, id: u64) -> Result<Body> {
        loop {
            match self.next().await? {
                Incoming::Ack(answered, body) if answered == id => return Ok(body),
                _ => {}
            }
        }
    }

    /// Leaves and closes, as far as the server goes along in time.
    pub async fn close(mut self) {
        let bye = format!("41{}", self.namespace);
        let _ = timeout(CLOSE_TIMEOUT, async {
            self.socket.send(Message::text(bye)).await?;
            self.socket.close(None).await?;
            while self.socket.next().await.is_some_and(|read| read.is_ok()) {}
            Ok::<(), tokio_tungstenite::tungstenite::Error>(())
        })
        .await;
    }

    async fn write(&mut self, frame: String) -> Result<()> {
        timeout(WRITE_TIMEOUT, self.socket.send(Message::text(frame)))
            .await
            .map_err(|_| anyhow!("a write was stuck for {WRITE_TIMEOUT:?}"))?
            .context("writing to the server")
    }

    async fn read(&mut self) -> Result<(Packet, Utf8Bytes)> {
        loop {
            let message = self.socket.next().await.context("the server closed the connection")?;
            match message.context("reading from the server")? {
                Message::Text(frame) => return Ok((Packet::parse(&frame, &self.namespace), frame)),
                Message::Close(reason) => bail!("the server closed the connection: {reason:?}"),
                _ => {}
            }
        }
    }
}

impl Body {
    fn text(&self) -> &str {
        &self.frame[self.start..]
    }

    /// The name, if this is an event.
    pub fn name(&self) -> &str {
        event_name(self.text())
    }

    /// The first argument of an event.
    pub fn payload<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        let (_, payload): (IgnoredAny, T) = serde_json::from_str(self.text())
            .with_context(|| format!("decoding `{}`", self.name()))?;
        Ok(payload)
    }

    /// An answer: done, or the reason why not.
    pub fn outcome(&self) -> Result<(), String> {
        outcome(self.text())
    }
}

/// What the body of an answer says: done, or the reason why not.
fn outcome(body: &str) -> Result<(), String> {
    match serde_json::from_str::<(Answer,)>(body) {
        Ok((Answer { ok: true, .. },)) => Ok(()),
        Ok((Answer { error: Some(Failure { code, message }), .. },)) => {
            Err(format!("{}: {}", code.unwrap_or_default(), message.unwrap_or_default()))
        }
        _ => Err(format!("not an answer: {body}")),
    }
}

/// What the body of an answer holds, or the reason why it is none.
pub fn answer<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, String> {
    outcome(body)?;
    let decoded = serde_json::from_str::<(T,)>(body);
    decoded.map(|(held,)| held).map_err(|error| format!("an answer without its parts ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Held {
        seq: u64,
    }

    #[test]
    fn an_answer_holds_something_or_says_why_not() {
        assert_eq!(answer(r#"[{"ok":true,"seq":3}]"#), Ok(Held { seq: 3 }));
        let refused = r#"[{"ok":false,"seq":3,"error":{"code":"forbidden","message":"no"}}]"#;
        assert_eq!(answer::<Held>(refused), Err("forbidden: no".to_owned()));
        assert!(answer::<Held>(r#"[{"ok":true}]"#).is_err(), "a part is absent");
        assert!(answer::<Held>("[]").is_err());
    }
}
