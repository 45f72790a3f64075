//! Being in a room: `join_room`, `leave_room`, many sockets, many rooms, lost connections.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::rest::fields;
use crate::support::rooms::{into, named};
use crate::support::{Person, Socket, time};

/// Shows that the others in a room have not heard of anybody who came or went: a message that
/// was sent now came after all that was told before.
async fn expect_quiet(socket: &mut Socket, room: &str) {
    let marker = socket.say(room, "marker").await;
    socket.hear(marker["seq"].as_i64().unwrap()).await;
    socket.expect_none("user_joined").await;
    socket.expect_none("user_left").await;
}

#[track_caller]
fn check_who(told: &Value, person: &Person, room: &str) {
    assert_eq!(told["userId"], person.id.as_str(), "{told}");
    assert_eq!(told["roomId"], room, "{told}");
    time(&told["timestamp"]);
}

on_every_store! {
    async fn who_joins_hears_who_is_there_and_what_is_unread(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say_many(&room, 3).await;
        let mut socket = bob.connect("/rooms").await;
        let ack = socket.done("join_room", &named(&room)).await;
        let joined = socket.expect("joined_room").await;
        assert_eq!(joined["roomId"], room.as_str());
        assert_eq!(joined["unreadCount"], 3, "counted before joining marked them read");
        time(&joined["timestamp"]);
        let presence = joined["presence"].as_array().unwrap();
        assert_eq!(presence.len(), 2);
        for (one, person) in presence.iter().zip([&alice, &bob]) {
            assert_eq!(one["userId"], person.id.as_str());
            assert_eq!(one["status"], "online");
            time(&one["lastSeen"]);
        }
        for field in ["roomId", "presence", "unreadCount", "timestamp"] {
            assert_eq!(ack[field], joined[field], "{field}");
        }
    }

    async fn joining_marks_everything_read_and_tells_it_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say_many(&room, 3).await;
        let mut bobs = bob.connect("/rooms").await;
        assert_eq!(bobs.enter(&room).await["unreadCount"], 3);
        let read = alices.expect("messages_read").await;
        assert_eq!(read["recipientId"], bob.id.as_str());
        assert_eq!(read["messageCount"], 3);
        assert_eq!(read["roomId"], room.as_str());
        time(&read["timestamp"]);
        assert_eq!(bob.unread_in(&room).await, 0);
        assert_eq!(bobs.enter(&room).await["unreadCount"], 0);
        bobs.done("leave_room", &named(&room)).await;
        assert_eq!(bobs.enter(&room).await["unreadCount"], 0);
        alices.say(&room, "marker").await;
        alices.hear(4).await;
        alices.expect_none("messages_read").await;
        assert_eq!(bobs.all("messages_read").await.len(), 1);
    }

    async fn ones_own_messages_are_never_unread(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say_many(&room, 2).await;
        bob.enter("/", &room).await.say(&room, "and I").await;
        alices.hear(3).await;
        assert_eq!(alice.unread_in(&room).await, 1);
        assert_eq!(alice.connect("/").await.enter(&room).await["unreadCount"], 1);
    }

    async fn the_others_hear_of_the_first_socket_that_comes_and_the_last_that_goes(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/rooms", &room).await;
        let mut first = bob.enter("/", &room).await;
        let joined = alices.expect("user_joined").await;
        check_who(&joined, &bob, &room);
        assert_eq!(joined["status"], "online");
        let mut second = bob.enter("/rooms", &room).await;
        first.enter(&room).await;
        expect_quiet(&mut alices, &room).await;
        let left = first.done("leave_room", &named(&room)).await;
        assert_eq!(left["roomId"], room.as_str());
        check_left(&first.expect("left_room").await, &room);
        expect_quiet(&mut alices, &room).await;
        second.done("leave_room", &named(&room)).await;
        check_left(&second.expect("left_room").await, &room);
        check_who(&alices.expect("user_left").await, &bob, &room);
        expect_quiet(&mut alices, &room).await;
        alices.expect_nobody_offline().await;
        for socket in [&mut first, &mut second] {
            socket.expect_none("user_joined").await;
            socket.expect_none("user_left").await;
        }
    }

    async fn leaving_the_live_room_ends_what_one_hears_and_not_the_membership(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        bobs.done("leave_room", &named(&room)).await;
        let message = alices.say(&room, "to whom?").await;
        alices.hear(1).await;
        bobs.expect_none("receive_message").await;
        bobs.denied("send_message", &into(&room, "hello"), "forbidden").await;
        assert_eq!(bob.unread_in(&room).await, 1);
        assert_eq!(bob.room_page(&room, "").await[0]["id"], message["id"]);
        assert_eq!(alice.of_room(&room, "/members").await["count"], 2);
        bobs.enter(&room).await;
        bobs.say(&room, "back").await;
    }

    async fn leaving_where_one_is_not_changes_nothing(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        bob.connect("/").await.done("leave_room", &named(&room)).await;
        carol.connect("/").await.denied("leave_room", &named(&room), "forbidden").await;
        expect_quiet(&mut alices, &room).await;
    }

    #[set(PRESENCE_GRACE = "300ms")]
    async fn who_is_disconnected_has_left_after_the_grace(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        for cut in [true, false] {
            let bobs = bob.enter("/rooms", &room).await;
            alices.expect("user_joined").await;
            let gone = Instant::now();
            if cut {
                drop(bobs);
            } else {
                bobs.leave();
            }
            check_who(&alices.expect("user_left").await, &bob, &room);
            assert!(gone.elapsed() >= Duration::from_millis(290), "{:?}", gone.elapsed());
        }
        expect_quiet(&mut alices, &room).await;
    }

    #[set(PRESENCE_GRACE = "3s")]
    async fn who_comes_back_within_the_grace_was_never_gone(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut bobs = bob.enter("/", &room).await;
        alices.expect("user_joined").await;
        for _ in 0..3 {
            drop(bobs);
            server.until_sockets(1).await;
            bobs = bob.enter("/", &room).await;
        }
        // Somebody who goes after that has left, and of bob nobody has heard.
        drop(carol.enter("/", &room).await);
        check_who(&alices.expect("user_joined").await, &carol, &room);
        check_who(&alices.expect("user_left").await, &carol, &room);
        expect_quiet(&mut alices, &room).await;
        bobs.say(&room, "here").await;
    }

    #[set(PRESENCE_GRACE = "200ms")]
    async fn who_connects_again_and_does_not_come_in_has_left(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut elsewhere = bob.connect("/").await;
        drop(bob.enter("/", &room).await);
        check_who(&alices.expect("user_left").await, &bob, &room);
        elsewhere.expect_none("receive_message").await;
    }

    async fn a_socket_is_in_many_rooms(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut rooms = Vec::new();
        let (mut alices, mut bobs) = (alice.connect("/").await, bob.connect("/rooms").await);
        for _ in 0..5 {
            let room = server.room_of([&alice, &bob]).await;
            alices.enter(&room).await;
            bobs.enter(&room).await;
            rooms.push(room);
        }
        bobs.done("leave_room", &named(&rooms[4])).await;
        for room in &rooms {
            alices.say(room, "one").await;
            alices.say(room, "two").await;
        }
        // In order within each room; of several rooms, none waits for another.
        for room in &rooms[..4] {
            for seq in [1, 2] {
                let is_there = |message: &Value| message["roomId"] == room.as_str();
                assert_eq!(bobs.expect_where("receive_message", is_there).await["seq"], seq);
            }
        }
        alices.exactly(10, "receive_message").await;
        bobs.expect_none("receive_message").await;
    }

    async fn what_names_no_room_is_told_to_who_joins(server) {
        let alice = server.register("alice").await;
        for namespace in ["/", "/rooms"] {
            let mut socket = alice.connect(namespace).await;
            for wrong in [json!({}), json!({ "roomId": 7 }), json!({ "roomId": "kitchen" })] {
                let told = "join_room_error";
                let error = socket.refused_as(told, "join_room", &wrong, "validation_failed").await;
                assert_eq!(fields(&error), ["roomId"], "{wrong}");
                let error = socket.denied("leave_room", &wrong, "validation_failed").await;
                assert_eq!(fields(&error), ["roomId"], "{wrong}");
            }
            let nowhere = named(&"0".repeat(24));
            socket.refused_as("join_room_error", "join_room", &nowhere, "not_found").await;
        }
    }
}

#[track_caller]
fn check_left(left: &Value, room: &str) {
    assert_eq!(left["roomId"], room);
    time(&left["timestamp"]);
}
