//! Sending messages (CONTRACT §4).

use serde_json::{Value, json};

use crate::support::rest::fields;
use crate::support::{Person, Socket, is_id, time};

/// A message to somebody.
pub(crate) fn to(person: &Person, content: &str) -> Value {
    json!({ "receiverId": person.id, "content": content })
}

/// Sends a message that must be stored, and gives it.
pub(crate) async fn send(socket: &mut Socket, person: &Person, content: &str) -> Value {
    socket.done("send_message", &to(person, content)).await["message"].clone()
}

/// The `seq`s of messages, in order.
pub(crate) fn seqs(messages: &[Value]) -> Vec<i64> {
    messages.iter().map(|message| message["seq"].as_i64().unwrap()).collect()
}

#[track_caller]
fn check_shape(message: &Value, sender: &Person, receiver: &Person) {
    assert!(is_id(&message["_id"]) && is_id(&message["conversationId"]), "{message}");
    assert_eq!(message["id"], message["_id"]);
    for (field, person, online) in [("sender", sender, true), ("receiver", receiver, true)] {
        let shown = json!({
            "_id": person.id, "id": person.id, "username": person.username, "isOnline": online,
        });
        assert_eq!(message[field], shown);
    }
    assert_eq!(message["isRead"], false);
    assert_eq!(message["readAt"], Value::Null);
    assert_eq!(time(&message["createdAt"]), time(&message["updatedAt"]));
}

on_every_store! {
    async fn a_message_is_confirmed_to_its_sender_and_reaches_its_receiver(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut sending, mut receiving) = (alice.connect("/").await, bob.connect("/").await);
        let payload = json!({ "receiverId": bob.id, "content": "Hello!", "tempId": "temp-123" });
        let ack = sending.done("send_message", &payload).await;
        let message = &ack["message"];
        check_shape(message, &alice, &bob);
        assert_eq!(message["content"], "Hello!");
        assert_eq!(message["messageType"], "text");
        assert_eq!(message["seq"], 1);
        assert!(message.get("clientMsgId").is_none());
        assert_eq!(ack["tempId"], "temp-123");
        let sent = sending.expect("message_sent").await;
        assert_eq!((&sent["message"], &sent["tempId"]), (message, &json!("temp-123")));
        let received = receiving.expect("receive_message").await;
        assert_eq!(&received["message"], message);
        assert_eq!(alice.history(&bob, "").await, std::slice::from_ref(message));
        sending.expect_none("receive_message").await;
        receiving.expect_none("message_sent").await;
    }

    async fn everybodys_other_sockets_get_the_message_once(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let mut sending = alice.connect("/chat").await;
        let mut others = [alice.connect("/").await, alice.connect("/chat").await];
        let mut receiving = [bob.connect("/").await, bob.connect("/chat").await];
        let mut strangers = [carol.connect("/").await, carol.connect("/chat").await];
        let message = send(&mut sending, &bob, "to all of you").await;
        for socket in others.iter_mut().chain(&mut receiving) {
            let came = socket.exactly(1, "receive_message").await;
            assert_eq!(came, [json!({ "message": message })]);
            socket.expect_none("message_sent").await;
        }
        for socket in &mut strangers {
            socket.expect_none("receive_message").await;
        }
        assert_eq!(sending.all("message_sent").await.len(), 1);
        sending.expect_none("receive_message").await;
    }

    async fn chat_is_not_heard_in_namespaces_of_other_domains(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut elsewhere = bob.connect("/presence").await;
        let mut sending = alice.connect("/").await;
        send(&mut sending, &bob, "hello").await;
        sending.done("typing_start", &json!({ "receiverId": bob.id })).await;
        elsewhere.expect_none("receive_message").await;
        elsewhere.expect_none("user_typing").await;
    }

    async fn a_send_without_an_ack_is_confirmed_by_event(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        socket.emit("send_message", &to(&bob, "no ack"));
        assert_eq!(socket.expect("message_sent").await["message"]["content"], "no ack");
        socket.emit("send_message", &to(&bob, "  "));
        let error = socket.expect("error").await;
        assert_eq!(error["code"], "validation_failed");
        assert!(error["message"].is_string());
    }

    async fn a_temp_id_is_echoed_and_nothing_more(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let mut payload = to(&bob, "again");
        for temp_id in [json!("same"), json!("same"), json!(17), Value::Null] {
            payload["tempId"] = temp_id.clone();
            assert_eq!(socket.done("send_message", &payload).await["tempId"], temp_id);
            assert_eq!(socket.expect("message_sent").await["tempId"], temp_id);
        }
        assert_eq!(seqs(&alice.history(&bob, "").await), [1, 2, 3, 4]);
    }

    async fn a_message_is_text_an_image_or_a_file(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let mut payload = to(&bob, "https://example.com/a.png");
        for kind in ["text", "image", "file"] {
            payload["messageType"] = json!(kind);
            let ack = socket.done("send_message", &payload).await;
            assert_eq!(ack["message"]["messageType"], kind);
        }
        for kind in [json!("video"), json!("TEXT"), json!(""), json!(1)] {
            payload["messageType"] = kind;
            let error = socket.refused("send_message", &payload, "validation_failed").await;
            assert_eq!(fields(&error), ["messageType"]);
        }
    }

    async fn a_message_needs_somebody_else_who_exists(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/chat").await;
        let nobody = json!({ "receiverId": "0".repeat(24), "content": "hello" });
        socket.refused("send_message", &nobody, "not_found").await;
        let error = socket.refused("send_message", &to(&alice, "me"), "validation_failed").await;
        assert_eq!(fields(&error), ["receiverId"]);
    }

    async fn everything_wrong_with_a_send_is_told_by_field(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let error = socket.refused("send_message", &json!({}), "validation_failed").await;
        assert_eq!(fields(&error), ["receiverId", "content"]);
        for (field, wrong) in [
            ("receiverId", json!("bob")),
            ("receiverId", json!({ "$gt": "" })),
            ("content", json!({ "$gt": "" })),
            ("content", json!(["text"])),
            ("content", json!(7)),
            ("tempId", json!({ "a": 1 })),
            ("tempId", json!("t".repeat(300))),
            ("clientMsgId", json!("")),
            ("clientMsgId", json!("c".repeat(65))),
            ("clientMsgId", json!({ "$ne": null })),
        ] {
            let mut payload = to(&bob, "text");
            payload[field] = wrong.clone();
            let error = socket.refused("send_message", &payload, "validation_failed").await;
            assert_eq!(fields(&error), [field], "{wrong}");
        }
        assert!(alice.history(&bob, "").await.is_empty(), "nothing of it was stored");
    }

    async fn both_directions_are_one_conversation_counted_from_1(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut one, mut other) = (alice.connect("/").await, bob.connect("/").await);
        let first = send(&mut one, &bob, "1").await;
        let second = send(&mut other, &alice, "2").await;
        let third = send(&mut one, &bob, "3").await;
        assert_eq!(seqs(&[first.clone(), second.clone(), third]), [1, 2, 3]);
        assert_eq!(first["conversationId"], second["conversationId"]);
        let elsewhere = send(&mut one, &carol, "1").await;
        assert_eq!(elsewhere["seq"], 1);
        assert_ne!(elsewhere["conversationId"], first["conversationId"]);
    }

    async fn many_senders_at_once_leave_no_gap_and_no_disorder(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = bob.connect("/chat").await;
        let pairs = [(&alice, &bob), (&bob, &alice), (&alice, &bob), (&bob, &alice)];
        let sending = pairs.map(async |(from, receiver)| {
            let mut socket = from.connect("/").await;
            let asked: Vec<_> = (0..25)
                .map(|number| socket.ask("send_message", &to(receiver, &number.to_string())))
                .collect();
            let mut acked = Vec::new();
            for id in asked {
                acked.push(socket.ack(id).await["message"].clone());
            }
            let mut sorted = seqs(&acked);
            sorted.sort_unstable();
            assert_eq!(seqs(&acked), sorted, "one socket's sends are stored in order");
            sorted
        });
        let mut all = futures_util::future::join_all(sending).await.concat();
        all.sort_unstable();
        assert_eq!(all, (1..=100).collect::<Vec<_>>());
        let came = watching.exactly(100, "receive_message").await;
        let came: Vec<_> = came.iter().map(|event| event["message"].clone()).collect();
        assert_eq!(seqs(&came), all, "a watching socket sees them in the order of seq");
        assert_eq!(seqs(&alice.history(&bob, "?limit=200").await), all);
    }

    async fn an_acknowledged_message_outlives_the_server(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let message = send(&mut socket, &bob, "durable").await;
        server.restart().await;
        let stored = bob.history(&alice, "").await;
        assert_eq!(stored.len(), 1);
        for field in ["_id", "seq", "content", "createdAt", "conversationId"] {
            assert_eq!(stored[0][field], message[field]);
        }
        assert_eq!(send(&mut alice.connect("/").await, &bob, "next").await["seq"], 2);
    }

    async fn a_person_who_is_away_is_shown_as_away(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let message = send(&mut alice.connect("/").await, &bob, "are you there?").await;
        assert_eq!(message["sender"]["isOnline"], true);
        assert_eq!(message["receiver"]["isOnline"], false);
    }
}
