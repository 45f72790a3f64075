//! Typing in rooms.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::rest::fields;
use crate::support::rooms::named;
use crate::support::{Person, Socket, time};

fn typing(room: &str, is_typing: bool) -> Value {
    json!({ "roomId": room, "isTyping": is_typing })
}

/// The next that a socket hears of somebody's typing.
async fn expect(socket: &mut Socket, room: &str, person: &Person, is_typing: bool) {
    let told = socket.expect("typing").await;
    assert_eq!(told["roomId"], room);
    assert_eq!(told["userId"], person.id.as_str());
    assert_eq!(told["isTyping"], is_typing, "{told}");
    time(&told["timestamp"]);
}

on_every_store! {
    #[set(TYPING_TIMEOUT = "1h")]
    async fn the_others_in_the_room_hear_who_types(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut other = alice.enter("/rooms", &room).await;
        let mut told = [bob.enter("/", &room).await, bob.enter("/rooms", &room).await];
        let mut outside = carol.connect("/").await;
        alices.done("typing", &typing(&room, true)).await;
        alices.done("typing", &typing(&room, false)).await;
        for socket in &mut told {
            expect(socket, &room, &alice, true).await;
            expect(socket, &room, &alice, false).await;
            socket.expect_none("typing").await;
            socket.expect_none("user_typing").await;
        }
        for socket in [&mut alices, &mut other, &mut outside] {
            socket.expect_none("typing").await;
        }
    }

    #[set(TYPING_TIMEOUT = "1h")]
    async fn typing_ends_when_the_message_is_sent(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        alices.done("typing", &typing(&room, true)).await;
        alices.say(&room, "done").await;
        expect(&mut bobs, &room, &alice, true).await;
        expect(&mut bobs, &room, &alice, false).await;
        alices.say(&room, "again").await;
        bobs.hear(2).await;
        bobs.expect_none("typing").await;
    }

    #[set(TYPING_TIMEOUT = "1h")]
    async fn typing_in_one_room_does_not_end_by_a_message_to_another(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (one, two) =
            (server.room_of([&alice, &bob]).await, server.room_of([&alice, &bob]).await);
        let (mut alices, mut bobs) = (alice.enter("/", &one).await, bob.enter("/", &one).await);
        alices.enter(&two).await;
        bobs.enter(&two).await;
        alices.done("typing", &typing(&one, true)).await;
        alices.say(&two, "hello").await;
        bobs.hear(1).await;
        expect(&mut bobs, &one, &alice, true).await;
        bobs.expect_none("typing").await;
    }

    #[set(TYPING_TIMEOUT = "1h")]
    async fn typing_ends_when_its_socket_leaves_the_room(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        alices.done("typing", &typing(&room, true)).await;
        alices.done("leave_room", &named(&room)).await;
        expect(&mut bobs, &room, &alice, true).await;
        expect(&mut bobs, &room, &alice, false).await;
    }

    #[set(TYPING_TIMEOUT = "1h")]
    async fn typing_ends_when_its_socket_is_gone(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut bobs = bob.enter("/rooms", &room).await;
        for cut in [true, false] {
            let mut alices = alice.enter("/", &room).await;
            alices.done("typing", &typing(&room, true)).await;
            expect(&mut bobs, &room, &alice, true).await;
            if cut {
                drop(alices);
            } else {
                alices.leave();
            }
            expect(&mut bobs, &room, &alice, false).await;
        }
    }

    #[set(TYPING_TIMEOUT = "1h")]
    async fn typing_ends_with_the_membership(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let mut alices = alice.enter("/", &room).await;
        for person in [&bob, &carol] {
            let mut typist = person.enter("/", &room).await;
            typist.done("typing", &typing(&room, true)).await;
            expect(&mut alices, &room, person, true).await;
            if person.id == bob.id {
                person.leave_room(&room).await;
            } else {
                alice.remove(&room, person).await.data(200);
            }
            expect(&mut alices, &room, person, false).await;
        }
    }

    #[set(TYPING_TIMEOUT = "300ms")]
    async fn typing_ends_by_itself(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        let started = Instant::now();
        alices.done("typing", &typing(&room, true)).await;
        expect(&mut bobs, &room, &alice, true).await;
        expect(&mut bobs, &room, &alice, false).await;
        assert!(started.elapsed() >= Duration::from_millis(290), "{:?}", started.elapsed());
    }

    async fn only_who_is_in_the_room_types_there(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let hidden = alice.create_room(true).await;
        let mut alices = alice.enter("/", &room).await;
        bob.connect("/").await.denied("typing", &typing(&room, true), "forbidden").await;
        let mut carols = carol.connect("/rooms").await;
        carols.denied("typing", &typing(&room, true), "forbidden").await;
        carols.denied("typing", &typing(&hidden, true), "not_found").await;
        alices.expect_none("typing").await;
        for (wrong, names) in [
            (json!({}), vec!["roomId", "isTyping"]),
            (json!({ "roomId": room }), vec!["isTyping"]),
            (json!({ "roomId": room, "isTyping": "yes" }), vec!["isTyping"]),
            (json!({ "roomId": "kitchen", "isTyping": true }), vec!["roomId"]),
        ] {
            let error = alices.denied("typing", &wrong, "validation_failed").await;
            assert_eq!(fields(&error), names, "{wrong}");
        }
    }
}
