//! The IO wrapper of every connection: it can be cut from anywhere, and it cuts itself when the
//! peer takes no byte for too long. The engine notices neither by itself (FACTS §0.3).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::slots::Place;

type Cut = Pin<Box<WaitForCancellationFutureOwned>>;

/// Whether bytes are taken from a peer just now.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pauses: AtomicUsize,
    reader: AtomicWaker,
}

/// While there is one of a connection, no more bytes are taken from its peer, which notices when the
/// network's buffers are full.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub struct Pause(Arc<Reading>);

impl Drop for Pause {
    fn drop(&mut self) {
        if self.0.pauses.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.reader.wake();
        }
    }
}

impl Reading {
    pub(super) fn pause(self: &Arc<Self>) -> Pause {
        self.pauses.fetch_add(1, Ordering::SeqCst);
        Pause(self.clone())
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pauses.load(Ordering::SeqCst) > 0
    }

    /// Whether the reader must wait; it is woken when it need not any more.
    fn must_wait(&self, cx: &mut Context<'_>) -> bool {
        if !self.is_paused() {
            return false;
        }
        self.reader.register(cx.waker());
        // The last pause may have ended in between.
        self.is_paused()
    }
}

/// A TCP connection that obeys its kill switch.
pub(super) struct Guarded {
    io: TcpStream,
    kill: CancellationToken,
    reading: Arc<Reading>,
    stall: Duration,
    /// Watched by whoever reads.
    read_cut: Cut,
    /// Watched by whoever waits to write: another task, once the connection is split.
    write_cut: Option<(Cut, Pin<Box<Sleep>>)>,
    /// Held for the connection's whole life, upgrades included.
    _place: Place,
}

impl Guarded {
    pub(super) fn new(
        io: TcpStream,
        kill: CancellationToken,
        reading: Arc<Reading>,
        stall: Duration,
        place: Place,
    ) -> Self {
        let read_cut = Box::pin(kill.clone().cancelled_owned());
        Self { io, kill, reading, stall, read_cut, write_cut: None, _place: place }
    }

    /// Passes on what a write gave; one that must wait is bounded in time.
    fn watch<T>(
        &mut self,
        wrote: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.write_cut = None;
            return wrote;
        }
        let (cut, deadline) = self.write_cut.get_or_insert_with(|| {
            (
                Box::pin(self.kill.clone().cancelled_owned()),
                Box::pin(tokio::time::sleep(self.stall)),
            )
        });
        if cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(was_cut()));
        }
        if deadline.as_mut().poll(cx).is_ready() {
            metrics::counter!("waggle_stalled_connections_total").increment(1);
            self.kill.cancel();
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the peer takes nothing",
            )));
        }
        Poll::Pending
    }
}

fn was_cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was cut")
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(was_cut()));
        }
        if self.reading.must_wait(cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.kill.is_cancelled() {
            return Poll::Ready(Err(was_cut()));
        }
        let wrote = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.watch(wrote, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.kill.is_cancelled() {
            return Poll::Ready(Err(was_cut()));
        }
        let wrote = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.watch(wrote, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_read_again_when_every_pause_has_ended() {
        let reading = Arc::new(Reading::default());
        let (one, other) = (reading.pause(), reading.pause());
        drop(one);
        assert!(reading.is_paused());
        drop(other);
        assert!(!reading.is_paused());
    }
}
