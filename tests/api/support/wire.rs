//! WebSocket frames by hand (RFC 6455), so that a test decides what is sent, whether pings are
//! answered, and when anything is read.

use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Server;

/// Opcodes of RFC 6455 §11.8.
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A connection that has become a WebSocket.
pub(crate) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer that is no WebSocket.
#[derive(Debug)]
pub(crate) struct NoSocket {
    /// Its status; 0 where none came.
    pub(crate) status: u16,
    /// Head and body, as far as they came.
    pub(crate) text: String,
}

/// What makes a request one for a WebSocket.
pub(crate) const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

impl Wire {
    /// Opens a WebSocket.
    pub(crate) async fn open(server: &Server, path: &str) -> Result<Self, NoSocket> {
        Self::open_with(server, path, &UPGRADE).await
    }

    /// Sends a request with these headers only.
    pub(crate) async fn open_with(
        server: &Server,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, NoSocket> {
        let failed = |problem: std::io::Error| NoSocket { status: 0, text: problem.to_string() };
        let stream = TcpStream::connect(server.address()).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let mut wire = Self { stream, unread: Vec::new() };
        wire.write_bytes(head(server, path, headers).as_bytes()).await.map_err(failed)?;
        wire.opened().await
    }

    /// Reads the answer to a request for a WebSocket.
    async fn opened(mut self) -> Result<Self, NoSocket> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.fill().await? == 0 {
                return Err(NoSocket { status: 0, text: "the connection ended".to_owned() });
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        if status == 101 {
            self.unread.drain(..end);
            return Ok(self);
        }
        let length = |line: &str| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
        };
        let length = head.lines().find_map(length).unwrap_or(0);
        while self.unread.len() < end + length && self.fill().await? > 0 {}
        Err(NoSocket { status, text: String::from_utf8_lossy(&self.unread).into_owned() })
    }

    async fn fill(&mut self) -> Result<usize, NoSocket> {
        let failed = |problem: std::io::Error| NoSocket { status: 0, text: problem.to_string() };
        self.stream.read_buf(&mut self.unread).await.map_err(failed)
    }

    /// The next frame: opcode and payload; `None` at the end. May be given up and called again.
    pub(crate) async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some(frame) = self.take() {
                return Some(frame);
            }
            if self.stream.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// A frame that has come whole. Servers neither mask nor, here, split.
    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, second) = (*self.unread.first()?, *self.unread.get(1)?);
        assert!(first & 0xF0 == 0x80 && second & 0x80 == 0, "{first:x} {second:x}");
        let (head, length) = match second {
            126 => (4, u16::from_be_bytes(self.unread.get(2..4)?.try_into().unwrap()).into()),
            127 => {
                let length = u64::from_be_bytes(self.unread.get(2..10)?.try_into().unwrap());
                (10, usize::try_from(length).unwrap())
            }
            short => (2, usize::from(short)),
        };
        let payload = self.unread.get(head..head + length)?.to_vec();
        self.unread.drain(..head + length);
        Some((first & 0x0F, payload))
    }

    /// Writes a frame.
    pub(crate) async fn write(&mut self, opcode: u8, payload: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(&frame(0x80 | opcode, payload)).await
    }

    /// Writes bytes as they are.
    pub(crate) async fn write_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Takes few bytes before it reads.
    pub(crate) fn shrink(&self) {
        SockRef::from(&self.stream).set_recv_buffer_size(4096).unwrap();
    }

    /// Ends the connection with a reset, as a phone that loses its network.
    pub(crate) fn cut(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// A frame as a client writes it: masked, with a key that changes nothing.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ ..126 => bytes.push(0x80 | short as u8),
        long @ 126..0x10000 => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
        longer => {
            bytes.push(0x80 | 127);
            bytes.extend((longer as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// A request for a WebSocket whose head is not complete yet.
pub(crate) struct Begun(Wire);

/// Sends most of a request for a WebSocket.
pub(crate) async fn begin(server: &Server, path: &str) -> Begun {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let mut wire = Wire { stream, unread: Vec::new() };
    let head = head(server, path, &UPGRADE);
    wire.write_bytes(head.strip_suffix("\r\n").unwrap().as_bytes()).await.unwrap();
    Begun(wire)
}

impl Begun {
    /// Completes it.
    pub(crate) async fn finish(mut self) -> Result<Wire, NoSocket> {
        let written = self.0.write_bytes(b"\r\n").await;
        written.map_err(|problem| NoSocket { status: 0, text: problem.to_string() })?;
        self.0.opened().await
    }
}

fn head(server: &Server, path: &str, headers: &[(&str, &str)]) -> String {
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", server.address())
}
