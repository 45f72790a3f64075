//! A client for those who hear very much: it looks at each packet where it lies, and does without the allocations and
//! the copy per packet that [`Client`](super::Client) has.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::packet::{Kind, Packet};
use super::{CLOSE_TIMEOUT, RawClient};

/// A client that has joined its namespace.
pub struct LeanClient {
    socket: RawClient,
    namespace: Arc<str>,
    next_ack: u64,
    pong_due: bool,
}

impl LeanClient {
    /// Of a WebSocket at the door of Socket.IO; the handshakes within are still to come.
    pub const fn new(socket: RawClient, namespace: Arc<str>) -> Self {
        Self { socket, namespace, next_ack: 1, pong_due: false }
    }

    /// Sends an event that is to be answered, and tells the id of the answer.
    pub async fn emit_with_ack(&mut self, event: &str, payload: &impl Serialize) -> Result<u64> {
        let id = self.next_ack;
        self.next_ack += 1;
        let payload = serde_json::to_string(payload).context("encoding a payload")?;
        self.write(&format!("42{}{id}[\"{event}\",{payload}]", self.namespace)).await?;
        Ok(id)
    }

    /// Waits for packets and shows each that has come; pings are answered on the way. May be cancelled without loss.
    pub async fn read(&mut self, mut show: impl FnMut(Packet, &str)) -> Result<()> {
        if self.pong_due {
            self.write("3").await?;
            self.pong_due = false;
        }
        let Self { socket, namespace, pong_due, .. } = self;
        socket.read(|text| sort(text, namespace, pong_due, &mut show)).await
    }

    /// Sends an event and waits for its answer: the body, for [`answer`](super::answer). Other packets are dropped.
    pub async fn ask(&mut self, event: &str, payload: &impl Serialize) -> Result<String> {
        let asked = self.emit_with_ack(event, payload).await?;
        let mut answer = None;
        while answer.is_none() {
            self.read(|packet, body| {
                if (packet.kind, packet.id) == (Kind::Ack, Some(asked)) {
                    answer = Some(body.to_owned());
                }
            })
            .await?;
        }
        answer.context("an answer")
    }

    /// Sends the beginning of a frame that never ends.
    pub async fn write_part(&mut self) -> Result<()> {
        self.socket.write_part().await
    }

    /// The connection below, for those who do not end it as they should.
    pub fn into_tcp(self) -> TcpStream {
        self.socket.into_tcp()
    }

    /// Leaves and closes, as far as the server goes along in time.
    pub async fn close(mut self) {
        let bye = format!("41{}", self.namespace);
        let _ = timeout(CLOSE_TIMEOUT, self.write(&bye)).await;
        self.socket.close().await;
    }

    /// Sends a packet.
    pub async fn write(&mut self, packet: &str) -> Result<()> {
        self.socket.write(packet).await
    }
}

/// Shows a packet, unless it is of the transport.
fn sort(
    text: &str,
    namespace: &str,
    pong_due: &mut bool,
    show: &mut impl FnMut(Packet, &str),
) -> Result<()> {
    let packet = Packet::parse(text, namespace);
    match packet.kind {
        Kind::Ping => *pong_due = true,
        Kind::Ended => bail!("the server ended the connection"),
        _ => show(packet, &text[packet.body..]),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of these packets, and whether a pong is due after them.
    fn shown(packets: &[&str]) -> (Result<()>, Vec<(Kind, String)>, bool) {
        let (mut pong_due, mut shown) = (false, Vec::new());
        let mut show = |packet: Packet, body: &str| shown.push((packet.kind, body.to_owned()));
        let sorted =
            packets.iter().try_for_each(|text| sort(text, "/rooms,", &mut pong_due, &mut show));
        (sorted, shown, pong_due)
    }

    #[test]
    fn events_and_answers_are_shown_and_pings_kept_for_the_pong() {
        let packets = ["42/rooms,[\"a\",1]", "2", "43/rooms,7[{}]", "42/rooms,[\"b\"]"];
        let (sorted, shown, pong_due) = shown(&packets);
        let expected = [(Kind::Event, "[\"a\",1]"), (Kind::Ack, "[{}]"), (Kind::Event, "[\"b\"]")];
        assert_eq!(shown, expected.map(|(kind, body)| (kind, body.to_owned())));
        assert!(sorted.is_ok() && pong_due);
    }

    #[test]
    fn the_end_of_the_namespace_is_an_error() {
        assert!(shown(&["41/rooms,"]).0.is_err());
    }
}
