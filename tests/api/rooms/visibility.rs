//! Who sees which room, and what of it.

use reqwest::Method;
use serde_json::json;

use crate::support::Answer;
use crate::support::rooms::at;

on_every_store! {
    async fn nobody_does_anything_without_a_token(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(false).await;
        for (method, rest) in [
            (Method::GET, ""),
            (Method::POST, "/join"),
            (Method::POST, "/leave"),
            (Method::POST, "/invite"),
            (Method::GET, "/messages"),
            (Method::GET, "/members"),
            (Method::GET, "/presence"),
        ] {
            let answer = Answer::of(server.request(method, &at(&room, rest))).await;
            answer.refused(401, "unauthenticated");
        }
        Answer::of(server.request(Method::GET, "/rooms")).await.refused(401, "unauthenticated");
        server.post("/rooms", &json!({ "name": "x" })).await.refused(401, "unauthenticated");
    }

    async fn a_public_room_is_seen_by_everyone_and_what_is_in_it_by_its_members(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(false).await;
        let message = alice.enter("/", &room).await.say(&room, "hello").await;
        let receipts = format!("/messages/{}/receipts", message["id"].as_str().unwrap());
        let seen = bob.of_room(&room, "").await["room"].clone();
        assert_eq!(seen["id"], room.as_str());
        assert_eq!(seen["memberCount"], 1);
        let inside = ["/messages", "/members", "/presence", &receipts];
        for rest in inside {
            bob.get(&at(&room, rest)).await.refused(403, "forbidden");
        }
        for rest in ["/leave", "/invite"] {
            bob.post(&at(&room, rest), &json!({})).await.refused(403, "forbidden");
        }
        bob.get(&at(&room, "/invites")).await.refused(403, "forbidden");
        bob.join_room(&room).await;
        for rest in inside {
            bob.of_room(&room, rest).await;
        }
    }

    async fn a_private_room_does_not_exist_for_others(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(true).await;
        let message = alice.enter("/", &room).await.say(&room, "hello").await;
        let receipts = format!("/messages/{}/receipts", message["id"].as_str().unwrap());
        for rest in ["", "/messages", "/members", "/presence", "/invites", &receipts] {
            let error = bob.get(&at(&room, rest)).await.refused(404, "not_found");
            let unknown = bob.get(&at(&"0".repeat(24), rest)).await.refused(404, "not_found");
            assert_eq!(error["message"], unknown["message"], "{rest}");
        }
        for rest in ["/join", "/leave", "/invite"] {
            bob.post(&at(&room, rest), &json!({})).await.refused(404, "not_found");
        }
        bob.patch(&at(&room, ""), &json!({ "name": "x" })).await.refused(404, "not_found");
        bob.delete(&at(&room, "")).await.refused(404, "not_found");
        bob.remove(&room, &alice).await.refused(404, "not_found");
        let mut bobs = bob.connect("/").await;
        let payload = json!({ "roomId": room });
        bobs.refused_as("join_room_error", "join_room", &payload, "not_found").await;
    }

    async fn a_private_room_is_seen_by_who_is_invited(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = alice.create_room(true).await;
        let open = alice.invite_token(&room, json!({})).await;
        alice.invite(&room, json!({ "userId": bob.id })).await;
        assert_eq!(bob.of_room(&room, "").await["room"]["id"], room.as_str());
        carol.get(&at(&room, "")).await.refused(404, "not_found");
        let seen = carol.of_room(&room, &format!("?invite={open}")).await;
        assert_eq!(seen["room"]["id"], room.as_str());
        // Seeing it is not being in it.
        bob.get(&at(&room, "/messages")).await.refused(404, "not_found");
        carol.get(&at(&room, &format!("/members?invite={open}"))).await.refused(404, "not_found");
    }

    async fn a_room_that_turns_private_is_hidden_from_those_who_are_not_in_it(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        carol.of_room(&room, "").await;
        alice.patch(&at(&room, ""), &json!({ "isPrivate": true })).await.data(200);
        carol.get(&at(&room, "")).await.refused(404, "not_found");
        carol.join_with(&room, "").await.refused(404, "not_found");
        assert_eq!(bob.of_room(&room, "").await["room"]["isPrivate"], true);
    }

    async fn what_is_no_id_names_no_room(server) {
        let alice = server.register("alice").await;
        for id in ["kitchen", "123", "0123456789abcdef0123456g"] {
            let answer = alice.get(&at(id, "")).await;
            assert!([400, 404].contains(&answer.status), "{answer:?}");
        }
    }
}
