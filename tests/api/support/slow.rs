//! A request whose body comes slowly, over a connection of its own.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Person;
use super::rest::PATIENCE;

/// A request of which the server has the head, and nothing of the body.
pub(crate) struct Slow {
    stream: TcpStream,
    body: String,
}

impl Person {
    /// Begins a request. The server has let it in when this is done: it asks for the body
    /// (RFC 9110 §10.1.1), which it does when its handler begins to read it.
    pub(crate) async fn begin(&self, method: &str, path: &str, body: &Value) -> Slow {
        let body = body.to_string();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\
             Expect: 100-continue\r\nConnection: close\r\n\r\n",
            self.token,
            body.len()
        );
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let asked = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut answer = vec![0; asked.len()];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer, asked, "{path}");
        Slow { stream, body }
    }
}

impl Slow {
    /// Sends the next bytes of the body.
    pub(crate) async fn send(&mut self, count: usize) {
        let rest = self.body.split_off(count);
        let next = std::mem::replace(&mut self.body, rest);
        self.stream.write_all(next.as_bytes()).await.unwrap();
    }

    /// Sends the rest of the body; the status of the answer.
    pub(crate) async fn finish(mut self) -> u16 {
        self.send(self.body.len()).await;
        let mut answer = String::new();
        timeout(PATIENCE, self.stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}
