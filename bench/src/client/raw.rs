//! A WebSocket and nothing above it, for clients by the thousand: frames are looked at where they lie in a buffer that
//! all share, so that an idle client has next to no memory and a busy one copies nothing.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::frame::{self, Purpose};
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

/// A connected WebSocket.
pub struct RawClient {
    stream: TcpStream,
    pending: Pending,
}

/// What reading has left to do.
#[derive(Default)]
struct Pending {
    /// The beginning of a frame whose end has not come yet.
    part: Vec<u8>,
    pong: Option<Vec<u8>>,
}

impl RawClient {
    /// Upgrades a connection to the WebSocket at `path`.
    pub async fn upgrade(mut stream: TcpStream, host: &str, path: &str) -> Result<Self> {
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
        Ok(Self { stream, pending: Pending { part: answer.split_off(end), pong: None } })
    }

    /// Waits for text frames and shows each that has come; pings are answered on the way. May be cancelled without
    /// loss.
    pub async fn read(&mut self, mut show: impl FnMut(&str) -> Result<()>) -> Result<()> {
        if let Some(payload) = &self.pending.pong {
            self.stream.write_all(&frame::encode(Purpose::Other, payload)).await?;
            self.pending.pong = None;
        }
        let Self { stream, pending } = self;
        if !pending.part.is_empty() && pending.take(&mut show)? > 0 {
            return Ok(());
        }
        poll_fn(|context| {
            SHARED.with_borrow_mut(|buffer| {
                let read = ready!(poll_read(stream, context, buffer))?;
                Poll::Ready(pending.see(read, &mut show))
            })
        })
        .await
    }

    /// Reads as [`RawClient::read`] does, and meanwhile writes `out`, which loses what has gone: so that one who sends
    /// more than the server takes still hears it.
    pub async fn exchange(
        &mut self,
        out: &mut Vec<u8>,
        mut show: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        if let Some(payload) = self.pending.pong.take() {
            out.extend(frame::encode(Purpose::Other, &payload));
        }
        let Self { stream, pending } = self;
        poll_fn(|context| {
            if !out.is_empty()
                && let Poll::Ready(wrote) = Pin::new(&mut *stream).poll_write(context, out)
            {
                return Poll::Ready(
                    wrote.map(|wrote| drop(out.drain(..wrote))).map_err(Into::into),
                );
            }
            SHARED.with_borrow_mut(|buffer| {
                let read = ready!(poll_read(stream, context, buffer))?;
                Poll::Ready(pending.see(read, &mut show))
            })
        })
        .await
    }

    /// Sends the beginning of a frame that never ends.
    pub async fn write_part(&mut self) -> Result<()> {
        let whole = frame::encode(Purpose::Text, &[b'4'; 20_000]);
        self.write_frames(&whole[..10_000]).await
    }

    /// The connection below, for those who do not end it as they should.
    pub fn into_tcp(self) -> TcpStream {
        self.stream
    }

    /// Sends a text frame.
    pub async fn write(&mut self, text: &str) -> Result<()> {
        self.write_frames(&frame::encode(Purpose::Text, text.as_bytes())).await
    }

    /// Sends frames that are encoded already, all at once.
    pub async fn write_frames(&mut self, frames: &[u8]) -> Result<()> {
        timeout(WRITE_TIMEOUT, self.stream.write_all(frames))
            .await
            .map_err(|_| anyhow!("a write was stuck for {WRITE_TIMEOUT:?}"))?
            .context("writing to the server")
    }

    /// Closes, as far as the server goes along in time.
    pub async fn close(mut self) {
        let _ = timeout(CLOSE_TIMEOUT, async {
            let close = frame::encode(Purpose::Close, &1000_u16.to_be_bytes());
            self.stream.write_all(&close).await?;
            while self.read(|_| Ok(())).await.is_ok() {}
            Ok::<(), anyhow::Error>(())
        })
        .await;
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
    /// Shows the texts in what was read just now, and keeps what has no end yet.
    fn see(&mut self, read: &[u8], show: &mut impl FnMut(&str) -> Result<()>) -> Result<()> {
        if self.part.is_empty() {
            let taken = self.show_all(read, show)?;
            self.part.extend_from_slice(&read[taken..]);
        } else {
            self.part.extend_from_slice(read);
            self.take(show)?;
        }
        Ok(())
    }

    /// Shows the texts in what was kept, and tells how many bytes they took.
    fn take(&mut self, show: &mut impl FnMut(&str) -> Result<()>) -> Result<usize> {
        let mut part = std::mem::take(&mut self.part);
        let taken = self.show_all(&part, show)?;
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
        show: &mut impl FnMut(&str) -> Result<()>,
    ) -> Result<usize> {
        let mut taken = 0;
        while let Some((purpose, payload, length)) = frame::next(&bytes[taken..])? {
            taken += length;
            match purpose {
                Purpose::Text => show(std::str::from_utf8(payload).context("reading a text")?)?,
                Purpose::Close => bail!("the server closed the connection: {}", reason(payload)),
                Purpose::Ping => self.pong = Some(payload.to_vec()),
                Purpose::Other => {}
            }
        }
        Ok(taken)
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
    fn shown(stream: &[u8], size: usize) -> (Vec<String>, Pending) {
        let (mut pending, mut shown) = (Pending::default(), Vec::new());
        for piece in stream.chunks(size) {
            let mut show = |text: &str| {
                shown.push(text.to_owned());
                Ok(())
            };
            pending.see(piece, &mut show).expect("legal");
        }
        (shown, pending)
    }

    #[test]
    fn the_same_texts_come_of_a_stream_however_it_is_cut() {
        let texts = [r#"{"type":"pong"}"#, "2", "", r#"{"type":"order_assigned","data":{}}"#];
        let stream = texts.map(from_server).concat();
        for size in 1..=stream.len() {
            let (shown, pending) = shown(&stream, size);
            assert_eq!(shown, texts, "{size}");
            assert!(pending.part.is_empty(), "{size}");
        }
    }

    #[test]
    fn a_ping_is_to_be_answered_with_its_own_payload() {
        let (_, pending) = shown(&[0x89, 2, b'h', b'i'], 4);
        assert_eq!(pending.pong.as_deref(), Some(&b"hi"[..]));
    }

    #[test]
    fn the_end_of_a_connection_is_an_error_that_says_why() {
        let end = [&[0x88, 7, 0x0f, 0xa3][..], b"newer"].concat();
        let error = Pending::default().see(&end, &mut |_| Ok(())).expect_err("it is closed");
        assert!(error.to_string().ends_with("4003 newer"), "{error}");
    }

    #[test]
    fn who_looks_may_end_it() {
        let stream = from_server("a");
        assert!(Pending::default().see(&stream, &mut |_| bail!("seen enough")).is_err());
    }
}
