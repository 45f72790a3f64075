//! Sizes that the engine and the server bound before anything is read: attachments, and the head
//! of a request.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::chat::send;
use crate::support::{Server, Socket};

/// An event with so many attachments, each of one byte.
fn announce(socket: &Socket, count: usize) {
    let parts: Vec<Value> =
        (0..count).map(|num| json!({ "_placeholder": true, "num": num })).collect();
    socket.raw(format!("45{count}-77{}", json!(["send_message", { "content": parts }])));
    for _ in 0..count {
        let _ = socket.transport().outgoing.send(Message::Binary(Bytes::from_static(b"x")));
    }
}

/// The status of a request whose head has so many bytes; 0 where the connection just ends.
async fn status_of_head(server: &Server, length: usize) -> u16 {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let start = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ";
    let filling = "x".repeat(length - start.len() - 4);
    // It may be refused before it was sent whole.
    let _ = stream.write_all(format!("{start}{filling}\r\n\r\n").as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

on_every_store! {
    async fn more_than_ten_attachments_end_the_transport(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        announce(&socket, 10);
        assert_eq!(socket.ack(77).await["error"]["code"], "validation_failed");
        let mut others = alice.connect("/").await;
        announce(&socket, 11);
        socket.expect_gone().await;
        send(&mut others, &bob, "still here").await;
    }

    async fn a_head_may_have_64_kib_and_not_much_more(server) {
        assert_eq!(status_of_head(server, 60_000).await, 200);
        for length in [140_000, 1_000_000] {
            let status = status_of_head(server, length).await;
            assert!([0, 431].contains(&status), "{length}: {status}");
        }
        assert_eq!(server.get("/health/live").await.status, 200);
    }
}
