//! A mail server that keeps what it is given.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A mail server of one test.
pub(crate) struct Mailbox {
    /// `SMTP_URL` of it.
    pub(crate) url: String,
    mails: UnboundedReceiver<String>,
}

impl Mailbox {
    /// Starts one.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (came, mails) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, came.clone()));
            }
        });
        Self { url, mails }
    }

    /// The next mail, with its envelope.
    pub(crate) async fn next(&mut self) -> String {
        let next = tokio::time::timeout(Duration::from_secs(10), self.mails.recv()).await;
        next.expect("a mail comes").expect("the mail server runs")
    }

    /// Whether no mail has come.
    pub(crate) fn is_empty(&self) -> bool {
        self.mails.is_empty()
    }
}

/// The token in the link of a mail.
pub(crate) fn reset_token(mail: &str) -> String {
    let (_, rest) = mail.split_once("reset-token=").unwrap_or_else(|| panic!("no link: {mail}"));
    rest.lines().next().unwrap().trim().to_owned()
}

/// RFC 5321, the few commands that a client needs.
async fn take(stream: TcpStream, came: UnboundedSender<String>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut mail = String::new();
    stream.write_all(b"220 test\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
        mail.push_str(&line);
        let answer = if line.starts_with("DATA") {
            stream.write_all(b"354 go on\r\n").await.ok()?;
            while !mail.ends_with("\r\n.\r\n") {
                stream.read_line(&mut mail).await.ok().filter(|bytes| *bytes > 0)?;
            }
            // Quoted-printable (RFC 2045 §6.7), as far as a link needs it.
            let text = std::mem::take(&mut mail).replace("=\r\n", "").replace("=3D", "=");
            came.send(text).ok()?;
            "250 kept\r\n"
        } else if line.starts_with("QUIT") {
            "221 bye\r\n"
        } else {
            "250 fine\r\n"
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
