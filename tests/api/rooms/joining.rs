//! Becoming a member, and ceasing to be one.

use serde_json::json;

use crate::support::rooms::{at, into};

on_every_store! {
    async fn anybody_joins_a_public_room(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(false).await;
        let joined = bob.join_with(&room, "").await.data(200);
        assert_eq!(joined["roomId"], room.as_str());
        assert_eq!(bob.of_room(&room, "").await["room"]["memberCount"], 2);
        let members = alice.of_room(&room, "/members").await;
        assert_eq!(members["members"][1]["user"]["id"], bob.id.as_str());
        assert_eq!(members["members"][1]["role"], "member");
    }

    async fn who_joins_again_stays_a_member(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let before = alice.of_room(&room, "/members").await["members"][1]["joinedAt"].clone();
        for person in [&bob, &alice] {
            assert_eq!(person.join_with(&room, "").await.data(200)["roomId"], room.as_str());
        }
        let members = alice.of_room(&room, "/members").await;
        assert_eq!(members["count"], 2);
        assert_eq!(members["members"][1]["joinedAt"], before);
        assert_eq!(members["members"][0]["role"], "owner");
    }

    async fn a_member_of_a_private_room_joins_again_without_an_invite(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(true).await;
        let once = alice.invite_token(&room, json!({ "maxUses": 1 })).await;
        bob.join_with(&room, &once).await.data(200);
        bob.join_with(&room, &once).await.data(200);
        bob.join_with(&room, "").await.data(200);
        alice.join_with(&room, "").await.data(200);
    }

    async fn many_joins_at_once_make_one_member(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(false).await;
        let joining = (0..8).map(async |_| bob.join_with(&room, "").await.data(200));
        futures_util::future::join_all(joining).await;
        assert_eq!(alice.of_room(&room, "/members").await["count"], 2);
    }

    async fn a_room_that_does_not_exist_is_not_joined(server) {
        let alice = server.register("alice").await;
        alice.join_with(&"0".repeat(24), "").await.refused(404, "not_found");
    }

    async fn who_leaves_is_a_member_no_more(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let left = bob.post(&at(&room, "/leave"), &json!({})).await.data(200);
        assert_eq!(left["roomId"], room.as_str());
        bob.get(&at(&room, "/messages")).await.refused(403, "forbidden");
        bob.post(&at(&room, "/leave"), &json!({})).await.refused(403, "forbidden");
        assert_eq!(bob.get("/rooms").await.data(200)["rooms"], json!([]));
        assert_eq!(alice.of_room(&room, "").await["room"]["memberCount"], 1);
    }

    async fn who_leaves_is_taken_out_at_every_socket_and_the_others_hear_of_it_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut bobs = [bob.enter("/", &room).await, bob.enter("/rooms", &room).await];
        bob.leave_room(&room).await;
        for socket in &mut bobs {
            let left = socket.expect("left_room").await;
            assert_eq!(left["roomId"], room.as_str());
            assert!(left["timestamp"].is_string());
        }
        let left = alices.expect("user_left").await;
        assert_eq!((&left["roomId"], &left["userId"]), (&json!(room), &json!(bob.id)));
        alices.say(&room, "is bob gone?").await;
        alices.hear(1).await;
        alices.expect_none("user_left").await;
        for socket in &mut bobs {
            socket.expect_none("receive_message").await;
            socket.expect_none("user_left").await;
            socket.expect_none("left_room").await;
        }
    }

    async fn a_message_to_a_room_one_left_is_refused(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut bobs = bob.enter("/", &room).await;
        bob.leave_room(&room).await;
        bobs.denied("send_message", &into(&room, "may I?"), "forbidden").await;
        let typing = json!({ "roomId": room, "isTyping": true });
        bobs.denied("typing", &typing, "forbidden").await;
        let payload = json!({ "roomId": room });
        bobs.refused_as("join_room_error", "join_room", &payload, "forbidden").await;
        assert!(alice.room_page(&room, "").await.is_empty());
    }

    async fn who_comes_back_is_a_new_member(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say(&room, "before").await;
        bob.leave_room(&room).await;
        alices.say(&room, "while away").await;
        bob.join_room(&room).await;
        assert_eq!(bob.unread_in(&room).await, 0);
        alices.say(&room, "after").await;
        assert_eq!(bob.unread_in(&room).await, 1);
        let joined = bob.connect("/").await.enter(&room).await;
        assert_eq!(joined["unreadCount"], 1);
        // The history of the room is whole.
        assert_eq!(bob.room_page(&room, "").await.len(), 3);
    }
}
