//! Connections that hold a place and do nothing with it.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::within;

/// What the server allows here, and the longest it may take to act on that.
const ALLOWED: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(5);

async fn server() -> Server {
    Setup::embedded().with("HEADER_TIMEOUT", "1s").with("CONNECT_TIMEOUT", "1s").start().await
}

async fn tcp(server: &Server) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port())).await.unwrap()
}

/// How long until the server closes, and what it said before.
async fn closed(stream: &mut TcpStream, from: Instant) -> (Duration, String) {
    let mut said = Vec::new();
    // A reset is an end as well.
    let _ = within("the server closes", LIMIT, stream.read_to_end(&mut said)).await;
    (from.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_sends_nothing_is_closed() {
    let _turn = turn();
    let server = server().await;
    let (took, _) = closed(&mut tcp(&server).await, Instant::now()).await;
    println!("idle connection closed after {took:?}");
    assert!(took >= ALLOWED, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_comes_byte_by_byte_is_closed() {
    let _turn = turn();
    let server = server().await;
    let (mut reader, mut writer) = tcp(&server).await.into_split();
    let started = Instant::now();
    let trickle = tokio::spawn(async move {
        for byte in "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
            .bytes()
            .chain(std::iter::repeat(b'x'))
        {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut said = Vec::new();
    let _ = within("the server closes", LIMIT, reader.read_to_end(&mut said)).await;
    println!("slow head closed after {:?}", started.elapsed());
    trickle.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_kept_alive_for_nothing_is_closed() {
    let _turn = turn();
    let server = server().await;
    let mut stream = tcp(&server).await;
    let started = Instant::now();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (took, said) = closed(&mut stream, started).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    println!("kept-alive connection closed after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_that_never_connects_is_closed() {
    let _turn = turn();
    let server = server().await;
    let started = Instant::now();
    let mut socket = client::open(server.port(), None).await.unwrap();
    // The engine says goodbye with a packet, and then closes.
    while within("the server closes", LIMIT, client::next_text(&mut socket)).await.is_some() {}
    println!("unused WebSocket closed after {:?}", started.elapsed());
    assert!(started.elapsed() >= ALLOWED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_session_that_never_connects_is_forgotten() {
    let _turn = turn();
    let server = server().await;
    let url = format!("{}/socket.io/?EIO=4&transport=polling", server.rest.base);
    let opened = reqwest::get(&url).await.unwrap().text().await.unwrap();
    let open: serde_json::Value = serde_json::from_str(&opened[1..]).unwrap();
    let poll = format!("{url}&sid={}", open["sid"].as_str().unwrap());
    within("the session is forgotten", LIMIT, async {
        while reqwest::get(&poll).await.unwrap().status() == 200 {}
    })
    .await;
}
