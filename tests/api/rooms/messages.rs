//! Messages in rooms: who gets them, in which shape and order.

use serde_json::{Value, json};

use crate::chat::seqs;
use crate::support::rest::fields;
use crate::support::rooms::{into, named};
use crate::support::{Person, Socket, is_id, time};

#[track_caller]
fn check_shape(message: &Value, room: &str, sender: &Person) {
    assert!(is_id(&message["id"]), "{message}");
    for field in ["room_id", "roomId", "conversationId"] {
        assert_eq!(message[field], room, "{field}");
    }
    time(&message["timestamp"]);
    assert!(message["seq"].is_i64(), "{message}");
    assert_eq!(message["sender"]["id"], sender.id.as_str());
    assert_eq!(message["sender"]["username"], sender.username.as_str());
}

/// The next message that a socket hears of, without any other in between.
async fn next(socket: &mut Socket) -> Value {
    socket.expect("receive_message").await
}

on_every_store! {
    async fn a_message_reaches_every_socket_in_the_room_the_senders_too(server) {
        let [alice, bob, carol, dave] = server.people(["alice", "bob", "carol", "dave"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let mut sending = alice.enter("/", &room).await;
        let mut hearing = [
            alice.enter("/rooms", &room).await,
            bob.enter("/", &room).await,
            bob.enter("/rooms", &room).await,
            carol.enter("/rooms", &room).await,
        ];
        let mut others = [
            carol.connect("/").await,
            alice.connect("/chat").await,
            bob.connect("/presence").await,
            dave.connect("/rooms").await,
        ];
        let ack = sending.done("send_message", &into(&room, "Hello!")).await;
        let message = next(&mut sending).await;
        check_shape(&message, &room, &alice);
        assert_eq!(message["content"], "Hello!");
        assert_eq!(message["seq"], 1);
        assert!(message.get("clientMsgId").is_none());
        assert_eq!(ack["message"], message);
        for socket in &mut hearing {
            assert_eq!(next(socket).await, message);
            socket.expect_none("receive_message").await;
        }
        for socket in &mut others {
            socket.expect_none("receive_message").await;
        }
        sending.expect_none("receive_message").await;
        sending.expect_none("message_sent").await;
    }

    async fn message_sent_comes_where_a_temp_id_was_given(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        let mut other = alice.enter("/rooms", &room).await;
        for (seq, temp_id) in [(1, json!("temp-1")), (2, json!(7))] {
            let mut payload = into(&room, "hello");
            payload["tempId"] = temp_id.clone();
            let ack = alices.done("send_message", &payload).await;
            assert_eq!(ack["tempId"], temp_id);
            let sent = alices.expect("message_sent").await;
            assert_eq!((&sent["tempId"], &sent["message"]), (&temp_id, &ack["message"]));
            assert_eq!(alices.hear(seq).await, ack["message"]);
            for socket in [&mut bobs, &mut other] {
                assert_eq!(socket.hear(seq).await, ack["message"]);
                socket.expect_none("message_sent").await;
            }
        }
    }

    async fn messages_count_from_1_in_each_room(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (one, two) =
            (server.room_of([&alice, &bob]).await, server.room_of([&bob, &alice]).await);
        let (mut alices, mut bobs) = (alice.enter("/", &one).await, bob.enter("/", &one).await);
        alices.enter(&two).await;
        assert_eq!(alices.say(&one, "1").await["seq"], 1);
        assert_eq!(bobs.say(&one, "2").await["seq"], 2);
        assert_eq!(alices.say(&two, "1").await["seq"], 1);
        assert_eq!(alices.say(&one, "3").await["seq"], 3);
    }

    async fn many_senders_at_once_leave_no_gap_and_everybody_sees_one_order(server) {
        let people = server.people(["alice", "bob", "carol", "dave"]).await;
        let room = server.room_of(people.each_ref()).await;
        let mut watching = [
            people[0].enter("/", &room).await,
            people[3].enter("/rooms", &room).await,
        ];
        let sending = people[..3].iter().map(async |person| {
            let mut socket = person.enter("/rooms", &room).await;
            let sent = seqs(&socket.say_many(&room, 25).await);
            assert!(sent.is_sorted(), "one socket's sends are stored in order");
            sent
        });
        let mut all = futures_util::future::join_all(sending).await.concat();
        all.sort_unstable();
        assert_eq!(all, (1..=75).collect::<Vec<_>>());
        for socket in &mut watching {
            for seq in 1..=75 {
                assert_eq!(next(socket).await["seq"], seq);
            }
        }
        let mut stored = people[3].room_page(&room, "?pageSize=200").await;
        stored.reverse();
        assert_eq!(seqs(&stored), all);
    }

    async fn before_join_room_nothing_is_sent(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let hidden = alice.create_room(true).await;
        let mut alices = alice.enter("/", &room).await;
        let mut bobs = bob.connect("/rooms").await;
        bobs.denied("send_message", &into(&room, "hello"), "forbidden").await;
        // Another socket of his being there does not help.
        let _there = bob.enter("/rooms", &room).await;
        bobs.denied("send_message", &into(&room, "hello"), "forbidden").await;
        let mut carols = carol.connect("/").await;
        carols.denied("send_message", &into(&room, "hello"), "forbidden").await;
        carols.denied("send_message", &into(&hidden, "hello"), "not_found").await;
        carols.denied("send_message", &into(&"0".repeat(24), "hello"), "not_found").await;
        alices.say(&room, "marker").await;
        assert_eq!(next(&mut alices).await["content"], "marker");
    }

    async fn a_message_goes_to_a_room_or_to_somebody(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut bobs = bob.enter("/", &room).await;
        let both = json!({ "roomId": room, "receiverId": bob.id, "content": "x" });
        for payload in [both, json!({ "content": "x" })] {
            let ack = alices.emit_ack("send_message", &payload).await;
            assert_eq!(ack["error"]["code"], "validation_failed");
            for event in ["error", "message_error"] {
                let told = alices.all(event).await;
                assert_eq!(told.len(), 1, "{event}");
                assert_eq!(told[0]["code"], "validation_failed");
            }
        }
        // The room and the two of them are conversations of their own.
        let direct = json!({ "receiverId": bob.id, "content": "to you" });
        let message = alices.done("send_message", &direct).await["message"].clone();
        assert_eq!(message["seq"], 1);
        assert_eq!(bobs.expect("receive_message").await["message"], message);
        assert_eq!(alices.say(&room, "to all").await["seq"], 1);
        assert!(bob.room_page(&room, "").await.iter().all(|one| one["content"] == "to all"));
    }

    async fn everything_wrong_with_a_send_is_told_by_field(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(false).await;
        for namespace in ["/", "/rooms"] {
            let mut socket = alice.enter(namespace, &room).await;
            for (field, wrong) in [
                ("roomId", json!("kitchen")),
                ("content", json!("   ")),
                ("content", json!("x".repeat(5001))),
                ("content", json!(7)),
                ("content", Value::Null),
                ("messageType", json!("video")),
                ("clientMsgId", json!("c".repeat(65))),
                ("tempId", json!({ "a": 1 })),
            ] {
                let mut payload = into(&room, "text");
                payload[field] = wrong.clone();
                let error = socket.denied("send_message", &payload, "validation_failed").await;
                assert_eq!(fields(&error), [field], "{wrong}");
            }
        }
        assert!(alice.room_page(&room, "").await.is_empty());
    }

    async fn content_is_text_of_1_to_5000_characters(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(false).await;
        let mut socket = alice.enter("/rooms", &room).await;
        for (sent, stored) in [
            ("é".repeat(5000), "é".repeat(5000)),
            ("  x ".to_owned(), "x".to_owned()),
            ("Tom & Jerry, 1 < 2".to_owned(), "Tom & Jerry, 1 < 2".to_owned()),
            ("<script>".to_owned(), "< script>".to_owned()),
        ] {
            assert_eq!(socket.say(&room, &sent).await["content"], stored);
            assert_eq!(next(&mut socket).await["content"], stored);
            assert_eq!(alice.room_page(&room, "").await[0]["content"], stored);
        }
    }

    async fn who_sends_no_ack_is_told_by_event(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut socket = alice.connect("/rooms").await;
        socket.emit("send_message", &into(&room, "too early"));
        let error = socket.expect("message_error").await;
        assert_eq!((&error["code"], &error["roomId"]), (&json!("forbidden"), &json!(room)));
        assert!(error["message"].is_string());
        socket.emit("join_room", &named(&"0".repeat(24)));
        let error = socket.expect("join_room_error").await;
        assert_eq!(error["code"], "not_found");
        assert_eq!(error["roomId"], "0".repeat(24));
        socket.emit("join_room", &named(&room));
        assert_eq!(socket.expect("joined_room").await["roomId"], room.as_str());
        socket.emit("send_message", &into(&room, "now"));
        assert_eq!(next(&mut socket).await["content"], "now");
        socket.emit("send_message", &into(&room, " "));
        let error = socket.expect("message_error").await;
        assert_eq!(error["code"], "validation_failed");
        assert_eq!(error["errors"][0]["field"], "content");
        socket.emit("mark_messages_read", &json!({ "roomId": room, "messageIds": [] }));
        assert_eq!(socket.expect("message_error").await["roomId"], room.as_str());
        socket.expect_none("error").await;
    }
}
