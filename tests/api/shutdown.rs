//! A graceful stop: clients are told, what was accepted is finished (CONTRACT §9).

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chat::{seqs, to};
use crate::support::{Server, Socket};

/// A request whose head is not complete yet, on a connection for it alone.
async fn begin(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Completes it and reads the answer.
async fn finish(mut stream: TcpStream) -> String {
    stream.write_all(b"\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

on_every_store! {
    async fn every_client_is_told_and_then_disconnected(server) {
        let alice = server.register("alice").await;
        let polling = Socket::polling(server, "/", &json!({ "token": alice.token })).await;
        let mut sockets =
            [alice.connect("/").await, alice.connect("/chat").await, alice.connect("/presence").await, polling];
        server.stop().await;
        for socket in &mut sockets {
            let told = socket.expect("server_shutdown").await;
            assert_eq!(told["reason"], "shutdown");
            socket.expect_gone().await;
            // Told so, a JS client would not come back by itself.
            assert!(!socket.has(|packet| match packet {
                crate::support::transport::Packet::Disconnected { .. } => Some(()),
                _ => None,
            }));
        }
        assert!(TcpStream::connect(server.address()).await.is_err(), "nobody listens");
    }

    async fn a_server_that_stops_is_not_ready_and_takes_no_new_sockets(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        let ready = begin(server, "/health/ready").await;
        let health = begin(server, "/health").await;
        let live = begin(server, "/health/live").await;
        let polling = begin(server, "/socket.io/?EIO=4&transport=polling").await;
        // A request behind them on the same listener shows that they were accepted.
        finish(begin(server, "/health").await).await;
        let stopping = server.stop();
        let looking = async {
            socket.expect("server_shutdown").await;
            // At once: those that have begun are given half a second.
            let (ready, health, live, polling) =
                tokio::join!(finish(ready), finish(health), finish(live), finish(polling));
            for answer in [ready, health] {
                assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("draining"), "{answer}");
            }
            assert!(live.starts_with("HTTP/1.1 200"), "{live}");
            assert!(polling.starts_with("HTTP/1.1 503"), "{polling}");
        };
        tokio::join!(stopping, looking);
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_REFUSED_EVENTS = "1/1m", RATE_LIMIT_REFUSED_REQUESTS = "1/1m")]
    async fn what_waits_behind_a_refusal_is_finished_too(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let ask = async || server.get("/api/auth/me").await.refused(401, "unauthenticated");
        ask().await;
        for _ in 0..2 {
            socket.refused("no_such_event", &json!({}), "not_found").await;
        }
        let asked = socket.ask("send_message", &to(&bob, "hello"));
        let stop = async {
            // Until both are there, as a rule: else they are answered at once, which is no less right.
            tokio::time::sleep(Duration::from_millis(200)).await;
            server.stop().await;
        };
        tokio::join!(ask(), stop);
        let ack = socket.ack(asked).await;
        server.start_with(&[]).await;
        assert_eq!(bob.history(&alice, "").await.len(), usize::from(ack["ok"] == true), "{ack}");
    }

    async fn what_was_accepted_is_finished_acked_and_kept(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let first = socket.ask("send_message", &to(&bob, "0"));
        let asked: Vec<_> = (1..200)
            .map(|number| socket.ask("send_message", &to(&bob, &number.to_string())))
            .collect();
        socket.ack(first).await;
        server.stop().await;
        let mut acked = vec![1];
        for id in asked {
            let ack = socket.ack(id).await;
            match ack["ok"].as_bool().unwrap() {
                true => acked.push(ack["message"]["seq"].as_i64().unwrap()),
                false => assert_eq!(ack["error"]["code"], "unavailable", "{ack}"),
            }
        }
        server.start_with(&[]).await;
        assert_eq!(seqs(&alice.history(&bob, "?limit=200").await), acked);
    }

    async fn a_stopped_server_starts_again_on_its_data(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        for round in 1..=3 {
            let sent = crate::chat::send(&mut alice.connect("/").await, &bob, "again").await;
            assert_eq!(sent["seq"], round);
            server.restart().await;
        }
        assert_eq!(alice.history(&bob, "").await.len(), 3);
    }
}
