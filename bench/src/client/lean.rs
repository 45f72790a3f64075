//! A client for those who hear very much: it looks at each packet where it lies in a buffer that all share, and does
//! without the allocations and the copy per packet that [`Client`](super::Client) has.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::frame::{self, Purpose};
use super::packet::{Kind, Packet};
use super::{CLOSE_TIMEOUT, WRITE_TIMEOUT};

/// Bytes read at once.
const BUFFER: usize = 64 * 1024;
/// What is kept of the room for a frame in parts, once that frame has been seen.
const SPARE: usize = 4 * 1024;
/// The longest answer to the upgrade.
const LONGEST_HEAD: usize = 16 * 1024;

thread_local! {
    /// Where the clients of a thread read into: one at a time, and never across a wait.
    static SHARED: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into());
}

/// A client that has joined its namespace.
pub struct LeanClient {
    stream: TcpStream,
    namespace: Arc<str>,
    next_ack: u64,
    pending: Pending,
}

/// What reading has left to do.
#[derive(Default)]
struct Pending {
    /// The beginning of a frame whose end has not come yet.
    part: Vec<u8>,
    pong_due: bool,
    websocket_pong: Option<Vec<u8>>,
}

impl LeanClient {
    /// Upgrades a connection to the WebSocket at `path`; the handshakes within are still to come.
    pub async fn upgrade(
        mut stream: TcpStream,
        host: &str,
        path: &str,
        namespace: Arc<str>,
    ) -> Result<Self> {
        // Nobody is to be convinced of anything here: the key may always be the same.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: d2FnZ2xlLXdhZ2dsZS1iYg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.context("asking for the upgrade")?;
        let mut answer = Vec::new();
        let end = loop {
            if let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(answer.len() < LONGEST_HEAD, "the upgrade was answered without an end");
            let read = stream.read_buf(&mut answer).await.context("reading the upgrade")?;
            ensure!(read > 0, "the connection was closed instead of upgraded");
        };
        let status = answer.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let status = String::from_utf8_lossy(status);
        ensure!(status.starts_with("HTTP/1.1 101"), "the upgrade was answered {status}");
        let pending = Pending { part: answer.split_off(end), ..Pending::default() };
        Ok(Self { stream, namespace, next_ack: 1, pending })
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
        if self.pending.pong_due {
            self.write("3").await?;
            self.pending.pong_due = false;
        }
        if let Some(payload) = &self.pending.websocket_pong {
            self.stream.write_all(&frame::encode(Purpose::Other, payload)).await?;
            self.pending.websocket_pong = None;
        }
        let Self { stream, namespace, pending, .. } = self;
        if !pending.part.is_empty() && pending.take(namespace, &mut show)? > 0 {
            return Ok(());
        }
        poll_fn(|context| {
            SHARED.with_borrow_mut(|buffer| {
                let read = ready!(poll_read(stream, context, buffer))?;
                Poll::Ready(pending.see(read, namespace, &mut show))
            })
        })
        .await
    }

    /// Leaves and closes, as far as the server goes along in time.
    pub async fn close(mut self) {
        let bye = format!("41{}", self.namespace);
        let _ = timeout(CLOSE_TIMEOUT, async {
            self.write(&bye).await?;
            let close = frame::encode(Purpose::Close, &1000_u16.to_be_bytes());
            self.stream.write_all(&close).await?;
            while self.read(|_, _| {}).await.is_ok() {}
            Ok::<(), anyhow::Error>(())
        })
        .await;
    }

    /// Sends a packet.
    pub async fn write(&mut self, packet: &str) -> Result<()> {
        let frame = frame::encode(Purpose::Text, packet.as_bytes());
        timeout(WRITE_TIMEOUT, self.stream.write_all(&frame))
            .await
            .map_err(|_| anyhow!("a write was stuck for {WRITE_TIMEOUT:?}"))?
            .context("writing to the server")
    }
}

/// What has come, if anything has.
fn poll_read<'a>(
    stream: &mut TcpStream,
    context: &mut TaskContext<'_>,
    buffer: &'a mut [u8],
) -> Poll<Result<&'a [u8]>> {
    let mut read = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(context, &mut read)).context("reading from the server")?;
    let length = read.filled().len();
    let closed = || anyhow!("the server closed the connection");
    Poll::Ready(if length > 0 { Ok(&buffer[..length]) } else { Err(closed()) })
}

impl Pending {
    /// Shows the packets in what was read just now, and keeps what has no end yet.
    fn see(
        &mut self,
        read: &[u8],
        namespace: &str,
        show: &mut impl FnMut(Packet, &str),
    ) -> Result<()> {
        if self.part.is_empty() {
            let taken = self.show_all(read, namespace, show)?;
            self.part.extend_from_slice(&read[taken..]);
        } else {
            self.part.extend_from_slice(read);
            self.take(namespace, show)?;
        }
        Ok(())
    }

    /// Shows the packets in what was kept, and tells how many bytes they took.
    fn take(&mut self, namespace: &str, show: &mut impl FnMut(Packet, &str)) -> Result<usize> {
        let mut part = std::mem::take(&mut self.part);
        let taken = self.show_all(&part, namespace, show)?;
        part.drain(..taken);
        if part.is_empty() {
            part.shrink_to(SPARE);
        }
        self.part = part;
        Ok(taken)
    }

    fn show_all(
        &mut self,
        bytes: &[u8],
        namespace: &str,
        show: &mut impl FnMut(Packet, &str),
    ) -> Result<usize> {
        let mut taken = 0;
        while let Some((purpose, payload, length)) = frame::next(&bytes[taken..])? {
            taken += length;
            match purpose {
                Purpose::Text => {
                    let text = std::str::from_utf8(payload).context("reading a text")?;
                    self.show(text, namespace, show)?;
                }
                Purpose::Close => bail!("the server closed the connection: {}", reason(payload)),
                Purpose::Ping => self.websocket_pong = Some(payload.to_vec()),
                Purpose::Other => {}
            }
        }
        Ok(taken)
    }

    fn show(
        &mut self,
        text: &str,
        namespace: &str,
        show: &mut impl FnMut(Packet, &str),
    ) -> Result<()> {
        let packet = Packet::parse(text, namespace);
        match packet.kind {
            Kind::Ping => self.pong_due = true,
            Kind::Ended => bail!("the server ended the connection"),
            _ => show(packet, &text[packet.body..]),
        }
        Ok(())
    }
}

fn reason(payload: &[u8]) -> String {
    match payload {
        &[high, low, ref text @ ..] => {
            format!("{} {}", u16::from_be_bytes([high, low]), String::from_utf8_lossy(text))
        }
        _ => "no reason given".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_server(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("a short text");
        assert!(length < 126);
        [&[0x81, length], text.as_bytes()].concat()
    }

    /// What is shown of a stream that is read in pieces of this size.
    fn shown(stream: &[u8], size: usize) -> (Vec<(Kind, String)>, Pending) {
        let (mut pending, mut shown) = (Pending::default(), Vec::new());
        for piece in stream.chunks(size) {
            let mut show = |packet: Packet, body: &str| shown.push((packet.kind, body.to_owned()));
            pending.see(piece, "/rooms,", &mut show).expect("legal");
        }
        (shown, pending)
    }

    #[test]
    fn the_same_packets_come_of_a_stream_however_it_is_cut() {
        let stream = ["42/rooms,[\"a\",1]", "2", "43/rooms,7[{}]", "42/rooms,[\"b\"]"]
            .map(from_server)
            .concat();
        for size in 1..=stream.len() {
            let (shown, pending) = shown(&stream, size);
            let expected =
                [(Kind::Event, "[\"a\",1]"), (Kind::Ack, "[{}]"), (Kind::Event, "[\"b\"]")];
            assert_eq!(shown, expected.map(|(kind, body)| (kind, body.to_owned())), "{size}");
            assert!(pending.pong_due && pending.part.is_empty(), "{size}");
        }
    }

    #[test]
    fn a_ping_of_the_websocket_is_to_be_answered_with_its_own_payload() {
        let (_, pending) = shown(&[0x89, 2, b'h', b'i'], 4);
        assert_eq!(pending.websocket_pong.as_deref(), Some(&b"hi"[..]));
    }

    #[test]
    fn the_end_of_a_connection_is_an_error() {
        for stream in [from_server("41/rooms,"), vec![0x88, 2, 0x0f, 0xa1]] {
            assert!(Pending::default().see(&stream, "/rooms,", &mut |_, _| {}).is_err());
        }
    }
}
