//! A client that reads too slowly is cut, comes back and resumes (CONTRACT §3).

use std::collections::BTreeSet;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::chat::{send, seqs, to};
use crate::support::Person;
use crate::support::transport::{WebSocket, websocket};
use crate::sync::missed;

/// Connects, and does not read from then on.
async fn deaf(person: &Person) -> WebSocket {
    let mut socket = websocket(&person.server, "", &[]).await.unwrap();
    let connect = format!("40{}", json!({ "token": person.token }));
    socket.send(Message::text(connect)).await.unwrap();
    loop {
        let frame = socket.next().await.unwrap().unwrap();
        if frame.to_text().unwrap().starts_with("40") {
            return socket;
        }
    }
}

on_every_store! {
    #[set(SEND_BUFFER_PACKETS = "64", WRITE_STALL = "1s", PRESENCE_GRACE = "100ms")]
    async fn a_client_that_stops_reading_is_cut_and_misses_nothing(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut sending = alice.connect("/").await;
        let deaf = deaf(&bob).await;
        sending.expect_where("user_status", |status| status["userId"] == bob.id).await;
        let content = "x".repeat(5000);
        let mut sent = 0;
        // More than the buffers of both kernels and of the server hold.
        let gone = loop {
            assert!(sent < 3000, "bob is still there");
            sending.send_all(&vec![to(&bob, &content); 100]).await;
            sent += 100;
            let changes = sending.all("user_status").await;
            if changes.iter().any(|told| told["userId"] == bob.id && told["isOnline"] == false) {
                break sent;
            }
        };
        assert_eq!(bob.get("/api/auth/me").await.data(200)["user"]["isOnline"], false);
        drop(deaf);
        let mut again = bob.connect_and_sync("/", json!({ "conversations": {} })).await;
        let mut answer = again.expect("sync").await;
        let mut seen = BTreeSet::new();
        loop {
            let messages = missed(&answer);
            seen.extend(seqs(&messages));
            if answer["more"] == false {
                break;
            }
            let last = messages.last().unwrap();
            let named = json!({ last["conversationId"].as_str().unwrap(): last["seq"] });
            answer = again.done("sync", &json!({ "conversations": named })).await;
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), (1..=gone).collect::<Vec<_>>());
    }

    // Time to connect before the end, and for alice to answer.
    #[set(PING_INTERVAL = "300ms", PING_TIMEOUT = "3s", PRESENCE_GRACE = "100ms")]
    async fn a_client_that_answers_no_ping_is_gone(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = alice.connect("/").await;
        let _deaf = deaf(&bob).await;
        for online in [true, false] {
            let told = watching.expect_where("user_status", |told| told["userId"] == bob.id).await;
            assert_eq!(told["isOnline"], online);
        }
        // Who answers stays.
        send(&mut watching, &bob, "still here").await;
    }

    #[set(CONNECT_TIMEOUT = "300ms")]
    async fn a_transport_that_joins_nothing_is_ended(server) {
        let mut idle = websocket(server, "", &[]).await.unwrap();
        let ended = async { while let Some(Ok(_)) = idle.next().await {} };
        tokio::time::timeout(crate::support::rest::PATIENCE, ended).await.unwrap();
    }

    #[set(CONNECT_TIMEOUT = "2s")]
    async fn a_transport_whose_client_is_refused_or_leaves_is_ended(server) {
        let mut refused = websocket(server, "", &[]).await.unwrap();
        refused.send(Message::text(r#"40{"token":"bad"}"#)).await.unwrap();
        let mut left = deaf(&server.register("alice").await).await;
        left.send(Message::text("41")).await.unwrap();
        for mut bare in [refused, left] {
            let ended = async { while let Some(Ok(_)) = bare.next().await {} };
            tokio::time::timeout(crate::support::rest::PATIENCE, ended).await.unwrap();
        }
    }

    #[set(HEADER_TIMEOUT = "300ms")]
    async fn a_request_whose_head_does_not_come_is_ended(server) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        tokio::time::timeout(crate::support::rest::PATIENCE, read).await.unwrap().unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
}
