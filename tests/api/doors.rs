//! The Socket.IO door: namespaces, acks, unknown events, malformed payloads, order (CONTRACT §1, §3).

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::chat::{send, seqs, to};
use crate::support::Socket;
use crate::support::transport::{Packet, websocket};

on_every_store! {
    async fn a_namespace_that_does_not_exist_refuses(server) {
        let alice = server.register("alice").await;
        let auth = json!({ "token": alice.token });
        let refused = Socket::try_connect(server, "/nowhere", &auth).await;
        assert_eq!(refused.err().as_deref(), Some("Invalid namespace"));
    }

    async fn the_root_understands_the_events_of_every_namespace(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let message = send(&mut bob.connect("/").await, &alice, "hello").await;
        let receiver = json!({ "receiverId": bob.id });
        socket.done("send_message", &to(&bob, "hello")).await;
        socket.done("typing_start", &receiver).await;
        socket.done("typing_stop", &receiver).await;
        socket.done("message_read", &json!({ "messageId": message["_id"] })).await;
        socket.done("sync", &json!({})).await;
        socket.done("presence_subscribe", &json!({ "userIds": [bob.id] })).await;
        socket.done("presence_unsubscribe", &json!({ "userIds": [bob.id] })).await;
        socket.done("refresh_token", &json!({ "token": alice.token })).await;
    }

    async fn an_event_of_another_domain_is_not_found_in_a_namespace(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut chat = alice.connect("/chat").await;
        let mut presence = alice.connect("/presence").await;
        let users = json!({ "userIds": [bob.id] });
        chat.refused("presence_subscribe", &users, "not_found").await;
        chat.refused("presence_unsubscribe", &users, "not_found").await;
        presence.refused("send_message", &to(&bob, "hello"), "not_found").await;
        for event in ["typing_start", "typing_stop", "message_read", "sync"] {
            presence.refused(event, &json!({ "receiverId": bob.id }), "not_found").await;
        }
        assert!(alice.history(&bob, "").await.is_empty());
        chat.done("refresh_token", &json!({ "token": alice.token })).await;
        presence.done("refresh_token", &json!({ "token": alice.token })).await;
    }

    async fn namespaces_share_a_transport(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/chat").await;
        socket.join("/presence", &json!({ "token": alice.token }));
        let joined = |packet: &Packet| {
            (*packet == Packet::Connected { namespace: "/presence".into() }).then_some(())
        };
        socket.take("CONNECT of /presence", joined).await;
        let _bobs = bob.connect("/").await;
        let told = socket.expect_where("user_status", |status| status["userId"] == bob.id).await;
        assert_eq!(told["isOnline"], true);
        socket.raw(r#"42/presence,99["presence_subscribe",{"userIds":["000000000000000000000000"]}]"#);
        assert_eq!(socket.ack(99).await["ok"], true);
        socket.raw("41/presence,");
        socket.round_trip().await;
    }

    async fn an_unknown_event_is_acked_and_the_socket_lives(server) {
        let alice = server.register("alice").await;
        for namespace in ["/", "/chat", "/presence"] {
            let mut socket = alice.connect(namespace).await;
            for event in ["nonsense", "", "__proto__", "connect", "disconnect", "Send_Message"] {
                socket.refused(event, &json!({}), "not_found").await;
            }
            socket.emit("nonsense", &json!({}));
            assert_eq!(socket.expect("error").await["code"], "not_found");
            socket.round_trip().await;
        }
    }

    async fn a_malformed_payload_is_told_and_the_socket_lives(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let events =
            ["send_message", "typing_start", "typing_stop", "message_read", "presence_subscribe"];
        for event in events.iter().chain(&["presence_unsubscribe", "refresh_token"]) {
            for wrong in [json!("text"), json!(7), json!(null), json!(true), json!([bob.id])] {
                socket.refused(event, &wrong, "validation_failed").await;
            }
            // No payload at all, and more of them than one.
            for wrong in [json!([event]), json!([event, {}, {}])] {
                let id = socket.ask_raw(&wrong);
                assert_eq!(socket.ack(id).await["error"]["code"], "validation_failed", "{wrong}");
                assert_eq!(socket.expect("error").await["code"], "validation_failed", "{wrong}");
            }
        }
        socket.round_trip().await;
    }

    async fn binary_where_text_belongs_is_told_and_the_socket_lives(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let attachment = Message::Binary(Bytes::from_static(b"\xff\xfe\x00binary"));
        let whole = r#"451-7["send_message",{"_placeholder":true,"num":0}]"#;
        let content = format!(
            r#"451-8["send_message",{{"receiverId":"{}","content":{{"_placeholder":true,"num":0}}}}]"#,
            bob.id
        );
        for (id, packet) in [(7, whole.to_owned()), (8, content)] {
            socket.raw(packet);
            socket.transport().outgoing.send(attachment.clone()).unwrap();
            let ack = socket.ack(id).await;
            assert_eq!(ack["ok"], false, "{ack}");
            assert_eq!(ack["error"]["code"], "validation_failed");
        }
        send(&mut socket, &bob, "still here").await;
    }

    async fn unknown_fields_are_ignored(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let mut payload = to(&bob, "hello");
        payload["unknown"] = json!({ "$where": "1" });
        payload["seq"] = json!(99);
        payload["senderId"] = json!(bob.id);
        let message = socket.done("send_message", &payload).await["message"].clone();
        assert_eq!(message["sender"]["_id"], alice.id);
        assert_eq!(message["seq"], 1);
    }

    async fn an_ack_comes_exactly_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        for (event, payload) in [
            ("send_message", to(&bob, "good")),
            ("send_message", to(&bob, "")),
            ("nonsense", json!({})),
            ("sync", json!({})),
        ] {
            let id = socket.ask(event, &payload);
            socket.ack(id).await;
            socket.round_trip().await;
            let again = |packet: &Packet| match packet {
                Packet::Ack { id: again, .. } if *again == id => Some(()),
                _ => None,
            };
            assert!(!socket.has(again), "{event} was acked twice");
        }
    }

    async fn an_event_without_an_ack_is_not_acked(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        socket.emit("send_message", &to(&bob, "good"));
        socket.emit("nonsense", &json!({}));
        socket.round_trip().await;
        let ack = |packet: &Packet| matches!(packet, Packet::Ack { .. }).then_some(());
        assert!(!socket.has(ack));
    }

    async fn events_right_behind_the_connect_arrive_in_order(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut receiving = bob.connect("/").await;
        for round in 0..5 {
            let mut socket = alice.connect(if round % 2 == 0 { "/" } else { "/chat" }).await;
            let asked: Vec<_> = (0..50)
                .map(|number| socket.ask("send_message", &to(&bob, &format!("{round} {number}"))))
                .collect();
            let mut acked = Vec::new();
            for id in asked {
                acked.push(socket.ack(id).await["message"].clone());
            }
            let first = round * 50 + 1;
            assert_eq!(seqs(&acked), (first..first + 50).collect::<Vec<_>>());
            for (number, message) in acked.iter().enumerate() {
                assert_eq!(message["content"], format!("{round} {number}"));
                assert_eq!(&receiving.expect("receive_message").await["message"], message);
            }
        }
    }

    async fn a_socket_gets_what_is_sent_from_the_moment_it_is_connected(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut sending = alice.connect("/").await;
        for round in 0..100 {
            let mut socket = bob.connect(if round % 2 == 0 { "/" } else { "/chat" }).await;
            let sent = send(&mut sending, &bob, "hello").await;
            let received = socket.exactly(1, "receive_message").await;
            assert_eq!(received, [json!({ "message": sent })], "round {round}");
        }
    }

    async fn events_of_a_socket_are_worked_on_in_the_order_sent(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let mut asked = Vec::new();
        for number in 0..30 {
            let (event, payload) = match number % 3 {
                0 => ("send_message", to(&bob, &number.to_string())),
                1 => ("nonsense", json!({})),
                _ => ("sync", json!({})),
            };
            asked.push(socket.ask(event, &payload));
        }
        let mut answered = Vec::new();
        for _ in &asked {
            let ack = |packet: &Packet| match packet {
                Packet::Ack { id, .. } => Some(*id),
                _ => None,
            };
            answered.push(socket.take("any ack", ack).await);
        }
        assert_eq!(answered, asked);
    }

    async fn a_packet_over_a_megabyte_ends_the_transport(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        socket.emit("send_message", &to(&bob, &"x".repeat(1_100_000)));
        socket.expect_gone().await;
        assert!(alice.history(&bob, "").await.is_empty());
    }

    async fn broken_frames_end_one_transport_and_no_other(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut healthy = bob.connect("/").await;
        for broken in ["42[", "42", "42{}", "4", "9", "42[\"x\"", "43[1]", "451-[", "40", "zzz"] {
            let socket = alice.connect("/").await;
            socket.raw(broken);
            healthy.round_trip().await;
        }
        let mut raw = websocket(server, "", &[]).await.unwrap();
        raw.send(Message::Binary(Bytes::from_static(b"\x00\xff"))).await.unwrap();
        drop(raw);
        healthy.round_trip().await;
        send(&mut alice.connect("/").await, &bob, "fine").await;
    }

    async fn a_client_of_engine_io_3_is_let_in(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let _bobs = bob.connect("/").await;
        let query = format!("token={}", alice.token);
        let url = format!("ws://{}/socket.io/?EIO=3&transport=websocket&{query}", server.address());
        let (mut old, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        while old.next().await.unwrap().unwrap().to_text().unwrap() != "40" {}
        old.send(Message::text(format!(
            r#"421["send_message",{{"receiverId":"{}","content":"from the past"}}]"#,
            bob.id
        )))
        .await
        .unwrap();
        loop {
            let frame = old.next().await.unwrap().unwrap();
            if let Some(ack) = frame.to_text().unwrap().strip_prefix("431") {
                let ack: Value = serde_json::from_str(ack).unwrap();
                assert_eq!(ack[0]["message"]["content"], "from the past");
                return;
            }
        }
    }
}
