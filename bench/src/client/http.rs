//! HTTP/1.1 by hand, one request at a time: for those who must not pay for a client of their own, and for those who end
//! in the middle of a request.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::WRITE_TIMEOUT;

/// The longest answer.
const LONGEST: usize = 4 * 1024 * 1024;
/// How long an answer may take; a poll of Engine.IO waits for something to say.
const ANSWER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// A connection that is asked one thing after the other.
pub struct Http {
    stream: TcpStream,
    host: String,
    /// What was read past the last answer.
    read: Vec<u8>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: Option<&'a str>,
    /// Its type, and itself.
    pub body: Option<(&'a str, &'a str)>,
}

impl<'a> Request<'a> {
    /// Asks for a path.
    pub const fn get(path: &'a str) -> Self {
        Self { method: "GET", path, token: None, body: None }
    }

    /// Sends text or JSON to a path.
    pub const fn post(path: &'a str, kind: &'a str, body: &'a str) -> Self {
        Self { method: "POST", path, token: None, body: Some((kind, body)) }
    }

    /// The same with a token.
    pub const fn bearer(self, token: &'a str) -> Self {
        Self { token: Some(token), ..self }
    }
}

impl Http {
    /// Asks over this connection.
    pub fn new(stream: TcpStream, host: &str) -> Self {
        Self { stream, host: host.to_owned(), read: Vec::new() }
    }

    /// Asks, and waits for status and body.
    pub async fn ask(&mut self, request: Request<'_>) -> Result<(u16, String)> {
        self.send(request, 0).await?;
        timeout(ANSWER_TIMEOUT, self.answer()).await.context("waiting for an answer")?
    }

    /// Sends a request but for the last bytes of its body.
    pub async fn send(&mut self, request: Request<'_>, withheld: usize) -> Result<()> {
        let Request { method, path, token, body } = request;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if let Some(token) = token {
            write!(text, "Authorization: Bearer {token}\r\n")?;
        }
        if let Some((kind, body)) = body {
            write!(text, "Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len())?;
        }
        text += "\r\n";
        text += body.map_or("", |(_, body)| &body[..body.len().saturating_sub(withheld)]);
        let sent = timeout(WRITE_TIMEOUT, self.stream.write_all(text.as_bytes())).await;
        sent.context("a write was stuck")?.context("writing to the server")
    }

    /// The connection below, for those who do not end it as they should.
    pub fn into_tcp(self) -> TcpStream {
        self.stream
    }

    async fn answer(&mut self) -> Result<(u16, String)> {
        loop {
            if let Some(head) = memchr::memmem::find(&self.read, b"\r\n\r\n") {
                let (status, length) = parse_head(&self.read[..head])?;
                let end = head + 4 + length;
                if self.read.len() >= end {
                    let body = String::from_utf8_lossy(&self.read[head + 4..end]).into_owned();
                    self.read.drain(..end);
                    return Ok((status, body));
                }
            }
            ensure!(self.read.len() < LONGEST, "an answer without an end");
            let read = self.stream.read_buf(&mut self.read).await.context("reading an answer")?;
            ensure!(read > 0, "the connection was closed instead of answered");
        }
    }
}

/// Status and length of the body.
fn parse_head(head: &[u8]) -> Result<(u16, usize)> {
    let head = std::str::from_utf8(head).context("the head of an answer")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let status = status.with_context(|| format!("no status in {head}"))?;
    Ok((status, length.with_context(|| format!("no length in {head}"))?))
}

#[cfg(test)]
mod tests {
    use super::parse_head;

    #[test]
    fn a_head_has_a_status_and_a_length() {
        let head = b"HTTP/1.1 401 Unauthorized\r\ncontent-type: a: b\r\nContent-Length: 12";
        assert_eq!(parse_head(head).expect("both are there"), (401, 12));
        assert!(parse_head(b"HTTP/1.1 200 OK").is_err(), "no length");
        assert!(parse_head(b"nonsense\r\ncontent-length: 1").is_err());
    }
}
