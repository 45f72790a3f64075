//! `/rooms`, `/chat` and `/`: what each understands, and what reaches it.

use serde_json::json;

use crate::support::rooms::{into, named};

on_every_store! {
    async fn rooms_live_in_their_own_namespace_alone(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) =
            (alice.enter("/rooms", &room).await, bob.enter("/rooms", &room).await);
        alices.expect("user_joined").await;
        bobs.done("typing", &json!({ "roomId": room, "isTyping": true })).await;
        alices.expect("typing").await;
        let message = bobs.say(&room, "hello").await;
        assert_eq!(alices.hear(1).await, message);
        let payload = json!({ "roomId": room, "messageId": message["id"] });
        alices.done("message_read", &payload).await;
        bobs.expect("message_receipt").await;
        alices.done("leave_room", &named(&room)).await;
        bobs.expect("user_left").await;
    }

    async fn the_root_and_rooms_hear_of_each_other(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut root, mut rooms) =
            (alice.enter("/", &room).await, bob.enter("/rooms", &room).await);
        root.say(&room, "from the root").await;
        rooms.say(&room, "from rooms").await;
        for socket in [&mut root, &mut rooms] {
            assert_eq!(socket.hear(1).await["content"], "from the root");
            assert_eq!(socket.hear(2).await["content"], "from rooms");
        }
    }

    async fn chat_does_not_know_the_events_of_rooms(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(false).await;
        let mut socket = alice.connect("/chat").await;
        for event in ["join_room", "leave_room", "typing", "mark_messages_read"] {
            socket.refused(event, &named(&room), "not_found").await;
        }
        socket.refused("send_message", &into(&room, "hello"), "validation_failed").await;
        for name in ["join_room_error", "message_error", "joined_room"] {
            socket.expect_none(name).await;
        }
    }

    async fn rooms_do_not_know_the_events_of_chat(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/rooms").await;
        let to_bob = json!({ "receiverId": bob.id });
        for event in ["typing_start", "typing_stop", "presence_subscribe"] {
            let ack = socket.emit_ack(event, &to_bob).await;
            assert_eq!(ack["error"]["code"], "not_found", "{event}");
        }
        let payload = json!({ "receiverId": bob.id, "content": "hello" });
        socket.denied("send_message", &payload, "validation_failed").await;
        let mut bobs = bob.connect("/rooms").await;
        let direct = alice.connect("/").await.done("send_message", &payload).await;
        assert_eq!(direct["message"]["content"], "hello");
        bobs.expect_none("receive_message").await;
        let read = json!({ "messageId": direct["message"]["_id"] });
        bobs.denied("message_read", &read, "not_found").await;
    }

    async fn chat_does_not_read_messages_of_rooms(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let message = alice.enter("/", &room).await.say(&room, "hello").await;
        let mut bobs = bob.connect("/chat").await;
        bobs.refused("message_read", &json!({ "messageId": message["id"] }), "not_found").await;
        assert_eq!(bob.unread_in(&room).await, 1);
    }

    async fn a_room_is_no_peer_and_a_peer_is_no_room(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.enter("/", &room).await.say(&room, "hello").await;
        bob.get(&format!("/api/messages/{room}")).await.refused(404, "not_found");
        let direct = json!({ "receiverId": bob.id, "content": "hello" });
        let direct = alice.connect("/").await.done("send_message", &direct).await;
        let pair = direct["message"]["conversationId"].as_str().unwrap();
        for id in [pair, &bob.id] {
            bob.get(&format!("/rooms/{id}/messages")).await.refused(404, "not_found");
            let mut socket = alice.connect("/rooms").await;
            socket.refused_as("join_room_error", "join_room", &named(id), "not_found").await;
        }
    }
}
