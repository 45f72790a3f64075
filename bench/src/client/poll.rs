//! A Socket.IO client over polling, one request at a time: what is sent goes out with a POST, and a GET fetches what came.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use super::Dialer;
use super::http::{Http, Request};
use super::packet::{Kind, Packet};

/// Where Socket.IO is, over polling.
const PATH: &str = "/socket.io/?EIO=4&transport=polling";
/// Between the packets of one answer.
const SEPARATOR: char = '\u{1e}';

/// A client that has joined its namespace.
pub struct Poller {
    http: Http,
    /// With its session.
    path: String,
    namespace: Arc<str>,
    next_ack: u64,
}

#[derive(Deserialize)]
struct Opened {
    sid: String,
}

impl Poller {
    /// Connects and joins the namespace of the dialer.
    pub async fn connect(dialer: &Dialer, token: &str) -> Result<Self> {
        let mut http = Http::new(dialer.tcp().await?, dialer.host());
        let (status, opened) = http.ask(Request::get(PATH)).await?;
        ensure!(status == 200, "the handshake was answered {status}: {opened}");
        let opened = opened.strip_prefix('0').context("no handshake")?;
        let Opened { sid } = serde_json::from_str(opened).context("decoding the handshake")?;
        let namespace = Arc::clone(dialer.namespace());
        let mut poller = Self { http, path: format!("{PATH}&sid={sid}"), namespace, next_ack: 1 };
        poller.post(&dialer.join(token)).await?;
        poller.await_packet(Kind::Connected, None).await?;
        Ok(poller)
    }

    /// Sends an event and waits for its answer: the body. Other packets are dropped.
    pub async fn ask(&mut self, event: &str, payload: &impl Serialize) -> Result<String> {
        let id = self.next_ack;
        self.next_ack += 1;
        let payload = serde_json::to_string(payload).context("encoding a payload")?;
        self.post(&format!("42{}{id}[\"{event}\",{payload}]", self.namespace)).await?;
        self.await_packet(Kind::Ack, Some(id)).await
    }

    /// Leaves as a client does that is told to.
    pub async fn close(mut self) -> Result<()> {
        let bye = format!("41{}{SEPARATOR}1", self.namespace);
        self.post(&bye).await
    }

    /// Asks for what comes next, and does not wait for it.
    pub async fn begin_poll(&mut self) -> Result<()> {
        self.http.send(Request::get(&self.path), 0).await
    }

    /// Begins to send an event that is never sent to its end.
    pub async fn begin_post(&mut self) -> Result<()> {
        let body = "4".repeat(20_000);
        self.http.send(Request::post(&self.path, "text/plain;charset=UTF-8", &body), 10_000).await
    }

    /// The connection below, for those who do not end it as they should.
    pub fn into_tcp(self) -> TcpStream {
        self.http.into_tcp()
    }

    async fn post(&mut self, packet: &str) -> Result<()> {
        let request = Request::post(&self.path, "text/plain;charset=UTF-8", packet);
        let (status, answer) = self.http.ask(request).await?;
        ensure!(status == 200, "a packet was answered {status}: {answer}");
        Ok(())
    }

    async fn await_packet(&mut self, kind: Kind, id: Option<u64>) -> Result<String> {
        loop {
            let (status, packets) = self.http.ask(Request::get(&self.path)).await?;
            ensure!(status == 200, "a poll was answered {status}: {packets}");
            let mut found = None;
            for text in packets.split(SEPARATOR) {
                let packet = Packet::parse(text, &self.namespace);
                match packet.kind {
                    of if of == kind && packet.id == id => {
                        found = Some(text[packet.body..].to_owned());
                    }
                    Kind::Ping => self.post("3").await?,
                    Kind::Refused => anyhow::bail!("refused: {}", &text[packet.body..]),
                    Kind::Ended => anyhow::bail!("ended by the server"),
                    _ => {}
                }
            }
            if let Some(body) = found {
                return Ok(body);
            }
        }
    }
}
