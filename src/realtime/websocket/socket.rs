//! One WebSocket: frames in and out within limits, and an end whose code arrives.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::MAX_FRAME;

/// How long a client may take to end its side of the connection.
const GOODBYE: Duration = Duration::from_secs(3);

/// How much of that it may take to answer a close with its own.
const ANSWER: Duration = Duration::from_secs(2);

/// After how long without a byte a client counts as one that has stopped sending.
const SILENCE: Duration = Duration::from_millis(250);

/// How a socket is closed: a code of RFC 6455 §7.4 or of CONTRACT §8, and a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    code: u16,
    reason: &'static str,
}

impl Close {
    /// The client closed it.
    pub const NORMAL: Self = Self { code: 1000, reason: "" };
    /// The server stops.
    pub const GOING_AWAY: Self = Self { code: 1001, reason: "The server is stopping" };
    /// What came is no WebSocket.
    pub const PROTOCOL: Self = Self { code: 1002, reason: "Protocol error" };
    /// Text that is not UTF-8.
    pub const INVALID_TEXT: Self = Self { code: 1007, reason: "Text must be UTF-8" };
    /// A frame over [`MAX_FRAME`].
    pub const TOO_LARGE: Self = Self { code: 1009, reason: "The frame is too large" };
    /// An admin ended it.
    pub const DISCONNECTED: Self = Self { code: 1008, reason: "Disconnected by an admin" };
    /// The server cannot say now who this is.
    pub const TRY_AGAIN_LATER: Self = Self { code: 1013, reason: "Try again later" };
    /// No token that holds here, or none any more.
    pub const UNAUTHENTICATED: Self = Self { code: 4001, reason: "Authentication failed" };
    /// The same driver has connected anew.
    pub const REPLACED: Self = Self { code: 4003, reason: "Duplicate connection" };
    /// No frame from the client for too long.
    pub const IDLE: Self = Self { code: 4008, reason: "Idle for too long" };
    /// The connection is gone, or is to be cut: there is nobody to say a code to.
    pub const LOST: Self = Self { code: 0, reason: "" };
}

/// What came from the client.
pub(super) enum Heard {
    Text(Utf8Bytes),
    Binary,
    /// The client asks whether we live; the answer goes out by itself.
    Ping,
    /// An answer to a ping, with what that carried.
    Pong(Vec<u8>),
    /// No more comes.
    End(Close),
}

pub(super) struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl Socket {
    pub(super) async fn new(io: TokioIo<Upgraded>) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME))
            // Small, as thousands of sockets are idle.
            .read_buffer_size(1024)
            .write_buffer_size(4096);
        Self(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await)
    }

    /// Waits for the next frame. May be given up and called again.
    pub(super) async fn hear(&mut self) -> Heard {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Heard::Text(text),
            Some(Ok(Message::Binary(_))) => Heard::Binary,
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => Heard::Ping,
            Some(Ok(Message::Pong(payload))) => Heard::Pong(payload.to_vec()),
            Some(Ok(Message::Close(_))) => Heard::End(Close::NORMAL),
            Some(Err(problem)) => Heard::End(end_of(&problem)),
            None => Heard::End(Close::LOST),
        }
    }

    /// Writes frames; what is written together goes out together.
    pub(super) async fn write(
        &mut self,
        frames: impl IntoIterator<Item = Message>,
    ) -> Result<(), Close> {
        for frame in frames {
            self.0.feed(frame).await.map_err(|_| Close::LOST)?;
        }
        self.0.flush().await.map_err(|_| Close::LOST)
    }

    /// Writes one frame.
    pub(super) async fn tell(&mut self, frame: Utf8Bytes) -> Result<(), Close> {
        self.write([Message::Text(frame)]).await
    }

    /// Closes the socket so that the code arrives, whatever the client is sending: the code is
    /// written, the client's own close awaited, then our side of the connection is shut, and what
    /// the client still sends is read until it shuts its own (RFC 6455 §7.1.1). Who drops a
    /// connection with something unread in it resets it, and the code is lost with that (FACTS
    /// §0.10). nginx does so to a client that still sends when our side is shut.
    pub(super) async fn finish(mut self, close: Close) {
        if close == Close::LOST {
            return;
        }
        let goodbye = async {
            let frame =
                CloseFrame { code: CloseCode::from(close.code), reason: close.reason.into() };
            // A close of the client's was answered as it was read; that only needs to go out.
            let closed = match close {
                Close::NORMAL => self.0.flush().await,
                _ => self.0.close(Some(frame)).await,
            };
            if !matches!(closed, Ok(()) | Err(WsError::ConnectionClosed)) {
                return Ok(());
            }
            if close != Close::NORMAL {
                let _ = timeout(ANSWER, self.answered()).await;
            }
            let io = self.0.get_mut();
            io.shutdown().await?;
            let mut unread = [0; 2048];
            while io.read(&mut unread).await? > 0 {}
            Ok::<_, io::Error>(())
        };
        if let Ok(Err(problem)) = timeout(GOODBYE, goodbye).await {
            tracing::debug!(%problem, "a socket ended before it was closed");
        }
    }

    /// Waits until the client has answered our close, after which it sends nothing more. Where an
    /// answer could not be told from the rest, because what came was no WebSocket, until it is silent.
    async fn answered(&mut self) {
        while let Some(Ok(frame)) = self.0.next().await {
            if frame.is_close() {
                return;
            }
        }
        let mut unread = [0; 2048];
        let io = self.0.get_mut();
        while matches!(timeout(SILENCE, io.read(&mut unread)).await, Ok(Ok(1..))) {}
    }
}

fn end_of(problem: &WsError) -> Close {
    match problem {
        WsError::Capacity(CapacityError::MessageTooLong { .. }) => Close::TOO_LARGE,
        WsError::Utf8(_) => Close::INVALID_TEXT,
        WsError::Protocol(problem) if problem.to_string().contains("without closing") => {
            Close::LOST
        }
        WsError::Protocol(_) | WsError::Capacity(_) => Close::PROTOCOL,
        _ => Close::LOST,
    }
}
