//! `message_read` in rooms: one message, exactly, told once.

use serde_json::{Value, json};

use crate::support::rest::fields;
use crate::support::rooms::named;
use crate::support::{Person, Socket, time};

fn of(message: &Value) -> Value {
    json!({ "roomId": message["roomId"], "messageId": message["id"] })
}

#[track_caller]
fn check_receipt(receipt: &Value, message: &Value, reader: &Person) {
    assert_eq!(receipt["messageId"], message["id"]);
    assert_eq!(receipt["roomId"], message["roomId"]);
    assert_eq!(receipt["recipientId"], reader.id.as_str());
    assert_eq!(receipt["status"], "read");
    time(&receipt["timestamp"]);
}

/// Shows that a socket in a room has heard of no receipt, a message later.
async fn expect_none(socket: &mut Socket, room: &str) {
    let marker = socket.say(room, "marker").await;
    socket.hear(marker["seq"].as_i64().unwrap()).await;
    socket.expect_none("message_receipt").await;
    socket.expect_none("messages_read").await;
}

on_every_store! {
    async fn a_read_is_told_to_the_room_and_the_reader_once(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let (mut alices, mut carols) =
            (alice.enter("/", &room).await, carol.enter("/rooms", &room).await);
        let mut bobs = bob.enter("/", &room).await;
        // A socket of the reader that is not in the room hears of it too.
        let mut outside = bob.connect("/rooms").await;
        let message = alices.say(&room, "hello").await;
        bobs.done("message_read", &of(&message)).await;
        for socket in [&mut alices, &mut carols, &mut bobs, &mut outside] {
            check_receipt(&socket.expect("message_receipt").await, &message, &bob);
        }
        bobs.done("message_read", &of(&message)).await;
        outside.done("message_read", &of(&message)).await;
        for socket in [&mut alices, &mut carols, &mut bobs] {
            expect_none(socket, &room).await;
        }
        outside.expect_none("message_receipt").await;
        assert_eq!(bob.unread_in(&room).await, 2);
    }

    async fn each_member_reads_for_themselves(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let mut alices = alice.enter("/", &room).await;
        let sent = alices.say_many(&room, 3).await;
        bob.connect("/").await.done("message_read", &of(&sent[1])).await;
        check_receipt(&alices.expect("message_receipt").await, &sent[1], &bob);
        carol.connect("/").await.done("message_read", &of(&sent[1])).await;
        check_receipt(&alices.expect("message_receipt").await, &sent[1], &carol);
        assert_eq!(bob.unread_in(&room).await, 2);
        let listed = alice.room_page(&room, "").await;
        let counts: Vec<_> = listed.iter().map(|one| one["receipts"]["readCount"].clone()).collect();
        assert_eq!(counts, [0, 2, 0]);
    }

    async fn ones_own_message_is_not_read(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let message = alices.say(&room, "mine").await;
        alices.done("message_read", &of(&message)).await;
        expect_none(&mut alices, &room).await;
        let receipts = format!("/messages/{}/receipts", message["id"].as_str().unwrap());
        assert_eq!(bob.of_room(&room, &receipts).await["summary"]["readCount"], 0);
    }

    async fn what_was_written_before_one_joined_is_not_read(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(false).await;
        let mut alices = alice.enter("/", &room).await;
        let message = alices.say(&room, "early").await;
        bob.join_room(&room).await;
        bob.connect("/").await.done("message_read", &of(&message)).await;
        expect_none(&mut alices, &room).await;
    }

    async fn messages_of_others_and_unknown_ones_are_not_found(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        for private in [false, true] {
            let room = alice.create_room(private).await;
            let mut alices = alice.enter("/", &room).await;
            let message = alices.say(&room, "hello").await;
            let mut carols = carol.connect("/").await;
            carols.denied("message_read", &of(&message), "not_found").await;
            expect_none(&mut alices, &room).await;
        }
        let direct = json!({ "receiverId": bob.id, "content": "hello" });
        let direct = alice.connect("/").await.done("send_message", &direct).await;
        let payload = json!({ "messageId": direct["message"]["_id"] });
        let mut bobs = bob.connect("/rooms").await;
        bobs.denied("message_read", &payload, "not_found").await;
        bobs.denied("message_read", &json!({ "messageId": "0".repeat(24) }), "not_found").await;
    }

    async fn who_left_reads_no_more(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let message = alices.say(&room, "hello").await;
        bob.leave_room(&room).await;
        bob.connect("/rooms").await.denied("message_read", &of(&message), "not_found").await;
        expect_none(&mut alices, &room).await;
    }

    async fn what_is_said_beside_the_message_must_agree_with_it(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let other = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let message = alices.say(&room, "hello").await;
        let mut bobs = bob.enter("/rooms", &other).await;
        for (field, wrong) in [("roomId", &other), ("senderId", &bob.id)] {
            let mut payload = of(&message);
            payload[field] = json!(wrong);
            let error = bobs.denied("message_read", &payload, "validation_failed").await;
            assert_eq!(fields(&error), [field]);
        }
        let direct = json!({ "receiverId": bob.id, "content": "hello" });
        let direct = alices.done("send_message", &direct).await["message"].clone();
        let mut everywhere = bob.connect("/").await;
        let payload = json!({ "messageId": direct["_id"], "roomId": room });
        everywhere.denied("message_read", &payload, "validation_failed").await;
        assert_eq!(bob.unread_in(&room).await, 1);
        for right in [
            json!({ "messageId": message["id"] }),
            json!({ "messageId": message["id"], "roomId": room, "senderId": alice.id }),
        ] {
            bobs.done("message_read", &right).await;
        }
        assert_eq!(bob.unread_in(&room).await, 0);
        for wrong in [json!({}), named(&room), json!({ "messageId": 7 })] {
            let error = bobs.denied("message_read", &wrong, "validation_failed").await;
            assert_eq!(fields(&error), ["messageId"], "{wrong}");
        }
    }

    async fn many_reads_at_once_are_told_once_each(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let sent = alices.say_many(&room, 8).await;
        let reading = (0..4).map(async |number| {
            let mut socket = bob.connect("/rooms").await;
            let mut order: Vec<_> = sent.iter().collect();
            order.rotate_left(number * 2);
            for message in order {
                socket.done("message_read", &of(message)).await;
            }
        });
        futures_util::future::join_all(reading).await;
        alices.say(&room, "marker").await;
        alices.hear(9).await;
        let mut told: Vec<_> = alices.all("message_receipt").await;
        told.sort_by_key(|receipt| receipt["seq"].as_i64());
        let told: Vec<_> = told.iter().map(|receipt| &receipt["messageId"]).collect();
        let sent: Vec<_> = sent.iter().map(|message| &message["id"]).collect();
        assert_eq!(told, sent);
    }
}
