//! `auth.sync`: what was missed comes first when a socket connects (CONTRACT §4).

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::chat::{send, seqs, to};
use crate::history::send_many;
use crate::support::Socket;
use crate::support::transport::Packet;
use crate::sync::{flood, missed};

/// The next of the events that carry messages.
async fn next_messages(socket: &mut Socket) -> (String, Value) {
    socket
        .take("sync or receive_message", |packet| match packet {
            Packet::Event { name, payload, .. } if name == "sync" || name == "receive_message" => {
                Some((name.clone(), payload.clone()))
            }
            _ => None,
        })
        .await
}

on_every_store! {
    async fn one_event_answers_with_what_was_missed(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let sent = send_many(&mut alice.connect("/").await, &bob, 3).await;
        let id = sent[0]["conversationId"].as_str().unwrap();
        for (asked, expected) in [
            (json!(true), vec![1, 2, 3]),
            (json!({}), vec![1, 2, 3]),
            (json!({ "conversations": { id: 2 } }), vec![3]),
            (json!({ "conversations": { id: 3 } }), vec![]),
            (json!({ "since": "2999-01-01T00:00:00Z" }), vec![]),
        ] {
            for namespace in ["/", "/chat"] {
                let mut socket = bob.connect_and_sync(namespace, asked.clone()).await;
                let came = socket.all("sync").await;
                assert_eq!(came.len(), 1, "{asked}");
                assert_eq!(came[0]["more"], false);
                assert_eq!(seqs(&missed(&came[0])), expected, "{asked}");
            }
        }
    }

    async fn nothing_comes_where_nothing_was_asked(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        send(&mut alice.connect("/").await, &bob, "hello").await;
        for asked in [json!(null), json!(false)] {
            bob.connect_and_sync("/", asked).await.expect_none("sync").await;
        }
        bob.connect("/chat").await.expect_none("sync").await;
        bob.connect_and_sync("/presence", json!(true)).await.expect_none("sync").await;
    }

    async fn what_is_asked_wrongly_is_told_and_the_socket_lives(server) {
        let alice = server.register("alice").await;
        for wrong in [json!({ "since": "yesterday" }), json!(7), json!({ "conversations": 1 })] {
            let mut socket = alice.connect_and_sync("/", wrong.clone()).await;
            let error = socket.expect("error").await;
            assert_eq!(error["code"], "validation_failed", "{wrong}");
            assert!(error["details"][0]["field"].is_string(), "{wrong}: {error}");
            assert_eq!(error["errors"], error["details"], "{wrong}");
            socket.round_trip().await;
            socket.expect_none("sync").await;
        }
    }

    async fn what_is_more_than_500_says_so(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        flood(&alice, &bob, 520).await;
        let mut socket = bob.connect_and_sync("/", json!(true)).await;
        let first = socket.expect("sync").await;
        assert_eq!(first["more"], true);
        let messages = missed(&first);
        assert_eq!(seqs(&messages), (1..=500).collect::<Vec<_>>());
        let named = json!({ messages[0]["conversationId"].as_str().unwrap(): 500 });
        let rest = socket.done("sync", &json!({ "conversations": named })).await;
        assert_eq!(seqs(&missed(&rest)), (501..=520).collect::<Vec<_>>());
    }

    async fn what_was_missed_comes_before_anything_live_and_nothing_is_lost(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut sending = alice.connect("/").await;
        let ask = |socket: &mut Socket| socket.ask("send_message", &to(&bob, "hello"));
        let mut asked: VecDeque<_> = (0..20).map(|_| ask(&mut sending)).collect();
        let mut resuming = Vec::new();
        for number in 0..150 {
            assert_eq!(sending.ack(asked.pop_front().unwrap()).await["ok"], true);
            if number + 20 < 150 {
                asked.push_back(ask(&mut sending));
            }
            // In the midst of it bob comes and goes.
            if number % 30 == 10 {
                resuming.push(bob.connect_and_sync("/chat", json!({})).await);
            }
        }
        assert_eq!(resuming.len(), 5);
        for socket in &mut resuming {
            let (first, synced) = next_messages(socket).await;
            assert_eq!(first, "sync");
            let mut seen: BTreeSet<_> = seqs(&missed(&synced)).into_iter().collect();
            while seen.len() < 150 {
                let (name, event) = next_messages(socket).await;
                assert_eq!(name, "receive_message");
                seen.insert(event["message"]["seq"].as_i64().unwrap());
            }
            assert_eq!(seen.into_iter().collect::<Vec<_>>(), (1..=150).collect::<Vec<_>>());
        }
    }

    async fn nothing_is_lost_over_reconnects(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut sending = alice.connect("/").await;
        let (mut last, mut id) = (0, None);
        for round in 0..5 {
            let known = id.clone().map_or(json!({}), |id: String| json!({ id: last }));
            let mut socket = bob.connect_and_sync("/", json!({ "conversations": known })).await;
            let live = send(&mut sending, &bob, "live").await;
            id = Some(live["conversationId"].as_str().unwrap().to_owned());
            let mut came = missed(&socket.expect("sync").await);
            // Others, which were stored before, may be told behind their acknowledgement.
            let is_live = |told: &Value| told["message"]["_id"] == live["_id"];
            socket.expect_where("receive_message", is_live).await;
            // It may have been stored before the server looked for what was missed.
            if came.last() != Some(&live) {
                came.push(live);
            }
            let first = last + 1;
            last += if round == 0 { 1 } else { 11 };
            assert_eq!(seqs(&came), (first..=last).collect::<Vec<_>>());
            drop(socket);
            send_many(&mut sending, &bob, 10).await;
        }
    }

    async fn events_sent_right_behind_the_connect_wait_for_the_sync(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        send(&mut alice.connect("/").await, &bob, "missed").await;
        let mut socket = bob.connect_and_sync("/", json!(true)).await;
        let answer = send(&mut socket, &alice, "answer").await;
        assert_eq!(answer["seq"], 2);
        assert_eq!(seqs(&missed(&socket.expect("sync").await)), [1]);
    }
}
