//! The room of an order: customer and driver talk there while it is under way.

use serde_json::{Value, json};

use crate::support::orders::tea;
use crate::support::rooms::{at, into, named};
use crate::support::{Person, Server};

/// A customer, a driver, their order and its room.
async fn talking(server: &Server) -> (Person, Person, Value, String) {
    let alice = server.register("alice").await;
    let dan = server.driver("dan").await;
    let order = alice.place(&tea()).await;
    let order = dan.accept(&order).await;
    let room = order["roomId"].as_str().unwrap().to_owned();
    (alice, dan, order, room)
}

async fn rooms_of(person: &Person) -> Vec<Value> {
    let data = person.get("/rooms").await.data(200);
    let ids = data["rooms"].as_array().unwrap().iter().map(|room| room["id"].clone());
    ids.collect()
}

async fn conversations_of(person: &Person) -> Vec<Value> {
    let data = person.get("/api/conversations").await.data(200);
    data["conversations"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
}

on_every_store! {
    async fn customer_and_driver_talk_in_the_room_of_their_order(server) {
        let (alice, dan, _, room) = talking(server).await;
        let mut alices = alice.enter("/", &room).await;
        let mut dans = dan.enter("/rooms", &room).await;
        let said = alices.say(&room, "ring twice").await;
        assert_eq!(dans.hear(1).await, said);
        dans.say(&room, "will do").await;
        assert_eq!(alices.hear(2).await["content"], "will do");
        let read = json!({ "roomId": room, "messageId": said["id"] });
        dans.done("message_read", &read).await;
        for person in [&alice, &dan] {
            let page = person.room_page(&room, "").await;
            assert_eq!(page.len(), 2);
            assert_eq!(page[1]["content"], "ring twice");
            assert_eq!(rooms_of(person).await, [json!(room)]);
            assert_eq!(conversations_of(person).await, [json!(room)]);
            let members = person.of_room(&room, "/members").await;
            assert_eq!(members["count"], 2);
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn to_others_the_room_is_not_there(server) {
        let (_, _, _, room) = talking(server).await;
        let bob = server.register("bob").await;
        let eve = server.driver("eve").await;
        for person in [&bob, &eve] {
            let mut socket = person.connect("/rooms").await;
            let ack = socket.emit_ack("join_room", &named(&room)).await;
            assert_eq!(ack["error"]["code"], "not_found");
            socket.denied("send_message", &into(&room, "hello"), "not_found").await;
            for rest in ["", "/messages", "/members", "/presence"] {
                person.get(&at(&room, rest)).await.refused(404, "not_found");
            }
            person.join_with(&room, "").await.refused(404, "not_found");
            assert!(rooms_of(person).await.is_empty());
        }
    }

    async fn nobody_manages_the_room(server) {
        let (alice, dan, order, room) = talking(server).await;
        let bob = server.register("bob").await;
        for person in [&alice, &dan] {
            let invite = json!({ "userId": bob.id });
            person.post(&at(&room, "/invite"), &invite).await.refused(403, "forbidden");
            person.post(&at(&room, "/leave"), &json!({})).await.refused(403, "forbidden");
            person.remove(&room, &dan).await.refused(403, "forbidden");
            person.remove(&room, &alice).await.refused(403, "forbidden");
            person.give_role(&room, &dan, "admin").await.refused(403, "forbidden");
            person
                .patch(&at(&room, ""), &json!({ "name": "Mine" }))
                .await
                .refused(403, "forbidden");
            person.delete(&at(&room, "")).await.refused(403, "forbidden");
        }
        assert_eq!(alice.of_room(&room, "/members").await["count"], 2);
        assert_eq!(dan.order(&order).await["status"], "preparing");
    }

    async fn a_room_is_archived_with_its_order(server) {
        for cancelled in [true, false] {
            let (names, end) = (["alice", "dan"], if cancelled { "c" } else { "d" });
            let alice = server.register(&format!("{}-{end}", names[0])).await;
            let dan = server.driver(&format!("{}-{end}", names[1])).await;
            let order = dan.accept(&alice.place(&tea()).await).await;
            let room = order["roomId"].as_str().unwrap().to_owned();
            let mut sockets = [alice.enter("/", &room).await, dan.enter("/rooms", &room).await];
            sockets[0].say(&room, "hello").await;
            sockets[1].hear(1).await;
            if cancelled {
                alice.on(&order, "cancel", &json!({})).await.data(200);
            } else {
                dan.advance(&order, "outForDelivery").await.data(200);
                dan.advance(&order, "delivered").await.data(200);
            }
            for socket in &mut sockets {
                let left = socket.expect("left_room").await;
                assert_eq!(left["roomId"], room);
                let ack = socket.emit_ack("join_room", &named(&room)).await;
                assert_eq!(ack["error"]["code"], "forbidden");
                socket.denied("send_message", &into(&room, "too late"), "forbidden").await;
            }
            for person in [&alice, &dan] {
                let page = person.room_page(&room, "").await;
                assert_eq!(page.len(), 1);
                assert_eq!(page[0]["content"], "hello");
                assert!(!rooms_of(person).await.contains(&json!(room)));
            }
            let bob = server.register(&format!("bob-{end}")).await;
            bob.get(&at(&room, "/messages")).await.refused(404, "not_found");
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_driver_who_loses_the_order_loses_the_room(server) {
        let (alice, dan, order, room) = talking(server).await;
        let eve = server.driver("eve").await;
        let admin = server.admin().await;
        let mut alices = alice.enter("/", &room).await;
        let mut dans = dan.enter("/rooms", &room).await;
        dans.say(&room, "hello").await;
        dans.hear(1).await;
        admin.on(&order, "unassign", &json!({})).await.data(200);
        assert_eq!(dans.expect("left_room").await["roomId"], room);
        admin.assign(&order, &json!(eve.id)).await.data(200);
        let ack = dans.emit_ack("join_room", &named(&room)).await;
        assert_eq!(ack["error"]["code"], "not_found");
        dans.denied("send_message", &into(&room, "still here"), "not_found").await;
        dan.get(&at(&room, "/messages")).await.refused(404, "not_found");
        assert!(rooms_of(&dan).await.is_empty());
        let mut eves = eve.enter("/rooms", &room).await;
        let mut alices_too = alice.enter("/rooms", &room).await;
        let said = alices.say(&room, "to eve").await;
        for socket in [&mut eves, &mut alices_too] {
            assert_eq!(socket.hear(2).await, said);
        }
        dans.expect_none("receive_message").await;
        assert_eq!(rooms_of(&eve).await, [json!(room)]);
    }
}
