//! `clientMsgId`: the same send stores one message, however often it comes (CONTRACT §4, §10).

use serde_json::{Value, json};

use crate::chat::send;
use crate::support::{Person, Socket};

fn once(person: &Person, id: &str, content: &str) -> Value {
    json!({ "receiverId": person.id, "content": content, "clientMsgId": id })
}

/// The texts of the two messages that a socket is told of.
async fn told(socket: &mut Socket) -> [Value; 2] {
    let told = socket.exactly(2, "receive_message").await;
    [0, 1].map(|n| told[n]["message"]["content"].clone())
}

on_every_store! {
    async fn a_repeated_client_msg_id_stores_one_message(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut sending, mut receiving) = (alice.connect("/").await, bob.connect("/").await);
        let mut other = alice.connect("/chat").await;
        let mut payload = once(&bob, "id-1", "hello");
        payload["tempId"] = json!("first");
        let first = sending.done("send_message", &payload).await;
        assert_eq!(first["message"]["clientMsgId"], "id-1");
        payload["tempId"] = json!("second");
        let again = sending.done("send_message", &payload).await;
        assert_eq!(again["message"]["_id"], first["message"]["_id"]);
        assert_eq!(again["message"]["seq"], first["message"]["seq"]);
        assert_eq!(again["message"]["createdAt"], first["message"]["createdAt"]);
        assert_eq!(again["tempId"], "second", "each answer echoes its own tempId");
        let confirmed = sending.all("message_sent").await;
        assert_eq!(confirmed.len(), 2, "a repeat is confirmed too");
        assert_eq!(alice.history(&bob, "").await.len(), 1);
        assert_eq!(sending.done("send_message", &once(&bob, "id-2", "next")).await["message"]["seq"], 2);
        for socket in [&mut receiving, &mut other] {
            assert_eq!(told(socket).await, ["hello", "next"]);
        }
    }

    async fn a_repeat_over_a_reconnect_or_a_restart_finds_the_message(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let payload = once(&bob, "id-1", "hello");
        let first = alice.connect("/").await.done("send_message", &payload).await;
        let mut again = alice.connect("/chat").await;
        let second = again.done("send_message", &payload).await;
        assert_eq!(second["message"]["_id"], first["message"]["_id"]);
        let elsewhere = server.log_in("alice").await;
        let third = elsewhere.connect("/").await.done("send_message", &payload).await;
        assert_eq!(third["message"]["_id"], first["message"]["_id"]);
        server.restart().await;
        let fourth = alice.connect("/").await.done("send_message", &payload).await;
        assert_eq!(fourth["message"]["_id"], first["message"]["_id"]);
        assert_eq!(fourth["message"]["seq"], 1);
        assert_eq!(alice.history(&bob, "").await.len(), 1);
    }

    async fn many_repeats_at_once_store_one_message(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut receiving = bob.connect("/").await;
        let sending = (0..6).map(async |_| {
            let mut socket = alice.connect("/").await;
            let payload = once(&bob, "id-1", "hello");
            let asked: Vec<_> = (0..4).map(|_| socket.ask("send_message", &payload)).collect();
            let mut ids = Vec::new();
            for id in asked {
                ids.push(socket.ack(id).await["message"]["_id"].clone());
            }
            ids
        });
        let ids = futures_util::future::join_all(sending).await.concat();
        assert_eq!(ids.len(), 24);
        assert!(ids.iter().all(|id| id == &ids[0] && id.is_string()), "{ids:?}");
        assert_eq!(alice.history(&bob, "").await.len(), 1);
        send(&mut alice.connect("/").await, &bob, "marker").await;
        assert_eq!(told(&mut receiving).await, ["hello", "marker"]);
    }

    async fn other_content_or_another_addressee_is_a_conflict(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut socket, mut receiving) = (alice.connect("/").await, bob.connect("/").await);
        let mut carols = carol.connect("/").await;
        let first = socket.done("send_message", &once(&bob, "id-1", "hello")).await;
        socket.refused("send_message", &once(&bob, "id-1", "other"), "conflict").await;
        socket.refused("send_message", &once(&carol, "id-1", "hello"), "conflict").await;
        let mut kind = once(&bob, "id-1", "hello");
        kind["messageType"] = json!("image");
        socket.refused("send_message", &kind, "conflict").await;
        // What was stored first is still what answers.
        let again = socket.done("send_message", &once(&bob, "id-1", " hello ")).await;
        assert_eq!(again["message"]["_id"], first["message"]["_id"]);
        send(&mut socket, &bob, "marker").await;
        assert_eq!(told(&mut receiving).await, ["hello", "marker"]);
        carols.expect_none("receive_message").await;
        assert!(alice.history(&carol, "").await.is_empty());
    }

    async fn of_two_contents_sent_at_once_under_one_id_one_is_stored(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let sending = (0..6).map(async |number| {
            let mut socket = alice.connect("/").await;
            let payload = once(&bob, "id-1", &format!("content {}", number % 2));
            let ack = socket.emit_ack("send_message", &payload).await;
            ack["error"]["code"].as_str().unwrap_or("ok").to_owned()
        });
        let mut words = futures_util::future::join_all(sending).await;
        words.sort_unstable();
        assert_eq!(words, ["conflict", "conflict", "conflict", "ok", "ok", "ok"]);
        assert_eq!(alice.history(&bob, "").await.len(), 1);
    }

    async fn the_ids_of_two_senders_are_their_own(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let first = alice.connect("/").await.done("send_message", &once(&bob, "id-1", "a")).await;
        let second = bob.connect("/").await.done("send_message", &once(&alice, "id-1", "b")).await;
        assert_ne!(first["message"]["_id"], second["message"]["_id"]);
        assert_eq!(second["message"]["seq"], 2);
    }

    async fn a_client_msg_id_has_1_to_64_characters(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        for id in ["1", &"x".repeat(64), &"é".repeat(64), "a.b$c", "  "] {
            let ack = socket.done("send_message", &once(&bob, id, "text")).await;
            assert_eq!(ack["message"]["clientMsgId"], *id);
        }
        for id in [String::new(), "x".repeat(65)] {
            let payload = once(&bob, &id, "text");
            socket.refused("send_message", &payload, "validation_failed").await;
        }
    }

    async fn a_repeat_after_its_socket_vanished_is_stored_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        for round in 0..5 {
            let id = format!("id-{round}");
            let mut vanishing: Socket = alice.connect("/").await;
            vanishing.ask("send_message", &once(&bob, &id, "hello"));
            drop(vanishing);
            alice.connect("/").await.done("send_message", &once(&bob, &id, "hello")).await;
        }
        let stored = alice.history(&bob, "").await;
        assert_eq!(crate::chat::seqs(&stored), [1, 2, 3, 4, 5]);
    }
}
