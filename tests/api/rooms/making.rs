//! Making rooms, changing and deleting them.

use serde_json::{Value, json};

use crate::support::rooms::at;
use crate::support::{Person, is_id, time};

#[track_caller]
fn check_shape(room: &Value, owner: &Person, members: u64) {
    assert!(is_id(&room["id"]), "{room}");
    assert_eq!(room["_id"], room["id"]);
    assert_eq!(room["ownerId"], owner.id.as_str());
    assert_eq!(room["memberCount"], members);
    assert!(room["isPrivate"].is_boolean(), "{room}");
    assert!(room.get("description").is_some(), "{room}");
    time(&room["createdAt"]);
}

async fn create(person: &Person, body: Value) -> Value {
    person.post("/rooms", &body).await.data(201)["room"].clone()
}

on_every_store! {
    async fn who_makes_a_room_owns_it_and_is_in_it(server) {
        let alice = server.register("alice").await;
        let body = json!({ "name": "Kitchen", "description": "Who cooks", "isPrivate": true });
        let room = create(&alice, body).await;
        check_shape(&room, &alice, 1);
        assert_eq!(room["name"], "Kitchen");
        assert_eq!(room["description"], "Who cooks");
        assert_eq!(room["isPrivate"], true);
        let id = room["id"].as_str().unwrap();
        assert_eq!(alice.of_room(id, "").await["room"], room);
        let members = alice.of_room(id, "/members").await;
        assert_eq!(members["count"], 1);
        assert_eq!(members["members"][0]["user"]["id"], alice.id.as_str());
        assert_eq!(members["members"][0]["role"], "owner");
    }

    async fn a_room_is_public_and_undescribed_where_nothing_is_said(server) {
        let alice = server.register("alice").await;
        let room = create(&alice, json!({ "name": "Kitchen" })).await;
        assert_eq!(room["isPrivate"], false);
        assert_eq!(room["description"], Value::Null);
    }

    async fn a_name_has_1_to_100_characters(server) {
        let alice = server.register("alice").await;
        for name in ["a".to_owned(), "é".repeat(100), format!("  {}  ", "x".repeat(100))] {
            let room = create(&alice, json!({ "name": name })).await;
            assert_eq!(room["name"], name.trim());
        }
        for name in [String::new(), "   ".to_owned(), "x".repeat(101)] {
            let answer = alice.post("/rooms", &json!({ "name": name })).await;
            assert_eq!(answer.wrong_fields(), ["name"], "{name}");
        }
        assert_eq!(alice.post("/rooms", &json!({})).await.wrong_fields(), ["name"]);
    }

    async fn a_description_has_up_to_500_characters(server) {
        let alice = server.register("alice").await;
        let body = |text: String| json!({ "name": "Kitchen", "description": text });
        let room = create(&alice, body("d".repeat(500))).await;
        assert_eq!(room["description"], "d".repeat(500));
        let answer = alice.post("/rooms", &body("d".repeat(501))).await;
        assert_eq!(answer.wrong_fields(), ["description"]);
    }

    async fn what_is_wrong_with_a_room_is_told_by_field(server) {
        let alice = server.register("alice").await;
        for (field, wrong) in [
            ("name", json!(7)),
            ("name", json!({ "$ne": "" })),
            ("description", json!(["text"])),
            ("isPrivate", json!("yes")),
        ] {
            let mut body = json!({ "name": "Kitchen" });
            body[field] = wrong.clone();
            let answer = alice.post("/rooms", &body).await;
            assert_eq!(answer.wrong_fields(), [field], "{wrong}");
        }
        assert_eq!(alice.get("/rooms").await.data(200)["rooms"], json!([]));
    }

    async fn no_text_of_a_room_can_start_a_tag(server) {
        let alice = server.register("alice").await;
        let body = json!({ "name": "<b>Tom & Jerry", "description": "1 < 2 </p>" });
        let room = create(&alice, body).await;
        assert_eq!(room["name"], "< b>Tom & Jerry");
        assert_eq!(room["description"], "1 < 2 < /p>");
    }

    async fn a_list_holds_the_rooms_that_one_is_in(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let own = alice.create_room(true).await;
        let shared = server.room_of([&bob, &alice]).await;
        bob.create_room(false).await;
        let listed = alice.get("/rooms").await.data(200)["rooms"].clone();
        let mut ids: Vec<_> =
            listed.as_array().unwrap().iter().map(|room| room["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        let mut expected = [own.as_str(), shared.as_str()];
        expected.sort_unstable();
        assert_eq!(ids, expected);
        for room in listed.as_array().unwrap() {
            let (owner, members) = if room["id"] == own.as_str() { (&alice, 1) } else { (&bob, 2) };
            check_shape(room, owner, members);
        }
        alice.leave_room(&shared).await;
        let rooms = alice.get("/rooms").await.data(200)["rooms"].as_array().unwrap().clone();
        assert_eq!(rooms.len(), 1);
    }

    async fn the_owner_changes_a_room_and_those_in_it_hear_of_it(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut bobs = bob.enter("/rooms", &room).await;
        let change = json!({ "name": "Cellar", "description": "Wine", "isPrivate": true });
        let changed = alice.patch(&at(&room, ""), &change).await.data(200)["room"].clone();
        check_shape(&changed, &alice, 2);
        assert_eq!([&changed["name"], &changed["description"]], ["Cellar", "Wine"]);
        assert_eq!(changed["isPrivate"], true);
        let told = bobs.expect("room_updated").await;
        assert_eq!(told["roomId"], room.as_str());
        assert_eq!(told["room"]["name"], "Cellar");
        // What is left out stays; null removes.
        let change = json!({ "description": null });
        let changed = alice.patch(&at(&room, ""), &change).await.data(200)["room"].clone();
        assert_eq!(changed["name"], "Cellar");
        assert_eq!(changed["description"], Value::Null);
        assert_eq!(bob.of_room(&room, "").await["room"]["name"], "Cellar");
    }

    async fn a_change_is_checked_and_only_the_owners(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.give_role(&room, &bob, "admin").await.data(200);
        let change = json!({ "name": "Mine" });
        bob.patch(&at(&room, ""), &change).await.refused(403, "forbidden");
        carol.patch(&at(&room, ""), &change).await.refused(403, "forbidden");
        for name in [String::new(), "x".repeat(101)] {
            let answer = alice.patch(&at(&room, ""), &json!({ "name": name })).await;
            assert_eq!(answer.wrong_fields(), ["name"]);
        }
        assert_eq!(alice.of_room(&room, "").await["room"]["name"], "Kitchen");
    }

    async fn the_owner_deletes_a_room_and_nobody_is_in_it_any_more(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) =
            (alice.enter("/", &room).await, bob.enter("/rooms", &room).await);
        alices.say(&room, "goodbye").await;
        bob.delete(&at(&room, "")).await.refused(403, "forbidden");
        alice.delete(&at(&room, "")).await.data(200);
        for socket in [&mut alices, &mut bobs] {
            assert_eq!(socket.expect("left_room").await["roomId"], room.as_str());
        }
        for person in [&alice, &bob] {
            for rest in ["", "/messages", "/members", "/presence"] {
                person.get(&at(&room, rest)).await.refused(404, "not_found");
            }
            person.join_with(&room, "").await.refused(404, "not_found");
            assert_eq!(person.get("/rooms").await.data(200)["rooms"], json!([]));
            let inbox = person.get("/api/conversations").await.data(200);
            assert_eq!(inbox["conversations"], json!([]));
        }
        let payload = json!({ "roomId": room, "content": "still here?" });
        bobs.denied("send_message", &payload, "not_found").await;
        alice.delete(&at(&room, "")).await.refused(404, "not_found");
    }

    async fn rooms_outlive_the_server(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.enter("/", &room).await.say(&room, "durable").await;
        let before = bob.of_room(&room, "").await;
        server.restart().await;
        assert_eq!(bob.of_room(&room, "").await, before);
        assert_eq!(bob.room_page(&room, "").await[0]["content"], "durable");
        assert_eq!(bob.enter("/", &room).await.say(&room, "next").await["seq"], 2);
    }
}
